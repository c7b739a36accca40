"""Operators on whole tensors: arithmetic, products, reductions, and those that move elements."""

from math import prod
from typing import Any

from convcli.layers.activation import Activation
from convcli.layers.base import Layer
from convcli.layers.dropout import Dropout
from convcli.layers.elementwise import Elementwise, Softmax
from convcli.layers.other import Add, Concat, Dense, Flatten
from convcli.layers.products import Gemm, Linear, MatMul
from convcli.layers.reductions import Reduce
from convcli.layers.reshaping import Expand, FlattenFrom, Reshape, Squeeze, Tile, Transpose, Unsqueeze
from convcli.layers.selection import Gather, Join, Slice, Split
from convcli.networks.onnx.constants import DTYPES
from convcli.networks.onnx.site import Made, Site, Translator, refuse

# Activations, with the numbers of their formulas: ONNX's attribute, what `backend.activation` calls it, the default.
ACTIVATIONS: dict[str, tuple[str, tuple[tuple[str, float], ...]]] = {
    "Relu": ("relu", ()),
    "LeakyRelu": ("leaky-relu", (("alpha", 0.01),)),
    "Elu": ("elu", (("alpha", 1.0),)),
    "Sigmoid": ("sigmoid", ()),
    "Tanh": ("tanh", ()),
    "Softplus": ("softplus", ()),
    "HardSigmoid": ("hard-sigmoid", (("alpha", 0.2), ("beta", 0.5))),
    "HardSwish": ("hard-swish", ()),
    "Mish": ("mish", ()),
    "Abs": ("abs", ()),
    "Identity": ("identity", ()),
}
UNARY = {
    "Neg": "neg",
    "Sign": "sign",
    "Reciprocal": "reciprocal",
    "Sqrt": "sqrt",
    "Exp": "exp",
    "Log": "log",
    "Erf": "erf",
    "Sin": "sin",
    "Cos": "cos",
    "Tan": "tan",
    "Asin": "asin",
    "Acos": "acos",
    "Atan": "atan",
    "Sinh": "sinh",
    "Cosh": "cosh",
    "Asinh": "asinh",
    "Acosh": "acosh",
    "Atanh": "atanh",
    "Softsign": "softsign",
    "Floor": "floor",
    "Ceil": "ceil",
    "Round": "round",
    "Not": "not",
    "IsNaN": "is-nan",
}
# Functions with numbers: what `backend.elementwise` calls each, ONNX's attribute, the default.
FUNCTIONS: dict[str, tuple[str, tuple[tuple[str, str, float], ...]]] = {
    "Selu": ("selu", (("alpha", "alpha", 1.6732632423543772), ("gamma", "gamma", 1.0507009873554805))),
    "Celu": ("celu", (("alpha", "alpha", 1.0),)),
    "ThresholdedRelu": ("threshold", (("alpha", "alpha", 1.0),)),
    "Shrink": ("shrink", (("bias", "bias", 0.0), ("lambd", "lambd", 0.5))),
}
BINARY = {
    "Add": "add",
    "Sub": "sub",
    "Mul": "mul",
    "Div": "div",
    "Pow": "pow",
    "Max": "max",
    "Min": "min",
    "Sum": "add",
    "Mean": "mean",
    "Mod": "mod",
    "Equal": "equal",
    "Greater": "greater",
    "GreaterOrEqual": "greater-equal",
    "Less": "less",
    "LessOrEqual": "less-equal",
    "And": "and",
    "Or": "or",
    "Xor": "xor",
}
REDUCTIONS = {
    "ReduceSum": "sum",
    "ReduceMean": "mean",
    "ReduceMax": "max",
    "ReduceMin": "min",
    "ReduceProd": "prod",
    "ReduceL1": "l1",
    "ReduceL2": "l2",
    "ReduceSumSquare": "sum-square",
    "ReduceLogSum": "log-sum",
    "ReduceLogSumExp": "log-sum-exp",
}


def _activation(site: Site) -> Made:
    name, numbers = ACTIVATIONS[site.operation]
    return Made(Activation(name), arguments={key: site.get(key, default) for key, default in numbers})


def _gelu(site: Site) -> Made:
    by_tanh = site.get("approximate", "none") == "tanh"
    return Made(Elementwise("gelu-tanh") if by_tanh else Activation("gelu"))


def _clip(site: Site) -> Made | list[Made]:
    low, high = site.get("min"), site.get("max")
    if any(site.has(place) and site.constant(place) is None for place in (1, 2)):
        return _clip_by_tensors(site)
    if site.has(1):
        low = site.numbers(1, "minimum")[0]
    if site.has(2):
        high = site.numbers(2, "maximum")[0]
    if (low, high) == (0, 6):
        return Made(Activation("relu6"), [site.inputs[0]])
    numbers = {"low": low, "high": high}
    given = {name: number for name, number in numbers.items() if number is not None}
    return Made(Elementwise("clip"), [site.inputs[0]], given)


def _clip_by_tensors(site: Site) -> list[Made]:
    """Return the larger of the input and a minimum, and the smaller of that and a maximum, which are computed."""
    made, tensor = [], site.inputs[0]
    for place, operator in ((1, "max"), (2, "min")):
        if site.has(place):
            last = place == 2 or not site.has(2)
            output = site.outputs[0] if last else f"{site.outputs[0]}/{operator}"
            made.append(Made(Elementwise(operator), [tensor, site.inputs[place]], outputs=[output]))
            tensor = output
    return made


def _unary(site: Site) -> Made:
    return Made(Elementwise(UNARY[site.operation]))


def _function(site: Site) -> Made:
    name, numbers = FUNCTIONS[site.operation]
    return Made(Elementwise(name), arguments={key: site.get(given, usual) for key, given, usual in numbers})


def _is_inf(site: Site) -> Made:
    signs = {sign: bool(site.get(f"detect_{sign}", 1)) for sign in ("negative", "positive")}
    return Made(Elementwise("is-inf"), arguments=signs)


def _cast(site: Site) -> Made:
    number = site.get("to")
    if number not in DTYPES or DTYPES[number][0] == "bfloat16":
        refuse(f"it makes elements of type {number}")
    return Made(Elementwise("cast"), arguments={"to": DTYPES[number][0]})


def _binary(site: Site) -> Made:
    name = BINARY[site.operation]
    options = {"like_c": True} if name == "mod" and site.get("fmod") else {}
    if len(site.inputs) == 1:
        return Made(Activation("identity"))
    stored = [place for place in range(len(site.inputs)) if site.constant(place) is not None]
    if len(site.inputs) == 2 and len(stored) == 1:
        (place,) = stored
        constant = site.stored(place, "operand")
        learned = constant.is_float and prod(constant.shape) > 1
        layer = Elementwise(name, operand=constant.shape, learned=learned, operand_first=place == 0)
        names = (constant.name,) if learned else ("", "", constant.name)
        return Made(layer, [site.inputs[1 - place]], {"operand": constant, **options}, names)
    shapes = {site.shape(place) for place in range(len(site.inputs))}
    if name == "add" and len(shapes) == 1 and len(next(iter(shapes)) or ()) > 1:
        return Made(Add(), list(site.inputs))
    return Made(Elementwise(name), list(site.inputs), options)


def _where(site: Site) -> Made:
    return Made(Elementwise("where"), list(site.inputs))


def _softmax(site: Site) -> list[Made]:
    log = site.operation == "LogSoftmax"
    if site.opset >= 13:
        return [Made(Softmax(site.get("axis", -1), log=log))]
    axis, rank = site.get("axis", 1), site.rank()
    axis %= rank
    shape = site.shape() or ()
    if prod(shape[axis + 1 :]) == 1:
        return [Made(Softmax(axis, log=log))]
    flat, soft = f"{site.outputs[0]}/flat", f"{site.outputs[0]}/softmax"
    return [
        Made(FlattenFrom(axis), outputs=[flat]),
        Made(Softmax(1, log=log), [flat], outputs=[soft]),
        Made(Reshape(shape), [soft]),
    ]


def _reduce(site: Site) -> Made:
    kind = REDUCTIONS[site.operation]
    axes: Any = site.listed("axes", 1)
    if not axes:
        axes = () if site.get("noop_with_empty_axes") else None
    return Made(Reduce(kind, axes, keep=bool(site.get("keepdims", 1))), [site.inputs[0]])


def _arg(site: Site) -> Made:
    kind = "argmax" if site.operation == "ArgMax" else "argmin"
    options = {"last": True} if site.get("select_last_index") else {}
    return Made(Reduce(kind, (site.get("axis", 0),), keep=bool(site.get("keepdims", 1))), arguments=options)


def _gemm(site: Site) -> Made:
    turned = bool(site.get("transA", 0)), bool(site.get("transB", 0))
    alpha, beta = site.get("alpha", 1.0), site.get("beta", 1.0)
    weight, addend = site.constant(1), site.constant(2)
    shape = site.shape()
    if weight is not None and len(weight.shape) == 2 and not turned[0] and site.constant(0) is None:
        outputs, inputs = weight.shape if turned[1] else weight.shape[::-1]
        row = addend is None or addend.shape in ((outputs,), (1, outputs)) or prod(addend.shape) == 1
        if row and (addend is not None or not site.has(2)) and (shape is None or len(shape) == 2):
            matrix = weight.times(alpha)
            arguments: dict[str, Any] = {"weight": matrix if turned[1] else matrix.turned()}
            if addend is not None:
                arguments["bias"] = addend.times(beta).flat(outputs)
            names = (weight.name, addend.name) if addend is not None else (weight.name,)
            layer = Dense(inputs, outputs, bias=addend is not None)
            return Made(layer, [site.inputs[0]], arguments, names)
    numbers = {"alpha": alpha, "beta": beta}
    layer_inputs = list(site.inputs)
    if addend is not None:
        made = Gemm(transposed=turned, scaled=alpha != 1, addend=addend.shape)
        return Made(made, layer_inputs[:2], numbers | {"addend": addend}, ("", addend.name))
    return Made(Gemm(transposed=turned, scaled=alpha != 1), [name for name in layer_inputs if name], numbers)


def _matmul(site: Site) -> Made:
    left, right = site.constant(0), site.constant(1)
    if right is not None and len(right.shape) == 2:
        layer: Layer = Linear(right.shape[0], right.shape[1], bias=False)
        return Made(layer, [site.inputs[0]], {"weight": right.turned()}, (right.name,))
    stored = right or left
    if stored is None:
        return Made(MatMul(), list(site.inputs))
    first = right is None
    layer = MatMul(stored.shape, weight_first=first, learned=stored.is_float)
    names = (stored.name,) if stored.is_float else ("", "", stored.name)
    return Made(layer, [site.inputs[1 if first else 0]], {"weight": stored}, names)


def _concat(site: Site) -> Made:
    axis = site.get("axis", 1)
    shapes = [site.shape(place) for place in range(len(site.inputs))]
    dynamic = all(site.constant(place) is None for place in range(len(site.inputs)))
    if (
        axis == 1
        and dynamic
        and len(shapes) > 1
        and all(shape is not None and len(shape) > 2 for shape in shapes)
    ):
        return Made(Concat(), list(site.inputs))
    return Made(Join(axis), list(site.inputs))


def _split(site: Site) -> Made:
    sizes = site.listed("split", 1)
    axis = site.get("axis", 0)
    if sizes:
        return Made(Split(sizes=sizes, axis=axis), [site.inputs[0]])
    return Made(Split(site.get("num_outputs", len(site.outputs)), axis=axis), [site.inputs[0]])


def _slice(site: Site) -> Made:
    starts, ends = site.listed("starts", 1), site.listed("ends", 2)
    if starts is None or ends is None:
        return refuse("it has no starts or no ends")  # type: ignore[no-any-return]
    axes = site.listed("axes", 3) or range(len(starts))
    steps = site.numbers(4, "steps") if site.has(4) else [1] * len(starts)
    return Made(Slice(starts, ends, list(axes), steps), [site.inputs[0]])


def _gather(site: Site) -> Made:
    data, indices, axis = site.constant(0), site.constant(1), site.get("axis", 0)
    if indices is not None:
        layer = Gather(axis, indices=indices.shape)
        return Made(layer, [site.inputs[0]], {"indices": indices})
    if data is not None:
        layer = Gather(axis, table=data.shape)
        return Made(layer, [site.inputs[1]], {"table": data}, (data.name,))
    return Made(Gather(axis), list(site.inputs))


def _reshape(site: Site) -> Made:
    target = site.listed("shape", 1)
    if target is None:
        refuse("it has no shape")
    shape = site.shape()
    assert target is not None
    if 0 in target and site.get("allowzero"):
        refuse("it makes an empty tensor")
    if shape is not None:  # so that the rows show it
        target = [shape[axis] if n == 0 and axis < len(shape) else n for axis, n in enumerate(target)]
    return Made(Reshape(target), [site.inputs[0]])


def _flatten(site: Site) -> Made:
    axis = site.get("axis", 1)
    shape = site.shape()
    if axis == 1 and shape is not None and len(shape) > 1:
        return Made(Flatten())
    return Made(FlattenFrom(axis))


def _transpose(site: Site) -> Made:
    return Made(Transpose(site.get("perm") or tuple(reversed(range(site.rank())))))


def _squeeze(site: Site) -> Made:
    axes = site.listed("axes", 1)
    if axes is None:
        site.rank()
        axes = [axis for axis, n in enumerate(site.shape() or ()) if n == 1]
    return Made(Squeeze(axes), [site.inputs[0]])


def _unsqueeze(site: Site) -> Made:
    return Made(Unsqueeze(site.listed("axes", 1) or refuse("it has no axes")), [site.inputs[0]])


def _expand(site: Site) -> Made:
    return Made(Expand(site.numbers(1, "shape")), [site.inputs[0]])


def _tile(site: Site) -> Made:
    return Made(Tile(site.numbers(1, "repeats")), [site.inputs[0]])


def _dropout(site: Site) -> Made:
    if any(site.outputs[1:]):
        refuse("its mask is asked for")
    ratio = site.get("ratio", 0.5)
    if site.has(1):
        ratio = site.numbers(1, "ratio")[0]
    return Made(Dropout(ratio), [site.inputs[0]])


TENSORS: dict[str, Translator] = {
    **dict.fromkeys(ACTIVATIONS, _activation),
    **dict.fromkeys(UNARY, _unary),
    **dict.fromkeys(FUNCTIONS, _function),
    "IsInf": _is_inf,
    **dict.fromkeys(BINARY, _binary),
    **dict.fromkeys(REDUCTIONS, _reduce),
    **dict.fromkeys(("Softmax", "LogSoftmax"), _softmax),
    **dict.fromkeys(("ArgMax", "ArgMin"), _arg),
    "Gelu": _gelu,
    "Clip": _clip,
    "Cast": _cast,
    "Where": _where,
    "Gemm": _gemm,
    "MatMul": _matmul,
    "Concat": _concat,
    "Split": _split,
    "Slice": _slice,
    "Gather": _gather,
    "Reshape": _reshape,
    "Flatten": _flatten,
    "Transpose": _transpose,
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
    "Expand": _expand,
    "Tile": _tile,
    "Dropout": _dropout,
}
