"""Correct rounding of float sums to integers: a sum too close to a half is recomputed exactly.

The error of a float sum has a known bound. Lowered and raised by the bound, it rounds to the same integer for all but a
few samples in a thousand; these few are summed again, exactly.
"""

from collections.abc import Sequence
from math import sqrt
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from convcli.backend.algorithms.fft import transform_error
from convcli.backend.bands.doubtful_samples import MAX_DOUBTFUL, DoubtfulSamples
from convcli.backend.bands.passes import Scratch, operations
from convcli.backend.bands.strip import Strip
from convcli.backend.bands.sums_to_pixels import clip, combine, middle_of, shortest
from convcli.backend.bands.units import DENSE, MAX_FLOAT, ONE, ExactSums, Parts, Sums, Units
from convcli.backend.bands.weights import Weights

Array = NDArray[Any]

WORD = 8  # bytes compared at once
CHUNK = 1 << 16  # values rounded in one call, so that intermediate arrays stay in cache
EPSILON = {"float32": 2.0**-24, "float64": 2.0**-53}  # the relative error of one rounding
# The cost of an exact sum, and of each of its taps, in picoseconds.
EXACT_SUM, EXACT_SUM_TAP = 100_000, 1_400


class Rounding(NamedTuple):
    """The conversion of the float sums of one kernel to samples of an integer dtype.

    units : the exact weights; combine, value_range : as in the kernel and the filter; dtype : dtype of the picture
    error : bound on the error of a float sum; most : bound on the absolute value of a sum
    can_clip : whether values may leave the dtype's range
    signed : whether values may be below 0
    centre : the number that was subtracted from the samples of the picture
    """

    units: Units
    combine: str
    value_range: str
    dtype: np.dtype[Any]
    error: float
    most: float
    can_clip: bool
    signed: bool = True
    centre: int = 0

    @property
    def middle(self) -> int:
        """The offset of the range `offset`: the middle of the dtype's range; otherwise 0."""
        return middle_of(self.dtype) if self.value_range == "offset" else 0

    @property
    def offset(self) -> float:
        """The number that the kernel adds to every response."""
        return self.units.offset * ONE

    def apart(self, centre: int) -> list[int]:
        """Return the amounts by which the sums of each matrix are too small, in units, if samples lack `centre`."""
        return [centre * int(matrix.sum()) for matrix in self.units.matrices]

    @property
    def reach(self) -> float:
        """Upper bound of the absolute value before clipping."""
        return sqrt(len(self.units.matrices)) * self.most + abs(self.offset) + self.middle + 1

    def error_of_values(self, dtype: str) -> float:
        """Return a bound on the error of a combined value, including the roundings on the way to its integer."""
        if self.combine == "magnitude":
            return sqrt(len(self.units.matrices)) * self.error + 8 * EPSILON[dtype] * self.reach
        return self.error + 5 * EPSILON[dtype] * self.reach


class Rounder:
    """Rounds tiles of float sums, with the buffers of one thread."""

    def __init__(self, rounding: Rounding, strip: Strip, dtype: str, result: Array) -> None:
        """Prepare for sums of `dtype`; `strip` holds the input of a tile, `result` is the whole output."""
        self.rounding, self.strip = rounding, strip
        self.exact = ExactSums(rounding.units, strip.slide, strip.channels)
        self.doubtful = DoubtfulSamples(strip, self.exact, result)
        self.short = shortest(rounding.dtype, rounding.reach) if rounding.can_clip else rounding.dtype
        # Truncation rounds down only if the value is not below 0.
        self.floors = rounding.can_clip and (rounding.signed or self.short.kind == "f")
        self.in_floats = strip.is_whole and rounding.reach < MAX_FLOAT
        number, error = np.dtype(dtype).type, rounding.error_of_values(dtype)
        apart = [float(centre * ONE) for centre in rounding.apart(rounding.centre)]
        # A constant that is the same for all matrices of a linear response is added in the rounding step.
        linear = rounding.combine != "magnitude" and rounding.value_range != "abs" and len(set(apart)) == 1
        self.apart = [number(0 if linear else centre) for centre in apart]
        self.offset = number(0 if linear else rounding.offset)
        middle = rounding.middle + 0.5 + (rounding.offset + apart[0] if linear else 0)
        self.low, self.twice = number(middle - error), number(2 * error)

    def __call__(self, sums: list[Array], out: Array, scratch: Scratch) -> int:
        """Write samples to `out`, (rows, columns, channels); return how many were clipped.

        `sums` has one array (rows, samples) per matrix, for the tile that the strip holds.
        """
        values = self._values(sums)
        samples, doubtful = self._rounded(values.reshape(-1), scratch)
        if len(doubtful):
            rows, width = values.shape
            if len(doubtful) * DENSE <= samples.size:
                doubtful = doubtful[self.doubtful.add(width, doubtful, samples[doubtful])]
            if len(doubtful):
                samples[doubtful] = self._exact_samples((rows, width), doubtful)
        clipped = clip(samples, self.rounding.dtype, scratch) if self.rounding.can_clip else 0
        np.copyto(out, samples.reshape(out.shape), casting="unsafe")
        return clipped + (self.sum_doubtful() if self.doubtful.count > MAX_DOUBTFUL else 0)

    def sum_doubtful(self) -> int:
        """Sum the collected samples exactly; return how many more were clipped than counted before."""
        if not self.doubtful.count:
            return 0
        places, before, found = self.doubtful.take()
        limits, right = np.iinfo(self.rounding.dtype), self._right(found, 0)
        clipped = [np.count_nonzero((each < limits.min) | (each > limits.max)) for each in (right, before)]
        self.doubtful.out[places] = np.clip(right, limits.min, limits.max)
        return int(clipped[0] - clipped[1])

    def _values(self, sums: list[Array]) -> Array:
        """Return the values to round, without the constant that is added in the rounding step."""
        for part, more in zip(sums, self.apart, strict=True):
            if more:
                np.add(part, more, out=part)
        values = combine(self.rounding.combine, sums)
        if self.offset:
            np.add(values, self.offset, out=values)
        return np.abs(values, out=values) if self.rounding.value_range == "abs" else values

    def _rounded(self, values: Array, scratch: Scratch) -> tuple[Array, Array]:
        """Return values rounded to integers, and the positions of those that may be wrong."""
        size = -(-len(values) // WORD) * WORD
        low, high = scratch.get("low", (size,), self.short), scratch.get("high", (size,), self.short)
        low[len(values) :] = high[len(values) :] = 0
        for start in range(0, len(values), CHUNK):
            chunk = slice(start, min(len(values), start + CHUNK))
            for more, line in ((self.low, low), (self.twice, high)):
                part = values[chunk]
                np.add(part, more, out=part)
                if self.floors:
                    part = np.floor(part, out=scratch.get("floor", part.shape, part.dtype))
                np.copyto(line[chunk], part, casting="unsafe")
        words = np.flatnonzero(low.view(np.uint64) != high.view(np.uint64))
        each = WORD // low.itemsize
        places = (words[:, np.newaxis] * each + np.arange(each)).ravel()
        return low[: len(values)], places[low[places] != high[places]]

    def _exact_samples(self, shape: tuple[int, int], places: Array) -> Array:
        """Return the correct integers at some positions of the tile."""
        samples, centre = self.strip.exact()
        return self._right(self.exact(samples, shape, places), centre)

    def _right(self, found: Parts, centre: int) -> Array:
        """Return the integers that exact sums round to, for samples that lack `centre`."""
        rounding = self.rounding
        if self.in_floats or rounding.combine == "magnitude":
            apart = np.array(rounding.apart(centre), np.float64)[:, np.newaxis] * ONE
            values = combine(rounding.combine, list(found.floats + apart)) + rounding.offset
            whole = np.rint(np.abs(values) if rounding.value_range == "abs" else values)
        else:
            sums = Sums(found)
            sums.add(rounding.apart(centre))
            sums.add([rounding.units.offset])
            whole = sums.rounded.max(axis=0)
            whole = np.abs(whole) if rounding.value_range == "abs" else whole
        exact: Array = whole + rounding.middle
        return exact


def exact_sum_cost(error: float, units: Units) -> int:
    """Estimate the cost of exact sums in picoseconds per sample, if the error of float sums is `error`.

    If values are distributed evenly, a share of twice the error is that close to a half.
    """
    taps = units.matrices.size
    return int(min(1.0, 2 * error) * (EXACT_SUM + taps * EXACT_SUM_TAP))


def error_of(
    method: str, dtype: str, length: int, units: Units, weights: list[Weights], largest: float
) -> float:
    """Return a bound on the error of float sums, for samples up to `largest`.

    method, dtype, length : from the plan: the method, the float dtype, and the length of transforms

    Every product and sum of floats has a relative error of at most epsilon (Higham, Accuracy and Stability of
    Numerical Algorithms, section 3.1). `summed` and `operations` bound the resulting error, for samples of 1, in
    any order of summation. The errors of weights that are rounded to the dtype or factored are added.
    """
    most, epsilon = float(np.abs(units.weights).sum(axis=(1, 2)).max()), EPSILON[dtype]
    if method == "separable":
        taken = [np.outer(each.down, each.across) for each in weights]
        roundings = max(factors_summed(each.down, each.across) for each in weights)
    else:
        taken = [each.matrix for each in weights]
        if method == "gemm":
            roundings = max(columns_summed(each.matrix) for each in weights)
        elif method == "fft":
            roundings = transform_error(1.0, length**2, np.dtype(dtype)) / epsilon * most
        else:
            roundings = (1 + max(operations(each.matrix.ravel().tolist()) for each in weights)) * most
    apart = max(float(np.abs(used - exact).sum()) for used, exact in zip(taken, units.weights, strict=True))
    second = 1 + 2.0**-8  # rounding errors are rounded again: far less than this, for any kernel here
    return ((roundings + most) * epsilon * (1 + apart / most if most else 1) * second + apart) * largest


def summed(weights: Sequence[float] | Array) -> float:
    """Return the error of a weighted sum of samples of 1 in epsilons: of its products and its partial sums.

    A partial sum has a relative error of epsilon. Of all orders of summation, including blocks and pairs, adding the
    largest terms first makes the largest partial sums.
    """
    partial = np.cumsum(np.sort(np.abs(np.asarray(weights, np.float64)))[::-1])
    return float(partial[1:].sum() + partial[-1])


def factors_summed(down: Sequence[float], across: Sequence[float]) -> float:
    """Return the same error for vertical sums that are then weighted horizontally."""
    most_down, most_across = float(np.abs(down).sum()), float(np.abs(across).sum())
    return (summed(down) + most_down) * most_across + (summed(across) + most_across) * most_down


def columns_summed(matrix: Array) -> float:
    """Return the same error for the sums of each column of a matrix, which are then added."""
    columns = np.abs(matrix).sum(axis=0)
    return sum(map(summed, matrix.T)) + summed(columns)
