"""How far two arrays are apart: the largest difference, the mean square, PSNR and SSIM."""

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
    """How far two arrays are apart.

    largest : the largest |a - b|
    place : where the first of that size is; None where nothing differs
    squares : the sum of (a - b)^2
    beyond : how many samples are further apart than the tolerance
    samples : how many there are
    tolerance : how far apart samples may be
    peak : the largest value that there can be
    ssim : the structural similarity; None where there is none: of small pictures, and of what is not finite
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
        """The share of the samples that are further apart than the tolerance."""
        return self.beyond / self.samples

    @property
    def within(self) -> bool:
        """Whether no sample is further apart than the tolerance."""
        return self.beyond == 0


def diff(a: ArrayLike, b: ArrayLike, tolerance: float = 0, *, peak: float | None = None) -> Difference:
    """Compare two pictures sample by sample, within a tolerance.

    Parameters
    ----------
    a, b : array_like
        Of one shape and of whole numbers or floats: (H, W) or (H, W, C) for the structural similarity. A NaN on one
        side alone is infinitely far; the same infinity, or NaN, on both sides is no difference.
    tolerance : float
        How far apart samples may be, in their own units.
    peak : float, optional
        The largest value that there can be; by default that of the type: 255 for uint8, 1 for floats.

    Returns
    -------
    Difference
        With `largest` and its `place`, `mean_squared_error`, `psnr`, `ssim`, the samples `beyond` the tolerance, and
        whether they are all `within` it.

    Raises
    ------
    ArgumentError
        Where the shapes differ, or without a peak the types.

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
    """Measure what `diff` does, without the structural similarity, in one go and little memory.

    >>> found = measured([[1, 5], [9, 2]], [[1, 3], [4, 2]], tolerance=2, peak=255)
    >>> found.largest, found.place, found.squares, found.beyond
    (5.0, (1, 0), 29.0, 1)
    """
    a, b = pair(a, b)
    if not 0 <= tolerance < inf:
        raise ArgumentError(
            f"tolerance={tolerance} is not a distance between samples; give a number of at least 0, such as 1"
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
        with np.errstate(over="ignore"):  # what is beyond floats is infinite
            squares += float(np.square(apart, out=apart).sum())
    return Difference(largest, place, squares, beyond, a.size, tolerance, check_peak(peak))


def decibels(mean_square: float, peak: float) -> float:
    """Return the PSNR of a mean squared error: infinite where that is 0."""
    if mean_square == inf:
        return -inf
    return 10 * log10(check_peak(peak) ** 2 / mean_square) if mean_square else inf


def difference(a: Array, b: Array) -> Array:
    """Return a - b in float64; 0 where both are the same infinity, or both are no number."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    with np.errstate(invalid="ignore"):
        apart: Array = a - b
    if not np.isfinite(apart).all():
        apart[(a == b) | (np.isnan(a) & np.isnan(b))] = 0
    return apart
