"""Winograd's F(2, 3) on every axis: 4 products for 2 outputs of 3 taps, where plain sums take 6."""

from functools import reduce
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.backend.plan import RUN, Slide, Work, last_axes, winograd_rows

Array = NDArray[Any]

KERNEL = ((1.0, 0.0, 0.0), (0.5, 0.5, 0.5), (0.5, -0.5, 0.5), (0.0, 0.0, 1.0))


def correlate(x: Array, weight: Array, slide: Slide) -> Array:
    """Return the correlation of a padded x (N, G, C, *padded) with weight (G, O, C, *k): (N, G, O, *out).

    Lavin & Gray, "Fast algorithms for convolutional neural networks" (2016): tiles of 4 elements an axis,
    2 apart, are transformed by additions, multiplied by the transformed kernels, one matrix product for
    each of the 4^axes places in a tile, and transformed back to 2 outputs an axis. F(4, 3) would take fewer
    products and lose a digit more. Infinity becomes NaN, and the rounding error of a large element reaches the
    other outputs of its tiles.

    The even and the odd elements of an axis are laid flat, each as one run with the channels behind each
    other: the parts of all tiles are then shifts of these runs, and the ends of the rows are dropped.
    """
    images, groups, inputs = x.shape[:3]
    outputs, dims = weight.shape[1], len(slide.kernel_size)
    out = np.empty((images, groups, outputs, *slide.output_size), x.dtype)
    tiles = tuple(-(-count // 2) for count in slide.output_size)
    row = tuple(count + 1 for count in tiles[1:])  # one tile more, for the end of the last
    high = winograd_rows(Work(images, groups, inputs, outputs, slide), x.itemsize)
    wide = (high + 1) * prod(row)
    at_once = min(max(inputs, outputs), -(-RUN // wide))
    room = _Room(
        x.dtype,
        [4**dims * outputs * inputs, 4**dims * inputs * wide, 4**dims * outputs * wide]
        + [2**pairs * 4 ** (dims - pairs) * at_once * wide for pairs in range(1, dims + 1)],
    )
    transform = reduce(np.kron, [np.array(KERNEL, x.dtype)] * dims)
    for group in range(groups):
        kernels = room(0, 4**dims, outputs, inputs)
        columns = weight[group].reshape(outputs * inputs, -1).T
        np.matmul(transform, columns, out=kernels.reshape(4**dims, -1))
        for image in range(images):
            for start in range(0, tiles[0], high):
                count = min(high, tiles[0] - start)
                run, kept = (count + 1) * prod(row), count * prod(row)
                values, products = room(1, 4**dims, inputs, run), room(2, 4**dims, outputs, kept)
                target = out[image, group, :, 2 * start :]
                for first in range(0, inputs, at_once):
                    some = slice(first, first + at_once)
                    _forth(x[image, group, some, 2 * start :], values[:, some], (count + 1, *row), room)
                np.matmul(kernels, values[..., :kept], out=products)
                for first in range(0, outputs, at_once):
                    some = slice(first, first + at_once)
                    _back(products[:, some], target[some], (count, *row))
    return out


class _Room:
    """The memory of all steps, taken at once: the system then leaves it in place from one call to the next."""

    def __init__(self, dtype: np.dtype[Any], sizes: list[int]) -> None:
        whole = np.empty(sum(sizes), dtype)
        self._parts = np.split(whole, np.cumsum(sizes)[:-1])

    def __call__(self, number: int, *shape: int) -> Array:
        """Return the start of a part, of a shape that is no larger than it."""
        return self._parts[number][: prod(shape)].reshape(shape)


def _forth(x: Array, values: Array, shape: tuple[int, ...], room: _Room) -> None:
    """Transform tiles (rows and one, *tiles and one) of x (C, *padded) to values (4^axes, C, run)."""
    dims, size = len(shape), len(x) * prod(shape)
    parts = room(2 + dims, 2**dims, size)
    for part, phase in zip(parts, np.ndindex(*(2,) * dims), strict=True):
        elements = x[last_axes(slice(p, 2 * n, 2) for p, n in zip(phase, shape, strict=True))]
        places = last_axes(slice(0, n) for n in elements.shape[1:])
        part.reshape(len(x), *shape)[places] = elements
    for axis in reversed(range(dims)):
        step, pairs, fours = prod(shape[axis + 1 :]), 2**axis, 4 ** (dims - 1 - axis)
        source = parts.reshape(pairs, 2, fours, size)
        parts = room(2 + axis, 4 * pairs * fours, size) if axis else values.reshape(4 * fours, size)
        target = parts.reshape(pairs, 4, fours, size)[..., :-step]
        even, odd = source[:, 0, :, :-step], source[:, 1, :, :-step]
        after, last = source[:, 0, :, step:], source[:, 1, :, step:]
        np.subtract(even, after, out=target[:, 0])
        np.add(odd, after, out=target[:, 1])
        np.subtract(after, odd, out=target[:, 2])
        np.subtract(odd, last, out=target[:, 3])


def _back(products: Array, out: Array, shape: tuple[int, ...]) -> None:
    """Transform products (4^axes, O, run) back, in place, and put what is kept into out (O, *output)."""
    dims = len(shape)
    parts = products.reshape(*(4,) * dims, len(out), *shape)
    for axis in range(dims):
        first, second, third, fourth = np.moveaxis(parts, axis, 0)
        first += second
        first += third
        second -= third
        second -= fourth
        parts = parts[(slice(None),) * axis + (slice(0, 2),)]
    for phase in np.ndindex(*(2,) * dims):
        places = out[last_axes(slice(p, 2 * n, 2) for p, n in zip(phase, shape, strict=True))]
        places[...] = parts[phase][last_axes(slice(0, n) for n in places.shape[1:])]
