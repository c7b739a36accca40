"""A convolution in float32 that is planned once, for one input shape, and run many times.

A network runs the same layer again and again, often on feature maps so small that planning takes longer than computing.
Here everything that does not depend on the elements is done in the constructor: the choice of the algorithm, the order
of the weights, the positions of the borders. The sums are computed by matrix products, or by Winograd tiles if these
are faster, in float32 and without the special handling of infinity and huge elements in `conv`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import prod
from typing import Any

import numpy as np

from convcli.backend.checks import Array
from convcli.backend.prepared_algorithms import Axes, Run, banded, in_tiles, pointwise, stacked
from convcli.backend.working_memory import Room
from convcli.layers import Conv

Finish = Callable[[Array], None]  # an activation, in place

# Input and output channels, and output positions, from which tiles are faster.
TILED_CHANNELS, TILED_PLACES = 24, 196


class PreparedConv:
    """A `conv` for one input shape, with its bias and a function that is applied to its outputs.

    layer : one or two spatial axes, zero padding
    shape : of the input, (N, C, *spatial)
    weight, bias : float32, as in `conv`
    finish : an activation that is applied in place to some rows of the output at a time
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
        """Return the convolution of x, plus `add` before the activation."""
        x = x.reshape(self._x_shape)
        y: Array = np.empty(self._y_shape, np.float32)
        for item in range(len(x)):
            other = None if add is None else add[item].reshape(y.shape[1:])
            with np.errstate(all="ignore"):  # tiles also compute values that are not used
                self._run(x[item], y[item], partial(self._close, other))
        return y.reshape(self.output_shape)

    def _close(self, other: Array | None, y: Array, places: slice) -> None:
        """Add the bias and `other` to some positions of all channels, and apply the activation."""
        if self._bias is not None:
            y += self._bias
        if other is not None:
            y += other[:, places]
        if self._finish is not None:
            self._finish(y)


def _suits_tiles(weight: Array, axes: Axes) -> bool:
    """Return whether Winograd tiles are faster: 3x3 kernels, many channels and positions."""
    plain = (axes.kernel, axes.stride, axes.dilation) == ((3, 3), (1, 1), (1, 1))
    return plain and min(weight.shape[:2]) >= TILED_CHANNELS and prod(axes.output) >= TILED_PLACES


def takes(layer: Any) -> bool:
    """Return whether a layer can be prepared."""
    return isinstance(layer, Conv) and layer.dims <= 2
