"""Convolution layers: immutable records whose options have PyTorch's names."""

from dataclasses import dataclass
from math import prod

from convcli.errors import ArgumentError
from convcli.layers.axes import (
    OpenShape,
    PerAxis,
    Shape,
    SizeOrShape,
    Sizes,
    for_all,
    split_shape,
    whole,
)
from convcli.layers.base import Window
from convcli.layers.counts import Cost, weighted_sums
from convcli.layers.padding import AnyPadding, Padding


class Convolution(Window):
    """The base of all convolutions: channels in groups, weights and biases."""

    in_channels: int
    out_channels: int
    groups: int = 1
    bias: bool
    mixes_channels = True

    def _set_channels(self, in_channels: int, out_channels: int, groups: int, bias: bool) -> None:
        """Set the channel fields; groups must divide both in_channels and out_channels."""
        in_channels = whole("in_channels", in_channels, 1)
        out_channels = whole("out_channels", out_channels, 1)
        groups = whole("groups", groups, 1)
        for name, channels in (("in_channels", in_channels), ("out_channels", out_channels)):
            if channels % groups:
                raise ArgumentError(
                    f"{name} {channels} cannot be divided into {groups} equal groups; groups must divide "
                    f"both in_channels {in_channels} and out_channels {out_channels}"
                )
        self._set(in_channels=in_channels, out_channels=out_channels, groups=groups, bias=bool(bias))

    @property
    def terms(self) -> int:
        """The number of products summed in one output: in_channels / groups * prod(kernel_size)."""
        return self.in_channels // self.groups * prod(self.kernel_size)

    def _input_shape(self, given: SizeOrShape) -> Shape:
        """Return (in_channels, *sizes) for an input shape, or for one number that is the size of all axes."""
        channels, size = split_shape(for_all(given, self.dims, self.in_channels), self.in_channels, self.dims)
        return (channels, *size)

    def output_shape(self, input_shape: SizeOrShape) -> Shape:
        """Return (out_channels, *output size); one number for `input_shape` is the size of all axes."""
        _, *size = self._input_shape(input_shape)
        return (self.out_channels, *self.output_size(size))

    def _open_shape(self, input_shape: OpenShape) -> OpenShape:
        return (self.out_channels, *(None,) * self.dims)

    def weights(self) -> int:
        """Count the weights: out_channels * in_channels / groups * prod(kernel_size)."""
        return self.out_channels * self.terms

    def biases(self) -> int:
        """Count the biases: one per output channel."""
        return self.out_channels if self.bias else 0

    def cost(self, input_shape: SizeOrShape) -> Cost:
        """Count the work: each output is a sum of in_channels / groups * prod(kernel_size) products."""
        return weighted_sums(prod(self.output_shape(input_shape)), self.terms, self.bias)

    def activations(self, input_shape: SizeOrShape) -> int:
        """Count the elements read and written for one input: those of the input and of the output."""
        return super().activations(self._input_shape(input_shape))


@dataclass(frozen=True, init=False)
class Conv(Convolution):
    """A convolution from (in_channels, *spatial) to (out_channels, *spatial), in any number of dimensions.

    kernel_size, stride, padding and dilation are each one number for all axes or a sequence with one number per axis;
    padding may also be (before, after) pairs, `valid`, `full`, `same` or `same-lower`. `dims` is the number of spatial
    axes if every option is one number (default 2).

    >>> Conv(3, 64, 7, stride=2, padding=3).output_shape((3, 224, 224))
    (64, 112, 112)
    >>> Conv(3, 64, 7, stride=2, padding=3).output_shape(224)  # one number: the size of all axes
    (64, 112, 112)
    """

    in_channels: int
    out_channels: int
    kernel_size: Sizes
    stride: Sizes
    padding: Padding
    dilation: Sizes
    groups: int
    bias: bool

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
        bias: bool = True,
        dims: int | None = None,
    ) -> None:
        self._set_channels(in_channels, out_channels, groups, bias)
        self._set_window(kernel_size, stride, padding, dilation, dims)
