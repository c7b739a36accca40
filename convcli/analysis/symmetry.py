"""The symmetries of a kernel."""

import numpy as np

from convcli.analysis.rank import ROUNDING, Array, weights_of
from convcli.kernels.kernel import Matrix

AXES = ("z", "y", "x")  # names of the axes; a kernel with fewer has the last ones


def symmetries(matrix: Matrix) -> list[str]:
    """Return the reflections and rotations that keep a matrix as it is (even) or change its sign (odd).

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
