"""Replace the convolutions of a network by a variant, as MobileNets are compared with full convolutions."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from math import prod
from typing import NamedTuple

from convcli.errors import ArgumentError
from convcli.layers.activation import Activation
from convcli.layers.axes import Shape, by_axes
from convcli.layers.base import Layer
from convcli.layers.conv import Conv
from convcli.layers.variants import VARIANTS
from convcli.networks.graph import Graph, Node
from convcli.networks.network import Network
from convcli.networks.rows import chain_nodes
from convcli.networks.tensor_shapes import tensor_shapes

PAIR = "depthwise-separable"  # the variant that a depthwise and a pointwise convolution form together
BETWEEN = ("BatchNorm", "Dropout")  # layers allowed between the two, besides activations


class Place(NamedTuple):
    """A convolution whose kernel has more than one element: one node, or a depthwise and a pointwise node.

    nodes : their indices, and those of the nodes between them
    conv : the equivalent convolution from the input of the first to the output of the last
    """

    nodes: tuple[int, ...]
    conv: Conv

    @property
    def is_pair(self) -> bool:
        """Whether it is a depthwise and a pointwise convolution."""
        return len(self.nodes) > 1


class Replaced(NamedTuple):
    """The network with the variant, and what happened to each convolution.

    replaced : names of the nodes that the variant replaced
    already : names of the nodes that were the variant already
    kept : reason -> names of the nodes that were kept
    """

    network: Network
    replaced: Sequence[str]
    already: Sequence[str]
    kept: Mapping[str, Sequence[str]]


def replace_convs(network: Graph, variant: str, shapes: Mapping[str, Shape]) -> Replaced:
    """Return a network whose k x k convolutions are replaced by a variant.

    shapes : the whole shapes of the network's inputs

    A depthwise convolution and the pointwise one after it, with nothing but normalisation and activations between them,
    count as one depthwise-separable convolution. The convolution of the network's input is kept, as in MobileNet and
    Xception, because it has few channels. Convolutions that the variant cannot replace are kept too.
    """
    known = tensor_shapes(network.nodes, shapes, network.stated)
    nodes: dict[int, tuple[Node, ...]] = {}  # the index of a node -> the nodes that replace it
    replaced, already = [], []
    kept: dict[str, list[str]] = {}
    for place in find_places(network):
        first, last = network.nodes[place.nodes[0]], network.nodes[place.nodes[-1]]
        shape = known.get(first.inputs[0])
        if first.inputs[0] in network.inputs:
            kept.setdefault("takes the network's input", []).append(last.name)
            continue
        if shape is None:
            kept.setdefault("the shape of its input is unknown", []).append(last.name)
            continue
        try:
            layers = VARIANTS[variant](place.conv, shape[1:])
            _check_fit(layers, place.conv, shape[1:])
        except ArgumentError as error:
            kept.setdefault(str(error), []).append(last.name)
            continue
        if variant == PAIR if place.is_pair else layers == (first.layer,):
            already.append(last.name)
            continue
        replaced.append(last.name)
        nodes |= dict.fromkeys(place.nodes, ())
        nodes[place.nodes[-1]] = _stand_in(layers, first, last, variant)
    made = [each for number, node in enumerate(network.nodes) for each in nodes.get(number, (node,))]
    name = f"{network.name} of {variant}"
    own = {field.name: getattr(network, field.name) for field in fields(Graph)}
    return Replaced(Network(**{**own, "name": name, "nodes": made}), replaced, already, kept)


def find_places(network: Graph) -> list[Place]:
    """Return the convolutions of a network whose kernels have more than one element, in order."""
    users: dict[str, list[int]] = {}
    for number, node in enumerate(network.nodes):
        for tensor in node.inputs:
            users.setdefault(tensor, []).append(number)
    places = []
    for number, node in enumerate(network.nodes):
        conv = node.layer
        if type(conv) is not Conv or prod(conv.kernel_size) == 1:
            continue
        pair = _pair(network, users, number) if 1 < conv.groups == conv.in_channels else None
        places.append(pair or Place((number,), conv))
    return places


def _pair(network: Graph, users: Mapping[str, list[int]], number: int) -> Place | None:
    """Return a depthwise convolution and the pointwise one that is its only consumer; None if there is none."""
    depthwise, numbers = network.nodes[number].layer, [number]
    while True:
        (tensor, *more) = network.nodes[numbers[-1]].outputs
        after = users.get(tensor, [])
        if more or tensor in network.outputs or len(after) != 1:
            return None
        numbers.append(after[0])
        layer = network.nodes[after[0]].layer
        if isinstance(layer, Conv) and isinstance(depthwise, Conv):
            if prod(layer.kernel_size) > 1 or layer.groups > 1 or set(layer.stride) != {1} or _padded(layer):
                return None
            conv = replace(depthwise, out_channels=layer.out_channels, groups=1, bias=layer.bias)
            return Place(tuple(numbers), conv)
        if type(layer).__name__ not in BETWEEN and not isinstance(layer, Activation):
            return None


def _padded(conv: Conv) -> bool:
    return any(any(pair) for pair in conv.pads((1,) * conv.dims))


def _check_fit(layers: Sequence[Layer], conv: Conv, shape: Shape) -> None:
    """Raise ArgumentError if layers have another output shape than the convolution."""
    made = shape
    for layer in layers:
        made = layer.output_shape(made)
    wanted = conv.output_shape(shape)
    if made != wanted:
        raise ArgumentError(f"the variant makes {by_axes(made)} but {by_axes(wanted)} is needed")


def _stand_in(layers: Sequence[Layer], first: Node, last: Node, variant: str) -> tuple[Node, ...]:
    """Return the layers as nodes; the last one makes the outputs of the last node that is replaced."""
    names = (
        [last.name] if len(layers) == 1 else [f"{last.name}.{number}" for number in range(1, len(layers) + 1)]
    )
    *made, end = chain_nodes(layers, first.inputs[0], names)
    made.append(replace(end, outputs=last.outputs))
    if not last.weights:
        return tuple(made)
    stem = f"{last.weights[0]}/{variant}"
    kinds = ("weights", "biases", "buffers")
    return tuple(
        replace(node, weights=tuple(f"{stem}/{number}/{kind}" for kind in kinds))
        for number, node in enumerate(made)
    )
