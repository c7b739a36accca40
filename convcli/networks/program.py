"""The program of a network for inputs of known shapes: its steps in order, and when each tensor can be freed."""

import shlex
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import TYPE_CHECKING, Any

from convcli.errors import ArgumentError, instead_of
from convcli.layers.axes import Shape
from convcli.networks.fusion import Arguments, Fusion, Step
from convcli.networks.graph import Graph, Node
from convcli.networks.tensor_shapes import tensor_shapes

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.generic]

MAX_NAMED = 5  # nodes that an error lists
MAX_LAYERS = 20  # in the list of all layers in place of an unknown one
MAX_AXES = 32  # of a tensor; NumPy's limit
NUMPYS = (ArgumentError, ValueError, IndexError, TypeError, MemoryError)  # raised for arrays that do not fit


@dataclass(frozen=True)
class Action:
    """One step of a program: a function, with the indices of its input and output tensors.

    over : the tensors that are freed after it
    """

    node: Node
    run: Callable[..., Any]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    over: tuple[int, ...]


class Program:
    """The steps that compute some tensors of a network.

    network : with known shapes of its inputs
    wanted : the tensors to compute
    arguments : the arguments of each node's operator besides the layer's fields: arrays, functions that make them,
                numbers
    """

    def __init__(
        self,
        network: Graph,
        shapes: Mapping[str, Shape],
        wanted: Iterable[str],
        arguments: Callable[[Node], Arguments],
    ) -> None:
        from convcli.backend.working_memory import Room

        self.wanted = tuple(dict.fromkeys(wanted))
        self._room = Room()
        nodes = needed(network, self.wanted)
        # Report sizes that do not fit first: the nodes after them have no shape, and therefore no operator.
        self.shapes = tensor_shapes(nodes, shapes, network.stated)
        _check_room(self.shapes)
        check_operators(nodes)
        given = {node.name: arguments(node) for node in nodes}
        fusion = Fusion(nodes, self.wanted, given, self.shapes)
        steps = fusion.steps()
        self._numbers: dict[str, int] = {}
        for tensor in (*network.inputs, *(name for step in steps for name in step.outputs if name)):
            self._numbers.setdefault(tensor, len(self._numbers))
        self.inputs = {name: self._numbers[name] for name in network.inputs}
        self._own: set[str] = set()  # tensors that are not views of others
        self._actions = self._compiled(steps, given)

    def __call__(self, inputs: Mapping[str, "Array"]) -> dict[str, "Array"]:
        """Return the wanted tensors; none of them is a view of an input."""
        values: list[Any] = [None] * len(self._numbers)
        for name, number in self.inputs.items():
            values[number] = inputs[name]
        for action in self._actions:
            try:
                made = action.run(*[values[number] for number in action.inputs])
            except NUMPYS as error:
                raise _node_error(action.node, error) from error
            if len(action.outputs) == 1:
                values[action.outputs[0]] = made[0] if type(made) is tuple else made
            else:
                for number, each in zip(action.outputs, made, strict=False):
                    if number >= 0:
                        values[number] = each
            for number in action.over:
                values[number] = None
        return {name: self._result(name, values[self._numbers[name]]) for name in self.wanted}

    def _result(self, name: str, value: "Array") -> "Array":
        return value if name in self._own else value.copy()

    def _compiled(self, steps: Sequence[Step], given: Mapping[str, Arguments]) -> list[Action]:
        """Return the function of each step, and the tensors that can be freed after it."""
        last: dict[str, int] = {}
        for place, step in enumerate(steps):
            for tensor in (*step.inputs, *step.outputs):
                last[tensor] = place
        uses = Counter(tensor for step in steps for tensor in step.inputs)
        own = self._own
        actions = []
        for place, step in enumerate(steps):
            into = self._overwritten(step, own, uses)
            try:
                run = self._prepared(step, given, into)
            except NUMPYS as error:
                raise _node_error(step.head, error) from error
            actions.append(
                Action(
                    step.head,
                    run,
                    tuple(self._numbers[name] for name in step.inputs),
                    tuple(self._numbers[name] if name else -1 for name in step.outputs),
                    tuple(
                        self._numbers[name]
                        for name in {*step.inputs, *filter(None, step.outputs)}
                        if last[name] == place and name not in self.wanted and name in self._numbers
                    ),
                )
            )
            if not _is_view(step):
                own.update(step.outputs)
        return actions

    def _overwritten(self, step: Step, own: set[str], uses: Mapping[str, int]) -> int | None:
        """Return the index of an input whose memory a step may use for its output, or None."""
        for number, name in enumerate(step.head.inputs):
            if (
                name in own
                and uses[name] == 1
                and name not in self.wanted
                and self.shapes[name] == self.shapes.get(step.outputs[0])
            ):
                return number
        return None

    def _prepared(self, step: Step, given: Mapping[str, Arguments], into: int | None) -> Callable[..., Any]:
        from convcli.backend.activation_formulas import in_place
        from convcli.backend.prepare import prepare, scale_and_shift

        finish = None
        if step.finish is not None:
            name, numbers = step.finish
            finish = in_place(name, **numbers)
        affine = []
        for node in step.affine:
            found = scale_and_shift(node.layer, _arrays(given[node.name]))
            assert found is not None
            affine.append(found)
        shapes = [self.shapes[name] for name in step.head.inputs]
        arguments = {} if step.decomposed else given[step.head.name]
        run = prepare(
            step.head.layer, shapes, _arrays(arguments), self._room, affine=affine, finish=finish, into=into
        )
        return _as_array(run) if self.shapes.get(step.outputs[0]) == () else run


def _node_error(node: Node, error: Exception) -> ArgumentError:
    """Return the exception to raise for an error of an operator, whose arrays from a model may not fit."""
    text = "there is not enough memory" if isinstance(error, MemoryError) else str(error)
    return ArgumentError(f"{node.description} cannot be run: {' '.join(text.split())}")


def _as_array(run: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that turns NumPy scalars into 0-d arrays."""
    import numpy as np

    return lambda *inputs: np.asarray(run(*inputs))


def _is_view(step: Step) -> bool:
    from convcli.backend.prepare import is_view

    return is_view(step.head.layer)


def _arrays(arguments: Arguments) -> dict[str, Any]:
    """Return arguments with arrays in place of functions that make them, and floats as float32."""
    return {name: array_of(value) for name, value in arguments.items()}


def array_of(value: Any) -> Any:
    """Return the array of an argument, which a model reads from its file on use; floats become float32."""
    import numpy as np

    array = value.array() if hasattr(value, "make") else value
    if isinstance(array, np.ndarray) and array.dtype.kind == "f":
        return array.astype(np.float32, copy=False)
    return "float32" if isinstance(array, str) and array in ("float16", "float64") else array


def needed(network: Graph, wanted: Iterable[str]) -> list[Node]:
    """Return the nodes that some tensors are computed from, in order; a branch is replaced by its layer."""
    missing = set(wanted)
    found = []
    for node in reversed(network.nodes):
        if not missing.isdisjoint(node.outputs):
            found.append(
                replace(node, layer=node.layer.inner) if node.layer.inner is not node.layer else node
            )
            missing.update(node.inputs)
    return found[::-1]


def _check_room(shapes: Mapping[str, Shape]) -> None:
    """Raise ArgumentError for tensors that are too large, before anything is computed."""
    import numpy as np

    from convcli.backend.checks import check_room

    for name, shape in shapes.items():
        if len(shape) > MAX_AXES:
            raise ArgumentError(f"the tensor {name!r} has {len(shape)} axes; at most {MAX_AXES} are possible")
    name, shape = max(shapes.items(), key=lambda each: prod(each[1]), default=("", ()))
    check_room(f"the tensor {name!r}", shape, np.dtype(np.float32))


def check_operators(nodes: Iterable[Node]) -> None:
    """Raise ArgumentError for layers that no operator can run, before anything is computed."""
    from convcli.backend.layer_operators import OPERATORS
    from convcli.layers.tensor_layer import Unknown

    names: Counter[str] = Counter()
    first: dict[str, Node] = {}
    for node in nodes:
        if type(node.layer) not in OPERATORS:
            unknown = isinstance(node.layer, Unknown)
            name = node.layer.operator if isinstance(node.layer, Unknown) else type(node.layer).__name__
            reason = f" ({node.layer.reason})" if unknown and isinstance(node.layer, Unknown) else ""
            names[name + reason] += 1
            first.setdefault(name + reason, node)
    if names:
        unknown_operators = [
            f"{count} x {name}, first node {first[name].name!r}"
            for name, count in names.most_common(MAX_NAMED)
        ]
        more = f", and {len(names) - MAX_NAMED} others" if len(names) > MAX_NAMED else ""
        raise ArgumentError(
            f"the network cannot be run, because there is no operator for {'; '.join(unknown_operators)}{more}"
        )


def tensors_of(network: Graph, names: Iterable[str], source: str = "") -> dict[str, str]:
    """Return the tensors of the named layers, blocks or tensors; raise ArgumentError for an unknown name.

    source : the file or name of the network as it was given, for the error if it has many layers
    """
    known = network.tensors
    found = {}
    for name in names:
        if name not in known:
            raise ArgumentError(f"the network has no layer {name!r}; {_instead_of(name, known, source)}")
        found[name] = known[name]
    return found


def _instead_of(name: str, known: Mapping[str, str], source: str) -> str:
    hint = instead_of(name, known)
    if hint.startswith("did you mean") or len(known) <= MAX_LAYERS:
        return hint
    if source:
        return f"convcli shape {shlex.quote(source)} lists them"
    return f"the first are {', '.join(list(known)[:MAX_NAMED])} of {len(known):,}"
