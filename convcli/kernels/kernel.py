"""What a kernel is: weights as plain numbers, and how several of them become one answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from convcli.errors import ArgumentError

Number = int | float
Matrix = tuple[tuple[Number, ...], ...]  # rows of weights, laid out as a grid

Combine = Literal["none", "magnitude"]


@dataclass(frozen=True)
class Kernel:
    """One image kernel, or several of the same shape whose responses are combined.

    matrices : the weights, whole numbers wherever the kernel allows, so that pixels can be summed exactly
    divisor  : what the sum is divided by
    combine  : `none` for one matrix; `magnitude` for the root of the summed squares of all responses
    source   : where the weights come from
    """

    name: str
    matrices: tuple[Matrix, ...]
    divisor: Number = 1
    combine: Combine = "none"
    source: str = ""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return len(self.matrices[0]), len(self.matrices[0][0])

    @property
    def is_smoothing(self) -> bool:
        """Whether the kernel is a weighted mean: one matrix, no weight negative, not all zero."""
        weights = [weight for row in self.matrices[0] for weight in row]
        return self.combine == "none" and min(weights) >= 0 and max(weights) > 0 and self.divisor > 0


def transposed(matrix: Matrix) -> Matrix:
    """Swap rows and columns: from a kernel across to the same kernel down."""
    return tuple(zip(*matrix, strict=True))


def outer(column: Sequence[Number], row: Sequence[Number]) -> Matrix:
    """Multiply a column by a row: a separable kernel from its two factors."""
    return tuple(tuple(down * across for across in row) for down in column)


def check_side(side: int, limit: int) -> int:
    """Return `side` if a kernel may be that large, or raise ArgumentError."""
    if side < 1:
        raise ArgumentError(f"a kernel {side} wide is empty; the size must be at least 1")
    if side > limit:
        raise ArgumentError(
            f"a kernel {side} wide is over the limit of {limit}; raise it with --max-kernel {side}"
        )
    return side
