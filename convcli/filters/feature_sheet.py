"""Feature maps side by side in one picture, each in its own contrast."""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

MOST = 256  # maps that are drawn
SIDE = 48  # pixels that a map is high or wide at least, where it is smaller
GAP, PAPER = 2, 255
WIDE = 1.5  # how many times as wide as high a sheet is, about


def sheet_plan(maps: int, height: int, width: int) -> tuple[int, int, int, int]:
    """Return how many maps are drawn, how many times as large, and the rows and columns that they stand in."""
    count = min(maps, MOST)
    times = max(1, -(-SIDE // max(height, width)))
    ratio = (width * times + GAP) / (height * times + GAP)

    def misfit(columns: int) -> float:
        """Return how far a sheet is from WIDE times as wide as high; empty places count against it."""
        rows = -(-count // columns)
        return abs(log(ratio * columns / rows / WIDE)) + (rows * columns - count) / columns

    columns = min(range(1, count + 1), key=misfit)
    return count, times, -(-count // columns), columns


def sheet_of_maps(maps: int, height: int, width: int) -> tuple[int, int]:
    """Return the height and the width of the sheet."""
    _, times, rows, columns = sheet_plan(maps, height, width)
    return rows * (height * times + GAP) + GAP, columns * (width * times + GAP) + GAP


def draw_maps(maps: Array) -> Array:
    """Draw maps (C, H, W), each from its least value, black, to its largest, white: uint8, (height, width)."""
    import numpy as np

    count, times, _, columns = sheet_plan(*maps.shape)
    sheet = np.full(sheet_of_maps(*maps.shape), PAPER, np.uint8)
    high, wide = maps.shape[1] * times, maps.shape[2] * times
    for number in range(count):
        row, column = divmod(number, columns)
        top, left = GAP + row * (high + GAP), GAP + column * (wide + GAP)
        drawn = _in_contrast(maps[number]).repeat(times, axis=0).repeat(times, axis=1)
        sheet[top : top + high, left : left + wide] = drawn
    return sheet


def _in_contrast(values: Array) -> Array:
    """Stretch values to 0 to 255; flat ones are black, and what is no number is, too."""
    import numpy as np

    finite = np.nan_to_num(values.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    low, high = finite.min(), finite.max()
    share = (finite - low) / (high - low) if high > low else np.zeros_like(finite)
    drawn: Array = np.rint(share * 255).astype(np.uint8)
    return drawn
