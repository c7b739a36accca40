"""The convolution theorem on overlapping tiles (overlap-save): one product per frequency."""

from collections.abc import Iterator
from itertools import product
from math import isqrt, log2, prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.backend.algorithms.costs import SPECTRUM_BYTES, fft_size, fft_tiles
from convcli.backend.algorithms.slide import Slide, last_axes
from convcli.layers.axes import Sizes

Array = NDArray[Any]

NEAR = 1e-5  # allowed error of a float sum, relative to the sum of |weight * value|


def is_exact(peak: int, inputs: int, slide: Slide) -> bool:
    """Return whether rounding restores integers whose sums are at most `peak` = max|x| * sum|weight|.

    Brent, Percival & Zimmermann, "Error bounds on complex floating-point multiplication" (2007), theorem
    5.1: with lengths 2^n the error is below |x| |w| eps (3n + 5**0.5 * (3n + 1) + 3n), Euclidean norms. Here
    |x| <= max|x| * sqrt(elements) and |w| <= sum|weight|; 32 (n + inputs) replaces the last factor, which
    leaves more than a factor of 2 for the transforms of real numbers; the error must stay below 1/4.
    """
    elements = prod(fft_size(slide, exact=True))
    norm = peak * (isqrt(elements * inputs) + 1)
    return norm * 32 * (elements.bit_length() + inputs) < 1 << 51


def is_finite(x: Array, border: Array, weight: Array, slide: Slide, dtype: np.dtype[Any]) -> bool:
    """Return whether every number, and every sum that the transforms compute, is finite in `dtype`."""
    with np.errstate(over="ignore", invalid="ignore"):
        # NumPy's maximum propagates NaN, which Python's may drop; 1 covers each factor of a product alone.
        peak = np.max([1, *(float(np.abs(array).max(initial=0)) for array in (x, border))])
        top = np.maximum(1, float(np.abs(weight).max()))
        reach = peak * top * prod(fft_size(slide)) ** 2 * weight[0, 0].size
    return bool(reach < float(np.finfo(dtype).max))  # False for NaN too


def transform_error(reach: float, elements: int, dtype: np.dtype[Any]) -> float:
    """Return a bound on the error of sums by transforms of this number of elements, if no sum exceeds `reach`.

    The error of a transform is spread over all positions and grows with the logarithm of their number (Schatzman 1996,
    Accuracy of the discrete Fourier transform and the fast Fourier transform). The largest error found for pictures of
    every kind is a third of this bound.
    """
    return 1.5 * log2(max(2, elements)) * float(np.finfo(dtype).eps) / 2 * reach


def is_near(least: float, error: float) -> bool:
    """Return whether an error is small compared with a sum of magnitudes that has the same error itself."""
    return error <= NEAR * (least - error) or error == 0


def correlate(x: Array, weight: Array, slide: Slide, exact: bool = False) -> Array:
    """Return the correlation of a padded x (N, G, C, *padded) with weight (G, O, C, *k): (N, G, O, *out).

    With a stride, the positions in between are computed and dropped; a dilated kernel is transformed with its gaps.
    `exact` uses lengths for which `is_exact` holds, and rounds the result.
    """
    groups, outputs, inputs = weight.shape[:3]
    size = fft_size(slide, exact)
    axes = tuple(range(-len(size), 0))
    real = x.dtype.kind == "f"
    forward, back = (np.fft.rfftn, np.fft.irfftn) if real else (np.fft.fftn, np.fft.ifftn)
    out = np.empty((len(x), groups, outputs, *slide.output_size), x.dtype)
    spectrum_bytes = groups * inputs * prod(size) * x.itemsize
    at_once = max(1, SPECTRUM_BYTES // spectrum_bytes)
    kept = tuple(
        slice(0, (count - 1) * s + 1, s)
        for count, s in zip(fft_tiles(slide, size), slide.stride, strict=True)
    )
    for first in range(0, outputs, at_once):
        some = slice(first, first + at_once)
        # The conjugates turn convolution into correlation, also for complex weights.
        weights = np.conj(forward(np.conj(_spread(weight[:, some], slide)), s=size, axes=axes))
        for image in range(len(x)):
            for source, target in _tiles(slide, size):
                tile = forward(x[image][last_axes(source)], s=size, axes=axes)
                total = weights[:, :, 0] * tile[:, np.newaxis, 0]
                for channel in range(1, inputs):
                    total += weights[:, :, channel] * tile[:, np.newaxis, channel]
                result = back(total, s=size, axes=axes)[last_axes(kept)]
                place = out[image, :, some][last_axes(target)]
                result = result[last_axes(slice(0, count) for count in place.shape[2:])]
                np.copyto(place, np.rint(result) if exact else result)
    return out


def _tiles(slide: Slide, size: Sizes) -> Iterator[tuple[tuple[slice, ...], tuple[slice, ...]]]:
    """Yield the input to transform and the output it gives, tile by tile."""
    counts = fft_tiles(slide, size)
    starts = (range(0, total, count) for total, count in zip(slide.output_size, counts, strict=True))
    for corner in product(*starts):
        source = tuple(
            slice(start * s, start * s + length)
            for start, s, length in zip(corner, slide.stride, size, strict=True)
        )
        target = tuple(slice(start, start + count) for start, count in zip(corner, counts, strict=True))
        yield source, target


def _spread(weight: Array, slide: Slide) -> Array:
    """Return the dilated kernel, with zeros in its gaps."""
    if set(slide.dilation) == {1}:
        return weight
    wide = np.zeros((*weight.shape[:3], *slide.spans), weight.dtype)
    wide[last_axes(slice(None, None, d) for d in slide.dilation)] = weight
    return wide
