"""Rows of the kernel: one matrix product of all rows with the shifted input, then sums of shifted rows."""

from collections.abc import Iterator
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from convcli.backend.algorithms.costs import ROWS_BYTES
from convcli.backend.algorithms.slide import Slide, last_axes
from convcli.backend.borders import inside
from convcli.backend.working_memory import Borrowed
from convcli.layers.padding import Pads

Array = NDArray[Any]


def correlate(x: Array, weight: Array, slide: Slide, pads: Pads, value: Any = 0) -> Array:
    """Return the correlation of x (N, G, C, *spatial) with weight (G, O, C, *k): (N, G, O, *out).

    x is padded with `value`, as wide as `pads`. The padded rows of x are copied once for each tap along the last axis,
    shifted by the tap. One matrix product multiplies them by all rows of the kernel, in few calls of BLAS with long
    runs even if a group has one channel. An output is the sum of the products of the rows in its window.
    """
    groups, outputs, inputs = weight.shape[:3]
    *kernel, taps = slide.kernel_size
    lines = prod(kernel)
    matrix = np.moveaxis(weight.reshape(groups, outputs, inputs, lines, taps), 3, 1)
    matrix = np.ascontiguousarray(matrix).reshape(groups, lines * outputs, inputs * taps)
    out = np.empty((len(x), groups, outputs, *slide.output_size), x.dtype)
    block = _Block.of(groups, inputs * taps + lines * outputs, slide, x.itemsize)
    most = block.groups * block.run(slide, block.rows)
    with Borrowed(x.dtype, (inputs * taps * most, lines * outputs * most)) as (stacked, made):
        for rows in block.of_rows(slide):
            size = block.size(slide, rows.stop - rows.start)
            held = block.groups * prod(size)
            stacked_rows = stacked[: held * inputs * taps].reshape(block.groups, inputs, taps, *size)
            layout = _Layout.of(x, stacked_rows, rows, slide, pads)
            layout.clear(value)
            selected = stacked_rows.reshape(block.groups, inputs * taps, prod(size))
            became = made[: held * lines * outputs].reshape(block.groups, lines * outputs, prod(size))
            parts = list(_parts(became.reshape(block.groups, *kernel, outputs, *size), rows, slide))
            for image in range(len(x)):
                for start in range(0, groups, block.groups):
                    some = slice(start, start + block.groups)
                    count = min(block.groups, groups - start)
                    layout.copy((image, some), count, value)
                    np.matmul(matrix[some], selected[:count], out=became[:count])
                    total = out[image, some][last_axes([rows, slice(None)])]
                    if len(parts) == 1:
                        total[...] = parts[0][:count]
                    else:
                        np.add(parts[0][:count], parts[1][:count], out=total)
                    for part in parts[2:]:
                        total += part[:count]
    return out


class _Block(NamedTuple):
    """The number of groups and of output rows that are computed at once."""

    groups: int
    rows: int

    @classmethod
    def of(cls, groups: int, held: int, slide: Slide, itemsize: int) -> "_Block":
        """Return blocks of about ROWS_BYTES, if each group needs `held` elements per position."""
        high = slide.output_size[-2]
        step, reach = slide.stride[-2], slide.spans[-2]
        line = held * itemsize * prod(cls.size(slide, 1)) // reach
        rows = min(high, max(1, (ROWS_BYTES // line - reach) // step + 1))
        rows = -(-high // -(-high // rows))  # equally many in each
        at_once = min(groups, max(1, ROWS_BYTES // (line * ((rows - 1) * step + reach))))
        return cls(-(-groups // -(-groups // at_once)), rows)

    @staticmethod
    def size(slide: Slide, rows: int) -> tuple[int, ...]:
        """Return the size of the padded input that `rows` output rows need, with rows as long as the output's."""
        counts = (*slide.output_size[:-2], rows)
        walks = zip(counts, slide.stride, slide.spans, strict=False)
        return (*((count - 1) * s + reach for count, s, reach in walks), slide.output_size[-1])

    def run(self, slide: Slide, rows: int) -> int:
        """Return the number of elements of that size."""
        return prod(self.size(slide, rows))

    def of_rows(self, slide: Slide) -> Iterator[slice]:
        """Divide the output into blocks of rows."""
        high = slide.output_size[-2]
        for row in range(0, high, self.rows):
            yield slice(row, min(high, row + self.rows))


class _Layout(NamedTuple):
    """The views used to copy groups of x (N, G, ...) to the memory (G, ...).

    border : parts of the memory that hold the padding value and are never overwritten
    copies : pairs of a part of the memory and the part of x that is copied to it
    shifts : pairs of parts of the memory, copied after that: taps on the same elements
    ends : the ends of rows that lie in the border and must be filled with its value again
    """

    border: list[Array]
    copies: list[tuple[Array, Array]]
    shifts: list[tuple[Array, Array]]
    ends: list[Array]

    @classmethod
    def of(cls, x: Array, stacked: Array, rows: slice, slide: Slide, pads: Pads) -> "_Layout":
        """Return the copies from x (N, G, C, *spatial) to `stacked` (G, C, taps, *padded, width) for output rows."""
        befores = [before for before, _ in pads]
        starts = (*(-before for before in befores[:-2]), rows.start * slide.stride[-2] - befores[-2])
        walks = zip(starts, stacked.shape[3:], x.shape[3:], strict=False)
        lead = [inside(first, 1, count, n) for first, count, n in walks]
        there, _ = lead[-1]
        layout = cls([stacked[..., : there.start, :], stacked[..., there.stop :, :]], [], [], [])
        if len(lead) > 1:
            layout.border.append(stacked)
        x = x[last_axes([*(here for _, here in lead), slice(None)])]
        stacked = stacked[last_axes([*(there for there, _ in lead), slice(None)])]
        step, width, wide, high = slide.stride[-1], stacked.shape[-1], x.shape[-1], x.shape[-2]
        offsets = [tap * slide.dilation[-1] - befores[-1] for tap in range(stacked.shape[2])]
        for tap, offset in enumerate(offsets):
            there, here = inside(offset, step, width, wide)
            part = stacked[:, :, tap]
            if there.stop == there.start or wide != width * step:
                layout.border.append(part)
            if there.stop == there.start:
                continue
            if wide != width * step:
                layout.copies.append((part[..., there], x[..., here]))
                continue
            # A row of x is as long as the elements that an output row visits, so the copy of all rows is one run.
            first = offset % step
            if step > 1 and offset != first and first in offsets:
                to, of = inside(offset // step, 1, high * width, high * width)
                whole = stacked[:, :, offsets.index(first)]
                layout.shifts.append((_flat(part)[..., to], _flat(whole)[..., of]))
            else:
                to, of = inside(offset, step, high * width, high * wide)
                layout.copies.append((_flat(part)[..., to], _flat(x)[..., of]))
            layout.ends.extend(
                end for end in (part[..., : there.start], part[..., there.stop :]) if end.shape[-1]
            )
        return layout

    def clear(self, value: Any) -> None:
        """Fill the parts that no copy overwrites."""
        for part in self.border:
            part[...] = value

    def copy(self, x: tuple[int, slice], count: int, value: Any) -> None:
        """Copy `count` groups of an image to the memory of the first groups."""
        for target, source in self.copies:
            target[:count] = source[x]
        for target, source in self.shifts:
            target[:count] = source[:count]
        for end in self.ends:
            end[:count] = value


def _flat(x: Array) -> Array:
    """Return x with its last two axes as one."""
    return x.reshape(*x.shape[:-2], x.shape[-2] * x.shape[-1])


def _parts(made: Array, rows: slice, slide: Slide) -> Iterator[Array]:
    """Yield the contribution (G, O, *out) of each row of the kernel, from made (G, *k, O, *padded, width)."""
    box = [*slide.whole[:-2], slice(0, rows.stop - rows.start), slice(0, 1)]
    for tap in np.ndindex(*slide.kernel_size[:-1]):
        selected = slide.tap_slices((*tap, 0), box)[:-1]
        yield made[(slice(None), *tap, slice(None))][last_axes([*selected, slice(None)])]
