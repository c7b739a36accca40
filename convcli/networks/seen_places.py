"""Find the positions of every tensor of a network that one output sees: its receptive field."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from convcli.errors import ArgumentError
from convcli.layers.axes import Shape, Sizes, by_axes
from convcli.layers.base import Trace
from convcli.layers.receptive import seen_inputs
from convcli.layers.text.format_layer import format_layer
from convcli.networks.graph import Graph, Node

# Positions along one axis: a range for all of them, a string for the reason why they are unknown.
Places = frozenset[int] | range | str
MAX_FOLLOWED = (
    1 << 16
)  # largest number of positions of an axis that are traced one by one; beyond that, all are included


class Seen(NamedTuple):
    """What an output sees of a tensor.

    node : the node that makes the tensor; None for an input of the network
    size : sizes of the axes along which the output lies
    places : for each of these axes, the positions that are seen, sorted
    """

    tensor: str
    node: Node | None
    size: Sizes
    places: tuple[tuple[int, ...], ...]


def last_spatial(network: Graph, shapes: Mapping[str, Shape]) -> str:
    """Return the tensor nearest to the network's first output with more than one position, or raise ArgumentError."""
    makers = {tensor: node for node in network.nodes for tensor in node.outputs}
    tensor = next(iter(network.outputs))
    while max(shapes.get(tensor, ())[2:], default=1) == 1:
        node = makers.get(tensor)
        if node is None or not node.inputs:
            raise ArgumentError(
                f"no tensor of {network.name or 'the chain'} has rows and columns; use another network"
            )
        tensor = node.inputs[0]
    return tensor


def seen_on_path(network: Graph, shapes: Mapping[str, Shape], tensor: str, at: Sequence[int]) -> list[Seen]:
    """Return what one position of a tensor sees of each tensor on the longest path, starting with the network's input.

    Positions that are seen through other paths are included. Rows and columns are traced separately: if branches see
    different positions, all rows and all columns that any branch sees are reported.

    shapes : whole shapes of all known tensors
    at : the position along the axes from 2 on

    Raises
    ------
    ArgumentError
        If what a layer sees depends on the data or is unknown.

    """
    check_place(at, shapes[tensor][2:])
    axes, places = _traced_back(network, shapes, tensor, at)
    found = []
    for name, node in _longest_path(network, shapes, tensor, places):
        own = axes.get(name, tuple(range(2, len(shapes[name]))))
        known = []
        for axis in own:
            each = places[name][axis]
            if isinstance(each, str):
                raise ArgumentError(each)
            known.append(tuple(sorted(each)))
        found.append(Seen(name, node, tuple(shapes[name][axis] for axis in own), tuple(known)))
    return found[::-1]


def _traced_back(
    network: Graph, shapes: Mapping[str, Shape], tensor: str, at: Sequence[int]
) -> tuple[dict[str, tuple[int, ...]], dict[str, list[Places]]]:
    """Return, for each tensor that is seen, the axes along which the output lies, and the seen positions per axis."""
    axes = {tensor: tuple(range(2, len(shapes[tensor])))}
    start: list[Places] = [*map(range, shapes[tensor][:2]), *(frozenset((place,)) for place in at)]
    places: dict[str, list[Places]] = {tensor: start}
    for node in reversed(network.nodes):
        for number, output in enumerate(node.outputs):
            if output not in places:
                continue
            if not node.layer.counted or any(name not in shapes for name in node.inputs):
                raise ArgumentError(_unknown(network, node, "is unknown"))
            given = [shapes[name] for name in node.inputs]
            along = axes.get(output, tuple(range(2, len(shapes[output]))))
            for source, shape, traces in zip(
                node.inputs, given, node.layer.inner.traces(number, *given), strict=False
            ):
                made = [
                    _back(network, node, trace, n, places[output], shapes[output])
                    for trace, n in zip(traces, shape, strict=True)
                ]
                places[source] = _joined(places[source], made) if source in places else made
                own = _own_axes(along, traces)
                if own is not None:
                    axes.setdefault(source, own)
    return axes, places


def _back(network: Graph, node: Node, trace: Trace, n: int, seen: Sequence[Places], output: Shape) -> Places:
    """Return the positions, out of `n`, of an input's axis that the given positions of the output see."""
    if trace.seen == "whole":
        return range(n)
    if trace.seen is None:
        return _unknown(network, node, "is unknown" if trace.axis is None else "depends on the data")
    if trace.axis is None:
        return range(n)
    of_output = seen[trace.axis]
    if isinstance(of_output, str):
        return of_output
    if trace.flat:
        whole = len(of_output) == output[trace.axis]
        return range(n) if whole else _unknown(network, node, "has no window")
    link = trace.seen
    if len(of_output) > MAX_FOLLOWED:
        return range(n)
    return frozenset(x for y in of_output for x in seen_inputs(link, y) if 0 <= x < n)


def _unknown(network: Graph, node: Node, why: str) -> str:
    """Return the error for a layer whose view is unknown; a layer of a chain is described by its text."""
    description, hint = (
        (node.description, "name a layer before it by `layer`")
        if network.name
        else (repr(format_layer(node.layer)), "leave it out")
    )
    return f"what {description} sees {why}, so it cannot be drawn; {hint}"


def _joined(one: Sequence[Places], two: Sequence[Places]) -> list[Places]:
    """Return the union of the positions seen through two paths, per axis."""
    return [_either(*pair) for pair in zip(one, two, strict=True)]


def _either(one: Places, two: Places) -> Places:
    if isinstance(one, str) or isinstance(two, str):
        return one if isinstance(one, str) else two
    if isinstance(one, range) or isinstance(two, range):
        return one if isinstance(one, range) else two
    return one | two


def _own_axes(axes: Sequence[int], traces: Sequence[Trace]) -> tuple[int, ...] | None:
    """Return the axes of an input that become the given output axes; None if one has no single source."""
    found = []
    for axis in axes:
        sources = [place for place, trace in enumerate(traces) if trace.axis == axis and not trace.flat]
        if len(sources) != 1:
            return None
        found += sources
    return tuple(found)


def _longest_path(
    network: Graph, shapes: Mapping[str, Shape], tensor: str, places: Mapping[str, object]
) -> list[tuple[str, Node | None]]:
    """Return the tensors of the longest path to a tensor from an input of the network, starting with that tensor.

    A path through a tensor with a single position, as in squeeze-and-excite, is used only if there is no other.
    """
    depths = dict.fromkeys(
        network.inputs, (True, 0)
    )  # whether all tensors of the path have several positions, and their number
    makers: dict[str, Node] = {}
    for node in network.nodes:
        deepest = max((depths[name] for name in node.inputs if name in depths), default=None)
        for output in node.outputs:
            makers[output] = node
            if deepest is not None:
                wide, depth = deepest
                depths[output] = (wide and max(shapes.get(output, ())[2:], default=1) > 1, depth + 1)
    path: list[tuple[str, Node | None]] = []
    while True:
        maker = makers.get(tensor)
        path.append((tensor, maker))
        before = [name for name in maker.inputs if name in depths and name in places] if maker else []
        if not before:
            return path
        tensor = max(before, key=depths.__getitem__)


def check_place(at: Sequence[int], size: Sizes) -> None:
    """Raise ArgumentError if a position is outside the output."""
    if len(at) != len(size) or not all(0 <= y < n for y, n in zip(at, size, strict=True)):
        raise ArgumentError(
            f"`at` {','.join(map(str, at))} is outside the output, which is {by_axes(size)}; positions count from 0"
        )
