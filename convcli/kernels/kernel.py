"""The record `Kernel`: weights as plain numbers, and how several responses are combined into one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod
from sys import float_info
from typing import Literal, TypeAlias, TypeGuard

from convcli.errors import ArgumentError, cut

Number = int | float
PerSide = int | tuple[int, ...]  # one number for all axes, or one per axis
PerAxis = float | tuple[float, ...]
Line = tuple[Number, ...]
Grid = tuple[Line, ...]  # rows of weights
Matrix: TypeAlias = "Line | tuple[Matrix, ...]"  # nested as deep as the kernel has axes

Combine = Literal["none", "magnitude", "largest", "thresholded"]

MAX_AXES = 3
MAX_SIDE, MAX_WEIGHTS = (1 << 16) - 1, 1 << 22  # of one matrix, regardless of the limit given by the caller


@dataclass(frozen=True)
class Kernel:
    """An image kernel, or several of the same shape whose responses are combined.

    matrices : the weights as nested tuples with 1 to 3 axes, integers where possible, so that pixels can be summed
        exactly
    divisor  : the sum is divided by this number
    combine  : `none` for one matrix; `magnitude` for the root of the sum of the squared responses; `largest` for the
        largest response; `thresholded` for the first response plus the second where its magnitude exceeds the
        threshold
    offset   : added after the division, in units of pixel values
    anchor   : index of the tap that lies on the pixel, one number per axis; None for the middle, as for padding `same`
    source   : the publication or library that the weights come from
    threshold : for `thresholded`, in 8-bit levels: white is 255, regardless of the bit depth
    gain : for `thresholded`, the second response, after the division, is compared with gain * threshold
    """

    name: str
    matrices: tuple[Matrix, ...]
    divisor: Number = 1
    combine: Combine = "none"
    source: str = ""
    offset: Number = 0
    anchor: tuple[int, ...] | None = None
    threshold: Number = 0
    gain: Number = 1

    def __post_init__(self) -> None:
        """Validate the fields; raise ArgumentError if they do not make a kernel."""
        shapes = [shape_of(matrix) for matrix in self.matrices]
        if not shapes or any(shape != shapes[0] for shape in shapes) or not 1 <= len(shapes[0]) <= MAX_AXES:
            raise ArgumentError(
                f"kernel {self.name!r} has matrices of {', '.join(map(by_axes, shapes)) or 'no shape'}; "
                f"give one or more of the same shape, with 1 to {MAX_AXES} axes"
            )
        if len(shapes) > 1 and self.combine == "none":
            raise ArgumentError(
                f"kernel {self.name!r} has {len(shapes)} matrices; set combine to 'magnitude' or 'largest'"
            )
        if not is_finite(self.divisor) or not self.divisor:
            raise ArgumentError(
                f"kernel {self.name!r} has the divisor {self.divisor}; a divisor must be finite and not 0"
            )
        if not is_finite(self.offset):
            raise ArgumentError(f"kernel {self.name!r}: the offset must be finite, got {self.offset}")
        if (self.combine == "thresholded") != bool(self.threshold) or (self.threshold and len(shapes) != 2):
            raise ArgumentError(
                f"kernel {self.name!r} has the threshold {self.threshold} and {len(shapes)} matrices; a kernel that is "
                "'thresholded' needs a threshold and two matrices"
            )
        if not is_finite(self.threshold) or self.threshold < 0:
            raise ArgumentError(
                f"kernel {self.name!r}: the threshold must be finite and at least 0, got {self.threshold}"
            )
        self._check_anchor()

    def check_linear(self, user: str) -> None:
        """Raise ArgumentError if the kernel has a threshold; `user` is what needs a linear kernel."""
        if self.threshold:
            raise ArgumentError(
                f"kernel {self.name!r} has a threshold, so it is not linear, but {user} needs a linear kernel; leave "
                "out the threshold"
            )

    def _check_anchor(self) -> None:
        if self.anchor is None:
            return
        if len(self.anchor) != self.dims:
            raise ArgumentError(
                f"anchor {by_axes(self.anchor)} has {len(self.anchor)} numbers but kernel {self.name!r} has "
                f"{self.dims} axes; give one number per axis"
            )
        if not all(0 <= place < side for place, side in zip(self.anchor, self.shape, strict=True)):
            raise ArgumentError(
                f"anchor {by_axes(self.anchor)} lies outside kernel {self.name!r} of {by_axes(self.shape)}; "
                f"it must be between 0 and {by_axes([side - 1 for side in self.shape])}"
            )

    @property
    def shape(self) -> tuple[int, ...]:
        """The number of taps on each axis: (rows, columns) for an image kernel."""
        return _extents(self.matrices[0])

    @property
    def dims(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def weights(self) -> Matrix:
        """The weights in the kernel's own shape; several matrices are stacked.

        >>> Kernel("cross", (((0, 1), (1, 0)),)).weights
        ((0, 1), (1, 0))
        """
        return self.matrices[0] if len(self.matrices) == 1 else self.matrices

    @property
    def flat_weights(self) -> list[Number]:
        """The weights of all matrices in reading order."""
        return [weight for matrix in self.matrices for weight in flat(matrix)]

    @property
    def is_whole(self) -> bool:
        """Whether every weight is an integer."""
        return all(isinstance(weight, int) for weight in self.flat_weights)

    @property
    def is_smoothing(self) -> bool:
        """Whether the kernel is a weighted mean plus an offset: one matrix, no negative weights, not all zero."""
        weights = self.flat_weights
        return self.combine == "none" and min(weights) >= 0 and max(weights) > 0 and self.divisor > 0


def is_finite(number: Number) -> bool:
    """Return whether a number is finite as a float; an integer of 400 digits is not."""
    return abs(number) <= float_info.max


def is_line(matrix: Matrix) -> TypeGuard[Line]:
    """Return whether a matrix has one axis."""
    return not isinstance(matrix[0], tuple)


def flat(matrix: Matrix) -> Iterator[Number]:
    """Return the weights of a matrix in reading order."""
    if is_line(matrix):
        yield from matrix
        return
    for part in matrix:
        assert isinstance(part, tuple)
        yield from flat(part)


def shape_of(matrix: Matrix) -> tuple[int, ...]:
    """Return the length of each axis; raise ArgumentError if a matrix is empty or ragged."""
    if not isinstance(matrix, tuple) or not matrix:
        raise ArgumentError(
            f"a kernel's matrix must be a non-empty tuple of weights, got {cut(repr(matrix))}"
        )
    deeper = [part for part in matrix if isinstance(part, tuple)]
    inner = {shape_of(part) for part in deeper}
    if len(inner) > 1 or (deeper and len(deeper) < len(matrix)):
        raise ArgumentError(
            "a kernel's matrix is ragged: its rows differ in length; make them the same length"
        )
    return (len(matrix), *(inner.pop() if inner else ()))


def _extents(matrix: Matrix) -> tuple[int, ...]:
    """Return the shape of a matrix that is known not to be ragged."""
    sides = [len(matrix)]
    while isinstance(matrix[0], tuple):
        matrix = matrix[0]
        sides.append(len(matrix))
    return tuple(sides)


def per_axis(kernel: str, name: str, value: PerAxis, dims: int) -> tuple[float, ...]:
    """Return an argument for each of `dims` axes; raise ArgumentError if it has another number of values.

    >>> per_axis("box", "size", 3, 2), per_axis("box", "size", (3, 5), 2)
    ((3, 3), (3, 5))
    """
    if not isinstance(value, tuple):
        return (value,) * dims
    if len(value) != dims:
        axes = "1 axis" if dims == 1 else f"{dims} axes"
        numbers = "x".join(f"{each:g}" for each in value)
        raise ArgumentError(
            f"{kernel}: {name} {numbers} has {len(value)} numbers for {axes}; give one number per axis"
        )
    return value


def by_axes(numbers: Sequence[int]) -> str:
    """Format one number per axis: 3x5."""
    return "x".join(map(str, numbers))


def transposed(matrix: Grid) -> Grid:
    """Swap rows and columns: make a vertical kernel of a horizontal one."""
    return tuple(zip(*matrix, strict=True))


def outer(*factors: Sequence[Number]) -> Matrix:
    """Return the outer product of one factor per axis: a separable kernel.

    >>> outer((1, 2), (1, 0, -1))
    ((1, 0, -1), (2, 0, -2))
    """
    check_sides(*map(len, factors))
    matrix: Matrix = tuple(factors[-1])
    for factor in reversed(factors[:-1]):
        matrix = tuple(mapped(matrix, weight) for weight in factor)
    return matrix


def mapped(matrix: Matrix, factor: Number) -> Matrix:
    """Multiply every weight by a factor."""
    if is_line(matrix):
        return tuple(weight * factor for weight in matrix)
    return tuple(mapped(part, factor) for part in matrix if isinstance(part, tuple))


def nested(weights: Sequence[Number], shape: Sequence[int]) -> Matrix:
    """Return weights in reading order as a matrix of the given shape.

    >>> nested(range(6), (2, 3))
    ((0, 1, 2), (3, 4, 5))
    """
    if len(shape) == 1:
        return tuple(weights)
    step = len(weights) // shape[0]
    return tuple(nested(weights[i * step : (i + 1) * step], shape[1:]) for i in range(shape[0]))


def check_side(side: int, limit: int, dims: int = 1) -> int:
    """Return `side` if a kernel may have that many taps on each of `dims` axes, or raise ArgumentError."""
    if side < 1:
        raise ArgumentError(f"a kernel of size {side} is empty; the size must be at least 1")
    if side > limit:
        raise ArgumentError(
            f"a kernel of size {side} is over the limit of {limit}; raise it with `max_kernel={side}`"
        )
    check_sides(*[side] * dims)
    return side


def check_sides(*sides: int) -> None:
    """Raise ArgumentError if a matrix is too large for any kernel, regardless of the caller's limit."""
    if max(sides) > MAX_SIDE or prod(sides) > MAX_WEIGHTS:
        raise ArgumentError(
            f"a kernel of {by_axes(sides)} is too large: the limits are {MAX_SIDE:,} weights on a side and "
            f"{MAX_WEIGHTS:,} in total; use a smaller kernel, or several in a chain"
        )
