"""What a step of training takes: work of the backward pass, gradients, the optimizer's state, and kept activations."""

from collections.abc import Mapping, Sequence
from math import prod
from typing import Literal

from convcli.errors import ArgumentError, instead_of
from convcli.layers.axes import Shape
from convcli.layers.base import Layer
from convcli.layers.counts import element_bytes
from convcli.networks.graph import Graph, Node
from convcli.networks.rows import Row, totals
from convcli.networks.tensor_shapes import tensor_shapes

# Numbers that an optimizer keeps for each parameter: none, a velocity, or two moments (Kingma & Ba 2015).
OPTIMIZERS = {"sgd": 0, "momentum": 1, "adam": 2}

Kept = Literal["inputs", "output", "mask", "nothing"]

# What the backward pass needs of a layer's tensors, as PyTorch's autograd keeps it; what is not named keeps its inputs:
# convolutions and products to get the gradients of their weights, normalisations, max pools, products of elements.
OF_LAYERS: dict[str, Kept] = {
    **dict.fromkeys(
        ("Add", "Concat", "Join", "Split", "Slice", "Pad", "Resize", "Constant", "Expand", "Tile"), "nothing"
    ),
    **dict.fromkeys(("PadAxes", "CumSum", "Triangle"), "nothing"),
    **dict.fromkeys(("ChannelShuffle", "PixelShuffle", "PixelUnshuffle", "AvgPool", "Gather"), "nothing"),
    "Softmax": "output",
    "Dropout": "mask",
}
OF_NAMES: dict[str, Kept] = {
    **dict.fromkeys(
        ("relu", "relu6", "sigmoid", "tanh", "elu", "softmax", "exp", "sqrt", "reciprocal"), "output"
    ),
    **dict.fromkeys(("identity", "add", "sub", "neg", "cast", "mean"), "nothing"),
}
# Layers whose output is their input seen otherwise: what is kept of it is kept of the input.
VIEWS = ("Flatten", "FlattenFrom", "Reshape", "Squeeze", "Unsqueeze", "Transpose")
AVERAGES = ("avg", "mean", "sum")  # kinds of pools and reductions that need no more than the shape


def check_optimizer(name: str) -> str:
    """Return the name of an optimizer, or raise ArgumentError."""
    if name not in OPTIMIZERS:
        raise ArgumentError(f"there is no optimizer {name!r}; {instead_of(name, OPTIMIZERS)}")
    return name


def add_training(
    network: Graph,
    shapes: Mapping[str, Shape],
    rows: Sequence[Row],
    *,
    dtype: str = "float32",
    optimizer: str = "sgd",
) -> list[Row]:
    """Return the rows of a network with what one step of training takes of each node.

    backward_flops : twice the forward ones: the gradients of the inputs, and those of the weights (Hobbhahn & Sevilla,
                     "What's the backward-forward FLOP ratio for neural networks?", 2021)
    training_flops : both passes, three times the forward FLOPs
    gradient_bytes : a gradient for each parameter
    optimizer_bytes : what the optimizer keeps for each parameter
    stored_activation_bytes : what is kept for the backward pass; a tensor that several nodes need stands with the first
    training_bytes : all of these, and the parameters
    """
    each = element_bytes(dtype)
    state = OPTIMIZERS[check_optimizer(optimizer)]
    sizes = tensor_shapes(network.nodes, shapes, network.stated)
    sources: dict[str, str] = {}  # a tensor that is a view -> what it is a view of
    kept: set[str] = set()
    made = []
    for node, row in zip(network.nodes, rows, strict=True):
        stored: int | None = None if row["flops"] is None else 0
        for tensor, bytes_each in _kept(node, each):
            tensor = sources.get(tensor, tensor)
            shape = sizes.get(tensor)
            if tensor in kept or shape is None or stored is None:
                continue
            kept.add(tensor)
            stored += prod(shape) * bytes_each
        if type(node.layer).__name__ in VIEWS:
            sources[node.outputs[0]] = sources.get(node.inputs[0], node.inputs[0])
        made.append(row | _fields(row, each, state, stored))
    return made


def _fields(row: Row, each: int, state: int, stored: int | None) -> Row:
    flops = row["flops"]
    gradients = row["params"] * each
    return {
        "backward_flops": None if flops is None else 2 * flops,
        "training_flops": None if flops is None else 3 * flops,
        "gradient_bytes": gradients,
        "optimizer_bytes": gradients * state,
        "stored_activation_bytes": stored,
        "training_bytes": None
        if stored is None
        else row["parameter_bytes"] + gradients * (1 + state) + stored,
    }


def _kept(node: Node, each: int) -> list[tuple[str, int]]:
    """Return the tensors that a node keeps for the backward pass, and the bytes of one element of each."""
    kept = _rule(node.layer.inner)
    if kept == "inputs":
        return [(tensor, each) for tensor in node.inputs]
    if kept == "output":
        return [(tensor, each) for tensor in node.outputs if tensor]
    if kept == "mask":  # whether each element was kept, a byte
        return [(node.outputs[0], 1)]
    return []


def _rule(layer: Layer) -> Kept:
    kind, fields = type(layer).__name__, vars(layer)
    if kind in VIEWS or fields.get("kind") in AVERAGES:
        return "nothing"
    name = str(fields.get("name") or fields.get("operator") or "")
    return OF_LAYERS.get(kind) or OF_NAMES.get(name, "inputs")


def training_lines(rows: Sequence[Row], optimizer: str) -> list[str]:
    """Say what one step of training takes, each part by its name."""
    sums = totals(rows)
    parts = {
        "parameters and buffers": "parameter_bytes",
        "gradients": "gradient_bytes",
        f"state of {optimizer}": "optimizer_bytes",
        "stored activations": "stored_activation_bytes",
    }
    told = ", ".join(f"{sums[field]:,} of {name}" for name, field in parts.items())
    return [
        f"a step of training: {sums['training_flops']:,} FLOPs, {sums['flops']:,} forward and "
        f"{sums['backward_flops']:,} backward",
        f"its memory: {sum(sums[field] for field in parts.values()):,} bytes: {told}",
    ]
