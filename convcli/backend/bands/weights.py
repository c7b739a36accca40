"""One matrix of a kernel in the form that the algorithms need: rotated, with its factors."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from convcli.backend.algorithms.separable import factors
from convcli.backend.bands.band_plan import Facts
from convcli.backend.bands.passes import operations

Array = NDArray[Any]


class Weights(NamedTuple):
    """One matrix of a kernel, already rotated if required, and its vertical and horizontal factors, if it has any."""

    matrix: Array
    whole: bool
    down: list[Any]
    across: list[Any]

    @classmethod
    def of(cls, matrix: Array) -> "Weights":
        """Analyse a matrix once, for all tiles."""
        found = factors(matrix, 2)
        down, across = (part.ravel().tolist() for part in found) if found else ([], [])
        return cls(matrix, matrix.dtype.kind == "i", down, across)

    def facts(self, largest: float) -> Facts:
        """Return the properties that the plan depends on, for samples up to `largest`."""
        # One sample more than the sum, because an offset may be added before the values are clipped.
        most = int((np.abs(self.matrix.astype(float)).sum() + 1) * largest) + 1
        factored, down_most = None, most
        if self.down:
            down_most = int(max(1, sum(map(abs, self.down))) * largest) + 1  # also holds the border value
            factored = (operations(self.down), operations(self.across))
        flat = self.matrix.ravel().tolist()
        box_most = int(self.matrix.shape[1] * largest) + 1 if self.whole and set(flat) == {1} else None
        return Facts(self.whole, most, down_most, box_most, operations(flat), factored)
