"""Translate operators on whole tensors: matrix products, slicing, joining, reshaping."""

from math import prod
from typing import Any

from convcli.layers.base import Layer
from convcli.layers.dropout import Dropout
from convcli.layers.other import Concat, Dense, Flatten
from convcli.layers.products import Gemm, Linear, MatMul
from convcli.layers.reshaping import Expand, FlattenFrom, Reshape, Squeeze, Tile, Transpose, Unsqueeze
from convcli.layers.selection import Gather, Join, Slice, Split
from convcli.networks.onnx.site import Made, Site, Translator, refuse


def _gemm(site: Site) -> Made:
    transposed = bool(site.get("transA", 0)), bool(site.get("transB", 0))
    alpha, beta = site.get("alpha", 1.0), site.get("beta", 1.0)
    weight, addend = site.constant(1), site.constant(2)
    shape = site.shape()
    if weight is not None and len(weight.shape) == 2 and not transposed[0] and site.constant(0) is None:
        outputs, inputs = weight.shape if transposed[1] else weight.shape[::-1]
        row = addend is None or addend.shape in ((outputs,), (1, outputs)) or prod(addend.shape) == 1
        if row and (addend is not None or not site.has(2)) and (shape is None or len(shape) == 2):
            matrix = weight.times(alpha)
            arguments: dict[str, Any] = {"weight": matrix if transposed[1] else matrix.transposed()}
            if addend is not None:
                arguments["bias"] = addend.times(beta).flat(outputs)
            names = (weight.name, addend.name) if addend is not None else (weight.name,)
            layer = Dense(inputs, outputs, bias=addend is not None)
            return Made(layer, [site.inputs[0]], arguments, names)
    numbers = {"alpha": alpha, "beta": beta}
    layer_inputs = list(site.inputs)
    if addend is not None:
        made = Gemm(transposed=transposed, scaled=alpha != 1, addend=addend.shape)
        return Made(made, layer_inputs[:2], numbers | {"addend": addend}, ("", addend.name))
    return Made(
        Gemm(transposed=transposed, scaled=alpha != 1), [name for name in layer_inputs if name], numbers
    )


def _matmul(site: Site) -> Made:
    left, right = site.constant(0), site.constant(1)
    if right is not None and len(right.shape) == 2:
        layer: Layer = Linear(right.shape[0], right.shape[1], bias=False)
        return Made(layer, [site.inputs[0]], {"weight": right.transposed()}, (right.name,))
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
    if shape is not None:  # the table then shows the actual sizes
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
        refuse("its mask is used")
    ratio = site.get("ratio", 0.5)
    if site.has(1):
        ratio = site.numbers(1, "ratio")[0]
    return Made(Dropout(ratio), [site.inputs[0]])


TENSORS: dict[str, Translator] = {
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
