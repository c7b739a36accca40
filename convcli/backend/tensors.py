"""Operators on whole tensors, including the batch axis: each is a call of NumPy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import numpy as np

from convcli.backend.checks import Array
from convcli.backend.lookup import places

Axes = Sequence[int] | None


def _erf(x: Array) -> Array:
    from scipy.special import erf

    y: Array = erf(x)
    return y


def _divide(x: Array, y: Array) -> Array:
    """Divide; integer quotients are rounded towards 0, as in ONNX and C."""
    if np.result_type(x, y).kind == "f":
        quotient: Array = np.divide(x, y)
        return quotient
    quotient = np.floor_divide(np.abs(x), np.abs(y))
    signed: Array = quotient * np.sign(x) * np.sign(y)
    return signed.astype(np.result_type(x, y))


def _power(x: Array, y: Array) -> Array:
    """Raise to a power; the result has the dtype of the base, as in ONNX."""
    if y.shape == () and y == 2:
        return np.square(x)
    made: Array = np.power(x, y.astype(x.dtype) if x.dtype.kind == "f" else y).astype(x.dtype)
    return made


def _mod(x: Array, y: Array, *, like_c: bool = False) -> Array:
    """Return the remainder with the sign of the divisor, or of the dividend if `like_c`, as C's fmod does."""
    made: Array = np.fmod(x, y) if like_c else np.mod(x, y)
    return made


def _clip(x: Array, *, low: float | None = None, high: float | None = None) -> Array:
    """Return min(max(x, low), high), of x's dtype; NaN passes through."""
    if low is None and high is None:
        return x.copy()
    y = x
    if low is not None:
        y = np.maximum(y, np.asarray(low, x.dtype))
    if high is not None:
        y = np.minimum(y, np.asarray(high, x.dtype))
    return y


def _slope(x: Array, slope: Array) -> Array:
    """Return x where it is above 0, and slope * x elsewhere."""
    return np.where(x > 0, x, slope * x)


def _selu(x: Array, *, alpha: float = 1.6732632423543772, gamma: float = 1.0507009873554805) -> Array:
    made: Array = np.where(x > 0, x, np.expm1(x) * x.dtype.type(alpha)) * x.dtype.type(gamma)
    return made


def _celu(x: Array, *, alpha: float = 1.0) -> Array:
    a = x.dtype.type(alpha)
    made: Array = np.maximum(x, 0) + np.minimum(np.expm1(x / a) * a, 0)
    return made


def _softsign(x: Array) -> Array:
    made: Array = x / (np.abs(x) + 1)
    return made


def _gelu_tanh(x: Array) -> Array:
    inner = (x * x * x * x.dtype.type(0.044715) + x) * x.dtype.type(np.sqrt(2 / np.pi))
    made: Array = (np.tanh(inner) + 1) * x * x.dtype.type(0.5)
    return made


def _threshold(x: Array, *, alpha: float = 1.0) -> Array:
    return np.where(x > alpha, x, np.zeros((), x.dtype))


def _shrink(x: Array, *, bias: float = 0.0, lambd: float = 0.5) -> Array:
    b = x.dtype.type(bias)
    return np.where(x < -lambd, x + b, np.where(x > lambd, x - b, np.zeros((), x.dtype)))


def _is_inf(x: Array, *, negative: bool = True, positive: bool = True) -> Array:
    found: Array = np.isinf(x) & ((x < 0) & negative | (x > 0) & positive)
    return found


def _cast(x: Array, *, to: str) -> Array:
    with np.errstate(all="ignore"):
        return x.astype(to)


BINARY: dict[str, Callable[..., Array]] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": _divide,
    "pow": _power,
    "max": np.maximum,
    "min": np.minimum,
    "mean": np.add,
    "mod": _mod,
    "slope": _slope,
    "equal": np.equal,
    "greater": np.greater,
    "greater-equal": np.greater_equal,
    "less": np.less,
    "less-equal": np.less_equal,
    "and": np.logical_and,
    "or": np.logical_or,
    "xor": np.logical_xor,
}
UNARY: dict[str, Callable[..., Array]] = {
    "neg": np.negative,
    "sign": np.sign,
    "reciprocal": np.reciprocal,
    "square": np.square,
    "sqrt": np.sqrt,
    "exp": np.exp,
    "log": np.log,
    "erf": _erf,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "asinh": np.arcsinh,
    "acosh": np.arccosh,
    "atanh": np.arctanh,
    "selu": _selu,
    "celu": _celu,
    "softsign": _softsign,
    "gelu-tanh": _gelu_tanh,
    "threshold": _threshold,
    "shrink": _shrink,
    "is-nan": np.isnan,
    "is-inf": _is_inf,
    "floor": np.floor,
    "ceil": np.ceil,
    "round": np.rint,
    "clip": _clip,
    "not": np.logical_not,
    "cast": _cast,
}


def elementwise(
    *inputs: Array,
    operator: str,
    operand: Array | None = None,
    operand_first: bool = False,
    **numbers: Any,
) -> Array:
    """Apply an elementwise function of one, two or more tensors, with broadcasting."""
    if operator in UNARY:
        return UNARY[operator](inputs[0], **numbers)
    operands = inputs
    if operand is not None:
        operands = (operand, *inputs) if operand_first else (*inputs, operand)
    if operator == "where":
        return np.where(operands[0], operands[1], operands[2])
    function = BINARY[operator]
    if len(operands) == 2 and operator != "mean":
        return function(*operands, **numbers)
    total = reduce(function, operands)
    return total / total.dtype.type(len(operands)) if operator == "mean" else total


REDUCTIONS: dict[str, Callable[..., Array]] = {
    "sum": np.sum,
    "mean": np.mean,
    "max": np.max,
    "min": np.min,
    "prod": np.prod,
    "l1": lambda x, **options: np.abs(x).sum(**options),
    "l2": lambda x, **options: np.sqrt(np.square(x).sum(**options)),
    "sum-square": lambda x, **options: np.square(x).sum(**options),
    "log-sum": lambda x, **options: np.log(x.sum(**options)),
}


def _log_sum_exp(x: Array, axis: tuple[int, ...] | None, keepdims: bool) -> Array:
    largest = np.max(x, axis=axis, keepdims=True)
    largest = np.where(np.isfinite(largest), largest, 0)  # infinity minus infinity would be NaN
    total: Array = np.log(np.exp(x - largest).sum(axis=axis, keepdims=True)) + largest
    return total if keepdims else total.reshape(np.max(x, axis=axis).shape)


def reduce_axes(x: Array, kind: str, axes: Axes, keep: bool, *, last: bool = False) -> Array:
    """Reduce the elements along the axes to one number: their sum, mean, maximum, ...

    With `last`, argmax and argmin return the last of equal elements.
    """
    axis = None if axes is None else tuple(axes)
    if kind in ("argmax", "argmin"):
        function = np.argmax if kind == "argmax" else np.argmin
        (along,) = axis if axis is not None else (0,)
        found: Array = function(np.flip(x, along) if last else x, axis=along, keepdims=keep)
        return x.shape[along] - 1 - found if last else found
    if kind == "log-sum-exp":
        return _log_sum_exp(x, axis, keep)
    made = REDUCTIONS[kind](x, axis=axis, keepdims=keep)
    return np.asarray(made, x.dtype)


def linear(x: Array, weight: Array, bias: Array | None = None) -> Array:
    """Return x @ weight.T + bias, along the last axis."""
    y: Array = np.matmul(x, weight.T)
    if bias is not None:
        y += bias
    return y


def matmul(*inputs: Array, weight: Array | None = None, weight_first: bool = False) -> Array:
    """Multiply the matrices in the last two axes."""
    if weight is not None:
        inputs = (weight, *inputs) if weight_first else (*inputs, weight)
    y: Array = np.matmul(*inputs)
    return y


def gemm(
    a: Array,
    b: Array,
    c: Array | None = None,
    *,
    transposed: tuple[bool, bool] = (False, False),
    addend: Array | None = None,
    alpha: float = 1.0,
    beta: float = 1.0,
) -> Array:
    """Return alpha * A' B' + beta * C."""
    y: Array = np.matmul(a.T if transposed[0] else a, b.T if transposed[1] else b)
    if alpha != 1:
        y *= y.dtype.type(alpha)
    c = addend if c is None else c
    if c is not None:
        y += c if beta == 1 else c * y.dtype.type(beta)
    return y


def take_slice(
    x: Array, starts: Sequence[int], ends: Sequence[int], axes: Sequence[int], steps: Sequence[int]
) -> Array:
    """Return x[start:end:step] along each axis."""
    places: list[slice] = [slice(None)] * x.ndim
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        taken = range(*slice(start, end, step).indices(x.shape[axis]))
        stop: int | None = taken.stop if taken.stop >= 0 else None
        places[axis] = slice(taken.start, stop, step)
    return x[tuple(places)]


def split(x: Array, parts: int, sizes: Sequence[int] | None, axis: int) -> tuple[Array, ...]:
    """Divide x along an axis: into parts of the given sizes, or into `parts` of equal size, the last of the rest."""
    if sizes is None:
        each = -(-x.shape[axis] // parts)
        sizes = [each] * (parts - 1)
    else:
        sizes = sizes[:-1]
    return tuple(np.split(x, np.cumsum(sizes), axis=axis)) if len(sizes) else (x,)


def join(*inputs: Array, axis: int) -> Array:
    """Concatenate tensors along an axis."""
    return np.concatenate(inputs, axis=axis)


def gather(
    x: Array,
    others: Array | None = None,
    *,
    axis: int,
    indices: Array | None = None,
    table: Array | None = None,
) -> Array:
    """Select elements along an axis by indices; if the table is stored, x is the indices."""
    if table is not None:
        x, indices = table, x
    indices = others if indices is None else indices
    assert indices is not None
    return np.take(x, places(indices, x.shape[axis], axis), axis=axis)


def constant(*, value: Array) -> Array:
    """Return the stored value."""
    return value


def reshape(x: Array, shape: Sequence[int]) -> Array:
    """Reshape x; 0 keeps the size of the axis, -1 is inferred."""
    return x.reshape([x.shape[axis] if n == 0 else n for axis, n in enumerate(shape)])


def squeeze(x: Array, axes: Axes) -> Array:
    """Remove axes of size 1; if `axes` is None, all of them except the first axis."""
    gone = tuple(axis for axis, n in enumerate(x.shape) if n == 1 and axis) if axes is None else tuple(axes)
    return np.squeeze(x, gone)


def unsqueeze(x: Array, axes: Sequence[int]) -> Array:
    """Insert new axes of size 1."""
    return np.expand_dims(x, tuple(axes))


def expand(x: Array, shape: Sequence[int]) -> Array:
    """Broadcast x along axes of size 1, to a shape that both broadcast to."""
    return np.broadcast_to(x, np.broadcast_shapes(x.shape, tuple(shape)))


def tile(x: Array, repeats: Sequence[int]) -> Array:
    """Repeat the whole of x the given number of times along each axis."""
    return np.tile(x, tuple(repeats))


def flatten_from(x: Array, axis: int) -> Array:
    """Flatten the axes before `axis` into one, and the others into another."""
    axis = axis % x.ndim if axis < x.ndim else axis
    first = int(np.prod(x.shape[:axis], dtype=np.int64))
    return x.reshape(first, -1) if x.size else x.reshape(first, int(np.prod(x.shape[axis:])))
