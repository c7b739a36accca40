"""Pooling in float32 that is planned once, for one input shape, and run many times."""

from __future__ import annotations

from math import prod

import numpy as np

from convcli.backend.algorithms.slide import Slide
from convcli.backend.borders import inside
from convcli.backend.checks import Array
from convcli.backend.pool_windows import window_counts
from convcli.backend.working_memory import Room
from convcli.layers import AvgPool, MaxPool


class PreparedPool:
    """A `max_pool` or `avg_pool` for one input shape with one or two spatial axes: axis by axis, tap by tap."""

    def __init__(self, layer: MaxPool | AvgPool, shape: tuple[int, ...], room: Room) -> None:
        size = shape[2:]
        self.output_shape = (*shape[:2], *layer.output_size(size))
        one = (1,) * (2 - len(size))
        self._room, self._x_shape = room, (prod(shape[:2]), *one, *size)
        self._output = (*one, *self.output_shape[2:])
        pads = (*((0, 0),) * len(one), *layer.pads(size))
        slide = Slide.of(layer, size)
        self._axes = list(
            zip(
                (*one, *slide.kernel_size),
                (*one, *slide.stride),
                (*one, *slide.dilation),
                pads,
                (*one, *size),
                self._output,
                strict=True,
            )
        )
        self._operation: np.ufunc = np.maximum if isinstance(layer, MaxPool) else np.add
        self._outside = -np.inf if isinstance(layer, MaxPool) else 0.0
        self._share: Array | None = None
        if isinstance(layer, AvgPool):
            counts = window_counts(layer, size, slide.output_size, layer.count_include_pad)
            shares = [1 / np.maximum(count, 1) for count in (*(np.ones(1) for _ in one), *counts)]
            self._share = np.multiply.outer(*shares).astype(np.float32)

    def __call__(self, x: Array) -> Array:
        """Return the pooled x."""
        x = x.reshape(self._x_shape)
        rows = self._pooled(x, 0)
        y = self._pooled(rows, 1, last=True)
        if self._share is not None:
            y *= self._share
        return y.reshape(self.output_shape)

    def _pooled(self, x: Array, axis: int, last: bool = False) -> Array:
        """Reduce the windows along the height or the width, tap by tap; each tap covers some of the positions."""
        kernel, stride, dilation, (before, _), n, count = self._axes[axis]
        if kernel == 1 and stride == 1 and not before and count == n:
            return x.copy() if last else x
        shape = (*x.shape[: axis + 1], count, *x.shape[axis + 2 :])
        y: Array = np.empty(shape, np.float32) if last else self._room(*shape)
        parts = [inside(tap * dilation - before, stride, count, n) for tap in range(kernel)]
        # The tap that covers the most positions goes first, because it is copied rather than reduced.
        first = max(range(kernel), key=lambda tap: parts[tap][0].stop - parts[tap][0].start)
        head = (slice(None),) * (axis + 1)
        there, here = parts[first]
        if there.start or there.stop < count:
            y[(*head, slice(0, there.start))] = self._outside
            y[(*head, slice(there.stop, None))] = self._outside
        y[(*head, there)] = x[(*head, here)]
        for tap, (there, here) in enumerate(parts):
            if tap != first and there.stop > there.start:
                target = y[(*head, there)]
                self._operation(target, x[(*head, here)], out=target)
        return y
