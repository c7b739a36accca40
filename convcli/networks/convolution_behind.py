"""Find the convolution that a tensor comes from, through elementwise and per-channel layers."""

from convcli.layers.conv import Conv
from convcli.networks.graph import Graph, Node

PASSED = ("Activation", "PReLU", "BatchNorm", "GroupNorm", "InstanceNorm", "Dropout", "Elementwise", "LRN")


def convolution_behind(network: Graph, tensor: str) -> Node | None:
    """Return the convolution whose feature maps a tensor holds, possibly after norms and activations, or None.

    >>> from convcli.layers import Activation
    >>> from convcli.networks.rows import chain
    >>> graph = chain((Conv(1, 2, 3), Activation("relu")), (1, 5, 5))
    >>> convolution_behind(graph, graph.outputs[0]).name
    'conv1'
    """
    makers = {output: node for node in network.nodes for output in node.outputs}
    while (node := makers.get(tensor)) is not None:
        if type(node.layer) is Conv:
            return node
        if type(node.layer).__name__ not in PASSED or len(node.inputs) != 1:
            return None
        tensor = node.inputs[0]
    return None
