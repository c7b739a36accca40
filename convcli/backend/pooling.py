"""Pooling: the largest element, the mean or a norm of every window, one axis after the other."""

from __future__ import annotations  # help() shows the annotations by name

from collections.abc import Callable
from functools import partial
from typing import Any, Literal, overload

import numpy as np
from numpy.typing import ArrayLike

from convcli.backend.algorithms.slide import Slide
from convcli.backend.borders import OUTSIDE, pad
from convcli.backend.checks import Array, as_array, as_batch, check_walk, spatial_axes
from convcli.backend.dtypes import cast, computing_float
from convcli.layers import AvgPool, LpPool, MaxPool
from convcli.layers.axes import PerAxis, Sizes
from convcli.layers.padding import AnyPadding, Pads, one_for_all, span
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
    """Take the largest element of every window.

    PyTorch's MaxPool1d, 2d and 3d; ONNX's MaxPool.

    Parameters
    ----------
    x : array_like, (N, C, *spatial), or (C, *spatial) where an option has a number for each axis
        The input, never modified. Not complex. Three axes could be either, and need such an option: one number, as
        (2,), for (N, C, length), two for (C, height, width).
    kernel_size, dilation : int or one for each axis
        The taps of the window, and the step between them.
    stride : int or one for each axis, optional
        The step from one window to the next: the kernel size, where it is not given.
    padding : int, one for each axis, (before, after) pairs, or a name as in `conv`
        Elements below every other: -infinity, or the least integer. Less than the kernel spans.
    ceil_mode : bool
        Round the output size up: a last window may reach beyond the padding, but starts before it.
    return_indices : bool
        Return where the elements came from as well.

    Returns
    -------
    ndarray, (N, C, *output) or (C, *output)
        Of x's dtype. NaN passes through: a window that holds one gives NaN.
    indices : ndarray of int64, only with return_indices
        The place of each element in x[n, c].ravel(): the first of equal ones, the last of NaN, as in PyTorch;
        -1 for a dilated window that steps over every element.

    Raises
    ------
    ArgumentError
        Where shapes do not fit, the output would be empty, or windows could lie in the padding alone.

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
    output, pads = pool.output_size(x.shape[2:]), _reach(pool, x.shape[2:])
    y = pad(x, pads, range(2, x.ndim), "constant", _least(x.dtype))
    if not return_indices:
        for axis in range(len(output)):
            y = _reduce(np.maximum, y, pool, axis, output[axis])
        return y[0] if alone else y
    places = np.arange(np.prod(x.shape[2:], dtype=np.int64)).reshape(x.shape[2:])
    at = np.broadcast_to(pad(places, pads, range(places.ndim), "constant", OUTSIDE), y.shape)
    for axis in reversed(range(len(output))):  # so that the first of equal elements is first row by row
        y, at = _reduce_places(y, at, pool, axis, output[axis])
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
    x : array_like, (N, C, *spatial), or (C, *spatial) where an option has a number for each axis
        The input, never modified.
    kernel_size, stride, dilation, ceil_mode
        As in `max_pool`.
    padding : int, one for each axis, (before, after) pairs, or a name as in `conv`
        Zeros. Less than the kernel spans.
    count_include_pad : bool
        Whether the zeros count as elements. What ceil_mode adds beyond the padding never does.

    Returns
    -------
    ndarray, (N, C, *output) or (C, *output)
        Of x's dtype, float64 for integers; float16 is computed in float32. A window without elements
        gives 0.

    Raises
    ------
    ArgumentError
        Where shapes do not fit, the output would be empty, or windows could lie in the padding alone.

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
        y = _sum(cast(x, computing_float(x.dtype)), pool, output)
        for axis, counts in enumerate(window_counts(pool, size, output, count_include_pad)):
            y /= counts.clip(1).astype(y.dtype).reshape(-1, *(1,) * (len(size) - 1 - axis))
        y = cast(y, x.dtype if x.dtype.kind in "fc" else y.dtype)
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

    ONNX's LpPool. PyTorch's LPPool sums x**p without the absolute value, which is the same for even p, and
    with ceil_mode it scales windows that reach beyond the input up to the full size, which this does not.

    Parameters
    ----------
    x : array_like, (N, C, *spatial), or (C, *spatial) where an option has a number for each axis
        The input, never modified. Not complex.
    p : number
        Above 0; 1 gives the sum of magnitudes, infinity the largest magnitude.
    kernel_size, stride, padding, dilation, ceil_mode
        As in `avg_pool`.

    Returns
    -------
    ndarray, (N, C, *output) or (C, *output)
        Of x's dtype, float64 for integers; float16 is computed in float32.

    Raises
    ------
    ArgumentError
        Where p is not above 0, shapes do not fit, the output would be empty, or windows could lie in the
        padding alone.

    Examples
    --------
    >>> from convcli import backend
    >>> backend.lp_pool([[[3.0, -4.0, 0.0, 2.0]]], 2, (2,))
    array([[[5., 2.]]])

    """
    layer = partial(LpPool, norm_type=p)
    x, alone, pool = _prepare(layer, x, kernel_size, stride, padding, dilation, ceil_mode)
    output = pool.output_size(x.shape[2:])
    with np.errstate(all="ignore"):
        y = np.abs(cast(x, computing_float(x.dtype)))
        if p == np.inf:
            y = pad(y, _reach(pool, x.shape[2:]), range(2, x.ndim))
            for axis, count in enumerate(output):
                y = _reduce(np.maximum, y, pool, axis, count)
        elif p == 1:
            y = _sum(y, pool, output)
        elif p == 2:
            y = np.sqrt(_sum(np.square(y), pool, output))
        else:
            y = _sum(y**p, pool, output) ** (1 / p)
        y = cast(y, x.dtype if x.dtype.kind == "f" else y.dtype)
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
    """Return x as a batch, whether it came without one, and the layer."""
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
    check_walk(x, pool, x.shape[1])
    return x, alone, pool


def _reach(pool: Pool, size: Sizes) -> Pads:
    """Return the pads, with as much after as the last window needs: ceil_mode reaches beyond the padding."""
    ends = zip(
        size,
        pool.pads(size),
        pool.output_size(size),
        pool.kernel_size,
        pool.stride,
        pool.dilation,
        strict=True,
    )
    return tuple(
        (before, max(after, (count - 1) * s + span(k, d) - n - before))
        for n, (before, after), count, k, s, d in ends
    )


def _least(dtype: np.dtype[Any]) -> float:
    """Return the number that is below every other of a dtype."""
    if dtype.kind == "f":
        return -np.inf
    return int(np.iinfo(dtype).min) if dtype.kind in "iu" else 0


def _meets(pool: Pool, axis: int, tap: int, count: int) -> tuple[Any, ...]:
    """Return where the elements lie that one tap meets along one spatial axis."""
    start, s = tap * pool.dilation[axis], pool.stride[axis]
    return (*(slice(None),) * (axis + 2), slice(start, start + (count - 1) * s + 1, s))


def _reduce(operation: np.ufunc, x: Array, pool: Pool, axis: int, count: int) -> Array:
    """Reduce the windows of a padded x along one axis: tap by tap, or window by window if these are fewer."""
    if count < pool.kernel_size[axis]:
        windows = (x[_window(pool, axis, place)] for place in range(count))
        return np.concatenate(
            [operation.reduce(window, axis=axis + 2, keepdims=True, dtype=x.dtype) for window in windows],
            axis + 2,
        )
    y: Array = x[_meets(pool, axis, 0, count)].copy()
    for tap in range(1, pool.kernel_size[axis]):
        operation(y, x[_meets(pool, axis, tap, count)], out=y)
    return y


def _window(pool: Pool, axis: int, place: int) -> tuple[Any, ...]:
    """Return where the elements of one window lie along one spatial axis."""
    start, d = place * pool.stride[axis], pool.dilation[axis]
    return (*(slice(None),) * (axis + 2), slice(start, start + span(pool.kernel_size[axis], d), d))


def _reduce_places(x: Array, at: Array, pool: Pool, axis: int, count: int) -> tuple[Array, Array]:
    """Find the largest elements of the windows along one axis, and where each came from."""
    if count < pool.kernel_size[axis]:
        windows = [_window(pool, axis, place) for place in range(count)]
        found = [_largest(x[window], at[window], axis + 2) for window in windows]
        return np.concatenate([part for part, _ in found], axis + 2), np.concatenate(
            [part for _, part in found], axis + 2
        )
    first = _meets(pool, axis, 0, count)
    best, place = x[first].copy(), at[first].copy()
    for tap in range(1, pool.kernel_size[axis]):
        here = _meets(pool, axis, tap, count)
        better = (x[here] > best) | (place == OUTSIDE)
        if x.dtype.kind == "f":
            better = (better & ~np.isnan(best)) | np.isnan(x[here])
        np.copyto(best, x[here], where=better)
        np.copyto(place, at[here], where=better)
    return best, place


def _largest(x: Array, at: Array, axis: int) -> tuple[Array, Array]:
    """Return the largest element along an axis, and where it came from: the first of equal ones, the last of NaN."""
    most = x.max(axis=axis, keepdims=True)
    chosen = ((x == most) & (at != OUTSIDE)).argmax(axis=axis, keepdims=True)
    if x.dtype.kind == "f":
        last = x.shape[axis] - 1 - np.isnan(np.flip(x, axis)).argmax(axis=axis, keepdims=True)
        chosen = np.where(np.isnan(most), last, chosen)
    return np.take_along_axis(x, chosen, axis), np.take_along_axis(at, chosen, axis)


def _sum(x: Array, pool: Pool, output: Sizes) -> Array:
    """Sum every window, with zeros around x."""
    y = pad(x, _reach(pool, x.shape[2:]), range(2, x.ndim))
    for axis, count in enumerate(output):
        y = _reduce(np.add, y, pool, axis, count)
    return y


def window_counts(pool: Pool, size: Sizes, output: Sizes, include_pad: bool) -> list[Array]:
    """Count, for each axis, the elements that the windows average over."""
    counts, slide = [], Slide.of(pool, size)
    for axis, ((before, after), n) in enumerate(zip(pool.pads(size), size, strict=True)):
        starts = np.arange(output[axis]) * slide.stride[axis] - before
        places = starts[:, np.newaxis] + np.arange(pool.kernel_size[axis]) * slide.dilation[axis]
        inside = places < n + after if include_pad else (places >= 0) & (places < n)
        counts.append(inside.sum(axis=1))
    return counts
