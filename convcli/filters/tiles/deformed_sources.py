"""Deformable convolutions as sources: every tap samples its own position by bilinear interpolation."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.filters.stages.offsets import Moves
from convcli.filters.tiles.source_borders import Border, bordered
from convcli.filters.tiles.sources import Region, Source
from convcli.layers import DeformConv

Array = NDArray[Any]


class Deformed(Source):
    """A deformable convolution, or with `nearest` the pixel nearest to the position of its middle tap."""

    def __init__(
        self,
        layer: DeformConv,
        source: Source,
        arrays: Mapping[str, Any],
        border: Border,
        _: str = "auto",
        *,
        nearest: bool = False,
    ) -> None:
        """Initialise with the weight (O, C / groups, *kernel_size), the offsets, and an optional bias."""
        self.layer, self.source, self.border = layer, source, border
        self.moves: Moves = arrays["offset"]
        self.nearest = nearest
        self.pads = layer.pads(source.size)
        self.taps = list(np.ndindex(*layer.kernel_size))
        self.bias = None if nearest else arrays.get("bias")
        channels = source.shape[0]
        if not nearest:
            self.factors = [
                _factor(np.asarray(arrays["weight"])[(..., *tap)], layer.groups, channels, source.dtype)
                for tap in self.taps
            ]
            channels = channels if layer.out_channels == layer.in_channels == 1 else layer.out_channels
        super().__init__((channels, *layer.output_size(source.size)), source.dtype)

    def read(self, region: Region) -> Array:
        """Compute a region."""
        moves = self.moves.at(region)  # (taps or 1, 2, *region)
        if self.nearest:
            tap = len(self.taps) // 2
            return self._nearest(
                [self._places(moves[tap % len(moves)], region, tap, axis) for axis in (0, 1)]
            )
        total: Array | None = None
        for tap, factor in enumerate(self.factors):
            places = [self._places(moves[tap % len(moves)], region, tap, axis) for axis in (0, 1)]
            if isinstance(factor, float) and factor == 0:
                continue  # 0 times infinity is no NaN here
            part = _weighed(self._between(places), factor)
            total = part if total is None else np.add(total, part, out=total)
        if total is None:
            total = np.zeros((*(each.stop - each.start for each in region), self.shape[0]), self.dtype)
        return total if self.bias is None else total + np.asarray(self.bias, total.dtype)

    def _places(self, moves: Array, region: Region, tap: int, axis: int) -> Array:
        """Return the coordinates of a tap along one axis, (rows, columns), folded into the source by the mode."""
        layer, n = self.layer, self.source.size[axis]
        step = layer.stride[axis] if self.size[axis] > 1 else 1
        line = np.arange(region[axis].start, region[axis].stop) * step - self.pads[axis][0]
        line = line + self.taps[tap][axis] * layer.dilation[axis]
        still = line[:, np.newaxis] if axis == 0 else line[np.newaxis]
        return folded(moves[axis] + still, n, self.border.mode)

    def _between(self, places: list[Array]) -> Array:
        """Interpolate between the four pixels around each position; outside, the border's values are used."""
        low, share = [], []
        lost = np.zeros(places[0].shape, bool)
        for line, n in zip(places, self.source.size, strict=True):
            lost |= np.isnan(line)
            near = line.clip(-1, n) if self.border.is_plain else line
            floor = np.floor(near)
            share.append(near - floor)
            low.append(np.where(np.isnan(floor), 0, floor).astype(np.intp))
        reach = tuple(slice(int(each.min()), int(each.max()) + 2) for each in low)
        # In the other modes, coordinates were folded into the source; a neighbour beyond its end has weight 0.
        kept = self.border.is_plain or self.border.mode == "circular"
        values = bordered(self.source, reach, self.border if kept else Border())
        width, channels = values.shape[1], values.shape[2]
        flat = values.reshape(-1, channels)
        first = (low[0] - reach[0].start) * width + (low[1] - reach[1].start)
        down, across = (each.astype(values.dtype)[..., np.newaxis] for each in share)
        blend = _blended if np.isfinite(flat).all() else _blended_apart
        upper = blend(flat.take(first, axis=0), flat.take(first + 1, axis=0), across)
        lower = blend(flat.take(first + width, axis=0), flat.take(first + width + 1, axis=0), across)
        upper = blend(upper, lower, down)
        if lost.any():
            upper[lost] = np.nan
        return upper

    def _nearest(self, places: list[Array]) -> Array:
        """Return the nearest pixel to each position."""
        index, hidden = [], np.zeros(places[0].shape, bool)
        for line, n in zip(places, self.source.size, strict=True):
            if self.border.is_plain:
                hidden |= (line <= -0.5) | (line >= n - 0.5)
            index.append(np.rint(np.nan_to_num(line)).astype(np.intp).clip(0, n) % n)
        values = self.source.read(tuple(slice(int(each.min()), int(each.max()) + 1) for each in index))
        found: Array = values[tuple(each - each.min() for each in index)]
        if hidden.any():
            found[hidden] = self.border.value
        return found


def _blended(low: Array, high: Array, share: Array) -> Array:
    """Interpolate linearly between finite values, which may be overwritten; `share` is the weight of the second."""
    high -= low
    high *= share
    low += high
    return low


def _blended_apart(low: Array, high: Array, share: Array) -> Array:
    """Interpolate likewise between values that may be infinite or NaN, which count for nothing if their weight is 0."""
    return _product(low, 1 - share) + _product(high, share)


def _product(values: Array, weights: Array) -> Array:
    """Return products, which are 0 wherever the weight is."""
    products: Array = np.multiply(values, weights, where=weights != 0, out=np.zeros_like(values))
    return products


def _weighed(values: Array, factor: float | Array) -> Array:
    """Return values (rows, columns, C) times a number, or times a matrix (C, O)."""
    if not isinstance(factor, np.ndarray):
        return values if factor == 1 else values * factor
    if np.isfinite(values).all():
        mixed: Array = values @ factor
        return mixed
    found = np.zeros((*values.shape[:-1], factor.shape[1]), values.dtype)
    for channel, weights in enumerate(factor):
        used = np.flatnonzero(weights)
        found[..., used] += values[..., channel : channel + 1] * weights[used]
    return found


def _factor(weight: Array, groups: int, channels: int, dtype: np.dtype[Any]) -> float | Array:
    """Return a tap's weights (O, C / groups) as one number if all channels have the same, otherwise as (C, O)."""
    if weight.shape == (1, 1) or (groups == channels == len(weight) and (weight == weight[0]).all()):
        return float(weight[0, 0])
    each, outputs = channels // groups, len(weight) // groups
    matrix = np.zeros((channels, len(weight)), dtype)
    for group in range(groups):
        made = slice(group * outputs, (group + 1) * outputs)
        matrix[group * each : (group + 1) * each, made] = weight[made].T
    return matrix


def folded(places: Array, n: int, mode: str) -> Array:
    """Map coordinates outside an axis of n elements to those with the same value inside; not for `zeros`."""
    if mode in ("zeros", "constant") or (places.min() >= 0 and places.max() <= n - 1):
        return places
    if mode == "circular":
        return places % n
    if mode == "reflect":
        period = max(1, 2 * (n - 1))
        places = places % period
        places = np.minimum(places, period - places)
    elif mode == "symmetric":
        places = (places + 0.5) % (2 * n)
        places = np.minimum(places, 2 * n - places) - 0.5
    return places.clip(0, n - 1)
