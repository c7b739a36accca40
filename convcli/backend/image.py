"""One picture through one kernel: exact sums, alpha, and the way back into the picture's own dtype."""

from dataclasses import replace
from math import prod
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from convcli.backend.bands.encoding import Encoding
from convcli.backend.bands.finish import Finish
from convcli.backend.bands.plan import METHODS, BandPlan
from convcli.backend.bands.rounding import MOST_DOUBT, Rounding, error_of
from convcli.backend.bands.run import plan_all, run
from convcli.backend.bands.strip import CENTRE
from convcli.backend.bands.units import UNIT, Units
from convcli.backend.bands.weights import Weights
from convcli.backend.checks import one_of
from convcli.backend.colour import from_light, to_light
from convcli.backend.opacity import kept, premultiplied
from convcli.backend.separable import factors
from convcli.backend.settled import Response, fitted
from convcli.backend.sliding import MOST_WHOLE, SMALLEST, SPATIAL, Sliding, is_small, response
from convcli.backend.values import Extent, Filtered, Range, Zero, into_dtype, signed
from convcli.errors import ArgumentError
from convcli.kernels import Kernel
from convcli.kernels.kernel import by_axes
from convcli.layers import Conv
from convcli.layers.axes import PerAxis
from convcli.layers.padding import AnyPadding, mode_of

Array = NDArray[Any]
Alpha = Literal["auto", "premultiply", "keep", "filter"]

LARGEST = 2.0**100  # of a sum that float32 holds, with all that leads to it
FAR = 256  # a border so many times the largest sample would take the digits of float32 from all around it
MOST_LIGHT = 2.0**8  # of a sum of light, so that float64 has digits enough for each level
SRGB = ("uint8", "uint16")  # the dtypes of sRGB samples
BANDED = ("uint8", "uint16", "int8", "int16", "float32")  # the dtypes of pictures that bands are made for


@np.errstate(all="ignore")  # NaN and infinity pass, as IEEE 754 has it
def filter_image(
    pixels: Array,
    kernel: Kernel,
    *,
    stride: PerAxis = 1,
    padding: AnyPadding = "same",
    dilation: PerAxis = 1,
    padding_mode: str = "reflect",
    padding_value: float = 0.0,
    flip: bool = False,
    alpha: Alpha | None = None,
    value_range: Range = "clip",
    method: str = "auto",
    threads: int | None = None,
    extent: Extent | None = None,
    zero: Zero | None = None,
    light: bool = False,
) -> Filtered:
    """Run a kernel over every channel of a picture.

    Parameters
    ----------
    pixels : ndarray, (H, W) or (H, W, C)
        Whole numbers or floats; never modified.
    kernel : Kernel
        Correlated with the picture; `flip` turns it by 180 degrees and makes that a true convolution.
    stride, padding, dilation
        As of `layers.Conv`, one number or one for rows and one for columns.
    padding_mode : str
        How the picture goes on beyond its border: `layers.padding.MODES`.
    alpha : str, optional
        What happens to the last channel when it is alpha; None when there is none. `filter` treats it as
        any channel. `keep` leaves it, and a transparent neighbour counts as having the pixel's own colour.
        `premultiply` weighs every colour by its alpha, and smooths alpha too. `auto` premultiplies for
        smoothing kernels and keeps otherwise. Transparent colours bleed only under `filter`.
    value_range : str
        How values come back into the dtype: `clip`; `abs`, the absolute value clipped; `offset`, the
        middle of the dtype's range added; `minmax`, the smallest finite value to 0 and the
        largest to the dtype's maximum (1 for floats). All of them round half to even. Floats are never clipped.
    method : str
        `direct` (shift and add), `separable` (one pass an axis, for kernels of rank 1), `gemm` (matrix products),
        `fft`, or `auto`, which takes the quickest. Whole sums are exact by each of them. Where NaN, infinity or sums
        beyond the digits of floats would spoil what is around them, sums are plain whatever the method.
    threads : int, optional
        How many threads share the picture; one for each core where it is None. The pixels are the same.
    extent : Extent, optional
        What `minmax` stretches, as for all frames of a picture alike; by default the values of this one.
    zero : sequence of int, optional
        The sample that stands for 0, one a channel, as of CIELAB, whose a* and b* have either sign; 0 by default.
    light : bool
        Filter the light that sRGB samples of 8 or 16 bits stand for, 0 to 1, which is what the padding value, the
        kernel's offset and the extent are told in; the result is sRGB again.

    Returns
    -------
    Filtered
        pixels : ndarray, (H', W') or (H', W', C), the dtype of the input; clipped : float, 0 to 1; extent : what
        `minmax` has stretched.

    Notes
    -----
    Sums of whole pixels and whole weights are exact. Otherwise pictures of 8 bits, and of float32, are
    summed in float32, all others in float64, and so are those whose weights or border are too large for
    float32. Where a float32 picture goes through a transform, the error is relative to its largest sample.
    `constant` surrounds a picture that has alpha with an opaque colour, `zeros` with nothing.

    Examples
    --------
    >>> import numpy as np
    >>> from convcli import backend
    >>> from convcli.kernels import parse_kernel
    >>> backend.filter_image(np.eye(3, dtype=np.uint8) * 9, parse_kernel("box")).pixels
    array([[5, 3, 4],
           [3, 3, 3],
           [4, 3, 5]], dtype=uint8)
    """
    layer = image_layer(kernel, stride, padding, dilation)
    if pixels.ndim not in (2, 3) or pixels.dtype.kind not in "uif" or not pixels.size:
        raise ArgumentError(
            f"a picture is (H, W) or (H, W, C), of whole numbers or floats and not empty; "
            f"got {pixels.dtype} of shape {pixels.shape}"
        )
    one_of("value_range", value_range, get_args(Range))
    if alpha is not None:
        one_of("alpha", alpha, get_args(Alpha))
    if not np.isfinite(padding_value):
        raise ArgumentError(f"padding_value must be finite, got {padding_value}")
    if light and pixels.dtype.name not in SRGB:
        raise ArgumentError(f"light is that of sRGB samples, {' or '.join(SRGB)}; got {pixels.dtype}")
    if is_small(pixels.dtype) and not light:
        padding_value = float(np.rint(padding_value * 256) / 256)
    anchor = _turned(kernel.anchor, kernel.shape) if flip else kernel.anchor
    sliding = Sliding(
        layer, pixels.shape[:2], mode_of(padding_mode), padding_value, flip, anchor, method, threads
    )
    one_of("method", method, METHODS)
    if method == "separable" and any(factors(np.array(matrix), 2) is None for matrix in kernel.matrices):
        raise ArgumentError(
            f"method 'separable' does not suit the kernel {kernel.name!r}, whose rank is above 1; take 'auto', or "
            "another method"
        )
    if alpha == "auto":
        alpha = "premultiply" if kernel.is_smoothing else "keep"
    if alpha == "premultiply" and method == "fft" and (light or not is_small(pixels.dtype)):
        sliding = replace(
            sliding, method="auto"
        )  # small sums are divided by small ones, and need all their digits
    if light:
        return _in_light(sliding, pixels, kernel, alpha, value_range, extent)
    if alpha is None or alpha == "filter":
        if pixels.dtype.name in BANDED and value_range != "minmax" and zero is None:
            banded = _banded(sliding, pixels, kernel, value_range, method, threads)
            if banded is not None:
                return banded
        values = response(sliding, signed(pixels, zero), kernel, pixels.dtype)
        result = fitted(values, pixels.dtype, value_range, extent, zero)
        return replace(result, plan=sliding.plan)
    colour, opacity = pixels[..., :-1], pixels[..., -1:]
    through = premultiplied if alpha == "premultiply" else kept
    of_colour, of_alpha = through(sliding, colour, opacity, kernel)
    result = fitted(of_colour, pixels.dtype, value_range, extent)
    restored = fitted(of_alpha, pixels.dtype, "clip").pixels
    return replace(result, pixels=np.concatenate([result.pixels, restored], axis=-1), plan=sliding.plan)


def _in_light(
    sliding: Sliding,
    pixels: Array,
    kernel: Kernel,
    alpha: str | None,
    value_range: Range,
    extent: Extent | None,
) -> Filtered:
    """Filter the light of sRGB samples; alpha is no light."""
    if alpha is None:
        banded = _encoded(sliding, pixels, kernel, value_range) if value_range != "minmax" else None
        if banded is not None:
            return banded
        of_colour = response(sliding, to_light(pixels), kernel)
        return _as_srgb(of_colour, pixels.dtype, value_range, extent, sliding.plan)
    colour, opacity = pixels[..., :-1], pixels[..., -1:]
    opaque = float(np.iinfo(pixels.dtype).max)
    beside = replace(sliding, padding_value=float(np.rint(sliding.padding_value * opaque)))
    if alpha == "filter":
        result = _in_light(sliding, colour, kernel, None, value_range, extent)
        like_light = replace(kernel, offset=kernel.offset * opaque)
        of_alpha = fitted(response(beside, opacity, like_light), pixels.dtype, value_range, None)
    else:
        through = premultiplied if alpha == "premultiply" else kept
        of_colour, _ = through(sliding, to_light(colour), opacity / opaque, kernel)
        result = _as_srgb(of_colour, pixels.dtype, value_range, extent, sliding.plan)
        _, settled = through(beside, opacity, opacity, kernel)
        of_alpha = fitted(settled, pixels.dtype, "clip", None)
    return replace(result, pixels=np.concatenate([result.pixels, of_alpha.pixels], axis=-1))


def _as_srgb(
    light: Response, dtype: np.dtype[Any], value_range: Range, extent: Extent | None, plan: str
) -> Filtered:
    values = into_dtype(light.values, np.dtype(np.float64), value_range, extent)
    pixels, clipped = from_light(values.pixels, dtype)
    return replace(values, pixels=pixels, clipped=clipped, plan=plan)


def _encoded(sliding: Sliding, pixels: Array, kernel: Kernel, value_range: Range) -> Filtered | None:
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


def _banded(
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


def image_layer(
    kernel: Kernel, stride: PerAxis = 1, padding: AnyPadding = "same", dilation: PerAxis = 1
) -> Conv:
    """Return the layer that an image kernel is to each channel, or raise ArgumentError."""
    if kernel.dims != len(SPATIAL):
        raise ArgumentError(
            f"kernel {kernel.name!r} has {kernel.dims} axes, {by_axes(kernel.shape)}; a picture takes one of "
            "rows and columns"
        )
    return Conv(
        in_channels=1,
        out_channels=1,
        kernel_size=kernel.shape,
        stride=stride,
        padding=padding,
        dilation=dilation,
        bias=False,
    )


def _turned(anchor: tuple[int, ...] | None, shape: tuple[int, ...]) -> tuple[int, ...] | None:
    """Return where the anchor of a kernel lies once the kernel is turned by 180 degrees."""
    return anchor and tuple(side - 1 - place for side, place in zip(shape, anchor, strict=True))
