"""The dtypes in which a weighted sum is computed and returned."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.errors import ArgumentError

Array = NDArray[Any]
Dtype = np.dtype[Any]

# All integers up to here are represented exactly.
_EXACT_FLOATS = (("float32", 1 << 24), ("float64", 1 << 53))
_PYTHON: Dtype = np.dtype(object)
_NARROW_INTEGERS = (("int16", 1 << 15), ("int32", 1 << 31))


def computing_float(dtype: Dtype) -> Dtype:
    """Return the dtype for computing with `dtype`: float32 for float16, float64 for integers, else itself."""
    if dtype.kind in "biu":
        return np.dtype("float64")
    return np.dtype("float32") if dtype == np.float16 else dtype


def cast(array: Array, dtype: Dtype) -> Array:
    """Return `array` as `dtype`, without a copy if possible; values too large for float16 become infinity."""
    if array.dtype == dtype:
        return array
    with np.errstate(over="ignore"):
        return array.astype(dtype)


def as_floats(x: Array) -> Array:
    """Return x in the float dtype for computing with it."""
    return cast(x, computing_float(x.dtype))


def as_input(y: Array, x: Array) -> Array:
    """Return a result computed from x in x's dtype; for integers the float result is kept."""
    return cast(y, x.dtype) if x.dtype.kind in "fc" else y


@dataclass(frozen=True)
class Numbers:
    """The dtypes of one weighted sum.

    result : the dtype of the result
    peak   : for integers, a bound of the absolute value of every sum and partial sum; None for floats
    wide   : for integers, a dtype in which every sum is exact: `result`, or Python integers if sums may be too large
    """

    result: Dtype
    peak: int | None = None
    wide: Dtype = _PYTHON

    @property
    def adding(self) -> Dtype:
        """The dtype for elementwise work: the narrowest integer type that holds `peak`, or the float type."""
        if self.peak is None:
            return computing_float(self.result)
        return np.dtype(next((name for name, end in _NARROW_INTEGERS if self.peak < end), self.wide))

    @property
    def multiplying(self) -> Dtype:
        """The dtype for matrix products: BLAS supports floats only, which are exact for integers up to a limit."""
        if self.peak is None:
            return computing_float(self.result)
        return np.dtype(next((name for name, end in _EXACT_FLOATS if self.peak <= end), self.wide))

    @property
    def summing(self) -> Dtype:
        """The dtype in which a bias is added, before the result is converted to its own dtype."""
        return computing_float(self.result) if self.peak is None else self.wide

    def finish(self, y: Array) -> Array:
        """Return the sums in the result's dtype; raise ArgumentError if an integer does not fit."""
        try:
            return cast(y, self.result)
        except OverflowError:  # only Python integers raise it
            raise ArgumentError(
                f"the result ranges from {y.min()} to {y.max()}, which {self.result} cannot hold; "
                "convert x to float64, or scale it down"
            ) from None


def weighted(x: Array, weight: Array, axes: tuple[int, ...], *others: Array) -> Numbers:
    """Decide how the sums over `axes` of weight times elements of x are computed.

    `others` are added to a sum (a bias), or replace elements of x (a padding value) if they are 0-d. Floats follow
    `np.result_type`. Integers and bool give int64 (uint64 if all are unsigned and one is uint64); arithmetic modulo
    2**64 is exact whenever the final sum fits, however large the partial sums are.
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
    """Return the smallest and the largest element, including 0, as Python integers."""
    ends = [0, *(int(end) for array in arrays if array.size for end in (array.min(), array.max()))]
    return min(ends), max(ends)


def _sums(weight: Array, axes: tuple[int, ...]) -> tuple[int, int, int]:
    """Return the largest sums over `axes` of the positive weights, of the absolute negative ones, and of both."""
    low, high = _range(weight)
    terms = weight.size  # upper bound of the number of terms
    wide: Array = weight.astype(np.int64 if terms * max(-low, high) < 1 << 63 else object)
    positive = np.where(wide > 0, wide, 0).sum(axis=axes)
    negative = np.where(wide < 0, -wide, 0).sum(axis=axes)
    return int(np.max(positive)), int(np.max(negative)), int(np.max(positive + negative))
