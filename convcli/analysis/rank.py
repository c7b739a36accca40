"""The rank of a kernel, and its separable factors."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.backend.algorithms.separable import factors, rank_of
from convcli.kernels.kernel import Line, Matrix, flat, shape_of

Array = NDArray[Any]

ROUNDING = 1e-12  # relative to the largest weight: floats that differ by no more than this count as equal


def kernel_rank(matrix: Matrix) -> int | None:
    """Return the rank of a matrix; with 3 axes, 1 if it is separable, 0 if it is all 0, else None."""
    array = weights_of(matrix).astype(float)
    if array.ndim == 2:
        return rank_of(array)
    if not array.any():
        return 0
    return 1 if factors_of(matrix) else None


def factors_of(matrix: Matrix) -> tuple[Line, ...] | None:
    """Return one factor per axis, whose outer product is the matrix; None if its rank is not 1.

    The factors of integers are integers. Otherwise all factors but the first are scaled to sum to 1, unless they sum
    to 0. Only the first may have a negative sum.

    >>> factors_of(((-1, 0, 1), (-2, 0, 2), (-1, 0, 1)))
    ((1, 2, 1), (-1, 0, 1))
    """
    array = weights_of(matrix)
    found = factors(array[np.newaxis], array.ndim)
    if found is None or not array.any():
        return None
    first, *others = (factor.reshape(-1) for factor in found)
    for place, factor in enumerate(others):
        total = factor.sum()
        if abs(total) > ROUNDING * np.abs(factor).sum():
            by = total if array.dtype.kind == "f" else np.sign(total)
            others[place] = factor / by if array.dtype.kind == "f" else factor * by
            first = first * by
    return tuple(tuple(factor.tolist()) for factor in (first, *others))


def weights_of(matrix: Matrix) -> Array:
    """Return the weights as int64 if they are integers that fit, else as float64."""
    weights = list(flat(matrix))
    fits = all(isinstance(weight, int) and abs(weight) < 2**63 for weight in weights)
    return np.array(weights, np.int64 if fits else np.float64).reshape(shape_of(matrix))
