"""Weighted sums as matrix products: a band of outputs is a Toeplitz matrix times a band of inputs.

BLAS reads the bands of a strip in place, so nothing is copied. The zeros of the matrices are multiplied too, and it is
still several times as fast as shift and add for more than a few taps. All bands of a strip are one call, because
a thread waits for the interpreter's lock between calls.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from convcli.backend.bands.band_plan import ACROSS, band_height
from convcli.backend.bands.passes import Scratch

Array = NDArray[Any]


class WeightedRows:
    """Vertical weighted sums: out[y, x] = sum of weights[t, p] * strip[y + t * dilation, x + p * step].

    One vertical product for each p, added up; a single column of weights is one product.
    """

    def __init__(self, weights: Array, dilation: int, step: int, dtype: Any) -> None:
        self.height = band_height()
        self.matrices = [toeplitz(column, dilation, self.height, dtype) for column in weights.T]
        self.step = step

    def __call__(self, strip: Array, out: Array, scratch: Scratch) -> Array:
        """Write the weighted sums of `strip`, (rows, samples), into the smaller `out`."""
        spare = scratch.get("spare", out.shape, out.dtype) if len(self.matrices) > 1 else out
        whole = len(out) // self.height * self.height
        for rows, height in ((slice(0, whole), self.height), (slice(whole, len(out)), len(out) - whole)):
            if rows.start < rows.stop:
                self._weigh(strip[rows.start :], out[rows], spare[rows], height)
        return out

    def _weigh(self, strip: Array, out: Array, spare: Array, height: int) -> None:
        """Compute as many bands of this height as fill `out`."""
        reach = height - self.height + self.matrices[0].shape[1]
        count, samples = len(out) // height, out.shape[1]
        row, sample = strip.strides
        bands = as_strided(
            strip,
            (len(self.matrices), count, reach, samples),
            (self.step * sample, height * row, row, sample),
        )
        for place, matrix in enumerate(self.matrices):
            target = spare if place else out
            np.matmul(matrix[:height, :reach], bands[place], out=target.reshape(count, height, samples))
            if place:
                np.add(out, spare, out=out)


class WeightedColumns:
    """Horizontal weighted sums: out[:, x] = sum of weights[t] * strip[:, x + t * step]."""

    def __init__(self, weights: Sequence[float], step: int, dtype: Any) -> None:
        spread = np.zeros((len(weights) - 1) * step + 1, dtype)
        spread[::step] = weights
        self.matrix = toeplitz(spread, 1, ACROSS, dtype).T.copy()

    def __call__(self, strip: Array, out: Array) -> Array:
        """Write the weighted sums of `strip`, (rows, samples), into the narrower `out`."""
        whole = out.shape[1] // ACROSS * ACROSS
        for columns, width in ((slice(0, whole), ACROSS), (slice(whole, out.shape[1]), out.shape[1] - whole)):
            if columns.start < columns.stop:
                self._weigh(strip[:, columns.start :], out[:, columns], width)
        return out

    def _weigh(self, strip: Array, out: Array, width: int) -> None:
        """Compute as many blocks of this width as fill `out`."""
        reach = width - ACROSS + len(self.matrix)
        rows, count = len(out), out.shape[1] // width
        row, sample = strip.strides
        blocks = as_strided(strip, (count, rows, reach), (width * sample, row, sample))
        target = out.reshape(rows, count, width).swapaxes(0, 1)
        np.matmul(blocks, self.matrix[:reach, :width], out=target)


class WeightedFactors:
    """Weighted sums with two factors: vertically, then horizontally."""

    def __init__(
        self, factors: tuple[list[float], list[float]], dilation: int, step: int, dtype: Any
    ) -> None:
        down, across = factors
        self.rows = WeightedRows(np.array(down)[:, None], dilation, 0, dtype)
        self.columns = WeightedColumns(across, step, dtype)

    def __call__(self, strip: Array, out: Array, scratch: Scratch) -> Array:
        """Write the weighted sums of `strip`, (rows, samples), into the smaller `out`."""
        held = scratch.get("down", (len(out), strip.shape[1]), strip.dtype)
        return self.columns(self.rows(strip, held, scratch), out)


def toeplitz(weights: Sequence[float] | Array, dilation: int, rows: int, dtype: Any) -> Array:
    """Return the matrix T, (rows, rows + dilation * (taps - 1)), such that T @ x is the vertical weighted sum."""
    span = dilation * (len(weights) - 1) + 1
    matrix = np.zeros((rows, rows + span - 1), dtype)
    for row in range(rows):
        matrix[row, row : row + span : dilation] = weights
    return matrix
