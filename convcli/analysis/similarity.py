"""The structural similarity of two pictures."""

from __future__ import annotations  # help() shows the annotations by name

from math import exp, inf

import numpy as np
from numpy.typing import ArrayLike

from convcli.backend.checks import Array, as_array
from convcli.backend.convolution import conv
from convcli.errors import ArgumentError

SIGMA, SIDE = 1.5, 11  # standard deviation and side of the window in pixels
K1, K2 = 0.01, 0.03  # constants, relative to the peak
BAND = 1 << 20  # samples that are compared at once


def ssim(a: ArrayLike, b: ArrayLike, peak: float) -> float:
    """Return the structural similarity of two pictures; it is 1 if they are equal.

    It is the mean, over all windows inside the picture and over the channels, of

        (2 mx my + c1) (2 sxy + c2) / ((mx^2 + my^2 + c1) (sx^2 + sy^2 + c2))

    with means, variances and covariance weighted by an 11 x 11 Gaussian of standard deviation 1.5, c1 =
    (0.01 peak)^2 and c2 = (0.03 peak)^2: Wang, Bovik, Sheikh & Simoncelli, "Image quality assessment: from error
    visibility to structural similarity" (2004), equation 13; scikit-image's structural_similarity with
    gaussian_weights=True and use_sample_covariance=False.

    Parameters
    ----------
    a, b : array_like, (H, W) or (H, W, C)
        At least 11 x 11 pixels.
    peak : float
        The largest possible value of a sample: 255 for 8 bits.

    Examples
    --------
    >>> import numpy as np
    >>> from convcli.analysis.similarity import ssim
    >>> x = np.random.default_rng(0).integers(0, 256, (32, 32))
    >>> round(ssim(x, x, peak=255), 9), round(ssim(x, 255 - x, peak=255), 2)
    (1.0, -0.97)

    """
    a, b = pair(a, b)
    if a.ndim not in (2, 3) or min(a.shape[:2]) < SIDE:
        raise ArgumentError(
            f"SSIM needs pictures of at least {SIDE}x{SIDE} pixels, (H, W) or (H, W, C), and the shape is {a.shape}; "
            "give larger pictures"
        )
    c1, c2 = (K1 * check_peak(peak)) ** 2, (K2 * check_peak(peak)) ** 2
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


def pair(a: ArrayLike, b: ArrayLike) -> tuple[Array, Array]:
    """Return two arrays, or raise ArgumentError if their shapes differ."""
    a, b = as_array("a", a, "biuf"), as_array("b", b, "biuf")
    if a.shape != b.shape or not a.size:
        raise ArgumentError(
            f"a has shape {a.shape} and b {b.shape}; both must have the same shape and not be empty"
        )
    return a, b


def check_peak(peak: float) -> float:
    """Return the peak, or raise ArgumentError if it is not positive and finite."""
    if not 0 < peak < inf:
        raise ArgumentError(
            f"peak must be above 0 and finite, got {peak}; it is 255 for 8 bits, 1 for floats"
        )
    return peak
