"""The base class of layers that work on whole tensors, (N, ...) with the batch axis first, and broadcasting."""

from abc import abstractmethod
from dataclasses import dataclass
from math import prod
from typing import Any

from convcli.errors import ArgumentError
from convcli.layers.axes import AnyShape, OpenShape, Shape, as_shape, by_axes, whole
from convcli.layers.base import ITSELF, Layer, Reach, Trace
from convcli.layers.counts import Cost


class TensorLayer(Layer):
    """A layer for which the batch axis is an ordinary axis: axes count from 0, the batch axis, or from the end.

    A subclass defines `output_shapes` and `work` for whole shapes. The methods for one item, used in chains, call them
    with a batch size of 1.
    """

    of_tensors = True

    @abstractmethod
    def output_shapes(self, *shapes: Shape) -> tuple[Shape, ...]:
        """Return the shape of each output for inputs of these whole shapes."""

    def work(self, *shapes: Shape) -> Cost:
        """Count no arithmetic: data is only moved."""
        return Cost()

    def elements(self, *shapes: Shape) -> int:
        """Count the elements of all inputs and of all outputs."""
        return sum(map(prod, (*shapes, *self.output_shapes(*shapes))))

    def traces(self, output: int, *shapes: Shape) -> tuple[tuple[Trace, ...], ...]:
        """Return every axis unchanged, aligned at the last axis, if the output has that axis."""
        made = self.output_shapes(*shapes)[output]
        return tuple(broadcast_traces(shape, made) for shape in shapes)

    def output_shape(self, input_shape: AnyShape) -> Shape:
        """Return the shape of the first output for one item."""
        batch, *made = self.output_shapes((1, *as_shape(input_shape)))[0]
        if batch != 1 or not made:
            raise ArgumentError(
                "the layer changes the batch axis, which a chain does not allow; use axes from 1 on"
            )
        return tuple(made)

    def _open_shape(self, input_shape: OpenShape) -> OpenShape:
        raise ArgumentError(
            f"the output of {type(self).__name__.lower()} depends on the input size; give `input_shape`"
        )

    def cost(self, input_shape: AnyShape) -> Cost:
        """Return the work for one item."""
        return self.work((1, *as_shape(input_shape)))

    def activations(self, input_shape: AnyShape) -> int:
        """Count the elements read and written for one item."""
        return self.elements((1, *as_shape(input_shape)))


@dataclass(frozen=True, init=False)
class Unknown(Layer):
    """An operator whose work and outputs are unknown, and are reported so rather than counted as 0.

    reason : a short explanation
    """

    operator: str
    reason: str

    counted = False
    fewest_inputs = 0
    most_inputs = None

    def __init__(self, operator: str, reason: str = "there is no formula for it") -> None:
        self._set(operator=operator, reason=reason)

    def output_shape(self, input_shape: AnyShape) -> Shape:
        """Raise ArgumentError: the output shape is unknown."""
        raise ArgumentError(f"{self.operator} cannot be counted: {self.reason}")

    def cost(self, input_shape: AnyShape) -> Cost:
        """Raise ArgumentError: the work is unknown."""
        raise ArgumentError(f"{self.operator} cannot be counted: {self.reason}")


@dataclass(frozen=True, init=False)
class Deferred(Unknown):
    """An operator whose shapes are known only during a run, after the tensors that determine them are computed."""


@dataclass(frozen=True, init=False)
class DependsOnData(Unknown):
    """An operator that can be run, but whose output size depends on the data."""

    def __init__(self, operator: str, reason: str = "the size of its output depends on the data") -> None:
        super().__init__(operator, reason)


def broadcast_traces(shape: Shape, made: Shape) -> tuple[Trace, ...]:
    """Return where the axes of a tensor that is broadcast to the shape `made` go, aligned at the last axis."""
    behind = len(made) - len(shape)
    return tuple(
        Trace(axis + behind, ITSELF if n == made[axis + behind] else Reach(0, 1, 0, 0))
        if axis + behind >= 0
        else Trace(None)
        for axis, n in enumerate(shape)
    )


def broadcast(*shapes: Shape) -> Shape:
    """Return the shape that tensors broadcast to, aligned at their last axes, by the rule of NumPy and ONNX."""
    made = [1] * max(map(len, shapes))
    for shape in shapes:
        for place in range(1, len(shape) + 1):
            n, m = shape[-place], made[-place]
            if n != m and 1 not in (n, m):
                raise ArgumentError(
                    f"the shapes {' and '.join(map(sized, shapes))} do not broadcast: axis {-place} is {m} and {n}, "
                    "and neither is 1"
                )
            made[-place] = n if m == 1 else m
    return tuple(made)


def axis_of(axis: int, dims: int, what: str = "axis") -> int:
    """Return an axis counted from 0; a negative axis counts from the end."""
    if not -dims <= axis < dims:
        raise ArgumentError(
            f"there is no {what} {axis} in a tensor of {dims} axes; choose one from {-dims} to {dims - 1}"
        )
    return axis % dims


def axes_of(axes: tuple[int, ...], dims: int) -> tuple[int, ...]:
    """Return axes counted from 0, sorted; raise ArgumentError if one is given twice."""
    found = sorted(axis_of(axis, dims) for axis in axes)
    if len(set(found)) < len(found):
        raise ArgumentError(f"an axis is given twice in {', '.join(map(str, axes))}; give each axis once")
    return tuple(found)


def integers(name: str, values: Any, minimum: int = -(1 << 62)) -> tuple[int, ...]:
    """Return integers as a tuple; a single one becomes a tuple of length 1."""
    if isinstance(values, int):
        values = (values,)
    return tuple(whole(name, value, minimum) for value in values)


def sized(shape: AnyShape) -> str:
    """Format a shape as it is typed; a shape without axes is described in words."""
    return by_axes(shape) or "of one number"
