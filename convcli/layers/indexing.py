"""Layers that take elements from places which another tensor names, or write to them; ONNX's names."""

from dataclasses import dataclass
from math import prod

from convcli.errors import ArgumentError, instead_of
from convcli.layers.axes import Shape, whole
from convcli.layers.base import ITSELF, Trace
from convcli.layers.counts import Cost, plain
from convcli.layers.tensor_layer import TensorLayer, axis_of, integers, sized

# What becomes of an element that is written to, with the work for each that is written.
REDUCTIONS = {
    "none": plain(),
    "add": plain(additions=1),
    "mul": plain(multiplications=1),
    "max": plain(comparisons=1),
    "min": plain(comparisons=1),
}


class _Indexed(TensorLayer):
    """What takes data and indices, on which it depends what an output sees."""

    fewest_inputs = most_inputs = 2

    def elements(self, *shapes: Shape) -> int:
        """Count the indices, and what is taken, read and written."""
        return 2 * prod(self.output_shapes(*shapes)[0]) + prod(shapes[1])

    def traces(self, output: int, *shapes: Shape) -> tuple[tuple[Trace, ...], ...]:
        """Return that it depends on the data what is seen."""
        return tuple(tuple(Trace(None, None) for _ in shape) for shape in shapes)


@dataclass(frozen=True, init=False)
class GatherElements(_Indexed):
    """An element for each index, from its own place but for one axis, along which the index says where.

    PyTorch's gather, NumPy's take_along_axis.

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
    """A part of the data for each row of indices, which says a place along the first axes.

    batch : axes that data and indices share

    >>> GatherND().output_shapes((8, 16, 64), (5, 2))
    ((5, 64),)
    """

    batch: int

    def __init__(self, batch: int = 0) -> None:
        self._set(batch=whole("batch", batch, 0))

    def output_shapes(self, *shapes: Shape) -> tuple[Shape, ...]:
        """Return the shape of the rows, and behind it that of a part."""
        data, indices = shapes
        count = _row(data, indices, self.batch)
        if data[: self.batch] != indices[: self.batch]:
            raise ArgumentError(
                f"the first {self.batch} axes of the data {sized(data)} and of the indices {sized(indices)} are not "
                "the same"
            )
        return ((*indices[:-1], *data[self.batch + count :]),)


@dataclass(frozen=True, init=False)
class _Scatter(_Indexed):
    """The data, with other elements written to the places that indices name; each is combined by `reduction`."""

    reduction: str
    fewest_inputs = most_inputs = 3

    def _set_reduction(self, reduction: str) -> None:
        if reduction not in REDUCTIONS:
            raise ArgumentError(f"there is no reduction {reduction!r}; {instead_of(reduction, REDUCTIONS)}")
        self._set(reduction=reduction)

    def work(self, *shapes: Shape) -> Cost:
        """Count the reduction for each element that is written."""
        self.output_shapes(*shapes)
        return REDUCTIONS[self.reduction] * prod(shapes[2])

    def elements(self, *shapes: Shape) -> int:
        """Count the data, read and written, the indices, and what is written to them."""
        return 2 * prod(shapes[0]) + sum(map(prod, shapes[1:]))


@dataclass(frozen=True, init=False)
class ScatterElements(_Scatter):
    """An element is written for each index, to its own place but for one axis (PyTorch's scatter)."""

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
                f"{sized(updates)} are written to the places {sized(indices)}; there must be one for each"
            )
        return (data,)


@dataclass(frozen=True, init=False)
class ScatterND(_Scatter):
    """A part is written for each row of indices, which says a place along the first axes."""

    def __init__(self, *, reduction: str = "none") -> None:
        self._set_reduction(reduction)

    def output_shapes(self, *shapes: Shape) -> tuple[Shape, ...]:
        """Return the shape of the data."""
        data, indices, updates = shapes
        wanted = (*indices[:-1], *data[_row(data, indices, 0) :])
        if updates != wanted:
            raise ArgumentError(f"{sized(updates)} are written where {sized(wanted)} are needed")
        return (data,)


@dataclass(frozen=True, init=False)
class TopK(TensorLayer):
    """The k largest or smallest elements along an axis, in order, and their places there.

    Counted as sorting by insertion into what is sorted already, each place found by halving (Knuth, "The Art of
    Computer Programming", vol. 3, 5.3.1, equation 3): at most n * ceil(log2 n) - 2^ceil(log2 n) + 1 comparisons of n
    elements.

    >>> TopK(300, axis=1).output_shapes((1, 8400))
    ((1, 300), (1, 300))
    """

    count: int
    axis: int
    largest: bool

    def __init__(self, count: int, *, axis: int = -1, largest: bool = True) -> None:
        self._set(count=whole("count", count, 0), axis=integers("axis", axis)[0], largest=bool(largest))

    def output_shapes(self, *shapes: Shape) -> tuple[Shape, ...]:
        """Return count along the axis, twice: of the elements, and of their places."""
        (given,) = shapes
        along = axis_of(self.axis, len(given))
        if self.count > given[along]:
            raise ArgumentError(
                f"{self.count} elements are asked for, and the axis {self.axis} of {sized(given)} has {given[along]}"
            )
        made = (*given[:along], self.count, *given[along + 1 :])
        return made, made

    def work(self, *shapes: Shape) -> Cost:
        """Count the comparisons of each row."""
        count = shapes[0][axis_of(self.axis, len(shapes[0]))]
        halvings = max(0, count - 1).bit_length()
        rows = prod(shapes[0]) // max(1, count)
        return plain(comparisons=max(0, count * halvings - (1 << halvings) + 1)) * rows

    def traces(self, output: int, *shapes: Shape) -> tuple[tuple[Trace, ...], ...]:
        """Return every axis where it was; the one that is sorted is seen as a whole."""
        along = axis_of(self.axis, len(shapes[0]))
        return (tuple(Trace(axis, "whole" if axis == along else ITSELF) for axis in range(len(shapes[0]))),)


@dataclass(frozen=True, init=False)
class OneHot(TensorLayer):
    """One of two values at each of `depth` places of a new axis: the second one where the index says."""

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
    """Refuse indices that lie outside the data along another axis than their own."""
    along = axis_of(axis, len(data))
    if len(data) != len(indices) or any(
        n > m for place, (n, m) in enumerate(zip(indices, data, strict=True)) if place != along
    ):
        raise ArgumentError(
            f"the indices {sized(indices)} do not lie within the data {sized(data)} along the axes other than {axis}"
        )


def _row(data: Shape, indices: Shape, batch: int) -> int:
    """Return how many axes of the data a row of indices says a place along."""
    if len(indices) <= batch or batch >= max(1, len(data)):
        raise ArgumentError(
            f"the indices {sized(indices)} and the data {sized(data)} do not have more than {batch} axes"
        )
    count = indices[-1]
    if not 1 <= count <= len(data) - batch:
        raise ArgumentError(
            f"a row of {count} indices says no place of the data {sized(data)} behind its first {batch} axes"
        )
    return count
