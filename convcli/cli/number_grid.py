"""Numbers laid out for reading: rows below each other."""

from collections.abc import Sequence

from convcli.kernels.kernel import Line, Number


def aligned(grid: Sequence[Line]) -> list[str]:
    """Write rows of numbers below each other."""
    cells = [[_short(weight) for weight in row] for row in grid]
    width = max(len(cell) for row in cells for cell in row)
    return ["  ".join(cell.rjust(width) for cell in row) for row in cells]


def vector(factor: Line) -> str:
    """Write a row of numbers between brackets."""
    return f"({', '.join(map(_short, factor))})"


def _short(weight: Number) -> str:
    return str(weight) if isinstance(weight, int) else f"{weight:.4g}"
