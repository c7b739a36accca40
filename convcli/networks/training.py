"""The cost of a training step: backward pass, gradients, optimizer state and stored activations."""

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

# Numbers that an optimizer stores per parameter: none, a velocity, or two moments (Kingma & Ba 2015).
OPTIMIZERS = {"sgd": 0, "momentum": 1, "adam": 2}

Kept = Literal["inputs", "output", "mask", "nothing"]

# The tensors of a layer that PyTorch's autograd stores for the backward pass. Layers that are not listed store their
# inputs, for example convolutions and matrix products (for the gradients of their weights) and normalisations.
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
# Layers whose output is a view of their input: they store nothing in addition to the input.
VIEWS = ("Flatten", "FlattenFrom", "Reshape", "Squeeze", "Unsqueeze", "Transpose")
AVERAGES = ("avg", "mean", "sum")  # kinds of pools and reductions whose gradient needs only the shape


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
    """Return the rows of a network with the cost of one training step per node.

    backward_flops : twice the forward FLOPs: for the gradients of the inputs and of the weights (Hobbhahn & Sevilla,
                     "What's the backward-forward FLOP ratio for neural networks?", 2021)
    training_flops : forward and backward pass, three times the forward FLOPs
    gradient_bytes : one gradient per parameter
    optimizer_bytes : the optimizer's state
    stored_activation_bytes : activations kept for the backward pass; a shared tensor counts for the first node only
    training_bytes : the sum of these and of the parameters
    """
    each = element_bytes(dtype)
    state = OPTIMIZERS[check_optimizer(optimizer)]
    sizes = tensor_shapes(network.nodes, shapes, network.stated)
    sources: dict[str, str] = {}  # a view -> the tensor that it is a view of
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
    """Return the tensors that a node stores for the backward pass, each with its bytes per element."""
    kept = _rule(node.layer.inner)
    if kept == "inputs":
        return [(tensor, each) for tensor in node.inputs]
    if kept == "output":
        return [(tensor, each) for tensor in node.outputs if tensor]
    if kept == "mask":  # one byte per element, whether it was kept
        return [(node.outputs[0], 1)]
    return []


def _rule(layer: Layer) -> Kept:
    kind, fields = type(layer).__name__, vars(layer)
    if kind in VIEWS or fields.get("kind") in AVERAGES:
        return "nothing"
    name = str(fields.get("name") or fields.get("operator") or "")
    return OF_LAYERS.get(kind) or OF_NAMES.get(name, "inputs")


def training_lines(rows: Sequence[Row], optimizer: str) -> list[str]:
    """Return lines that describe the cost of one training step and its parts."""
    sums = totals(rows)
    parts = {
        "parameters and buffers": "parameter_bytes",
        "gradients": "gradient_bytes",
        f"state of {optimizer}": "optimizer_bytes",
        "stored activations": "stored_activation_bytes",
    }
    text = ", ".join(f"{sums[field]:,} of {name}" for name, field in parts.items())
    return [
        f"one training step: {sums['training_flops']:,} FLOPs, {sums['flops']:,} forward and "
        f"{sums['backward_flops']:,} backward",
        f"its memory: {sum(sums[field] for field in parts.values()):,} bytes: {text}",
    ]
