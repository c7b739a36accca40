"""Layers as sources: a region of the output is computed from the region of the input that its windows cover."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli import backend
from convcli.backend.algorithms.slide import Slide
from convcli.backend.bands.shifts import as_items
from convcli.backend.checks import check_room
from convcli.filters.tiles.deformed_sources import Deformed
from convcli.filters.tiles.source_borders import Border, bordered
from convcli.filters.tiles.sources import Mapped, Region, Source
from convcli.filters.tiles.transposed_sources import Spread
from convcli.filters.tiles.weighing import weighted_sums
from convcli.layers import (
    ChannelShuffle,
    Conv,
    ConvTranspose,
    DeformConv,
    Layer,
    LocalConv,
    Resize,
    TiledConv,
    Window,
)
from convcli.layers.axes import Sizes
from convcli.layers.padding import span

Array = NDArray[Any]
Arrays = Mapping[str, Any]  # arrays of one layer, by the argument names of its operator


def layered(layer: Layer, source: Source, arrays: Arrays, border: Border, method: str = "auto") -> Source:
    """Return the output of a layer for a source that is extended by the border.

    A layer with one channel is applied to every channel.
    """
    kind = LAYERED.get(type(layer))
    if kind is None:
        raise TypeError(f"no source for the layer {type(layer).__name__}")
    return kind(layer, source, arrays, border, method)


class Windowed(Source):
    """Base class of layers with a sliding window."""

    def __init__(self, layer: Window, source: Source, border: Border, channels: int) -> None:
        super().__init__((channels, *layer.output_size(source.size)), source.dtype)
        self.source, self.border = source, border
        self.slide = Slide.of(layer, source.size)
        pads = layer.pads(source.size)
        self.before = [before for before, _ in pads]
        padded = [n + before + after for n, (before, after) in zip(source.size, pads, strict=True)]
        check_room("the padded picture", (source.shape[0], *padded), source.dtype)

    def seen(self, region: Region, slide: Slide | None = None, first: Sequence[int] | None = None) -> Array:
        """Return the input of the windows of a region.

        slide, first : for a kernel that is a part of the layer's, its walk and its first tap on each axis
        """
        slide = slide or self.slide
        reach = []
        for axis, places in enumerate(slide.reach(region)):
            start = (first[axis] * slide.dilation[axis] if first else 0) - self.before[axis]
            reach.append(slice(places.start + start, places.stop + start))
        return bordered(self.source, tuple(reach), self.border)


class Seen(Windowed):
    """The input values that the windows of a layer cover, for each region of its output."""

    def __init__(self, layer: Window, source: Source, border: Border) -> None:
        super().__init__(layer, source, border, source.shape[0])

    def read(self, region: Region) -> Array:
        """Return the values of a region."""
        return self.seen(region)


class Convolved(Windowed):
    """A convolution."""

    def __init__(self, layer: Conv, source: Source, arrays: Arrays, border: Border, method: str) -> None:
        """Initialise with the arrays of the layer: weight, and an optional bias."""
        channels, slide = source.shape[0], Slide.of(layer, source.size)
        self.weigh = weighted_sums(
            np.asarray(arrays["weight"]), layer.groups, channels, slide, method, source.dtype
        )
        self.bias = arrays.get("bias")
        super().__init__(layer, source, border, self.weigh.outputs)

    def read(self, region: Region) -> Array:
        """Compute a region."""
        values = self.weigh(self.seen(region, self.weigh.slide, self.weigh.first))
        return values if self.bias is None else values + np.asarray(self.bias, values.dtype)


class Resized(Source):
    """A nearest-neighbour resize."""

    def __init__(self, layer: Resize, source: Source, *_: Any) -> None:
        super().__init__((source.shape[0], *layer.output_shape(source.shape)[1:]), source.dtype)
        if layer.mode != "nearest":
            raise TypeError(f"no source for resizing by {layer.mode}")
        self.source = source

    def read(self, region: Region) -> Array:
        """Copy a region."""
        index = [
            np.arange(places.start, places.stop) * n // count
            for places, n, count in zip(region, self.source.size, self.size, strict=True)
        ]
        values = self.source.read(tuple(slice(int(each[0]), int(each[-1]) + 1) for each in index))
        for axis, each in enumerate(index):
            if len(each) != values.shape[axis] or (np.diff(each) != 1).any():
                values = values.take(each - each[0], axis=axis)
        return values


class Unshared(Windowed):
    """A local convolution; its weights may be a memory-mapped file."""

    def __init__(self, layer: LocalConv, source: Source, arrays: Arrays, border: Border, _: str) -> None:
        """Initialise with the weight (O, *output, C, *kernel_size), and an optional bias."""
        self.weight, self.bias = arrays["weight"], arrays.get("bias")
        self.each = layer.in_channels == 1 != source.shape[0]
        super().__init__(layer, source, border, source.shape[0] if self.each else layer.out_channels)

    def read(self, region: Region) -> Array:
        """Compute a region."""
        values = np.moveaxis(self.seen(region), -1, 0)
        values = values[:, np.newaxis] if self.each else values[np.newaxis]
        own = np.asarray(self.weight[(slice(None), *region)], values.dtype)
        bias = self.bias
        if bias is not None and np.ndim(bias) > 1:
            bias = bias[(slice(None), *region)]
        slide = self.slide
        found = backend.local_conv(values, own, bias, stride=slide.stride, dilation=slide.dilation)
        return np.moveaxis(found[:, 0] if self.each else found[0], 0, -1).copy()


class Tiled(Windowed):
    """Kernels that alternate between output positions: each is a convolution with a larger stride."""

    def __init__(self, layer: TiledConv, source: Source, arrays: Arrays, border: Border, method: str) -> None:
        """Initialise with the weight (*tile, O, C, *kernel_size), and an optional bias (*tile, O)."""
        weight, channels = np.asarray(arrays["weight"]), source.shape[0]
        dims = len(layer.kernel_size)
        each = layer.in_channels == 1 != channels
        super().__init__(layer, source, border, channels if each else layer.out_channels)
        self.tile, self.bias = weight.shape[:dims], arrays.get("bias")
        strides = tuple(s * phases for s, phases in zip(self.slide.stride, self.tile, strict=True))
        self.walk = replace(self.slide, stride=strides)
        self.phases = {
            phase: weighted_sums(weight[phase], 1, channels, self.walk, method, source.dtype)
            for phase in np.ndindex(*self.tile)
        }

    def read(self, region: Region) -> Array:
        """Compute a region, kernel by kernel."""
        out = np.empty((*(places.stop - places.start for places in region), self.shape[0]), self.dtype)
        values = self.seen(region)
        for phase, weigh in self.phases.items():
            targets, seen = [], []
            for axis, places in enumerate(region):
                first = (phase[axis] - places.start) % self.tile[axis]
                count = len(range(first, places.stop - places.start, self.tile[axis]))
                start = first * self.slide.stride[axis] + weigh.first[axis] * self.slide.dilation[axis]
                length = (count - 1) * weigh.slide.stride[axis] + weigh.slide.spans[axis]
                targets.append(slice(first, None, self.tile[axis]))
                seen.append(slice(start, start + length))
            if not out[tuple(targets)].size:
                continue
            made = weigh(np.ascontiguousarray(values[tuple(seen)]))
            if self.bias is not None:
                made = made + np.asarray(self.bias[phase], made.dtype)
            as_items(out)[tuple(targets)] = as_items(np.ascontiguousarray(made))
        return out


def _shuffled(layer: ChannelShuffle, source: Source, *_: Any) -> Source:
    """Return a source with shuffled channels."""
    order = np.arange(source.shape[0]).reshape(layer.groups, -1).T.ravel()
    return Mapped(lambda values: values[..., order], source)


LAYERED: dict[type[Layer], Callable[..., Source]] = {
    Conv: Convolved,
    ConvTranspose: Spread,
    DeformConv: Deformed,
    LocalConv: Unshared,
    TiledConv: Tiled,
    Resize: Resized,
    ChannelShuffle: _shuffled,
}


def carried(
    layer: Layer, source: Source, arrays: Arrays, border: Border, anchor: Sizes | None = None
) -> Source:
    """Return the pixel at the centre (or anchor) of the receptive field of each output of a layer."""
    if isinstance(layer, Resize):
        return Resized(replace(layer, mode="nearest"), source)
    if isinstance(layer, ConvTranspose):
        return _Around(layer, source)
    if isinstance(layer, DeformConv):
        return Deformed(layer, source, arrays, border, nearest=True)
    if not isinstance(layer, Window):
        return source
    return _Middles(layer, source, border, anchor)


class _Middles(Windowed):
    """The pixel at the centre of each window, or at the anchor."""

    def __init__(self, layer: Window, source: Source, border: Border, anchor: Sizes | None) -> None:
        super().__init__(layer, source, border, source.shape[0])
        behind = layer.padding == "same-lower"
        places = []
        for axis, (k, d) in enumerate(zip(self.slide.kernel_size, self.slide.dilation, strict=True)):
            reach = span(k, d)
            places.append(reach // 2 if behind else (reach - 1) // 2)
            if anchor is not None:
                places[-1] = min(anchor[axis], k - 1) * d
        ones = (1,) * len(places)
        self.walk = Slide(ones, self.slide.stride, ones, self.slide.output_size)
        self.before = [before - place for before, place in zip(self.before, places, strict=True)]

    def read(self, region: Region) -> Array:
        """Return the values of a region."""
        values = self.seen(region, self.walk)
        return values[tuple(slice(None, None, s) for s in self.walk.stride)]


class _Around(Source):
    """The input pixel at the centre of the transposed convolution's kernel, for each output."""

    def __init__(self, layer: ConvTranspose, source: Source) -> None:
        super().__init__((source.shape[0], *layer.output_size(source.size)), source.dtype)
        self.source, self.layer = source, layer

    def read(self, region: Region) -> Array:
        """Return the values of a region."""
        index = list(self._index(region))
        values = self.source.read(tuple(slice(int(each[0]), int(each[-1]) + 1) for each in index))
        for axis, each in enumerate(index):
            values = values.take(each - each[0], axis=axis)
        return values

    def _index(self, region: Region) -> Iterator[Array]:
        layer = self.layer
        axes = zip(
            region,
            self.source.size,
            layer.kernel_size,
            layer.stride,
            layer.dilation,
            layer.pads(self.source.size),
            strict=True,
        )
        for places, n, k, s, d, (before, _) in axes:
            twice = 2 * (np.arange(places.start, places.stop) + before) - (span(k, d) - 1)
            yield ((twice + s) // (2 * s)).clip(0, n - 1)
