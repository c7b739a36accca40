"""Missing data as sources: NaN counts for nothing, by normalised convolution where a stage is a mean.

Of an output with weights w, on values x of which some are NaN, and v = 1 where one is not, else 0:

mean
    sum(w * v * x) / sum(w * v) takes the place of the mean sum(w * x) / sum(w): Knutsson & Westin (1993), "Normalized
    and differential convolution"; astropy's `convolve` with nan_treatment 'interpolate'. NaN where sum(w * v) is 0.
any other answer
    A missing neighbour counts as having the value of the pixel itself; NaN where that is missing. Weights of both signs
    have a sum(w * v) that may be 0 or below, by which nothing can be divided (astropy refuses kernels that sum to 0).

What lies beyond the border is not missing, but where it is a copy of NaN.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.filters.tiles.alpha_rule import NOISE
from convcli.filters.tiles.sources import Kept, Mapped, Region, Source

Array = NDArray[Any]


class Filled(Source):
    """Values with a number in place of NaN."""

    def __init__(self, source: Source, number: float = 0.0) -> None:
        super().__init__(source.shape, source.dtype)
        self.source, self.number = source, number
        self.met_missing = False  # whether any was NaN so far

    def __call__(self, region: Region) -> Array:
        """Compute a region."""
        values = self.source(region)
        missing = np.isnan(values)
        if not missing.any():
            return values
        self.met_missing = True
        filled: Array = np.where(missing, values.dtype.type(self.number), values)
        return filled


def presence(source: Source, *, joint: bool = False) -> Source:
    """Return 1 where there is a value, and 0 for NaN; with `joint` one channel, 0 where any channel is NaN."""
    return Mapped(_all_present if joint else _present, source, channels=1 if joint else None)


def _present(values: Array) -> Array:
    there: Array = np.logical_not(np.isnan(values)).astype(values.dtype)
    return there


def _all_present(values: Array) -> Array:
    there: Array = _present(values).min(axis=-1, keepdims=True)
    return there


def where_present(found: Source, share: Source) -> Source:
    """Return values, NaN where the share is 0."""
    return Mapped(_where_present, found, share, channels=found.shape[0])


def _where_present(found: Array, share: Array) -> Array:
    present: Array = np.where(share > NOISE, found, found.dtype.type(np.nan))
    return present


class MeanOfPresent(Source):
    """Sums over what is there, multiplied by what all weights sum to and divided by those of what is there."""

    def __init__(
        self, sums: Source, filled: Filled, weights: Source, total: float, least: float = NOISE
    ) -> None:
        """Take sums of filled values, and the sums of the weights of those that were there.

        Where these are not above `least` of the total, there is NaN.
        """
        super().__init__(sums.shape, sums.dtype)
        self.sums, self.filled, self.weights = sums, filled, weights
        self.total, self.least = total, least * total

    def __call__(self, region: Region) -> Array:
        """Compute a region; as it is while no value is missing."""
        sums = self.sums(region)
        if not self.filled.met_missing:
            return sums
        weights = self.weights(region)
        there = weights > self.least
        scale = np.divide(self.total, weights, where=there, out=np.full_like(weights, np.nan))
        # A window that misses nothing keeps its sum, whatever the rounding of its weights.
        misses = np.abs(weights - self.total) > NOISE * self.total
        return np.multiply(sums, scale, where=misses, out=sums.copy())


def parted(source: Source) -> tuple[Source, Filled]:
    """Return a source to be asked several times, and its values without NaN."""
    kept = Kept(source)
    return kept, Filled(kept)
