"""A convolution as a sparse matrix with one row per output."""

from __future__ import annotations  # help() shows the annotations by name

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from convcli.backend.algorithms.slide import Slide, last_axes
from convcli.backend.borders import OUTSIDE, pad
from convcli.backend.checks import Array, as_array, check_border, check_channels, check_room, check_weight
from convcli.backend.conv_layer import WEIGHT, rotated
from convcli.errors import ArgumentError
from convcli.layers import Conv
from convcli.layers.axes import PerAxis, whole
from convcli.layers.padding import AnyPadding, mode_of

if TYPE_CHECKING:
    from scipy.sparse import csr_array


def conv_matrix(
    weight: ArrayLike,
    input_shape: Sequence[int],
    *,
    stride: PerAxis = 1,
    padding: AnyPadding = 0,
    dilation: PerAxis = 1,
    groups: int = 1,
    padding_mode: str = "zeros",
    flip: bool = False,
) -> csr_array[Any]:
    """Return the sparse matrix A of a convolution: y.ravel() = A @ x.ravel().

    In 1-D it is a Toeplitz matrix, in 2-D a doubly blocked Toeplitz matrix (Goodfellow, Bengio & Courville, "Deep
    Learning" (2016), section 9.1), and circulant with padding_mode="circular". A.T is `conv_transpose` with the same
    options.

    Parameters
    ----------
    weight : array_like, (O, C / groups, *kernel_size)
        The kernels; zero weights are not stored in the matrix.
    input_shape : sequence of int, (C, *spatial)
        The shape of one input.
    stride, padding, dilation, groups, padding_mode, flip
        As in `conv`; the mode `constant` is not supported, because it is not a linear map.

    Returns
    -------
    scipy.sparse.csr_array, (prod(output_shape), prod(input_shape))
        Of the weight's dtype, float32 for float16 and int64 for bool.

    Raises
    ------
    ArgumentError
        If shapes do not match, or the output would be empty.

    Examples
    --------
    >>> from convcli import backend
    >>> backend.conv_matrix([[[1, 2, 3]]], (1, 5)).toarray()
    array([[1, 2, 3, 0, 0],
           [0, 1, 2, 3, 0],
           [0, 0, 1, 2, 3]])
    >>> backend.conv_matrix([[[[1, 2], [3, 4]]]], (1, 32, 32), stride=2).shape
    (256, 1024)

    """
    from scipy.sparse import coo_array

    weight = as_array("weight", weight)
    check_weight(weight, WEIGHT, least=3)
    shape = tuple(whole("input_shape", n, 1) for n in input_shape)
    if len(shape) != weight.ndim - 1:
        raise ArgumentError(
            f"input_shape {shape} has {len(shape)} axes; weight {weight.shape} needs (C, *spatial) with "
            f"{weight.ndim - 1}"
        )
    numbered = np.dtype(np.int64)  # the dtype of the indices of elements
    check_room("the input", shape, numbered)
    groups = whole("groups", groups, 1)
    check_channels((1, *shape), weight.shape, groups)
    mode = mode_of(padding_mode)
    if mode == "constant":
        raise ArgumentError("padding_mode 'constant' adds a number, which is not a linear map; use 'zeros'")
    layer = Conv(
        in_channels=shape[0],
        out_channels=len(weight),
        kernel_size=weight.shape[2:],
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
        dims=weight.ndim - 2,
    )
    size = shape[1:]
    slide, pads = Slide.of(layer, size), layer.pads(size)
    padded = [n + sum(pair) for n, pair in zip(size, pads, strict=True)]
    check_room("the padded input", padded, numbered)
    check_room("the output", (len(weight), *slide.output_size), numbered)
    check_border(mode, pads, size)
    if flip:
        weight = rotated(weight)
    if weight.dtype.kind == "b":
        weight = weight.astype(np.int64)
    elif weight.dtype == np.float16:
        weight = weight.astype(np.float32)

    places, elements = prod(slide.output_size), prod(size)
    blank = {"mode": "constant", "value": OUTSIDE} if mode == "zeros" else {"mode": mode}
    sources = pad(np.arange(elements).reshape(size), pads, range(len(size)), **blank)
    each = len(weight) // groups
    kernels: Array = np.indices(weight.shape[:2])
    outputs, inputs = kernels
    channels = outputs // each * weight.shape[1] + inputs  # the input channel of each kernel
    rows, columns, values = [], [], []
    for tap in np.ndindex(*slide.kernel_size):
        source = sources[slide.tap_slices(tap)].ravel()
        real = np.flatnonzero(source != OUTSIDE)
        weights = weight[last_axes(tap)]
        kept = weights != 0
        rows.append(np.add.outer(outputs[kept] * places, real).ravel())
        columns.append(np.add.outer(channels[kept] * elements, source[real]).ravel())
        values.append(np.repeat(weights[kept], len(real)))
    entries = np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))
    return coo_array(entries, shape=(len(weight) * places, shape[0] * elements)).tocsr()
