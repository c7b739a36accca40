"""Convolutions whose weights are shared partly (tiled) or not at all (locally connected)."""

from dataclasses import dataclass
from math import prod

from convcli.errors import ArgumentError
from convcli.layers.axes import PerAxis, Shape, SizeOrShape, Sizes, by_axes, per_axis
from convcli.layers.conv import Convolution
from convcli.layers.padding import AnyPadding, Padding


@dataclass(frozen=True, init=False)
class LocalConv(Convolution):
    """A locally connected layer: a convolution with separate weights and biases at every output position.

    The number of weights depends on the input size, which is therefore a field. Goodfellow, Bengio & Courville,
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
        self.output_size(self.input_size)  # raises now if the output would be empty

    def output_shape(self, input_shape: SizeOrShape) -> Shape:
        """Return (out_channels, *output size); the input must be of the layer's `input_size`."""
        _, *sizes = self._input_shape(input_shape)
        size = tuple(sizes)
        if size != self.input_size:
            raise ArgumentError(
                f"the layer has weights for an input of {by_axes(self.input_size)}, not {by_axes(size)}; "
                "unshared weights fit only one input size"
            )
        return super().output_shape(input_shape)

    def weights(self) -> int:
        """Count the weights: out_channels * in_channels * prod(k) per output position."""
        return prod(self.output_size(self.input_size)) * super().weights()

    def biases(self) -> int:
        """Count the biases: one per output."""
        return prod(self.output_size(self.input_size)) * super().biases()


@dataclass(frozen=True, init=False)
class TiledConv(Convolution):
    """A tiled convolution: `tile` sets of weights and biases alternate along each axis.

    Output y uses set y mod tile; a tile of 1 is an ordinary convolution. Goodfellow, Bengio & Courville, "Deep
    Learning" (2016), section 9.5: the biases are shared "with the same tiling pattern as the kernels".

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
        """Count the weights: out_channels * in_channels * prod(k) per set."""
        return prod(self.tile) * super().weights()

    def biases(self) -> int:
        """Count the biases: one per output channel of each set."""
        return prod(self.tile) * super().biases()
