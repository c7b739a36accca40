"""Activation functions of single numbers; piecewise linear ones are exact."""

from collections.abc import Callable, Mapping
from fractions import Fraction
from math import erf, exp, expm1, log1p, sqrt, tanh


def _sigmoid(x: float) -> float:
    return (1 + tanh(x / 2)) / 2


def _softplus(x: float) -> float:
    return max(x, 0.0) + log1p(exp(-abs(x)))


def _smooth(function: Callable[[float], float]) -> Callable[[Fraction], Fraction]:
    return lambda x: Fraction(function(float(x)))


def _relu6(x: Fraction) -> Fraction:
    return min(max(x, Fraction(0)), Fraction(6))


FUNCTIONS: Mapping[str, Callable[[Fraction], Fraction]] = {
    "relu": lambda x: max(x, Fraction(0)),
    "relu6": _relu6,
    "leaky-relu": lambda x: x if x > 0 else x / 100,
    "elu": _smooth(lambda x: x if x > 0 else expm1(x)),
    "sigmoid": _smooth(_sigmoid),
    "tanh": _smooth(tanh),
    "silu": _smooth(lambda x: x * _sigmoid(x)),
    "gelu": _smooth(lambda x: x * (1 + erf(x * sqrt(0.5))) / 2),
    "softplus": _smooth(_softplus),
    "mish": _smooth(lambda x: x * tanh(_softplus(x))),
    "hard-sigmoid": lambda x: _relu6(x + 3) / 6,
    "hard-swish": lambda x: x * _relu6(x + 3) / 6,
    "abs": abs,
    "identity": lambda x: x,
}
