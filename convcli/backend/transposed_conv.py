"""Transposed convolution: every element of the input adds a weighted copy of the kernel to the output."""

from __future__ import annotations  # help() shows the annotations by name

from numpy.typing import ArrayLike

from convcli.backend.algorithms.correlate import add_bias
from convcli.backend.algorithms.spreading import Spread, spread
from convcli.backend.checks import (
    Array,
    as_array,
    as_batch,
    as_bias,
    as_padding_value,
    check_room,
    check_weight,
)
from convcli.backend.dtypes import weighted
from convcli.errors import ArgumentError
from convcli.layers import ConvTranspose
from convcli.layers.axes import PerAxis, is_sequence, whole
from convcli.layers.padding import AnyPadding, mode_of, span


def conv_transpose(
    x: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    *,
    stride: PerAxis = 1,
    padding: AnyPadding = 0,
    output_padding: PerAxis = 0,
    output_size: PerAxis | None = None,
    dilation: PerAxis = 1,
    groups: int = 1,
    padding_mode: str = "zeros",
    padding_value: complex = 0.0,
) -> Array:
    """Add a copy of the kernel, weighted by each element of x, to the output: the adjoint of `conv`.

    With the same weight, stride, padding, dilation and groups, sum(conv(a) * b) = sum(a * conv_transpose(b)):
    it is the gradient of `conv`, and also called fractionally strided convolution (Dumoulin & Visin, "A guide
    to convolution arithmetic for deep learning", chapter 4; PyTorch's ConvTranspose1d, 2d and 3d; ONNX's
    ConvTranspose).

    Parameters
    ----------
    x : array_like, (N, C, *spatial) or (C, *spatial)
        The input, never modified. The number of spatial axes is weight.ndim - 2. N may be 0.
    weight : array_like, (C, O / groups, *kernel_size)
        The weight of the `conv` that this is the adjoint of.
    bias : array_like, (O,), optional
        Added to every element of an output channel.
    stride, dilation : int or one per axis
        The distances between the outputs of neighbouring elements, and between the taps of the kernel.
    padding : int, one per axis, (before, after) pairs, or a name
        The number of elements cropped from the output; `same` keeps stride * n elements, `full` crops
        dilation * (k - 1).
    output_padding : int or one per axis
        The number of extra elements at the end of the output, less than the stride or the dilation. It selects among
        the input sizes for which the strided `conv` gives the same output size.
    output_size : int or one per axis, optional
        The size of the output, instead of output_padding: from the smallest size that the other options allow to
        stride - 1 more. It may be a full shape, (N, O, *output) or (O, *output), whose first numbers are ignored,
        as in PyTorch's modules.
    groups : int
        The number of groups of channels that are convolved separately.
    padding_mode, padding_value : str, number
        The elements beyond the border of x that contribute to the output: none (`zeros`, as in PyTorch), or x
        continued as in `conv`. The output size does not depend on it.

    Returns
    -------
    ndarray, (N, O, *output) or (O, *output)
        stride * (n - 1) + dilation * (k - 1) + 1 + output_padding - before - after elements per axis, with the
        same dtype as the result of `conv`.

    Raises
    ------
    ArgumentError
        If shapes do not fit, the output would be empty or cannot have the requested size, or integers exceed 64 bits.

    Examples
    --------
    >>> import numpy as np
    >>> from convcli import backend
    >>> x, weight = np.zeros((1, 64, 56, 56)), np.zeros((64, 3, 4, 4))
    >>> backend.conv_transpose(x, weight, stride=2, padding=1).shape
    (1, 3, 112, 112)
    >>> backend.conv_transpose(x, weight, stride=2, padding=1, output_size=(113, 112)).shape
    (1, 3, 113, 112)
    >>> backend.conv_transpose([[1, 2]], [[[1, 10, 100]]], stride=2)
    array([[  1,  10, 102,  20, 200]])

    """
    x, weight = as_array("x", x), as_array("weight", weight)
    check_weight(weight, "(in_channels, out_channels / groups, *kernel_size)", least=3)
    dims = weight.ndim - 2
    x, alone = as_batch(x, dims, f"weight {weight.shape}")
    groups, mode = whole("groups", groups, 1), mode_of(padding_mode)
    channels, outputs = x.shape[1], weight.shape[1] * groups
    if channels != len(weight):
        raise ArgumentError(
            f"x {x.shape} has {channels} channels, weight {weight.shape} takes {len(weight)}: x must be "
            f"{(len(x), len(weight), *x.shape[2:])}, or weight {(channels, *weight.shape[1:])}"
        )
    layer = ConvTranspose(
        in_channels=channels,
        out_channels=outputs,
        kernel_size=weight.shape[2:],
        stride=stride,
        padding=padding,
        output_padding=output_padding,
        dilation=dilation,
        groups=groups,
        out_size=_spatial(output_size, dims),
        dims=dims,
    )
    _check_room(layer, x, outputs)
    bias = as_bias(bias, (outputs,))
    value = as_padding_value(padding_value, mode, x, weight, bias)
    kernels = weight.reshape(groups, -1, *weight.shape[1:])
    numbers = weighted(x, kernels, (1, *range(3, kernels.ndim)), bias, value)
    size = x.shape[2:]
    before = tuple(first for first, _ in layer.pads(size))
    how = Spread(layer.kernel_size, layer.stride, layer.dilation, size, layer.output_size(size), before)
    wide = x.reshape(len(x), groups, kernels.shape[1], *size)
    y = spread(wide, kernels, how, numbers, (mode, value))
    y = add_bias(y.reshape(len(x), outputs, *how.output_size), bias, numbers)
    return y[0] if alone else y


def _spatial(output_size: PerAxis | None, dims: int) -> PerAxis | None:
    """Return the spatial part of an output size that may be a full shape."""
    if is_sequence(output_size) and len(output_size) in (dims + 1, dims + 2):
        return output_size[len(output_size) - dims :]
    return output_size


def _check_room(layer: ConvTranspose, x: Array, outputs: int) -> None:
    """Raise ArgumentError if the output, before or after cropping, is larger than the memory."""
    size = x.shape[2:]
    axes = zip(size, layer.stride, layer.kernel_size, layer.dilation, strict=True)
    whole_size = tuple((n - 1) * s + span(k, d) for n, s, k, d in axes)
    check_room("the output before its padding is cropped", (len(x), outputs, *whole_size), x.dtype)
    check_room("the output", (len(x), outputs, *layer.output_size(size)), x.dtype)
