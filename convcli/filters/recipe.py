"""Recipes: a filter independent of the picture, which builds its stages for a shape."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from convcli.errors import ArgumentError
from convcli.kernels import MAX_SIDE, Kernel
from convcli.layers import Activation, Branch, Conv, Layer, VariantSpec
from convcli.layers.axes import PerAxis, Shape, Sizes, by_axes
from convcli.layers.padding import SAME, AnyPadding, span
from convcli.layers.resample import USUAL
from convcli.layers.variants import PLAIN, VARIANTS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from convcli.filters.new_size import NewSize
    from convcli.filters.request import Nan
    from convcli.filters.stages.activation_and_pools import ChannelPooled
    from convcli.filters.stages.blend import Widths
    from convcli.filters.stages.linear_map import Linear
    from convcli.filters.stages.offsets import Field
    from convcli.filters.stages.stage import Stage
    from convcli.filters.tiles.layer_sources import Arrays
    from convcli.filters.tiles.pool_sources import AnyPool

    Array = NDArray[Any]


@dataclass(frozen=True)
class Recipe:
    """A layer of a variant and the steps after it, for pictures of any shape.

    kernels : kernels that run one after the other; for `tiled`, those of the tile, row by row
    weights : weights in the layout of the variant's layer, instead of kernels
    infers_variant : whether the weights were given without a variant, so that their shape chooses it
    mixing : (out_channels, in_channels), for variants that mix the channels of a pixel
    offsets : offsets of the taps of `deformable`: a field or an array
    widths : the largest sigma of `local` and a function of its widths; otherwise `weights` are local
    pool : a function that returns the pool for a number of spatial axes
    resize : the new size of the picture
    resampling : the resampling kernel
    resize_after : number of steps of the layer (kernels, activation and pools) before the picture is resized
    feedback : whether the input of each repeat is the picture with the previous output appended
    nan : whether NaN spreads to every output of a kernel that includes it, or is skipped as missing data
    full_scale : the value of white, for activations and notes
    """

    variant: str = PLAIN
    kernels: tuple[Kernel, ...] = ()
    weights: Array | None = None
    weights_name: str = "`weights`"
    infers_variant: bool = False
    bias: Array | None = None
    mixing: Array | None = None
    groups: int = 1
    rank: int | None = None
    offsets: Field | Array | None = None
    widths: tuple[float, Widths] | None = None
    tile: Sizes | None = None
    stride: PerAxis = 1
    padding: AnyPadding = "same"
    dilation: PerAxis = 1
    output_padding: PerAxis = 0
    padding_mode: str = "reflect"
    padding_value: float = 0.0
    flip: bool = False
    method: str = "auto"
    activation: str | None = None
    pool: Callable[[int], AnyPool] | None = None
    pool_channels: ChannelPooled | None = None
    repeat: int = 1
    feedback: bool = False
    resize: NewSize | None = None
    resampling: str = USUAL
    resize_after: int = 0
    nan: Nan = "propagate"
    full_scale: float = 1.0
    limit: int = MAX_SIDE

    @property
    def spec(self) -> VariantSpec:
        """The variant."""
        return VARIANTS[self.variant]

    def on_channels(self, channels: int) -> Recipe:
        """Return the recipe for a number of channels, whose variant the weights may choose.

        Weights (C, 1, *k) that were given without a variant are, on C channels, a kernel for each channel, as in
        PyTorch; others are those of a standard layer.
        """
        if (
            self.infers_variant
            and self.weights is not None
            and self.weights.shape[:2] == (channels, 1)
            and channels > 1
        ):
            return replace(self, variant=PLAIN, infers_variant=False)
        return self

    def check_dims(self, dims: int) -> None:
        """Raise ArgumentError for a 2-D variant with another number of spatial axes."""
        if self.spec.only_2d and dims != 2:
            raise ArgumentError(
                f"`variant={self.variant!r}` works on rows and columns; leave `dims` at 2, or use another variant"
            )

    def stages(self, shape: Shape) -> tuple[Stage, ...]:
        """Return the stages for an input (C, *spatial), or raise ArgumentError if one does not fit."""
        self.check_dims(len(shape) - 1)
        if self.resize is None:
            return self._layer(shape)
        steps = len(self._makers())
        if not 0 < self.resize_after < steps:
            parts = [self._resized, self._layer] if self.resize_after == 0 else [self._layer, self._resized]
        elif self.repeat == 1:
            parts = [
                partial(self._layer, steps=slice(0, self.resize_after)),
                self._resized,
                partial(self._layer, steps=slice(self.resize_after, None)),
            ]
        else:
            raise ArgumentError(
                "`resize` within a layer that runs several times would resize each time; put it before or after the "
                "layer, or leave out `repeat`"
            )
        made: list[Stage] = []
        part: Callable[[Shape], tuple[Stage, ...]]
        for part in parts:
            for stage in part(shape):
                shape = stage.output_shape(shape)
                made.append(stage)
        return tuple(made)

    def _layer(self, shape: Shape, steps: slice = slice(None)) -> tuple[Stage, ...]:
        """Return the stages of all repeats of the layer, or of some of its steps."""
        if self.feedback:
            return self._recurrent(shape)
        made: list[Stage] = []
        for _ in range(self.repeat):
            for make in self._makers()[steps]:
                stage = make(shape)
                shape = stage.output_shape(shape)
                made.append(stage)
        return tuple(made)

    def _resized(self, shape: Shape) -> tuple[Stage, ...]:
        """Return the stage that resizes a picture (C, *spatial)."""
        from convcli.filters.stages.resampled import Resizing
        from convcli.layers.resample import Resample

        assert self.resize is not None
        _, *lead, rows, columns = shape
        size = (*lead, *self.resize.of(rows, columns))
        return (Resizing(Resample(shape[1:], size, self.resampling)),)

    def _recurrent(self, shape: Shape) -> tuple[Stage, ...]:
        """Return the stages of repeats with feedback, for an input (C, *spatial)."""
        from convcli.filters.stages.feedback import Recurred, WithZeros

        answers = self._answers
        seen = after = (shape[0] + answers, *shape[1:])
        made: list[Stage] = []
        for make in self._makers():
            made.append(make(after))
            after = made[-1].output_shape(after)
        if after != (answers, *shape[1:]):
            raise ArgumentError(
                f"`feedback` appends the output to the picture, and the layer turns {by_axes(shape[1:])} in {seen[0]} "
                f"channel(s) into {by_axes(after[1:])} in {after[0]}; use `padding='same'`, no stride and no pool"
            )
        stages = tuple(made)
        again = [Recurred(stages, shape[0])] * (self.repeat - 1)
        return (WithZeros(answers), *again, Recurred(stages, 0))

    @property
    def _answers(self) -> int:
        """The number of output channels of the layer, which does not depend on the input."""
        made = self.weights if self.weights is not None else self.mixing
        return 1 if made is None else len(made)

    def _makers(self) -> list[Callable[[Shape], Stage]]:
        from convcli.filters.stages.build_stages import from_kernel, from_kernels, from_weights

        makers: list[Callable[[Shape], Stage]] = []
        if self.weights is not None:
            makers.append(partial(from_weights, self))
        elif self.spec.one_stage:
            makers.append(partial(from_kernels, self))
        else:
            makers += [partial(from_kernel, self, kernel) for kernel in self.kernels]
        if self.activation is not None or self.pool is not None:
            from convcli.filters.stages.activation_and_pools import Activated, Pooled
        if self.activation is not None:
            layer = Activation(name=self.activation)
            makers.append(lambda shape: Activated(layer, self.full_scale))
        if (pool := self.pool) is not None:
            makers.append(lambda shape: Pooled(pool(len(shape) - 1)))
        if (channels := self.pool_channels) is not None:
            makers.append(lambda shape: channels)
        return makers

    def lone(self, size: Sizes, kernel_size: Sizes | None = None) -> Conv | None:
        """Return the convolution of each channel if the filter is a single 2-D kernel, otherwise None.

        kernel_size : size of the matrices, if an anchor makes them larger than the kernel
        """
        others = (self.weights, self.activation, self.pool, self.pool_channels, self.resize)
        alone = len(self.kernels) == self.repeat == 1 and all(other is None for other in others)
        if (
            not alone
            or self.kernels[0].dims != 2
            or self.kernels[0].threshold
            or VARIANTS[self.variant].weighing != "each"
        ):
            return None
        layer, *more = self.layers(self.conv(1, 1, kernel_size or self.kernels[0].shape), (1, *size))
        return layer if isinstance(layer, Conv) and not more else None

    def conv(self, channels: int, outputs: int, kernel_size: Sizes, groups: int = 1) -> Conv:
        """Return a standard convolution with the recipe's geometry, from which the variant builds its layers."""
        return Conv(
            in_channels=channels,
            out_channels=outputs,
            kernel_size=kernel_size,
            stride=self.stride,
            padding=self.padding,
            dilation=self.dilation,
            groups=groups,
            bias=self.bias is not None,
            dims=len(kernel_size),
        )

    def layers(self, conv: Conv, shape: Shape) -> tuple[Layer, ...]:
        """Return the variant's layers, without the branch that predicts offsets, as these are given."""
        layers = self.spec(conv, shape, output_padding=self.output_padding)
        return tuple(layer for layer in layers if not isinstance(layer, Branch))

    def linear(
        self, layers: tuple[Layer, ...], terms: Sequence[tuple[Arrays, ...]], each: bool = False
    ) -> Linear:
        """Return the linear map of layers and the arrays of its terms, with the recipe's padding mode."""
        from convcli.filters.stages.linear_map import Linear

        return Linear(layers, tuple(terms), self.padding_mode, self.padding_value, self.method, each)

    def anchor(self, kernel: Kernel) -> Sizes | None:
        """Return the anchor of a kernel, after `flip`."""
        if kernel.anchor is None or not self.flip:
            return kernel.anchor
        return tuple(n - 1 - a for n, a in zip(kernel.shape, kernel.anchor, strict=True))

    def centred(self, kernel: Kernel) -> list[Array]:
        """Return a kernel's matrices; with padding `same`, zeros are added so that the anchor is in the centre."""
        found, anchor = self.matrices(kernel), self.anchor(kernel)
        if anchor is None or self.padding not in SAME:
            return found
        return [_centred(matrix, anchor) for matrix in found]

    def anchored(self, kernel: Kernel, shape: Shape) -> tuple[Recipe, list[Array], Sizes | None]:
        """Return the recipe and the matrices for an input (C, *spatial), and the anchor if there is one.

        Padding `same` follows the anchor, so that outputs stay aligned with inputs: the returned recipe has explicit
        padding, and the matrices are padded with zeros where the explicit padding would be negative.
        """
        import numpy as np

        found, anchor = self.matrices(kernel), self.anchor(kernel)
        if anchor is None or self.padding not in SAME:
            return self, found, anchor
        if self.spec.enlarges:
            return self, self.centred(kernel), None
        conv = self.conv(1, 1, kernel.shape)
        if self.spec.changes("dilation"):
            (apart,) = self.layers(conv, (1, *shape[1:]))
            assert isinstance(apart, Conv)
            conv = apart
        zeros, pads = [], []
        for (before, after), k, d, place in zip(
            conv.pads(shape[1:]), conv.kernel_size, conv.dilation, anchor, strict=True
        ):
            reach = span(k, d)
            move = place * d - (reach // 2 if self.padding == "same-lower" else (reach - 1) // 2)
            front, back = (max(0, -(missing // d)) for missing in (before + move, after - move))
            zeros.append((front, back))
            pads.append((before + move + front * d, after - move + back * d))
        placed = tuple(place + front for place, (front, _) in zip(anchor, zeros, strict=True))
        return replace(self, padding=tuple(pads)), [np.pad(matrix, zeros) for matrix in found], placed

    @staticmethod
    def check_axes(kernel: Kernel, shape: Shape) -> None:
        """Raise ArgumentError if a kernel has another number of axes than `*spatial`."""
        if kernel.dims != len(shape) - 1:
            raise ArgumentError(
                f"kernel {kernel.name!r} has {kernel.dims} axes, and the picture has {len(shape) - 1}; set `dims`"
            )

    def matrices(self, kernel: Kernel) -> list[Array]:
        """Return a kernel's matrices, after `flip`; integer matrices stay integers."""
        import numpy as np

        found = [np.array(matrix) for matrix in kernel.matrices]
        if self.flip:
            found = [np.flip(matrix) for matrix in found]
        if found[0].ndim == 1:
            raise ArgumentError(
                f"kernel {kernel.name!r} has 1 axis; set its direction with `along='rows'` or columns"
            )
        return found


def _centred(matrix: Array, anchor: tuple[int, ...]) -> Array:
    """Pad a matrix with zeros so that the anchor is at the centre that padding `same` uses."""
    import numpy as np

    pads = []
    for n, a in zip(matrix.shape, anchor, strict=True):
        side = 2 * max(a, n - 1 - a) + 1
        before = side // 2 - a
        pads.append((before, side - n - before))
    return np.pad(matrix, pads)
