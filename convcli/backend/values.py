"""Values and pixels: which float a picture is computed in, and the way back into its own dtype."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Range = Literal["clip", "abs", "offset", "minmax"]

EXACT = "exact sums of whole pictures"  # the plan for what no band plan covers


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
