"""Layers that read from or write to positions given by an index tensor; named as in ONNX."""

from dataclasses import dataclass
from math import prod

from convcli.errors import ArgumentError, instead_of
from convcli.layers.axes import Shape, whole
from convcli.layers.base import ITSELF, Trace
from convcli.layers.counts import Cost, plain
from convcli.layers.tensor_layer import TensorLayer, axis_of, integers, sized

# How a written element is combined with the one that is there, with the work per written element.
REDUCTIONS = {
    "none": plain(),
    "add": plain(additions=1),
    "mul": plain(multiplications=1),
    "max": plain(comparisons=1),
    "min": plain(comparisons=1),
}


class _Indexed(TensorLayer):
    """The base of layers that take data and indices; what an output sees depends on the data."""

    fewest_inputs = most_inputs = 2

    def elements(self, *shapes: Shape) -> int:
        """Count the indices, and twice the elements taken: once read, once written."""
        return 2 * prod(self.output_shapes(*shapes)[0]) + prod(shapes[1])

    def traces(self, output: int, *shapes: Shape) -> tuple[tuple[Trace, ...], ...]:
        """Return None for every axis: what an output sees depends on the data."""
        return tuple(tuple(Trace(None, None) for _ in shape) for shape in shapes)


@dataclass(frozen=True, init=False)
class GatherElements(_Indexed):
    """Take one element per index: the index gives the position along one axis, the other coordinates stay the same.

    The same as PyTorch's gather and NumPy's take_along_axis.

    >>> GatherElements(1).output_shapes((1, 8400, 4), (1, 300, 4))
    ((1, 300, 4),)
    """

    axis: int

    def __init__(self, axis: int = 0) -> None:
        self._set(axis=integers("axis", axis)[0])

    def output_shapes(self, *shapes: Shape) -> tuple[Shape, ...]:
        """Return the shape of the indices."""
        _check_places(self.axis, *shapes)
        return (shapes[1],)


@dataclass(frozen=True, init=False)
class GatherND(_Indexed):
    """Take one slice of the data per row of indices; a row gives a position along the first axes.

    batch : the number of leading axes that data and indices share

    >>> GatherND().output_shapes((8, 16, 64), (5, 2))
    ((5, 64),)
    """

    batch: int

    def __init__(self, batch: int = 0) -> None:
        self._set(batch=whole("batch", batch, 0))

    def output_shapes(self, *shapes: Shape) -> tuple[Shape, ...]:
        """Return the shape of the indices without their last axis, followed by the shape of a slice."""
        data, indices = shapes
        count = _row(data, indices, self.batch)
        if data[: self.batch] != indices[: self.batch]:
            raise ArgumentError(
                f"the first {self.batch} axes of the data {sized(data)} and of the indices {sized(indices)} must be "
                "the same"
            )
        return ((*indices[:-1], *data[self.batch + count :]),)


@dataclass(frozen=True, init=False)
class _Scatter(_Indexed):
    """The base of layers that write updates to the positions that indices name, combined by `reduction`."""

    reduction: str
    fewest_inputs = most_inputs = 3

    def _set_reduction(self, reduction: str) -> None:
        if reduction not in REDUCTIONS:
            raise ArgumentError(f"there is no reduction {reduction!r}; {instead_of(reduction, REDUCTIONS)}")
        self._set(reduction=reduction)

    def work(self, *shapes: Shape) -> Cost:
        """Count the reduction once per written element."""
        self.output_shapes(*shapes)
        return REDUCTIONS[self.reduction] * prod(shapes[2])

    def elements(self, *shapes: Shape) -> int:
        """Count the data twice (read and written), the indices and the updates."""
        return 2 * prod(shapes[0]) + sum(map(prod, shapes[1:]))


@dataclass(frozen=True, init=False)
class ScatterElements(_Scatter):
    """Write one element per index, which gives the position along one axis (PyTorch's scatter)."""

    axis: int

    def __init__(self, axis: int = 0, *, reduction: str = "none") -> None:
        self._set_reduction(reduction)
        self._set(axis=integers("axis", axis)[0])

    def output_shapes(self, *shapes: Shape) -> tuple[Shape, ...]:
        """Return the shape of the data."""
        data, indices, updates = shapes
        _check_places(self.axis, data, indices)
        if indices != updates:
            raise ArgumentError(
                f"the updates {sized(updates)} must have the shape of the indices {sized(indices)}: one per index"
            )
        return (data,)


@dataclass(frozen=True, init=False)
class ScatterND(_Scatter):
    """Write one slice per row of indices; a row gives a position along the first axes."""

    def __init__(self, *, reduction: str = "none") -> None:
        self._set_reduction(reduction)

    def output_shapes(self, *shapes: Shape) -> tuple[Shape, ...]:
        """Return the shape of the data."""
        data, indices, updates = shapes
        wanted = (*indices[:-1], *data[_row(data, indices, 0) :])
        if updates != wanted:
            raise ArgumentError(f"the updates {sized(updates)} must have the shape {sized(wanted)}")
        return (data,)


@dataclass(frozen=True, init=False)
class TopK(TensorLayer):
    """The k largest or smallest elements along an axis, in order, and their positions.

    Counted as binary insertion sort (Knuth, "The Art of Computer Programming", vol. 3, section 5.3.1, equation 3):
    at most n * ceil(log2 n) - 2^ceil(log2 n) + 1 comparisons for n elements.

    >>> TopK(300, axis=1).output_shapes((1, 8400))
    ((1, 300), (1, 300))
    """

    count: int
    axis: int
    largest: bool

    def __init__(self, count: int, *, axis: int = -1, largest: bool = True) -> None:
        self._set(count=whole("count", count, 0), axis=integers("axis", axis)[0], largest=bool(largest))

    def output_shapes(self, *shapes: Shape) -> tuple[Shape, ...]:
        """Return the shape with `count` along the axis, twice: for the elements and for their positions."""
        (given,) = shapes
        along = axis_of(self.axis, len(given))
        if self.count > given[along]:
            raise ArgumentError(
                f"count {self.count} is larger than the size {given[along]} of axis {self.axis} of {sized(given)}"
            )
        made = (*given[:along], self.count, *given[along + 1 :])
        return made, made

    def work(self, *shapes: Shape) -> Cost:
        """Count the comparisons of sorting each row."""
        count = shapes[0][axis_of(self.axis, len(shapes[0]))]
        halvings = max(0, count - 1).bit_length()
        rows = prod(shapes[0]) // max(1, count)
        return plain(comparisons=max(0, count * halvings - (1 << halvings) + 1)) * rows

    def traces(self, output: int, *shapes: Shape) -> tuple[tuple[Trace, ...], ...]:
        """Return every axis unchanged; each output sees the whole sorted axis."""
        along = axis_of(self.axis, len(shapes[0]))
        return (tuple(Trace(axis, "whole" if axis == along else ITSELF) for axis in range(len(shapes[0]))),)


@dataclass(frozen=True, init=False)
class OneHot(TensorLayer):
    """One-hot encoding: a new axis of `depth` elements, with one value at the index and another elsewhere."""

    depth: int
    axis: int

    def __init__(self, depth: int, *, axis: int = -1) -> None:
        self._set(depth=whole("depth", depth, 1), axis=integers("axis", axis)[0])

    def output_shapes(self, *shapes: Shape) -> tuple[Shape, ...]:
        """Return the shape of the indices with the new axis."""
        (given,) = shapes
        along = axis_of(self.axis, len(given) + 1)
        return ((*given[:along], self.depth, *given[along:]),)

    def traces(self, output: int, *shapes: Shape) -> tuple[tuple[Trace, ...], ...]:
        """Return where each axis goes."""
        along = axis_of(self.axis, len(shapes[0]) + 1)
        return (tuple(Trace(axis + (axis >= along)) for axis in range(len(shapes[0]))),)


def _check_places(axis: int, data: Shape, indices: Shape) -> None:
    """Raise ArgumentError if the indices exceed the data along any axis but `axis`."""
    along = axis_of(axis, len(data))
    if len(data) != len(indices) or any(
        n > m for place, (n, m) in enumerate(zip(indices, data, strict=True)) if place != along
    ):
        raise ArgumentError(
            f"the indices {sized(indices)} must not be larger than the data {sized(data)} on any axis but {axis}"
        )


def _row(data: Shape, indices: Shape, batch: int) -> int:
    """Return the number of axes of the data that a row of indices addresses."""
    if len(indices) <= batch or batch >= max(1, len(data)):
        raise ArgumentError(
            f"the indices {sized(indices)} and the data {sized(data)} must have more than the {batch} batch axes"
        )
    count = indices[-1]
    if not 1 <= count <= len(data) - batch:
        raise ArgumentError(
            f"a row of {count} indices must address 1 to {len(data) - batch} axes of the data {sized(data)} "
            f"after its {batch} batch axes"
        )
    return count
