"""Draw the spectrum of a picture before and after a kernel, the kernel's frequency response, and a radial plot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from convcli.drawing.scene import Bitmap, Label, Mark, Point, Scene, Shape

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from convcli.analysis.picture_spectrum import Spectra
    from convcli.kernels.kernel import Kernel

    Array = NDArray[Any]

MARGIN, AXIS, GAP = 26.0, 48.0, 34.0  # AXIS: space for the numbers next to a panel
PANEL, THUMB = 230.0, 150.0
PLOT = 190.0  # height of the plot
TEXT, SMALL = 13.0, 11.0
DEPTH = 80  # range of the colours in decibels
STEP = 20
SIDE = 256  # pixels on a side of a spectrum
MAX_KERNEL = 31  # largest side of a kernel that is drawn
RAMP = ("#0b1420", "#174f80", "#2b71a8", "#6aa9d6", "#bdd7ee", "#f7fbff")  # from the smallest to the largest
LINES = {"before": "input-edge", "after": "output-edge"}
TICKS = ((-0.5, "-1/2"), (-0.25, "-1/4"), (0.0, "0"), (0.25, "1/4"), (0.5, "1/2"))
CYCLES = "cycles per pixel"


def spectrum_scene(
    found: Spectra,
    rows: Sequence[Mapping[str, float | None]],
    kernels: Sequence[Kernel],
    white: float,
    name: str,
) -> Scene:
    """Return the picture.

    rows : the radial means, from `radial_rows`
    white : the value that is drawn in white
    name : of the kernels, as typed
    """
    lefts = [MARGIN + AXIS + number * (PANEL + AXIS + GAP) for number in range(3)]
    width = lefts[2] + PANEL + 96 + MARGIN
    marks: list[Mark] = []
    top = MARGIN + 22
    for left, title in zip(lefts, ("before", name, "after"), strict=True):
        marks.append(Label(left, MARGIN, _fitted(title), 15, "ink", "start"))
    marks += _picture(found.before, white, lefts[0], top)
    marks += _kernel(kernels, lefts[1], top)
    marks += _picture(found.after, white, lefts[2], top)
    top += THUMB + 50
    gain = float(found.response.max())
    heads = ("its spectrum", f"its response, 0 dB is {gain:.4g} times", "its spectrum")
    most = float(found.spectra[0].max()) or 1.0
    powers = (found.spectra[0] / most, _square(found.response), found.spectra[1] / most)
    for left, head, power in zip(lefts, heads, powers, strict=True):
        marks.append(Label(left, top - 12, head, SMALL, "faint", "start"))
        marks += _panel(power, left, top)
    marks += _scale(lefts[2] + PANEL + 22, top)
    top += PANEL + 84
    marks += _plot(rows, lefts[0], top, lefts[2] + PANEL - lefts[0])
    descriptions = tuple(
        f"{row['frequency']:.4g} {CYCLES}: before {_number(row['before'])}, after {_number(row['after'])}"
        for row in rows
    )
    return Scene(
        width,
        top + PLOT + 52,
        tuple(marks),
        descriptions=descriptions,
        title=f"the spectrum before and after {name}",
    )


def _number(value: float | None) -> str:
    return "nothing" if value is None else f"{value:.1f} dB"


def _fitted(text: str, most: int = 30) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}\u2026"


def _square(response: Array) -> Array:
    """Return the power of a response, normalised to a maximum of 1."""
    largest = float(response.max()) or 1.0
    power: Array = (response / largest) ** 2
    return power


# Pictures


def _picture(values: Array, white: float, left: float, top: float) -> Iterator[Mark]:
    """Draw values in grey, or in blue and red if there are negative ones."""
    import numpy as np

    from convcli.images.signs import signed_colours

    small = _reduced(values, int(2 * PANEL))
    if small.min() < 0:
        largest = float(np.abs(values).max())
        pixels = signed_colours(small / largest)
        legend = f"blue below 0, red above, to {largest:.4g}"
    else:
        pixels = np.repeat(
            np.rint(small.clip(0, white) / white * 255).astype(np.uint8)[..., np.newaxis], 3, axis=2
        )
        legend = f"black is 0, white {white:g}"
    scale = min(PANEL / values.shape[1], THUMB / values.shape[0])
    high, wide = (n * scale for n in values.shape)
    yield Bitmap(left, top, wide, high, pixels)
    yield Label(left, top + high + 12, legend, SMALL, "faint", "start")


def _kernel(kernels: Sequence[Kernel], left: float, top: float) -> Iterator[Mark]:
    """Draw the matrices of a kernel side by side; nothing for several kernels, or large or many matrices."""
    import numpy as np

    from convcli.images.signs import signed_colours

    matrices = [np.atleast_2d(np.asarray(matrix, float)) for kernel in kernels for matrix in kernel.matrices]
    if len(kernels) > 1 or len(matrices) > 4 or max(matrices[0].shape) > MAX_KERNEL:
        return
    largest = max(float(np.abs(matrix).max()) for matrix in matrices) or 1.0
    gap = 10.0
    scale = min(
        24.0,
        THUMB / matrices[0].shape[0],
        (PANEL - gap * (len(matrices) - 1)) / sum(each.shape[1] for each in matrices),
    )
    x = left
    for matrix in matrices:
        high, wide = (n * scale for n in matrix.shape)
        yield Bitmap(x, top, wide, high, signed_colours(matrix / largest))
        yield Shape(_box(x, top, wide, high), None, "padding-edge")
        x += wide + gap
    rows, columns = matrices[0].shape
    legend = f"{rows}x{columns}, blue below 0, red above"
    yield Label(left, top + rows * scale + 12, legend, SMALL, "faint", "start")


def _reduced(values: Array, most: int) -> Array:
    """Return values reduced to at most `most` rows and columns by averaging blocks."""
    import numpy as np

    for axis in (0, 1):
        step = -(-values.shape[axis] // most)
        if step > 1:
            starts = np.arange(0, values.shape[axis], step)
            counts = np.diff([*starts, values.shape[axis]]).reshape((-1, 1) if axis == 0 else (1, -1))
            values = np.add.reduceat(values, starts, axis=axis) / counts
    return values


def _coloured(shares: Array) -> Array:
    """Return values from 0 to 1 as colours, interpolated between those of RAMP, (H, W, 3)."""
    import numpy as np

    parts = np.array([[int(colour[n : n + 2], 16) for n in (1, 3, 5)] for colour in RAMP], float)
    at = np.linspace(0, 1, len(RAMP))
    bands = [np.interp(shares, at, part) for part in parts.T]
    colours: Array = np.rint(np.stack(bands, axis=-1)).astype(np.uint8)
    return colours


# Spectra


def _panel(power: Array, left: float, top: float) -> Iterator[Mark]:
    """Draw a power with a maximum of 1 in decibels, with frequencies on the axes."""
    import numpy as np

    from convcli.analysis.picture_spectrum import binned

    with np.errstate(divide="ignore"):
        level = 10 * np.log10(binned(power, SIDE))
    yield Bitmap(left, top, PANEL, PANEL, _coloured(1 + level.clip(-DEPTH, 0) / DEPTH))
    yield Shape(_box(left, top, PANEL, PANEL), None, "padding-edge")
    for frequency, text in TICKS[::2]:
        at = (frequency + 0.5) * PANEL
        yield Shape(
            ((left + at, top + PANEL), (left + at, top + PANEL + 5)), None, "padding-edge", closed=False
        )
        yield Label(left + at, top + PANEL + 14, text, SMALL, "faint")
        yield Shape(((left - 5, top + at), (left, top + at)), None, "padding-edge", closed=False)
        yield Label(left - 9, top + at, text, SMALL, "faint", "end")
    yield Label(left + PANEL / 2, top + PANEL + 30, CYCLES, SMALL, "faint")


def _scale(left: float, top: float) -> Iterator[Mark]:
    """Draw the colour scale in decibels."""
    import numpy as np

    shares = np.linspace(1, 0, SIDE)[:, np.newaxis].repeat(4, axis=1)
    yield Bitmap(left, top, 14, PANEL, _coloured(shares))
    yield Shape(_box(left, top, 14, PANEL), None, "padding-edge")
    for level in range(0, DEPTH + 1, STEP):
        text = f"-{level} dB" if level else "0 dB"
        yield Label(left + 20, top + PANEL * level / DEPTH, text, SMALL, "faint", "start")


def _plot(rows: Sequence[Mapping[str, float | None]], left: float, top: float, wide: float) -> Iterator[Mark]:
    """Draw the mean power of rings of frequencies, before and after, as two lines."""
    known = [value for row in rows for name in LINES if (value := row[name]) is not None]
    highest = STEP * -(-max([0.0, *known]) // STEP)
    lowest = max(STEP * (min([-STEP, *known]) // STEP), highest - 2 * DEPTH)

    def place(frequency: float, level: float) -> Point:
        return left + wide * frequency / 0.5, top + PLOT * (highest - max(level, lowest)) / (highest - lowest)

    title = "mean power of the frequencies in a ring, in decibels of the strongest ring before"
    yield Label(left, top - 18, title, SMALL, "faint", "start")
    level = highest
    while level >= lowest:
        y = place(0, level)[1]
        yield Shape(((left, y), (left + wide, y)), None, "padding-edge", opacity=0.6, closed=False)
        yield Label(left - 9, y, f"{level:.0f}", SMALL, "faint", "end")
        level -= STEP
    for frequency, text in ((0.0, "0"), (0.125, "1/8"), (0.25, "1/4"), (0.375, "3/8"), (0.5, "1/2")):
        x = place(frequency, highest)[0]
        yield Shape(((x, top + PLOT), (x, top + PLOT + 5)), None, "padding-edge", closed=False)
        yield Label(x, top + PLOT + 14, text, SMALL, "faint")
    yield Label(left + wide / 2, top + PLOT + 32, CYCLES, SMALL, "faint")
    for number, (name, colour) in enumerate(LINES.items()):
        for points in _runs(rows, name, place):
            yield Shape(points, None, colour, width=2.5, closed=False)
        x = left + wide - 150 + 80 * number
        yield Shape(((x, top - 18), (x + 18, top - 18)), None, colour, width=2.5, closed=False)
        yield Label(x + 24, top - 18, name, SMALL, "ink", "start")


def _runs(rows: Sequence[Mapping[str, float | None]], name: str, place: Any) -> Iterator[tuple[Point, ...]]:
    """Return the lines through the known points, interrupted at unknown ones."""
    points: list[Point] = []
    for row in (*rows, {name: None, "frequency": 0.0}):
        value = row[name]
        if value is not None:
            points.append(place(row["frequency"], value))
            continue
        if len(points) > 1:
            yield tuple(points)
        points = []


def _box(left: float, top: float, wide: float, high: float) -> tuple[Point, ...]:
    return (left, top), (left + wide, top), (left + wide, top + high), (left, top + high)
