"""Convolution layers: frozen records with PyTorch's names for their options."""

from dataclasses import dataclass
from math import prod

from convcli.errors import ArgumentError
from convcli.layers.axes import PerAxis, Shape, Sizes, infer_dims, per_axis, whole
from convcli.layers.base import Window
from convcli.layers.counts import Cost, weighted_sums
from convcli.layers.padding import AnyPadding, Padding, normalise_padding


@dataclass(frozen=True, init=False)
class Conv(Window):
    """A convolution of (in_channels, *spatial) to (out_channels, *spatial), in any number of dimensions.

    kernel_size, stride, padding and dilation are one number for all axes or a sequence with one for each;
    padding is also (before, after) pairs, `valid`, `full`, `same` or `same-lower`. `dims` counts the
    spatial axes where every option is one number (2 if not given).

    >>> Conv(in_channels=3, out_channels=64, kernel_size=7, stride=2, padding=3).output_shape((3, 224, 224))
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
        *,
        in_channels: int,
        out_channels: int,
        kernel_size: PerAxis,
        stride: PerAxis = 1,
        padding: AnyPadding = 0,
        dilation: PerAxis = 1,
        groups: int = 1,
        bias: bool = True,
        dims: int | None = None,
    ) -> None:
        dims = dims or infer_dims(kernel_size, stride, padding, dilation)
        kernel_size = per_axis("kernel_size", kernel_size, dims)
        dilation = per_axis("dilation", dilation, dims)
        self._set(
            in_channels=whole("in_channels", in_channels, 1),
            out_channels=whole("out_channels", out_channels, 1),
            kernel_size=kernel_size,
            stride=per_axis("stride", stride, dims),
            padding=normalise_padding(padding, kernel_size, dilation),
            dilation=dilation,
            groups=whole("groups", groups, 1),
            bias=bool(bias),
        )
        for name, channels in (("in_channels", in_channels), ("out_channels", out_channels)):
            if channels % groups:
                raise ArgumentError(
                    f"{name} {channels} cannot be divided into {groups} equal groups; groups must divide "
                    f"both in_channels {in_channels} and out_channels {out_channels}"
                )

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return (out_channels, *output size)."""
        channels, *size = input_shape
        if channels != self.in_channels:
            raise ArgumentError(f"the input has {channels} channels, the layer takes {self.in_channels}")
        return (self.out_channels, *self.output_size(tuple(size)))

    def weights(self) -> int:
        """Count the weights: out_channels * in_channels / groups * prod(kernel_size)."""
        return self.out_channels * self.in_channels // self.groups * prod(self.kernel_size)

    def biases(self) -> int:
        """Count the biases: one for each output channel."""
        return self.out_channels if self.bias else 0

    def cost(self, input_shape: Shape) -> Cost:
        """Count the work: every output is a sum of in_channels / groups * prod(kernel_size) products."""
        terms = self.in_channels // self.groups * prod(self.kernel_size)
        return weighted_sums(prod(self.output_shape(input_shape)), terms, self.bias)
