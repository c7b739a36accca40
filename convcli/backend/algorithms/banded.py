"""Band matrices: the rows of each channel, multiplied by a small matrix with the kernel on its diagonals."""

from collections.abc import Iterator
from itertools import product
from math import prod
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from convcli.backend.algorithms.costs import BAND_BYTES, BAND_COLUMNS, band_rows
from convcli.backend.algorithms.slide import Index, Slide
from convcli.backend.borders import inside
from convcli.backend.working_memory import Borrowed
from convcli.layers.axes import Sizes
from convcli.layers.padding import Pads

Array = NDArray[Any]


def correlate(x: Array, weight: Array, slide: Slide, pads: Pads, value: Any = 0) -> Array:
    """Return the correlation of x (N, G, C, *spatial) with weight (G, O, C, *k): (N, G, O, *out).

    x is padded with `value`, as wide as `pads`. Every row is copied once for each tap of the last axis, shifted by the
    tap. A band matrix (rows, reach) is then multiplied by the input rows that `rows` output rows need, which are
    adjacent and need no further copy. Taps along other axes are shifts of the input, whose products are added. Half of
    the multiplications are with zeros, and BLAS is still faster than one multiplication and one addition of whole
    arrays per tap. The zeros spread NaN and infinity over a band.
    """
    groups, outputs, inputs = weight.shape[:3]
    out = np.empty((len(x), groups, outputs, *slide.output_size), x.dtype)
    stack = _Stack(x.dtype, slide, pads, value)
    with Borrowed(x.dtype, [stack.most(groups)]) as (room,):
        for output in range(outputs):
            for channel in range(inputs):
                bands = _bands(weight[:, output, channel], slide)
                for image in range(len(x)):
                    source, target = x[image, :, channel], out[image, :, output]
                    for some, rows, columns in stack.blocks(groups):
                        rows_of = stack.take(room, source[some], rows, columns)
                        part = target[some][..., rows, columns]
                        _multiply(part, bands[..., some, :, :], rows_of, slide, started=channel > 0)
    return out


def _bands(kernels: Array, slide: Slide) -> Array:
    """Return the band matrices of kernels (G, *k): (*k without the last two axes, G, rows, reach * taps)."""
    rows, step = band_rows(slide), slide.stride[-2]
    reach = (rows - 1) * step + slide.spans[-2]
    kernels = np.moveaxis(kernels, 0, -3)  # (*lead, G, height, width)
    bands = np.zeros((*kernels.shape[:-2], rows, reach, kernels.shape[-1]), kernels.dtype)
    for tap in range(kernels.shape[-2]):
        for row in range(rows):
            bands[..., row, row * step + tap * slide.dilation[-2], :] = kernels[..., tap, :]
    return bands.reshape(*bands.shape[:-2], -1)


class _Stack:
    """The rows of a block of groups, padded, with a copy for each tap of the last axis: (G, *, rows, taps, columns).

    The memory is reused for every block; the padding is written again only when it has moved.
    """

    def __init__(self, dtype: np.dtype[Any], slide: Slide, pads: Pads, value: Any) -> None:
        self._slide, self._pads, self._value = slide, pads, value
        self._lead = tuple(
            (count - 1) * s + reach
            for count, s, reach in zip(
                slide.output_size[:-2], slide.stride[:-2], slide.spans[:-2], strict=True
            )
        )
        self._columns = min(slide.output_size[-1], BAND_COLUMNS)
        line = prod(self._lead) * slide.kernel_size[-1] * self._columns * dtype.itemsize
        step, rows = slide.stride[-2], band_rows(slide)
        most = (BAND_BYTES // line - slide.spans[-2]) // step + 1
        self._rows = min(slide.output_size[-2], max(rows, most // rows * rows))
        self._groups = max(1, BAND_BYTES // (line * ((self._rows - 1) * step + slide.spans[-2])))
        self._seen: tuple[Sizes, int, int] = (), 0, 0

    def blocks(self, groups: int) -> Iterator[tuple[slice, slice, slice]]:
        """Divide the output into blocks of groups, rows and columns."""
        high, wide = self._slide.output_size[-2:]
        for row in range(0, high, self._rows):
            for column in range(0, wide, self._columns):
                for group in range(0, groups, self._groups):
                    yield (
                        slice(group, min(groups, group + self._groups)),
                        slice(row, min(high, row + self._rows)),
                        slice(column, min(wide, column + self._columns)),
                    )

    def most(self, groups: int) -> int:
        """Return the number of elements of the largest block."""
        reach = (self._rows - 1) * self._slide.stride[-2] + self._slide.spans[-2]
        line = prod(self._lead) * self._slide.kernel_size[-1] * self._columns
        return min(groups, self._groups) * line * reach

    def take(self, room: Array, x: Array, rows: slice, columns: slice) -> Array:
        """Copy the input that a block of the output needs from x (G, *spatial) to `room`, reused for all blocks."""
        slide, step = self._slide, self._slide.stride[-2]
        first, count = rows.start * step, (rows.stop - 1 - rows.start) * step + slide.spans[-2]
        shape = (*self._lead, count, slide.kernel_size[-1], columns.stop - columns.start)
        stack = room[: len(x) * prod(shape)].reshape(len(x), *shape)
        if self._seen != (shape, first, columns.start):
            room[...] = self._value
            self._seen = (shape, first, columns.start)
        places, selected = [slice(None)], [slice(None)]
        corner = (*(0,) * len(self._lead), first)
        for start, total, pair, n in zip(corner, shape, self._pads, x.shape[1:], strict=False):
            there, here = inside(start - pair[0], 1, total, n)
            places.append(there)
            selected.append(here)
        jump, left = slide.stride[-1], columns.start * slide.stride[-1] - self._pads[-1][0]
        for tap in range(slide.kernel_size[-1]):
            there, here = inside(left + tap * slide.dilation[-1], jump, shape[-1], x.shape[-1])
            target: Index = (*places, tap, there)
            stack[target] = x[(*selected, here)]
        return stack


def _multiply(out: Array, bands: Array, stack: Array, slide: Slide, started: bool) -> None:
    """Add the products of a stack (G, *padded, taps, columns) to out (G, *out).

    The previous content of `out` is kept only if `started`.
    """
    rows, count, step = bands.shape[-2], out.shape[-2], slide.stride[-2]
    most = count - count % rows
    *lead, taps = stack.strides[:-1]
    for start, stop in ((0, most), (most, count)):
        high = min(rows, stop - start)
        if not high:
            continue
        reach = ((high - 1) * step + slide.spans[-2]) * stack.shape[-2]
        # Splitting an axis makes a view: what is written here is written to `out`.
        target = out[..., start:stop, :].reshape(*out.shape[:-2], -1, high, out.shape[-1])
        for place, tap in enumerate(product(*map(range, bands.shape[:-3]))):
            tap_slices = slide.tap_slices((*tap, 0, 0))[: len(tap)]
            selected: Array = stack[(slice(None), *tap_slices, slice(start * step, None))]
            selected = as_strided(
                selected,
                (*selected.shape[:-3], (stop - start) // high, reach, selected.shape[-1]),
                (*selected.strides[:-3], high * step * lead[-1], taps, selected.strides[-1]),
                writeable=False,
            )
            ones = (1,) * (target.ndim - 3)
            matrix = bands[tap][:, :high, :reach].reshape(len(out), *ones, high, reach)
            if place or started:
                target += np.matmul(matrix, selected)
            else:
                np.matmul(matrix, selected, out=target)
