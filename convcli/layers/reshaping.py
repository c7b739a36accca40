"""Layers that change the shape of a tensor or repeat its elements."""

from dataclasses import dataclass
from math import prod
from typing import Any

from convcli.errors import ArgumentError
from convcli.layers.axes import Shape, by_axes
from convcli.layers.base import ITSELF, Reach, Trace
from convcli.layers.tensor_layer import TensorLayer, axes_of, axis_of, broadcast, integers, sized


def reshape_traces(shape: Shape, made: Shape) -> tuple[Trace, ...]:
    """Return where the axes of a tensor go when its elements, in order, get another shape.

    Axes that are the same in both shapes stay; axes that are joined are flat in the axis that holds them; along an axis
    that is split it is undefined what an output sees.
    """
    traces = [Trace(None)] * len(shape)
    for before, after in _same_elements(shape, made):
        group = [axis for axis in before if shape[axis] > 1]
        targets = [axis for axis in after if made[axis] > 1]
        for axis in group:
            if len(targets) == 1:
                traces[axis] = Trace(targets[0], flat=len(group) > 1)
            else:
                traces[axis] = Trace(None, None)
    return tuple(traces)


def _same_elements(shape: Shape, made: Shape) -> list[tuple[range, range]]:
    """Return the smallest groups of axes of both shapes, from the left, that hold the same elements."""
    groups: list[tuple[range, range]] = []
    if 0 in (*shape, *made):
        return groups
    a = b = 0
    while a < len(shape) or b < len(made):
        first, second = a, b
        left, right = prod(shape[a : a + 1]), prod(made[b : b + 1])
        a, b = min(a + 1, len(shape)), min(b + 1, len(made))
        while left != right:
            if left < right:
                left, a = left * shape[a], a + 1
            else:
                right, b = right * made[b], b + 1
        groups.append((range(first, a), range(second, b)))
    return groups


@dataclass(frozen=True, init=False)
class Reshape(TensorLayer):
    """The same elements in another shape; 0 keeps the size of an axis, -1 is inferred from the rest (ONNX's Reshape).

    >>> Reshape((0, -1, 49)).output_shapes((8, 512, 7, 7))
    ((8, 512, 49),)
    """

    shape: tuple[int, ...]

    def __init__(self, shape: Any) -> None:
        self._set(shape=integers("shape", shape, -1))
        if self.shape.count(-1) > 1:
            raise ArgumentError(
                f"only one axis of the shape {by_axes(self.shape)} can be -1, the inferred size"
            )

    def output_shapes(self, *shapes: Shape) -> tuple[Shape, ...]:
        """Return the new shape, which holds the same number of elements."""
        (given,) = shapes
        if any(n == 0 and axis >= len(given) for axis, n in enumerate(self.shape)):
            raise ArgumentError(
                f"a 0 in the shape {by_axes(self.shape)} keeps an axis that the input {sized(given)} does not have"
            )
        made = [given[axis] if n == 0 else n for axis, n in enumerate(self.shape)]
        if -1 in made:
            place = made.index(-1)
            others = prod(n for n in made if n != -1)
            made[place] = prod(given) // others if others else 0
        if prod(made) != prod(given):
            raise ArgumentError(
                f"the {prod(given):,} elements of {sized(given)} cannot be reshaped to {by_axes(self.shape)}"
            )
        return (tuple(made),)

    def traces(self, output: int, *shapes: Shape) -> tuple[tuple[Trace, ...], ...]:
        """Return the axes that stay and the axes that are joined."""
        return (reshape_traces(shapes[0], self.output_shapes(*shapes)[0]),)


@dataclass(frozen=True, init=False)
class Transpose(TensorLayer):
    """Permute the axes: axis i of the output is axis `axes[i]` of the input.

    >>> Transpose((0, 2, 3, 1)).output_shapes((8, 3, 224, 200))
    ((8, 224, 200, 3),)
    """

    axes: tuple[int, ...]

    def __init__(self, axes: Any) -> None:
        self._set(axes=integers("axes", axes, 0))
        if sorted(self.axes) != list(range(len(self.axes))):
            raise ArgumentError(
                f"the axes {', '.join(map(str, self.axes))} must be a permutation of 0 to {len(self.axes) - 1}"
            )

    def output_shapes(self, *shapes: Shape) -> tuple[Shape, ...]:
        """Return the permuted sizes."""
        (given,) = shapes
        if len(given) != len(self.axes):
            raise ArgumentError(
                f"a permutation of {len(self.axes)} axes does not fit the input {sized(given)}"
            )
        return (tuple(given[axis] for axis in self.axes),)

    def traces(self, output: int, *shapes: Shape) -> tuple[tuple[Trace, ...], ...]:
        """Return where each axis goes."""
        return (tuple(Trace(self.axes.index(axis)) for axis in range(len(shapes[0]))),)


@dataclass(frozen=True, init=False)
class Squeeze(TensorLayer):
    """Remove the given axes, which must have size 1; by default all axes of size 1 but the batch axis."""

    axes: tuple[int, ...] | None

    def __init__(self, axes: Any = None) -> None:
        self._set(axes=None if axes is None else integers("axes", axes))

    def _removed_axes(self, shape: Shape) -> tuple[int, ...]:
        if self.axes is None:
            return tuple(axis for axis, n in enumerate(shape) if n == 1 and axis)
        removed = axes_of(self.axes, len(shape))
        for axis in removed:
            if shape[axis] != 1:
                raise ArgumentError(
                    f"the axis {axis} of {sized(shape)} has size {shape[axis]}; only axes of size 1 can be removed"
                )
        return removed

    def output_shapes(self, *shapes: Shape) -> tuple[Shape, ...]:
        """Return the other sizes."""
        removed = self._removed_axes(shapes[0])
        return (tuple(n for axis, n in enumerate(shapes[0]) if axis not in removed),)

    def traces(self, output: int, *shapes: Shape) -> tuple[tuple[Trace, ...], ...]:
        """Return where the other axes go."""
        removed = self._removed_axes(shapes[0])
        kept = [axis for axis in range(len(shapes[0])) if axis not in removed]
        return (
            tuple(Trace(None if axis in removed else kept.index(axis)) for axis in range(len(shapes[0]))),
        )


@dataclass(frozen=True, init=False)
class Unsqueeze(TensorLayer):
    """Insert new axes of size 1 at the given positions of the output."""

    axes: tuple[int, ...]

    def __init__(self, axes: Any) -> None:
        self._set(axes=integers("axes", axes))

    def _kept(self, shape: Shape) -> list[int]:
        new = axes_of(self.axes, len(shape) + len(self.axes))
        return [axis for axis in range(len(shape) + len(new)) if axis not in new]

    def output_shapes(self, *shapes: Shape) -> tuple[Shape, ...]:
        """Return the sizes with a 1 for each new axis."""
        sizes = dict(zip(self._kept(shapes[0]), shapes[0], strict=True))
        return (tuple(sizes.get(axis, 1) for axis in range(len(shapes[0]) + len(self.axes))),)

    def traces(self, output: int, *shapes: Shape) -> tuple[tuple[Trace, ...], ...]:
        """Return where each axis goes."""
        return (tuple(Trace(axis) for axis in self._kept(shapes[0])),)


@dataclass(frozen=True, init=False)
class Expand(TensorLayer):
    """Repeat along axes of size 1, to the shape that both broadcast to (ONNX's Expand, PyTorch's expand)."""

    shape: Shape

    def __init__(self, shape: Any) -> None:
        self._set(shape=integers("shape", shape, 1))

    def output_shapes(self, *shapes: Shape) -> tuple[Shape, ...]:
        """Return the shape that the input and the given shape broadcast to."""
        return (broadcast(*shapes, self.shape),)


@dataclass(frozen=True, init=False)
class Tile(TensorLayer):
    """Repeat the whole tensor `repeats` times along each axis (NumPy's and ONNX's tile)."""

    repeats: tuple[int, ...]

    def __init__(self, repeats: Any) -> None:
        self._set(repeats=integers("repeats", repeats, 1))

    def output_shapes(self, *shapes: Shape) -> tuple[Shape, ...]:
        """Return each size times its number of repeats."""
        (given,) = shapes
        if len(given) != len(self.repeats):
            raise ArgumentError(
                f"{len(self.repeats)} repeats do not fit the {len(given)} axes of {sized(given)}; give one per axis"
            )
        return (tuple(n * times for n, times in zip(given, self.repeats, strict=True)),)

    def traces(self, output: int, *shapes: Shape) -> tuple[tuple[Trace, ...], ...]:
        """Return every axis unchanged; along a repeated axis it is undefined which position an output sees."""
        seen = (
            ITSELF if times == 1 else Reach(0, 1, 0, 0) if n == 1 else None
            for n, times in zip(shapes[0], self.repeats, strict=True)
        )
        return (tuple(Trace(axis, link) for axis, link in enumerate(seen)),)


@dataclass(frozen=True, init=False)
class FlattenFrom(TensorLayer):
    """Join the axes before `axis`, and those from `axis` on, into two axes (ONNX's Flatten); 1 keeps the batch axis.

    The layer Flatten is the usual case, defined per item.
    """

    axis: int

    def __init__(self, axis: int = 1) -> None:
        self._set(axis=integers("axis", axis)[0])

    def output_shapes(self, *shapes: Shape) -> tuple[Shape, ...]:
        """Return (prod of the sizes before the axis, prod of the others)."""
        (given,) = shapes
        axis = len(given) if self.axis == len(given) else axis_of(self.axis, len(given))
        return ((prod(given[:axis]), prod(given[axis:])),)

    def traces(self, output: int, *shapes: Shape) -> tuple[tuple[Trace, ...], ...]:
        """Return the axes that stay and the axes that are joined."""
        return (reshape_traces(shapes[0], self.output_shapes(*shapes)[0]),)
