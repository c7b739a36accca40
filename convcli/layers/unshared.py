"""Convolutions that share their weights less, or not at all."""

from dataclasses import dataclass
from math import prod

from convcli.errors import ArgumentError
from convcli.layers.axes import PerAxis, Shape, SizeOrShape, Sizes, by_axes, per_axis
from convcli.layers.conv import Convolution
from convcli.layers.padding import AnyPadding, Padding


@dataclass(frozen=True, init=False)
class LocalConv(Convolution):
    """A locally connected layer: a convolution with weights and biases of its own at every output.

    The weights depend on the size of the input, so it is a field. Goodfellow, Bengio & Courville,
    "Deep Learning" (2016), section 9.5: "it is natural to give each unit its own bias".

    >>> LocalConv(in_channels=1, out_channels=2, kernel_size=3, input_size=(5, 5)).weights()
    162
    """

    in_channels: int
    out_channels: int
    kernel_size: Sizes
    input_size: Sizes
    stride: Sizes
    padding: Padding
    dilation: Sizes
    bias: bool

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: PerAxis,
        *,
        input_size: PerAxis,
        stride: PerAxis = 1,
        padding: AnyPadding = 0,
        dilation: PerAxis = 1,
        bias: bool = True,
        dims: int | None = None,
    ) -> None:
        self._set_channels(in_channels, out_channels, 1, bias)
        self._set_window(kernel_size, stride, padding, dilation, dims, input_size)
        self._set(input_size=per_axis("input_size", input_size, self.dims))
        self.output_size(self.input_size)  # an empty output is an error at birth

    def output_shape(self, input_shape: SizeOrShape) -> Shape:
        """Return (out_channels, *output size) for an input of `input_size`, and no other."""
        _, *sizes = self._input_shape(input_shape)
        size = tuple(sizes)
        if size != self.input_size:
            raise ArgumentError(
                f"the layer has its weights for an input of {by_axes(self.input_size)}, not {by_axes(size)}; "
                "unshared weights fit one size only"
            )
        return super().output_shape(input_shape)

    def weights(self) -> int:
        """Count the weights: those of a convolution, out * in * prod(k), for each output place."""
        return prod(self.output_size(self.input_size)) * super().weights()

    def biases(self) -> int:
        """Count the biases: one for each output."""
        return prod(self.output_size(self.input_size)) * super().biases()


@dataclass(frozen=True, init=False)
class TiledConv(Convolution):
    """A tiled convolution: `tile` sets of weights and biases take turns along each axis.

    Output y uses set y mod tile; a tile of 1 is a convolution. Goodfellow, Bengio & Courville,
    "Deep Learning" (2016), section 9.5: the biases are shared "with the same tiling pattern as the kernels".

    >>> TiledConv(in_channels=3, out_channels=8, kernel_size=3, tile=2).weights()
    864
    """

    in_channels: int
    out_channels: int
    kernel_size: Sizes
    tile: Sizes
    stride: Sizes
    padding: Padding
    dilation: Sizes
    bias: bool

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: PerAxis,
        *,
        tile: PerAxis = 2,
        stride: PerAxis = 1,
        padding: AnyPadding = 0,
        dilation: PerAxis = 1,
        bias: bool = True,
        dims: int | None = None,
    ) -> None:
        self._set_channels(in_channels, out_channels, 1, bias)
        self._set_window(kernel_size, stride, padding, dilation, dims, tile)
        self._set(tile=per_axis("tile", tile, self.dims))

    def weights(self) -> int:
        """Count the weights: those of a convolution, out * in * prod(k), for each set."""
        return prod(self.tile) * super().weights()

    def biases(self) -> int:
        """Count the biases: one for each output channel of each set."""
        return prod(self.tile) * super().biases()
