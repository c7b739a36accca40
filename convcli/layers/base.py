"""The base classes `Layer` and `Window`, and the records that describe what an output element sees."""

from abc import ABC, abstractmethod
from math import prod
from typing import Literal, NamedTuple, cast

from convcli.errors import ArgumentError
from convcli.layers.axes import (
    AnyShape,
    OpenShape,
    PerAxis,
    Shape,
    SizeOrShape,
    Sizes,
    as_shape,
    axis_names,
    by_axes,
    for_all,
    infer_dims,
    input_sizes,
    per_axis,
    whole,
)
from convcli.layers.counts import Cost
from convcli.layers.padding import (
    AnyPadding,
    Padding,
    Pads,
    normalise_padding,
    one_for_all,
    resolve_padding,
    span,
)


class Reach(NamedTuple):
    """The inputs that output y sees on one axis: floor((step*y + low) / scale) to floor((step*y + high) / scale)."""

    step: int
    scale: int
    low: int
    high: int


class Taps(NamedTuple):
    """The inputs that output y sees on one axis: every x with scale*x = step*y + low + gap*t, 0 <= t < number.

    With a scale above 1 some taps fall between inputs, and some outputs may see no input at all.
    """

    step: int
    scale: int
    low: int
    gap: int
    number: int


Seen = Reach | Taps | None  # None if it depends on the data
ITSELF = Reach(1, 1, 0, 0)


class Trace(NamedTuple):
    """Where one axis of an input goes in a layer's output, and which inputs along it an output element sees.

    axis : the output axis; None if the layer removes the axis
    seen : the inputs seen along the axis; `whole` for all of them, regardless of their number
    flat : whether the output axis also holds other input axes, as after flattening
    """

    axis: int | None
    seen: "Seen | Literal['whole']" = ITSELF
    flat: bool = False


class Layer(ABC):
    """One step of a network, described by integers only; shapes are (channels, *spatial).

    Code that works on whole tensors, (N, channels, *spatial), calls `output_shapes`, `work`, `elements` and `traces`,
    which take the shapes of all inputs. A layer that is defined for one item applies to each of the N items.
    """

    mixes_all = False  # whether every output sees every position of the input, as in a dense layer
    mixes_channels = False  # whether an output channel sees all channels of the input
    of_tensors = False  # whether the layer works on whole tensors, with the batch axis as an ordinary axis
    counted = True  # whether shapes and work are known

    def _set(self, **values: object) -> None:
        """Set the fields of a frozen record; only constructors call this."""
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @property
    def fewest_inputs(self) -> int:
        """The smallest number of input tensors."""
        return 1

    @property
    def most_inputs(self) -> int | None:
        """The largest number of input tensors; None if it is unlimited."""
        return 1

    @property
    def inner(self) -> "Layer":
        """The layer that computes: this one, unless it wraps a layer that runs on a side branch."""
        return self

    @abstractmethod
    def output_shape(self, input_shape: AnyShape) -> Shape:
        """Return the output shape for `input_shape`."""

    def open_shape(self, input_shape: OpenShape) -> OpenShape:
        """Return the output shape for an input with unknown sizes; sizes that depend on them are None."""
        known = tuple(n for n in input_shape if n is not None)
        return self.output_shape(known) if len(known) == len(input_shape) else self._open_shape(input_shape)

    def _open_shape(self, input_shape: OpenShape) -> OpenShape:
        """Return the output shape for an input with unknown sizes: the input shape, unless a subclass changes it."""
        return input_shape

    @abstractmethod
    def cost(self, input_shape: AnyShape) -> Cost:
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

    def buffers(self) -> int:
        """Count the stored numbers that are not learned."""
        return 0

    def activations(self, input_shape: AnyShape) -> int:
        """Count the elements read and written for one input: those of the input and of the output."""
        return prod(as_shape(input_shape)) + prod(self.output_shape(input_shape))

    def sees(self, input_size: AnyShape) -> tuple[Seen, ...]:
        """Return which inputs an output sees on each axis: its own position, unless the layer has a window."""
        return (ITSELF,) * len(input_size)

    def output_shapes(self, *shapes: Shape) -> tuple[Shape, ...]:
        """Return the shape of each output for inputs of these shapes, (N, channels, *spatial)."""
        items, batch = self._items(shapes)
        return ((batch, *self.output_shape(*items)),)

    def work(self, *shapes: Shape) -> Cost:
        """Return the work for inputs of these shapes, (N, channels, *spatial)."""
        items, batch = self._items(shapes)
        return self.cost(*items) * batch

    def elements(self, *shapes: Shape) -> int:
        """Count the elements read and written for inputs of these shapes, (N, channels, *spatial)."""
        items, batch = self._items(shapes)
        return self.activations(*items) * batch

    def traces(self, output: int, *shapes: Shape) -> tuple[tuple[Trace, ...], ...]:
        """Return, for each input, where each of its axes goes in output number `output`.

        The second input of a deformable convolution is left out: what its offsets see depends on the data.
        """
        made = []
        for shape in shapes if self.most_inputs is None else shapes[:1]:
            channels = Trace(1, "whole" if self.mixes_channels or self.mixes_all else ITSELF)
            seen = self.sees(shape[2:])
            spatial = [Trace(axis, link) for axis, link in enumerate(seen, start=2)]
            if not seen:
                spatial = [Trace(1, "whole" if self.mixes_all else ITSELF, flat=True)] * len(shape[2:])
                channels = channels._replace(flat=bool(spatial))
            made.append((Trace(0), channels, *spatial))
        return tuple(made)

    def _items(self, shapes: tuple[Shape, ...]) -> tuple[tuple[Shape, ...], int]:
        """Return the shapes without their common batch axis, and the size of that axis."""
        for shape in shapes:
            if len(shape) < 2:
                raise ArgumentError(
                    f"the layer takes (N, channels, *sizes), the input is {by_axes(shape) or 'a single number'}"
                )
            if shape[0] != shapes[0][0]:
                raise ArgumentError(
                    f"its inputs {by_axes(shapes[0])} and {by_axes(shape)} must have the same batch size, not "
                    f"{shapes[0][0]} and {shape[0]}"
                )
        if self.most_inputs is not None:  # the layer's own fields describe any further inputs
            shapes = shapes[:1]
        return tuple(shape[1:] for shape in shapes), shapes[0][0]


class Window(Layer):
    """The base of layers whose kernel slides over the spatial axes: convolution and pooling."""

    kernel_size: Sizes
    stride: Sizes
    padding: Padding
    dilation: Sizes
    ceil_mode: bool = False
    lies_side_by_side = False  # whether the stride defaults to the kernel size, as in pooling

    def _set_window(
        self,
        kernel_size: PerAxis,
        stride: PerAxis | None,
        padding: AnyPadding,
        dilation: PerAxis,
        dims: int | None,
        *others: PerAxis,
    ) -> None:
        """Set the fields of the window.

        Without `dims` the number of axes is the length of the first option that is given per axis; `others` come last.
        """
        if dims is None:
            dims = infer_dims(kernel_size, stride, one_for_all(padding), dilation, *others)
        dims = whole("dims", dims, 1)
        kernel_size = per_axis("kernel_size", kernel_size, dims)
        dilation = per_axis("dilation", dilation, dims)
        self._set(
            kernel_size=kernel_size,
            stride=kernel_size
            if stride is None and self.lies_side_by_side
            else per_axis("stride", cast(PerAxis, stride), dims),
            padding=normalise_padding(padding, kernel_size, dilation),
            dilation=dilation,
        )

    @property
    def dims(self) -> int:
        """The number of spatial axes."""
        return len(self.kernel_size)

    def pads(self, input_size: SizeOrShape) -> Pads:
        """Return the (before, after) padding for an input of `input_size`; one number is the size of all axes."""
        sizes = self._sizes(input_size)
        return resolve_padding(self.padding, sizes, self.kernel_size, self.stride, self.dilation)

    def output_size(self, input_size: SizeOrShape) -> Sizes:
        """Count the window positions on each axis of an input; one number is the size of all axes.

        floor((n + before + after - d*(k-1) - 1) / s) + 1: Dumoulin & Visin, "A guide to convolution arithmetic for
        deep learning", relationships 6 and 15. With ceil_mode the quotient is rounded up, and a window that would
        start beyond the input is dropped (PyTorch's pooling_output_shape).
        """
        input_size = self._sizes(input_size)
        pads = self.pads(input_size)
        sizes = []
        for axis, n in enumerate(input_size):
            before, after = pads[axis]
            s = self.stride[axis]
            room = n + before + after - span(self.kernel_size[axis], self.dilation[axis])
            positions = (room + (s - 1 if self.ceil_mode else 0)) // s + 1
            if self.ceil_mode and (positions - 1) * s >= n + before:
                positions -= 1
            if positions < 1:
                raise ArgumentError(self._too_small(axis, n, pads[axis]))
            sizes.append(positions)
        return tuple(sizes)

    def sees(self, input_size: AnyShape) -> tuple[Seen, ...]:
        """Return the window's taps: output y sees input s*y - before + d*t for each of its k taps t."""
        return tuple(
            Taps(s, 1, -before, d, k)
            for k, s, d, (before, _) in zip(
                self.kernel_size, self.stride, self.dilation, self.pads(input_size), strict=True
            )
        )

    def _sizes(self, input_size: SizeOrShape) -> Sizes:
        """Return the input's sizes, checked against the kernel's number of axes; one number is the size of all."""
        sizes = input_sizes(for_all(input_size, self.dims))
        if len(sizes) != self.dims:
            raise ArgumentError(
                f"the input size {by_axes(sizes) or '()'} has {len(sizes)} axes but "
                f"the kernel {by_axes(self.kernel_size)} has {self.dims}"
            )
        return sizes

    def _too_small(self, axis: int, n: int, pair: tuple[int, int]) -> str:
        k, d = self.kernel_size[axis], self.dilation[axis]
        spans = f"spans {span(k, d)} (dilation {d})" if d > 1 else f"spans {k}"
        return (
            f"the output would be empty: along the {axis_names(self.dims)[axis]} the kernel {spans}, "
            f"but the padded input has only {n} + {pair[0]} + {pair[1]} = {n + sum(pair)}; "
            f"add {span(k, d) - n - sum(pair)} to the padding (before plus after), or take a smaller kernel"
        )
