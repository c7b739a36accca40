"""The formulas of activations, applied in place to arrays of floats."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt

import numpy as np

from convcli.backend.checks import Array, one_of
from convcli.errors import ArgumentError

FEW = 1 << 13  # elements below which NumPy's maximum is faster than its clip


def in_place(name: str, *, alpha: float | None = None, beta: float | None = None) -> Callable[[Array], None]:
    """Return a function that applies an activation in place to an array of floats; its parameters are checked here."""
    function, numbers = FUNCTIONS[one_of("activation", name, FUNCTIONS)]
    given = {key: value for key, value in (("alpha", alpha), ("beta", beta)) if value is not None}
    for key in given:
        if key not in numbers:
            raise ArgumentError(f"the activation {name} has no parameter {key}; leave it out")
    numbers = {**numbers, **given}

    def apply(y: Array) -> None:
        function(y if y.ndim else y.reshape(1), **numbers)  # NumPy turns 0-d arrays into scalars

    return apply


def _relu(y: Array) -> None:
    _between(y, 0, np.inf)


def _relu6(y: Array) -> None:
    _between(y, 0, 6)


def _between(y: Array, low: float, high: float) -> None:
    """Clip in place; NumPy's clip is three times as fast as its maximum, but has more overhead per call."""
    if y.size < FEW or y.dtype.kind != "f":
        np.maximum(y, y.dtype.type(low), out=y)
        if high < np.inf:
            np.minimum(y, y.dtype.type(high), out=y)
    else:
        np.clip(y, low, high, out=y)


def _leaky_relu(y: Array, alpha: float) -> None:
    below = y * y.dtype.type(alpha)
    np.copyto(y, below, where=~(y > 0))


def _elu(y: Array, alpha: float) -> None:
    below = np.expm1(y)
    below *= y.dtype.type(alpha)
    np.copyto(y, below, where=~(y > 0))


def _sigmoid(y: Array) -> None:
    # Works around a bug of negative in NumPy 2.4 with out= on columns.
    np.multiply(y, y.dtype.type(-1), out=y)
    np.exp(y, out=y)
    y += 1
    np.reciprocal(y, out=y)


def _tanh(y: Array) -> None:
    np.tanh(y, out=y)


def _silu(y: Array) -> None:
    below = np.negative(y)
    np.exp(below, out=below)
    below += 1
    y /= below


def _gelu(y: Array) -> None:
    from scipy.special import erf

    share = y * y.dtype.type(sqrt(0.5))
    erf(share, out=share)
    share += 1
    y *= share
    y *= 0.5


def _softplus(y: Array) -> None:
    np.logaddexp(y.dtype.type(0), y, out=y)  # log(exp(0) + exp(x)) without overflow


def _mish(y: Array) -> None:
    share = y.copy()
    _softplus(share)
    np.tanh(share, out=share)
    y *= share


def _hard_sigmoid(y: Array, alpha: float, beta: float) -> None:
    y *= y.dtype.type(alpha)
    y += y.dtype.type(beta)
    _between(y, 0, 1)


def _hard_swish(y: Array) -> None:
    share = y + 3
    _relu6(share)
    y *= share
    y *= y.dtype.type(1 / 6)


def _absolute(y: Array) -> None:
    np.abs(y, out=y)


def _identity(y: Array) -> None:
    """Leave y as it is."""


def softmax_in_place(y: Array, axis: int = 1) -> None:
    """Replace y by its softmax along an axis."""
    if y.size:
        y -= y.max(axis=axis, keepdims=True)
        np.exp(y, out=y)
        y /= y.sum(axis=axis, keepdims=True)


def log_softmax_in_place(y: Array, axis: int) -> None:
    """Replace y by the logarithm of its softmax along an axis."""
    if y.size:
        y -= y.max(axis=axis, keepdims=True)
        y -= np.log(np.exp(y).sum(axis=axis, keepdims=True))


# Each function works in place; the dict has the parameters of its formula with their defaults.
FUNCTIONS: dict[str, tuple[Callable[..., None], dict[str, float]]] = {
    "relu": (_relu, {}),
    "relu6": (_relu6, {}),
    "leaky-relu": (_leaky_relu, {"alpha": 0.01}),
    "elu": (_elu, {"alpha": 1.0}),
    "sigmoid": (_sigmoid, {}),
    "tanh": (_tanh, {}),
    "silu": (_silu, {}),
    "gelu": (_gelu, {}),
    "softplus": (_softplus, {}),
    "mish": (_mish, {}),
    "hard-sigmoid": (_hard_sigmoid, {"alpha": 1 / 6, "beta": 0.5}),
    "hard-swish": (_hard_swish, {}),
    "abs": (_absolute, {}),
    "identity": (_identity, {}),
    "softmax": (softmax_in_place, {}),
}
WHOLE = ("relu", "relu6", "abs", "identity")  # these give integers for integers
