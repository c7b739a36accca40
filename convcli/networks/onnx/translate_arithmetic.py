"""Translate elementwise operators, activations, and reductions over axes."""

from math import prod
from typing import Any

from convcli.layers.activation import Activation
from convcli.layers.elementwise import Elementwise, Softmax
from convcli.layers.other import Add
from convcli.layers.reductions import Reduce
from convcli.layers.reshaping import FlattenFrom, Reshape
from convcli.networks.onnx.constants import DTYPES
from convcli.networks.onnx.site import Made, Site, Translator, refuse

# Activations with the parameters of their formulas: the name in convcli, ONNX's attributes and their defaults.
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
# Functions with parameters: the name in `backend.elementwise`, then its argument, ONNX's attribute and the default.
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
    """Return a maximum and a minimum with tensors that the network computes."""
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
        refuse(f"it casts to type {number}, which is not supported")
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


ARITHMETIC: dict[str, Translator] = {
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
}
