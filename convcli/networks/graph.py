"""The graph of a network: named nodes, each a layer with its inputs, in topological order."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from convcli.errors import ArgumentError, instead_of
from convcli.layers.axes import Shape
from convcli.layers.base import Layer
from convcli.layers.text.format_layer import format_layer

BATCH = "N"  # the default name of the batch axis
MAX_NODES = 1_000_000
MAX_LISTED = 8  # nodes of a cycle that errors name

# A whole shape, the batch axis first; an unknown size is a name.
NamedShape = tuple[int | str, ...]


class GraphError(ArgumentError):
    """The nodes do not form a graph; `defect` is the message without its advice, for graphs that come from a file."""

    def __init__(self, defect: str, advice: str = "") -> None:
        """Combine the defect and the advice in the message."""
        super().__init__(f"{defect}; {advice}" if advice else defect)
        self.defect = defect


@dataclass(frozen=True)
class Node:
    """One layer of a network.

    name : unique in the network
    layer : the layer; an `Unknown` one cannot be counted
    inputs : the input tensors in the layer's order
    outputs : the output tensors; "" for one that is not used
    weights : names of its weights, biases and buffers, if other nodes may share them; shared numbers are counted once,
              for the first node that has them
    """

    name: str
    layer: Layer
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    weights: tuple[str, ...] = ()

    @property
    def owner(self) -> str:
        """The prefix of its arrays' names, as in NAME.weight: the node's own name, or the one shared with others."""
        return self.weights[0].removesuffix(".weights") if self.weights and self.weights[0] else self.name

    @property
    def description(self) -> str:
        """The description of the node in errors."""
        spelled = format_layer(self.layer)
        return f"node {self.name!r}" + ("" if spelled == self.name else f" ({spelled})")


@dataclass(frozen=True)
class Graph:
    """Nodes in order, with the network's inputs and outputs; the subclass `Network` computes shapes and costs.

    name : the name of the network
    inputs : name -> whole shape, the batch axis first; unknown sizes are names, as in ("N", 3, 224, 224)
    nodes : in any order; they are sorted so that every input is computed before it is used
    outputs : the output tensors
    stated : tensor -> shape stated by the model, used if a node cannot be counted
    per_item : whether shapes are shown without the batch axis
    source : the publication that describes the network
    remarks : notes for the user
    kernels : array -> name of the kernel that is its default value in a run
    dtypes : NumPy dtypes of the inputs that are not float32

    Raises
    ------
    GraphError
        For cycles, inputs that no node makes, duplicate names, or a wrong number of inputs.

    """

    name: str
    inputs: Mapping[str, NamedShape]
    nodes: Sequence[Node]
    outputs: tuple[str, ...]
    stated: Mapping[str, Shape] = field(default_factory=dict)
    per_item: bool = True
    source: str = ""
    remarks: tuple[str, ...] = ()
    kernels: Mapping[str, str] = field(default_factory=dict)
    dtypes: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check the graph and sort its nodes."""
        nodes = tuple(self.nodes)
        if len(nodes) > MAX_NODES:
            raise GraphError(f"a network of {len(nodes):,} nodes is over the limit of {MAX_NODES:,}")
        makers = _makers(self.inputs, nodes)
        for node in nodes:
            _check_inputs(node, makers)
        for output in self.outputs:
            if output not in makers:
                raise GraphError(f"no node makes the output {output!r}", instead_of(output, makers))
        object.__setattr__(self, "nodes", _ordered(nodes, makers))
        object.__setattr__(self, "inputs", {name: tuple(shape) for name, shape in self.inputs.items()})
        object.__setattr__(self, "outputs", tuple(self.outputs))

    @property
    def tensors(self) -> dict[str, str]:
        """The tensors by the names by which users know them: those of nodes and tensors, and those of blocks.

        The tensor of a node is its first output, and that of a block, `residual1` of `residual1.relu1`, the output of
        its last node.
        """
        blocks: dict[str, str] = {}
        for node in self.nodes:
            parts = self._blocks_of(node.name)
            blocks |= dict.fromkeys(parts, node.outputs[0])
        by_tensor = {name: name for node in self.nodes for name in node.outputs if name}
        return {**blocks, **by_tensor, **{node.name: node.outputs[0] for node in self.nodes}}

    @staticmethod
    def _blocks_of(name: str) -> list[str]:
        """Return the names of the blocks that a node is in, outermost first."""
        parts = name.split(".")
        return [".".join(parts[:count]) for count in range(1, len(parts))]

    def maker(self, tensor: str) -> str:
        """Return the description of the node that makes a tensor, for errors."""
        node = next((node for node in self.nodes if tensor in node.outputs), None)
        return f"the input {tensor!r} of the network" if node is None else node.description


def numbered(operator: str, number: int) -> str:
    """Return the default name of a node: its operator and a number.

    >>> numbered("conv", 2), numbered("relu6", 2)
    ('conv2', 'relu6_2')
    """
    return f"{operator}_{number}" if operator[-1].isdigit() else f"{operator}{number}"


def _makers(inputs: Mapping[str, NamedShape], nodes: Iterable[Node]) -> dict[str, int]:
    """Return, for each tensor, the index of the node that makes it; -1 for the network's inputs."""
    makers = dict.fromkeys(inputs, -1)
    producers: dict[str, str] = dict.fromkeys(inputs, "the network's input")
    names: set[str] = set()
    for number, node in enumerate(nodes):
        for name in (node.name, *node.outputs):
            if not name.isprintable():
                raise GraphError(f"the name {name!r} contains control characters", "remove them")
        if node.name in names:
            raise GraphError(f"two nodes are called {node.name!r}", "give each a unique name")
        names.add(node.name)
        for output in filter(None, node.outputs):
            if output in makers:
                raise GraphError(
                    f"{producers[output]} and {node.description} both make the tensor {output!r}",
                    "rename one of the outputs",
                )
            makers[output] = number
            producers[output] = f"node {node.name!r}"
    return makers


def _check_inputs(node: Node, makers: Mapping[str, int]) -> None:
    fewest, most, given = node.layer.fewest_inputs, node.layer.most_inputs, len(node.inputs)
    if given < fewest or (most is not None and given > most):
        takes = (
            str(fewest) if most == fewest else f"{fewest} or more" if most is None else f"{fewest} to {most}"
        )
        raise GraphError(f"{node.description} has {given} inputs, but it takes {takes}")
    for tensor in node.inputs:
        if tensor not in makers:
            raise GraphError(
                f"{node.description} takes {tensor!r}, which no node makes", instead_of(tensor, makers)
            )


def _ordered(nodes: tuple[Node, ...], makers: Mapping[str, int]) -> tuple[Node, ...]:
    """Return the nodes in topological order: as given, if that is one."""
    needs = [{makers[tensor] for tensor in node.inputs} - {-1} for node in nodes]
    if all(max(each, default=-1) < number for number, each in enumerate(needs)):
        return nodes
    used_by: list[list[int]] = [[] for _ in nodes]
    for number, each in enumerate(needs):
        for maker in each:
            used_by[maker].append(number)
    left = [len(each) for each in needs]
    ready = [number for number, count in enumerate(left) if not count]
    for number in ready:  # grows during the iteration
        for user in used_by[number]:
            left[user] -= 1
            if not left[user]:
                ready.append(user)
    if len(ready) < len(nodes):
        raise GraphError(
            f"the nodes {_circle(nodes, needs, left)} form a cycle", "change the input of one of them"
        )
    return tuple(nodes[number] for number in ready)


def _circle(nodes: Sequence[Node], needs: Sequence[set[int]], left: Sequence[int]) -> str:
    """Return the names of the nodes of one cycle, each taking the output of the one before it."""
    number = next(number for number, count in enumerate(left) if count)
    seen: dict[int, int] = {}
    path: list[int] = []
    while number not in seen:
        seen[number] = len(path)
        path.append(number)
        number = next(maker for maker in needs[number] if left[maker])
    found = path[seen[number] :][::-1]
    first = found.index(min(found))
    names = [repr(nodes[each].name) for each in (*found[first:], *found[:first])]
    if len(names) > MAX_LISTED:
        names = [*names[: MAX_LISTED - 1], f"{len(names) - MAX_LISTED + 1} more"]
    return ", ".join(names)
