"""Operators that move elements: windows as columns and back, shuffled channels, and channels that become places."""

from __future__ import annotations  # help() shows the annotations by name

from math import prod
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from convcli.backend.algorithms.gemm import windows
from convcli.backend.algorithms.slide import Slide, last_axes
from convcli.backend.borders import pad
from convcli.backend.checks import (
    Array,
    as_array,
    as_batch,
    check_room,
    check_walk,
    one_of,
    spatial_axes,
)
from convcli.backend.dtypes import cast, weighted
from convcli.errors import ArgumentError
from convcli.layers import ChannelShuffle, Conv, PixelShuffle, PixelUnshuffle
from convcli.layers.axes import PerAxis, infer_dims, per_axis
from convcli.layers.padding import AnyPadding, one_for_all

Order = Literal["channels-first", "places-first"]
ORDERS = ("channels-first", "places-first")


def unfold(
    x: ArrayLike,
    kernel_size: PerAxis,
    *,
    stride: PerAxis = 1,
    padding: AnyPadding = 0,
    dilation: PerAxis = 1,
) -> Array:
    """Write every window of x as a column: im2col.

    PyTorch's Unfold, in any number of dimensions. `conv` is weight.reshape(O, -1) @ unfold(x, ...), and `fold` adds
    the columns up again.

    Parameters
    ----------
    x : array_like, (N, C, *spatial), or (C, *spatial) where an option has a number for each axis
        The input, never modified.
    kernel_size, stride, padding, dilation
        As in `conv`; the padding is of zeros.

    Returns
    -------
    ndarray, (N, C * prod(kernel_size), places) or (C * prod(kernel_size), places)
        Of x's dtype; the places are the prod(output) of `conv`, row by row.

    Raises
    ------
    ArgumentError
        Where shapes do not fit, or there would be no window.

    Examples
    --------
    >>> import numpy as np
    >>> from convcli import backend
    >>> backend.unfold(np.zeros((1, 3, 32, 32)), 3, padding=1).shape
    (1, 27, 1024)
    >>> backend.unfold([[[1, 2, 3, 4]]], (2,))
    array([[[1, 2, 3],
            [2, 3, 4]]])

    """
    x = as_array("x", x)
    dims = spatial_axes(x, "kernel_size", kernel_size, stride, one_for_all(padding), dilation)
    x, alone = as_batch(x, dims, f"the window {kernel_size}")
    layer = Conv(
        in_channels=x.shape[1],
        out_channels=1,
        kernel_size=kernel_size,
        stride=stride,
        padding=padding,
        dilation=dilation,
        dims=dims,
    )
    slide, pads = Slide.of(layer, x.shape[2:]), layer.pads(x.shape[2:])
    check_walk(x, pads, slide.output_size, x.shape[1] * prod(layer.kernel_size))
    view = windows(pad(x, pads, range(2, x.ndim)), slide)
    rows = int(np.prod(view.shape[1 : 2 + dims]))
    columns = view.reshape(len(x), rows, int(np.prod(slide.output_size))).copy()
    return columns[0] if alone else columns


def fold(
    x: ArrayLike,
    output_size: PerAxis,
    kernel_size: PerAxis,
    *,
    stride: PerAxis = 1,
    padding: AnyPadding = 0,
    dilation: PerAxis = 1,
) -> Array:
    """Add every column up at the place of its window: col2im, the adjoint of `unfold`.

    PyTorch's Fold, in any number of dimensions. With the same options, sum(unfold(a) * b) = sum(a * fold(b)); folding
    what was unfolded gives each element as often as there are windows over it.

    Parameters
    ----------
    x : array_like, (N, C * prod(kernel_size), places) or (C * prod(kernel_size), places)
        The columns, never modified; the places are those of `unfold` on an input of output_size, row by row.
    output_size : int or one for each axis
        The size of what was unfolded. Without a number for each axis in any option there are two axes.
    kernel_size, stride, padding, dilation
        As in `unfold`; what lies in the padding is left out.

    Returns
    -------
    ndarray, (N, C, *output_size) or (C, *output_size)
        Of x's dtype; float16 is added up in float32, and integers and bool give int64 (uint64 for uint64).

    Raises
    ------
    ArgumentError
        Where shapes do not fit, there would be no window, or integers exceed 64 bits.

    Examples
    --------
    >>> import numpy as np
    >>> from convcli import backend
    >>> backend.fold(np.ones((1, 27, 1024)), 32, 3, padding=1).shape
    (1, 3, 32, 32)
    >>> backend.fold([[[1, 2, 3], [2, 3, 4]]], (4,), 2)
    array([[[1, 4, 6, 4]]])

    """
    x = as_array("x", x)
    dims = infer_dims(output_size, kernel_size, stride, one_for_all(padding), dilation)
    if x.ndim not in (2, 3):
        raise ArgumentError(
            f"x has shape {x.shape}; it must be (N, C * prod(kernel_size), places), or without N"
        )
    x, alone = as_batch(x, 1, "columns have places and so")
    size = per_axis("output_size", output_size, dims)
    layer = Conv(
        in_channels=1,
        out_channels=1,
        kernel_size=kernel_size,
        stride=stride,
        padding=padding,
        dilation=dilation,
        dims=dims,
    )
    taps, slide, pads = prod(layer.kernel_size), Slide.of(layer, size), layer.pads(size)
    if x.shape[1] % taps:
        raise ArgumentError(
            f"x has shape {x.shape}; its {x.shape[1]} rows are no multiple of the {taps} taps of the kernel "
            f"{layer.kernel_size}"
        )
    if x.shape[2] != prod(slide.output_size):
        raise ArgumentError(
            f"x has shape {x.shape}; an output of {size} has {prod(slide.output_size)} places for the kernel, "
            f"{slide.output_size}, and x needs a column for each"
        )
    padded = [n + sum(pair) for n, pair in zip(size, pads, strict=True)]
    check_room("the output with its padding", (len(x), x.shape[1] // taps, *padded), x.dtype)
    numbers = weighted(x, np.ones(taps, bool), (0,))
    columns = x.reshape(len(x), x.shape[1] // taps, *layer.kernel_size, *slide.output_size)
    y = np.zeros((*columns.shape[:2], *padded), numbers.summing)
    with np.errstate(all="ignore"):
        for tap in np.ndindex(*layer.kernel_size):
            part = columns[(slice(None), slice(None), *tap)]
            y[last_axes(slide.meets(tap))] += cast(part, y.dtype)
        y = numbers.finish(y[last_axes(slice(a, a + n) for (a, _), n in zip(pads, size, strict=True))])
    y = np.ascontiguousarray(y)
    return y[0] if alone else y


def channel_shuffle(x: ArrayLike, groups: int) -> Array:
    """Deal the channels out: the first of every group, then the second of every group, and so on.

    Zhang et al. 2018, "ShuffleNet": grouped convolutions that follow each other see all channels.

    Parameters
    ----------
    x : array_like, (N, C, *spatial)
        The input, never modified.
    groups : int
        The number of groups that the channels stand in; it divides C.

    Returns
    -------
    ndarray, (N, C, *spatial)
        Of x's dtype; channel j of group i becomes channel j * groups + i.

    Examples
    --------
    >>> from convcli import backend
    >>> backend.channel_shuffle([[0, 1, 2, 3, 4, 5]], 2)
    array([[0, 3, 1, 4, 2, 5]])

    """
    x = as_array("x", x)
    if x.ndim < 2:
        raise ArgumentError(f"x has shape {x.shape}; it must be (N, C, *spatial)")
    layer = ChannelShuffle(groups=groups)
    channels, *size = layer.output_shape(x.shape[1:])
    dealt = x.reshape(len(x), layer.groups, channels // layer.groups, *size).swapaxes(1, 2)
    return np.array(dealt).reshape(x.shape)


def pixel_shuffle(x: ArrayLike, factor: int, *, order: Order = "channels-first") -> Array:
    """Spread channels over factor x factor places each: (N, C * r^dims, *size) becomes (N, C, *size * r).

    Shi et al. (2016), "Real-time single image and video super-resolution using an efficient sub-pixel convolutional
    neural network"; PyTorch's pixel_shuffle, in any number of dimensions, and ONNX's DepthToSpace.

    Parameters
    ----------
    x : array_like, (N, C * r^dims, *spatial)
        The input, never modified.
    factor : int
        How many times as large each axis becomes: the r of the formula.
    order : str
        Which channel comes from where: that of place (i, j) of channel c is c * r^2 + i * r + j for `channels-first`,
        as in PyTorch (ONNX's CRD), and (i * r + j) * C + c for `places-first` (ONNX's DCR).

    Returns
    -------
    ndarray, (N, C, *spatial * factor)
        Of x's dtype.

    Examples
    --------
    >>> import numpy as np
    >>> from convcli import backend
    >>> backend.pixel_shuffle(np.arange(4).reshape(1, 4, 1, 1), 2)
    array([[[[0, 1],
             [2, 3]]]])

    """
    x = _places(x)
    one_of("order", order, ORDERS)
    layer = PixelShuffle(factor)
    channels, *size = layer.output_shape(x.shape[1:])
    dims, r = x.ndim - 2, layer.factor
    blocks = (channels, *(r,) * dims) if order == "channels-first" else (*(r,) * dims, channels)
    y = x.reshape(len(x), *blocks, *x.shape[2:])
    first, channel = (2, 1) if order == "channels-first" else (1, dims + 1)
    pairs = (axis for dim in range(dims) for axis in (dims + 2 + dim, first + dim))
    return np.ascontiguousarray(y.transpose(0, channel, *pairs)).reshape(len(x), channels, *size)


def pixel_unshuffle(x: ArrayLike, factor: int, *, order: Order = "channels-first") -> Array:
    """Gather factor x factor places into channels: (N, C, *size * r) becomes (N, C * r^dims, *size).

    PyTorch's pixel_unshuffle, in any number of dimensions, and ONNX's SpaceToDepth, whose order is `places-first`.
    The inverse of `pixel_shuffle`.

    Parameters
    ----------
    x : array_like, (N, C, *spatial)
        The input, never modified; `factor` divides each size.
    factor, order
        As in `pixel_shuffle`.

    Returns
    -------
    ndarray, (N, C * factor^dims, *spatial / factor)
        Of x's dtype.

    Examples
    --------
    >>> import numpy as np
    >>> from convcli import backend
    >>> backend.pixel_unshuffle(np.arange(4).reshape(1, 1, 2, 2), 2).ravel()
    array([0, 1, 2, 3])

    """
    x = _places(x)
    one_of("order", order, ORDERS)
    layer = PixelUnshuffle(factor)
    channels, *size = layer.output_shape(x.shape[1:])
    dims, r = x.ndim - 2, layer.factor
    y = x.reshape(*x.shape[:2], *(part for n in size for part in (n, r)))
    places = [3 + 2 * dim for dim in range(dims)]
    inside = [1, *places] if order == "channels-first" else [*places, 1]
    y = y.transpose(0, *inside, *(2 + 2 * dim for dim in range(dims)))
    return np.ascontiguousarray(y).reshape(len(x), channels, *size)


def _places(x: ArrayLike) -> Array:
    x = as_array("x", x)
    if x.ndim < 3:
        raise ArgumentError(f"x has shape {x.shape}; it must be (N, C, *spatial)")
    return x
