"""The difference of two arrays: the largest difference, the mean squared error, PSNR and SSIM."""

from __future__ import annotations  # help() shows the annotations by name

from math import inf, isfinite, log10
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from convcli.analysis.similarity import BAND, SIDE, check_peak, pair, ssim
from convcli.backend.checks import Array
from convcli.backend.values import full_scale
from convcli.errors import ArgumentError


class Difference(NamedTuple):
    """The difference of two arrays.

    largest : the largest |a - b|
    place : the index of the first sample with that difference; None if the arrays are equal
    squares : the sum of (a - b)^2
    beyond : the number of samples that differ by more than the tolerance
    samples : the number of all samples
    tolerance : the largest difference that is allowed
    peak : the largest possible value of a sample
    ssim : the structural similarity; None if the arrays are too small for it, or not finite
    """

    largest: float
    place: tuple[int, ...] | None
    squares: float
    beyond: int
    samples: int
    tolerance: float
    peak: float
    ssim: float | None = None

    @property
    def mean_squared_error(self) -> float:
        """The mean of (a - b)^2."""
        return self.squares / self.samples

    @property
    def psnr(self) -> float:
        """The peak signal-to-noise ratio in decibels, 10 log10(peak^2 / mean squared error); infinite without error."""
        return decibels(self.mean_squared_error, self.peak)

    @property
    def share(self) -> float:
        """The share of the samples that differ by more than the tolerance."""
        return self.beyond / self.samples

    @property
    def within(self) -> bool:
        """Whether no sample differs by more than the tolerance."""
        return self.beyond == 0


def diff(a: ArrayLike, b: ArrayLike, tolerance: float = 0, *, peak: float | None = None) -> Difference:
    """Compare two pictures sample by sample, within a tolerance.

    Parameters
    ----------
    a, b : array_like
        Integers or floats of the same shape; (H, W) or (H, W, C) for the structural similarity. A NaN in only one of
        them is an infinite difference; the same infinity, or NaN, in both is no difference.
    tolerance : float
        The largest difference of two samples that is allowed, in the units of the samples.
    peak : float, optional
        The largest possible value of a sample; by default that of the dtype: 255 for uint8, 1 for floats.

    Returns
    -------
    Difference
        With `largest` and its `place`, `mean_squared_error`, `psnr`, `ssim`, the number of samples `beyond` the
        tolerance, and whether all are `within` it.

    Raises
    ------
    ArgumentError
        If the shapes differ, or, without a peak, the dtypes.

    Examples
    --------
    >>> import numpy as np
    >>> import convcli
    >>> a = np.zeros((12, 12), np.uint8)
    >>> b = a.copy()
    >>> b[3, 4] = 5
    >>> found = convcli.diff(a, b, tolerance=4)
    >>> found.largest, found.place, found.beyond, found.within
    (5.0, (3, 4), 1, False)
    >>> round(found.mean_squared_error, 3), round(found.psnr, 1), round(found.ssim, 3)
    (0.174, 55.7, 0.994)
    >>> convcli.diff(a, b, tolerance=5).within
    True

    """
    a, b = pair(a, b)
    found = measured(a, b, tolerance, peak)
    if a.ndim not in (2, 3) or min(a.shape[:2]) < SIDE or not isfinite(found.squares):
        return found
    likeness = ssim(a, b, found.peak) if found.largest else 1.0
    return found._replace(ssim=likeness if isfinite(likeness) else None)


def measured(a: ArrayLike, b: ArrayLike, tolerance: float = 0, peak: float | None = None) -> Difference:
    """Compare two arrays like `diff`, but without the structural similarity; in one pass and in bands of rows.

    >>> found = measured([[1, 5], [9, 2]], [[1, 3], [4, 2]], tolerance=2, peak=255)
    >>> found.largest, found.place, found.squares, found.beyond
    (5.0, (1, 0), 29.0, 1)
    """
    a, b = pair(a, b)
    if not 0 <= tolerance < inf:
        raise ArgumentError(
            f"tolerance={tolerance} is not a difference of samples; give a number of at least 0, such as 1"
        )
    if peak is None:
        if a.dtype != b.dtype:
            raise ArgumentError(
                f"a has dtype {a.dtype} and b {b.dtype}, whose largest values may differ; convert one, or give peak"
            )
        peak = full_scale(a.dtype) if a.dtype.kind != "b" else 1.0
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
        with np.errstate(over="ignore"):  # too large for a float: infinite
            squares += float(np.square(apart, out=apart).sum())
    return Difference(largest, place, squares, beyond, a.size, tolerance, check_peak(peak))


def decibels(mean_square: float, peak: float) -> float:
    """Return the PSNR of a mean squared error in decibels; infinite if the error is 0."""
    if mean_square == inf:
        return -inf
    return 10 * log10(check_peak(peak) ** 2 / mean_square) if mean_square else inf


def difference(a: Array, b: Array) -> Array:
    """Return a - b in float64; 0 where both are the same infinity, or both are NaN."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    with np.errstate(invalid="ignore"):
        apart: Array = a - b
    if not np.isfinite(apart).all():
        apart[(a == b) | (np.isnan(a) & np.isnan(b))] = 0
    return apart
