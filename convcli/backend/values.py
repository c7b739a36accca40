"""Values and pixels: which float a picture is computed in, and the way back into its own dtype."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isqrt
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Range = Literal["clip", "abs", "offset", "minmax"]

EIGHT_BITS = np.dtype("uint8")
GAP = 2  # pixels between the maps of a sheet
EXACT = "exact sums, whole or in float64"  # the plan for what no band plan covers


@dataclass(frozen=True)
class Filtered:
    """A filtered picture, the share of its samples that had to be clipped into its dtype, and how it was made."""

    pixels: Array
    clipped: float
    plan: str = EXACT


def working_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the float that holds every sample of a picture and its sums: float32 for 8 bits and for itself."""
    return np.dtype("float32" if dtype.itemsize == 1 or dtype == np.float32 else "float64")


def full_scale(dtype: np.dtype[Any]) -> float:
    """Return what white, or opaque, is: the largest whole number, or 1 for floats."""
    return 1.0 if dtype.kind == "f" else float(np.iinfo(dtype).max)


def into_dtype(values: Array, dtype: np.dtype[Any], value_range: Range) -> Filtered:
    """Bring values back into a picture's dtype: shift or scale, round half to even, clip."""
    floating = dtype.kind == "f"
    low, high = (0, 1) if floating else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    if value_range == "abs":
        values = np.abs(values)
    elif value_range == "offset":
        values = values + (0.5 if floating else (low + high + 1) // 2)
    elif value_range == "minmax":
        smallest, largest = float(values.min()), float(values.max())
        values = (values - smallest) * high / ((largest - smallest) or 1.0)
    if floating:
        with np.errstate(over="ignore"):  # what is beyond float32 becomes infinite, as IEEE 754 has it
            return Filtered(values.astype(dtype), 0.0)
    if values.dtype.kind == "f":
        values = np.rint(values)
    clipped = np.count_nonzero((values < low) | (values > high)) / values.size
    return Filtered(values.clip(low, high).astype(dtype), clipped)


def sheet_size(count: int, height: int, width: int) -> tuple[int, int]:
    """Return the rows and columns of a sheet of so many maps."""
    columns = sheet_columns(count)
    return -(-count // columns) * (height + GAP) - GAP, columns * (width + GAP) - GAP


def sheet_columns(count: int) -> int:
    """Return how many maps stand side by side: as many as below each other, or one more."""
    return isqrt(count - 1) + 1


def black(shape: Sequence[int], dtype: np.dtype[Any]) -> Array:
    """Return pixels that take no memory."""
    return np.broadcast_to(np.zeros((), dtype), tuple(shape))
