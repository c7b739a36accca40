"""A chain of layers, typed as for --layers, as a network that can be compared with others."""

from collections.abc import Mapping, Sequence

from convcli.errors import ArgumentError
from convcli.layers.text.chain_grammar import parse_chain
from convcli.networks.load_network import load_network
from convcli.networks.network import Network
from convcli.networks.rows import INPUT, chain

Shapes = Sequence[int] | Mapping[str, Sequence[int]] | None


def chain_network(text: str, shapes: Shapes) -> Network:
    """Return the network of a chain; raise ArgumentError without the shape of its input.

    >>> chain_network("conv k3 p1 o8, relu", (3, 8, 8)).totals()["macs"]
    13824
    """
    if isinstance(shapes, Mapping):
        shapes = shapes.get(INPUT)
    if shapes is None:
        raise ArgumentError(
            f"the chain {text!r} needs the shape of its input; give `inputs`, such as 64x56x56"
        )
    graph = chain(parse_chain(text, shapes), tuple(shapes))
    name = ", ".join(" ".join(item.split()) for item in text.split(","))
    return Network(name, graph.inputs, graph.nodes, graph.outputs)


def load_network_or_chain(text: str, shapes: Shapes, **options: float) -> Network:
    """Return the network of a name or a file, or that of a chain of layers."""
    from convcli.layers.text.chain_grammar import is_chain

    if not is_chain(text):
        return load_network(text, shapes, **options)
    for name in options:
        raise ArgumentError(f"a chain of layers has no `{name}`; leave it out, or name only networks")
    return chain_network(text, shapes)
