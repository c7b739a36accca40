"""Apply one kernel to a picture in bands: choose dtypes and plan so that every sample is correctly rounded."""

from collections.abc import Callable, Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from convcli.backend.algorithms.slide import Slide
from convcli.backend.bands.band_loop import plan_all, run
from convcli.backend.bands.band_plan import BandPlan
from convcli.backend.bands.encoding import Encoding
from convcli.backend.bands.rounding import Rounding, error_of, exact_sum_cost
from convcli.backend.bands.strip import CENTRE
from convcli.backend.bands.sums_to_pixels import Finish
from convcli.backend.bands.units import UNIT, Units
from convcli.backend.bands.weights import Weights
from convcli.backend.values import Filtered, Range
from convcli.kernels import Kernel
from convcli.layers import Conv
from convcli.layers.axes import Sizes
from convcli.layers.padding import Pads

Array = NDArray[Any]

MAX_WHOLE = 2.0**31  # limit of the absolute value of a weight
SMALLEST = 2.0**-100  # lower limit of a sum in float32, with a margin for intermediate results
LARGEST = 2.0**100  # upper limit of a sum in float32, with a margin for intermediate results
FAR = 256  # a border this many times the largest sample would cost the digits of float32 sums around it
MAX_LIGHT = 2.0**8  # limit of a sum of linear light, so that float64 resolves every level


class KernelOnPicture(NamedTuple):
    """A kernel for pictures of one size: how it moves, how the picture is padded, and how sums are computed.

    matrices : those of the kernel, rotated if the kernel is, with the zeros that an anchor may need
    value : the constant value beyond the border, if the mode has one
    """

    kernel: Kernel
    matrices: Sequence[Array]
    slide: Slide
    pads: Pads
    mode: str
    value: float
    method: str = "auto"
    threads: int | None = None

    @classmethod
    def of(
        cls,
        kernel: Kernel,
        matrices: Sequence[Array],
        layer: Conv,
        size: Sizes,
        mode: str,
        value: float,
        method: str,
        threads: int | None,
    ) -> "KernelOnPicture":
        """Lay out the kernel as a layer with one channel does."""
        slide, pads = Slide.of(layer, size), layer.pads(size)
        outside = value if mode == "constant" else 0.0
        return cls(kernel, matrices, slide, pads, mode, outside, method, threads)

    def divided(self) -> list[Array]:
        """Return the matrices divided by the kernel's divisor, as floats."""
        return [matrix.astype(np.float64) / self.kernel.divisor for matrix in self.matrices]


class InBands(NamedTuple):
    """A filter in bands: the kernel for one picture size, its weights, the plan, and the conversion to pixels."""

    on_picture: KernelOnPicture
    weights: list[Weights]
    band_plan: BandPlan
    finish: Finish | Rounding | Encoding

    def __call__(self, pixels: Array) -> Filtered:
        """Filter the picture."""
        picture, on_picture = pixels.reshape(*pixels.shape[:2], -1), self.on_picture
        made, clipped = run(
            picture,
            self.weights,
            on_picture.slide,
            on_picture.pads,
            on_picture.mode,
            on_picture.value,
            self.band_plan,
            self.finish,
        )
        return Filtered(
            made.reshape(*made.shape[:2], *pixels.shape[2:]), clipped / made.size, str(self.band_plan)
        )


class Samples(NamedTuple):
    """The properties of a picture's samples that a plan depends on: dtype, channels, and range of values."""

    dtype: np.dtype[Any]
    channels: int
    least: float
    most: float

    @classmethod
    def of(cls, pixels: Array) -> "Samples":
        """Return the range of an integer dtype, or of the values of a float picture."""
        return cls.alike(pixels.dtype, prod(pixels.shape[2:]), lambda: (pixels.min(), pixels.max()))

    @classmethod
    def alike(
        cls, dtype: np.dtype[Any], channels: int, ends: Callable[[], tuple[float, float]] = lambda: (0, 1)
    ) -> "Samples":
        """Return the properties of all pictures of a dtype; floats are taken to be in 0 to 1 unless `ends` is given."""
        if dtype.kind == "f":
            least, most = ends()
        else:
            least, most = np.iinfo(dtype).min, np.iinfo(dtype).max
        return cls(dtype, channels, float(least), float(most))

    @property
    def largest(self) -> float:
        """Upper bound of the absolute value of samples; NaN or infinity if there is one."""
        return float(np.maximum(self.most, -self.least))


def in_bands(on_picture: KernelOnPicture, samples: Samples, value_range: Range) -> InBands | None:
    """Return the filter in bands for such samples; None if no plan computes sums that are exact enough."""
    kernel, value = on_picture.kernel, on_picture.value
    whole = kernel.is_whole and float(value).is_integer()
    if samples.dtype.kind == "f" or whole:
        return _in_sums(on_picture, samples, value_range)
    return _rounded(on_picture, samples, value_range)


def _rounded(on_picture: KernelOnPicture, samples: Samples, value_range: Range) -> InBands | None:
    """Filter integer samples with fractional weights, each sample correctly rounded."""
    kernel, value = on_picture.kernel, on_picture.value
    arrays = on_picture.divided()
    units = Units.of(arrays, kernel.offset, value)
    if units is None:
        return None
    dtype = samples.dtype
    centre = CENTRE if dtype == np.uint8 else 0
    largest = float(max(abs(end - centre) for end in (samples.most, samples.least, value)))
    weights = [Weights.of(array) for array in arrays]
    most = max(float(np.abs(matrix).sum()) for matrix in units.weights) * (largest + centre)
    slide, method, threads = on_picture.slide, on_picture.method, on_picture.threads
    wide = dtype.itemsize > 1

    def correction_cost(name: str, dtype: str, length: int) -> int:
        return exact_sum_cost(error_of(name, dtype, length, units, weights, largest), units)

    band_plan = plan_all(
        weights, largest, slide, samples.channels, wide, method, threads, correction_cost=correction_cost
    )
    if band_plan is None:
        return None
    error = error_of(band_plan.method, band_plan.dtype, band_plan.length, units, weights, largest)
    within = all(m.min() >= 0 and m.sum() <= (1 << UNIT) + (1 << UNIT // 2) for m in units.matrices)
    fits = (
        within and kernel.combine == "none" and not kernel.offset and samples.least <= value <= samples.most
    )
    can_clip = not (fits and value_range != "offset" and not samples.least)
    positive = all(matrix.min() >= 0 for matrix in units.matrices) and min(samples.least, value) >= 0
    unsigned = kernel.combine == "magnitude" or value_range == "abs" or (positive and kernel.offset >= 0)
    finish = Rounding(units, kernel.combine, value_range, dtype, error, most, can_clip, not unsigned, centre)
    return InBands(on_picture, weights, band_plan, finish)


def _in_sums(on_picture: KernelOnPicture, samples: Samples, value_range: Range) -> InBands | None:
    """Filter integer samples with integer weights exactly, and floats in floating point."""
    dtype, largest = samples.dtype, samples.largest
    integers = dtype.kind in "iu"
    kernel, value = on_picture.kernel, on_picture.value
    if not all(-MAX_WHOLE < weight < MAX_WHOLE for weight in kernel.flat_weights):
        return None
    arrays = [matrix.astype(np.int64 if integers else np.float64) for matrix in on_picture.matrices]
    weights = [Weights.of(array) for array in arrays]
    reach = max(largest, abs(value))
    most = max(np.abs(array.astype(float)).sum() for array in arrays) * reach
    # NaN and infinity fail these comparisons.
    if not SMALLEST < most < LARGEST or not reach < LARGEST or (reach > FAR * largest and not integers):
        return None
    transforms = 0
    if not integers:
        is_mean = all(array.min() >= 0 for array in arrays) and min(samples.least, value) >= 0
        transforms = 1 if is_mean else 2
    slide, method, threads = on_picture.slide, on_picture.method, on_picture.threads
    band_plan = plan_all(
        weights, reach, slide, samples.channels, dtype.itemsize == 2, method, threads, transforms
    )
    if band_plan is None:
        return None
    within = all(array.min() >= 0 and array.sum() <= kernel.divisor * (1 + 1e-6) for array in arrays)
    within = within and kernel.is_smoothing and not kernel.offset
    fits = within and value_range != "offset" and 0 <= value <= largest
    finish = Finish(kernel.combine, kernel.divisor, kernel.offset, value_range, dtype, most, not fits)
    return InBands(on_picture, weights, band_plan, finish)


def light_in_bands(on_picture: KernelOnPicture, samples: Samples, value_range: Range) -> InBands | None:
    """Return the filter in bands of linear light; None if no plan computes sums that are exact enough."""
    kernel, value = on_picture.kernel, on_picture.value
    weights = [Weights.of(matrix) for matrix in on_picture.divided()]
    largest = max(1.0, abs(value))
    if not max(float(np.abs(each.matrix).sum()) for each in weights) * largest < MAX_LIGHT:
        return None
    band_plan = plan_all(
        weights, largest, on_picture.slide, samples.channels, True, on_picture.method, on_picture.threads
    )
    if band_plan is None:
        return None
    encoding = Encoding(kernel.combine, float(kernel.offset), value_range, samples.dtype)
    return InBands(on_picture, weights, band_plan, encoding)
