"""A network: named nodes, each a layer with its inputs, in an order in which every input is made before it is used."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from convcli.errors import ArgumentError, instead_of
from convcli.layers.axes import Shape
from convcli.layers.base import Layer
from convcli.layers.text.spelling import spell

BATCH = "N"  # the name of the batch axis where it has no other
MOST_NODES = 1_000_000
MOST_LISTED = 8  # nodes of a circle that are named

# A whole shape, the batch axis first; a size that is not known yet is a name.
NamedShape = tuple[int | str, ...]


@dataclass(frozen=True)
class Node:
    """One layer of a network.

    name : unique in the network
    layer : what is done; an `Unknown` one cannot be counted
    inputs : the tensors that go in, in the layer's order
    outputs : the tensors that come out; "" for one that is not wanted
    weights : names of the stored numbers in the order weights, biases, buffers, where other nodes may have the same;
              what an earlier node has is not counted again
    """

    name: str
    layer: Layer
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    weights: tuple[str, ...] = ()

    @property
    def owner(self) -> str:
        """What its arrays are called by, as NAME.weight: the node itself, or what shares them with it."""
        return self.weights[0].removesuffix(".weights") if self.weights and self.weights[0] else self.name

    @property
    def told(self) -> str:
        """The node as errors call it."""
        spelled = spell(self.layer)
        return f"node {self.name!r}" + ("" if spelled == self.name else f" ({spelled})")


@dataclass(frozen=True)
class Graph:
    """Nodes in order, with the network's inputs and outputs; a `Network` is one that answers questions.

    name : what it is called
    inputs : name -> whole shape, the batch axis first; sizes that are not known yet are names, as ("N", 3, 224, 224)
    nodes : in any order; they are put into one in which every input is made before it is used
    outputs : the tensors that are the answer
    stated : tensor -> shape that the model says it has, used where a node cannot be counted
    per_item : whether shapes are shown without the batch axis
    source : where the network is described
    remarks : what a reader of the answer should know
    kernels : array -> name of the kernel that it is, where a run is given no other
    dtypes : of the inputs that are not float32, by NumPy's names

    Raises
    ------
    ArgumentError
        For nodes in a circle, inputs that nothing makes, two things of one name, or a wrong number of inputs.

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
        """Check the graph, and put its nodes in order."""
        nodes = tuple(self.nodes)
        if len(nodes) > MOST_NODES:
            raise ArgumentError(f"a network of {len(nodes):,} nodes is over the limit of {MOST_NODES:,}")
        makers = _makers(self.inputs, nodes)
        for node in nodes:
            _check_inputs(node, makers)
        for output in self.outputs:
            if output not in makers:
                raise ArgumentError(f"the output {output!r} is made by no node; {instead_of(output, makers)}")
        object.__setattr__(self, "nodes", _ordered(nodes, makers))
        object.__setattr__(self, "inputs", {name: tuple(shape) for name, shape in self.inputs.items()})
        object.__setattr__(self, "outputs", tuple(self.outputs))

    def maker(self, tensor: str) -> str:
        """Return what makes a tensor, as errors call it."""
        node = next((node for node in self.nodes if tensor in node.outputs), None)
        return f"the input {tensor!r} of the network" if node is None else node.told


def numbered(operator: str, number: int) -> str:
    """Return the name of a node that has no other: its operator and its number among those alike.

    >>> numbered("conv", 2), numbered("relu6", 2)
    ('conv2', 'relu6_2')
    """
    return f"{operator}_{number}" if operator[-1].isdigit() else f"{operator}{number}"


def _makers(inputs: Mapping[str, NamedShape], nodes: Iterable[Node]) -> dict[str, int]:
    """Return for each tensor the number of the node that makes it; -1 for the network's inputs."""
    makers = dict.fromkeys(inputs, -1)
    told: dict[str, str] = dict.fromkeys(inputs, "the network's input")
    names: set[str] = set()
    for number, node in enumerate(nodes):
        for name in (node.name, *node.outputs):
            if not name.isprintable():
                raise ArgumentError(f"the name {name!r} has control characters in it")
        if node.name in names:
            raise ArgumentError(f"two nodes are called {node.name!r}; give each a name of its own")
        names.add(node.name)
        for output in filter(None, node.outputs):
            if output in makers:
                raise ArgumentError(
                    f"{told[output]} and {node.told} both make the tensor {output!r}; it can be made once"
                )
            makers[output] = number
            told[output] = f"node {node.name!r}"
    return makers


def _check_inputs(node: Node, makers: Mapping[str, int]) -> None:
    fewest, most, given = node.layer.fewest_inputs, node.layer.most_inputs, len(node.inputs)
    if given < fewest or (most is not None and given > most):
        takes = (
            str(fewest) if most == fewest else f"{fewest} or more" if most is None else f"{fewest} to {most}"
        )
        raise ArgumentError(f"{node.told} has {given} inputs, and it takes {takes}")
    for tensor in node.inputs:
        if tensor not in makers:
            raise ArgumentError(
                f"{node.told} takes {tensor!r}, which nothing makes; {instead_of(tensor, makers)}"
            )


def _ordered(nodes: tuple[Node, ...], makers: Mapping[str, int]) -> tuple[Node, ...]:
    """Return the nodes in an order in which inputs are made before they are used: as given, if that is one."""
    needs = [{makers[tensor] for tensor in node.inputs} - {-1} for node in nodes]
    if all(max(each, default=-1) < number for number, each in enumerate(needs)):
        return nodes
    used_by: list[list[int]] = [[] for _ in nodes]
    for number, each in enumerate(needs):
        for maker in each:
            used_by[maker].append(number)
    left = [len(each) for each in needs]
    ready = [number for number, count in enumerate(left) if not count]
    for number in ready:  # which grows as it is gone through
        for user in used_by[number]:
            left[user] -= 1
            if not left[user]:
                ready.append(user)
    if len(ready) < len(nodes):
        raise ArgumentError(
            f"the nodes {_circle(nodes, needs, left)} go round in a circle; one of them must take another input"
        )
    return tuple(nodes[number] for number in ready)


def _circle(nodes: Sequence[Node], needs: Sequence[set[int]], left: Sequence[int]) -> str:
    """Name the nodes of one circle among those that are left, each taking what the next one makes."""
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
    if len(names) > MOST_LISTED:
        names = [*names[: MOST_LISTED - 1], f"{len(names) - MOST_LISTED + 1} more"]
    return ", ".join(names)
