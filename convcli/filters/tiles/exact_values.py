"""Exact rounding for a single kernel: values too close to a half are computed again with exact integer sums.

The last digits of sums in float64 depend on the order in which a library adds, but whether a value is rounded up or
down must not. Exact sums use weights in units of 2^-40, as in bands. The effect of alpha is defined in `alpha_rule`;
it is computed here in integers, and in `alpha_sources` in floats.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from convcli.backend.bands.sums_to_pixels import combine
from convcli.backend.bands.units import ONE, UNIT, ExactSums, Parts, Sums, Units, windows_of
from convcli.backend.values import LEVEL_PARTS, full_scale
from convcli.filters.stages.linear_map import Linear, may_be_transformed
from convcli.filters.stages.stage import Weighted
from convcli.filters.tiles.alpha_rule import NOISE, hidden_share
from convcli.filters.tiles.layer_sources import Seen, carried
from convcli.filters.tiles.source_borders import Border
from convcli.filters.tiles.sources import Mapped, Region, Source
from convcli.layers import Conv

Array = NDArray[Any]

FINE = 2.0**8  # weights that are multiples of 1 / FINE have exact sums in float64
HALF = 16  # bits of one half of a product of a colour and its alpha
CERTAIN = 2.0**-10  # error bound in levels, below which few values need an exact sum
ROUNDINGS = 128  # bound on the rounding errors of a sum in float64, including transforms and factors


@dataclass(frozen=True)
class ExactKernel:
    """The kernel of a stage in exact units, and error bounds of its sums in float64.

    units : the weights divided by the divisor
    shares : the weights divided by their sum, for a mean
    error, share_error : error bounds of the sums of samples up to 1
    """

    stage: Weighted
    layer: Conv
    linear: Linear
    units: Units
    shares: Units | None
    error: float
    share_error: float

    @classmethod
    def of(cls, stage: Weighted, premultiply: bool) -> "ExactKernel | None":
        """Return the exact kernel of a stage with one convolution per matrix; None if floats are exact enough."""
        (layer,), linear = stage.layers, stage.maps[0]
        assert isinstance(layer, Conv), layer
        assert isinstance(linear, Linear), linear
        matrices = [_matrix(each) for each in stage.maps if isinstance(each, Linear)]
        weights = [matrix / stage.divisor for matrix in matrices]
        held = all(map(_is_whole, matrices)) or all(_is_whole(each * FINE) for each in weights)
        if held and not (premultiply and _is_transformed(linear)):
            return None  # errors of transforms are smaller than the rounding margin, unless divided by a small alpha
        value, shares, share_error = linear.padding_value, None, 0.0
        units = Units.of(weights, stage.shift, value)
        if premultiply:
            means = [matrices[0] / matrices[0].sum()]
            shares = Units.of(means, 0, 0.0)
            share_error = 0.0 if shares is None else _error(means, shares)
        if units is None or (premultiply and shares is None):
            return None
        error = _error(weights, units) * (len(weights) if stage.combine == "magnitude" else 1)
        return cls(stage, layer, linear, units, shares, error, share_error)


def _matrix(linear: Linear) -> Array:
    """Return the matrix that is applied to every channel."""
    matrix: Array = np.asarray(linear.terms[0][0]["weight"], np.float64)[0, 0]
    return matrix


def _is_transformed(linear: Linear) -> bool:
    """Return whether the method may use Fourier transforms, which are inexact even for integers."""
    if linear.method != "auto":
        return linear.method == "fft"
    return may_be_transformed(np.asarray(linear.terms[0][0]["weight"]))


def _is_whole(weights: Array) -> bool:
    return bool((weights == np.rint(weights)).all())


def _error(weights: list[Array], units: Units) -> float:
    """Return an error bound of sums in float64 by any method, for samples up to 1."""
    apart = max(float(np.abs(used - exact).sum()) for used, exact in zip(weights, units.weights, strict=True))
    most = max(float(np.abs(matrix).sum()) for matrix in units.weights)
    return apart + (prod(weights[0].shape) + ROUNDINGS) * 2.0**-53 * (most + apart)


class _Places(NamedTuple):
    """Indices of some positions in a tile, to select windows from (rows, pixels, channels, *kernel_size)."""

    row: Array
    pixel: Array
    channel: Array

    def under(self, windows: Array) -> Array:
        """Return the samples under the kernel, (positions, *kernel_size)."""
        found: Array = windows[self.row, self.pixel, self.channel % windows.shape[2]]
        return found


class _Faint(NamedTuple):
    """Flat indices of nearly transparent pixels in a region, and the error bounds of the means there."""

    pixels: Array
    errors: Array

    def doubtful(self, away: Array) -> Array:
        """Return flat indices of values too close to a half, from the distances of all values to integers."""
        channels = away.shape[-1]
        near = away.reshape(-1, channels)[self.pixels] >= 0.5 - self.errors[:, np.newaxis]
        number, channel = np.nonzero(near)
        places: Array = self.pixels[number] * channels + channel
        return places


class ExactCorrection:
    """Replaces values that are too close to a half by exact ones, in the tiles of one thread."""

    def __init__(
        self, kernel: ExactKernel, colour: Source, opacity: Source | None, own: np.dtype[Any]
    ) -> None:
        """Initialise with sources of integer samples and of their opacity (0 to 1), in float64."""
        layer, linear = kernel.layer, kernel.linear
        self.kernel, self.opaque, self.channels = kernel, full_scale(own), colour.shape[0]
        limits = np.iinfo(own)
        self.largest = float(max(limits.max - limits.min, abs(linear.padding_value)))
        layer = replace(layer, in_channels=1, out_channels=1, groups=1)
        border = Border(linear.padding_mode, linear.padding_value)
        self.colour = Seen(layer, colour, border)
        self.exact = ExactSums(kernel.units, self.colour.slide, self.channels)
        if opacity is None:
            return
        if kernel.shares is not None:
            samples = Mapped(lambda share: np.rint(share * self.opaque), opacity)
            self.alpha = Seen(layer, samples, border._replace(outside=self.opaque))
            self.shares = ExactSums(kernel.shares, self.colour.slide, 1)
        else:
            self.alpha = Seen(layer, Mapped(hidden_share, opacity), border._replace(outside=0.0))
            self.middle = carried(linear.layers[0], colour, {}, border, linear.anchor)

    def __call__(self, colour: Array, opacity: Array | None, region: Region) -> None:
        """Replace doubtful values of a region by exactly rounded integers or halves."""
        kernel = self.kernel
        if opacity is None:
            self._correct(colour, kernel.error * self.largest, region, self._of_sums)
        elif kernel.shares is None:
            self._correct(colour, 2 * kernel.error * self.largest, region, self._of_kept)
        else:
            # A mean is at most `largest` times the sum of the weights that it is divided by.
            error = 2 * self.largest * (kernel.error + kernel.share_error)
            share = np.where(opacity > NOISE, opacity, 1.0).ravel()
            faint = np.flatnonzero(share < error / CERTAIN)
            least = max(error / CERTAIN, float(share.min()))
            bounds = _Faint(faint, error + error / share[faint])
            self._correct(colour, error + error / least, region, self._of_mean, faint=bounds)
            self._correct(opacity, self.opaque * kernel.share_error, region, self._of_share, self.opaque)

    def _correct(
        self,
        values: Array,
        error: float,
        region: Region,
        exactly: Callable[[Region, Array], Array],
        scale: float = 1.0,
        faint: "_Faint | None" = None,
    ) -> None:
        """Replace doubtful values; values times `scale` are samples, and `faint` has larger error bounds."""
        samples = values if scale == 1 else values * scale
        away = np.rint(samples)
        np.subtract(samples, away, out=away)
        np.abs(away, out=away)
        # Values within the rounding margin of a half are rounded as halves.
        doubtful = np.flatnonzero(away >= 0.5 - max(error, 1 / LEVEL_PARTS))
        if faint is not None and len(faint.pixels):
            doubtful = np.union1d(doubtful, faint.doubtful(away))
        if len(doubtful):
            values[np.unravel_index(doubtful, values.shape)] = exactly(region, doubtful) / scale

    def _windows(self, seen: Seen, region: Region) -> Array:
        """Return the windows of the kernel at each position of a region."""
        strip = np.ascontiguousarray(seen.read(region))
        rows, columns = (places.stop - places.start for places in region)
        channels = strip.shape[-1]
        shape = rows, columns * channels
        return windows_of(strip.reshape(len(strip), -1), seen.slide, channels, shape)

    def _each(self, region: Region, places: Array, exactly: Callable[[_Places], Array]) -> Array:
        """Return the exact values at positions, computed in chunks."""
        columns = region[1].stop - region[1].start
        pixels, channel = np.divmod(places, self.channels)
        row, pixel = np.divmod(pixels, columns)
        numbers = np.arange(len(places))
        return np.concatenate(
            [exactly(_Places(row[some], pixel[some], channel[some])) for some in self.exact.some(numbers)]
        )

    def _of_sums(self, region: Region, places: Array) -> Array:
        colours = self._windows(self.colour, region)
        return self._each(region, places, lambda some: self._rounded(self.exact.of(some.under(colours))))

    def _of_kept(self, region: Region, places: Array) -> Array:
        """Sum colours; hidden neighbours have the colour of the pixel itself."""
        colours, hidden = (self._windows(each, region) for each in (self.colour, self.alpha))
        middle = self.middle.read(region)

        def exactly(some: _Places) -> Array:
            own = middle[some.row, some.pixel, some.channel][:, np.newaxis, np.newaxis]
            samples = np.where(some.under(hidden) > 0, own, some.under(colours))
            return self._rounded(self.exact.of(samples))

        return self._each(region, places, exactly)

    def _of_mean(self, region: Region, places: Array) -> Array:
        """Divide the sums of colour * alpha by those of alpha; use the bare colours where these are 0."""
        colours, alphas = (self._windows(each, region) for each in (self.colour, self.alpha))
        offset = self.kernel.units.offset
        is_one = int(self.shares.units.matrices.sum()) == 1 << UNIT

        def exactly(some: _Places) -> Array:
            samples, alpha = some.under(colours), some.under(alphas)
            found, share = np.empty(len(samples)), Sums(self.shares.of(alpha))
            # If all alphas are equal, for example opaque, the mean is a sum with weights that add up to 1.
            alike = is_one & (alpha == alpha[:, :1, :1]).all(axis=(1, 2))
            bare = alike | ((share.whole[0] == 0) & (share.left[0] == 0))
            found[bare] = self._rounded(self.exact.of(samples[bare]))
            samples, alpha = samples[~bare], alpha[~bare]
            over, under = _integers(self.exact, samples * alpha), Sums(self.shares.of(alpha)).integers[0]
            found[~bare] = _rounded_quotient((over << UNIT) + offset * under, under << UNIT)
            return found

        return self._each(region, places, exactly)

    def _of_share(self, region: Region, places: Array) -> Array:
        alphas = self._windows(self.alpha, region)

        def exactly(some: _Places) -> Array:
            rounded: Array = Sums(self.shares.of(some.under(alphas))).rounded[0]
            return rounded

        return self._each(region, places * self.channels, exactly)

    def _rounded(self, found: Parts) -> Array:
        """Round the output of the kernel to the nearest integer, half to even."""
        kernel = self.kernel
        sums = Sums(found)
        if kernel.stage.combine == "magnitude":
            root = combine("magnitude", list(sums.floats)) + kernel.units.offset * ONE
            nearest: Array = np.rint(root)
            return nearest
        sums.add([kernel.units.offset] * len(kernel.units.matrices))
        largest: Array = sums.rounded.max(axis=0)
        return largest


def _integers(exact: ExactSums, samples: Array) -> Array:
    """Return the sums of the only matrix over samples below 2^32 as Python integers, in units of 2^-48."""
    upper = np.floor(samples / (1 << HALF))
    low, high = (Sums(exact.of(part)).integers[0] for part in (samples - upper * (1 << HALF), upper))
    total: Array = low + high * (1 << HALF)
    return total


def _rounded_quotient(over: Array, under: Array) -> Array:
    """Round quotients of Python integers to the nearest integer, but leave halves unrounded."""
    below = over // under
    from_half = 2 * (over - below * under) - under  # 0 at a half, negative below it
    return below.astype(np.float64) + np.where(from_half == 0, 0.5, from_half > 0)
