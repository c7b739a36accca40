"""A convolution in float32 that is planned once, for one shape of input, and run many times.

A network runs the same layer again and again, on maps that are often so small that to decide how costs more than to do
it. Here everything that does not depend on the elements is done at birth: the algorithm, the weights in the order in
which it takes them, the places of all borders. The sums are plain ones by matrix products, or tiles' where those are
quicker: in float32, and without the care for infinity and for huge elements that `conv` takes.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import prod
from typing import Any

import numpy as np

from convcli.backend.checks import Array
from convcli.backend.prepared_ways import Axes, Run, banded, in_tiles, pointwise, stacked
from convcli.backend.working_memory import Room
from convcli.layers import Conv

Finish = Callable[[Array], None]  # an activation, in place

TILED_CHANNELS, TILED_PLACES = 24, 196  # in and out, and of the output, from which on tiles are quicker


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
        flat = Axes.of(layer, shape[2:])
        self._x_shape = (*shape[:2], *flat.size)
        self._y_shape = (shape[0], layer.out_channels, prod(flat.output))
        weight = np.ascontiguousarray(weight, np.float32).reshape(*weight.shape[:2], *flat.kernel)
        self._bias = None if bias is None or not bias.any() else bias.astype(np.float32).reshape(-1, 1)
        self._finish = finish
        self._run: Run
        groups = layer.groups
        if flat.ispointwise:
            self._run = pointwise(weight, groups, flat)
        elif groups == 1 and _suits_tiles(weight, flat):
            self._run = in_tiles(weight, flat)
        elif groups > 1 and layer.in_channels == groups:
            self._run = banded(weight, groups, flat, room)
        else:
            self._run = stacked(weight, groups, flat, room)

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


def _suits_tiles(weight: Array, axes: Axes) -> bool:
    """Return whether Winograd's tiles take less time: three taps an axis, many channels and places."""
    plain = (axes.kernel, axes.stride, axes.dilation) == ((3, 3), (1, 1), (1, 1))
    return plain and min(weight.shape[:2]) >= TILED_CHANNELS and prod(axes.output) >= TILED_PLACES


def takes(layer: Any) -> bool:
    """Return whether a layer can be prepared."""
    return isinstance(layer, Conv) and layer.dims <= 2
