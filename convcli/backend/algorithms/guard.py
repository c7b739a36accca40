"""Accuracy of float sums by transforms: sums with too large an error are replaced by plain sums.

A transform mixes all elements of a tile, and its error is relative to the largest of them. Next to a huge element, a
sum of small ones would be dominated by that error.
"""

from collections.abc import Callable, Iterator
from itertools import product
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.backend.algorithms.costs import fft_size, fft_tiles
from convcli.backend.algorithms.fft import NEAR, is_near, transform_error
from convcli.backend.algorithms.slide import Slide, last_axes
from convcli.layers.axes import Sizes

Array = NDArray[Any]
Run = Callable[[str, Array, Array, Slide], Array]  # runs a method on padded x (N, C, *padded) and kernels

WINOGRAD_ROUNDINGS = 8  # the error of an output of F(2, 3), in roundings of the elements of its tile
WINOGRAD_BOX = 16  # outputs per axis that are recomputed together


def corrected(method: str, y: Array, x: Array, kernels: Array, slide: Slide, run: Run) -> Array:
    """Return y (N, O, *output), computed by a transform, with plain sums where its error may exceed NEAR.

    x : ndarray, (N, C, *padded), with its border; kernels : (G, O / G, C / G, *k)
    """
    with np.errstate(all="ignore"):
        far = _FarByFft(y, x, kernels, slide, run) if method == "fft" else _FarByWinograd(x, slide)
        for image, box in product(range(len(x)), _boxes(slide.output_size, far.tile)):
            if far(image, box):
                part = x[image : image + 1][last_axes(slide.reach(box))]
                size = tuple(place.stop - place.start for place in box)
                walk = Slide(slide.kernel_size, slide.stride, slide.dilation, size)
                y[image][last_axes(box)] = run("gemm", part, kernels, walk)[0]
    return y


class _FarByFft:
    """Finds the tiles in which the error of a sum may exceed NEAR times the sum of the magnitudes."""

    def __init__(self, y: Array, x: Array, kernels: Array, slide: Slide, run: Run) -> None:
        self.slide, size = slide, fft_size(slide)
        self.tile, self.elements = fft_tiles(slide, size), prod(size)
        self.positive, weights = np.abs(x), np.abs(kernels)
        self.total = float(weights.reshape(*weights.shape[:2], -1).sum(axis=2).max())
        self.sums = y.real
        if not (np.array_equal(x, self.positive) and np.array_equal(kernels, weights)):
            self.sums = run("fft", self.positive, weights, slide)

    def __call__(self, image: int, box: tuple[slice, ...]) -> bool:
        part = self.positive[image][last_axes(self.slide.reach(box))]
        reach = float(part.max(initial=0)) * self.total
        error = transform_error(reach, self.elements, self.sums.dtype)
        return not is_near(float(self.sums[image][last_axes(box)].min()), error)


class _FarByWinograd:
    """Finds the boxes in which a window has a much smaller sum than a tile it is transformed in."""

    tile: Sizes

    def __init__(self, x: Array, slide: Slide) -> None:
        self.tile = (WINOGRAD_BOX,) * len(slide.output_size)
        self.far = _far_by_winograd(x, slide)

    def __call__(self, image: int, box: tuple[slice, ...]) -> bool:
        return bool(self.far[image][last_axes(box)].any())


def _far_by_winograd(x: Array, slide: Slide) -> Array:
    """Return the outputs (N, *output) whose window has a much smaller sum than the tile it is transformed in."""
    positive = np.abs(x).sum(axis=1)
    window = positive
    for axis in range(1, positive.ndim):
        window = _summed(window, 3, axis)
    for axis, count in enumerate(slide.output_size, start=1):
        length = positive.shape[axis]
        even = count + count % 2 + 2
        if length < even:  # the last tile extends beyond the input
            positive = np.pad(
                positive, [(0, even - length if other == axis else 0) for other in range(positive.ndim)]
            )
        tiles = _summed(positive, 4, axis)
        positive = np.repeat(tiles[(slice(None),) * axis + (slice(None, None, 2),)], 2, axis=axis)
        positive = positive[(slice(None),) * axis + (slice(count),)]
    most = NEAR / (WINOGRAD_ROUNDINGS * float(np.finfo(x.dtype).eps) / 2)
    far: Array = positive > window * most
    return far


def _summed(x: Array, count: int, axis: int) -> Array:
    """Sum `count` neighbours along an axis."""
    length = x.shape[axis] - count + 1
    places = [(slice(None),) * axis + (slice(start, start + length),) for start in range(count)]
    total: Array = sum((x[place] for place in places[1:]), x[places[0]])
    return total


def _boxes(sizes: Sizes, tile: Sizes) -> Iterator[tuple[slice, ...]]:
    """Divide an output into boxes."""
    starts = (range(0, n, step) for n, step in zip(sizes, tile, strict=True))
    for corner in product(*starts):
        yield tuple(
            slice(start, min(n, start + step)) for start, n, step in zip(corner, sizes, tile, strict=True)
        )
