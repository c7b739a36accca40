"""Normalisation by statistics of the input: group, instance, layer and local response normalisation."""

from __future__ import annotations  # help() shows the annotations by name

from math import prod

import numpy as np
from numpy.typing import ArrayLike

from convcli.backend.checks import Array, as_array, check_shape
from convcli.backend.dtypes import as_input, cast, computing_float
from convcli.errors import ArgumentError
from convcli.layers.axes import PerAxis, is_sequence, whole

EPS = 1e-5  # PyTorch's default for all normalisations


def group_norm(
    x: ArrayLike,
    groups: int,
    gamma: ArrayLike | None = None,
    beta: ArrayLike | None = None,
    *,
    eps: float = EPS,
) -> Array:
    """Normalise each group of channels of each item by its mean and variance, then scale and shift the channels.

    gamma * (x - mean) / sqrt(var + eps) + beta: Wu & He (2018), "Group Normalization"; PyTorch's group_norm.

    Parameters
    ----------
    x : array_like, (N, C, *spatial)
        The input, never modified. Not complex.
    groups : int
        The number of groups; it must divide C.
    gamma, beta : array_like, (C,), optional
        One number per channel.
    eps : float
        Added to the variance to avoid a division by 0.

    Returns
    -------
    ndarray, of x's shape
        Of x's dtype, float64 for integers; float16 is computed in float32.

    Examples
    --------
    >>> from convcli import backend
    >>> backend.group_norm([[[1.0, 3.0], [5.0, 7.0]]], 2, eps=0)
    array([[[-1.,  1.],
            [-1.,  1.]]])

    """
    x = _batch(x)
    groups, channels = whole("groups", groups, 1), x.shape[1]
    if channels % groups:
        raise ArgumentError(
            f"x has shape {x.shape}; its {channels} channels cannot be divided into {groups} equal groups"
        )
    column = (channels, *(1,) * (x.ndim - 2))
    scale, shift = _learned(x, (channels,), column, gamma=gamma, beta=beta)
    apart = x.reshape(len(x), groups, prod(x.shape[1:]) // groups)
    return _normalised(apart, (2,), eps, x, scale, shift)


def instance_norm(
    x: ArrayLike, gamma: ArrayLike | None = None, beta: ArrayLike | None = None, *, eps: float = EPS
) -> Array:
    """Normalise each channel of each item by its mean and variance, then scale and shift it.

    Ulyanov, Vedaldi & Lempitsky (2016); PyTorch's instance_norm without stored statistics, ONNX's
    InstanceNormalization. The same as `group_norm` with one group per channel.

    Parameters
    ----------
    x, gamma, beta, eps
        As in `group_norm`.

    Returns
    -------
    ndarray, of x's shape
        As in `group_norm`.

    Examples
    --------
    >>> from convcli import backend
    >>> backend.instance_norm([[[1.0, 3.0], [5.0, 7.0]]], [10, 1], [0, 1], eps=0)
    array([[[-10.,  10.],
            [  0.,   2.]]])

    """
    x = _batch(x)
    return group_norm(x, x.shape[1], gamma, beta, eps=eps)


def layer_norm(
    x: ArrayLike,
    shape: PerAxis,
    gamma: ArrayLike | None = None,
    beta: ArrayLike | None = None,
    *,
    eps: float = EPS,
    channels: bool = False,
) -> Array:
    """Normalise over the last axes, by the mean and variance at each position of the others.

    Ba, Kiros & Hinton (2016), "Layer Normalization"; PyTorch's layer_norm.

    Parameters
    ----------
    x : array_like, (N, ..., *shape)
        The input, never modified. Not complex.
    shape : int or one per axis
        The sizes of the normalised axes.
    gamma, beta : array_like, of `shape`, optional
        Factors and offsets of the elements.
    eps : float
        Added to the variance to avoid a division by 0.
    channels : bool
        Normalise over the second axis at each position instead, as ConvNeXt does; `shape` is then one number.

    Returns
    -------
    ndarray, of x's shape
        Of x's dtype, float64 for integers; float16 is computed in float32.

    Examples
    --------
    >>> from convcli import backend
    >>> backend.layer_norm([[1.0, 3.0], [5.0, 9.0]], 2, eps=0)
    array([[-1.,  1.],
           [-1.,  1.]])

    """
    x = as_array("x", x, "biuf")
    sizes = tuple(shape) if is_sequence(shape) else (shape,)
    count = len(sizes)
    found = x.shape[1:2] if channels else x.shape[x.ndim - min(count, x.ndim) :]
    if found != sizes:
        where = "second axis" if channels else "last axes"
        raise ArgumentError(f"x has shape {x.shape}; its {where} must be {sizes}")
    axes = (1,) if channels else tuple(range(x.ndim - count, x.ndim))
    column = (-1, *(1,) * (x.ndim - 2)) if channels else sizes
    scale, shift = _learned(x, sizes, column, gamma=gamma, beta=beta)
    return _normalised(x, axes, eps, x, scale, shift)


def local_response_norm(
    x: ArrayLike,
    size: int,
    *,
    alpha: float = 1e-4,
    beta: float = 0.75,
    k: float = 1.0,
    before: int | None = None,
) -> Array:
    """Divide each element by a power of the sum of the squares of neighbouring channels at the same position.

    x / (k + alpha / size * sum of x^2 over `size` channels)^beta: Krizhevsky, Sutskever & Hinton (2012), section 3.3,
    with alpha divided by the size as in PyTorch's local_response_norm and ONNX's LRN.

    Parameters
    ----------
    x : array_like, (N, C, *spatial)
        The input, never modified. Not complex.
    size : int
        The number of channels that are summed; channels beyond the first and the last are 0.
    alpha, beta, k : float
        The parameters of the formula.
    before : int, optional
        The number of channels before the channel itself: size // 2 by default, as in PyTorch; (size - 1) // 2 in ONNX.

    Returns
    -------
    ndarray, of x's shape
        Of x's dtype, float64 for integers; float16 is computed in float32.

    Examples
    --------
    >>> from convcli import backend
    >>> backend.local_response_norm([[[1.0], [2.0], [3.0]]], 3, alpha=3, beta=1, k=0).ravel().round(3)
    array([0.2  , 0.143, 0.231])

    """
    x = _batch(x)
    size = whole("size", size, 1)
    before = size // 2 if before is None else whole("before", before, 0)
    if before >= size:
        raise ArgumentError(f"before must be below the size {size}, got {before}")
    dtype = computing_float(x.dtype)
    with np.errstate(all="ignore"):
        y = cast(x, dtype)
        squares = np.square(y)
        channels = x.shape[1]
        sums = np.zeros_like(squares)
        for offset in range(-min(before, channels - 1), min(size - before, channels)):
            first, last = max(0, -offset), min(channels, channels - offset)
            sums[:, first:last] += squares[:, first + offset : last + offset]
        sums *= dtype.type(alpha / size)
        sums += dtype.type(k)
        np.power(sums, dtype.type(-beta), out=sums)
        sums *= y
        return as_input(sums, x)


def _batch(x: ArrayLike) -> Array:
    x = as_array("x", x, "biuf")
    if x.ndim < 2:
        raise ArgumentError(f"x has shape {x.shape}; it must be (N, C, *spatial)")
    return x


def _learned(
    x: Array, shape: tuple[int, ...], column: tuple[int, ...], **arrays: ArrayLike | None
) -> list[Array | None]:
    """Return the given arrays in x's computing dtype, in a shape that broadcasts against x."""
    found: list[Array | None] = []
    for name, value in arrays.items():
        if value is None:
            found.append(None)
            continue
        array = as_array(name, value, "biuf")
        check_shape(name, array, shape, why=f"x {x.shape}")
        found.append(cast(array, computing_float(x.dtype)).reshape(column))
    return found


def _normalised(
    groups: Array, axes: tuple[int, ...], eps: float, x: Array, scale: Array | None, shift: Array | None
) -> Array:
    """Normalise `groups`, the elements of x in another shape, over some axes; then scale and shift in x's shape."""
    dtype = computing_float(x.dtype)
    if not prod(x.shape):
        return as_input(np.zeros(x.shape, dtype), x)
    with np.errstate(all="ignore"):
        y = cast(groups, dtype)
        y = y - y.mean(axis=axes, keepdims=True)
        variances = np.square(y).mean(axis=axes, keepdims=True)
        y /= np.sqrt(variances + dtype.type(eps))
        y = y.reshape(x.shape)
        if scale is not None:
            y *= scale
        if shift is not None:
            y += shift
        return as_input(y, x)
