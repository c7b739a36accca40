"""Estimate the memory that running a network takes, from its shapes."""

from collections.abc import Iterable, Mapping
from math import prod

from convcli.layers.axes import Shape
from convcli.networks.graph import Graph
from convcli.networks.program import needed

BYTES = 4  # per float32


def live_memory(network: Graph, shapes: Mapping[str, Shape], wanted: Iterable[str]) -> int:
    """Return the largest number of bytes of live tensors and weights; tensors are freed after their last use.

    shapes : of all tensors
    wanted : tensors that are kept to the end
    """
    wanted = set(wanted)
    nodes = needed(network, wanted)
    last = {tensor: place for place, node in enumerate(nodes) for tensor in (*node.inputs, *node.outputs)}
    weights = sum(node.layer.params() + node.layer.buffers() for node in nodes)
    live = {name: prod(shapes[name]) for name in network.inputs}
    now = most = sum(live.values())
    for place, node in enumerate(nodes):
        made = {name: prod(shapes.get(name, ())) for name in node.outputs if name}
        live |= made
        now += sum(made.values())
        most = max(most, now)
        for tensor in {*node.inputs, *made}:
            if last[tensor] == place and tensor not in wanted and tensor not in network.inputs:
                now -= live.pop(tensor, 0)
    return BYTES * (most + 2 * weights)
