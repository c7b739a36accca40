"""Find nodes of a network that run as one step: a convolution with its followers, and decomposed activations.

Exporters write hard-swish as Add, Clip, Mul and Div, and batch normalisation as Mul and Add. Each pass over a tensor
takes time; fused steps avoid the passes between their nodes.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from convcli.layers.activation import Activation
from convcli.layers.axes import Shape
from convcli.layers.base import Layer
from convcli.layers.conv import Conv
from convcli.layers.dropout import Dropout
from convcli.layers.elementwise import Elementwise
from convcli.layers.other import Add, BatchNorm, Dense
from convcli.layers.products import Linear
from convcli.networks.graph import Node

Arguments = Mapping[str, Any]


@dataclass
class Step:
    """Nodes that run as one step.

    head : the node whose layer does the work
    affine : nodes after it that scale and shift its channels
    add : a tensor that is added to the result, or ""
    finish : the final activation and the parameters of its formula
    output : the output tensor, if it is not the head's first one
    place : the index of the last of its nodes
    """

    head: Node
    affine: list[Node] = field(default_factory=list)
    add: str = ""
    finish: tuple[str, Arguments] | None = None
    output: str = ""
    place: int = 0
    decomposed: tuple[
        int, ...
    ] = ()  # the indices of the nodes of a decomposed activation, which has no parameters

    @property
    def inputs(self) -> tuple[str, ...]:
        """The input tensors; the one that is added comes last."""
        return (*self.head.inputs, self.add) if self.add else self.head.inputs

    @property
    def outputs(self) -> tuple[str, ...]:
        """The output tensors."""
        return (self.output,) if self.output else self.head.outputs


class Fusion:
    """The steps of some nodes of a network.

    wanted : tensors that must exist, so that their nodes are not fused into later ones
    arguments : for each node, the arguments of its operator
    """

    def __init__(
        self,
        nodes: Sequence[Node],
        wanted: Iterable[str],
        arguments: Mapping[str, Arguments],
        shapes: Mapping[str, Shape | None],
    ) -> None:
        self.nodes, self.wanted = list(nodes), set(wanted)
        self.arguments, self.shapes = arguments, shapes
        self.users: dict[str, list[int]] = {}
        self.maker: dict[str, int] = {}
        for place, node in enumerate(self.nodes):
            for tensor in node.inputs:
                self.users.setdefault(tensor, []).append(place)
            for tensor in node.outputs:
                self.maker[tensor] = place
        self.taken: set[int] = set()  # nodes that are part of another node's step

    def steps(self) -> list[Step]:
        """Return the steps in an order in which inputs are computed before they are used."""
        decomposed = self._decomposed()
        made = []
        for place, node in enumerate(self.nodes):
            if place in self.taken:
                continue
            step = decomposed.get(place) or Step(node, output="", place=place)
            if isinstance(node.layer, Conv | Dense | Linear | BatchNorm | Add | Elementwise):
                self._follow(step, decomposed)
            made.append(step)
        return sorted(made, key=lambda step: step.place)

    def _follow(self, step: Step, decomposed: Mapping[int, Step]) -> None:
        """Fuse the nodes after a step's head into it, as long as nothing else uses the tensors in between."""
        weighted = isinstance(step.head.layer, Conv | Dense | Linear)
        tensor = step.outputs[0]
        while step.finish is None:
            place = self._next(tensor, decomposed)
            if place is None or place in self.taken:
                return
            node = self.nodes[place]
            other = decomposed.get(place)
            layer = node.layer if other is None else other.head.layer
            if weighted and not step.add and other is None and self._is_affine(step.head.layer, node, tensor):
                step.affine.append(node)
            elif isinstance(layer, Dropout):
                pass
            elif isinstance(step.head.layer, Conv) and not step.add and self._is_sum(node, tensor, place):
                first, second = node.inputs
                step.add = second if first == tensor else first
            elif isinstance(layer, Activation) and layer.name not in ("softmax", "identity"):
                step.finish = (layer.name, self.arguments.get(node.name, {}) if other is None else {})
            else:
                return
            self.taken.add(place)
            tensor = node.outputs[0] if other is None else other.output
            step.output, step.place = tensor, place if other is None else other.place

    def _next(self, tensor: str, decomposed: Mapping[int, Step]) -> int | None:
        """Return the only user of a tensor, or None."""
        users = set(self.users.get(tensor, ()))
        if tensor in self.wanted or not users:
            return None
        first = min(users)
        # A decomposed activation uses its input several times, in nodes that count as one.
        parts = decomposed[first].decomposed if first in decomposed else (first,)
        return first if users <= set(parts) else None

    def _is_affine(self, head: Layer, node: Node, tensor: str) -> bool:
        """Return whether a node scales or shifts the output channels of a convolution or dense layer by constants."""
        layer, shape = node.layer, self.shapes.get(tensor)
        channel = 1 if isinstance(head, Conv) else len(shape or ()) - 1
        if isinstance(layer, BatchNorm):
            return channel == 1
        if not isinstance(layer, Elementwise) or layer.operand is None or shape is None:
            return False
        if layer.operator not in ("add", "mul", "sub", "div") or (
            layer.operand_first and layer.operator in ("sub", "div")
        ):
            return False
        axes = len(shape) - len(layer.operand)
        sizes = {axis + axes: n for axis, n in enumerate(layer.operand) if n > 1}
        return axes >= 0 and sizes.keys() <= {channel} and all(n == shape[axis] for axis, n in sizes.items())

    def _is_sum(self, node: Node, tensor: str, place: int) -> bool:
        """Return whether a node adds a tensor of the same shape, without broadcasting."""
        if not isinstance(node.layer, Add) and not (
            isinstance(node.layer, Elementwise)
            and node.layer.operator == "add"
            and node.layer.operand is None
        ):
            return False
        if len(node.inputs) != 2 or node.inputs[0] == node.inputs[1]:
            return False
        other = node.inputs[0] if node.inputs[1] == tensor else node.inputs[1]
        return self.shapes.get(other) is not None and self.shapes.get(other) == self.shapes.get(tensor)

    def _decomposed(self) -> dict[int, Step]:
        """Return the decomposed activations by the index of their first node."""
        found: dict[int, Step] = {}
        for place, node in enumerate(self.nodes):
            if place in self.taken:
                continue
            match = self._hard_swish(place, node) or self._times_itself(place, node)
            if match is not None:
                name, places = match
                last = places[-1]
                head = Node(node.name, Activation(name), node.inputs[:1], self.nodes[last].outputs)
                found[place] = Step(
                    head, output=self.nodes[last].outputs[0], place=last, decomposed=tuple(places)
                )
                self.taken.update(places[1:])
        return found

    def _times_itself(self, place: int, node: Node) -> tuple[str, list[int]] | None:
        """Find x * sigmoid(x) and x * hard-sigmoid(x)."""
        if not isinstance(node.layer, Activation) or node.layer.name not in ("sigmoid", "hard-sigmoid"):
            return None
        numbers = self.arguments.get(node.name, {})
        usual = abs(numbers.get("alpha", 1 / 6) - 1 / 6) < 1e-6 and numbers.get("beta", 0.5) == 0.5
        if node.layer.name == "hard-sigmoid" and not usual:
            return None
        after = self._after(node.outputs[0], "mul")
        if after is None or sorted(self.nodes[after].inputs) != sorted((node.inputs[0], node.outputs[0])):
            return None
        return ("silu" if node.layer.name == "sigmoid" else "hard-swish"), [place, after]

    def _hard_swish(self, place: int, node: Node) -> tuple[str, list[int]] | None:
        """Find x * relu6(x + 3) / 6, with the product and the division in any order."""
        if self._operand(node, "add") != 3:
            return None
        clip = self._only(node.outputs[0])
        if clip is None or not self._is_relu6(self.nodes[clip]):
            return None
        x, places, tensor = node.inputs[0], [place, clip], self.nodes[clip].outputs[0]
        multiplied = divided = False
        while not (multiplied and divided):
            after = self._only(tensor)
            if after is None:
                return None
            step = self.nodes[after]
            number = self._operand(step, "div"), self._operand(step, "mul")
            if not divided and (number[0] == 6 or (number[1] is not None and abs(number[1] - 1 / 6) < 1e-6)):
                divided = True
            elif (
                not multiplied
                and isinstance(step.layer, Elementwise)
                and step.layer.operator == "mul"
                and sorted(step.inputs) == sorted((x, tensor))
            ):
                multiplied = True
            else:
                return None
            places.append(after)
            tensor = step.outputs[0]
        return "hard-swish", places

    def _is_relu6(self, node: Node) -> bool:
        numbers = self.arguments.get(node.name, {})
        if isinstance(node.layer, Elementwise) and node.layer.operator == "clip":
            return (numbers.get("low"), numbers.get("high")) == (0, 6)
        return isinstance(node.layer, Activation) and node.layer.name == "relu6"

    def _operand(self, node: Node, operator: str) -> float | None:
        """Return the constant second operand of a node, if it is a single number."""
        layer: Layer = node.layer
        if not isinstance(layer, Elementwise) or layer.operator != operator or layer.operand is None:
            return None
        if layer.operand_first and operator == "div":
            return None
        elements = getattr(self.arguments.get(node.name, {}).get("operand"), "elements", None)
        return float(elements[0]) if elements and len(elements) == 1 else None

    def _only(self, tensor: str) -> int | None:
        """Return the only user of a tensor that need not exist itself, or None."""
        users = self.users.get(tensor, [])
        return users[0] if len(users) == 1 and tensor not in self.wanted else None

    def _after(self, tensor: str, operator: str) -> int | None:
        place = self._only(tensor)
        if place is None:
            return None
        layer = self.nodes[place].layer
        return (
            place
            if isinstance(layer, Elementwise) and layer.operator == operator and layer.operand is None
            else None
        )
