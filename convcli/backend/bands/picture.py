"""A picture through one kernel in bands: in which numbers, by which plan, so that every sample is the right one."""

from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.backend.bands.encoding import Encoding
from convcli.backend.bands.finish import Finish
from convcli.backend.bands.plan import BandPlan
from convcli.backend.bands.rounding import MOST_DOUBT, Rounding, error_of
from convcli.backend.bands.run import plan_all, run
from convcli.backend.bands.strip import CENTRE
from convcli.backend.bands.units import UNIT, Units
from convcli.backend.bands.weights import Weights
from convcli.backend.sliding import MOST_WHOLE, SMALLEST, Sliding
from convcli.backend.values import Filtered, Range
from convcli.kernels import Kernel

Array = NDArray[Any]

LARGEST = 2.0**100  # of a sum that float32 holds, with all that leads to it
FAR = 256  # a border so many times the largest sample would take the digits of float32 from all around it
MOST_LIGHT = 2.0**8  # of a sum of light, so that float64 has digits enough for each level


def banded(
    sliding: Sliding, pixels: Array, kernel: Kernel, value_range: Range, method: str, threads: int | None
) -> Filtered | None:
    """Filter in bands, or return None where no plan has sums that are exact enough."""
    value = sliding.padding_value if sliding.padding_mode == "constant" else 0.0
    whole = kernel.is_whole and float(value).is_integer()
    if pixels.dtype.kind == "f" or whole:
        return _in_sums(sliding, pixels, kernel, value_range, method, threads)
    return _rounded(sliding, pixels, kernel, value_range, method, threads)


def _rounded(
    sliding: Sliding, pixels: Array, kernel: Kernel, value_range: Range, method: str, threads: int | None
) -> Filtered | None:
    """Filter whole samples by weights that are none, each sample to the right whole number."""
    value = sliding.padding_value if sliding.padding_mode == "constant" else 0.0
    arrays = [sliding.turned(matrix) / kernel.divisor for matrix in kernel.matrices]
    units, limits = Units.of(arrays, kernel.offset, value), np.iinfo(pixels.dtype)
    if units is None:
        return None
    centre = CENTRE if pixels.dtype == np.uint8 else 0
    largest = float(max(abs(end - centre) for end in (int(limits.max), int(limits.min), value)))
    weights = [Weights.of(array) for array in arrays]
    most = max(float(np.abs(matrix).sum()) for matrix in units.weights) * (largest + centre)
    channels = prod(pixels.shape[2:])
    for wide in (False, True)[pixels.dtype.itemsize > 1 :]:
        way = plan_all(weights, largest, sliding.slide, channels, wide, method, threads)
        if way is None:
            return None
        error = error_of(way, units, weights, sliding.slide, largest)
        if error < MOST_DOUBT:
            break
    assert way is not None
    within = all(m.min() >= 0 and m.sum() <= (1 << UNIT) + (1 << UNIT // 2) for m in units.matrices)
    fits = within and kernel.combine == "none" and not kernel.offset and limits.min <= value <= limits.max
    can_clip = not (fits and value_range != "offset" and not limits.min)
    finish = Rounding(units, kernel.combine, value_range, pixels.dtype, error, most, can_clip, centre)
    return _in_bands(sliding, pixels, weights, value, way, finish)


def _in_sums(
    sliding: Sliding, pixels: Array, kernel: Kernel, value_range: Range, method: str, threads: int | None
) -> Filtered | None:
    """Filter whole samples by whole weights exactly, and floats in floats."""
    integers = pixels.dtype.kind in "iu"
    # NaN and infinity make the largest sample one, which fails the comparisons below.
    largest = _largest(pixels)
    value = sliding.padding_value if sliding.padding_mode == "constant" else 0.0
    if not all(-MOST_WHOLE < weight < MOST_WHOLE for weight in kernel.weights):
        return None
    arrays = [np.array(matrix, np.int64 if integers else np.float64) for matrix in kernel.matrices]
    weights = [Weights.of(array[::-1, ::-1] if sliding.flip else array) for array in arrays]
    reach = max(largest, abs(value))
    most = max(np.abs(array.astype(float)).sum() for array in arrays) * reach
    if not SMALLEST < most < LARGEST or not reach < LARGEST or (reach > FAR * largest and not integers):
        return None
    wide = pixels.dtype.itemsize == 2
    transforms = 0
    if not integers:
        is_mean = all(array.min() >= 0 for array in arrays) and min(float(pixels.min()), value) >= 0
        transforms = 1 if is_mean else 2
    channels = prod(pixels.shape[2:])
    way = plan_all(weights, reach, sliding.slide, channels, wide, method, threads, transforms)
    if way is None:
        return None
    within = all(array.min() >= 0 and array.sum() <= kernel.divisor * (1 + 1e-6) for array in arrays)
    within = within and kernel.is_smoothing and not kernel.offset
    fits = within and value_range != "offset" and 0 <= value <= largest
    finish = Finish(kernel.combine, kernel.divisor, kernel.offset, value_range, pixels.dtype, most, not fits)
    return _in_bands(sliding, pixels, weights, value, way, finish)


def _largest(pixels: Array) -> float:
    """Return what no sample exceeds: the largest whole number of the dtype, or the largest float that is there."""
    if pixels.dtype.kind == "f":
        return float(max(pixels.max(), -pixels.min()))
    limits = np.iinfo(pixels.dtype)
    return float(max(limits.max, -int(limits.min)))


def _in_bands(
    sliding: Sliding,
    pixels: Array,
    weights: list[Weights],
    value: float,
    way: BandPlan,
    finish: Finish | Rounding | Encoding,
) -> Filtered:
    picture = pixels.reshape(*pixels.shape[:2], -1)
    made, clipped = run(
        picture, weights, sliding.slide, sliding.pads, sliding.padding_mode, value, way, finish
    )
    return Filtered(made.reshape(*made.shape[:2], *pixels.shape[2:]), clipped / made.size, str(way))


def encoded(sliding: Sliding, pixels: Array, kernel: Kernel, value_range: Range) -> Filtered | None:
    """Filter light in bands, or return None where no plan has sums that are exact enough."""
    value = sliding.padding_value if sliding.padding_mode == "constant" else 0.0
    weights = [Weights.of(sliding.turned(matrix) / kernel.divisor) for matrix in kernel.matrices]
    largest = max(1.0, abs(value))
    if not max(float(np.abs(each.matrix).sum()) for each in weights) * largest < MOST_LIGHT:
        return None
    channels = prod(pixels.shape[2:])
    way = plan_all(weights, largest, sliding.slide, channels, True, sliding.method, sliding.threads)
    if way is None:
        return None
    finish = Encoding(kernel.combine, float(kernel.offset), value_range, pixels.dtype)
    return _in_bands(sliding, pixels, weights, value, way, finish)
