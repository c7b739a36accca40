"""Layers that are prepared once, for inputs of known shapes, and then run many times in float32.

Everything that `run_layer` checks and decides at every call is done before the first run: the choice of the operator,
its options, its weights in the order in which they are used, and the memory that may be overwritten.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from math import prod
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np

from convcli.backend import tensors
from convcli.backend.activation_formulas import WHOLE, in_place
from convcli.backend.checks import Array
from convcli.backend.convolution import conv
from convcli.backend.prepared_conv import Finish, PreparedConv, takes
from convcli.backend.prepared_pool import PreparedPool
from convcli.backend.run_layers import moves, operator_of
from convcli.backend.working_memory import Room
from convcli.errors import ArgumentError
from convcli.layers import (
    Activation,
    Add,
    AvgPool,
    BatchNorm,
    ChannelShuffle,
    Concat,
    Constant,
    Conv,
    DeformConv,
    Dense,
    Dropout,
    Elementwise,
    Expand,
    Flatten,
    FlattenFrom,
    GlobalPool,
    Layer,
    Linear,
    MaxPool,
    PixelShuffle,
    PixelUnshuffle,
    Reshape,
    Slice,
    Split,
    Squeeze,
    Transpose,
    Unsqueeze,
)

Shape = tuple[int, ...]
Run = Callable[..., Any]
L = TypeVar("L", bound=Layer)

# The outputs of these layers may be views of their inputs.
VIEWS: tuple[type[Layer], ...] = (
    ChannelShuffle,
    Dropout,
    Expand,
    Flatten,
    FlattenFrom,
    PixelShuffle,
    PixelUnshuffle,
    Reshape,
    Slice,
    Split,
    Squeeze,
    Transpose,
    Unsqueeze,
    Constant,
)
EPS = 1e-5


def is_view(layer: Layer) -> bool:
    """Return whether the outputs of a layer may be views of its inputs."""
    return isinstance(layer, VIEWS) or (isinstance(layer, Activation) and layer.name == "identity")


def scale_and_shift(layer: Layer, arguments: Mapping[str, Any]) -> tuple[Array, Array] | None:
    """Return the scale and the shift of each channel if that is all that a layer does, else None."""
    if isinstance(layer, BatchNorm):
        gamma, beta, mean, var = (
            np.asarray(arguments[name], np.float64) for name in ("gamma", "beta", "mean", "var")
        )
        scale = gamma / np.sqrt(var + arguments.get("eps", EPS))
        return scale, beta - mean * scale
    if not isinstance(layer, Elementwise) or layer.operand is None:
        return None
    operand = np.asarray(arguments["operand"], np.float64).reshape(-1)
    one, zero = np.ones(1), np.zeros(1)
    if layer.operator == "mul":
        return operand, zero
    if layer.operator == "add":
        return one, operand
    if layer.operand_first:
        return None
    if layer.operator == "div":
        return one / operand, zero
    return (one, -operand) if layer.operator == "sub" else None


def prepare(
    layer: Layer,
    shapes: Sequence[Shape],
    arguments: Mapping[str, Any],
    room: Room,
    *,
    affine: Sequence[tuple[Array, Array]] = (),
    finish: Finish | None = None,
    into: int | None = None,
) -> Run:
    """Return a function that runs a layer on inputs of these shapes.

    arguments : its arrays and options, as in `run_layer`
    affine : scales and shifts of the channels that follow a convolution or a dense layer, in order
    finish : an activation that follows, applied in place
    into : the index of an input that may be overwritten
    """
    if isinstance(layer, Conv):
        weight, bias = _folded(arguments["weight"], arguments.get("bias"), affine)
        if takes(layer):
            return PreparedConv(layer, shapes[0], weight, bias, room, finish)
        return _plain_conv(layer, weight, bias, finish)
    if isinstance(layer, Dense | Linear):
        return _dense(*_folded(arguments["weight"], arguments.get("bias"), affine), finish)
    if isinstance(layer, MaxPool | AvgPool) and layer.dims <= 2:
        return PreparedPool(layer, shapes[0], room)
    special = _SPECIAL.get(type(layer))
    run = None if special is None else special(_Step(layer, shapes, arguments, into))
    if run is None:
        operator, fields = operator_of(layer)
        run = partial(operator, **{name: getattr(layer, name) for name in fields}, **arguments)
    return run if finish is None else _finished(run, finish)


def _finished(run: Run, finish: Finish) -> Run:
    def both(*inputs: Array) -> Any:
        y = np.asarray(run(*inputs))  # NumPy turns 0-d results into scalars
        finish(y)
        return y

    return both


def _folded(weight: Any, bias: Any, affine: Sequence[tuple[Array, Array]]) -> tuple[Array, Array | None]:
    """Return the weight and the bias with all following scales and shifts folded in, computed in float64."""
    if not affine:
        return np.asarray(weight, np.float32), None if bias is None else np.asarray(bias, np.float32)
    outputs = len(weight)
    scale, shift = np.ones(outputs), np.zeros(outputs)
    if bias is not None:
        shift = shift + np.asarray(bias, np.float64)
    for times, plus in affine:
        scale, shift = scale * times, shift * times + plus
    column = scale.astype(np.float32).reshape(-1, *(1,) * (weight.ndim - 1))
    return np.asarray(weight, np.float32) * column, shift.astype(np.float32)


def _plain_conv(layer: Conv, weight: Array, bias: Array | None, finish: Finish | None) -> Run:
    """Return a function that runs a convolution that cannot be prepared."""
    options = {name: getattr(layer, name) for name in ("stride", "padding", "dilation", "groups")}

    def run(x: Array, add: Array | None = None) -> Array:
        y = conv(x, weight, bias, **options)
        if add is not None:
            y += add
        if finish is not None:
            finish(y)
        return y

    return run


def _dense(weight: Array, bias: Array | None, finish: Finish | None) -> Run:
    def run(x: Array) -> Array:
        y: Array = np.matmul(x, weight.T)
        if bias is not None:
            y += bias
        if finish is not None:
            finish(y)
        return y

    return run


class _Step(NamedTuple, Generic[L]):
    """A layer on inputs of known shapes, its arrays and options, and the index of an input that may be overwritten."""

    layer: L
    shapes: Sequence[Shape]
    arguments: Mapping[str, Any]
    into: int | None


def _activation(step: _Step[Activation]) -> Run | None:
    layer = step.layer
    if layer.name == "identity":
        return lambda x: x
    if layer.name == "softmax":
        return None
    apply, may_write = in_place(layer.name, **step.arguments), step.into == 0

    def run(x: Array) -> Array:
        keeps = x.dtype.kind == "f" or layer.name in WHOLE
        y = x if may_write and keeps else np.array(x, x.dtype if keeps else np.float32)
        apply(y)
        return y

    return run


def _batch_norm(step: _Step[BatchNorm]) -> Run:
    found = scale_and_shift(step.layer, step.arguments)
    assert found is not None
    column = (-1, *(1,) * (len(step.shapes[0]) - 2))
    scale, shift = (each.astype(np.float32).reshape(column) for each in found)
    may_write = step.into == 0

    def run(x: Array) -> Array:
        y: Array = np.multiply(x, scale, out=x if may_write else None)
        y += shift
        return y

    return run


def _elementwise(step: _Step[Elementwise]) -> Run | None:
    layer, shapes, arguments, into = step
    function = tensors.BINARY.get(layer.operator)
    operand = arguments.get("operand")
    count = len(shapes) + (operand is not None)
    if not isinstance(function, np.ufunc) or count != 2 or layer.operator == "mean" or into is None:
        return None
    if layer.operator in ("equal", "greater", "greater-equal", "less", "less-equal", "and", "or", "xor"):
        return None
    if operand is None:
        return lambda a, b: function(a, b, out=(a, b)[into])
    if layer.operand_first:
        return lambda x: function(operand, x, out=x)
    return lambda x: function(x, operand, out=x)


def _add(step: _Step[Add]) -> Run | None:
    into = step.into
    if len(step.shapes) != 2 or into is None:
        return None
    return lambda a, b: np.add(a, b, out=(a, b)[into])


def _global_pool(step: _Step[GlobalPool]) -> Run:
    items, channels, *size = step.shapes[0]
    made = (items, channels, *(1 for _ in size))
    places = prod(size)
    share = np.float32(1 / places)

    def mean(x: Array) -> Array:
        y: Array = np.add.reduce(x.reshape(items, channels, places), axis=2)
        y *= share
        return y.reshape(made)

    def largest(x: Array) -> Array:
        y: Array = np.maximum.reduce(x.reshape(items, channels, places), axis=2)
        return y.reshape(made)

    return mean if step.layer.kind == "avg" else largest


def _concat(_: _Step[Concat]) -> Run:
    return lambda *inputs: np.concatenate(inputs, axis=1)


def _itself(_: _Step[Layer]) -> Run:
    return lambda x: x


def _flatten(step: _Step[Flatten]) -> Run:
    items, *others = step.shapes[0]
    made = items, prod(others)
    return lambda x: x.reshape(made)


def _reshape(step: _Step[Reshape]) -> Run:
    (made,) = step.layer.output_shapes(*step.shapes)
    return lambda x: x.reshape(made)


def _deform(step: _Step[DeformConv]) -> Run:
    """Use the second input, which a branch predicts, as the offsets and the mask."""
    layer = step.layer
    if len(step.shapes) < 2:
        raise ArgumentError(
            "a deformable convolution needs the output of its branch as a second input, but it has only one input"
        )
    operator, fields = operator_of(layer)
    options = {name: getattr(layer, name) for name in fields}
    return lambda x, predicted: operator(x, **moves(layer, predicted), **options, **step.arguments)


_SPECIAL: dict[type[Layer], Callable[..., Run | None]] = {
    Activation: _activation,
    Add: _add,
    BatchNorm: _batch_norm,
    Concat: _concat,
    DeformConv: _deform,
    Dropout: _itself,
    Elementwise: _elementwise,
    Flatten: _flatten,
    GlobalPool: _global_pool,
    Reshape: _reshape,
}
