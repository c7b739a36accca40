"""Adaptive pooling: the output size is given, and the windows follow from it."""

from __future__ import annotations  # help() shows the annotations by name

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from convcli.backend.checks import Array, as_array, as_batch
from convcli.backend.dtypes import cast, computing_float
from convcli.layers import AdaptivePool
from convcli.layers.axes import infer_dims, is_sequence


def adaptive_avg_pool(x: ArrayLike, output_size: int | Sequence[int | None] | None) -> Array:
    """Divide x into output_size windows an axis, and take the mean of each.

    Window i reaches from floor(i * n / size) to ceil((i + 1) * n / size): PyTorch's AdaptiveAvgPool1d, 2d and
    3d. A size of 1 is global average pooling.

    Parameters
    ----------
    x : array_like, (N, C, *spatial), or (C, *spatial) where output_size is given for each axis
        The input, never modified.
    output_size : int, None, or one for each axis
        The number of windows; None keeps the axis as it is.

    Returns
    -------
    ndarray, (N, C, *output) or (C, *output)
        Of x's dtype, float64 for integers; float16 is computed in float32.

    Examples
    --------
    >>> import numpy as np
    >>> from convcli import backend
    >>> backend.adaptive_avg_pool([[[1, 2, 3, 4, 5]]], 3)
    array([[[1.5, 3. , 4.5]]])
    >>> backend.adaptive_avg_pool(np.zeros((1, 512, 7, 7)), 1).shape
    (1, 512, 1, 1)

    """
    x = as_array("x", x)
    with np.errstate(all="ignore"):
        y = _adapt(np.add, cast(x, computing_float(x.dtype)), output_size, mean=True)
        return cast(y, x.dtype if x.dtype.kind in "fc" else y.dtype)


def adaptive_max_pool(x: ArrayLike, output_size: int | Sequence[int | None] | None) -> Array:
    """Divide x into output_size windows an axis, and take the largest element of each.

    Window i reaches from floor(i * n / size) to ceil((i + 1) * n / size): PyTorch's AdaptiveMaxPool1d, 2d and
    3d. A size of 1 is global maximum pooling.

    Parameters
    ----------
    x : array_like, (N, C, *spatial), or (C, *spatial) where output_size is given for each axis
        The input, never modified. Not complex.
    output_size : int, None, or one for each axis
        The number of windows; None keeps the axis as it is.

    Returns
    -------
    ndarray, (N, C, *output) or (C, *output)
        Of x's dtype. NaN passes through.

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
    dims = infer_dims(output_size, default=x.ndim - 2)
    x, alone = as_batch(x, dims, f"output_size {output_size}")
    sizes = output_size if is_sequence(output_size) else (output_size,) * dims
    layer = AdaptivePool(
        output_size=[n if size is None else size for n, size in zip(x.shape[2:], sizes, strict=True)]
    )
    y = x
    for axis, size in enumerate(layer.output_size, start=2):
        n = y.shape[axis]
        if size == n:
            continue
        parts = []
        for i in range(size):
            start, end = i * n // size, -(-(i + 1) * n // size)
            part = operation.reduce(y[(*(slice(None),) * axis, slice(start, end))], axis=axis, keepdims=True)
            parts.append(part / part.dtype.type(end - start) if mean else part)
        y = np.concatenate(parts, axis=axis)
    y = y.copy() if y is x else y
    return y[0] if alone else y
