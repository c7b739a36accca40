"""The operator `conv`: it checks its arguments and calls an algorithm."""

from __future__ import annotations  # help() shows the annotations by name

import numpy as np
from numpy.typing import ArrayLike

from convcli.backend.algorithms.correlate import Border, add_bias, as_method, correlate
from convcli.backend.checks import Array, as_array, as_batch, as_bias, as_padding_value, check_weight
from convcli.backend.conv_layer import WEIGHT, conv_on_input, rotated
from convcli.backend.dtypes import weighted
from convcli.layers.axes import PerAxis
from convcli.layers.padding import AnyPadding

BUFFER = 512  # buffer size in elements: NumPy copies rows that are shorter together before it adds them


def conv(
    x: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    *,
    stride: PerAxis = 1,
    padding: AnyPadding = 0,
    dilation: PerAxis = 1,
    groups: int = 1,
    padding_mode: str = "zeros",
    padding_value: complex = 0.0,
    flip: bool = False,
    method: str = "auto",
) -> Array:
    """Slide a kernel over x and sum the products at each position, in any number of dimensions.

    This is cross-correlation, which deep learning calls convolution,

        y[n, o, p] = bias[o] + sum over c, t of weight[o, c, t] * x[n, c, p * stride + t * dilation - before]

    with c over the input channels of o's group and t over the taps of the kernel (Goodfellow, Bengio & Courville, "Deep
    Learning" (2016), equation 9.6; PyTorch's Conv1d, Conv2d and Conv3d). `flip=True` rotates the kernel by 180 degrees
    first, which gives convolution in the mathematical sense.

    Parameters
    ----------
    x : array_like, (N, C, *spatial) or (C, *spatial)
        The input, never modified. The number of spatial axes is weight.ndim - 2. N may be 0.
    weight : array_like, (O, C / groups, *kernel_size)
        One kernel per output channel and input channel of its group.
    bias : array_like, (O,), optional
        Added to every element of an output channel.
    stride : int or one per axis
        The step from one position of the kernel to the next.
    padding : int, one per axis, (before, after) pairs, or a name
        `valid` is none; `same` gives ceil(n / stride) outputs with the odd element at the end (TensorFlow's SAME,
        ONNX's SAME_UPPER), `same-lower` with the odd element at the start; `full` lets every tap meet every element:
        dilation * (k - 1) on both sides.
    dilation : int or one per axis
        The step from one tap of the kernel to the next.
    groups : int
        Number of groups of channels that are convolved separately; `groups=C` is a depthwise convolution.
    padding_mode : str
        What extends x beyond its border:

            zeros      0000|abcd|0000        symmetric  dcba|abcd|dcba
            constant   vvvv|abcd|vvvv        replicate  aaaa|abcd|dddd
            reflect     dcb|abcd|cba         circular   abcd|abcd|abcd

        or the name of another library: edge, wrap (NumPy); mirror, nearest, grid-mirror, grid-wrap, grid-constant
        (SciPy, whose `reflect` is `symmetric` here); reflect101 (OpenCV).
    padding_value : number
        The v of `constant`.
    flip : bool
        Rotate the kernel by 180 degrees, before anything else.
    method : str
        `direct` (shift and add), `banded` (a small matrix product per band of rows and channel), `gemm` (im2col and a
        matrix product), `rows` (a matrix product of the rows of the kernel with the rows of a channel, and shifted sums
        of the result), `winograd` (tiles, for 3 taps per axis), `separable` (one pass per axis), `fft`, or `auto`,
        which chooses the one that is expected to be the fastest. All give the same result, up to rounding for floats
        and exactly for integers. `separable` requires kernels of rank 1; `separable:3` uses the 3 largest terms of each
        kernel, which may be an approximation. `fft` spreads NaN, infinity and the rounding errors of large elements
        over a whole tile; `winograd` spreads such errors over tiles of 4 elements per axis, where infinity becomes NaN;
        `banded` spreads NaN and infinity over a band of rows. `auto` gives NaN and infinity exactly where direct sums
        do.

    Returns
    -------
    ndarray, (N, O, *output) or (O, *output)
        floor((n + before + after - dilation * (k - 1) - 1) / stride) + 1 elements per axis. The dtype is np.result_type
        of the arrays for floats and complex numbers; float16 is computed in float32. Integers and bool give int64
        (uint64 if all are unsigned and one is uint64), computed exactly. NaN and infinity follow IEEE 754; the zeros of
        the padding are ordinary zeros.

    Raises
    ------
    ArgumentError
        If shapes do not match, the output would be empty, the padding is too wide for `reflect`, `symmetric` or
        `circular`, the kernel is not separable, or integers exceed 64 bits.

    Examples
    --------
    >>> import numpy as np
    >>> from convcli import backend
    >>> backend.conv(np.zeros((1, 3, 224, 224)), np.zeros((64, 3, 7, 7)), stride=2, padding=3).shape
    (1, 64, 112, 112)
    >>> backend.conv(np.arange(9).reshape(1, 1, 3, 3), [[[[0, 1], [2, 3]]]])
    array([[[[19, 25],
             [37, 43]]]])
    >>> backend.conv([[1, 2, 3]], [[[1, 0, -1]]], padding="full", flip=True)
    array([[ 1,  2,  2, -2, -3]])
    >>> backend.conv(np.zeros((8, 32, 32)), np.zeros((8, 1, 3, 3)), padding="same", groups=8).shape
    (8, 32, 32)

    """
    x, weight = as_array("x", x), as_array("weight", weight)
    check_weight(weight, WEIGHT, least=3)
    x, alone = as_batch(x, weight.ndim - 2, f"weight {weight.shape}")
    method, rank = as_method(method)
    laid = conv_on_input(x, weight, stride, padding, dilation, groups, padding_mode)
    if flip:
        weight = rotated(weight)
    bias = as_bias(bias, (len(weight),))
    value = as_padding_value(padding_value, laid.mode, x, weight, bias)
    numbers = weighted(x, weight, tuple(range(1, weight.ndim)), bias, value)
    border = Border(laid.pads, laid.mode, value)
    with np.errstate(all="ignore"):  # restores the buffer size too
        np.setbufsize(BUFFER)
        y = correlate(x, weight, laid.layer.groups, laid.slide, border, numbers, method, rank)
        y = add_bias(y, bias, numbers)
    return y[0] if alone else y
