"""Values and pixels: the float dtype a picture is computed in, and the conversion back into its own dtype."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import inf, isfinite, isqrt, prod
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from convcli.errors import ArgumentError

Array = NDArray[Any]
Range = Literal["clip", "abs", "offset", "minmax"]
Alpha = Literal["auto", "premultiply", "keep", "filter"]
Zero = Sequence[int]  # the sample of each channel that represents 0

EIGHT_BITS = np.dtype("uint8")
LEVEL_PARTS = 2.0**28  # parts of a level
# Adding these to a float64 below MAX_ROUNDED rounds it to the nearest part, or to the nearest integer, half to even.
TO_PARTS, TO_ONES = 1.5 * 2.0**52 / LEVEL_PARTS, 1.5 * 2.0**52
MAX_ROUNDED = 2.0**22
NARROW = 2.0**-64  # scales the largest floats so that their differences and products with white stay finite
SAMPLES = 1 << 18  # converted into a dtype at a time, which keeps intermediate arrays small


class Extent(NamedTuple):
    """The smallest and the largest finite value, which `minmax` stretches to 0 and to the dtype's maximum."""

    least: float
    most: float

    @classmethod
    def of(cls, values: Array) -> Extent | None:
        """Return the extent of values; None if none is finite."""
        least, most = inf, -inf
        for place in _parts(values.shape):
            part = values[place]
            if part.dtype.kind == "f" and part.size and not np.isfinite((part.min(), part.max())).all():
                part = part[np.isfinite(part)]
            if part.size:
                least, most = min(least, float(part.min())), max(most, float(part.max()))
        return cls(least, most) if least <= most else None

    @classmethod
    def around(cls, extents: Iterable[Extent | None]) -> Extent | None:
        """Return the union of extents; None if all are None."""
        found = [extent for extent in extents if extent is not None]
        return cls(min(each.least for each in found), max(each.most for each in found)) if found else None

    def scaled(self, factor: float) -> Extent:
        """Return the extent of all values multiplied by a positive factor."""
        return Extent(self.least * factor, self.most * factor)

    def stretched(self, values: Array, high: float) -> Array:
        """Return values as float64, the smallest at 0 and the largest at `high`; NaN and infinity are unchanged.

        float64 values are modified in place.
        """
        floats, least, most = values.astype(np.float64, copy=False), self.least, self.most
        if not isfinite((most - least) * high):
            floats, least, most = floats * NARROW, least * NARROW, most * NARROW
        floats -= least
        floats *= high
        floats /= (most - least) or 1.0
        return floats


@dataclass(frozen=True)
class Measured:
    """The smallest and largest of some values, their sum, and their count; NaN if one of them is NaN."""

    least: float
    most: float
    total: float
    count: int

    @classmethod
    def of(cls, values: Array) -> Measured:
        """Return the statistics of values."""
        with np.errstate(all="ignore"):
            total = float(values.sum(dtype=np.float64))
        return cls(float(values.min()), float(values.max()), total, values.size)

    def __add__(self, other: Measured) -> Measured:
        """Return the statistics of both sets of values together."""
        return Measured(
            float(np.minimum(self.least, other.least)),
            float(np.maximum(self.most, other.most)),
            self.total + other.total,
            self.count + other.count,
        )

    def record(self) -> dict[str, float | None]:
        """Return min, max and mean; None for values that JSON cannot represent."""
        found = {"min": self.least, "max": self.most, "mean": self.total / self.count}
        return {key: value if isfinite(value) else None for key, value in found.items()}


class Filtered(NamedTuple):
    """A filtered picture, the share of its samples that were clipped into its dtype, and how it was computed.

    extent : the extent of the values before stretching; None if they were not stretched, or none is finite
    measured : statistics of the colour values before they became samples; None if they were not computed
    """

    pixels: Array
    clipped: float
    plan: str = ""
    extent: Extent | None = None
    measured: Measured | None = None


def working_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the float dtype that a picture is computed in: float32 for float32, otherwise float64.

    Sums of integer samples in float64 have such small errors that rounding with `round_parts` removes the differences
    between libraries that add in different orders.
    """
    return np.dtype("float32" if dtype == np.float32 else "float64")


def is_small(dtype: np.dtype[Any]) -> bool:
    """Return whether samples of a dtype are integers of 8 or 16 bits."""
    return dtype.kind in "iu" and dtype.itemsize <= 2


def raw_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the float dtype for raw values: float32 for 8-bit integers and float32, otherwise float64."""
    return np.dtype("float32" if dtype.itemsize == 1 or dtype == np.float32 else "float64")


def full_scale(dtype: np.dtype[Any]) -> float:
    """Return the value of white, or opaque: the largest integer, or 1 for floats."""
    return 1.0 if dtype.kind == "f" else float(np.iinfo(dtype).max)


def into_dtype(
    values: Array,
    dtype: np.dtype[Any],
    value_range: Range,
    extent: Extent | None = None,
    zero: Zero | None = None,
    *,
    round_parts: bool = False,
) -> Filtered:
    """Convert values back into a picture's dtype: shift or scale, round half to even, clip.

    `minmax` stretches `extent`, or else the extent of the finite values. For integer dtypes NaN becomes 0, and infinity
    is clipped; floats keep both. `zero` is the sample of each channel that represents 0, by default 0. With
    `round_parts`, values within 2^-29 of a half are rounded like a half.
    """
    floating = dtype.kind == "f"
    start = 0 if zero is None else np.array(zero)
    low, high = (0, 1) if floating else (np.iinfo(dtype).min - start, np.iinfo(dtype).max - start)
    if zero is not None and value_range == "minmax":
        raise ArgumentError(
            "the range 'minmax' stretches all channels alike, but channels with `zero` have separate scales; use "
            "another range, or one channel"
        )
    if value_range == "minmax" and extent is None:
        extent = Extent.of(values)
    fitted, clipped = np.empty(values.shape, dtype), 0
    for place in _parts(values.shape):
        part = values[place]
        if value_range == "abs":
            part = np.abs(part)
        elif value_range == "offset":
            part = part + (0.5 if floating else _middle(low, high, part))
        elif value_range == "minmax":
            part = (extent or Extent(0, 0)).stretched(part.copy(), float(high))
        if floating:
            with np.errstate(over="ignore"):  # values beyond float32 become infinite (IEEE 754)
                fitted[place] = part
            continue
        if part.dtype.kind == "f":
            part = np.rint(np.rint(part * LEVEL_PARTS) / LEVEL_PARTS if round_parts else part)
            missing = np.isnan(part)
            clipped += int(np.count_nonzero(missing))
            part[missing] = 0
        clipped += int(np.count_nonzero((part < low) | (part > high)))
        fitted[place] = _within(part, low, high) + start
    return Filtered(fitted, clipped / values.size, extent=extent)


def _middle(low: Any, high: Any, values: Array) -> Any:
    """Return the middle of a range, as a float if an integer would overflow the dtype of the values."""
    middle = (low + high + 1) // 2
    if (
        values.dtype.kind == "i"
        and int(np.max(middle)) + max(0, int(values.max())) > np.iinfo(values.dtype).max
    ):
        return float(middle)
    return middle


def _within(values: Array, low: Any, high: Any) -> Array:
    """Clip values to limits that their dtype can represent, so that none overflows in the conversion."""
    if np.ndim(low):  # one per channel; 16-bit samples
        return values.clip(low, high)
    if values.dtype.kind == "f":
        most = float(high)
        return values.clip(float(low), most if most <= high else float(np.nextafter(most, 0)))
    limits = np.iinfo(values.dtype)
    return values.clip(max(low, limits.min), min(high, limits.max))


def in_parts(values: Array, part: float = LEVEL_PARTS) -> Array:
    """Round floats to the nearest part of a level, in place, which hides the order in which libraries add."""
    np.multiply(values, part, out=values)
    np.rint(values, out=values)
    return np.divide(values, part, out=values)


def round_into(values: Array, out: Array, value_range: Range, zero: Zero | None = None) -> int:
    """Write floats to `out`, of an integer dtype, like `into_dtype` with `round_parts`; return how many were clipped.

    The values are modified. `minmax` is not supported.
    """
    limits = np.iinfo(out.dtype)
    least, most = float(values.min()), float(values.max())
    in_range = -MAX_ROUNDED < least <= most < MAX_ROUNDED
    if zero is not None or not in_range or values.dtype.kind != "f":
        made = into_dtype(values, out.dtype, value_range, zero=zero, round_parts=True)
        out[...] = made.pixels
        return round(made.clipped * values.size)
    if value_range == "abs":
        np.abs(values, out=values)
        least, most = 0.0, max(-least, most)
    elif value_range == "offset":
        middle = (int(limits.min) + int(limits.max) + 1) // 2
        np.add(values, float(middle), out=values)
        least, most = least + middle, most + middle
    if values.dtype != np.float64:  # float32 has no more digits
        np.rint(values, out=values)
    else:
        # A sum this large has no digits beyond those of 1 / LEVEL_PARTS, and after the second addition no fraction.
        np.add(values, TO_PARTS, out=values)
        np.add(values, TO_ONES - TO_PARTS, out=values)
        np.subtract(values, TO_ONES, out=values)
    clipped = 0
    if least < limits.min or most > limits.max:
        beyond = values < limits.min
        clipped = int(np.count_nonzero(beyond))
        clipped += int(np.count_nonzero(np.greater(values, limits.max, out=beyond)))
        if clipped:
            np.clip(values, limits.min, limits.max, out=values)
    np.copyto(out, values, casting="unsafe")
    return clipped


def signed(pixels: Array, zero: Zero | None) -> Array:
    """Subtract the sample that represents 0 in each channel from integer samples (..., C)."""
    return pixels if zero is None else pixels.astype(np.int64) - np.array(zero)


def _parts(shape: tuple[int, ...]) -> Iterator[slice]:
    """Yield slices along the first axis of an array, each of about SAMPLES elements."""
    step = max(1, SAMPLES // max(1, prod(shape[1:])))
    return (slice(start, start + step) for start in range(0, shape[0], step))


def sheet_columns(count: int) -> int:
    """Return the number of maps in a row of a sheet: as many as rows, or one more."""
    return isqrt(count - 1) + 1
