"""Formatting of rows and grids of numbers for printing."""

from collections.abc import Sequence

from convcli.kernels.kernel import Line, Number


def aligned(grid: Sequence[Line]) -> list[str]:
    """Return rows of numbers as lines with aligned columns."""
    cells = [[_short(weight) for weight in row] for row in grid]
    width = max(len(cell) for row in cells for cell in row)
    return ["  ".join(cell.rjust(width) for cell in row) for row in cells]


def vector(factor: Line) -> str:
    """Return a row of numbers in parentheses."""
    return f"({', '.join(map(_short, factor))})"


def _short(weight: Number) -> str:
    return str(weight) if isinstance(weight, int) else f"{weight:.4g}"
