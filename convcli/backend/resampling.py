"""The weights of resampling kernels, and their application along one axis."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from math import isfinite
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from convcli.backend.algorithms.costs import SMALL
from convcli.layers.resample import WIDTHS

Array = NDArray[Any]

CATMULL_ROM = -0.5  # the parameter of the cubic kernel, as in Pillow; OpenCV and PyTorch use -0.75
BLOCK = 16  # smallest number of outputs computed together, which are the rows of one matrix product


def _box(d: Array) -> Array:
    return ((d > -0.5) & (d <= 0.5)).astype(np.float64)


def _triangle(d: Array) -> Array:
    return (1 - np.abs(d)).clip(0, None)


def _sinc(d: Array) -> Array:
    """Return sin(pi d) / (pi d), which is exactly 0 at all integers but 0."""
    return np.where(d == np.rint(d), (d == 0).astype(np.float64), np.sinc(d))


def _hamming(d: Array) -> Array:
    return np.where(np.abs(d) < 1, _sinc(d) * (0.54 + 0.46 * np.cos(np.pi * d)), 0.0)


def _cubic(d: Array) -> Array:
    """Evaluate equation 4 of Keys (1981), "Cubic convolution interpolation for digital image processing"."""
    a, d = CATMULL_ROM, np.abs(d)
    near = ((a + 2) * d - (a + 3)) * d * d + 1
    far = ((a * d - 5 * a) * d + 8 * a) * d - 4 * a
    return np.where(d < 1, near, np.where(d < 2, far, 0.0))


def _lanczos(d: Array) -> Array:
    """Evaluate the kernel of Duchon (1979), "Lanczos filtering in one and two dimensions", with three lobes."""
    return np.where(np.abs(d) < 3, _sinc(d) * _sinc(d / 3), 0.0)


# Functions of the distance from the centre of the output, in input samples, or in output samples when downscaling.
KERNELS: Mapping[str, Callable[[Array], Array]] = {
    "lanczos": _lanczos,
    "cubic": _cubic,
    "bilinear": _triangle,
    "hamming": _hamming,
    "box": _box,
}


class Block(NamedTuple):
    """Outputs that are computed together: their range, the range of the samples they need, and the weights."""

    outputs: slice
    inputs: slice
    matrix: Array


class AxisWeights(NamedTuple):
    """The weights of some outputs along one axis.

    first : the sample that each output's first weight belongs to; it may lie before the axis, with weight 0
    weights : (outputs, taps)
    inputs : from the first to the last sample with a nonzero weight
    """

    first: Array
    weights: Array
    inputs: slice

    def blocks(self, dtype: np.dtype[Any], count: int) -> list[Block]:
        """Return the weights as matrices of `count` outputs each."""
        found = []
        outputs, taps = self.weights.shape
        for start in range(0, outputs, count):
            some = slice(start, min(outputs, start + count))
            places = self.first[some, np.newaxis] + np.arange(taps)
            low = max(self.inputs.start, int(places[0, 0]))
            high = min(self.inputs.stop, int(places[-1, -1]) + 1)
            within = (places >= low) & (places < high)
            matrix = np.zeros((some.stop - some.start, high - low), dtype)
            matrix[np.nonzero(within)[0], places[within] - low] = self.weights[some][within]
            found.append(Block(some, slice(low, high), matrix))
        return found


def axis_weights(n: int, made: int, method: str, start: int, stop: int) -> AxisWeights:
    """Return the weights of outputs start to stop out of `made`, on an axis of n samples.

    >>> axis_weights(4, 2, "bilinear", 0, 1).weights.round(4).tolist()
    [[0.0, 0.4286, 0.4286, 0.1429]]
    """
    wide, m = WIDTHS[method] * max(n, made), max(n, made)
    centre = (
        2 * np.arange(start, stop, dtype=np.int64) + 1
    ) * n  # multiplied by 2 * made, so that all values are integers
    if method == "nearest":
        first = centre // (2 * made)
        return AxisWeights(first, np.ones((len(first), 1)), slice(int(first[0]), int(first[-1]) + 1))
    first = (centre - wide + made) // (2 * made)
    places = first[:, np.newaxis] + np.arange(-(-wide // made))
    weights = KERNELS[method](((2 * places + 1) * made - centre[:, np.newaxis]) / (2 * m))
    weights[(places < 0) | (places >= n)] = 0
    weights /= weights.sum(axis=1, keepdims=True)
    used = places[weights != 0]
    return AxisWeights(first, weights, slice(int(used.min()), int(used.max()) + 1))


class PreparedWeights(NamedTuple):
    """Weights along one axis, prepared for values of one dtype."""

    axis: AxisWeights
    blocks: tuple[Block, ...]

    @classmethod
    @lru_cache(maxsize=64)  # the same columns are needed in each step
    def of(
        cls, n: int, made: int, method: str, start: int, stop: int, dtype: np.dtype[Any]
    ) -> PreparedWeights:
        """Return the weights of outputs start to stop."""
        found = axis_weights(n, made, method, start, stop)
        taps = found.weights.shape[1]
        return cls(found, tuple(found.blocks(dtype, max(BLOCK, taps * made // n))))

    def add(self, values: Array, start: int, out: Array) -> None:
        """Add the contribution of values (samples, m) to the outputs `out` (outputs, m).

        `start` is the position of the first sample. Finite values are multiplied as matrices. If any is not finite,
        each product is summed separately, so that 0 * inf and 0 * NaN do not spread.
        """
        stop = start + len(values)
        if not isfinite(float(values.min())) or not isfinite(float(values.max())):
            self._add_products(values, start, out)
            return
        for block in self.blocks:
            low, high = max(start, block.inputs.start), min(stop, block.inputs.stop)
            if low >= high:
                continue
            matrix = block.matrix[:, low - block.inputs.start : high - block.inputs.start]
            selected, made = values[low - start : high - start], out[block.outputs]
            step = max(1, SMALL // matrix.size)
            for first in range(0, values.shape[1], step):
                some = slice(first, first + step)
                made[:, some] += matrix @ selected[:, some]

    def _add_products(self, values: Array, start: int, out: Array) -> None:
        for tap, weights in enumerate(self.axis.weights.T):
            places = self.axis.first + tap - start
            selected = np.flatnonzero((weights != 0) & (places >= 0) & (places < len(values)))
            out[selected] += weights[selected, np.newaxis].astype(values.dtype) * values[places[selected]]
