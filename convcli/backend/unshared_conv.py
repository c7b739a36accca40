"""Convolutions whose weights vary with the position: a kernel for each position, or a tile of kernels."""

from __future__ import annotations  # help() shows the annotations by name

from math import prod

import numpy as np
from numpy.typing import ArrayLike

from convcli.backend.algorithms.correlate import Border, add_bias, correlate
from convcli.backend.algorithms.slide import Slide, last_axes
from convcli.backend.borders import pad
from convcli.backend.checks import Array, as_array, as_batch, as_bias, check_shape, check_walk, check_weight
from convcli.backend.dtypes import cast, weighted
from convcli.errors import ArgumentError
from convcli.layers import LocalConv, TiledConv
from convcli.layers.axes import PerAxis
from convcli.layers.padding import AnyPadding


def local_conv(
    x: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    *,
    stride: PerAxis = 1,
    padding: AnyPadding = 0,
    dilation: PerAxis = 1,
) -> Array:
    """Sum the products of x with a separate kernel at each position: unshared convolution.

    Goodfellow, Bengio & Courville, "Deep Learning" (2016), equation 9.9; Keras's LocallyConnected layers.

    Parameters
    ----------
    x : array_like, (N, C, *spatial) or (C, *spatial)
        The input, never modified. The number of spatial axes is (weight.ndim - 2) / 2.
    weight : array_like, (O, *output, C, *kernel_size)
        A kernel for each output channel, output position and input channel.
    bias : array_like, (O,) or (O, *output), optional
        Added to every element of an output channel, or one number for each element.
    stride, padding, dilation
        As in `conv`; the padding is always zeros.

    Returns
    -------
    ndarray, (N, O, *output) or (O, *output)
        With the same dtype as the result of `conv`.

    Raises
    ------
    ArgumentError
        If shapes do not fit, the output would be empty, or integers exceed 64 bits.

    Examples
    --------
    >>> import numpy as np
    >>> from convcli import backend
    >>> backend.local_conv(np.zeros((1, 3, 8, 8)), np.zeros((4, 6, 6, 3, 3, 3))).shape
    (1, 4, 6, 6)
    >>> backend.local_conv([[1, 2, 3]], np.array([1, 10, 100]).reshape(1, 3, 1, 1))
    array([[  1,  20, 300]])

    """
    x, weight = as_array("x", x), as_array("weight", weight)
    dims = _spatial_axes(weight, "(out_channels, *output, in_channels, *kernel_size)")
    x, alone = as_batch(x, dims, f"weight {weight.shape}")
    outputs, channels = len(weight), x.shape[1]
    layer = LocalConv(
        in_channels=channels,
        out_channels=outputs,
        kernel_size=weight.shape[dims + 2 :],
        input_size=x.shape[2:],
        stride=stride,
        padding=padding,
        dilation=dilation,
        dims=dims,
    )
    output, pads = layer.output_size(x.shape[2:]), layer.pads(x.shape[2:])
    check_walk(x, pads, output, outputs)
    check_shape(
        "weight",
        weight,
        (outputs, *output, channels, *layer.kernel_size),
        why=f"x {x.shape} with {channels} channels and {prod(output)} output positions {output}",
    )
    bias = as_bias(bias, (outputs,), (outputs, *output))
    numbers = weighted(x, weight, tuple(range(dims + 1, weight.ndim)), bias)
    slide = Slide.of(layer, x.shape[2:])
    y = np.zeros((len(x), outputs, *output), numbers.adding)
    with np.errstate(all="ignore"):
        wide = pad(cast(x, y.dtype), pads, range(2, x.ndim))
        kernels = cast(weight, y.dtype)
        for channel in range(channels):
            for tap in np.ndindex(*layer.kernel_size):
                y += (
                    wide[(slice(None), np.newaxis, channel, *slide.tap_slices(tap))]
                    * kernels[(..., channel, *tap)]
                )
        y = add_bias(cast(y, numbers.summing), bias, numbers)
    return y[0] if alone else y


def tiled_conv(
    x: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    *,
    stride: PerAxis = 1,
    padding: AnyPadding = 0,
    dilation: PerAxis = 1,
) -> Array:
    """Convolve x with a tile of kernels that repeats over the output positions.

    Position p uses the kernel weight[p mod tile]. It lies between `conv`, a tile of one kernel, and `local_conv`, a
    tile as large as the output (Goodfellow, Bengio & Courville, "Deep Learning" (2016), equation 9.10).

    Parameters
    ----------
    x : array_like, (N, C, *spatial) or (C, *spatial)
        The input, never modified. The number of spatial axes is (weight.ndim - 2) / 2.
    weight : array_like, (*tile, O, C, *kernel_size)
        A kernel of `conv` for each position of the tile.
    bias : array_like, (O,) or (*tile, O), optional
        Added to every element of an output channel, or one number for each position of the tile.
    stride, padding, dilation
        As in `conv`; the padding is always zeros.

    Returns
    -------
    ndarray, (N, O, *output) or (O, *output)
        With the same dtype as the result of `conv`.

    Raises
    ------
    ArgumentError
        If shapes do not fit, the output would be empty, or integers exceed 64 bits.

    Examples
    --------
    >>> import numpy as np
    >>> from convcli import backend
    >>> backend.tiled_conv(np.zeros((1, 3, 8, 8)), np.zeros((2, 2, 4, 3, 3, 3))).shape
    (1, 4, 6, 6)
    >>> backend.tiled_conv([[1, 2, 3, 4]], np.array([1, 10]).reshape(2, 1, 1, 1))
    array([[ 1, 20,  3, 40]])

    """
    x, weight = as_array("x", x), as_array("weight", weight)
    dims = _spatial_axes(weight, "(*tile, out_channels, in_channels, *kernel_size)")
    x, alone = as_batch(x, dims, f"weight {weight.shape}")
    tile, (outputs, channels) = weight.shape[:dims], weight.shape[dims : dims + 2]
    if channels != x.shape[1]:
        raise ArgumentError(
            f"x {x.shape} has {x.shape[1]} channels, weight {weight.shape} takes {channels}: x must be "
            f"{(len(x), channels, *x.shape[2:])}, or weight "
            f"{(*tile, outputs, x.shape[1], *weight.shape[dims + 2 :])}"
        )
    layer = TiledConv(
        in_channels=channels,
        out_channels=outputs,
        kernel_size=weight.shape[dims + 2 :],
        tile=tile,
        stride=stride,
        padding=padding,
        dilation=dilation,
        dims=dims,
    )
    output, pads = layer.output_size(x.shape[2:]), layer.pads(x.shape[2:])
    check_walk(x, pads, output, outputs)
    bias = as_bias(bias, (outputs,), (*tile, outputs))
    numbers = weighted(x, weight, tuple(range(dims + 1, weight.ndim)), bias)
    border = Border(pads, "zeros", np.zeros((), bool))
    bare = Border(((0, 0),) * dims, "zeros", border.value)
    y = np.empty((len(x), outputs, *output), numbers.result)
    with np.errstate(all="ignore"):
        wide = border.around(x)
        for place in np.ndindex(*tile):
            # The positions of one kernel are an ordinary convolution with the stride multiplied by the tile.
            mine = tuple(slice(p, None, t) for p, t in zip(place, tile, strict=True))
            part = y[last_axes(mine)]
            if part.size == 0:
                continue
            steps = tuple(s * t for s, t in zip(layer.stride, tile, strict=True))
            slide = Slide(layer.kernel_size, steps, layer.dilation, part.shape[2:])
            source = wide[last_axes(slice(p * s, None) for p, s in zip(place, layer.stride, strict=True))]
            found = correlate(source, weight[place], 1, slide, bare, numbers)
            part[...] = add_bias(found, bias[place] if bias.ndim > 1 else bias, numbers)
    return y[0] if alone else y


def _spatial_axes(weight: Array, layout: str) -> int:
    """Return the number of spatial axes of a weight with several kernels; `layout` names all its axes."""
    check_weight(weight, layout, least=4)
    if weight.ndim % 2:
        raise ArgumentError(f"weight has shape {weight.shape}; {layout} has an even number of axes")
    return weight.ndim // 2 - 1
