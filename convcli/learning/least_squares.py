"""Linear least squares: the kernel that fits pairs of pictures best, from sums over tiles of windows."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod, sqrt
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from convcli.errors import ArgumentError
from convcli.learning.picture_pairs import Geometry, Pair, tile_size, tiles

Array = NDArray[Any]

# Eigenvalues of the normal equations that are smaller than this, relative to the largest, are rounding errors: the
# pictures do not determine their eigenvectors. The condition number of the windows is the square root of the ratio.
NOUGHT = 1e-13
SETTLED = 1e-11  # relative to the largest weight: smaller corrections end the refinement
MAX_CORRECTIONS = 4
DIGITS = 12  # digits that are kept, relative to the largest weight; sums in float64 are not more accurate
SMALLEST = 1e-250  # smallest number that can be rounded to that many digits
MAX_PRODUCTS = 10**14  # limit of the number of products: about a quarter of an hour


class Fit(NamedTuple):
    """The weights that fit best, with measures of their accuracy.

    weights : (O, C, kh, kw)
    bias : (O,)
    squares : the sum of the squared residuals, over all samples
    largest : the largest residual
    variation : the sum of the squared deviations of the samples from their mean
    samples : the number of samples in all output channels
    unknowns : the number of unknowns per output channel
    rank : the number of unknowns that the pictures determine
    condition : the ratio of the largest to the smallest determined singular value of the windows
    errors : (kh, kw) per input channel, the standard errors of the weights, from the residuals
    undetermined : (unknowns, unknowns - rank), an orthonormal basis of the changes that make no difference; the last
        row is the bias, if there is one, in units of `spread`, for samples from which `middle` is subtracted
    spread, middle : the root mean square of the samples around their middle; without a bias the middle is 0
    """

    weights: Array
    bias: Array
    squares: float
    largest: float
    variation: float
    samples: int
    unknowns: int
    rank: int
    condition: float
    errors: Array
    undetermined: Array
    spread: float
    middle: float


def fit(pairs: Sequence[Pair], geometry: Geometry, *, bias: bool = True) -> Fit:
    """Return the weights and biases of least squared error; of several solutions, the smallest weights.

    The normal equations are summed over tiles, exactly for samples of 8 bits, around the mean of the samples. Residuals
    are then computed from the pictures themselves and used to correct the weights (iterative refinement; Björck,
    "Numerical methods for least squares problems" (1996), section 2.9).
    """
    channels, outputs = len(pairs[0].before), len(pairs[0].after)
    taps = channels * prod(geometry.kernel_size)
    unknowns, samples = taps + bias, sum(pair.after[0].size for pair in pairs)
    _check_work(samples, unknowns, geometry)
    middle, level = (
        (_middle([pair.before for pair in pairs]), _middle([pair.after for pair in pairs]))
        if bias
        else (0.0, 0.0)
    )
    products, count = _products(pairs, geometry, middle, level, bias)
    left, right = products[:unknowns, :unknowns], products[:unknowns, unknowns:]
    trace = float(np.trace(left[:taps, :taps]))
    spread = sqrt(trace / (taps * count)) if count and trace else 1.0
    units = np.ones(unknowns)  # scale of each unknown, so that all columns have similar norms
    if bias:
        units[-1] = spread
        left[-1] *= spread
        left[:, -1] *= spread
        right[-1] *= spread
    values, vectors = np.linalg.eigh(left)
    kept = values > NOUGHT * max(values[-1], 0)
    inverse = np.divide(1, values, out=np.zeros_like(values), where=kept)

    def solved(side: Array) -> Array:
        solution: Array = vectors @ (inverse[:, np.newaxis] * (vectors.T @ side))
        return solution

    found = solved(right) * units[:, np.newaxis]
    for _ in range(MAX_CORRECTIONS):
        weights = _rounded(found[:taps])
        shift = (
            found[taps:] + level - middle * weights.sum(axis=0)
        )  # for samples as they are given; no row without a bias
        reach = max(abs(level), abs(middle) * float(np.abs(weights).sum()))
        shift = _rounded(shift, reach)
        kept_shift = shift - level + middle * weights.sum(axis=0)
        rest = _residuals(pairs, geometry, middle, level, np.concatenate([weights, kept_shift]), bias)
        correction = solved(rest.products * units[:, np.newaxis]) * units[:, np.newaxis]
        if np.abs(correction[:taps]).max() <= SETTLED * np.abs(found[:taps]).max():
            break
        found = found + correction
    rank = int(np.count_nonzero(kept))
    variance = rest.squares / max(1, (count - rank) * outputs)
    spreads = np.einsum("ij,j,ij->i", vectors, inverse, vectors)[:taps]
    least = values[kept][0] if rank else 1.0
    return Fit(
        weights=weights.T.reshape(outputs, channels, *geometry.kernel_size),
        bias=shift[0] if bias else np.zeros(outputs),
        squares=rest.squares,
        largest=rest.largest,
        variation=rest.variation,
        samples=count * outputs,
        unknowns=unknowns,
        rank=rank,
        condition=sqrt(values[-1] / least) if rank else 0.0,
        errors=np.sqrt(variance * spreads).reshape(channels, *geometry.kernel_size),
        undetermined=vectors[:, ~kept],
        spread=spread,
        middle=middle,
    )


def fit_bytes(channels: int, outputs: int, kernel_size: Sequence[int], size: Sequence[int]) -> int:
    """Estimate the bytes that `fit` takes besides the pictures, of which the second has the given size."""
    columns = channels * prod(kernel_size) + outputs + 1
    samples = min(prod(size), tile_size(columns) + size[1])
    return 8 * (3 * columns * samples + 6 * columns**2)


def _check_work(samples: int, unknowns: int, geometry: Geometry) -> None:
    """Raise ArgumentError if the fit would take hours."""
    if samples * unknowns**2 > MAX_PRODUCTS:
        raise ArgumentError(
            f"{samples:,} samples with {unknowns:,} unknowns each take too long; use a smaller `size` than "
            f"{geometry.kernel_size[0]}x{geometry.kernel_size[1]}, or crop the pictures to "
            f"{MAX_PRODUCTS // unknowns**2:,} samples"
        )


def _middle(arrays: Sequence[Array]) -> float:
    """Return the mean of all samples, rounded to an integer if they are integers."""
    total = sum(float(array.sum(dtype=np.float64)) for array in arrays)
    mean = total / sum(array.size for array in arrays)
    return float(round(mean)) if all(array.dtype.kind in "biu" for array in arrays) else mean


def _products(
    pairs: Sequence[Pair], geometry: Geometry, middle: float, level: float, bias: bool
) -> tuple[Array, int]:
    """Return the products of all columns (windows, bias and samples) summed over rows, and the number of rows."""
    total, count = None, 0
    for windows in tiles(pairs, geometry, middle, level):
        ones = [np.ones((1, windows.outputs.shape[1]))] if bias else []
        columns = np.concatenate([windows.inputs, *ones, windows.outputs])
        products = columns @ columns.T
        total = products if total is None else total + products
        count += columns.shape[1]
    assert total is not None
    return total, count


class _Residuals(NamedTuple):
    """The residuals of weights: their products with the columns, and summary numbers."""

    products: Array
    squares: float
    largest: float
    variation: float


def _residuals(
    pairs: Sequence[Pair], geometry: Geometry, middle: float, level: float, found: Array, bias: bool
) -> _Residuals:
    """Compute the residuals of weights (unknowns, outputs) from the pictures."""
    taps = len(found) - bias
    products = np.zeros_like(found)
    squares = largest = 0.0
    sums, count, wide = np.zeros(found.shape[1]), 0, 0.0
    for windows in tiles(pairs, geometry, middle, level):
        rest = windows.outputs - found[:taps].T @ windows.inputs
        if bias:
            rest -= found[taps:].T
            products[taps] += rest.sum(axis=1)
        products[:taps] += windows.inputs @ rest.T
        squares += float(np.square(rest).sum())
        largest = max(largest, float(np.abs(rest).max(initial=0)))
        sums += windows.outputs.sum(axis=1)
        wide += float(np.square(windows.outputs).sum())
        count += rest.shape[1]
    return _Residuals(products, squares, largest, wide - float(np.square(sums).sum()) / max(1, count))


def _rounded(numbers: Array, reach: float = 0.0) -> Array:
    """Round to the digits that sums are accurate to."""
    largest = max(float(np.abs(numbers).max(initial=0)), reach)
    if largest < SMALLEST:
        return numbers
    rounded: Array = np.round(numbers, DIGITS - 1 - int(np.floor(np.log10(largest))))
    return rounded + 0.0  # no -0
