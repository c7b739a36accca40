"""Resizing: every axis stretched or shrunk, by copies or by blends of two neighbours."""

from __future__ import annotations  # help() shows the annotations by name

import numpy as np
from numpy.typing import ArrayLike

from convcli.backend.checks import Array, as_array, as_batch, check_room, spatial_axes
from convcli.backend.dtypes import cast, computing_float
from convcli.errors import ArgumentError
from convcli.layers import Resize
from convcli.layers.axes import PerAxis
from convcli.layers.resize import Mode


def resize(
    x: ArrayLike, *, scale: PerAxis | None = None, size: PerAxis | None = None, mode: Mode = "nearest"
) -> Array:
    """Stretch or shrink x on every spatial axis.

    PyTorch's interpolate with align_corners=False. Output y of o looks at y * n / o (`nearest`, rounded down)
    or at (y + 1/2) * n / o - 1/2 (`bilinear`, linear on every axis, of any number), computed in whole numbers.

    Parameters
    ----------
    x : array_like, (N, C, *spatial), or (C, *spatial) where an option has a number for each axis
        The input, never modified.
    scale : int or one for each axis, optional
        How many times as large as the input.
    size : int or one for each axis, optional
        The size itself; exactly one of the two is given.
    mode : str
        `nearest` copies elements, `bilinear` blends the two neighbours on each axis.

    Returns
    -------
    ndarray, (N, C, *output) or (C, *output)
        Of x's dtype; `bilinear` gives float64 for integers, and computes float16 in float32.

    Raises
    ------
    ArgumentError
        Where shapes do not fit, or not exactly one of scale and size is given.

    Examples
    --------
    >>> import numpy as np
    >>> from convcli import backend
    >>> backend.resize([[[1, 2]]], scale=(3,))
    array([[[1, 1, 1, 2, 2, 2]]])
    >>> backend.resize([[[1, 2]]], scale=(2,), mode="bilinear")
    array([[[1.  , 1.25, 1.75, 2.  ]]])
    >>> backend.resize(np.zeros((1, 3, 32, 32)), size=(48, 20)).shape
    (1, 3, 48, 20)

    """
    x = as_array("x", x)
    Resize(scale=scale, size=size, mode=mode)  # what is wrong with every x is told first
    dims = spatial_axes(x, "size" if scale is None else "scale", scale, size)
    x, alone = as_batch(x, dims, f"the size {size}" if scale is None else f"the scale {scale}")
    layer = Resize(scale=scale, size=size, mode=mode, dims=dims)
    if mode == "bicubic" or any(isinstance(each, float) for each in layer.scale or ()):
        raise ArgumentError(
            f"`resize` computes nearest and bilinear, by whole scales or to a size, not {mode} by {scale or size}; "
            "give `size` instead of a scale that is not whole"
        )
    _, *output = layer.output_shape(x.shape[1:])
    check_room("the output", (*x.shape[:2], *output), x.dtype)
    y = x
    with np.errstate(all="ignore"):
        for axis, count in enumerate(output, start=2):
            if mode == "nearest":
                y = y.take(np.arange(count) * x.shape[axis] // count, axis=axis)
            else:
                y = _blended(cast(y, computing_float(x.dtype)), axis, count)
        y = cast(y, x.dtype if x.dtype.kind in "fc" else y.dtype)
    return y[0] if alone else y


def _blended(x: Array, axis: int, count: int) -> Array:
    """Blend two neighbours along one axis; beyond the ends stand the outermost elements."""
    n = x.shape[axis]
    low, rest = np.divmod((2 * np.arange(count) + 1) * n - count, 2 * count)
    share = (rest / (2 * count)).astype(x.real.dtype).reshape(-1, *(1,) * (x.ndim - 1 - axis))
    y: Array = x.take(low.clip(0, n - 1), axis=axis) * (1 - share)
    second = x.take((low + 1).clip(0, n - 1), axis=axis)
    second *= share
    np.copyto(second, 0, where=share == 0)  # it may be infinite, and has no share
    y += second
    return y
