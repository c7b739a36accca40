"""Values and pixels: which float a picture is computed in, and the way back into its own dtype."""

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
Zero = Sequence[int]  # the sample of each channel that stands for 0

EIGHT_BITS = np.dtype("uint8")
BESIDE = 2.0**28  # parts of a level
# Added to a float64 below MOST_ROUNDED these round it to the nearest part, or to the nearest one, half to even.
TO_PARTS, TO_ONES = 1.5 * 2.0**52 / BESIDE, 1.5 * 2.0**52
MOST_ROUNDED = 2.0**22
NARROW = 2.0**-64  # times the largest floats, their differences and products with a white are floats still
SAMPLES = 1 << 18  # that are brought back into a dtype at a time: what is computed on the way stays small


class Extent(NamedTuple):
    """The smallest and the largest finite value, which `minmax` stretches to 0 and to the dtype's maximum."""

    least: float
    most: float

    @classmethod
    def of(cls, values: Array) -> Extent | None:
        """Look at all values once; None if none is finite."""
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
        """Return the extent of all values together that these are of; None if none is finite."""
        found = [extent for extent in extents if extent is not None]
        return cls(min(each.least for each in found), max(each.most for each in found)) if found else None

    def scaled(self, factor: float) -> Extent:
        """Return the extent of all values times a factor above 0."""
        return Extent(self.least * factor, self.most * factor)

    def stretched(self, values: Array, high: float) -> Array:
        """Return values as float64, the smallest at 0 and the largest at `high`; NaN and infinity stay.

        Values that are float64 are changed.
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
    """The smallest and the largest of some values, their sum, and how many there are; NaN where one of them is."""

    least: float
    most: float
    total: float
    count: int

    @classmethod
    def of(cls, values: Array) -> Measured:
        """Look at all values once."""
        with np.errstate(all="ignore"):
            total = float(values.sum(dtype=np.float64))
        return cls(float(values.min()), float(values.max()), total, values.size)

    def __add__(self, other: Measured) -> Measured:
        """Return what all values together are."""
        return Measured(
            float(np.minimum(self.least, other.least)),
            float(np.maximum(self.most, other.most)),
            self.total + other.total,
            self.count + other.count,
        )

    def record(self) -> dict[str, float | None]:
        """Return min, max and mean; None for what JSON has no number for."""
        found = {"min": self.least, "max": self.most, "mean": self.total / self.count}
        return {key: value if isfinite(value) else None for key, value in found.items()}


class Filtered(NamedTuple):
    """A filtered picture, the share of its samples that had to be clipped into its dtype, and how it was made.

    extent : the finite values before they were stretched; None if they were not, or none is finite
    measured : what the values of the colours were before they became samples; None if nobody looked at them
    """

    pixels: Array
    clipped: float
    plan: str = ""
    extent: Extent | None = None
    measured: Measured | None = None


def working_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the float that a picture is computed in: float32 for itself, else float64.

    Sums of whole samples in float64 are off by so little that rounding `beside` restores what libraries add in
    different orders.
    """
    return np.dtype("float32" if dtype == np.float32 else "float64")


def is_small(dtype: np.dtype[Any]) -> bool:
    """Whether samples of a dtype are whole numbers of 8 or 16 bits."""
    return dtype.kind in "iu" and dtype.itemsize <= 2


def raw_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the float in which values are written as they are: float32 for 8 bits and for itself, else float64."""
    return np.dtype("float32" if dtype.itemsize == 1 or dtype == np.float32 else "float64")


def full_scale(dtype: np.dtype[Any]) -> float:
    """Return what white, or opaque, is: the largest whole number, or 1 for floats."""
    return 1.0 if dtype.kind == "f" else float(np.iinfo(dtype).max)


def into_dtype(
    values: Array,
    dtype: np.dtype[Any],
    value_range: Range,
    extent: Extent | None = None,
    zero: Zero | None = None,
    *,
    beside: bool = False,
) -> Filtered:
    """Bring values back into a picture's dtype: shift or scale, round half to even, clip.

    `minmax` stretches `extent`, or else the finite values themselves. Among whole numbers NaN becomes 0, and infinity
    is clipped; floats keep both. `zero` has the sample of each channel that stands for 0; by default it is 0. With
    `beside`, what lies beside a half by less than 2^-29 is taken for one.
    """
    floating = dtype.kind == "f"
    start = 0 if zero is None else np.array(zero)
    low, high = (0, 1) if floating else (np.iinfo(dtype).min - start, np.iinfo(dtype).max - start)
    if zero is not None and value_range == "minmax":
        raise ArgumentError(
            "the range 'minmax' stretches all channels alike, and those with zero have scales of their own; "
            "take another, or one channel"
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
            with np.errstate(over="ignore"):  # what is beyond float32 becomes infinite, as IEEE 754 has it
                fitted[place] = part
            continue
        if part.dtype.kind == "f":
            part = np.rint(np.rint(part * BESIDE) / BESIDE if beside else part)
            missing = np.isnan(part)
            clipped += int(np.count_nonzero(missing))
            part[missing] = 0
        clipped += int(np.count_nonzero((part < low) | (part > high)))
        fitted[place] = _within(part, low, high) + start
    return Filtered(fitted, clipped / values.size, extent=extent)


def _middle(low: Any, high: Any, values: Array) -> Any:
    """Return the middle of a range, as a float where whole values with it would not fit their dtype."""
    middle = (low + high + 1) // 2
    if (
        values.dtype.kind == "i"
        and int(np.max(middle)) + max(0, int(values.max())) > np.iinfo(values.dtype).max
    ):
        return float(middle)
    return middle


def _within(values: Array, low: Any, high: Any) -> Array:
    """Clip values; to ends that their dtype has, so that none is beyond the range when it is converted."""
    if np.ndim(low):  # of 16 bits
        return values.clip(low, high)
    if values.dtype.kind == "f":
        most = float(high)
        return values.clip(float(low), most if most <= high else float(np.nextafter(most, 0)))
    limits = np.iinfo(values.dtype)
    return values.clip(max(low, limits.min), min(high, limits.max))


def in_parts(values: Array, part: float = BESIDE) -> Array:
    """Take floats to the nearest part of a level, in place: what libraries add in other orders is then the same."""
    np.multiply(values, part, out=values)
    np.rint(values, out=values)
    return np.divide(values, part, out=values)


def round_into(values: Array, out: Array, value_range: Range, zero: Zero | None = None) -> int:
    """Write floats to `out`, of whole numbers, as `into_dtype` does `beside` halves; count what was clipped.

    The values are changed. `minmax` is none of its ranges.
    """
    limits = np.iinfo(out.dtype)
    least, most = float(values.min()), float(values.max())
    in_range = -MOST_ROUNDED < least <= most < MOST_ROUNDED
    if zero is not None or not in_range or values.dtype.kind != "f":
        made = into_dtype(values, out.dtype, value_range, zero=zero, beside=True)
        out[...] = made.pixels
        return round(made.clipped * values.size)
    if value_range == "abs":
        np.abs(values, out=values)
        least, most = 0.0, max(-least, most)
    elif value_range == "offset":
        middle = (int(limits.min) + int(limits.max) + 1) // 2
        np.add(values, float(middle), out=values)
        least, most = least + middle, most + middle
    if values.dtype != np.float64:  # as exact as they can be
        np.rint(values, out=values)
    else:
        # A sum so large has no digits behind those of 1 / BESIDE, and then none behind the point.
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
    """Return whole samples (..., C) less what stands for 0 in each channel."""
    return pixels if zero is None else pixels.astype(np.int64) - np.array(zero)


def _parts(shape: tuple[int, ...]) -> Iterator[slice]:
    """Cut an array along its first axis into parts of about SAMPLES."""
    step = max(1, SAMPLES // max(1, prod(shape[1:])))
    return (slice(start, start + step) for start in range(0, shape[0], step))


def sheet_columns(count: int) -> int:
    """Return how many maps stand side by side: as many as below each other, or one more."""
    return isqrt(count - 1) + 1
