"""The mirrors and turns under which a kernel stays as it is."""

import numpy as np

from convcli.analysis.rank import ROUNDING, Array, weights_of
from convcli.kernels.kernel import Matrix

AXES = ("z", "y", "x")  # names of the axes, of which the last ones are a kernel's


def symmetries(matrix: Matrix) -> list[str]:
    """Say under which mirrors and turns a matrix stays as it is (even) or changes its sign (odd).

    >>> symmetries(((-1, 0, 1), (-2, 0, 2), (-1, 0, 1)))
    ['odd in x', 'even in y']
    """
    array = weights_of(matrix).astype(float)
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
