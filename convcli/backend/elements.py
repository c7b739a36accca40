"""Elementwise functions: activations, softmax, PReLU, and batch normalisation."""

from __future__ import annotations  # help() shows the annotations by name

import numpy as np
from numpy.typing import ArrayLike

from convcli.backend.activation_formulas import WHOLE, in_place, log_softmax_in_place, softmax_in_place
from convcli.backend.checks import Array, as_array, check_shape
from convcli.backend.dtypes import as_floats, as_input, cast, computing_float
from convcli.errors import ArgumentError


def activation(x: ArrayLike, name: str, *, alpha: float | None = None, beta: float | None = None) -> Array:
    """Apply a function to every element, or softmax to the channels at each position.

    The functions are those of torch.nn.functional, with the same defaults:

        relu         max(x, 0)                          gelu          0.5 * x * (1 + erf(x / sqrt(2)))
        relu6        min(max(x, 0), 6)                  softplus      log(1 + exp(x))
        leaky-relu   x if x > 0 else alpha * x          mish          x * tanh(softplus(x))
        elu          x if x > 0 else alpha*(exp(x)-1)   hard-sigmoid  min(max(alpha * x + beta, 0), 1)
        sigmoid      1 / (1 + exp(-x))                  hard-swish    x * relu6(x + 3) / 6
        tanh         tanh(x)                            abs           |x|
        silu         x / (1 + exp(-x))                  identity      x
        softmax      exp(x) / sum of exp(x) over the channels

    Parameters
    ----------
    x : array_like, (N, C, *spatial)
        The input, never modified. Not complex. For softmax the channels are the second axis.
    name : str
        One of the names above.
    alpha, beta : float, optional
        Parameters of the formulas that have them. The default of alpha is 0.01 for leaky-relu and 1 for elu;
        hard-sigmoid is relu6(x + 3) / 6 by default: alpha = 1/6, beta = 1/2.

    Returns
    -------
    ndarray, of x's shape
        Of x's dtype; float16 is computed in float32, and integers give float64, except for relu, relu6, abs and
        identity, which keep them. NaN is propagated.

    Raises
    ------
    ArgumentError
        If the name or a parameter is unknown, or the absolute value of an integer does not fit its dtype.

    Examples
    --------
    >>> import numpy as np
    >>> from convcli import backend
    >>> backend.activation(np.array([[-2, 0, 3]]), "relu")
    array([[0, 0, 3]])
    >>> backend.activation([[-2.0, 3.0]], "leaky-relu", alpha=0.25)
    array([[-0.5,  3. ]])
    >>> backend.activation(np.zeros((1, 4, 7, 7)), "softmax").sum(axis=1).shape
    (1, 7, 7)

    """
    x = as_array("x", x, "biuf")
    apply = in_place(name, alpha=alpha, beta=beta)
    if name == "softmax" and x.ndim < 2:
        raise ArgumentError(f"x has shape {x.shape}; for softmax it must be (N, C, *spatial)")
    if name == "abs" and x.dtype.kind == "i" and x.size and x.min() == np.iinfo(x.dtype).min:
        raise ArgumentError(f"the absolute value of {x.min()} does not fit {x.dtype}; convert x to float64")
    with np.errstate(all="ignore"):
        if x.dtype.kind in "biu" and name in WHOLE:
            y = x.copy()
            apply(y)
            return y
        y = x.astype(computing_float(x.dtype))
        apply(y)
        return as_input(y, x)


def softmax(x: ArrayLike, axis: int = 1, *, log: bool = False) -> Array:
    """Return exp(x) divided by its sum along an axis, or the logarithm of that.

    Like PyTorch's softmax and log_softmax; the largest element is subtracted first, so that no exponential overflows.

    Parameters
    ----------
    x : array_like
        The input, never modified. Not complex.
    axis : int
        The axis along which the result sums to 1; a negative axis counts from the end.
    log : bool
        Return logarithms, which stay finite if the softmax underflows.

    Returns
    -------
    ndarray, of x's shape
        Of x's dtype, float64 for integers; float16 is computed in float32.

    Examples
    --------
    >>> from convcli import backend
    >>> backend.softmax([[0.0, 0.0, 0.0, 0.0]])
    array([[0.25, 0.25, 0.25, 0.25]])
    >>> backend.softmax([[0.0, -1000.0]], log=True)
    array([[    0., -1000.]])

    """
    x = as_array("x", x, "biuf")
    if not -x.ndim <= axis < x.ndim:
        raise ArgumentError(f"x has shape {x.shape}; axis must be from {-x.ndim} to {x.ndim - 1}, got {axis}")
    with np.errstate(all="ignore"):
        y = x.astype(computing_float(x.dtype))
        (log_softmax_in_place if log else softmax_in_place)(y, axis)
        return as_input(y, x)


def prelu(x: ArrayLike, weight: ArrayLike) -> Array:
    """Multiply negative elements by a learned slope: x if x > 0 else weight * x.

    He et al. (2015), "Delving Deep into Rectifiers"; PyTorch's prelu.

    Parameters
    ----------
    x : array_like, (N, C, *spatial)
        The input, never modified. Not complex.
    weight : array_like, (1,) or (C,)
        The slope for all channels, or one per channel.

    Returns
    -------
    ndarray, of x's shape
        Of x's dtype, float64 for integers; float16 is computed in float32.

    Examples
    --------
    >>> from convcli import backend
    >>> backend.prelu([[-2.0, -2.0, 3.0]], [0.5, 0.25, 0.0])
    array([[-1. , -0.5,  3. ]])

    """
    x, weight = as_array("x", x, "biuf"), as_array("weight", weight, "biuf")
    if x.ndim < 2:
        raise ArgumentError(f"x has shape {x.shape}; it must be (N, C, *spatial)")
    check_shape("weight", weight, (1,), (x.shape[1],), why=f"x {x.shape}")
    with np.errstate(all="ignore"):
        y = as_floats(x)
        slope = cast(weight, y.dtype).reshape(-1, *(1,) * (x.ndim - 2))
        return as_input(np.where(y > 0, y, slope * y), x)


def batch_norm(
    x: ArrayLike, mean: ArrayLike, var: ArrayLike, gamma: ArrayLike, beta: ArrayLike, *, eps: float = 1e-5
) -> Array:
    """Normalise every channel by its stored mean and variance, then scale and shift it, as at inference.

    gamma * (x - mean) / sqrt(var + eps) + beta: Ioffe & Szegedy (2015), algorithm 2; PyTorch's batch_norm with
    training=False, where gamma and beta are called weight and bias.

    Parameters
    ----------
    x : array_like, (N, C, *spatial)
        The input, never modified. Not complex.
    mean, var, gamma, beta : array_like, (C,)
        One number per channel.
    eps : float
        Added to the variance to avoid a division by 0.

    Returns
    -------
    ndarray, of x's shape
        The dtype is np.result_type of the arrays, float64 if all hold integers; float16 is computed in
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
