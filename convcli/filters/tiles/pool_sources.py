"""Pools as sources."""

from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.backend.adaptive import reduce_windows, windows_of
from convcli.backend.algorithms.slide import Slide
from convcli.backend.pool_windows import window_counts
from convcli.filters.tiles.source_borders import Border, bordered
from convcli.filters.tiles.sources import Region, Source
from convcli.layers import AdaptivePool, AvgPool, GlobalPool, LpPool, MaxPool

Array = NDArray[Any]
AnyPool = MaxPool | AvgPool | LpPool | AdaptivePool | GlobalPool

SAMPLES = 1 << 20  # reduced at a time


def pooled(layer: AnyPool, source: Source) -> Source:
    """Return the pool of each channel of a source."""
    if isinstance(layer, AdaptivePool | GlobalPool):
        return _Shares(layer, source)
    return _Pooled(layer, source)


class _Pooled(Source):
    """A pool with sliding windows."""

    def __init__(self, layer: MaxPool | AvgPool | LpPool, source: Source) -> None:
        output = layer.output_size(source.size)
        super().__init__((source.shape[0], *output), source.dtype)
        self.layer, self.source, self.slide = layer, source, Slide.of(layer, source.size)
        self.before = [before for before, _ in layer.pads(source.size)]
        self.border = Border("constant", -np.inf if isinstance(layer, MaxPool) else 0.0)
        self.power = float(layer.norm_type) if isinstance(layer, LpPool) else None
        self.counts: list[Array] = []
        if isinstance(layer, AvgPool):
            self.counts = window_counts(layer, source.size, output, layer.count_include_pad)

    def read(self, region: Region) -> Array:
        """Compute a region."""
        reach = tuple(
            slice(places.start - before, places.stop - before)
            for places, before in zip(self.slide.reach(region), self.before, strict=True)
        )
        values = bordered(self.source, reach, self.border)
        if self.power is not None:
            return self._norm(np.abs(values), self.power)
        if not self.counts:
            return self._reduced(np.maximum, values)
        sums = self._reduced(np.add, values)
        for axis, (counts, places) in enumerate(zip(self.counts, region, strict=True)):
            each = counts[places].astype(sums.dtype).reshape(-1, *(1,) * (sums.ndim - 1 - axis))
            sums = np.divide(sums, each, out=sums)
        return sums

    def _norm(self, sizes: Array, power: float) -> Array:
        if power == np.inf:
            return self._reduced(np.maximum, sizes)
        if power == 1:
            return self._reduced(np.add, sizes)
        if power == 2:
            sums = self._reduced(np.add, np.square(sizes))
            return np.sqrt(sums, out=sums)
        root: Array = self._reduced(np.add, sizes**power) ** (1 / power)
        return root

    def _reduced(self, operation: np.ufunc, values: Array) -> Array:
        """Reduce the windows axis by axis and tap by tap."""
        for axis, (k, s, d) in enumerate(
            zip(self.slide.kernel_size, self.slide.stride, self.slide.dilation, strict=True)
        ):
            count = (values.shape[axis] - (k - 1) * d - 1) // s + 1
            before = (slice(None),) * axis
            elements = [
                values[(*before, slice(tap * d, tap * d + (count - 1) * s + 1, s))] for tap in range(k)
            ]
            reduced = elements[0].copy() if k == 1 else operation(elements[0], elements[1])
            for more in elements[2:]:
                operation(reduced, more, out=reduced)
            values = reduced
        return values


class _Shares(Source):
    """An adaptive or global pool, whose windows partition the input."""

    def __init__(self, layer: AdaptivePool | GlobalPool, source: Source) -> None:
        counts = layer.output_size if isinstance(layer, AdaptivePool) else (1,) * len(source.size)
        super().__init__((source.shape[0], *counts), source.dtype)
        self.source, self.mean = source, layer.kind == "avg"

    def read(self, region: Region) -> Array:
        """Compute a region: large windows one at a time and in chunks of rows, small windows together."""
        axes = [
            tuple(ends[places] for ends in windows_of(n, count))
            for places, n, count in zip(region, self.source.size, self.size, strict=True)
        ]
        reach = tuple(slice(int(starts[0]), int(ends[-1])) for starts, ends in axes)
        if self._samples(reach) <= SAMPLES:
            return self._together(axes, reach)
        out = np.empty((*(len(starts) for starts, _ in axes), self.shape[0]), self.dtype)
        for place in np.ndindex(*out.shape[:-1]):
            ends = (
                slice(int(starts[number]), int(stops[number]))
                for (starts, stops), number in zip(axes, place, strict=True)
            )
            out[place] = self._window(tuple(ends))
        return out

    def _samples(self, region: Region) -> int:
        return int(self.shape[0] * prod(places.stop - places.start for places in region))

    def _together(self, axes: list[tuple[Array, ...]], reach: Region) -> Array:
        """Reduce axis by axis."""
        values = self.source.read(reach)
        operation = np.add if self.mean else np.maximum
        for axis, (starts, ends) in enumerate(axes):
            first = starts[0]
            values = reduce_windows(operation, values, axis, starts - first, ends - first, self.mean)
        return values

    def _window(self, ends: Region) -> Array:
        """Return the mean or maximum of one window in each channel."""
        rows = max(1, SAMPLES // self._samples((slice(0, 1), *ends[1:])))
        operation = np.add if self.mean else np.maximum
        found: Array | None = None
        for start in range(ends[0].start, ends[0].stop, rows):
            values = self.source.read((slice(start, min(ends[0].stop, start + rows)), *ends[1:]))
            part = operation.reduce(values, axis=tuple(range(values.ndim - 1)), dtype=values.dtype)
            found = part if found is None else operation(found, part)
        assert found is not None
        count = self._samples(ends) // self.shape[0]
        return found / found.dtype.type(count) if self.mean else found
