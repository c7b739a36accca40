"""Pooling: the maximum, the mean or the p-norm of every window."""

from __future__ import annotations  # help() shows the annotations by name

from collections.abc import Callable
from functools import partial
from typing import Literal, overload

import numpy as np
from numpy.typing import ArrayLike

from convcli.backend.borders import OUTSIDE, pad
from convcli.backend.checks import Array, as_array, as_batch, check_walk, spatial_axes
from convcli.backend.dtypes import as_floats, as_input
from convcli.backend.pool_windows import (
    least_of,
    reach_of,
    reduced,
    reduced_with_places,
    summed,
    window_counts,
)
from convcli.layers import AvgPool, LpPool, MaxPool
from convcli.layers.axes import PerAxis
from convcli.layers.padding import AnyPadding, one_for_all
from convcli.layers.pool import Pool

_REAL = "biuf"


@overload
def max_pool(
    x: ArrayLike,
    kernel_size: PerAxis,
    *,
    stride: PerAxis | None = None,
    padding: AnyPadding = 0,
    dilation: PerAxis = 1,
    ceil_mode: bool = False,
    return_indices: Literal[False] = False,
) -> Array: ...


@overload
def max_pool(
    x: ArrayLike,
    kernel_size: PerAxis,
    *,
    stride: PerAxis | None = None,
    padding: AnyPadding = 0,
    dilation: PerAxis = 1,
    ceil_mode: bool = False,
    return_indices: Literal[True],
) -> tuple[Array, Array]: ...


def max_pool(
    x: ArrayLike,
    kernel_size: PerAxis,
    *,
    stride: PerAxis | None = None,
    padding: AnyPadding = 0,
    dilation: PerAxis = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Array | tuple[Array, Array]:
    """Take the maximum of every window.

    PyTorch's MaxPool1d, 2d and 3d; ONNX's MaxPool.

    Parameters
    ----------
    x : array_like, (N, C, *spatial), or (C, *spatial) if an option has one number per axis
        The input, never modified. Not complex. For an array of three axes an option per axis is required: one number,
        such as (2,), for (N, C, length), two for (C, height, width).
    kernel_size, dilation : int or one per axis
        The size of the window, and the step between its elements.
    stride : int or one per axis, optional
        The step from one window to the next; by default the kernel size.
    padding : int, one per axis, (before, after) pairs, or a name as in `conv`
        Padding with the smallest value: -infinity, or the smallest integer. It must be less than the kernel's span.
    ceil_mode : bool
        Round the output size up: a last window may extend beyond the padding, but must start before its end.
    return_indices : bool
        Return the positions of the elements too.

    Returns
    -------
    ndarray, (N, C, *output) or (C, *output)
        Of x's dtype. NaN is propagated: a window with a NaN gives NaN.
    indices : ndarray of int64, only with return_indices
        The index of each element in x[n, c].ravel(): the first of equal ones, the last of NaN, as in PyTorch; -1 for a
        dilated window that steps over every element.

    Raises
    ------
    ArgumentError
        If shapes do not match, the output would be empty, or windows could lie completely in the padding.

    Examples
    --------
    >>> import numpy as np
    >>> from convcli import backend
    >>> backend.max_pool(np.arange(9).reshape(1, 1, 3, 3), 2, stride=1)
    array([[[[4, 5],
             [7, 8]]]])
    >>> backend.max_pool(np.zeros((1, 64, 112, 112)), 3, stride=2, padding=1).shape
    (1, 64, 56, 56)

    """
    x, alone, pool = _prepare(MaxPool, x, kernel_size, stride, padding, dilation, ceil_mode)
    if not return_indices:
        y = reduced(np.maximum, x, pool, least_of(x.dtype))
        return y[0] if alone else y
    output, pads = pool.output_size(x.shape[2:]), reach_of(pool, x.shape[2:])
    y = pad(x, pads, range(2, x.ndim), "constant", least_of(x.dtype))
    places = np.arange(np.prod(x.shape[2:], dtype=np.int64)).reshape(x.shape[2:])
    at = np.broadcast_to(pad(places, pads, range(places.ndim), "constant", OUTSIDE), y.shape)
    # So that the first of equal elements is the first in reading order.
    for axis in reversed(range(len(output))):
        y, at = reduced_with_places(y, at, pool, axis, output[axis])
    return (y[0], at[0]) if alone else (y, at)


def avg_pool(
    x: ArrayLike,
    kernel_size: PerAxis,
    *,
    stride: PerAxis | None = None,
    padding: AnyPadding = 0,
    dilation: PerAxis = 1,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Array:
    """Take the mean of every window.

    PyTorch's AvgPool1d, 2d and 3d; ONNX's AveragePool (whose count_include_pad is off by default).

    Parameters
    ----------
    x : array_like, (N, C, *spatial), or (C, *spatial) if an option has one number per axis
        The input, never modified.
    kernel_size, stride, dilation, ceil_mode
        As in `max_pool`.
    padding : int, one per axis, (before, after) pairs, or a name as in `conv`
        Padding with zeros. It must be less than the kernel's span.
    count_include_pad : bool
        Whether the zeros count as elements. Elements that ceil_mode adds beyond the padding never count.

    Returns
    -------
    ndarray, (N, C, *output) or (C, *output)
        Of x's dtype, float64 for integers; float16 is computed in float32. A window without elements
        gives 0.

    Raises
    ------
    ArgumentError
        If shapes do not match, the output would be empty, or windows could lie completely in the padding.

    Examples
    --------
    >>> import numpy as np
    >>> from convcli import backend
    >>> backend.avg_pool([[[1, 2, 3, 4, 5]]], (2,))
    array([[[1.5, 3.5]]])
    >>> backend.avg_pool([[[1, 2, 3, 4, 5]]], (2,), ceil_mode=True)
    array([[[1.5, 3.5, 5. ]]])
    >>> backend.avg_pool(np.zeros((1, 8, 32, 32)), (3, 1), padding="same").shape
    (1, 8, 11, 32)

    """
    x, alone, pool = _prepare(AvgPool, x, kernel_size, stride, padding, dilation, ceil_mode, "biufc")
    size = x.shape[2:]
    output = pool.output_size(size)
    with np.errstate(all="ignore"):
        y = summed(as_floats(x), pool)
        for axis, counts in enumerate(window_counts(pool, size, output, count_include_pad)):
            y /= counts.clip(1).astype(y.dtype).reshape(-1, *(1,) * (len(size) - 1 - axis))
        y = as_input(y, x)
    return y[0] if alone else y


def lp_pool(
    x: ArrayLike,
    p: float,
    kernel_size: PerAxis,
    *,
    stride: PerAxis | None = None,
    padding: AnyPadding = 0,
    dilation: PerAxis = 1,
    ceil_mode: bool = False,
) -> Array:
    """Take the p-norm of every window: the p-th root of the sum of |x|**p.

    Like ONNX's LpPool. PyTorch's LPPool sums x**p without the absolute value, which is the same for even p, and with
    ceil_mode it scales windows that extend beyond the input up to the full size, which is not done here.

    Parameters
    ----------
    x : array_like, (N, C, *spatial), or (C, *spatial) if an option has one number per axis
        The input, never modified. Not complex.
    p : number
        Above 0; 1 gives the sum of absolute values, infinity their maximum.
    kernel_size, stride, padding, dilation, ceil_mode
        As in `avg_pool`.

    Returns
    -------
    ndarray, (N, C, *output) or (C, *output)
        Of x's dtype, float64 for integers; float16 is computed in float32.

    Raises
    ------
    ArgumentError
        If p is not above 0, shapes do not match, the output would be empty, or windows could lie completely in the
        padding.

    Examples
    --------
    >>> from convcli import backend
    >>> backend.lp_pool([[[3.0, -4.0, 0.0, 2.0]]], 2, (2,))
    array([[[5., 2.]]])

    """
    layer = partial(LpPool, norm_type=p)
    x, alone, pool = _prepare(layer, x, kernel_size, stride, padding, dilation, ceil_mode)
    with np.errstate(all="ignore"):
        y = np.abs(as_floats(x))
        if p == np.inf:
            y = reduced(np.maximum, y, pool, 0)
        elif p == 1:
            y = summed(y, pool)
        elif p == 2:
            y = np.sqrt(summed(np.square(y), pool))
        else:
            y = summed(y**p, pool) ** (1 / p)
        y = as_input(y, x)
    return y[0] if alone else y


def _prepare(
    layer: Callable[..., Pool],
    x: ArrayLike,
    kernel_size: PerAxis,
    stride: PerAxis | None,
    padding: AnyPadding,
    dilation: PerAxis,
    ceil_mode: bool,
    kinds: str = _REAL,
) -> tuple[Array, bool, Pool]:
    """Return x as a batch, whether it had no batch axis, and the layer."""
    x = as_array("x", x, kinds)
    dims = spatial_axes(x, "kernel_size", kernel_size, stride, one_for_all(padding), dilation)
    x, alone = as_batch(x, dims, f"the window {kernel_size}")
    pool = layer(
        kernel_size=kernel_size,
        stride=stride,
        padding=padding,
        dilation=dilation,
        ceil_mode=ceil_mode,
        dims=dims,
    )
    size = x.shape[2:]
    check_walk(x, pool.pads(size), pool.output_size(size), x.shape[1])
    return x, alone, pool
