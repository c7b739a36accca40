"""The dense layer: one matrix product."""

from __future__ import annotations  # help() shows the annotations by name

import numpy as np
from numpy.typing import ArrayLike

from convcli.backend.algorithms.correlate import add_bias
from convcli.backend.checks import Array, as_array, as_bias, check_weight
from convcli.backend.dtypes import cast, weighted
from convcli.errors import ArgumentError


def dense(x: ArrayLike, weight: ArrayLike, bias: ArrayLike | None = None) -> Array:
    """Return the products of vectors with a matrix of weights, plus a bias.

    PyTorch's linear: x @ weight.T + bias. With the matrix of `conv_matrix` it computes a convolution.

    Parameters
    ----------
    x : array_like, (N, in_features) or (in_features,)
        The input, never modified. N may be 0.
    weight : array_like, (out_features, in_features)
        One weight per output and input.
    bias : array_like, (out_features,), optional
        Added to each output.

    Returns
    -------
    ndarray, (N, out_features) or (out_features,)
        The dtype is as in `conv`; integers are computed exactly.

    Raises
    ------
    ArgumentError
        If shapes do not match, or integers exceed 64 bits.

    Examples
    --------
    >>> import numpy as np
    >>> from convcli import backend
    >>> backend.dense([1, 2, 3], [[1, 0, 0], [1, 1, 1]], bias=[10, 0])
    array([11,  6])
    >>> backend.dense(np.zeros((8, 9216)), np.zeros((4096, 9216))).shape
    (8, 4096)

    """
    x, weight = as_array("x", x), as_array("weight", weight)
    check_weight(weight, "(out_features, in_features)", least=2)
    if weight.ndim > 2 or x.ndim not in (1, 2):
        raise ArgumentError(
            f"x has shape {x.shape}, weight {weight.shape}; they must be (N, in_features) or (in_features,), and "
            "(out_features, in_features)"
        )
    if x.shape[-1] != weight.shape[1]:
        raise ArgumentError(
            f"x {x.shape} has {x.shape[-1]} features, weight {weight.shape} takes {weight.shape[1]}: x must be "
            f"{(*x.shape[:-1], weight.shape[1])}, or weight {(len(weight), x.shape[-1])}"
        )
    bias = as_bias(bias, (len(weight),))
    numbers = weighted(x, weight, (1,), bias)
    with np.errstate(all="ignore"):
        y = cast(x, numbers.multiplying).reshape(-1, x.shape[-1]) @ cast(weight, numbers.multiplying).T
        y = add_bias(cast(y, numbers.summing), bias, numbers)
    return y[0] if x.ndim == 1 else y
