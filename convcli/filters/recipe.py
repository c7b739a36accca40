"""Recipes: what a filter is asked to do, and the stages that it becomes for a picture of a certain shape."""

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
    """A layer of a variant and what stands behind it, to be laid on pictures of any shape.

    kernels : run one after the other; of `tiled`, the tile's, row by row
    weights : instead of kernels, in the layout of the variant's layer
    mixing : (out_channels, in_channels), of the variants that mix the channels of a pixel
    offsets : where the taps of `deformable` look: a field, or an array
    widths : the largest blur of `local` and where it is how wide; or `weights` are local
    pool : the pool for a number of spatial axes
    resize : the size that the picture gets, by the kernel `resampling`, after so many steps of the layer, which are
        its kernels, the activation and the pools: before it where that is 0, behind it where it has no more
    feedback : whether each repeat sees the picture again, and the last answer beside it
    nan : whether NaN spreads to all that a kernel makes of it, or is missing data
    full_scale : what white is, for activations and for notes
    """

    variant: str = PLAIN
    kernels: tuple[Kernel, ...] = ()
    weights: Array | None = None
    weights_name: str = "`weights`"
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

    def check_dims(self, dims: int) -> None:
        """Refuse a variant of rows and columns on another number of spatial axes."""
        if self.spec.only_2d and dims != 2:
            raise ArgumentError(
                f"`variant={self.variant!r}` works on rows and columns; leave `dims` at 2, or take another variant"
            )

    def stages(self, shape: Shape) -> tuple[Stage, ...]:
        """Return the stages for an input (C, *spatial), or raise ArgumentError where one does not fit."""
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
                "`resize` within a layer that runs several times would resize each time; put it before or behind the "
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
        """Return the stages of the layer, as often as it runs; or of some of its steps."""
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
        """Return the stage that gives a picture (C, *spatial) its new size."""
        from convcli.filters.stages.resampled import Resizing
        from convcli.layers.resample import Resample

        assert self.resize is not None
        _, *lead, rows, columns = shape
        size = (*lead, *self.resize.of(rows, columns))
        return (Resizing(Resample(shape[1:], size, self.resampling)),)

    def _recurrent(self, shape: Shape) -> tuple[Stage, ...]:
        """Return the stages of a layer that sees (C, *spatial) again at each repeat, its last answer beside it."""
        from convcli.filters.stages.feedback import BesideZeros, Recurred

        answers = self._answers
        seen = after = (shape[0] + answers, *shape[1:])
        made: list[Stage] = []
        for make in self._makers():
            made.append(make(after))
            after = made[-1].output_shape(after)
        if after != (answers, *shape[1:]):
            raise ArgumentError(
                f"`feedback` gives the answer back beside the picture, and the layer makes {by_axes(after[1:])} in "
                f"{after[0]} channel(s) of {by_axes(shape[1:])} in {seen[0]}; take `padding='same'`, no stride and no "
                "pool"
            )
        stages = tuple(made)
        again = [Recurred(stages, shape[0])] * (self.repeat - 1)
        return (BesideZeros(answers), *again, Recurred(stages, 0))

    @property
    def _answers(self) -> int:
        """How many channels the layer makes, whatever it gets; a request for another is refused."""
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
        """Return the convolution of each channel of a picture, where one kernel is one, and that is all there is.

        kernel_size : of the matrices, where an anchor makes them larger than the kernel
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
        """Return the convolution that the recipe's geometry is, before a variant makes its own of it."""
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
        """Return the variant's layers that run: without the branch that would predict offsets, which are given."""
        layers = self.spec(conv, shape, output_padding=self.output_padding)
        return tuple(layer for layer in layers if not isinstance(layer, Branch))

    def linear(
        self, layers: tuple[Layer, ...], terms: Sequence[tuple[Arrays, ...]], each: bool = False
    ) -> Linear:
        """Return the map that layers and the arrays of its terms make, with the recipe's borders."""
        from convcli.filters.stages.linear_map import Linear

        return Linear(layers, tuple(terms), self.padding_mode, self.padding_value, self.method, each)

    def anchor(self, kernel: Kernel) -> Sizes | None:
        """Return where a kernel's anchor lies, once it is turned if asked for."""
        if kernel.anchor is None or not self.flip:
            return kernel.anchor
        return tuple(n - 1 - a for n, a in zip(kernel.shape, kernel.anchor, strict=True))

    def centred(self, kernel: Kernel) -> list[Array]:
        """Return a kernel's matrices, under padding `same` with zeros that bring an anchor to their middle."""
        found, anchor = self.matrices(kernel), self.anchor(kernel)
        if anchor is None or self.padding not in SAME:
            return found
        return [_centred(matrix, anchor) for matrix in found]

    def anchored(self, kernel: Kernel, shape: Shape) -> tuple[Recipe, list[Array], Sizes | None]:
        """Return the recipe and the matrices for an input (C, *spatial), and which tap is the anchor if one is.

        Padding `same` follows an anchor, so that each output stays where it is: then the recipe has that padding
        in numbers, and the matrices zeros where the window begins or ends inside the picture.
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
        """Refuse a kernel of other axes than (C, *spatial) has."""
        if kernel.dims != len(shape) - 1:
            raise ArgumentError(
                f"kernel {kernel.name!r} has {kernel.dims} axes, and the picture {len(shape) - 1}; see `dims`"
            )

    def matrices(self, kernel: Kernel) -> list[Array]:
        """Return a kernel's matrices, turned if asked for; whole where they are."""
        import numpy as np

        found = [np.array(matrix) for matrix in kernel.matrices]
        if self.flip:
            found = [np.flip(matrix) for matrix in found]
        if found[0].ndim == 1:
            raise ArgumentError(
                f"kernel {kernel.name!r} has 1 axis; say where it lies with `along='rows'` or columns"
            )
        return found


def _centred(matrix: Array, anchor: tuple[int, ...]) -> Array:
    """Put zeros around a matrix so that the anchor is in its middle, where padding `same` has it."""
    import numpy as np

    pads = []
    for n, a in zip(matrix.shape, anchor, strict=True):
        side = 2 * max(a, n - 1 - a) + 1
        before = side // 2 - a
        pads.append((before, side - n - before))
    return np.pad(matrix, pads)
