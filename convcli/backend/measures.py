"""How far two pictures are apart: the largest difference, the mean square, PSNR and SSIM."""

from __future__ import annotations  # help() shows the annotations by name

from math import exp, inf, log10
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from convcli.backend.checks import Array, as_array
from convcli.backend.convolution import conv
from convcli.errors import ArgumentError

SIGMA, SIDE = 1.5, 11  # the window of SSIM, in pixels
K1, K2 = 0.01, 0.03  # its constants, as shares of the peak
BAND = 1 << 20  # samples that are compared at once


def largest_difference(a: ArrayLike, b: ArrayLike) -> tuple[float, tuple[int, ...]]:
    """Return the largest |a - b| and where the first one is. A NaN on one side alone is infinitely far.

    >>> from convcli import backend
    >>> backend.largest_difference([[1, 5], [9, 2]], [[1, 3], [4, 2]])
    (5.0, (1, 0))
    """
    a, b = _pair(a, b)
    distance = np.abs(difference(a, b))
    distance[np.isnan(distance)] = inf
    place = int(distance.argmax())
    return float(distance.flat[place]), tuple(int(i) for i in np.unravel_index(place, a.shape))


def mean_squared_error(a: ArrayLike, b: ArrayLike) -> float:
    """Return the mean of (a - b)^2.

    >>> from convcli import backend
    >>> backend.mean_squared_error([0, 0, 3, 4], [0, 0, 0, 0])
    6.25
    """
    a, b = _pair(a, b)
    return float(np.square(difference(a, b)).mean())


class Distance(NamedTuple):
    """How far two arrays are apart.

    largest : the largest |a - b|
    place : where the first of that size is; None where nothing differs
    squares : the sum of (a - b)^2
    beyond : how many samples are further apart than the tolerance
    samples : how many there are
    """

    largest: float
    place: tuple[int, ...] | None
    squares: float
    beyond: int
    samples: int


def distance(a: ArrayLike, b: ArrayLike, tolerance: float = 0) -> Distance:
    """Measure in one go, and little memory, what is asked of two arrays. A NaN on one side alone is infinitely far.

    >>> distance([[1, 5], [9, 2]], [[1, 3], [4, 2]], tolerance=2)
    Distance(largest=5.0, place=(1, 0), squares=29.0, beyond=1, samples=4)
    """
    a, b = _pair(a, b)
    largest, place, squares, beyond = 0.0, None, 0.0, 0
    step = max(1, BAND * len(a) // a.size)
    for top in range(0, len(a), step):
        apart = np.abs(difference(a[top : top + step], b[top : top + step]))
        apart[np.isnan(apart)] = inf
        first = int(apart.argmax())
        if apart.flat[first] > largest:
            largest = float(apart.flat[first])
            row, *others = (int(i) for i in np.unravel_index(first, apart.shape))
            place = (top + row, *others)
        beyond += int(np.count_nonzero(apart > tolerance))
        with np.errstate(over="ignore"):  # what is beyond floats is infinite
            squares += float(np.square(apart, out=apart).sum())
    return Distance(largest, place, squares, beyond, a.size)


def decibels(mean_square: float, peak: float) -> float:
    """Return the PSNR of a mean squared error: infinite where that is 0."""
    if mean_square == inf:
        return -inf
    return 10 * log10(_peak(peak) ** 2 / mean_square) if mean_square else inf


def psnr(a: ArrayLike, b: ArrayLike, peak: float) -> float:
    """Return the peak signal-to-noise ratio in decibels, 10 log10(peak^2 / mean squared error).

    `peak` is the largest value that there can be: 255 for 8 bits. Where a and b are equal the ratio is infinite.

    >>> from convcli import backend
    >>> round(backend.psnr([10, 20], [11, 19], peak=255), 2), backend.psnr([1], [1], peak=255)
    (48.13, inf)
    """
    return decibels(mean_squared_error(a, b), peak)


def ssim(a: ArrayLike, b: ArrayLike, peak: float) -> float:
    """Return the structural similarity of two pictures, 1 where they are equal.

    The mean over all places where the whole window lies in the picture, and over the channels, of

        (2 mx my + c1) (2 sxy + c2) / ((mx^2 + my^2 + c1) (sx^2 + sy^2 + c2))

    with means, variances and covariance weighted by an 11 x 11 Gaussian of standard deviation 1.5, c1 =
    (0.01 peak)^2 and c2 = (0.03 peak)^2: Wang, Bovik, Sheikh & Simoncelli, "Image quality assessment: from error
    visibility to structural similarity" (2004), equation 13; scikit-image's structural_similarity with
    gaussian_weights=True and use_sample_covariance=False.

    Parameters
    ----------
    a, b : array_like, (H, W) or (H, W, C)
        Both of 11 x 11 pixels at least.
    peak : float
        The largest value that there can be: 255 for 8 bits.

    Examples
    --------
    >>> import numpy as np
    >>> from convcli import backend
    >>> x = np.random.default_rng(0).integers(0, 256, (32, 32))
    >>> round(backend.ssim(x, x, peak=255), 9), round(backend.ssim(x, 255 - x, peak=255), 2)
    (1.0, -0.97)

    """
    a, b = _pair(a, b)
    if a.ndim not in (2, 3) or min(a.shape[:2]) < SIDE:
        raise ArgumentError(
            f"SSIM looks at windows of {SIDE}x{SIDE} pixels, and the pictures are {a.shape}; give (H, W) or "
            "(H, W, C), as large as that"
        )
    c1, c2 = (K1 * _peak(peak)) ** 2, (K2 * _peak(peak)) ** 2
    a, b = (np.moveaxis(np.atleast_3d(part), 2, 0) for part in (a, b))
    bell = np.array([exp(-(((place - SIDE // 2) / SIGMA) ** 2) / 2) for place in range(SIDE)])
    window = np.outer(bell, bell)[np.newaxis, np.newaxis] / bell.sum() ** 2
    count, height = 0, a.shape[1] - SIDE + 1
    total = 0.0
    step = max(1, BAND // a[:, 0].size)
    for top in range(0, height, step):
        x, y = (part[:, top : min(height, top + step) + SIDE - 1].astype(np.float64) for part in (a, b))
        moments = np.stack([x, y, x * x, y * y, x * y])
        moments = moments.reshape(-1, 1, *x.shape[1:])
        mx, my, xx, yy, xy = conv(moments, window, method="separable").reshape(5, len(x), -1)
        alike = (2 * mx * my + c1) * (2 * (xy - mx * my) + c2)
        alike /= (mx * mx + my * my + c1) * (xx - mx * mx + yy - my * my + c2)
        total += float(alike.sum())
        count += alike.size
    return total / count


def _pair(a: ArrayLike, b: ArrayLike) -> tuple[Array, Array]:
    a, b = as_array("a", a, "biuf"), as_array("b", b, "biuf")
    if a.shape != b.shape or not a.size:
        raise ArgumentError(
            f"a has shape {a.shape} and b {b.shape}; they must have the same, and not be empty"
        )
    return a, b


def difference(a: Array, b: Array) -> Array:
    """Return a - b in float64; 0 where both are the same infinity, or both are no number."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    with np.errstate(invalid="ignore"):
        apart: Array = a - b
    if not np.isfinite(apart).all():
        apart[(a == b) | (np.isnan(a) & np.isnan(b))] = 0
    return apart


def _peak(peak: float) -> float:
    if not 0 < peak < inf:
        raise ArgumentError(
            f"peak must be above 0 and finite, got {peak}; it is 255 for 8 bits, 1 for floats"
        )
    return peak
