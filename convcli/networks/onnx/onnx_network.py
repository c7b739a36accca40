"""A network that an ONNX file holds: its layers follow from the shapes of its inputs."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from convcli.errors import ArgumentError
from convcli.layers.axes import Shape
from convcli.networks.bind_shapes import bind_shapes
from convcli.networks.fusion import Arguments
from convcli.networks.graph import Graph, NamedShape, Node
from convcli.networks.network import Network
from convcli.networks.onnx.model import Model, read_model
from convcli.networks.onnx.staged_model import Rest, rest_of
from convcli.networks.onnx.translate import Translation


class OnnxNetwork(Network):
    """A model, with its layers for the shapes that are known so far."""

    model: Model
    arguments: Arguments
    translation: Translation

    def __init__(self, model: Model, bound: Mapping[str, Shape] | None = None) -> None:
        known = {
            name: tuple(n for n in shape if isinstance(n, int)) for name, shape in model.inputs.items()
        } | dict(bound or {})
        shapes = {
            name: known[name] if len(known[name]) == len(shape) else None
            for name, shape in model.inputs.items()
        }
        translation = Translation(model, shapes)
        super().__init__(
            name=model.name or "model",
            inputs=model.inputs if bound is None else {**model.inputs, **bound},
            nodes=translation.nodes,
            outputs=tuple(model.outputs),
            stated=translation.stated,
            dtypes=model.dtypes,
            per_item=False,
            source=model.producer,
        )
        object.__setattr__(self, "model", model)
        object.__setattr__(self, "arguments", translation.arguments)
        object.__setattr__(self, "translation", translation)

    def _output_shapes(self) -> Mapping[str, NamedShape]:
        return self.model.outputs

    def _arguments(self, weights: Any, seed: int | None) -> Callable[[Graph, Node], Arguments]:
        if weights is not None or seed is not None:
            raise ArgumentError(
                f"the model {self.name} has weights of its own, and takes no others and no seed"
            )
        return arguments_of

    def rest(self, wanted: Iterable[str]) -> Rest | None:
        """Return what of the model must wait for a run of what is before it, for some tensors; None if nothing must."""
        return rest_of(self.model, self.translation.constants, self.translation.later, wanted)

    def after(self, rest: Rest, arrays: Mapping[str, Any]) -> "OnnxNetwork":
        """Return what is left of the model as a network, for what the stage before it has made."""
        model = rest.model_of(arrays)
        network = OnnxNetwork(model, {name: tuple(arrays[name].shape) for name in model.inputs})
        first = rest.operations[0]
        if first in network.translation.later:
            node = next(node for node in network.nodes if node.name == first.name)
            reason = getattr(node.layer, "reason", "its shapes cannot be told")
            raise ArgumentError(f"the network cannot be run: {node.told}: {reason}")
        return network

    def at(self, shapes: Any = None, *, batch: int = 1) -> "OnnxNetwork":
        """Return the network for inputs of these shapes, as `bind_shapes` takes them."""
        bound = bind_shapes(self, shapes, batch)
        return self if dict(self.inputs) == bound else OnnxNetwork(self.model, bound)


def arguments_of(network: Graph, node: Node) -> Arguments:
    """Return what the operator of a node takes beside its layer's fields."""
    assert isinstance(network, OnnxNetwork)
    found: Arguments = network.arguments.get(node.name, {})
    return found


def read_onnx(path: Path, shapes: Any = None) -> OnnxNetwork:
    """Return the network that a model file holds; `shapes` of its inputs stand instead of those in the file.

    Raises
    ------
    ArgumentError
        Where the file is none that can be read.

    """
    model = read_model(path)
    return OnnxNetwork(
        model, None if shapes is None else bind_shapes(Graph("", model.inputs, (), ()), shapes)
    )
