"""The lines of a network's picture: one per node, or one per group of nodes if there are many."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from convcli.drawing.short_numbers import times
from convcli.layers.base import Layer
from convcli.layers.text.format_layer import format_layer, operator_of
from convcli.networks.graph import Graph, Node

EACH_NODE = 40  # networks of up to this number of nodes have one line per node
MAX_LINES = 100  # most lines with names
FEWEST_GROUPS = 8  # fewer groups would show too little of a network
MAX_NARROW = 400  # most lines without names
MAX_COUNTED = 3  # kinds of layers that the text of a group lists

# Layers that work elementwise or only change the shape: they are shown on the line of the layer before them.
FOLLOWERS = (
    *("Activation", "PReLU", "BatchNorm", "GroupNorm", "InstanceNorm", "LayerNorm", "LRN", "Dropout"),
    *("Softmax", "Flatten", "FlattenFrom", "Elementwise", "Reshape", "Squeeze", "Unsqueeze"),
)
KINDS = {
    **dict.fromkeys(("Conv", "ConvTranspose", "DeformConv", "LocalConv", "TiledConv"), "convolution"),
    **dict.fromkeys(("Dense", "Linear", "Gemm", "MatMul", "Recurrent"), "dense"),
    **dict.fromkeys(("MaxPool", "AvgPool", "LpPool", "AdaptivePool", "GlobalPool", "Reduce"), "pool"),
    **dict.fromkeys(("Add", "Concat", "Join"), "join"),
}


class Line(NamedTuple):
    """One line of the picture.

    name : of the node, of the first of several nodes, of the group, or of the input
    summary : a short description
    kind : of the layer with the most work: convolution, dense, pool, join, other; or input, group
    members : the indices of its nodes
    inputs : the indices of the lines that it takes inputs from, all before it
    """

    name: str
    summary: str
    kind: str
    members: tuple[int, ...]
    inputs: tuple[int, ...]

    def total(self, rows: Sequence[Mapping[str, Any]], field: str) -> Any:
        """Return the sum of a field over the nodes; None if it is unknown for all of them."""
        known = [rows[number][field] for number in self.members if rows[number].get(field) is not None]
        return sum(known) if known else None

    def last(self, rows: Sequence[Mapping[str, Any]], field: str) -> Any:
        """Return a field of the last node; None if there is no node."""
        return rows[self.members[-1]].get(field) if self.members else None


class _Part(NamedTuple):
    """The nodes of a line, and the name of their group; "" for one layer with its followers."""

    members: tuple[int, ...]
    group: str = ""


def network_lines(network: Graph) -> tuple[list[Line], bool]:
    """Return the lines in order, the inputs first, and whether there are too many to show names.

    Networks of up to EACH_NODE nodes have one line per node. In larger ones, activations, norms and similar layers are
    put on the line of the layer before them. If too many lines are left, layers of the same scope are grouped, such as
    `stage1.2` for `stage1.2.conv1`, with the deepest scopes that leave few enough lines. Networks without scopes keep
    their lines; if there are thousands, neighbouring lines are joined.
    """
    nodes = network.nodes
    parts = (
        [_Part((number,)) for number in range(len(nodes))] if len(nodes) <= EACH_NODE else _folded(network)
    )
    narrow = False
    if len(parts) > MAX_LINES:
        groups = _by_scope(nodes, parts)
        narrow = groups is None
        parts = groups or parts
    if len(parts) > MAX_NARROW:
        size = -(-len(parts) // MAX_NARROW)
        parts = [_together(nodes, parts[at : at + size]) for at in range(0, len(parts), size)]
    return _lines(network, parts), narrow


def _folded(network: Graph) -> list[_Part]:
    """Put each follower of a layer that feeds nothing else into that layer's part."""
    nodes = network.nodes
    users = Counter(tensor for node in nodes for tensor in node.inputs)
    users.update(tuple(network.outputs))
    ends: dict[str, list[int]] = {}  # the last tensor of each part
    parts: list[list[int]] = []
    for number, node in enumerate(nodes):
        before = node.inputs[0] if len(node.inputs) == 1 else None
        part = ends.get(before) if before is not None and users[before] == 1 else None
        if part is None or type(node.layer).__name__ not in FOLLOWERS:
            part = []
            parts.append(part)
        part.append(number)
        if len(node.outputs) == 1:
            ends[node.outputs[0]] = part
    return [_Part(tuple(part)) for part in parts]


def _by_scope(nodes: Sequence[Node], parts: Sequence[_Part]) -> list[_Part] | None:
    """Group neighbours of the same scope, at the largest depth that leaves few enough groups; None if there is none."""
    scopes = [
        (_scope(nodes[number].name), place, number)
        for place, part in enumerate(parts)
        for number in part.members
    ]
    for depth in range(max(len(scope) for scope, *_ in scopes), 0, -1):
        keys = [(scope[:depth] or (place,), number) for scope, place, number in scopes]
        runs = [(key, tuple(number for _, number in run)) for key, run in groupby(keys, itemgetter(0))]
        if len(runs) <= MAX_LINES:
            made = [
                _Part(members, "" if isinstance(key[0], int) else _joined(nodes[members[0]].name, key))
                for key, members in runs
            ]
            return made if len(made) >= FEWEST_GROUPS else None
    return None


def _joined(name: str, scope: Iterable[object]) -> str:
    return ("/" if "/" in name else ".").join(map(str, scope))


def _together(nodes: Sequence[Node], parts: Sequence[_Part]) -> _Part:
    """Join parts that have no common scope."""
    members = tuple(number for part in parts for number in part.members)
    return _Part(members, f"{nodes[members[0]].name} to {nodes[members[-1]].name}" if len(parts) > 1 else "")


def _scope(name: str) -> tuple[str, ...]:
    """Return the scopes of a node from its name, such as stage1.2.conv1 or /layer1/layer1.0/conv1/Conv.

    >>> _scope("stage1.2.conv1"), _scope("/layer1/layer1.0/conv1/Conv"), _scope("conv1")
    (('stage1', '2'), ('layer1', 'layer1.0', 'conv1'), ())
    """
    return tuple(re.split("/" if "/" in name else r"\.", name.strip("/"))[:-1])


def _lines(network: Graph, parts: Sequence[_Part]) -> list[Line]:
    places = {name: number for number, name in enumerate(network.inputs)}  # tensor -> index of its line
    lines = [
        Line(name, times(shape[1:], each=True), "input", (), ()) for name, shape in network.inputs.items()
    ]
    for part in parts:
        members = [network.nodes[number] for number in part.members]
        for node in members:
            places.update(dict.fromkeys(filter(None, node.outputs), len(lines)))
        inputs = {places[tensor] for node in members for tensor in node.inputs} - {len(lines)}
        grouped = bool(part.group) and len(members) > 1
        lines.append(
            Line(
                part.group if grouped else members[0].name,
                _group_summary(members) if grouped else _layer_summary(members),
                "group" if grouped else kind_of(members[0].layer, len(inputs)),
                part.members,
                tuple(sorted(inputs)),
            )
        )
    return lines


def kind_of(layer: Layer, inputs: int = 1) -> str:
    """Return the kind of a layer, which determines the colour of its node."""
    kind = KINDS.get(type(layer.inner).__name__)
    return kind or ("join" if inputs > 1 else "other")


def _layer_summary(members: Sequence[Node]) -> str:
    first, *others = members
    return ", ".join([format_layer(first.layer), *(operator_of(node.layer) for node in others)])


def _group_summary(members: Sequence[Node]) -> str:
    """Return the number of layers of each kind, most important kinds first: 3 conv, 3 bn, 4 more."""
    order = list(dict.fromkeys((*KINDS.values(), "other")))
    counts = Counter(operator_of(node.layer) for node in members)
    ranks = {operator_of(node.layer): order.index(kind_of(node.layer)) for node in members}
    names = sorted(counts, key=lambda name: (ranks[name], -counts[name]))
    parts = [f"{counts[name]} {name}" for name in names[:MAX_COUNTED]]
    left = sum(counts[name] for name in names[MAX_COUNTED:])
    return ", ".join([*parts, f"{left} more"] if left else parts)
