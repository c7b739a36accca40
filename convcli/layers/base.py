"""What every layer answers: its output shape, its parameters and its cost."""

from abc import ABC, abstractmethod

from convcli.errors import ArgumentError
from convcli.layers.axes import Shape, Sizes, axis_names, by_axes
from convcli.layers.counts import Cost
from convcli.layers.padding import Padding, Pads, resolve_padding, span


class Layer(ABC):
    """One step of a network, known by integers alone; shapes are (channels, *spatial)."""

    def _set(self, **values: object) -> None:
        """Fill the fields of a frozen record, once, at birth."""
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @abstractmethod
    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape that the layer makes of `input_shape`."""

    @abstractmethod
    def cost(self, input_shape: Shape) -> Cost:
        """Return the work for one input of `input_shape`."""

    def weights(self) -> int:
        """Count the learned weights."""
        return 0

    def biases(self) -> int:
        """Count the learned biases."""
        return 0

    def params(self) -> int:
        """Count all learned parameters: weights + biases."""
        return self.weights() + self.biases()


class Window(Layer):
    """A kernel that slides over the spatial axes: what convolution and pooling share."""

    kernel_size: Sizes
    stride: Sizes
    padding: Padding
    dilation: Sizes

    @property
    def dims(self) -> int:
        """The number of spatial axes."""
        return len(self.kernel_size)

    def pads(self, input_size: Sizes) -> Pads:
        """Return the (before, after) pairs used on an input of `input_size`."""
        return resolve_padding(self.padding, input_size, self.kernel_size, self.stride, self.dilation)

    def output_size(self, input_size: Sizes) -> Sizes:
        """Count the window's positions on each axis.

        floor((n + before + after - d*(k-1) - 1) / s) + 1: Dumoulin & Visin, "A guide to convolution
        arithmetic for deep learning", relationships 6 and 15.
        """
        if len(input_size) != self.dims:
            raise ArgumentError(
                f"the input size {by_axes(input_size)} has {len(input_size)} axes, "
                f"the kernel {by_axes(self.kernel_size)} has {self.dims}"
            )
        pads = self.pads(input_size)
        sizes = []
        for axis, n in enumerate(input_size):
            before, after = pads[axis]
            room = n + before + after - span(self.kernel_size[axis], self.dilation[axis])
            if room < 0:
                raise ArgumentError(self._too_small(axis, n, pads[axis]))
            sizes.append(room // self.stride[axis] + 1)
        return tuple(sizes)

    def _too_small(self, axis: int, n: int, pair: tuple[int, int]) -> str:
        k, d = self.kernel_size[axis], self.dilation[axis]
        spans = f"spans {span(k, d)} (dilation {d})" if d > 1 else f"spans {k}"
        return (
            f"the output would be empty: along the {axis_names(self.dims)[axis]} the kernel {spans}, "
            f"the input with its padding only {n} + {pair[0]} + {pair[1]} = {n + sum(pair)}; "
            f"pad by {span(k, d) - n - sum(pair)} more in all, or take a smaller kernel"
        )
