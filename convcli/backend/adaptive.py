"""Adaptive pooling: the windows follow from a given output size."""

from __future__ import annotations  # help() shows the annotations by name

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from convcli.backend.checks import Array, as_array, as_batch, check_room, spatial_axes
from convcli.backend.dtypes import as_floats, as_input
from convcli.layers import AdaptivePool
from convcli.layers.axes import is_sequence

RUN = 1 << 12  # elements that are added up at once: more would lose digits of float32


def adaptive_avg_pool(x: ArrayLike, output_size: int | Sequence[int | None] | None) -> Array:
    """Take the mean of output_size windows per axis.

    Window i extends from floor(i * n / size) to ceil((i + 1) * n / size): PyTorch's AdaptiveAvgPool1d, 2d and
    3d. A size of 1 is global average pooling.

    Parameters
    ----------
    x : array_like, (N, C, *spatial), or (C, *spatial) if output_size has one number per axis
        The input, never modified.
    output_size : int, None, or one per axis
        The number of windows; None keeps the size of the axis.

    Returns
    -------
    ndarray, (N, C, *output) or (C, *output)
        Of x's dtype, float64 for integers; float16 is computed in float32.

    Examples
    --------
    >>> import numpy as np
    >>> from convcli import backend
    >>> backend.adaptive_avg_pool([[[1, 2, 3, 4, 5]]], (3,))
    array([[[1.5, 3. , 4.5]]])
    >>> backend.adaptive_avg_pool(np.zeros((1, 512, 7, 7)), 1).shape
    (1, 512, 1, 1)

    """
    x = as_array("x", x)
    with np.errstate(all="ignore"):
        y = _adapt(np.add, as_floats(x), output_size, mean=True)
        return as_input(y, x)


def adaptive_max_pool(x: ArrayLike, output_size: int | Sequence[int | None] | None) -> Array:
    """Take the maximum of output_size windows per axis.

    Window i extends from floor(i * n / size) to ceil((i + 1) * n / size): PyTorch's AdaptiveMaxPool1d, 2d and
    3d. A size of 1 is global maximum pooling.

    Parameters
    ----------
    x : array_like, (N, C, *spatial), or (C, *spatial) if output_size has one number per axis
        The input, never modified. Not complex.
    output_size : int, None, or one per axis
        The number of windows; None keeps the size of the axis.

    Returns
    -------
    ndarray, (N, C, *output) or (C, *output)
        Of x's dtype. NaN is propagated.

    Examples
    --------
    >>> import numpy as np
    >>> from convcli import backend
    >>> backend.adaptive_max_pool(np.arange(25).reshape(1, 1, 5, 5), (2, None)).shape
    (1, 1, 2, 5)

    """
    return _adapt(np.maximum, as_array("x", x, "biuf"), output_size)


def _adapt(
    operation: np.ufunc, x: Array, output_size: int | Sequence[int | None] | None, mean: bool = False
) -> Array:
    """Reduce each axis to windows of nearly equal length."""
    dims = spatial_axes(x, "output_size", output_size)
    x, alone = as_batch(x, dims, f"output_size {output_size}")
    sizes = output_size if is_sequence(output_size) else (output_size,) * dims
    layer = AdaptivePool(
        output_size=[n if size is None else size for n, size in zip(x.shape[2:], sizes, strict=True)]
    )
    check_room("the output", (*x.shape[:2], *layer.output_size), x.dtype)
    y = x
    while (
        y.ndim > 2 and layer.output_size[y.ndim - 3] == 1
    ):  # one window: the last axes, as many as a sum may take
        first = y.ndim - 1
        while first > 2 and layer.output_size[first - 3] == 1 and prod(y.shape[first - 1 :]) <= RUN:
            first -= 1
        y = _reduced(operation, y.reshape(*y.shape[:first], prod(y.shape[first:])), mean)
    y = y.reshape(*y.shape, *(1,) * (x.ndim - y.ndim))
    for axis, size in enumerate(layer.output_size, start=2):
        if size != y.shape[axis]:
            y = reduce_windows(operation, y, axis, *windows_of(y.shape[axis], size), mean)
    y = y.copy() if np.may_share_memory(x, y) else y
    return y[0] if alone else y


def _reduced(operation: np.ufunc, x: Array, mean: bool) -> Array:
    """Reduce the last axis; a sum of real numbers is a product with ones, which BLAS does."""
    if operation is np.add and x.dtype.kind == "f":
        y: Array = np.matmul(x, np.ones(x.shape[-1], x.dtype))
    else:
        y = operation.reduce(x, axis=-1)
    if mean:
        y /= np.asarray(x.shape[-1], y.dtype)
    return y


def windows_of(n: int, size: int) -> tuple[Array, Array]:
    """Return the starts and ends of `size` windows over n elements."""
    places = np.arange(size)
    return places * n // size, -(-(places + 1) * n // size)


def reduce_windows(operation: np.ufunc, x: Array, axis: int, starts: Array, ends: Array, mean: bool) -> Array:
    """Reduce one axis: window by window, or the first elements of all windows, then the second ones, and so on."""
    size, lengths = len(starts), ends - starts
    if size < lengths.max():
        whole = (slice(None),) * axis
        parts = [x[(*whole, slice(start, end))] for start, end in zip(starts, ends, strict=True)]
        y = np.concatenate([operation.reduce(part, axis=axis, keepdims=True) for part in parts], axis=axis)
    else:
        y = x.take(starts, axis=axis)
        for place in range(1, int(lengths.max())):
            longer = np.flatnonzero(lengths > place)
            further = x.take(starts[longer] + place, axis=axis)
            if len(longer) == size:
                operation(y, further, out=y)
            else:
                where: tuple[Any, ...] = (*(slice(None),) * axis, longer)
                y[where] = operation(y[where], further)
    return y / lengths.astype(y.dtype).reshape(-1, *(1,) * (y.ndim - 1 - axis)) if mean else y
