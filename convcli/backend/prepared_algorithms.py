"""The algorithms of a prepared convolution: one matrix product, Winograd tiles, stacked rows, or band matrices."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from numpy.lib.stride_tricks import as_strided

from convcli.backend.algorithms import winograd
from convcli.backend.algorithms.slide import Slide
from convcli.backend.borders import inside
from convcli.backend.checks import Array
from convcli.backend.working_memory import Room
from convcli.layers import Conv
from convcli.layers.padding import Pads

# Applied to some positions of all channels when their sums are complete.
Close = Callable[[Array, slice], None]
Run = Callable[[Array, Array, Close], None]  # from x (C, H, W) to y (O, H' * W') of one item

STACK_BYTES = 1 << 23  # of the stacked rows for one block of the output
BAND_ROWS = 4  # rows of one banded product if the output has many rows
WHOLE_ROWS = 8  # an output of at most this many rows is a single band


class Axes:
    """The parameters of a convolution on two axes: (height, width)."""

    def __init__(
        self,
        size: tuple[int, ...],
        kernel: tuple[int, ...],
        stride: tuple[int, ...],
        dilation: tuple[int, ...],
        pads: Pads,
        output: tuple[int, ...],
    ) -> None:
        self.size, self.kernel, self.stride = size, kernel, stride
        self.dilation, self.pads, self.output = dilation, pads, output

    @classmethod
    def of(cls, layer: Conv, size: tuple[int, ...]) -> Axes:
        """Return the parameters of a layer; a single axis is the width."""
        one = (1,) * (2 - len(size))
        return cls(
            (*one, *size),
            (*one, *layer.kernel_size),
            (*one, *layer.stride),
            (*one, *layer.dilation),
            (*((0, 0),) * len(one), *layer.pads(size)),
            (*one, *layer.output_size(size)),
        )

    @property
    def ispointwise(self) -> bool:
        """Whether every output depends on one position, and none on the padding."""
        return set(self.kernel) == {1} and not any(map(any, self.pads))


def pointwise(weight: Array, groups: int, axes: Axes) -> Run:
    """Return a function that computes one matrix product of the weights with all positions."""
    inputs = weight.shape[1]
    matrix = weight.reshape(groups, len(weight) // groups, inputs)
    down, right = axes.stride

    def run(x: Array, y: Array, close: Close) -> None:
        if down > 1 or right > 1:
            x = np.ascontiguousarray(x[:, ::down, ::right])
        if groups == 1:
            np.matmul(matrix[0], x.reshape(inputs, -1), out=y)
        else:
            np.matmul(matrix, x.reshape(groups, inputs, -1), out=y.reshape(groups, -1, y.shape[-1]))
        close(y, slice(None))

    return run


def in_tiles(weight: Array, axes: Axes) -> Run:
    """Return a function that uses Winograd's F(2, 3), with kernels transformed once."""
    slide = Slide(axes.kernel, axes.stride, axes.dilation, axes.output)
    kernels = winograd.transformed(weight[np.newaxis])
    shape, inputs = np.empty((1, *weight.shape[:2], 0), np.float32), weight.shape[1]

    def run(x: Array, y: Array, close: Close) -> None:
        out = y.reshape(1, 1, len(y), *axes.output)
        x = x.reshape(1, 1, inputs, *axes.size)
        winograd.correlate(x, shape, slide, axes.pads, kernels=kernels, out=out)
        close(y, slice(None))

    return run


def stacked(weight: Array, groups: int, axes: Axes, room: Room) -> Run:
    """Return a function that stacks input rows, once per horizontal tap, and computes one product per vertical tap.

    Rows that a stride steps over are put next to each other, so that consecutive output rows use consecutive rows.
    """
    (high, wide), (step, _), (gap, _) = axes.kernel, axes.stride, axes.dilation
    outputs, inputs = len(weight) // groups, weight.shape[1]
    # Vertical tap t covers input row y * step + t * gap: phase (t * gap) % step, at row (t * gap) // step after y.
    positions = [(t * gap % step, t * gap // step, t) for t in range(high)]
    phases = sorted({phase for phase, _, _ in positions})
    shifts = sorted({shift for _, shift, _ in positions})
    kernels = weight.reshape(groups, outputs, inputs, high, wide)
    products = []
    for shift in shifts:
        taps = {phase: t for phase, s, t in positions if s == shift}
        first, last = phases.index(min(taps)), phases.index(max(taps))
        parts = [
            kernels[:, :, :, taps[phase]] if phase in taps else np.zeros_like(kernels[:, :, :, 0])
            for phase in phases[first : last + 1]
        ]
        matrix = np.ascontiguousarray(np.concatenate(parts, axis=2).reshape(groups, outputs, -1))
        products.append((shift, slice(first * inputs * wide, (last + 1) * inputs * wide), matrix))
    rows, columns = axes.output
    line = 4 * len(phases) * inputs * groups * wide * columns  # bytes of the stack per row of the output
    reach = shifts[-1] + 1
    at_once = max(reach, min(rows, STACK_BYTES // line))
    blocks = _divided(rows, at_once)
    depth = min(rows, at_once) + reach - 1
    fill = _Filling(axes, phases)

    def run(x: Array, y: Array, close: Close) -> None:
        count = len(phases) * inputs * wide
        part = min(rows, at_once) * columns
        memory = room(groups * (count * depth * columns + outputs * part))
        stack = memory[: groups * count * depth * columns].reshape(
            groups, len(phases), inputs, wide, depth, columns
        )
        flat = stack.reshape(groups, count, depth * columns)
        extra = memory[groups * count * depth * columns :].reshape(groups, outputs, part)
        x = x.reshape(groups, inputs, *x.shape[1:])
        for block in blocks:
            fill(x, stack, block.start, block.stop - block.start + reach - 1)
            places = slice(block.start * columns, block.stop * columns)
            length = places.stop - places.start
            target = y.reshape(groups, outputs, -1)[:, :, places]
            for number, (shift, some, matrix) in enumerate(products):
                seen = flat[:, some, shift * columns : shift * columns + length]
                if number:
                    more = extra[:, :, :length]
                    np.matmul(matrix, seen, out=more)
                    target += more
                else:
                    np.matmul(matrix, seen, out=target)
            close(y[:, places], places)

    return run


class _Filling:
    """Copies rows of an input into a stack (G, phases, C, taps, rows, columns), with zeros around them."""

    def __init__(self, axes: Axes, phases: list[int]) -> None:
        self.axes, self.phases = axes, phases

    def __call__(self, x: Array, stack: Array, first: int, count: int) -> None:
        """Fill the rows that are needed from output row `first` on, for `count` rows."""
        axes = self.axes
        (down, right), (_, gap) = axes.stride, axes.dilation
        (above, _), (left, _) = axes.pads
        height, width = axes.size
        columns = axes.output[1]
        for number, phase in enumerate(self.phases):
            there, rows = inside(first * down + phase - above, down, count, height)
            part = stack[:, number, :, :, :count]
            if there.start:
                part[:, :, :, : there.start] = 0
            if there.stop < count:
                part[:, :, :, there.stop :] = 0
            for tap in range(axes.kernel[1]):
                target = part[:, :, tap, there]
                here, selected = inside(tap * gap - left, right, columns, width)
                target[..., here] = x[:, :, rows, selected]
                if here.start:
                    target[..., : here.start] = 0
                if here.stop < columns:
                    target[..., here.stop :] = 0


def banded(weight: Array, groups: int, axes: Axes, room: Room) -> Run:
    """Return a function that multiplies band matrices of the kernels by the rows of each band, channel by channel.

    Used for depthwise kernels, for which an ordinary matrix product would have only one row.
    """
    (high, wide), (step, _), (gap, _) = axes.kernel, axes.stride, axes.dilation
    times = len(weight) // groups  # outputs per channel
    rows, columns = axes.output
    band = rows if rows <= WHOLE_ROWS else BAND_ROWS
    reach = (band - 1) * step + (high - 1) * gap + 1
    bands = np.zeros((groups, times, 1, band, reach, wide), np.float32)
    kernels = weight.reshape(groups, times, high, wide)
    for row in range(band):
        for tap in range(high):
            bands[:, :, 0, row, row * step + tap * gap] = kernels[:, :, tap]
    whole, rest = divmod(rows, band)
    matrix = bands.reshape(groups, times, 1, band, reach * wide)
    less = (rest - 1) * step + (high - 1) * gap + 1  # input rows of the last, smaller band
    last = np.ascontiguousarray(matrix[:, :, 0, :rest, : less * wide]) if rest else None
    depth = (rows - 1) * step + (high - 1) * gap + 1
    fill = _Filling(
        Axes(
            axes.size,
            axes.kernel,
            (1, axes.stride[1]),
            axes.dilation,
            axes.pads,
            axes.output,
        ),
        [0],
    )

    def run(x: Array, y: Array, close: Close) -> None:
        stack = room(groups, depth, wide, columns)
        # The taps of a row lie next to each other, so that the rows of a band form one matrix.
        fill(x[:, np.newaxis], stack.transpose(0, 2, 1, 3)[:, np.newaxis, np.newaxis], 0, depth)
        size = 4 * columns
        seen = as_strided(
            stack,
            (groups, 1, whole, reach * wide, columns),
            (stack.strides[0], 0, band * step * wide * size, size, 4),
        )
        out = y.reshape(groups, times, rows, columns)
        target = out[:, :, : whole * band].reshape(groups, times, whole, band, columns)
        np.matmul(matrix, seen, out=target)
        if last is not None:
            start = whole * band * step
            rows_left = stack[:, start : start + less].reshape(groups, 1, less * wide, columns)
            np.matmul(last, rows_left, out=out[:, :, whole * band :])
        close(y, slice(None))

    return run


def _divided(count: int, step: int) -> list[slice]:
    """Divide a range into parts of about the same size, of at most `step`."""
    parts = -(-count // step)
    ends = [count * part // parts for part in range(parts + 1)]
    return [slice(start, stop) for start, stop in pairwise(ends)]
