"""One picture through one kernel: exact sums, alpha, and the way back into the picture's own dtype."""

from dataclasses import dataclass, replace
from math import prod
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from convcli.backend.algorithms.separable import factors
from convcli.backend.answers import Answer, by_parts, measured
from convcli.backend.bands.band_memory import band_bytes
from convcli.backend.bands.band_plan import METHODS
from convcli.backend.bands.picture_in_bands import InBands, Samples, in_bands, light_in_bands
from convcli.backend.bands.units import SAMPLE
from convcli.backend.checks import one_of
from convcli.backend.light import answers_in_light
from convcli.backend.opacity import kept, premultiplied
from convcli.backend.parts import part_bytes
from convcli.backend.sliding import SPATIAL, Sliding, is_small, response
from convcli.backend.values import Extent, Filtered, Range, Zero, signed
from convcli.errors import ArgumentError
from convcli.kernels import Kernel
from convcli.kernels.kernel import by_axes
from convcli.layers import Conv
from convcli.layers.axes import PerAxis
from convcli.layers.padding import AnyPadding, mode_of

Array = NDArray[Any]
Alpha = Literal["auto", "premultiply", "keep", "filter"]

SRGB = ("uint8", "uint16")  # the dtypes of sRGB samples
# Bytes of each sample that is looked at, and that is made, where parts are filtered: arrays of float64 and int64.
SEEN, EXACT_SEEN, WEIGHED_SEEN = 12, 32, 16
MADE, SUMMED, BESIDE_ALPHA = 24, 8, 16
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
    value_range: Range | None = "clip",
    method: str = "auto",
    threads: int | None = None,
    extent: Extent | None = None,
    zero: Zero | None = None,
    light: bool = False,
    measure: bool = False,
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
        None gives the values themselves, as floats: float32 for 8 bits and float32, else float64.
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
    measure : bool
        Tell what the values of the colours are before they become samples.

    Returns
    -------
    Filtered
        pixels : ndarray, (H', W') or (H', W', C), the dtype of the input; clipped : float, 0 to 1; extent : what
        `minmax` has stretched; measured : the least, the largest, the sum and the count of the values.

    Notes
    -----
    A sample of 8 or 16 bits is the exact sum, rounded once, half to even: of whole weights as they are, of
    others divided by the kernel's divisor and taken to the nearest 2^-40; a padding value is taken to 2^-8. It
    depends neither on the method nor on the processor. Samples of float32 are summed in float32, or float64 where
    weights or border are too large for that, and are within 1e-5 of the sum of |weight * sample|. Linear light is
    summed in float64.
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
    if pixels.ndim not in (2, 3) or pixels.dtype.kind not in "uif" or not pixels.size:
        raise ArgumentError(
            f"a picture is (H, W) or (H, W, C), of whole numbers or floats and not empty; "
            f"got {pixels.dtype} of shape {pixels.shape}"
        )
    layer = image_layer(kernel, stride, padding, dilation)
    border = mode_of(padding_mode), padding_value
    asked = _Asked.of(kernel, alpha, value_range, zero, light)
    sliding = asked.sliding(layer, pixels.shape[:2], border, flip, method, threads, pixels.dtype)
    found = asked.banded(sliding, pixels)
    if found is None:
        return by_parts(sliding, pixels, asked.answers, value_range, extent)
    return replace(found, measured=measured(sliding, pixels, asked.answers)) if measure else found


def working_bytes(
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    kernel: Kernel,
    *,
    stride: PerAxis = 1,
    padding: AnyPadding = "same",
    dilation: PerAxis = 1,
    padding_mode: str = "reflect",
    padding_value: float = 0.0,
    flip: bool = False,
    alpha: Alpha | None = None,
    value_range: Range | None = "clip",
    method: str = "auto",
    threads: int | None = None,
    zero: Zero | None = None,
    light: bool = False,
    measure: bool = False,
) -> int:
    """Foretell the bytes that `filter_image` takes beside a picture of a shape and dtype, and beside its result."""
    layer = image_layer(kernel, stride, padding, dilation)
    border = mode_of(padding_mode), padding_value
    asked = _Asked.of(kernel, alpha, value_range, zero, light)
    sliding = asked.sliding(layer, shape[:2], border, flip, method, threads, dtype)
    channels, slide = prod(shape[2:]), sliding.slide
    found = asked.in_bands(sliding, Samples.alike(dtype, channels))
    bands = 0 if found is None else band_bytes(found.way, slide, channels, len(found.weights), found.finish)
    if found is not None and not measure:
        return bands
    seen, made = asked.part_bytes(dtype)
    return max(bands, part_bytes(slide, channels, shape[1], threads, seen, made))


@dataclass(frozen=True)
class _Asked:
    """What is done with a kernel, as `filter_image` is asked; alpha is not `auto` any more."""

    kernel: Kernel
    alpha: str | None
    value_range: Range | None
    zero: Zero | None
    light: bool

    @classmethod
    def of(
        cls, kernel: Kernel, alpha: Alpha | None, value_range: Range | None, zero: Zero | None, light: bool
    ) -> "_Asked":
        """Check what is asked, and choose what `auto` is."""
        if value_range is not None:
            one_of("value_range", value_range, get_args(Range))
        elif light:
            raise ArgumentError("light has no values that are written as they are; take a value_range")
        if alpha is not None:
            one_of("alpha", alpha, get_args(Alpha))
        chosen: str | None = alpha
        if alpha == "auto":
            chosen = "premultiply" if kernel.is_smoothing else "keep"
        return cls(kernel, chosen, value_range, zero, light)

    def sliding(
        self,
        layer: Conv,
        size: tuple[int, ...],
        border: tuple[str, float],
        flip: bool,
        method: str,
        threads: int | None,
        dtype: np.dtype[Any],
    ) -> Sliding:
        """Return the window over a picture of a size and dtype, or raise ArgumentError."""
        mode, value = border
        if not np.isfinite(value):
            raise ArgumentError(f"padding_value must be finite, got {value}")
        if self.light and dtype.name not in SRGB:
            raise ArgumentError(f"light is that of sRGB samples, {' or '.join(SRGB)}; got {dtype}")
        if is_small(dtype) and not self.light:
            value = float(np.rint(value * 2.0**SAMPLE) / 2.0**SAMPLE)
        kernel = self.kernel
        anchor = _turned(kernel.anchor, kernel.shape) if flip else kernel.anchor
        one_of("method", method, METHODS)
        if method == "separable" and any(factors(np.array(matrix), 2) is None for matrix in kernel.matrices):
            raise ArgumentError(
                f"method 'separable' does not suit the kernel {kernel.name!r}, whose rank is above 1; take 'auto', or "
                "another method"
            )
        if self.alpha == "premultiply" and method == "fft" and (self.light or not is_small(dtype)):
            method = "auto"  # small sums are divided by small ones, and need all their digits
        return Sliding(layer, size, mode, value, flip, anchor, method, threads)

    def in_bands(self, sliding: Sliding, samples: Samples) -> InBands | None:
        """Return how the picture is filtered in bands; None where bands are not made for it."""
        one = self.alpha is None or (self.alpha == "filter" and not self.light)
        if not one or self.value_range in (None, "minmax") or self.zero is not None:
            return None
        assert self.value_range is not None
        if self.light:
            return light_in_bands(sliding, samples, self.kernel, self.value_range)
        if samples.dtype.name not in BANDED:
            return None
        return in_bands(sliding, samples, self.kernel, self.value_range)

    def banded(self, sliding: Sliding, pixels: Array) -> Filtered | None:
        """Filter in bands, where they are made for such a picture."""
        found = self.in_bands(sliding, Samples.of(pixels))
        return None if found is None else found(sliding, pixels)

    def part_bytes(self, dtype: np.dtype[Any]) -> tuple[int, int]:
        """Return what `answers` takes for each sample of a part that it looks at, and for each that it makes."""
        alone = self.alpha is None or self.alpha == "filter"
        # Floats that are too near to a half are summed again, but for those of light.
        exact = is_small(dtype) and not self.kernel.is_whole and not self.light
        weighed = self.alpha == "premultiply" and not self.light
        seen = SEEN + EXACT_SEEN * exact + WEIGHED_SEEN * weighed
        return seen, MADE + SUMMED * len(self.kernel.matrices) + (0 if alone else BESIDE_ALPHA)

    def answers(self, sliding: Sliding, pixels: Array) -> list[Answer]:
        """Return what the kernel answers to a picture, or a part of one."""
        if self.light:
            return answers_in_light(sliding, pixels, self.kernel, self.alpha, self.value_range)
        if self.alpha is None or self.alpha == "filter":
            values = response(sliding, signed(pixels, self.zero), self.kernel, pixels.dtype)
            return [Answer(values, self.value_range, self.zero)]
        through = premultiplied if self.alpha == "premultiply" else kept
        colour, opacity = through(sliding, pixels[..., :-1], pixels[..., -1:], self.kernel)
        return [Answer(colour, self.value_range), Answer(opacity, self.value_range and "clip")]


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
