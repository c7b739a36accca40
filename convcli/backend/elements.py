"""Functions of single elements: activations by their formulas, and batch normalisation."""

from __future__ import annotations  # help() shows the annotations by name

from collections.abc import Callable
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike

from convcli.backend.checks import Array, as_array, check_shape, one_of
from convcli.backend.dtypes import cast, computing_float
from convcli.errors import ArgumentError

SLOPE = 0.01  # of leaky-relu below 0, PyTorch's default


def activation(x: ArrayLike, name: str) -> Array:
    """Apply a function to every element, or softmax to the channels at every place.

    The functions of PyTorch's torch.nn.functional, with their defaults:

        relu         max(x, 0)                          gelu          0.5 * x * (1 + erf(x / sqrt(2)))
        relu6        min(max(x, 0), 6)                  softplus      log(1 + exp(x))
        leaky-relu   x if x > 0 else 0.01 * x           mish          x * tanh(softplus(x))
        elu          x if x > 0 else exp(x) - 1         hard-sigmoid  relu6(x + 3) / 6
        sigmoid      1 / (1 + exp(-x))                  hard-swish    x * relu6(x + 3) / 6
        tanh         tanh(x)                            abs           |x|
        silu         x / (1 + exp(-x))                  identity      x
        softmax      exp(x) / sum of exp(x) over the channels

    Parameters
    ----------
    x : array_like, (N, C, *spatial)
        The input, never modified. Not complex. Only softmax asks which axis holds the channels: the second.
    name : str
        One of the names above: `layers.ACTIVATIONS` and softmax.

    Returns
    -------
    ndarray, of x's shape
        Of x's dtype; float16 is computed in float32, and integers give float64, except with relu, relu6, abs
        and identity, which keep them. NaN passes through.

    Raises
    ------
    ArgumentError
        Where the name is none of these, or the magnitude of an integer does not fit its dtype.

    Examples
    --------
    >>> import numpy as np
    >>> from convcli import backend
    >>> backend.activation(np.array([[-2, 0, 3]]), "relu")
    array([[0, 0, 3]])
    >>> backend.activation(np.zeros((1, 4, 7, 7)), "softmax").sum(axis=1).shape
    (1, 7, 7)

    """
    x = as_array("x", x, "biuf")
    name = one_of("activation", name, FUNCTIONS)
    if name == "softmax" and x.ndim < 2:
        raise ArgumentError(f"x has shape {x.shape}; for softmax it must be (N, C, *spatial)")
    if name == "abs" and x.dtype.kind == "i" and x.size and x.min() == np.iinfo(x.dtype).min:
        raise ArgumentError(f"the magnitude of {x.min()} does not fit {x.dtype}; convert x to float64")
    with np.errstate(all="ignore"):
        if x.dtype.kind in "biu" and name in WHOLE:
            return FUNCTIONS[name](x)
        y = FUNCTIONS[name](cast(x, computing_float(x.dtype)))
        return cast(y, x.dtype if x.dtype.kind == "f" else y.dtype)


def batch_norm(
    x: ArrayLike, mean: ArrayLike, var: ArrayLike, gamma: ArrayLike, beta: ArrayLike, *, eps: float = 1e-5
) -> Array:
    """Normalise every channel by its stored mean and variance, then scale and shift it: inference.

    gamma * (x - mean) / sqrt(var + eps) + beta: Ioffe & Szegedy (2015), algorithm 2; PyTorch's batch_norm with
    training=False, where gamma and beta are called weight and bias.

    Parameters
    ----------
    x : array_like, (N, C, *spatial)
        The input, never modified. Not complex.
    mean, var, gamma, beta : array_like, (C,)
        One number for each channel.
    eps : float
        Keeps the root away from 0.

    Returns
    -------
    ndarray, of x's shape
        The dtype is np.result_type of the arrays, float64 where all hold integers; float16 is computed in
        float32.

    Examples
    --------
    >>> import numpy as np
    >>> from convcli import backend
    >>> backend.batch_norm(np.array([[3.0], [5.0]]), [4], [1], [10], [100], eps=0)
    array([[ 90.],
           [110.]])

    """
    x = as_array("x", x, "biuf")
    if x.ndim < 2:
        raise ArgumentError(f"x has shape {x.shape}; it must be (N, C, *spatial)")
    each = {"mean": mean, "var": var, "gamma": gamma, "beta": beta}
    arrays = {name: as_array(name, value, "biuf") for name, value in each.items()}
    for name, array in arrays.items():
        check_shape(name, array, (x.shape[1],), why=f"x {x.shape}")
    result = np.result_type(x, *arrays.values())
    dtype = computing_float(result)
    means, variances, scale, shift = (cast(array, dtype) for array in arrays.values())
    with np.errstate(all="ignore"):
        scale = scale / np.sqrt(variances + eps)
        shift = shift - means * scale
        column = (-1, *(1,) * (x.ndim - 2))
        y = cast(x, dtype) * scale.reshape(column) + shift.reshape(column)
        return cast(y, result if result.kind == "f" else dtype)


def _relu(x: Array) -> Array:
    y: Array = np.maximum(x, x.dtype.type(0))
    return y


def _relu6(x: Array) -> Array:
    y: Array = np.minimum(_relu(x), x.dtype.type(6))
    return y


def _softplus(x: Array) -> Array:
    y: Array = np.logaddexp(x.dtype.type(0), x)  # log(exp(0) + exp(x)), which no large x makes infinite
    return y


def _gelu(x: Array) -> Array:
    from scipy.special import erf

    y: Array = 0.5 * x * (1 + erf(x * sqrt(0.5)))
    return y


def _softmax(x: Array) -> Array:
    powers = np.exp(x - x.max(axis=1, keepdims=True))
    y: Array = powers / powers.sum(axis=1, keepdims=True)
    return y


FUNCTIONS: dict[str, Callable[[Array], Array]] = {
    "relu": _relu,
    "relu6": _relu6,
    "leaky-relu": lambda x: np.where(x > 0, x, SLOPE * x),
    "elu": lambda x: np.where(x > 0, x, np.expm1(x)),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "tanh": np.tanh,
    "silu": lambda x: x / (1 + np.exp(-x)),
    "gelu": _gelu,
    "softplus": _softplus,
    "mish": lambda x: x * np.tanh(_softplus(x)),
    "hard-sigmoid": lambda x: _relu6(x + 3) / 6,
    "hard-swish": lambda x: x * _relu6(x + 3) / 6,
    "abs": np.abs,
    "identity": np.copy,
    "softmax": _softmax,
}
WHOLE = ("relu", "relu6", "abs", "identity")  # these give whole numbers for whole numbers
