"""Winograd's F(2, 3) on every axis: 4 products for 2 outputs of 3 taps, where plain sums need 6."""

from functools import reduce
from itertools import product
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.backend.algorithms.costs import RUN, Work, winograd_box
from convcli.backend.algorithms.slide import Slide, last_axes
from convcli.backend.borders import inside
from convcli.backend.working_memory import Borrowed
from convcli.layers.padding import Pads

Array = NDArray[Any]

KERNEL = ((1.0, 0.0, 0.0), (0.5, 0.5, 0.5), (0.5, -0.5, 0.5), (0.0, 0.0, 1.0))


def transformed(weight: Array) -> Array:
    """Return the transformed kernels of a weight (G, O, C, *k): (G, 4^axes, O, C)."""
    groups, outputs, inputs, *kernel = weight.shape
    transform = reduce(np.kron, [np.array(KERNEL, weight.dtype)] * len(kernel))
    columns = weight.reshape(groups, outputs * inputs, -1).swapaxes(1, 2)
    kernels: Array = np.matmul(transform, columns)
    return kernels.reshape(groups, -1, outputs, inputs)


def correlate(
    x: Array,
    weight: Array,
    slide: Slide,
    pads: Pads,
    value: Any = 0,
    *,
    kernels: Array | None = None,
    out: Array | None = None,
) -> Array:
    """Return the correlation of x (N, G, C, *spatial) with weight (G, O, C, *k): (N, G, O, *out).

    Lavin & Gray, "Fast algorithms for convolutional neural networks" (2016): tiles of 4 elements per axis, 2 apart, are
    transformed by additions, multiplied by the transformed kernels (one matrix product for each of the 4^axes positions
    in a tile), and transformed back to 2 outputs per axis. F(4, 3) would need fewer products and lose one more digit.
    Infinity becomes NaN, and the rounding error of a large element reaches the other outputs of its tiles.

    The even and the odd elements of an axis are stored flat, each as one run with the channels one after another: the
    parts of all tiles are then shifts of these runs, and the ends of the rows are dropped. x is padded with `value`, as
    wide as `pads`. `kernels` are the kernels that `transformed` computed from the weight, for repeated calls; `out`
    receives the result.
    """
    images, groups, inputs = x.shape[:3]
    outputs, dims = weight.shape[1], len(slide.kernel_size)
    if out is None:
        out = np.empty((images, groups, outputs, *slide.output_size), x.dtype)
    tiles = tuple(-(-count // 2) for count in slide.output_size)
    box = winograd_box(Work(images, groups, inputs, outputs, slide), x.itemsize)
    wide = prod(count + 1 for count in box)  # one more tile on each axis, for the end of the last tile
    at_once = min(max(inputs, outputs), -(-RUN // wide))
    sizes = (
        [4**dims * outputs * inputs if kernels is None else 0]
        + [4**dims * inputs * wide, 4**dims * outputs * wide]
        + [2**dims * at_once * wide]
        + [4**axis * 2 ** (dims - axis) * at_once * wide for axis in range(dims)]
    )
    transform = reduce(np.kron, [np.array(KERNEL, x.dtype)] * dims)
    with Borrowed(x.dtype, sizes) as parts:
        room = _Room(parts)
        for group in range(groups):
            if kernels is None:
                of_group = room(0, 4**dims, outputs, inputs)
                columns = weight[group].reshape(outputs * inputs, -1).T
                np.matmul(transform, columns, out=of_group.reshape(4**dims, -1))
            else:
                of_group = kernels[group]
            for image in range(images):
                for starts in product(*map(range, (0,) * dims, tiles, box)):
                    counts = tuple(min(n, t - start) for n, t, start in zip(box, tiles, starts, strict=True))
                    shape = tuple(count + 1 for count in counts)
                    kept = counts[0] * prod(shape[1:])
                    values, products = room(1, 4**dims, inputs, prod(shape)), room(2, 4**dims, outputs, kept)
                    places = (
                        slice(2 * start, 2 * (start + n)) for start, n in zip(starts, counts, strict=True)
                    )
                    target = out[image, group][last_axes(places)]
                    corner = tuple(2 * start - pair[0] for start, pair in zip(starts, pads, strict=True))
                    for first in range(0, inputs, at_once):
                        some = slice(first, first + at_once)
                        _transform_tiles(x[image, group, some], values[:, some], corner, shape, room, value)
                    np.matmul(of_group, values[..., :kept], out=products)
                    for first in range(0, outputs, at_once):
                        some = slice(first, first + at_once)
                        _transform_back(products[:, some], target[some], (counts[0], *shape[1:]), room)
    return out


class _Room:
    """The memory of all steps."""

    def __init__(self, parts: list[Array]) -> None:
        self._parts = parts

    def __call__(self, number: int, *shape: int) -> Array:
        """Return the start of a part with the given shape, which must not be larger than the part."""
        return self._parts[number][: prod(shape)].reshape(shape)


def _transform_tiles(
    x: Array, values: Array, corner: tuple[int, ...], shape: tuple[int, ...], room: _Room, value: Any
) -> None:
    """Transform the tiles of a box of x (C, *spatial) to values (4^axes, C, run).

    The box has the given shape (in tiles, with one more per axis) and begins at element `corner` of x, which may lie
    outside x.
    """
    dims, size = len(shape), len(x) * prod(shape)
    *lead, wide = shape
    lines = room(3, 2 ** (dims - 1), len(x), *lead, 2 * wide)
    for line, phase in zip(lines, np.ndindex(*(2,) * (dims - 1)), strict=True):
        places, selected = [slice(None)], [slice(None)]
        for start, odd, count, n in zip(corner, phase, lead, x.shape[1:], strict=False):
            there, here = inside(start + odd, 2, count, n)
            places.append(there)
            selected.append(here)
        there, here = inside(corner[-1], 1, 2 * wide, x.shape[-1])
        elements = x[(*selected, here)]
        if elements.size < line.size:
            line.fill(value)
        line[(*places, there)] = elements
    parts = room(4, 2**dims, size)
    np.copyto(parts.reshape(-1, 2, size), lines.reshape(-1, size, 2).swapaxes(1, 2))
    for axis in range(dims):
        step, fours, pairs = prod(shape[axis + 1 :]), 4**axis, 2 ** (dims - 1 - axis)
        source = parts.reshape(fours, 2, pairs, size)
        last = axis == dims - 1
        parts = values.reshape(4**dims, size) if last else room(5 + axis, 4 * fours * pairs, size)
        target = parts.reshape(fours, 4, pairs, size)[..., :-step]
        even, odd = source[:, 0, :, :-step], source[:, 1, :, :-step]
        after, end = source[:, 0, :, step:], source[:, 1, :, step:]
        np.subtract(even, after, out=target[:, 0])
        np.add(odd, after, out=target[:, 1])
        np.subtract(after, odd, out=target[:, 2])
        np.subtract(odd, end, out=target[:, 3])


def _transform_back(products: Array, out: Array, shape: tuple[int, ...], room: _Room) -> None:
    """Transform products (4^axes, O, run) back, in place, and write the outputs into out (O, *output)."""
    dims = len(shape)
    parts = products.reshape(*(4,) * dims, len(out), *shape)
    for axis in range(dims):
        first, second, third, fourth = np.moveaxis(parts, axis, 0)
        first += second
        first += third
        second -= third
        second -= fourth
        parts = parts[(slice(None),) * axis + (slice(0, 2),)]
    lines = room(3, 2 ** (dims - 1), len(out), *shape[:-1], 2 * shape[-1])
    size = len(out) * prod(shape)
    pairs, parts = lines.reshape(*(2,) * (dims - 1), size, 2), parts.reshape(*(2,) * dims, size)
    for phase in (0, 1):  # both at once would be copied pair by pair
        pairs[..., phase] = parts[..., phase, :]
    for line, odd in zip(lines, np.ndindex(*(2,) * (dims - 1)), strict=True):
        places = out[last_axes([*(slice(start, None, 2) for start in odd), slice(None)])]
        places[...] = line[last_axes(slice(0, n) for n in places.shape[1:])]
