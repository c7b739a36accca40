"""The contrast of every window of an array without cancellation: moments are merged while the window doubles."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.layers.axes import Sizes

Array = NDArray[Any]

STRIP = 1 << 16  # samples merged at once: they fit in cache with their sums and deviations


@dataclass(frozen=True)
class _Moments:
    """The sums and the squared distances from the mean of the windows that begin at every position of an array.

    The array is flat, so that a step along any axis is a shift, and every pass is contiguous.

    count : the number of elements of a window; if it is 1, `deviations` is None, as the distance is 0
    """

    count: int
    sums: Array
    deviations: Array | None


def window_deviations(x: Array, size: Sizes) -> Array:
    """Return the sum of the squared distances from the mean in every window of `size`.

    Windows are merged pairwise with equation 2.1 of Chan, Golub & LeVeque, "Updating formulae and a pairwise algorithm
    for computing sample variances" (1979). Only the means of two windows are subtracted, so a flat window gives exactly
    0 and others lose no digits, regardless of their surroundings.

    Parameters
    ----------
    x : ndarray of float64, (H, W)
    size : size of the window, no larger than x

    Returns
    -------
    ndarray of float64, (H - h + 1, W - w + 1)

    Examples
    --------
    >>> window_deviations(np.array([[1.0, 3.0, 3.0, 3.0]]), (1, 2)).tolist()
    [[2.0, 0.0, 0.0]]

    """
    height, width = x.shape
    rows, columns = (n - k + 1 for n, k in zip(x.shape, size, strict=True))
    sums, deviations, out = np.empty((rows, width)), np.empty((rows, width)), np.empty((rows, columns))
    step = max(1, STRIP // height)
    for left in range(0, width, step):
        strip = np.ascontiguousarray(x[:, left : left + step])
        tall = _grown(size[0], strip.shape[1], _Moments(1, strip.ravel(), None))
        sums[:, left : left + step] = tall.sums.reshape(rows, -1)
        deviations[:, left : left + step] = (
            0 if tall.deviations is None else tall.deviations.reshape(rows, -1)
        )
    step = max(1, STRIP // width)
    for top in range(0, rows, step):
        some = slice(top, top + step)
        cells = _Moments(size[0], sums[some].ravel(), deviations[some].ravel())
        # Windows that wrap around the end of a row are computed too, and dropped.
        found = _grown(size[1], 1, cells).deviations
        assert found is not None
        whole = np.empty(sums[some].shape)
        whole.ravel()[: len(found)] = found
        out[some] = whole[:, :columns]
    return out


def _grown(length: int, step: int, cell: _Moments) -> _Moments:
    """Join `length` windows that are `step` apart: by doubling, then from the powers of two that make up `length`."""
    grown: _Moments | None = None
    reach = 0  # length of `grown`, in cells
    double, doubled = cell, 1
    while True:
        if length & doubled:
            grown = double if grown is None else _merged(grown, double, reach * step)
            reach += doubled
        if reach == length and grown is not None:
            return grown
        double = _merged(double, double, doubled * step)
        doubled *= 2


def _merged(first: _Moments, second: _Moments, distance: int) -> _Moments:
    """Join each window with the one that begins `distance` after it."""
    n = min(len(first.sums), len(second.sums) - distance)
    here, there = slice(0, n), slice(distance, distance + n)
    one, other = first.sums[here], second.sums[there]
    count = first.count + second.count
    if first.count == second.count:
        apart = one - other
        share = 1 / count
    else:
        apart = one * second.count
        apart -= other * first.count
        share = 1 / (first.count * second.count * count)
    apart *= apart
    apart *= share
    for deviations, place in ((first.deviations, here), (second.deviations, there)):
        if deviations is not None:
            apart += deviations[place]
    return _Moments(count, one + other, apart)
