"""Equivariance: whether filtering a picture that was moved, turned or enlarged is moving the filtered one so."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Filter = Callable[[Array], Array]  # of (C, H, W), any H and W, to (O, f * H, f * W) for some whole f


def shift_difference(run: Filter, x: Array, reach: int) -> float | None:
    """Return the largest difference between the filter of x moved by one row and one column, and x filtered and moved.

    It is 0 for every convolution with stride 1: Goodfellow, Bengio & Courville, "Deep Learning" (2016), section
    9.2. Outputs nearer than `reach` to an edge, which see the border, are left out, here and below; None where no
    others are left.
    """
    y = run(x[:, :-1, :-1])
    moved = run(x[:, 1:, 1:])
    factor = _factor(y, x.shape[1] - 1)
    return _largest(y[:, factor:, factor:], moved[:, :-factor, :-factor], reach)


def rotation_difference(run: Filter, x: Array, reach: int) -> float | None:
    """Return the largest difference between the filter of x turned by 90 degrees, and x filtered and turned.

    It is 0 where the kernel turned by 90 degrees is itself, such as a Gaussian, and not in general.
    """
    return _largest(np.rot90(run(x), axes=(1, 2)), run(np.rot90(x, axes=(1, 2)).copy()), reach)


def scaling_difference(run: Filter, x: Array, reach: int) -> float | None:
    """Return the largest difference between the filter of x with every pixel doubled, and x filtered and doubled.

    It is 0 for kernels of one tap, and hardly for others: their reach in pixels stays the same.
    """
    return _largest(_doubled(run(x)), run(_doubled(x)), 2 * reach)


def _doubled(x: Array) -> Array:
    return x.repeat(2, axis=1).repeat(2, axis=2)


def _factor(y: Array, rows: int) -> int:
    factor: int = y.shape[1] // rows
    return max(1, factor)


def _largest(a: Array, b: Array, reach: int) -> float | None:
    inside = tuple(slice(reach, n - reach) for n in a.shape[1:])
    if a.shape != b.shape or any(n <= 2 * reach for n in a.shape[1:]):
        return None
    return float(np.abs(a[:, *inside] - b[:, *inside]).max())
