"""Constant folding: compute small tensors before a network runs, because shapes depend on them; without NumPy.

Exporters write the target of a reshape as a computation on shapes: Shape, Gather, Concat, arithmetic. Elements are
lists in row-major order.
"""

import math
import operator
from collections.abc import Callable, Sequence
from itertools import pairwise, product
from math import prod
from struct import pack, unpack
from typing import Any

from convcli.networks.onnx.constants import FEW, MAX_ELEMENTS, Constant, filled, of_elements

ROUNDED = {"float32": "<f", "float16": "<e"}  # format codes of the struct module

Shape = tuple[int, ...]
Attributes = dict[str, Any]
Made = tuple[Shape, str, list[Any]]  # shape, dtype and elements


def fold(
    operation: str, inputs: Sequence[Constant | None], attributes: Attributes, opset: int
) -> list[Made] | None:
    """Return the outputs of an operator on constants, or None if it has to be computed in the run."""
    if operation not in FOLDED or any(each is not None and each.elements is None for each in inputs):
        return None
    try:
        made = FOLDED[operation](list(inputs), attributes, opset)
    except (LookupError, TypeError, ValueError, ArithmeticError):  # the layer reports inputs that do not fit
        return None
    return None if made is None or any(len(elements) > FEW for _, _, elements in made) else made


def fill(name: str, shape: Constant, value: Constant | None) -> Constant | None:
    """Return the output of ConstantOfShape, of any size."""
    sizes = shape.elements
    if sizes is None or (value is not None and not value.elements):
        return None
    number = value.elements[0] if value is not None and value.elements else 0.0
    return filled(name, [int(n) for n in sizes], "float32" if value is None else value.dtype, number)


def counted_up(name: str, start: Constant, limit: Constant, step: Constant) -> Constant | None:
    """Return the output of Range if it has too many elements to be folded."""
    if not (start.elements and limit.elements and step.elements) or not step.elements[0]:
        return None
    first, last, by = (each.elements[0] for each in (start, limit, step) if each.elements)
    if not math.isfinite(first + last + by):
        return None
    count = max(0, math.ceil((last - first) / by))
    if not FEW < count <= MAX_ELEMENTS:
        return None

    def make() -> Any:
        import numpy as np

        return (first + np.arange(count) * by).astype(start.dtype)

    return Constant(name, (count,), start.dtype, make)


def _strides(shape: Shape) -> Shape:
    return tuple(prod(shape[axis + 1 :]) for axis in range(len(shape)))


def _taken(elements: Sequence[Any], shape: Shape, places: Sequence[Sequence[int]]) -> list[Any]:
    """Return the elements at the Cartesian product of the positions along each axis."""
    strides = _strides(shape)
    return [elements[sum(map(operator.mul, at, strides))] for at in product(*places)]


def _broadcast(shapes: Sequence[Shape]) -> Shape:
    axes = max(map(len, shapes))
    wide = [(1,) * (axes - len(shape)) + shape for shape in shapes]
    return tuple(max(sizes) if min(sizes) else 0 for sizes in zip(*wide, strict=True)) if axes else ()


def _expanded(tensor: Constant | Made, shape: Shape) -> list[Any]:
    own, elements = (
        (tensor.shape, tensor.elements) if isinstance(tensor, Constant) else (tensor[0], tensor[2])
    )
    own = (1,) * (len(shape) - len(own)) + own
    places = [[0] * n if size == 1 else range(n) for n, size in zip(shape, own, strict=True)]
    return _taken(elements or [], own, places)


def _elementwise(function: Callable[..., Any], dtype: str | None = None) -> Callable[..., list[Made] | None]:
    def apply(inputs: Sequence[Any], attributes: Attributes, opset: int) -> list[Made] | None:
        shape = _broadcast([each.shape for each in inputs])
        if prod(shape) > FEW:
            return None
        columns = [_expanded(each, shape) for each in inputs]
        try:
            values = [function(*values) for values in zip(*columns, strict=True)]
        except (ArithmeticError, ValueError):
            return None
        found = dtype or inputs[-1].dtype
        return [(shape, found, [_as(found, value) for value in values])]

    return apply


def _as(dtype: str, value: Any) -> Any:
    """Convert a value to a dtype: floats are rounded as in a run, integers wrap around."""
    if dtype in ROUNDED:
        try:
            return unpack(ROUNDED[dtype], pack(ROUNDED[dtype], value))[0]
        except OverflowError:
            return math.copysign(math.inf, value)
    if "float" in dtype:
        return float(value)
    if dtype == "bool":
        return bool(value)
    bits = int(dtype.removeprefix("u").removeprefix("int"))
    whole = int(value) & ((1 << bits) - 1)
    return whole - (1 << bits) if not dtype.startswith("u") and whole >> bits - 1 else whole


def _divide(a: Any, b: Any) -> Any:
    if isinstance(a, float) or isinstance(b, float):
        return a / b
    return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


def _power(a: Any, b: Any) -> Any:
    if isinstance(a, int) and not 0 <= b <= 64:
        raise ArithmeticError  # numbers in shapes are small
    power = a**b
    if isinstance(power, complex):
        raise ArithmeticError
    return power


def _rest(inputs: Sequence[Any], attributes: Attributes, opset: int) -> list[Made] | None:
    """Return the remainder with the sign of the divisor or, with fmod, of the dividend as in C."""
    return _elementwise(_like_c if attributes.get("fmod") else operator.mod)(inputs, attributes, opset)


def _like_c(a: Any, b: Any) -> Any:
    if isinstance(a, float) or isinstance(b, float):
        return math.fmod(a, b)
    return a - b * _divide(a, b)


def _cast(inputs: Sequence[Any], attributes: Attributes, opset: int) -> list[Made] | None:
    from convcli.networks.onnx.constants import DTYPES

    if attributes.get("to") not in DTYPES:
        return None
    dtype = DTYPES[attributes["to"]][0]
    (tensor,) = inputs
    try:
        return [(tensor.shape, dtype, [_as(dtype, value) for value in tensor.elements])]
    except (OverflowError, ValueError):  # infinity as an integer
        return None


def _same(inputs: Sequence[Any], attributes: Attributes, opset: int) -> list[Made]:
    return [(inputs[0].shape, inputs[0].dtype, inputs[0].elements)]


def _gather(inputs: Sequence[Any], attributes: Attributes, opset: int) -> list[Made] | None:
    data, indices = inputs
    if not data.shape:
        return None
    axis = attributes.get("axis", 0) % len(data.shape)
    n = data.shape[axis]
    found = [i + n if i < 0 else i for i in indices.elements]
    if any(not 0 <= i < n for i in found):
        return None
    places = [found if along == axis else range(size) for along, size in enumerate(data.shape)]
    shape = (*data.shape[:axis], *indices.shape, *data.shape[axis + 1 :])
    return [(shape, data.dtype, _taken(data.elements, data.shape, places))]


def _slice(inputs: Sequence[Any], attributes: Attributes, opset: int) -> list[Made] | None:
    data, *rest = inputs
    lists = [None if each is None else each.elements for each in rest]
    starts = lists[0] if lists else attributes.get("starts")
    ends = lists[1] if len(lists) > 1 else attributes.get("ends")
    if starts is None or ends is None:
        return None
    axes = (lists[2] if len(lists) > 2 else attributes.get("axes")) or range(len(starts))
    steps = (lists[3] if len(lists) > 3 else None) or [1] * len(starts)
    places: list[Sequence[int]] = [range(n) for n in data.shape]
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=False):
        if not step or not -len(places) <= axis < len(places):
            return None
        places[axis] = range(*slice(start, end, step).indices(data.shape[axis]))
    return [(tuple(map(len, places)), data.dtype, _taken(data.elements, data.shape, places))]


def _concat(inputs: Sequence[Any], attributes: Attributes, opset: int) -> list[Made] | None:
    shapes = [each.shape for each in inputs]
    if not shapes[0]:
        return None
    axis = attributes.get("axis", 0) % len(shapes[0])
    total: list[Any] = []
    for at in product(*(range(n) for n in shapes[0][:axis])):
        for each in inputs:
            size = prod(each.shape[axis:])
            first = sum(map(operator.mul, at, _strides(each.shape)))
            total += each.elements[first : first + size]
    shape = (*shapes[0][:axis], sum(shape[axis] for shape in shapes), *shapes[0][axis + 1 :])
    return [(shape, inputs[0].dtype, total)]


def _reshape(inputs: Sequence[Any], attributes: Attributes, opset: int) -> list[Made] | None:
    data, target = inputs
    shape = [
        data.shape[axis] if n == 0 and not attributes.get("allowzero") and axis < len(data.shape) else n
        for axis, n in enumerate(target.elements)
    ]
    if -1 in shape:
        others = prod(n for n in shape if n != -1)
        shape[shape.index(-1)] = len(data.elements) // others if others else 0
    if prod(shape) != len(data.elements):
        return None
    return [(tuple(shape), data.dtype, data.elements)]


def axes_of(inputs: Sequence[Any], attributes: Attributes, place: int = 1) -> list[int] | None:
    """Return the axes of an operator, from its attribute or, in later versions, from an input."""
    if len(inputs) > place and inputs[place] is not None:
        found: list[int] | None = inputs[place].elements
        return found
    return attributes.get("axes")


def _squeeze(inputs: Sequence[Any], attributes: Attributes, opset: int) -> list[Made]:
    data = inputs[0]
    axes = axes_of(inputs, attributes)
    gone = {axis for axis, n in enumerate(data.shape) if n == 1}
    if axes is not None:
        gone = {axis % len(data.shape) for axis in axes}
    shape = tuple(n for axis, n in enumerate(data.shape) if axis not in gone)
    return [(shape, data.dtype, data.elements)]


def _unsqueeze(inputs: Sequence[Any], attributes: Attributes, opset: int) -> list[Made] | None:
    data, axes = inputs[0], axes_of(inputs, attributes)
    if axes is None:
        return None
    count = len(data.shape) + len(axes)
    new = {axis % count for axis in axes}
    if len(new & set(range(count))) < len(axes):
        return None
    left = iter(data.shape)
    return [(tuple(1 if axis in new else next(left) for axis in range(count)), data.dtype, data.elements)]


def _transpose(inputs: Sequence[Any], attributes: Attributes, opset: int) -> list[Made]:
    (data,) = inputs
    order = attributes.get("perm") or list(reversed(range(len(data.shape))))
    strides = _strides(data.shape)
    shape = tuple(data.shape[axis] for axis in order)
    transposed_strides = [strides[axis] for axis in order]
    places = product(*(range(n) for n in shape))
    return [
        (shape, data.dtype, [data.elements[sum(map(operator.mul, at, transposed_strides))] for at in places])
    ]


def _range(inputs: Sequence[Any], attributes: Attributes, opset: int) -> list[Made] | None:
    start, limit, step = (each.elements[0] for each in inputs)
    count = max(0, math.ceil((limit - start) / step)) if step else FEW + 1
    if count > FEW:
        return None
    return [((count,), inputs[0].dtype, [start + place * step for place in range(count)])]


def _expand(inputs: Sequence[Any], attributes: Attributes, opset: int) -> list[Made] | None:
    data, target = inputs
    shape = _broadcast([data.shape, tuple(target.elements)])
    return None if prod(shape) > FEW else [(shape, data.dtype, _expanded(data, shape))]


def _tile(inputs: Sequence[Any], attributes: Attributes, opset: int) -> list[Made] | None:
    data, repeats = inputs
    if len(repeats.elements) != len(data.shape):
        return None
    places = [list(range(n)) * times for n, times in zip(data.shape, repeats.elements, strict=True)]
    if prod(map(len, places)) > FEW:
        return None
    return [(tuple(map(len, places)), data.dtype, _taken(data.elements, data.shape, places))]


def _reduce(function: Callable[[list[Any]], Any]) -> Callable[..., list[Made] | None]:
    def apply(inputs: Sequence[Any], attributes: Attributes, opset: int) -> list[Made] | None:
        data, axes = inputs[0], axes_of(inputs, attributes)
        if (axes and len(axes) < len(data.shape)) or not data.elements:
            return None  # reductions over some of the axes are computed in the run
        shape = (1,) * len(data.shape) if attributes.get("keepdims", 1) else ()
        return [(shape, data.dtype, [_as(data.dtype, function(data.elements))])]

    return apply


def _split(inputs: Sequence[Any], attributes: Attributes, opset: int) -> list[Made] | None:
    data = inputs[0]
    sizes = inputs[1].elements if len(inputs) > 1 and inputs[1] is not None else attributes.get("split")
    if len(data.shape) != 1 or sizes is None or sum(sizes) != data.shape[0]:
        return None
    ends = [sum(sizes[:place]) for place in range(len(sizes) + 1)]
    return [((stop - start,), data.dtype, data.elements[start:stop]) for start, stop in pairwise(ends)]


def _of_shape(inputs: Sequence[Any], attributes: Attributes, opset: int) -> list[Made] | None:
    made = fill("", inputs[0], attributes.get("value"))
    if made is None or prod(made.shape) > FEW:
        return None
    return [(made.shape, made.dtype, made.elements or [])]


def _non_zero(inputs: Sequence[Any], attributes: Attributes, opset: int) -> list[Made]:
    (data,) = inputs
    found = [at for at, each in zip(product(*map(range, data.shape)), data.elements, strict=True) if each]
    rows = len(data.shape) or 1
    elements = [at[axis] if at else 0 for axis in range(rows) for at in found]
    return [((rows, len(found)), "int64", elements)]


FOLDED: dict[str, Callable[[Sequence[Any], Attributes, int], list[Made] | None]] = {
    "Add": _elementwise(operator.add),
    "Sub": _elementwise(operator.sub),
    "Mul": _elementwise(operator.mul),
    "Div": _elementwise(_divide),
    "Pow": _elementwise(_power),
    "Mod": _rest,
    "Max": _elementwise(lambda *values: max(values)),
    "Min": _elementwise(lambda *values: min(values)),
    "Neg": _elementwise(operator.neg),
    "Abs": _elementwise(abs),
    "Sqrt": _elementwise(math.sqrt),
    "Floor": _elementwise(math.floor),
    "Ceil": _elementwise(math.ceil),
    "Round": _elementwise(round),
    "Equal": _elementwise(operator.eq, "bool"),
    "Greater": _elementwise(operator.gt, "bool"),
    "GreaterOrEqual": _elementwise(operator.ge, "bool"),
    "Less": _elementwise(operator.lt, "bool"),
    "LessOrEqual": _elementwise(operator.le, "bool"),
    "And": _elementwise(lambda a, b: a and b, "bool"),
    "Or": _elementwise(lambda a, b: a or b, "bool"),
    "Not": _elementwise(operator.not_, "bool"),
    "Where": _elementwise(lambda condition, a, b: a if condition else b),
    "Cast": _cast,
    "Identity": _same,
    "Dropout": _same,
    "Gather": _gather,
    "Slice": _slice,
    "Concat": _concat,
    "Reshape": _reshape,
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
    "Transpose": _transpose,
    "Range": _range,
    "Expand": _expand,
    "Tile": _tile,
    "Split": _split,
    "ConstantOfShape": _of_shape,
    "NonZero": _non_zero,
    "ReduceProd": _reduce(prod),
    "ReduceSum": _reduce(sum),
    "ReduceMax": _reduce(max),
    "ReduceMin": _reduce(min),
}


def constants(names: Sequence[str], made: Sequence[Made]) -> list[Constant]:
    """Return the constants for the folded outputs."""
    return [of_elements(name, *each) for name, each in zip(names, made, strict=False)]
