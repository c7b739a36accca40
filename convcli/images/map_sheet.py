"""Draw feature maps side by side in one picture, each with its name, its kernels and its scale."""

from collections.abc import Iterator, Sequence
from functools import cache
from math import log
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from convcli.images.signs import signed_colours

Array = NDArray[Any]

MAX_MAPS = 256  # maps that are drawn
MAX_KERNELS = 4  # per map; with more, no kernels are drawn
SIDE = 96  # pixels of the longer side of a map, at least; smaller maps are enlarged
KERNEL = 44  # pixels of the longer side of a kernel, at most, unless it has more taps
MAX_CELL = 14  # most pixels per tap
NARROWEST = 104  # least width of a map with its name and scale
HEADED = 300  # least width of a sheet, so that its title fits
GAP, HEAD, NAME, BAR, ENDS = 14, 26, 18, 7, 15  # pixels: gap, title, name, colour bar, labels of the bar
TEXT = 11  # font size in pixels
WIDE = 1.5  # preferred ratio of a sheet's width to its height
PAPER, INK, FAINT = (255, 255, 255), (20, 28, 36), (90, 104, 118)
MISSING = (255, 0, 255)  # colour of NaN and infinities
BAND = 1 << 18  # values coloured at a time


class SheetPlan(NamedTuple):
    """The layout of a sheet, computed from sizes only.

    maps : number of maps that are drawn
    size : height and width of a map
    times : factor by which maps are enlarged
    kernels : number of kernels per map, and their height and width
    columns : number of maps in a row
    """

    maps: int
    size: tuple[int, int]
    times: int
    kernels: tuple[int, int, int]
    columns: int

    @classmethod
    def of(cls, maps: int, height: int, width: int, kernels: tuple[int, int, int] = (0, 1, 1)) -> "SheetPlan":
        """Lay out maps in the number of columns that makes the sheet about `WIDE` times as wide as high."""
        count = min(maps, MAX_MAPS)
        times = max(1, -(-SIDE // max(height, width)))
        if kernels[0] > MAX_KERNELS:
            kernels = (0, 1, 1)
        plan = cls(count, (height, width), times, kernels, 1)
        ratio = plan.cell[1] / plan.cell[0]

        def unlike(columns: int) -> float:
            """Return the distance from the preferred aspect ratio, plus a penalty for empty cells."""
            rows = -(-count // columns)
            return abs(log(ratio * columns / rows / WIDE)) + (rows * columns - count) / columns

        return plan._replace(columns=min(range(1, count + 1), key=unlike))

    @property
    def tap(self) -> int:
        """Side of a kernel's tap in pixels."""
        return max(1, min(MAX_CELL, KERNEL // max(self.kernels[1:])))

    @property
    def kernel_grid(self) -> int:
        """Width in pixels of the kernels to the left of a map, with a gap."""
        return self.kernels[2] * self.tap + GAP // 2 if self.kernels[0] else 0

    @property
    def drawn(self) -> tuple[int, int]:
        """Height and width of a drawn map in pixels."""
        return self.size[0] * self.times, self.size[1] * self.times

    @property
    def cell(self) -> tuple[int, int]:
        """Height and width in pixels of a map with its kernels, name, scale and the gap to the next map."""
        number, height, _ = self.kernels
        kernels = number * (height * self.tap + GAP // 2)
        high = NAME + max(self.drawn[0], kernels) + BAR + 4 + ENDS
        return high + GAP, self.kernel_grid + max(self.drawn[1], NARROWEST) + GAP

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the sheet in pixels."""
        rows = -(-self.maps // self.columns)
        return HEAD + rows * self.cell[0] + GAP, max(self.columns * self.cell[1] + GAP, HEADED)

    def place(self, number: int) -> tuple[int, int]:
        """Return the position (top, left) of a map."""
        row, column = divmod(number, self.columns)
        return HEAD + row * self.cell[0] + NAME, GAP + column * self.cell[1] + self.kernel_grid


def draw_maps(
    maps: Array, names: Sequence[str] = (), kernels: Array | None = None, title: str = ""
) -> NDArray[np.uint8]:
    """Draw maps (C, H, W) and return the sheet, (height, width, 3).

    Maps of a single value share one scale, and the value is after the name.

    If any map has negative values, all are blue below 0, white at 0 and red above, each scaled to its largest absolute
    value; otherwise each is grey, from black at its least value to white at its largest. The scale is below each map.

    names : names of the maps; by default their numbers
    kernels : (C, K, kh, kw), kernels to draw next to each map
    """
    kernel_grid = (0, 1, 1) if kernels is None else (kernels.shape[1], kernels.shape[2], kernels.shape[3])
    plan = SheetPlan.of(len(maps), maps.shape[1], maps.shape[2], kernel_grid)
    ends = [_ends(each) for each in maps[: plan.maps]]
    single = maps[0].size == 1
    if single:
        lows, highs = zip(*ends, strict=True)
        ends = [(min(lows), max(highs))] * plan.maps
    signed = any(low < 0 for low, _ in ends)
    sheet = Image.new("RGB", plan.shape[::-1], PAPER)
    pen = ImageDraw.Draw(sheet)
    legend = "blue below 0, white 0, red above" if signed else "black the least value, white the largest"
    head = f"{title}: {legend}" if title else legend
    if len(maps) > plan.maps:
        head = f"{plan.maps} of {len(maps)} maps; {head}"
    _write(pen, (GAP, HEAD // 2), head, plan.shape[1] - 2 * GAP, INK)
    for number in range(plan.maps):
        top, left = plan.place(number)
        name = names[number] if number < len(names) else f"map {number}"
        if single:
            name = f"{name}: {_number(float(maps[number][0, 0]))}"
        room = max(plan.drawn[1], NARROWEST)
        _write(pen, (left - plan.kernel_grid, top - NAME // 2), name, room + plan.kernel_grid, INK)
        low, high = _scale(*ends[number], signed=signed)
        for rows in _bands(maps[number]):
            colours = _coloured(maps[number][rows], low, high, signed=signed)
            _paste(sheet, colours, plan.times, top + rows.start * plan.times, left)
        below = top + plan.drawn[0] + 4
        bar = np.linspace(low, high, room)[np.newaxis]
        _paste(sheet, _coloured(bar, low, high, signed=signed).repeat(BAR, axis=0), 1, below, left)
        _label_scale(pen, low, high, left, below + BAR + ENDS // 2 + 1, room, signed=signed)
        if kernels is not None and plan.kernels[0]:
            _draw_kernels(sheet, kernels[number], plan, top, left - plan.kernel_grid)
    return np.asarray(sheet)


def _bands(values: Array) -> Iterator[slice]:
    """Yield slices of the rows of a map."""
    step = max(1, BAND // max(1, values.shape[1]))
    for start in range(0, len(values), step):
        yield slice(start, min(start + step, len(values)))


def _finite(values: Array) -> NDArray[np.float64]:
    """Return values with NaN and infinities replaced by 0."""
    return np.nan_to_num(values.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)


def _ends(values: Array) -> tuple[float, float]:
    """Return the least and the largest value of a map; NaN and infinities count as 0."""
    parts = (_finite(values[rows]) for rows in _bands(values))
    ends = [(float(part.min()), float(part.max())) for part in parts]
    return min(low for low, _ in ends), max(high for _, high in ends)


def _scale(low: float, high: float, *, signed: bool) -> tuple[float, float]:
    """Return the values at the ends of a map's scale, which is symmetric around 0 if `signed`."""
    if not signed:
        return low, high
    most = max(-low, high)
    return -most, most


def _coloured(values: Array, low: float, high: float, *, signed: bool) -> NDArray[np.uint8]:
    """Map values (H, W) to colours (H, W, 3)."""
    finite = _finite(values)
    if signed:
        colours = signed_colours(finite / high if high else finite)
    else:
        share = (finite - low) / (high - low) if high > low else np.zeros_like(finite)
        colours = np.rint(share * 255).astype(np.uint8)[..., np.newaxis].repeat(3, axis=2)
    missing = ~np.isfinite(values)
    if missing.any():
        colours[missing] = MISSING
    return colours


def _paste(sheet: Image.Image, colours: NDArray[np.uint8], times: int, top: int, left: int) -> None:
    large = colours.repeat(times, axis=0).repeat(times, axis=1)
    sheet.paste(Image.fromarray(np.ascontiguousarray(large)), (left, top))


def _draw_kernels(sheet: Image.Image, kernels: Array, plan: SheetPlan, top: int, left: int) -> None:
    """Draw the kernels of a map below each other, scaled to their largest absolute weight."""
    largest = float(np.abs(kernels).max()) or 1.0
    _, height, width = plan.kernels
    pen = ImageDraw.Draw(sheet)
    for number, kernel in enumerate(kernels):
        y = top + number * (height * plan.tap + GAP // 2)
        _paste(sheet, signed_colours(kernel / largest), plan.tap, y, left)
        pen.rectangle((left - 1, y - 1, left + width * plan.tap, y + height * plan.tap), outline=FAINT)


# Text


@cache
def _font() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(TEXT)


def _write(pen: ImageDraw.ImageDraw, place: tuple[int, int], text: str, room: int, colour: Any) -> None:
    """Write a left-aligned line of text, shortened to fit `room` pixels."""
    if pen.textlength(text, _font()) > room:
        while text and pen.textlength(f"{text}\u2026", _font()) > room:
            text = text[:-1]
        text = f"{text.rstrip()}\u2026"
    pen.text(place, text, colour, _font(), anchor="lm")


def _label_scale(
    pen: ImageDraw.ImageDraw, low: float, high: float, left: int, y: int, wide: int, *, signed: bool
) -> None:
    """Write the values at the ends of a scale below it, and 0 in the middle if `signed`."""
    if low == high:
        _write(pen, (left, y), f"all {_number(low)}", wide, FAINT)
        return
    pen.text((left, y), _number(low), FAINT, _font(), anchor="lm")
    pen.text((left + wide, y), _number(high), FAINT, _font(), anchor="rm")
    if signed:
        pen.text((left + wide / 2, y), "0", FAINT, _font(), anchor="mm")


def _number(value: float) -> str:
    return f"{value:.3g}"
