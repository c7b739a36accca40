"""Operators that rearrange elements: unfold, fold, channel shuffle, pixel shuffle and their inverses."""

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
    """Copy every window of x into a column: im2col.

    PyTorch's Unfold, for any number of dimensions. `conv` equals weight.reshape(O, -1) @ unfold(x, ...), and `fold`
    sums the columns back.

    Parameters
    ----------
    x : array_like, (N, C, *spatial), or (C, *spatial) if an option has one number per axis
        The input, never modified.
    kernel_size, stride, padding, dilation
        As in `conv`; the padding is always zeros.

    Returns
    -------
    ndarray, (N, C * prod(kernel_size), positions) or (C * prod(kernel_size), positions)
        With x's dtype; the positions are the prod(output) outputs of `conv` in row-major order.

    Raises
    ------
    ArgumentError
        If shapes do not fit or the output would be empty.

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
    """Add every column to the positions of its window: col2im, the adjoint of `unfold`.

    PyTorch's Fold, for any number of dimensions. With the same options, sum(unfold(a) * b) = sum(a * fold(b)).
    fold(unfold(x)) multiplies each element by the number of windows that contain it.

    Parameters
    ----------
    x : array_like, (N, C * prod(kernel_size), positions) or (C * prod(kernel_size), positions)
        The columns, never modified; the positions are those of `unfold` for an input of output_size, in row-major
        order.
    output_size : int or one per axis
        Spatial size of the result. There are two axes unless an option has one number per axis.
    kernel_size, stride, padding, dilation
        As in `unfold`; sums that fall into the padding are discarded.

    Returns
    -------
    ndarray, (N, C, *output_size) or (C, *output_size)
        With x's dtype; float16 is summed in float32, and integers and bool give int64 (uint64 for uint64).

    Raises
    ------
    ArgumentError
        If shapes do not fit, the output of `unfold` would be empty, or integers exceed 64 bits.

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
            f"x has shape {x.shape}; it must be (N, C * prod(kernel_size), positions), or the same without N"
        )
    x, alone = as_batch(x, 1, "columns have one axis of positions and so")
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
            f"x has shape {x.shape}; its {x.shape[1]} rows are not a multiple of the {taps} taps of the kernel "
            f"{layer.kernel_size}"
        )
    if x.shape[2] != prod(slide.output_size):
        raise ArgumentError(
            f"x has shape {x.shape}; an output of {size} has {prod(slide.output_size)} positions of the kernel, "
            f"{slide.output_size}, and x needs one column for each"
        )
    padded = [n + sum(pair) for n, pair in zip(size, pads, strict=True)]
    check_room("the output with its padding", (len(x), x.shape[1] // taps, *padded), x.dtype)
    numbers = weighted(x, np.ones(taps, bool), (0,))
    columns = x.reshape(len(x), x.shape[1] // taps, *layer.kernel_size, *slide.output_size)
    y = np.zeros((*columns.shape[:2], *padded), numbers.summing)
    with np.errstate(all="ignore"):
        for tap in np.ndindex(*layer.kernel_size):
            part = columns[(slice(None), slice(None), *tap)]
            y[last_axes(slide.tap_slices(tap))] += cast(part, y.dtype)
        y = numbers.finish(y[last_axes(slice(a, a + n) for (a, _), n in zip(pads, size, strict=True))])
    y = np.ascontiguousarray(y)
    return y[0] if alone else y


def channel_shuffle(x: ArrayLike, groups: int) -> Array:
    """Interleave the channels of the groups: the first of every group, then the second of every group, and so on.

    Zhang et al. (2018), "ShuffleNet": between grouped convolutions, it lets every group see all channels.

    Parameters
    ----------
    x : array_like, (N, C, *spatial)
        The input, never modified.
    groups : int
        The number of groups; it must divide C.

    Returns
    -------
    ndarray, (N, C, *spatial)
        With x's dtype; channel j of group i becomes channel j * groups + i.

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
    """Rearrange channels into blocks of factor x factor pixels: (N, C * r^dims, *size) becomes (N, C, *size * r).

    Shi et al. (2016), "Real-time single image and video super-resolution using an efficient sub-pixel convolutional
    neural network"; PyTorch's pixel_shuffle, for any number of dimensions, and ONNX's DepthToSpace.

    Parameters
    ----------
    x : array_like, (N, C * r^dims, *spatial)
        The input, never modified.
    factor : int
        The upscaling factor per axis: r in the formula.
    order : str
        The order of the input channels: the element (i, j) of a block in output channel c comes from channel
        c * r^2 + i * r + j for `channels-first`, as in PyTorch (ONNX's CRD), and from (i * r + j) * C + c for
        `places-first` (ONNX's DCR).

    Returns
    -------
    ndarray, (N, C, *spatial * factor)
        With x's dtype.

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
    """Rearrange blocks of factor x factor pixels into channels: (N, C, *size * r) becomes (N, C * r^dims, *size).

    PyTorch's pixel_unshuffle, for any number of dimensions, and ONNX's SpaceToDepth, whose order is `places-first`.
    The inverse of `pixel_shuffle`.

    Parameters
    ----------
    x : array_like, (N, C, *spatial)
        The input, never modified; `factor` must divide each size.
    factor, order
        As in `pixel_shuffle`.

    Returns
    -------
    ndarray, (N, C * factor^dims, *spatial / factor)
        With x's dtype.

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
