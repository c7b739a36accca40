"""Layers as sources: what a layer makes of a region, from the region of its input that its windows look at."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from convcli import backend
from convcli.backend.bands.shifts import as_items
from convcli.backend.checks import check_room
from convcli.backend.plan import Slide, last_axes
from convcli.filters.tiles.deformed_sources import Deformed
from convcli.filters.tiles.sources import Mapped, Region, Source, bordered
from convcli.filters.tiles.weighing import Weigher, weigher
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
Arrays = Mapping[str, Any]  # of one layer, by its operator's names

NEAR = 1 << 12  # elements: taps of a transposed convolution that are further apart are weighed one by one


def layered(
    layer: Layer, source: Source, arrays: Arrays, mode: str, outside: float, method: str = "auto"
) -> Source:
    """Return what a layer makes of a source, which goes on beyond its border as `mode` says.

    A layer of one channel is applied to every channel.
    """
    kind = LAYERED.get(type(layer))
    if kind is None:
        raise TypeError(f"no source for the layer {type(layer).__name__}")
    return kind(layer, source, arrays, mode, outside, method)


class Windowed(Source):
    """What windows see that slide over a source: the base of layers with one."""

    def __init__(self, layer: Window, source: Source, mode: str, outside: float, channels: int) -> None:
        super().__init__((channels, *layer.output_size(source.size)), source.dtype)
        self.source, self.mode, self.outside = source, mode, outside
        self.slide = Slide.of(layer, source.size)
        pads = layer.pads(source.size)
        self.before = [before for before, _ in pads]
        padded = [n + before + after for n, (before, after) in zip(source.size, pads, strict=True)]
        check_room("the padded picture", (source.shape[0], *padded), source.dtype)

    def seen(self, region: Region, slide: Slide | None = None, first: Sequence[int] | None = None) -> Array:
        """Return what the windows of a region see; those of a kernel within the layer's, `first` taps behind."""
        slide = slide or self.slide
        reach = []
        for axis, places in enumerate(slide.reach(region)):
            start = (first[axis] * slide.dilation[axis] if first else 0) - self.before[axis]
            reach.append(slice(places.start + start, places.stop + start))
        return bordered(self.source, tuple(reach), self.mode, self.outside)


class Convolved(Windowed):
    """A convolution."""

    def __init__(
        self, layer: Conv, source: Source, arrays: Arrays, mode: str, outside: float, method: str
    ) -> None:
        """Take the arrays of the layer: weight, and bias where there is one."""
        channels, slide = source.shape[0], Slide.of(layer, source.size)
        self.weigh = weigher(
            np.asarray(arrays["weight"]), layer.groups, channels, slide, method, source.dtype
        )
        self.bias = arrays.get("bias")
        super().__init__(layer, source, mode, outside, self.weigh.outputs)

    def __call__(self, region: Region) -> Array:
        """Compute a region."""
        values = self.weigh(self.seen(region, self.weigh.slide, self.weigh.first))
        return values if self.bias is None else values + np.asarray(self.bias, values.dtype)


class Spread(Source):
    """A transposed convolution: each of the outputs that take turns is a small convolution of its own."""

    def __init__(
        self, layer: ConvTranspose, source: Source, arrays: Arrays, mode: str, outside: float, method: str
    ) -> None:
        """Take the weight (C, O / groups, *kernel_size), and bias where there is one."""
        weight, channels = np.asarray(arrays["weight"]), source.shape[0]
        self.source, self.mode, self.outside = source, mode, outside
        self.bias = arrays.get("bias")
        self.stride = layer.stride
        self.before = [before for before, _ in layer.pads(source.size)]
        axes = [
            _turns(k, s, d) for k, s, d in zip(layer.kernel_size, layer.stride, layer.dilation, strict=True)
        ]
        swapped = _swapped(weight, layer.groups)
        size = layer.output_size(source.size)
        ones = (1,) * len(size)
        self.turns: list[tuple[Sizes, list[_Part]]] = []
        for turn in product(*(range(s) for s in layer.stride)):
            taps = [axes[axis][place] for axis, place in enumerate(turn)]
            parts = []
            for chosen in _near_each_other(taps):
                behind = tuple(max(place for _, place in each) for each in chosen)
                spans = tuple(
                    last - min(place for _, place in each) + 1
                    for last, each in zip(behind, chosen, strict=True)
                )
                own = np.zeros((*swapped.shape[:2], *spans))
                for choice in product(*chosen):
                    # The tap meets the element so many places before the last of the window.
                    where = (last - place for last, (_, place) in zip(behind, choice, strict=True))
                    own[last_axes(where)] = swapped[last_axes(tap for tap, _ in choice)]
                slide = Slide(spans, ones, ones, size)
                weigh = weigher(own, layer.groups, channels, slide, method, source.dtype)
                parts.append(_Part(behind, weigh))
            self.turns.append((turn, parts))
        alike = layer.out_channels == 1 == layer.in_channels
        super().__init__((channels if alike else layer.out_channels, *size), source.dtype)

    def __call__(self, region: Region) -> Array:
        """Compute a region, each turn into its places."""
        out = np.empty((*(places.stop - places.start for places in region), self.shape[0]), self.dtype)
        self._look_at(region)
        for turn, parts in self.turns:
            targets, lasts = [], []
            for axis, places in enumerate(region):
                s, before = self.stride[axis], self.before[axis]
                first = (turn[axis] - places.start - before) % s
                targets.append(slice(first, None, s))
                # The element that the first of these outputs looks at last; one more for each of the others.
                start, count = (places.start + first + before) // s, len(range(first, out.shape[axis], s))
                lasts.append(slice(start, start + count))
            if not all(place.stop > place.start for place in lasts):
                continue
            if not parts:
                out[tuple(targets)] = 0
                continue
            made = parts[0](self._met(lasts, parts[0]))
            for part in parts[1:]:
                made = made + part(self._met(lasts, part))
            as_items(out)[tuple(targets)] = as_items(np.ascontiguousarray(made))
        return out if self.bias is None else np.add(out, np.asarray(self.bias, out.dtype), out=out)

    def _look_at(self, region: Region) -> None:
        """Ask once for all that the turns look at, so that they find it there."""
        parts = [part for _, parts in self.turns for part in parts]
        reach = []
        for axis, places in enumerate(region):
            s, before = self.stride[axis], self.before[axis]
            behind = max((part.behind[axis] for part in parts), default=0)
            start, stop = (places.start + before) // s - behind, (places.stop - 1 + before) // s + 1
            reach.append(slice(max(0, start), min(self.source.size[axis], stop)))
        if all(places.start < places.stop <= places.start + NEAR for places in reach):
            self.source(tuple(reach))

    def _met(self, lasts: list[slice], part: "_Part") -> Array:
        """Return what a part looks at for outputs whose last elements these are."""
        reach = []
        for axis, places in enumerate(lasts):
            start = places.start - part.behind[axis] + part.weigh.first[axis]
            length = places.stop - places.start - 1 + part.weigh.slide.spans[axis]
            reach.append(slice(start, start + length))
        return np.ascontiguousarray(bordered(self.source, tuple(reach), self.mode, self.outside))


class _Part(NamedTuple):
    """Taps of a transposed convolution that lie near each other, as a small convolution.

    behind : how many elements before the last one the first tap looks, on each axis
    """

    behind: Sizes
    weigh: Weigher

    def __call__(self, values: Array) -> Array:
        """Weigh what the taps look at."""
        return self.weigh(values)


def _near_each_other(taps: list[list[tuple[int, int]]]) -> Iterator[list[list[tuple[int, int]]]]:
    """Yield taps that are one convolution: all of each axis, or one by one where they are far apart."""
    if not all(taps):
        return
    if all(max(place for _, place in each) - min(place for _, place in each) < NEAR for each in taps):
        yield taps
        return
    for choice in product(*taps):
        yield [[each] for each in choice]


def _turns(k: int, s: int, d: int) -> list[list[tuple[int, int]]]:
    """Return, for each of s outputs that take turns, the taps that reach it, and how many elements back each looks."""
    return [[(tap, tap * d // s) for tap in range(k) if tap * d % s == turn] for turn in range(s)]


def _swapped(weight: Array, groups: int) -> Array:
    """Return weights (C, O / groups, *k) as those of a convolution, (O, C / groups, *k)."""
    channels, outputs, *kernel = weight.shape
    grouped = weight.reshape(groups, channels // groups, outputs, *kernel)
    return grouped.swapaxes(1, 2).reshape(groups * outputs, channels // groups, *kernel)


class Resized(Source):
    """A picture stretched or shrunk."""

    def __init__(self, layer: Resize, source: Source, *_: Any) -> None:
        super().__init__((source.shape[0], *layer.output_shape(source.shape)[1:]), source.dtype)
        if layer.mode != "nearest":
            raise TypeError(f"no source for resizing by {layer.mode}")
        self.source = source

    def __call__(self, region: Region) -> Array:
        """Copy a region."""
        index = [
            np.arange(places.start, places.stop) * n // count
            for places, n, count in zip(region, self.source.size, self.size, strict=True)
        ]
        values = self.source(tuple(slice(int(each[0]), int(each[-1]) + 1) for each in index))
        for axis, each in enumerate(index):
            if len(each) != values.shape[axis] or (np.diff(each) != 1).any():
                values = values.take(each - each[0], axis=axis)
        return values


class Unshared(Windowed):
    """A kernel of its own for each place; the weights may be a file that is read as it is needed."""

    def __init__(
        self, layer: LocalConv, source: Source, arrays: Arrays, mode: str, outside: float, _: str
    ) -> None:
        """Take the weight (O, *output, C, *kernel_size), and bias where there is one."""
        self.weight, self.bias = arrays["weight"], arrays.get("bias")
        self.each = layer.in_channels == 1 != source.shape[0]
        super().__init__(layer, source, mode, outside, source.shape[0] if self.each else layer.out_channels)

    def __call__(self, region: Region) -> Array:
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
    """Kernels that take turns from place to place: each is a convolution with longer strides."""

    def __init__(
        self, layer: TiledConv, source: Source, arrays: Arrays, mode: str, outside: float, method: str
    ) -> None:
        """Take the weight (*tile, O, C, *kernel_size), and bias (*tile, O) where there is one."""
        weight, channels = np.asarray(arrays["weight"]), source.shape[0]
        dims = len(layer.kernel_size)
        each = layer.in_channels == 1 != channels
        super().__init__(layer, source, mode, outside, channels if each else layer.out_channels)
        self.tile, self.bias = weight.shape[:dims], arrays.get("bias")
        strides = tuple(s * turns for s, turns in zip(self.slide.stride, self.tile, strict=True))
        self.walk = replace(self.slide, stride=strides)
        self.turns = {
            turn: weigher(weight[turn], 1, channels, self.walk, method, source.dtype)
            for turn in np.ndindex(*self.tile)
        }

    def __call__(self, region: Region) -> Array:
        """Compute a region, each turn into its places."""
        out = np.empty((*(places.stop - places.start for places in region), self.shape[0]), self.dtype)
        values = self.seen(region)
        for turn, weigh in self.turns.items():
            targets, seen = [], []
            for axis, places in enumerate(region):
                first = (turn[axis] - places.start) % self.tile[axis]
                count = len(range(first, places.stop - places.start, self.tile[axis]))
                start = first * self.slide.stride[axis] + weigh.first[axis] * self.slide.dilation[axis]
                length = (count - 1) * weigh.slide.stride[axis] + weigh.slide.spans[axis]
                targets.append(slice(first, None, self.tile[axis]))
                seen.append(slice(start, start + length))
            if not out[tuple(targets)].size:
                continue
            made = weigh(np.ascontiguousarray(values[tuple(seen)]))
            if self.bias is not None:
                made = made + np.asarray(self.bias[turn], made.dtype)
            as_items(out)[tuple(targets)] = as_items(np.ascontiguousarray(made))
        return out


def _shuffled(layer: ChannelShuffle, source: Source, *_: Any) -> Source:
    """Return channels that change places: those of each group, one after the other."""
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
    layer: Layer, source: Source, arrays: Arrays, mode: str, outside: float, anchor: Sizes | None = None
) -> Source:
    """Return the pixels of a source in the middle, or under the anchor, of what each output of a layer sees."""
    if isinstance(layer, Resize):
        return Resized(replace(layer, mode="nearest"), source)
    if isinstance(layer, ConvTranspose):
        return _Around(layer, source)
    if isinstance(layer, DeformConv):
        return Deformed(layer, source, arrays, mode, outside, nearest=True)
    if not isinstance(layer, Window):
        return source
    return _Middles(layer, source, mode, outside, anchor)


class _Middles(Windowed):
    """The pixel in the middle of each window, or under the anchor."""

    def __init__(
        self, layer: Window, source: Source, mode: str, outside: float, anchor: Sizes | None
    ) -> None:
        super().__init__(layer, source, mode, outside, source.shape[0])
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

    def __call__(self, region: Region) -> Array:
        """Look at a region."""
        values = self.seen(region, self.walk)
        return values[tuple(slice(None, None, s) for s in self.walk.stride)]


class _Around(Source):
    """The input around which the kernel of a transposed convolution lies, for each output."""

    def __init__(self, layer: ConvTranspose, source: Source) -> None:
        super().__init__((source.shape[0], *layer.output_size(source.size)), source.dtype)
        self.source, self.layer = source, layer

    def __call__(self, region: Region) -> Array:
        """Look at a region."""
        index = list(self._index(region))
        values = self.source(tuple(slice(int(each[0]), int(each[-1]) + 1) for each in index))
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
