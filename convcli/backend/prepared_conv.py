"""A convolution in float32 that is planned once, for one shape of input, and run many times.

A network runs the same layer again and again, on maps that are often so small that to decide how costs more than to do
it. Here everything that does not depend on the elements is done at birth: the algorithm, the weights in the order in
which it takes them, the places of all borders. The sums are plain ones by matrix products, or tiles' where those are
quicker: in float32, and without the care for infinity and for huge elements that `conv` takes.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from math import prod
from threading import local
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from convcli.backend.algorithms import winograd
from convcli.backend.algorithms.slide import Slide
from convcli.backend.borders import inside
from convcli.backend.checks import Array
from convcli.layers import Conv
from convcli.layers.padding import Pads

Finish = Callable[[Array], None]  # an activation, in place
Close = Callable[[Array, slice], None]  # done to some places of all channels, when their sums are complete
Run = Callable[[Array, Array, Close], None]  # from x (C, H, W) to y (O, H' * W'), both of one item

STACK_BYTES = 1 << 23  # of the stacked rows that one block of the output looks at
TILED_CHANNELS, TILED_PLACES = 24, 196  # in and out, and of the output, from which on tiles are quicker
BAND_ROWS = 4  # rows of one banded product where an output has many
WHOLE_ROWS = 8  # an output of so many rows is one band


class Room(local):
    """Memory that operators use for the time of one call, one after the other; each thread has its own."""

    def __init__(self) -> None:
        super().__init__()
        self._floats = np.empty(0, np.float32)

    def __call__(self, *shape: int) -> Array:
        """Return an array of a shape, with values of calls before."""
        size = prod(shape)
        if self._floats.size < size:
            self._floats = np.zeros(size, np.float32)  # what memory held before may be no numbers
        return self._floats[:size].reshape(shape)


class PreparedConv:
    """A `conv` of one input shape, with its bias and what is applied to its outputs.

    layer : one or two spatial axes, padding of zeros
    shape : of the input, (N, C, *spatial)
    weight, bias : float32, as `conv` has them
    finish : applied in place to some rows of the output at a time
    """

    def __init__(
        self,
        layer: Conv,
        shape: tuple[int, ...],
        weight: Array,
        bias: Array | None,
        room: Room,
        finish: Finish | None = None,
    ) -> None:
        self.output_shape = (shape[0], *layer.output_shape(shape[1:]))
        flat = _Axes.of(layer, shape[2:])
        self._x_shape = (*shape[:2], *flat.size)
        self._y_shape = (shape[0], layer.out_channels, prod(flat.output))
        weight = np.ascontiguousarray(weight, np.float32).reshape(*weight.shape[:2], *flat.kernel)
        self._bias = None if bias is None or not bias.any() else bias.astype(np.float32).reshape(-1, 1)
        self._finish = finish
        self._run: Run
        groups = layer.groups
        if flat.is_pointwise:
            self._run = _pointwise(weight, groups, flat)
        elif groups == 1 and _suits_tiles(weight, flat):
            self._run = _in_tiles(weight, flat)
        elif groups > 1 and layer.in_channels == groups:
            self._run = _banded(weight, groups, flat, room)
        else:
            self._run = _stacked(weight, groups, flat, room)

    def __call__(self, x: Array, add: Array | None = None) -> Array:
        """Return the convolution of x, and what is added to it before the activation."""
        x = x.reshape(self._x_shape)
        y: Array = np.empty(self._y_shape, np.float32)
        for item in range(len(x)):
            other = None if add is None else add[item].reshape(y.shape[1:])
            with np.errstate(all="ignore"):  # tiles compute more than is looked at
                self._run(x[item], y[item], partial(self._close, other))
        return y.reshape(self.output_shape)

    def _close(self, other: Array | None, y: Array, places: slice) -> None:
        """Add the bias, what is added, and apply the activation to some places of all channels."""
        if self._bias is not None:
            y += self._bias
        if other is not None:
            y += other[:, places]
        if self._finish is not None:
            self._finish(y)


class _Axes:
    """The numbers of a convolution on two axes: (height, width)."""

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
    def of(cls, layer: Conv, size: tuple[int, ...]) -> _Axes:
        """Return the numbers of a layer; a single axis is the width."""
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
    def is_pointwise(self) -> bool:
        """Whether every output looks at one place, and none at the padding."""
        return set(self.kernel) == {1} and not any(map(any, self.pads))


def _pointwise(weight: Array, groups: int, axes: _Axes) -> Run:
    """One product of the weights with all places."""
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


def _suits_tiles(weight: Array, axes: _Axes) -> bool:
    """Tell whether Winograd's tiles take less time: three taps an axis, many channels and places."""
    plain = (axes.kernel, axes.stride, axes.dilation) == ((3, 3), (1, 1), (1, 1))
    return plain and min(weight.shape[:2]) >= TILED_CHANNELS and prod(axes.output) >= TILED_PLACES


def _in_tiles(weight: Array, axes: _Axes) -> Run:
    """Winograd's F(2, 3), its kernels transformed once."""
    slide = Slide(axes.kernel, axes.stride, axes.dilation, axes.output)
    kernels = winograd.transformed(weight[np.newaxis])
    shape, inputs = np.empty((1, *weight.shape[:2], 0), np.float32), weight.shape[1]

    def run(x: Array, y: Array, close: Close) -> None:
        out = y.reshape(1, 1, len(y), *axes.output)
        x = x.reshape(1, 1, inputs, *axes.size)
        winograd.correlate(x, shape, slide, axes.pads, kernels=kernels, out=out)
        close(y, slice(None))

    return run


def _stacked(weight: Array, groups: int, axes: _Axes, room: Room) -> Run:
    """Rows of the input, each once for every tap along the width, times the weights: one product for each row of taps.

    The rows that a stride steps over are put beside each other, so that an output row and the next look at neighbours.
    """
    (high, wide), (step, _), (gap, _) = axes.kernel, axes.stride, axes.dilation
    outputs, inputs = len(weight) // groups, weight.shape[1]
    # Tap t of the height meets the row y * step + t * gap: phase (t * gap) % step, (t * gap) // step rows on.
    meets = [(t * gap % step, t * gap // step, t) for t in range(high)]
    phases = sorted({phase for phase, _, _ in meets})
    shifts = sorted({shift for _, shift, _ in meets})
    kernels = weight.reshape(groups, outputs, inputs, high, wide)
    products = []
    for shift in shifts:
        taps = {phase: t for phase, s, t in meets if s == shift}
        first, last = phases.index(min(taps)), phases.index(max(taps))
        parts = [
            kernels[:, :, :, taps[phase]] if phase in taps else np.zeros_like(kernels[:, :, :, 0])
            for phase in phases[first : last + 1]
        ]
        matrix = np.ascontiguousarray(np.concatenate(parts, axis=2).reshape(groups, outputs, -1))
        products.append((shift, slice(first * inputs * wide, (last + 1) * inputs * wide), matrix))
    rows, columns = axes.output
    line = 4 * len(phases) * inputs * groups * wide * columns  # bytes of the stack for a row of the output
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
    """Puts rows of an input into a stack (G, phases, C, taps, rows, columns), zeros around them."""

    def __init__(self, axes: _Axes, phases: list[int]) -> None:
        self.axes, self.phases = axes, phases

    def __call__(self, x: Array, stack: Array, first: int, count: int) -> None:
        """Fill the rows that `count` outputs from the row `first` on begin at."""
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
                here, met = inside(tap * gap - left, right, columns, width)
                target[..., here] = x[:, :, rows, met]
                if here.start:
                    target[..., : here.start] = 0
                if here.stop < columns:
                    target[..., here.stop :] = 0


def _banded(weight: Array, groups: int, axes: _Axes, room: Room) -> Run:
    """A small product for each channel and band of rows: the band matrix of its kernel with the rows it looks at.

    For kernels of a channel alone, where a product of matrices would have one row.
    """
    (high, wide), (step, _), (gap, _) = axes.kernel, axes.stride, axes.dilation
    times = len(weight) // groups  # outputs of a channel
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
    less = (rest - 1) * step + (high - 1) * gap + 1  # rows that the last, smaller band looks at
    last = np.ascontiguousarray(matrix[:, :, 0, :rest, : less * wide]) if rest else None
    depth = (rows - 1) * step + (high - 1) * gap + 1
    fill = _Filling(
        _Axes(
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
        # The taps of a row lie beside each other, so that the rows of a band are one matrix.
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


def takes(layer: Any) -> bool:
    """Tell whether a layer can be prepared."""
    return isinstance(layer, Conv) and layer.dims <= 2
