"""The gradients of `conv` with respect to the weights and to the input."""

from __future__ import annotations  # help() shows the annotations by name

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from convcli.backend.algorithms.correlate import Border, correlate
from convcli.backend.algorithms.slide import Slide, last_axes
from convcli.backend.borders import source_indices
from convcli.backend.checks import (
    Array,
    as_array,
    as_batch,
    as_padding_value,
    check_room,
    check_shape,
    check_weight,
)
from convcli.backend.conv_layer import WEIGHT, conv_on_input, rotated
from convcli.backend.convolution import BUFFER
from convcli.backend.dtypes import cast, weighted
from convcli.backend.transposed_conv import conv_transpose
from convcli.errors import ArgumentError
from convcli.layers import Conv
from convcli.layers.axes import PerAxis, whole
from convcli.layers.padding import AnyPadding


def conv_weight_grad(
    x: ArrayLike,
    weight_shape: Sequence[int],
    grad_output: ArrayLike,
    *,
    stride: PerAxis = 1,
    padding: AnyPadding = 0,
    dilation: PerAxis = 1,
    groups: int = 1,
    padding_mode: str = "zeros",
    padding_value: complex = 0.0,
    flip: bool = False,
) -> Array:
    """Return the gradient of a loss with respect to the weight of `conv`, from the gradient at its output.

    PyTorch's torch.nn.grad.conv1d_weight, conv2d_weight and conv3d_weight, in any number of dimensions:

        dw[o, c, t] = sum over n, p of dy[n, o, p] * x[n, c, p * stride + t * dilation - before]

    It is a convolution of x itself, with grad_output as the kernel, and with stride and dilation exchanged (Goodfellow,
    Bengio & Courville, "Deep Learning" (2016), equation 9.11). The gradient with respect to the bias is the sum of
    grad_output over all axes but the second.

    Parameters
    ----------
    x : array_like, (N, C, *spatial) or (C, *spatial)
        The input of `conv`, never modified.
    weight_shape : sequence of int, (O, C / groups, *kernel_size)
        The shape of the weight.
    grad_output : array_like, (N, O, *output) or (O, *output)
        The gradient of the loss with respect to the output of `conv`.
    stride, padding, dilation, groups, padding_mode, padding_value, flip
        As in `conv`.

    Returns
    -------
    ndarray, of weight_shape
        np.result_type of the arrays for floats and complex numbers, without complex conjugation; integers give int64
        (uint64 if all are unsigned and one is uint64), computed exactly.

    Raises
    ------
    ArgumentError
        If shapes do not match, or `conv` would reject the arguments.

    Examples
    --------
    >>> from convcli import backend
    >>> backend.conv_weight_grad([[1, 2, 3, 4]], (1, 1, 2), [[1, 0, -1]])
    array([[[-2, -2]]])

    """
    x, dy = as_array("x", x), as_array("grad_output", grad_output)
    shape = _shape("weight_shape", weight_shape, 3, WEIGHT)
    check_room("the gradient", shape, np.result_type(x, dy))
    weight = np.broadcast_to(np.zeros((), bool), shape)  # only the shape is used
    dims = len(shape) - 2
    x, alone = as_batch(x, dims, f"weight_shape {shape}")
    layer, slide, pads, mode = conv_on_input(x, weight, stride, padding, dilation, groups, padding_mode)
    dy = _gradient(dy, x, layer, alone)
    value = as_padding_value(padding_value, mode, x, dy)
    images, channels, outputs = len(x), shape[1], shape[0]
    numbers = weighted(x, dy, (0, *range(2, dy.ndim)), value)
    if not images:
        return np.zeros(shape, numbers.result)
    around = Border(pads, mode, value).around(x)
    # The elements of grad_output slide over the taps; the sum is over images instead of channels.
    reach = slide.reach(slide.whole)
    seen = around[last_axes(reach)].reshape(
        images, layer.groups, channels, *(r.stop - r.start for r in reach)
    )
    seen = np.moveaxis(seen, (2, 1, 0), (0, 1, 2)).reshape(channels, -1, *seen.shape[3:])
    walk = Slide(slide.output_size, slide.dilation, slide.stride, slide.kernel_size)
    bare = Border(((0, 0),) * dims, "zeros", np.zeros((), bool))
    with np.errstate(all="ignore"):
        np.setbufsize(BUFFER)
        kernels = np.ascontiguousarray(dy.swapaxes(0, 1))
        dw = numbers.finish(correlate(seen, kernels, layer.groups, walk, bare, numbers))
    dw = dw.reshape(channels, outputs, *shape[2:]).swapaxes(0, 1)
    return np.ascontiguousarray(rotated(dw) if flip else dw)


def conv_input_grad(
    input_shape: Sequence[int],
    weight: ArrayLike,
    grad_output: ArrayLike,
    *,
    stride: PerAxis = 1,
    padding: AnyPadding = 0,
    dilation: PerAxis = 1,
    groups: int = 1,
    padding_mode: str = "zeros",
    flip: bool = False,
) -> Array:
    """Return the gradient of a loss with respect to the input of `conv`, from the gradient at its output.

    PyTorch's torch.nn.grad.conv1d_input, conv2d_input and conv3d_input, in any number of dimensions: the transposed
    convolution, which is the adjoint of the map from input to output. The gradient at elements of the padding is added
    to the elements that they were copied from.

    Parameters
    ----------
    input_shape : sequence of int, (N, C, *spatial) or (C, *spatial)
        The shape of the input of `conv`.
    weight : array_like, (O, C / groups, *kernel_size)
        The weight of `conv`, never modified.
    grad_output : array_like, (N, O, *output) or (O, *output)
        The gradient of the loss with respect to the output of `conv`.
    stride, padding, dilation, groups, padding_mode, flip
        As in `conv`; the value of the mode `constant` does not matter.

    Returns
    -------
    ndarray, of input_shape
        np.result_type of the arrays for floats and complex numbers, without complex conjugation; integers give int64
        (uint64 if all are unsigned and one is uint64), computed exactly.

    Raises
    ------
    ArgumentError
        If shapes do not match, or `conv` would reject the arguments.

    Examples
    --------
    >>> from convcli import backend
    >>> backend.conv_input_grad((1, 4), [[[1, 10]]], [[1, 0, -1]])
    array([[  1,  10,  -1, -10]])
    >>> backend.conv_input_grad((1, 3), [[[1, 1, 1]]], [[1, 1, 1]], padding=1, padding_mode="replicate")
    array([[3, 3, 3]])

    """
    weight, dy = as_array("weight", weight), as_array("grad_output", grad_output)
    check_weight(weight, WEIGHT, least=3)
    dims = weight.ndim - 2
    shape = _shape("input_shape", input_shape, dims + 1, "(N, C, *spatial)", empty_batch=dims + 2)
    check_room("the gradient", shape, np.result_type(weight, dy))
    x = np.broadcast_to(np.zeros((), bool), shape)  # only the shape is used
    x, alone = as_batch(x, dims, f"weight {weight.shape}")
    layer, slide, pads, mode = conv_on_input(x, weight, stride, padding, dilation, groups, padding_mode)
    dy, size = _gradient(dy, x, layer, alone), x.shape[2:]
    padded = tuple(n + sum(pair) for n, pair in zip(size, pads, strict=True))
    check_room("the padded gradient", (*x.shape[:2], *padded), np.result_type(weight, dy))
    bare = mode in ("zeros", "constant")
    dx = conv_transpose(
        dy,
        rotated(weight) if flip else weight,
        stride=slide.stride,
        dilation=slide.dilation,
        groups=layer.groups,
        padding=pads if bare else 0,
        output_size=size if bare else padded,
    )
    if not bare:
        for axis, (n, pair) in enumerate(zip(size, pads, strict=True), 2):
            if any(pair):
                dx = _gathered(dx, axis, n, pair, mode)
    return dx[0] if alone else dx


def _shape(name: str, shape: Sequence[int], least: int, layout: str, empty_batch: int = 0) -> tuple[int, ...]:
    """Return a shape as ints; in a shape of `empty_batch` axes the first may be 0."""
    numbers = tuple(shape)
    if len(numbers) < least:
        raise ArgumentError(f"{name} is {numbers}; it must be {layout}, with at least {least} axes")
    return tuple(
        whole(name, n, 0 if axis == 0 and len(numbers) == empty_batch else 1)
        for axis, n in enumerate(numbers)
    )


def _gradient(dy: Array, x: Array, layer: Conv, alone: bool) -> Array:
    """Return the gradient at the output as (N, O, *output); raise ArgumentError if it has another shape."""
    made = (len(x), layer.out_channels, *layer.output_size(x.shape[2:]))
    check_shape("grad_output", dy, made[1:] if alone else made, why=f"the output of conv on x {x.shape}")
    return dy.reshape(made)


def _gathered(dx: Array, axis: int, n: int, pads: tuple[int, int], mode: str) -> Array:
    """Add the gradient in the padding of one axis to the elements that the padding was copied from."""
    before, after = pads
    inner = np.moveaxis(dx, axis, 0)
    total = inner[before : before + n].copy()
    border = np.r_[0:before, before + n : before + n + after]
    with np.errstate(all="ignore"):
        np.add.at(total, source_indices(mode, n, before, after)[border], inner[border])
    return np.moveaxis(cast(total, dx.dtype), 0, axis)
