"""The picture that explains one output sample of a filter: the window, the kernel, the products, and their sum."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from textwrap import wrap
from typing import TYPE_CHECKING

from convcli import __version__
from convcli.drawing.explained_lines import (
    after_lines,
    explained_text,
    has_padding,
    left_out,
    part_name,
    place_line,
    shown_channels,
    word,
)
from convcli.drawing.forms import Drawing
from convcli.drawing.scene import Bitmap, Label, Mark, Scene, Shape, sign_colours

if TYPE_CHECKING:
    from convcli.analysis.explained_sample import Explained, ExplainedPlace, Number, Products, Rows

MARGIN, GAP, LEADING = 26.0, 40.0, 22.0
HIGH, NARROWEST = 30.0, 36.0  # height and smallest width of a cell with a number
SMALL = 9.0  # side of a cell without a number
MAX_NUMBERED = 11  # with more rows or columns, numbers are not written
TEXT, FAINT, NUMBER = 15.0, 12.5, 13.0
LETTER = 0.56  # width of a digit, relative to the font size
WIDEST = 90  # characters per line


def explained_drawing(found: ExplainedPlace) -> Drawing:
    """Return the drawing that explains one output sample."""
    return Drawing(
        steps=0,
        text=lambda width, _: explained_text(found),
        record=lambda: {"command": "filter", "version": __version__, **asdict(found)},
        scenes=lambda: [_scene(found)],
    )


def _scene(found: ExplainedPlace) -> Scene:
    place, _, seen = place_line(found).partition(": ")
    marks: list[Mark] = [
        Label(MARGIN, MARGIN, place, TEXT, "ink", "start"),
        Label(MARGIN, MARGIN + LEADING, seen, FAINT, "faint", "start"),
    ]
    y, right = MARGIN + 2 * LEADING, 420.0
    if has_padding(found):
        legend = f"dashed: padding, {found.padding_mode}"
        marks.append(Label(MARGIN, y, legend, FAINT, "faint", "start"))
        y += LEADING
    channels = shown_channels(found)
    y += 14
    for channel in channels:
        several = len(channel.parts) > 1 or len(found.channels) > 1
        for part in channel.parts:
            drawn, bottom, wide = _part(part, part_name(channel, part) if several else "", y)
            marks += drawn
            y, right = bottom + 20, max(right, wide)
        drawn, y, wide = _steps(channel, y, several=several)
        marks += drawn
        y, right = y + 26, max(right, wide)
    if len(channels) < len(found.channels):
        marks.append(Label(MARGIN, y - 8, left_out(found, channels), FAINT, "faint", "start"))
        y += LEADING
    return Scene(
        right + MARGIN,
        y,
        tuple(marks),
        descriptions=tuple(explained_text(found).splitlines()),
        title=f"where output {found.row},{found.column} comes from",
    )


def _part(part: Products, name: str, top: float) -> tuple[list[Mark], float, float]:
    """Draw a window times a kernel, the products and their sum; return the marks, the bottom and the right edge."""
    marks: list[Mark] = []
    if name:
        marks.append(Label(MARGIN, top, name, TEXT, "ink", "start"))
        top += LEADING
    rows, columns = len(part.kernel), len(part.kernel[0])
    numbered = max(rows, columns) <= MAX_NUMBERED
    high = HIGH if numbered else SMALL
    above = top + 18
    middle = above + rows * high / 2
    grids = (("window", part.window), ("kernel", part.kernel), ("products", part.products))
    left = MARGIN
    for number, (title, grid) in enumerate(grids):
        if number:
            marks.append(Label(left + GAP / 2, middle, "*" if number == 1 else "=", 20, "ink"))
            left += GAP
        marks.append(Label(left, top, title, FAINT, "faint", "start"))
        wide = _wide(grid) if numbered else SMALL
        padded, signed = part.padded if title == "window" else None, title != "window"
        if numbered:
            marks += _grid(grid, left, above, wide, high, padded, signed=signed)
        else:
            marks += _picture(grid, left, above, signed=signed)
        left += columns * wide
    text = f"sum {word(part.sum)}"
    marks.append(Label(left + 16, middle, text, TEXT, "ink", "start"))
    return marks, above + rows * high, left + 16 + len(text) * TEXT * LETTER


def _short(number: Number) -> str:
    """Format a number for a cell: integers in full, others to 4 significant digits."""
    return word(number) if isinstance(number, int) else f"{number:.4g}"


def _wide(grid: Rows) -> float:
    """Return the width of cells that hold these numbers."""
    return max(NARROWEST, max(len(_short(number)) for row in grid for number in row) * NUMBER * LETTER + 10)


def _grid(
    grid: Rows,
    left: float,
    top: float,
    wide: float,
    high: float,
    padded: Sequence[Sequence[bool]] | None,
    *,
    signed: bool,
) -> Iterator[Mark]:
    """Draw numbers in cells: kernels and products in colours of their signs, windows as samples."""
    largest = max((abs(number) for row in grid for number in row), default=0)
    for y, row in enumerate(grid):
        for x, number in enumerate(row):
            outside = padded is not None and padded[y][x]
            kind = "padding" if outside else "input"
            fill, edge, ink = kind, f"{kind}-edge", f"{kind}-ink"
            if signed:
                (fill, ink), edge = sign_colours(number, largest), "padding-edge"
            yield Shape(_box(left + x * wide, top + y * high, wide, high), fill, edge, dashed=outside)
            yield Label(left + (x + 0.5) * wide, top + (y + 0.5) * high, _short(number), NUMBER, ink)


def _picture(grid: Rows, left: float, top: float, *, signed: bool) -> Iterator[Mark]:
    """Draw numbers as colours if there are too many: by sign, or from black (0) to white (the largest)."""
    import numpy as np

    from convcli.images.signs import signed_colours

    shares = np.array(grid, float)
    shares /= float(np.abs(shares).max()) or 1.0
    grey = np.rint(shares.clip(0, 1) * 255).astype(np.uint8)
    colours = (
        signed_colours(shares) if signed or shares.min() < 0 else grey[..., np.newaxis].repeat(3, axis=2)
    )
    high, wide = (n * SMALL for n in shares.shape)
    yield Bitmap(left, top, wide, high, colours)
    yield Shape(_box(left, top, wide, high), None, "padding-edge")


def _steps(channel: Explained, top: float, *, several: bool) -> tuple[list[Mark], float, float]:
    """Draw the steps from the sums to the sample, which comes last in a frame."""
    marks: list[Mark] = []
    right = 0.0
    if several:
        marks.append(Label(MARGIN, top, f"output channel {channel.channel}", TEXT, "ink", "start"))
        top += LEADING
    *before, last = after_lines(channel)
    for line in (part for text in before for part in wrap(text, WIDEST)):
        marks.append(Label(MARGIN, top, line, TEXT, "ink", "start"))
        right = max(right, MARGIN + len(line) * TEXT * LETTER)
        top += LEADING
    wide = len(last) * TEXT * LETTER + 20
    marks.append(Shape(_box(MARGIN, top - 6, wide, 28), "current", "current-edge"))
    marks.append(Label(MARGIN + wide / 2, top + 8, last, TEXT, "current-ink"))
    return marks, top + 28, max(right, MARGIN + wide)


def _box(left: float, top: float, wide: float, high: float) -> tuple[tuple[float, float], ...]:
    return (left, top), (left + wide, top), (left + wide, top + high), (left, top + high)
