"""The deformable convolution, and the side branch that predicts its sampling offsets."""

from dataclasses import dataclass
from math import prod

from convcli.errors import ArgumentError
from convcli.layers.axes import AnyShape, PerAxis, Shape, SizeOrShape, Sizes, as_shape, whole
from convcli.layers.base import Layer, Seen
from convcli.layers.conv import Conv, Convolution
from convcli.layers.counts import Cost, samples
from convcli.layers.padding import AnyPadding, Padding


@dataclass(frozen=True, kw_only=True)
class Branch(Layer):
    """A layer on a side branch: it runs and is counted, and its input is passed on unchanged.

    Its output reaches the next layer as a second input: the offsets of a deformable convolution.
    """

    layer: Layer

    @property
    def inner(self) -> Layer:
        """The layer that runs on the side branch."""
        return self.layer.inner

    def output_shape(self, input_shape: AnyShape) -> Shape:
        """Return the input shape, because the next layer gets the branch's input."""
        self.layer.output_shape(input_shape)
        return as_shape(input_shape)

    def weights(self) -> int:
        """Count the branch's weights."""
        return self.layer.weights()

    def biases(self) -> int:
        """Count the branch's biases."""
        return self.layer.biases()

    def buffers(self) -> int:
        """Count the branch's stored numbers that are not learned."""
        return self.layer.buffers()

    def cost(self, input_shape: AnyShape) -> Cost:
        """Count the branch's work."""
        return self.layer.cost(input_shape)

    def activations(self, input_shape: AnyShape) -> int:
        """Count the elements that the branch reads and writes."""
        return self.layer.activations(input_shape)


@dataclass(frozen=True, init=False)
class DeformConv(Convolution):
    """A deformable convolution: each tap is moved by an offset that depends on the data.

    Dai et al. (2017); with `mask` each tap is also scaled (Zhu et al. 2019, version 2). The layer that `predictor()`
    returns computes the offsets on a side branch. The input channels are divided into offset_groups groups, each with
    its own offsets.
    """

    in_channels: int
    out_channels: int
    kernel_size: Sizes
    stride: Sizes
    padding: Padding
    dilation: Sizes
    groups: int
    offset_groups: int
    mask: bool
    bias: bool
    most_inputs = 2  # the output of its predictor may be given as the second input

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: PerAxis,
        *,
        stride: PerAxis = 1,
        padding: AnyPadding = 0,
        dilation: PerAxis = 1,
        groups: int = 1,
        offset_groups: int = 1,
        mask: bool = False,
        bias: bool = True,
        dims: int | None = None,
    ) -> None:
        self._set_channels(in_channels, out_channels, groups, bias)
        self._set_window(kernel_size, stride, padding, dilation, dims)
        self._set(offset_groups=whole("offset_groups", offset_groups, 1), mask=bool(mask))
        if self.in_channels % self.offset_groups:
            raise ArgumentError(f"offset_groups {offset_groups} must divide in_channels {in_channels}")

    def predictor(self) -> Conv:
        """Return the convolution that predicts an offset per axis and tap, and the mask.

        It has the same kernel, stride, padding and dilation, a bias, and offset_groups * prod(k) * (dims + mask)
        output channels: 18 for a 3x3 kernel, 27 with the mask.
        """
        return Conv(
            in_channels=self.in_channels,
            out_channels=self._moves,
            kernel_size=self.kernel_size,
            stride=self.stride,
            padding=self.padding,
            dilation=self.dilation,
        )

    @property
    def _moves(self) -> int:
        """The number of values that the predictor outputs per position."""
        return self.offset_groups * prod(self.kernel_size) * (self.dims + self.mask)

    def cost(self, input_shape: SizeOrShape) -> Cost:
        """Count a convolution's work plus the bilinear samples that it reads.

        Each input channel is sampled at each tap of each output position. The offsets and the mask are inputs.
        """
        places = prod(self.output_shape(input_shape)[1:])
        sampled = places * self.in_channels * prod(self.kernel_size)
        return super().cost(input_shape) + samples(sampled, self.dims, self.mask)

    def activations(self, input_shape: SizeOrShape) -> int:
        """Count the elements of the input, of the offsets and mask, and of the output."""
        places = prod(self.output_shape(input_shape)[1:])
        return super().activations(input_shape) + places * self._moves

    def sees(self, input_size: AnyShape) -> tuple[Seen, ...]:
        """Return None on each axis: the offsets depend on the data."""
        return (None,) * len(input_size)
