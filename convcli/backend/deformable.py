"""Deformable convolution: every tap samples x at an offset, between the elements."""

from __future__ import annotations  # help() shows the annotations by name

from collections.abc import Sequence
from itertools import product
from math import prod

import numpy as np
from numpy.typing import ArrayLike

from convcli.backend.algorithms.correlate import add_bias
from convcli.backend.borders import pad
from convcli.backend.checks import (
    Array,
    as_array,
    as_batch,
    as_bias,
    check_channels,
    check_shape,
    check_walk,
    check_weight,
)
from convcli.backend.conv_layer import WEIGHT
from convcli.backend.dtypes import Numbers, cast, computing_float
from convcli.layers import DeformConv
from convcli.layers.axes import PerAxis, Sizes, whole
from convcli.layers.padding import AnyPadding

_REAL = "biuf"


def deform_conv(
    x: ArrayLike,
    offset: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    *,
    stride: PerAxis = 1,
    padding: AnyPadding = 0,
    dilation: PerAxis = 1,
    groups: int = 1,
    offset_groups: int = 1,
    mask: ArrayLike | None = None,
) -> Array:
    """Convolve x with taps that are moved by offsets, which differ from position to position.

    Without a mask this is version 1 (Dai et al. 2017, "Deformable Convolutional Networks"), with a mask version 2
    (Zhu et al. 2019, "Deformable ConvNets v2"):

        y[n, o, p] = bias[o] + sum over c, t of weight[o, c, t] * mask[n, t, p] * x[n, c, q]
        q = p * stride + t * dilation - before + offset[n, t, p]

    x is interpolated linearly on every axis and is zero outside: torchvision's deform_conv2d, and ONNX's DeformConv, in
    any number of dimensions. Samples at -1 and before, or at n and beyond, are zero.

    Parameters
    ----------
    x : array_like, (N, C, *spatial) or (C, *spatial)
        The input, never modified. The number of spatial axes is D = weight.ndim - 2. Not complex.
    offset : array_like, (N, D * offset_groups * taps, *output), without N if x has none
        The offset of each tap, for each offset group; the axes of a tap follow each other: y, then x.
    weight : array_like, (O, C / groups, *kernel_size)
        One kernel of prod(kernel_size) taps per output channel and input channel of its group.
    bias : array_like, (O,), optional
        Added to every element of an output channel.
    stride, padding, dilation, groups
        As in `conv`; the padding is zeros.
    offset_groups : int
        Number of groups of input channels, each with its own offsets and mask.
    mask : array_like, (N, offset_groups * taps, *output), without N if x has none, optional
        Factor of each tap.

    Returns
    -------
    ndarray, (N, O, *output) or (O, *output)
        The dtype is np.result_type of the arrays, float64 if all hold integers; float16 is computed in
        float32.

    Raises
    ------
    ArgumentError
        If shapes do not match or the output would be empty.

    Examples
    --------
    >>> import numpy as np
    >>> from convcli import backend
    >>> x, weight = np.zeros((1, 8, 32, 32)), np.zeros((16, 8, 3, 3))
    >>> backend.deform_conv(x, np.zeros((1, 18, 32, 32)), weight, padding=1).shape
    (1, 16, 32, 32)
    >>> half = np.full((1, 2, 1, 2), 0.5)  # one tap, moved by half an element down and to the right
    >>> backend.deform_conv([[[[0, 1, 2], [3, 4, 5]]]], half, np.ones((1, 1, 1, 1)), stride=2)
    array([[[[2.  , 1.75]]]])

    """
    x, weight = as_array("x", x, _REAL), as_array("weight", weight, _REAL)
    offset = as_array("offset", offset, _REAL)
    check_weight(weight, WEIGHT, least=3)
    dims = weight.ndim - 2
    x, alone = as_batch(x, dims, f"weight {weight.shape}")
    groups, offset_groups = whole("groups", groups, 1), whole("offset_groups", offset_groups, 1)
    check_channels(x.shape, weight.shape, groups)
    layer = DeformConv(
        in_channels=x.shape[1],
        out_channels=len(weight),
        kernel_size=weight.shape[2:],
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
        offset_groups=offset_groups,
        dims=dims,
    )
    size, output = x.shape[2:], layer.output_size(x.shape[2:])
    check_walk(x, layer.pads(size), output, len(weight))
    taps = prod(layer.kernel_size)
    batch = () if alone else (len(x),)
    moved = f"{taps} taps, offset_groups={offset_groups} and the output size {output}"
    check_shape("offset", offset, (*batch, dims * offset_groups * taps, *output), why=f"{dims} axes, {moved}")
    shares = None if mask is None else as_array("mask", mask, _REAL)
    if shares is not None:
        check_shape("mask", shares, (*batch, offset_groups * taps, *output), why=moved)
    bias = as_bias(as_array("bias", bias, _REAL) if bias is not None else None, (len(weight),))
    result = np.result_type(x, offset, weight, bias, *(() if shares is None else (shares,)))
    numbers = Numbers(np.dtype("float64") if result.kind in "biu" else result)
    dtype = computing_float(numbers.result)

    images = len(x)
    places = prod(output)
    framed = cast(x, dtype).reshape(images, offset_groups, layer.in_channels // offset_groups, *size)
    framed = pad(framed, ((1, 2),) * dims, range(3, 3 + dims))
    offset = cast(offset, dtype).reshape(images, offset_groups, taps, dims, places)
    if shares is not None:
        shares = cast(shares, dtype).reshape(images, offset_groups, 1, taps, places)
    kernels = cast(weight, dtype).reshape(groups, len(weight) // groups, weight.shape[1], taps)
    grid = np.indices(output).reshape(dims, places) * _column(layer.stride)
    grid -= _column([before for before, _ in layer.pads(size)])
    y = np.zeros((images, groups, kernels.shape[1], places), dtype)
    with np.errstate(all="ignore"):
        for number, tap in enumerate(np.ndindex(*layer.kernel_size)):
            still = grid + _column(tap) * _column(layer.dilation)
            looked = _sample(framed, still.astype(dtype) + offset[:, :, number], size)
            if shares is not None:
                looked *= shares[:, :, :, number]
            y += kernels[..., number] @ looked.reshape(images, groups, weight.shape[1], places)
        y = add_bias(y.reshape(images, len(weight), *output), bias, numbers)
    return y[0] if alone else y


def _column(numbers: Sequence[int]) -> Array:
    """Return one number per axis as a column, to broadcast against positions (axes, P)."""
    return np.reshape(numbers, (-1, 1))


def _sample(framed: Array, places: Array, size: Sizes) -> Array:
    """Interpolate (N, G, C, *framed) linearly at positions (N, G, D, P): (N, G, C, P); zero outside.

    The frame of zeros, one element before and two after, provides the neighbours outside. A position that is NaN gives
    NaN.
    """
    images, groups, channels, *frame = framed.shape
    flat = framed.reshape(images, groups, channels, prod(frame))
    steps = [prod(frame[axis + 1 :]) for axis in range(len(frame))]
    ends = _column(size)
    near = places.clip(-1, ends)
    low = np.floor(near)
    share = near - low
    np.copyto(low, 0, where=np.isnan(low))
    first = ((low + 1).astype(np.intp) * _column(steps)).sum(axis=2)
    result = np.zeros((images, groups, channels, places.shape[-1]), framed.dtype)
    apart = not np.isfinite(framed).all()
    for corner in product((0, 1), repeat=len(size)):
        factor = np.ones(first.shape, share.dtype)
        for axis, side in enumerate(corner):
            factor *= share[:, :, axis] if side else 1 - share[:, :, axis]
        index = first + sum(side * step for side, step in zip(corner, steps, strict=True))
        for image, group in np.ndindex(images, groups):
            found = flat[image, group].take(index[image, group], axis=1)
            found *= factor[image, group]
            if apart:  # infinity times the weight 0 counts as 0
                np.copyto(found, 0, where=factor[image, group] == 0)
            result[image, group] += found
    outside: Array = np.any((places <= -1) | (places >= ends), axis=2)
    np.copyto(result, 0, where=outside[:, :, np.newaxis])
    return result
