"""Sums of rows and columns as matrix products: a band of outputs is a Toeplitz matrix times a band of inputs.

BLAS reads blocks of a strip where they are, so nothing is copied; the zeros of the matrices are multiplied
with the rest, and still it is several times faster than shift and add for more than a few taps.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

ROWS = 8  # outputs of one product down: few zeros, and enough work for BLAS
COLUMNS = 6144  # samples of one product down: in and out stay in the second-level cache
ACROSS = 48  # samples of one product across


def down_matrix(weights: Sequence[float], dilation: int, rows: int, dtype: Any) -> Array:
    """Return T, (rows, rows + dilation * (taps - 1)): T @ x weighs the rows below each other."""
    matrix = np.zeros((rows, rows + dilation * (len(weights) - 1)), dtype)
    for row in range(rows):
        matrix[row, row : row + dilation * (len(weights) - 1) + 1 : dilation] = weights
    return matrix


def weigh_rows(strip: Array, weights: Sequence[float], dilation: int, out: Array) -> Array:
    """Weigh rows into `out`, (rows, width): out[y] = sum of weights[t] * strip[y + t * dilation]."""
    matrix = down_matrix(weights, dilation, min(ROWS, len(out)), out.dtype)
    more = matrix.shape[1] - len(matrix)
    for row in range(0, len(out), ROWS):
        height = min(ROWS, len(out) - row)
        part = matrix[:height, : height + more]
        for column in range(0, out.shape[1], COLUMNS):
            block = slice(column, min(column + COLUMNS, out.shape[1]))
            np.matmul(part, strip[row : row + height + more, block], out=out[row : row + height, block])
    return out


def weigh_columns(strip: Array, weights: Sequence[float], dilation: int, channels: int, out: Array) -> Array:
    """Weigh columns into `out`: out[:, x] = sum of weights[t] * strip[:, x + t * dilation * channels]."""
    step = dilation * channels
    matrix = down_matrix(_spread(weights, step), 1, min(ACROSS, out.shape[1]), out.dtype).T
    more = matrix.shape[0] - matrix.shape[1]
    for column in range(0, out.shape[1], ACROSS):
        width = min(ACROSS, out.shape[1] - column)
        part = matrix[: width + more, :width]
        np.matmul(strip[:, column : column + width + more], part, out=out[:, column : column + width])
    return out


def weigh_window(
    strip: Array, weights: Array, dilation: Sequence[int], channels: int, out: Array, spare: Array
) -> Array:
    """Weigh a whole window into `out`: one product down for each column of the kernel, added up.

    `spare` is as large as one block, (ROWS, COLUMNS).
    """
    height = min(ROWS, len(out))
    matrices = [down_matrix(column, dilation[0], height, out.dtype) for column in weights.T]
    more = matrices[0].shape[1] - height
    for row in range(0, len(out), ROWS):
        tall = min(ROWS, len(out) - row)
        for column in range(0, out.shape[1], COLUMNS):
            wide = min(COLUMNS, out.shape[1] - column)
            target = out[row : row + tall, column : column + wide]
            product = spare[:tall, :wide]
            for place, matrix in enumerate(matrices):
                start = column + place * dilation[1] * channels
                source = strip[row : row + tall + more, start : start + wide]
                np.matmul(matrix[:tall, : tall + more], source, out=product if place else target)
                if place:
                    np.add(target, product, out=target)
    return out


def _spread(weights: Sequence[float], step: int) -> list[float]:
    """Put step - 1 zeros between the weights."""
    spread = [0.0] * ((len(weights) - 1) * step + 1)
    spread[::step] = weights
    return spread
