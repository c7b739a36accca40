"""Transposed convolutions as sources: the outputs of each phase of the stride are a small convolution."""

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from convcli.backend.algorithms.slide import Slide, last_axes
from convcli.backend.bands.shifts import as_items
from convcli.filters.tiles.source_borders import Border, bordered
from convcli.filters.tiles.sources import Region, Source
from convcli.filters.tiles.weighing import WeightedSums, weighted_sums
from convcli.layers import ConvTranspose
from convcli.layers.axes import Sizes

Array = NDArray[Any]
Arrays = Mapping[str, Any]  # arrays of one layer, by the argument names of its operator

NEAR = 1 << 12  # elements; taps of a transposed convolution that are further apart are applied one by one


class Spread(Source):
    """A transposed convolution, computed as one small convolution for each phase of the stride."""

    def __init__(
        self, layer: ConvTranspose, source: Source, arrays: Arrays, border: Border, method: str
    ) -> None:
        """Initialise with the weight (C, O / groups, *kernel_size), and an optional bias."""
        weight, channels = np.asarray(arrays["weight"]), source.shape[0]
        self.source, self.border = source, border
        self.bias = arrays.get("bias")
        self.stride = layer.stride
        self.before = [before for before, _ in layer.pads(source.size)]
        axes = [
            _phases(k, s, d) for k, s, d in zip(layer.kernel_size, layer.stride, layer.dilation, strict=True)
        ]
        swapped = _swapped(weight, layer.groups)
        size = layer.output_size(source.size)
        ones = (1,) * len(size)
        self.phases: list[tuple[Sizes, list[_Part]]] = []
        for phase in product(*(range(s) for s in layer.stride)):
            taps = [axes[axis][place] for axis, place in enumerate(phase)]
            parts = []
            for chosen in _near_each_other(taps):
                behind = tuple(max(place for _, place in each) for each in chosen)
                spans = tuple(
                    last - min(place for _, place in each) + 1
                    for last, each in zip(behind, chosen, strict=True)
                )
                own = np.zeros((*swapped.shape[:2], *spans))
                for choice in product(*chosen):
                    # The tap is applied to the element `place` positions before the last of the window.
                    where = (last - place for last, (_, place) in zip(behind, choice, strict=True))
                    own[last_axes(where)] = swapped[last_axes(tap for tap, _ in choice)]
                slide = Slide(spans, ones, ones, size)
                weigh = weighted_sums(own, layer.groups, channels, slide, method, source.dtype)
                parts.append(_Part(behind, weigh))
            self.phases.append((phase, parts))
        alike = layer.out_channels == 1 == layer.in_channels
        super().__init__((channels if alike else layer.out_channels, *size), source.dtype)

    def read(self, region: Region) -> Array:
        """Compute a region, phase by phase."""
        out = np.empty((*(places.stop - places.start for places in region), self.shape[0]), self.dtype)
        self._look_at(region)
        for phase, parts in self.phases:
            targets, lasts = [], []
            for axis, places in enumerate(region):
                s, before = self.stride[axis], self.before[axis]
                first = (phase[axis] - places.start - before) % s
                targets.append(slice(first, None, s))
                # The last input element of the first of these outputs; it moves by one for each further output.
                start, count = (places.start + first + before) // s, len(range(first, out.shape[axis], s))
                lasts.append(slice(start, start + count))
            if not all(place.stop > place.start for place in lasts):
                continue
            if not parts:
                out[tuple(targets)] = 0
                continue
            made = parts[0](self._tap_values(lasts, parts[0]))
            for part in parts[1:]:
                made = made + part(self._tap_values(lasts, part))
            as_items(out)[tuple(targets)] = as_items(np.ascontiguousarray(made))
        return out if self.bias is None else np.add(out, np.asarray(self.bias, out.dtype), out=out)

    def _look_at(self, region: Region) -> None:
        """Request the input of all phases once, so that it is cached for each of them."""
        parts = [part for _, parts in self.phases for part in parts]
        reach = []
        for axis, places in enumerate(region):
            s, before = self.stride[axis], self.before[axis]
            behind = max((part.behind[axis] for part in parts), default=0)
            start, stop = (places.start + before) // s - behind, (places.stop - 1 + before) // s + 1
            reach.append(slice(max(0, start), min(self.source.size[axis], stop)))
        if all(places.start < places.stop <= places.start + NEAR for places in reach):
            self.source.read(tuple(reach))

    def _tap_values(self, lasts: list[slice], part: "_Part") -> Array:
        """Return the input of a part for outputs with the given last elements."""
        reach = []
        for axis, places in enumerate(lasts):
            start = places.start - part.behind[axis] + part.weigh.first[axis]
            length = places.stop - places.start - 1 + part.weigh.slide.spans[axis]
            reach.append(slice(start, start + length))
        return np.ascontiguousarray(bordered(self.source, tuple(reach), self.border))


class _Part(NamedTuple):
    """Taps of a transposed convolution that are close to each other, as a small convolution.

    behind : distance in elements from the first input to the last one, on each axis
    """

    behind: Sizes
    weigh: WeightedSums

    def __call__(self, values: Array) -> Array:
        """Apply the weights to the input of the taps."""
        return self.weigh(values)


def _near_each_other(taps: list[list[tuple[int, int]]]) -> Iterator[list[list[tuple[int, int]]]]:
    """Yield groups of taps that form one convolution: all taps, or single ones if they are far apart."""
    if not all(taps):
        return
    if all(max(place for _, place in each) - min(place for _, place in each) < NEAR for each in taps):
        yield taps
        return
    for choice in product(*taps):
        yield [[each] for each in choice]


def _phases(k: int, s: int, d: int) -> list[list[tuple[int, int]]]:
    """Return, for each of s phases, the taps that contribute to it and the distance of their inputs in elements."""
    return [[(tap, tap * d // s) for tap in range(k) if tap * d % s == phase] for phase in range(s)]


def _swapped(weight: Array, groups: int) -> Array:
    """Rearrange weights (C, O / groups, *k) to those of a convolution, (O, C / groups, *k)."""
    channels, outputs, *kernel = weight.shape
    grouped = weight.reshape(groups, channels // groups, outputs, *kernel)
    return grouped.swapaxes(1, 2).reshape(groups * outputs, channels // groups, *kernel)
