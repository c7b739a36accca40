"""Layers that select parts of tensors or join tensors along an axis."""

from dataclasses import dataclass
from math import prod
from typing import Any

from convcli.errors import ArgumentError
from convcli.layers.axes import Shape, whole
from convcli.layers.base import ITSELF, Reach, Trace
from convcli.layers.tensor_layer import TensorLayer, axes_of, axis_of, integers, sized


@dataclass(frozen=True, init=False)
class Slice(TensorLayer):
    """Select the positions start, start + step, ... before end along each given axis, as x[start:end:step] in Python.

    Negative numbers count from the end, and numbers beyond either end are clipped to it (ONNX's Slice).

    >>> Slice(starts=(0, 1), ends=(8, 1 << 62), axes=(1, 2), steps=(1, 2)).output_shapes((1, 64, 9, 9))
    ((1, 8, 4, 9),)
    """

    starts: tuple[int, ...]
    ends: tuple[int, ...]
    axes: tuple[int, ...]
    steps: tuple[int, ...]

    def __init__(self, starts: Any, ends: Any, axes: Any, steps: Any = None) -> None:
        axes = integers("axes", axes)
        self._set(
            starts=integers("starts", starts, -(1 << 64)),
            ends=integers("ends", ends, -(1 << 64)),
            axes=axes,
            steps=(1,) * len(axes) if steps is None else integers("steps", steps),
        )
        if not len(self.starts) == len(self.ends) == len(self.axes) == len(self.steps):
            raise ArgumentError(
                "`starts`, `ends` and `steps` of a slice must have one number for each of `axes`"
            )
        if 0 in self.steps:
            raise ArgumentError("the step of a slice cannot be 0")

    def _ranges(self, shape: Shape) -> dict[int, range]:
        axes_of(self.axes, len(shape))  # raises if an axis is given twice
        found = {}
        for axis, start, end, step in zip(self.axes, self.starts, self.ends, self.steps, strict=True):
            place = axis_of(axis, len(shape))
            found[place] = range(*slice(start, end, step).indices(shape[place]))
            if not found[place] and shape[place]:
                raise ArgumentError(
                    f"the output would be empty: {start}:{end}:{step} selects none of the {shape[place]} elements of "
                    f"axis {place}"
                )
        return found

    def output_shapes(self, *shapes: Shape) -> tuple[Shape, ...]:
        """Return the number of selected positions along each axis."""
        ranges = self._ranges(shapes[0])
        return (tuple(len(ranges[axis]) if axis in ranges else n for axis, n in enumerate(shapes[0])),)

    def elements(self, *shapes: Shape) -> int:
        """Count the selected elements, once read and once written."""
        return 2 * prod(self.output_shapes(*shapes)[0])

    def traces(self, output: int, *shapes: Shape) -> tuple[tuple[Trace, ...], ...]:
        """Return every axis, shifted by its start."""
        ranges = self._ranges(shapes[0])
        made = []
        for axis in range(len(shapes[0])):
            taken = ranges.get(axis)
            made.append(Trace(axis, Reach(taken.step, 1, taken.start, taken.start) if taken else ITSELF))
        return (tuple(made),)


@dataclass(frozen=True, init=False)
class Split(TensorLayer):
    """Split an axis into several outputs: of the given `sizes`, or into `parts`, the last of which may be smaller.

    >>> Split(2, axis=1).output_shapes((1, 116, 28, 28))
    ((1, 58, 28, 28), (1, 58, 28, 28))
    """

    parts: int
    sizes: tuple[int, ...] | None
    axis: int

    def __init__(self, parts: int | None = None, *, sizes: Any = None, axis: int = 1) -> None:
        if (parts is None) == (sizes is None):
            raise ArgumentError("split takes either `parts` or `sizes`; give exactly one of them")
        sizes = None if sizes is None else integers("sizes", sizes, 1)
        self._set(
            parts=len(sizes) if sizes else whole("parts", parts, 1),
            sizes=sizes,
            axis=integers("axis", axis)[0],
        )

    def _sizes(self, shape: Shape) -> tuple[int, ...]:
        places = shape[axis_of(self.axis, len(shape))]
        if self.sizes is not None:
            if sum(self.sizes) != places:
                raise ArgumentError(
                    f"the sizes {' + '.join(map(str, self.sizes))} sum to {sum(self.sizes)}, but axis {self.axis} of "
                    f"{sized(shape)} has size {places}"
                )
            return self.sizes
        each = -(-places // self.parts)
        last = places - each * (self.parts - 1)
        if last < 1:
            raise ArgumentError(
                f"axis {self.axis} of {sized(shape)}, of size {places}, cannot be split into {self.parts} parts"
            )
        return (each,) * (self.parts - 1) + (last,)

    def output_shapes(self, *shapes: Shape) -> tuple[Shape, ...]:
        """Return the shape of each part."""
        (given,) = shapes
        along = axis_of(self.axis, len(given))
        return tuple((*given[:along], n, *given[along + 1 :]) for n in self._sizes(given))

    def traces(self, output: int, *shapes: Shape) -> tuple[tuple[Trace, ...], ...]:
        """Return every axis; the split axis is shifted by the start of the part."""
        along = axis_of(self.axis, len(shapes[0]))
        first = sum(self._sizes(shapes[0])[:output])
        part = Reach(1, 1, first, first)
        return (tuple(Trace(axis, part if axis == along else ITSELF) for axis in range(len(shapes[0]))),)


@dataclass(frozen=True, init=False)
class Join(TensorLayer):
    """Concatenate tensors along an axis (ONNX's Concat, PyTorch's cat).

    The layer Concat is the usual case: the channels of each item.
    """

    axis: int

    fewest_inputs = 1
    most_inputs = None

    def __init__(self, axis: int) -> None:
        self._set(axis=integers("axis", axis)[0])

    def output_shapes(self, *shapes: Shape) -> tuple[Shape, ...]:
        """Return the shape, whose size along the axis is the sum of the inputs'."""
        first = shapes[0]
        along = axis_of(self.axis, len(first))
        for shape in shapes:
            if (*shape[:along], *shape[along + 1 :]) != (*first[:along], *first[along + 1 :]) or len(
                shape
            ) != len(first):
                raise ArgumentError(
                    f"the inputs {sized(first)} and {sized(shape)} cannot be joined along axis {self.axis}: the other "
                    "axes must have the same sizes"
                )
        return ((*first[:along], sum(shape[along] for shape in shapes), *first[along + 1 :]),)

    def traces(self, output: int, *shapes: Shape) -> tuple[tuple[Trace, ...], ...]:
        """Return every axis; the joined axis is shifted by the position of the input."""
        along = axis_of(self.axis, len(shapes[0]))
        made, first = [], 0
        for shape in shapes:
            part = Reach(1, 1, -first, -first)
            made.append(tuple(Trace(axis, part if axis == along else ITSELF) for axis in range(len(shape))))
            first += shape[along]
        return tuple(made)


@dataclass(frozen=True, init=False)
class Gather(TensorLayer):
    """Select the positions along an axis that an index tensor gives; which ones depends on the data.

    indices : the shape of the indices if they are constant; otherwise they are the second input
    table : the shape of a learned table to select from, as in an embedding; then the input is the indices
    """

    axis: int
    indices: Shape | None
    table: Shape | None

    def __init__(self, axis: int = 0, *, indices: Any = None, table: Any = None) -> None:
        if indices is not None and table is not None:
            raise ArgumentError(
                "`indices` and `table` of a gather cannot both be stored; give at most one of them"
            )
        self._set(
            axis=integers("axis", axis)[0],
            indices=None if indices is None else integers("indices", indices, 0),
            table=None if table is None else integers("table", table, 1),
        )

    @property
    def fewest_inputs(self) -> int:
        """2 for data and indices, 1 if one of them is stored."""
        return 2 if self.indices is None and self.table is None else 1

    @property
    def most_inputs(self) -> int:
        """The same as fewest_inputs."""
        return self.fewest_inputs

    def _both(self, shapes: tuple[Shape, ...]) -> tuple[Shape, Shape]:
        """Return the shapes of the data and of the indices."""
        if self.table is not None:
            return self.table, shapes[0]
        return shapes[0], shapes[1] if self.indices is None else self.indices

    def output_shapes(self, *shapes: Shape) -> tuple[Shape, ...]:
        """Return the data's shape with the axis replaced by the shape of the indices."""
        data, indices = self._both(shapes)
        along = axis_of(self.axis, len(data))
        return ((*data[:along], *indices, *data[along + 1 :]),)

    def elements(self, *shapes: Shape) -> int:
        """Count the selected elements, once read and once written, and the indices that are inputs."""
        taken = 2 * prod(self.output_shapes(*shapes)[0])
        return taken if self.indices is not None else taken + prod(self._both(shapes)[1])

    def weights(self) -> int:
        """Count the table if it is learned."""
        return 0 if self.table is None else prod(self.table)

    def traces(self, output: int, *shapes: Shape) -> tuple[tuple[Trace, ...], ...]:
        """Return where the other axes of the data go; what is seen along the axis depends on the data."""
        data, indices = self._both(shapes)
        along = axis_of(self.axis, len(data))
        behind = len(indices) - 1
        of_data = tuple(
            Trace(None, None) if axis == along else Trace(axis + (behind if axis > along else 0))
            for axis in range(len(data))
        )
        of_indices = tuple(Trace(along + axis) for axis in range(len(indices)))
        if self.table is not None:
            return (of_indices,)
        return (of_data,) if self.indices is not None else (of_data, of_indices)


@dataclass(frozen=True, init=False)
class Constant(TensorLayer):
    """A stored tensor without an input: learned, such as a position embedding, or constant."""

    shape: Shape
    learned: bool

    fewest_inputs = 0
    most_inputs = 0

    def __init__(self, shape: Any, *, learned: bool = False) -> None:
        self._set(shape=integers("shape", shape, 0), learned=bool(learned))

    def output_shapes(self, *shapes: Shape) -> tuple[Shape, ...]:
        """Return the shape."""
        return (self.shape,)

    def elements(self, *shapes: Shape) -> int:
        """Count nothing: the layers that take the tensor count reading it."""
        return 0

    def weights(self) -> int:
        """Count the elements if they are learned."""
        return prod(self.shape) if self.learned else 0

    def buffers(self) -> int:
        """Count the elements if they are not learned."""
        return 0 if self.learned else prod(self.shape)
