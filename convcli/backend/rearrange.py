"""Operators that move elements and compute nothing: windows as columns, and shuffled channels."""

from __future__ import annotations  # help() shows the annotations by name

import numpy as np
from numpy.typing import ArrayLike

from convcli.backend.borders import pad
from convcli.backend.checks import Array, as_array, as_batch
from convcli.backend.gemm import windows
from convcli.backend.plan import Slide
from convcli.errors import ArgumentError
from convcli.layers import ChannelShuffle, Conv
from convcli.layers.axes import PerAxis, infer_dims
from convcli.layers.padding import AnyPadding


def unfold(
    x: ArrayLike,
    kernel_size: PerAxis,
    *,
    stride: PerAxis = 1,
    padding: AnyPadding = 0,
    dilation: PerAxis = 1,
) -> Array:
    """Write every window of x as a column: im2col.

    PyTorch's Unfold, in any number of dimensions. `conv` is weight.reshape(O, -1) @ unfold(x, ...).

    Parameters
    ----------
    x : array_like, (N, C, *spatial), or (C, *spatial) where an option is given for each axis
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
    >>> backend.unfold([[[1, 2, 3, 4]]], 2)
    array([[[1, 2, 3],
            [2, 3, 4]]])

    """
    x = as_array("x", x)
    dims = infer_dims(kernel_size, stride, padding, dilation, default=x.ndim - 2)
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
    slide = Slide.of(layer, x.shape[2:])
    view = windows(pad(x, layer.pads(x.shape[2:]), range(2, x.ndim)), slide)
    rows = int(np.prod(view.shape[1 : 2 + dims]))
    columns = view.reshape(len(x), rows, int(np.prod(slide.output_size))).copy()
    return columns[0] if alone else columns


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
