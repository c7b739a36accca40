"""Dropout, which does nothing at inference."""

from dataclasses import dataclass

from convcli.errors import ArgumentError
from convcli.layers.axes import AnyShape, Shape, as_shape
from convcli.layers.base import ITSELF, Layer, Trace
from convcli.layers.counts import Cost


@dataclass(frozen=True, init=False)
class Dropout(Layer):
    """Dropout: in training each element is zeroed with probability p; inference, which is counted, changes nothing.

    Srivastava et al. (2014). Inputs may have any number of axes.
    """

    p: float

    def __init__(self, p: float = 0.5) -> None:
        if not 0 <= p <= 1:
            raise ArgumentError(f"the probability p must be between 0 and 1, got {p}")
        self._set(p=float(p))

    def output_shape(self, input_shape: AnyShape) -> Shape:
        """Return the input shape."""
        return as_shape(input_shape)

    def cost(self, input_shape: AnyShape) -> Cost:
        """Count no arithmetic."""
        self.output_shape(input_shape)
        return Cost()

    def activations(self, input_shape: AnyShape) -> int:
        """Count nothing: the input is passed on unchanged."""
        self.output_shape(input_shape)
        return 0

    def output_shapes(self, *shapes: Shape) -> tuple[Shape, ...]:
        """Return the shape of the input, which may have any number of axes."""
        return shapes

    def work(self, *shapes: Shape) -> Cost:
        """Count no arithmetic."""
        return Cost()

    def elements(self, *shapes: Shape) -> int:
        """Count nothing: the input is passed on unchanged."""
        return 0

    def traces(self, output: int, *shapes: Shape) -> tuple[tuple[Trace, ...], ...]:
        """Return every axis unchanged."""
        return (tuple(Trace(axis, ITSELF) for axis in range(len(shapes[0]))),)
