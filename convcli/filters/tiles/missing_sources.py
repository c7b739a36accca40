"""Sources of values with missing data: NaN is skipped, by normalised convolution if a stage is a mean.

For an output with weights w and values x, with v = 0 where a value is NaN and 1 elsewhere:

mean
    sum(w * v * x) / sum(w * v) replaces the mean sum(w * x) / sum(w): Knutsson & Westin (1993), "Normalized and
    differential convolution"; astropy's `convolve` with nan_treatment 'interpolate'. NaN where sum(w * v) is 0.
other outputs
    Missing neighbours count as having the value of the pixel itself; the output is NaN if that is missing. With weights
    of both signs, sum(w * v) may be 0 or negative, so it cannot be divided by (astropy refuses kernels that sum to 0).

Padding is not missing, unless it is a copy of NaN.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.filters.tiles.alpha_rule import NOISE
from convcli.filters.tiles.sources import Kept, Mapped, Region, Source

Array = NDArray[Any]


class Filled(Source):
    """Values with NaN replaced by a number."""

    def __init__(self, source: Source, number: float = 0.0) -> None:
        super().__init__(source.shape, source.dtype)
        self.source, self.number = source, number
        self.has_missing = False  # whether any value was NaN so far

    def read(self, region: Region) -> Array:
        """Compute a region."""
        values = self.source.read(region)
        missing = np.isnan(values)
        if not missing.any():
            return values
        self.has_missing = True
        filled: Array = np.where(missing, values.dtype.type(self.number), values)
        return filled


def presence(source: Source, *, joint: bool = False) -> Source:
    """Return 1 for values and 0 for NaN; with `joint` in one channel, which is 0 where any channel is NaN."""
    return Mapped(_all_present if joint else _present, source, channels=1 if joint else None)


def _present(values: Array) -> Array:
    there: Array = np.logical_not(np.isnan(values)).astype(values.dtype)
    return there


def _all_present(values: Array) -> Array:
    there: Array = _present(values).min(axis=-1, keepdims=True)
    return there


def where_present(found: Source, share: Source) -> Source:
    """Return values, with NaN where `share` is 0."""
    return Mapped(_where_present, found, share, channels=found.shape[0])


def _where_present(found: Array, share: Array) -> Array:
    present: Array = np.where(share > NOISE, found, found.dtype.type(np.nan))
    return present


class MeanOfPresent(Source):
    """Sums over present values, rescaled by the ratio of all weights to the weights of the present values."""

    def __init__(
        self, sums: Source, filled: Filled, weights: Source, total: float, least: float = NOISE
    ) -> None:
        """Initialise with the sums of filled values, and the sums of the weights of present values.

        The mean is NaN unless these exceed the fraction `least` of `total`, the sum of all weights.
        """
        super().__init__(sums.shape, sums.dtype)
        self.sums, self.filled, self.weights = sums, filled, weights
        self.total, self.least = total, least * total

    def read(self, region: Region) -> Array:
        """Compute a region; unchanged sums are returned as long as no value is missing."""
        sums = self.sums.read(region)
        if not self.filled.has_missing:
            return sums
        weights = self.weights.read(region)
        there = weights > self.least
        scale = np.divide(self.total, weights, where=there, out=np.full_like(weights, np.nan))
        # The sum of a window without missing values is unchanged, even if its weights are rounded.
        misses = np.abs(weights - self.total) > NOISE * self.total
        return np.multiply(sums, scale, where=misses, out=sums.copy())


def parted(source: Source) -> tuple[Source, Filled]:
    """Return a cached source, and its values with NaN replaced."""
    kept = Kept(source)
    return kept, Filled(kept)
