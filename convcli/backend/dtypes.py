"""Dtypes: in which one a weighted sum is computed, and in which one it is returned."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.errors import ArgumentError

Array = NDArray[Any]
Dtype = np.dtype[Any]

_EXACT_FLOATS = (("float32", 1 << 24), ("float64", 1 << 53))  # every whole number up to here is one of them
_PYTHON: Dtype = np.dtype(object)
_NARROW_INTEGERS = (("int16", 1 << 15), ("int32", 1 << 31))


def computing_float(dtype: Dtype) -> Dtype:
    """Return the dtype that computes on `dtype`: float32 for float16, float64 for integers, else itself."""
    if dtype.kind in "biu":
        return np.dtype("float64")
    return np.dtype("float32") if dtype == np.float16 else dtype


def cast(array: Array, dtype: Dtype) -> Array:
    """Return `array` as `dtype`, uncopied where it is that; what is too large for float16 is infinity."""
    if array.dtype == dtype:
        return array
    with np.errstate(over="ignore"):
        return array.astype(dtype)


def as_floats(x: Array) -> Array:
    """Return x in the dtype that computes on it."""
    return cast(x, computing_float(x.dtype))


def as_input(y: Array, x: Array) -> Array:
    """Return what was computed of x in x's own dtype; of integers as the floats that it is."""
    return cast(y, x.dtype) if x.dtype.kind in "fc" else y


@dataclass(frozen=True)
class Numbers:
    """The dtypes of one weighted sum.

    result : what the caller gets
    peak   : for integers, no sum or part of one is further from 0 than this; None for floats
    wide   : for integers, the dtype that any sum is exact in: `result`, or Python's integers where the
             sums could be too large for that
    """

    result: Dtype
    peak: int | None = None
    wide: Dtype = _PYTHON

    @property
    def adding(self) -> Dtype:
        """The dtype for elementwise work: the narrowest integer that holds `peak`, or the float itself."""
        if self.peak is None:
            return computing_float(self.result)
        return np.dtype(next((name for name, end in _NARROW_INTEGERS if self.peak < end), self.wide))

    @property
    def multiplying(self) -> Dtype:
        """The dtype for matrix products: BLAS has floats only, exact for whole numbers up to a limit."""
        if self.peak is None:
            return computing_float(self.result)
        return np.dtype(next((name for name, end in _EXACT_FLOATS if self.peak <= end), self.wide))

    @property
    def summing(self) -> Dtype:
        """The dtype that a bias is added in, before the result is rounded to its own."""
        return computing_float(self.result) if self.peak is None else self.wide

    def finish(self, y: Array) -> Array:
        """Return the sums in the result's dtype, or raise ArgumentError where an integer does not fit."""
        try:
            return cast(y, self.result)
        except OverflowError:  # Python's integers are the only ones that tell
            raise ArgumentError(
                f"the result reaches from {y.min()} to {y.max()}, beyond {self.result}; "
                "convert x to float64, or scale it down"
            ) from None


def weighted(x: Array, weight: Array, axes: tuple[int, ...], *others: Array) -> Numbers:
    """Decide how the sums over `axes` of weight times elements of x are computed.

    `others` are added to a sum (a bias), or stand in for elements of x (a padding value) where they have no
    axes. Floats follow `np.result_type`. Integers and bool give int64 (uint64 where all are unsigned and one
    is uint64); arithmetic modulo 2**64 is exact whenever the sum itself fits, however large its parts are.
    """
    dtype = np.result_type(x, weight, *others)
    if not all(array.dtype.kind in "biu" for array in (x, weight, *others)):
        return Numbers(dtype)
    x_low, x_high = _range(x, *(array for array in others if not array.ndim))
    low, high = _range(*(array for array in others if array.ndim))
    positive, negative, total = _sums(weight, axes)
    least = low + positive * x_low - negative * x_high
    most = high + positive * x_high - negative * x_low
    unsigned = dtype == np.uint64 and all(array.dtype.kind in "bu" for array in (x, weight, *others))
    result = np.dtype("uint64" if unsigned else "int64")
    fits = np.iinfo(result).min <= least and most <= np.iinfo(result).max
    peak = total * max(-x_low, x_high) + max(-low, high)
    return Numbers(result, peak, result if fits else _PYTHON)


def _range(*arrays: Array) -> tuple[int, int]:
    """Return the least and the greatest element, 0 included, as Python's integers."""
    ends = [0, *(int(end) for array in arrays if array.size for end in (array.min(), array.max()))]
    return min(ends), max(ends)


def _sums(weight: Array, axes: tuple[int, ...]) -> tuple[int, int, int]:
    """Return the largest sums over `axes` of the positive weights, the negated negative ones, and both."""
    low, high = _range(weight)
    terms = weight.size  # no sum has more
    wide: Array = weight.astype(np.int64 if terms * max(-low, high) < 1 << 63 else object)
    positive = np.where(wide > 0, wide, 0).sum(axis=axes)
    negative = np.where(wide < 0, -wide, 0).sum(axis=axes)
    return int(np.max(positive)), int(np.max(negative)), int(np.max(positive + negative))
