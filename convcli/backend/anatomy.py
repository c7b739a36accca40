"""What a kernel is made of: its rank, its separable factors, its symmetry, its frequency response."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.backend.separable import factors
from convcli.kernels.kernel import Kernel, Line, Matrix, flat, shape_of

Array = NDArray[Any]

AXES = ("z", "y", "x")  # names of the axes, of which the last ones are a kernel's
ROUNDING = 1e-12  # of the largest weight: a difference by which floats that should be equal may differ


def rank_of(matrix: Matrix) -> int | None:
    """Return the rank of a matrix; of one with 3 axes 1 or 0, or None where it is not separable."""
    array = _array(matrix).astype(float)
    if not array.any():
        return 0
    if array.ndim == 2:
        return int(np.linalg.matrix_rank(array))
    return 1 if factors_of(matrix) else None


def factors_of(matrix: Matrix) -> tuple[Line, ...] | None:
    """Return one factor an axis, whose outer product is the matrix, or None where it is not of rank 1.

    Of whole numbers where the weights are; otherwise all but the first sum to 1 where they can, as those of
    a bell do. Only the first may have a negative sum.

    >>> factors_of(((-1, 0, 1), (-2, 0, 2), (-1, 0, 1)))
    ((1, 2, 1), (-1, 0, 1))
    """
    array = _array(matrix)
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


def symmetries(matrix: Matrix) -> list[str]:
    """Say under which mirrors and turns a matrix stays as it is (even) or changes its sign (odd).

    >>> symmetries(((-1, 0, 1), (-2, 0, 2), (-1, 0, 1)))
    ['odd in x', 'even in y']
    """
    array = _array(matrix).astype(float)
    found = []
    for axis, name in reversed(list(enumerate(AXES[-array.ndim :]))):
        found += _parity(array, np.flip(array, axis), f"in {name}")
    if len(found) < array.ndim and array.ndim > 1:
        found += _parity(array, np.flip(array), "under a half turn")
    if array.ndim == 2 and array.shape[0] == array.shape[1] > 1:
        found += _parity(array, array.T, "when transposed")
    return found


def _parity(array: Array, mirrored: Array, how: str) -> list[str]:
    most = ROUNDING * np.abs(array).max()
    if (np.abs(array - mirrored) <= most).all():
        return [f"even {how}"]
    return [f"odd {how}"] if (np.abs(array + mirrored) <= most).all() else []


@np.errstate(over="ignore", invalid="ignore")  # what is beyond floats is infinite
def frequency_response(kernels: Sequence[Kernel], size: int) -> Array:
    """Return the magnitude of what kernels, one after the other, make of each frequency: (size, size).

    Zero frequency stands in the middle, at [size // 2, size // 2]; rows and columns run from -1/2 up to 1/2 cycles a
    pixel. A kernel of several matrices answers with the root of their summed squares, or with the largest, of the
    magnitudes; offsets, which are no frequency, are left out.
    """
    total = np.ones((size, size))
    for kernel in kernels:
        parts = [
            np.abs(np.fft.fft2(np.atleast_2d(_array(matrix)), (size, size))) for matrix in kernel.matrices
        ]
        combined = (
            np.sqrt(np.square(parts).sum(axis=0)) if kernel.combine == "magnitude" else np.max(parts, axis=0)
        )
        total *= combined / abs(float(kernel.divisor))
    return np.fft.fftshift(total)


def _array(matrix: Matrix) -> Array:
    """Return the weights as int64 where they are whole and fit, else as float64."""
    weights = list(flat(matrix))
    fits = all(isinstance(weight, int) and abs(weight) < 2**63 for weight in weights)
    return np.array(weights, np.int64 if fits else np.float64).reshape(shape_of(matrix))
