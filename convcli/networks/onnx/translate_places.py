"""Translate operators that index, sort, select or sample elements, and recurrent layers."""

from typing import Any

from convcli.layers.base import Layer
from convcli.layers.indexing import GatherElements, GatherND, OneHot, ScatterElements, ScatterND, TopK
from convcli.layers.recurrent import KINDS, OnnxRecurrent
from convcli.layers.sampling import GridSample, RoiAlign
from convcli.layers.sums import CumSum, Einsum, Triangle
from convcli.layers.tensor_layer import DependsOnData
from convcli.networks.onnx.site import Made, Site, Translator, refuse

MAX_BOXES = 1 << 62  # used if a model sets no limit
SAMPLES: dict[str, Any] = {
    "nearest": "nearest",
    **dict.fromkeys(("bilinear", "linear"), "bilinear"),
    **dict.fromkeys(("bicubic", "cubic"), "bicubic"),
}
# ONNX's activations of recurrent layers: the name in convcli, and the parameters of each with their defaults.
FUNCTIONS: dict[str, tuple[str, tuple[tuple[str, float], ...]]] = {
    "sigmoid": ("sigmoid", ()),
    "tanh": ("tanh", ()),
    "relu": ("relu", ()),
    "softplus": ("softplus", ()),
    "leakyrelu": ("leaky-relu", (("alpha", 0.01),)),
    "elu": ("elu", (("alpha", 1.0),)),
    "hardsigmoid": ("hard-sigmoid", (("alpha", 0.2), ("beta", 0.5))),
}
USUAL = {"rnn": ["Tanh"], "gru": ["Sigmoid", "Tanh"], "lstm": ["Sigmoid", "Tanh", "Tanh"]}


def _all(site: Site, layer: Layer, count: int) -> Made:
    """Return a layer that takes the first `count` inputs of the node, including constants."""
    return Made(layer, site.inputs[:count])


def _gather_elements(site: Site) -> Made:
    return _all(site, GatherElements(site.get("axis", 0)), 2)


def _gather_nd(site: Site) -> Made:
    return _all(site, GatherND(site.get("batch_dims", 0)), 2)


def _scatter_elements(site: Site) -> Made:
    layer = ScatterElements(site.get("axis", 0), reduction=site.get("reduction", "none"))
    return _all(site, layer, 3)


def _scatter_nd(site: Site) -> Made:
    return _all(site, ScatterND(reduction=site.get("reduction", "none")), 3)


def _top_k(site: Site) -> Made:
    counts = site.numbers(1, "number of elements") if site.has(1) else [site.get("k")]
    layer = TopK(counts[0], axis=site.get("axis", -1), largest=bool(site.get("largest", 1)))
    return Made(layer, [site.inputs[0]])


def _one_hot(site: Site) -> Made:
    depth = site.numbers(1, "depth")
    values = site.stored(2, "values")
    return Made(OneHot(int(depth[0]), axis=site.get("axis", -1)), [site.inputs[0]], {"values": values})


def _einsum(site: Site) -> Made:
    return Made(Einsum(site.get("equation", "")), list(site.inputs))


def _cum_sum(site: Site) -> Made:
    (axis,) = site.numbers(1, "axis")
    options = {name: bool(site.get(name, 0)) for name in ("exclusive", "reverse")}
    return Made(CumSum(axis, **options), [site.inputs[0]])


def _triangle(site: Site) -> Made:
    diagonal = site.numbers(1, "diagonal")[0] if site.has(1) else 0
    return Made(Triangle(upper=bool(site.get("upper", 1)), diagonal=diagonal), [site.inputs[0]])


def _grid_sample(site: Site) -> Made:
    mode = SAMPLES.get(site.get("mode", "linear")) or refuse(
        f"its mode {site.get('mode')!r} is not supported"
    )
    layer = GridSample(
        mode,
        beyond=site.get("padding_mode", "zeros"),
        align_corners=bool(site.get("align_corners", 0)),
    )
    return _all(site, layer, 2)


def _roi_align(site: Site) -> Made:
    usual = "half_pixel" if site.opset >= 16 else "output_half_pixel"
    layer = RoiAlign(
        (site.get("output_height", 1), site.get("output_width", 1)),
        scale=site.get("spatial_scale", 1.0),
        samples=site.get("sampling_ratio", 0),
        aligned=site.get("coordinate_transformation_mode", usual) == "half_pixel",
        kind=site.get("mode", "avg"),
    )
    return _all(site, layer, 3)


def _non_max_suppression(site: Site) -> Made:
    most = site.numbers(2, "number of boxes")[0] if site.has(2) else 0
    options = {
        "most": most if most >= 0 else MAX_BOXES,
        "overlap": site.numbers(3, "overlap")[0] if site.has(3) else 0.0,
        "least": site.numbers(4, "least score")[0] if site.has(4) else None,
        "centred": bool(site.get("center_point_box", 0)),
    }
    return Made(DependsOnData(site.operation), site.inputs[:2], options)


def _non_zero(site: Site) -> Made:
    return Made(DependsOnData(site.operation), [site.inputs[0]])


def _compress(site: Site) -> Made:
    options = {"axis": site.get("axis")}
    return Made(DependsOnData(site.operation), site.inputs[:2], options)


def _recurrent(site: Site) -> Made:
    kind = site.operation.lower()
    weight, recurrence = site.stored(1, "weight"), site.stored(2, "weight of the state")
    if len(weight.shape) != 3 or len(recurrence.shape) != 3 or site.get("layout"):
        refuse("its layout is not supported")
    directions, sums, features = weight.shape
    hidden = recurrence.shape[2]
    bias = site.stored(3, "bias") if site.has(3) else None
    layer = OnnxRecurrent(kind, features, hidden, bidirectional=directions == 2, bias=bias is not None)
    arguments: dict[str, Any] = {"weight": weight, "recurrence": recurrence}
    if bias is not None:
        arguments["bias"] = bias
    if site.has(7):
        arguments["peepholes"] = site.stored(7, "peepholes")
    shapes = {
        "weight": (1 + layer.bidirectional, KINDS[kind][0] * hidden, features),
        "recurrence": (directions, sums, hidden),
        "bias": (directions, 2 * sums),
        "peepholes": (directions, 3 * hidden),
    }
    for name, array in arguments.items():
        if array.shape != shapes[name]:
            refuse(f"its {name} has shape {array.shape}, not {shapes[name]}")
    states = {"lengths": 4, "hidden": 5, "cell": 6}
    given = {name: site.inputs[place] for name, place in states.items() if site.has(place)}
    arguments |= {
        "functions": _functions(site, kind, directions),
        "reverse": site.get("direction") == "reverse",
        "reset_after": bool(site.get("linear_before_reset", 0)),
        "clip": site.get("clip"),
        "given": tuple(given),
    }
    if site.get("input_forget"):
        refuse("its input and forget gates are coupled")
    names = (weight.name, bias.name) if bias is not None else (weight.name,)
    return Made(layer, [site.inputs[0], *given.values()], arguments, names)


def _functions(site: Site, kind: str, directions: int) -> tuple[tuple[str, dict[str, float]], ...]:
    """Return the functions of the gates, each with its parameters, which the model stores in one list."""
    names = site.get("activations") or USUAL[kind] * directions
    if len(names) != len(USUAL[kind]) * directions:
        refuse(f"it has {len(names)} activations")
    numbers = {key: list(site.get(f"activation_{key}") or []) for key in ("alpha", "beta")}
    found = []
    for name in names:
        known, takes = FUNCTIONS.get(name.lower()) or refuse(f"its activation {name} is not supported")
        found.append((known, {key: numbers[key].pop(0) if numbers[key] else usual for key, usual in takes}))
    return tuple(found)


PLACES: dict[str, Translator] = {
    "GatherElements": _gather_elements,
    "GatherND": _gather_nd,
    **dict.fromkeys(("ScatterElements", "Scatter"), _scatter_elements),
    "ScatterND": _scatter_nd,
    "TopK": _top_k,
    "OneHot": _one_hot,
    "Einsum": _einsum,
    "CumSum": _cum_sum,
    "Trilu": _triangle,
    "GridSample": _grid_sample,
    "RoiAlign": _roi_align,
    "NonMaxSuppression": _non_max_suppression,
    "NonZero": _non_zero,
    "Compress": _compress,
    **dict.fromkeys(("LSTM", "GRU", "RNN"), _recurrent),
}
