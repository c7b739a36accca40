"""The network in an ONNX file, whose layers depend on the shapes of its inputs."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from convcli.errors import ArgumentError, FileError
from convcli.layers.axes import Shape
from convcli.networks.bind_shapes import bind_shapes
from convcli.networks.fusion import Arguments
from convcli.networks.graph import Graph, GraphError, NamedShape, Node
from convcli.networks.network import Network
from convcli.networks.onnx.model import Model, read_model
from convcli.networks.onnx.staged_model import Rest, rest_of
from convcli.networks.onnx.translate import Translation
from convcli.networks.rows import MisfitError, Row


class OnnxNetwork(Network):
    """A model with its layers for the shapes that are known so far."""

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
        try:
            super().__init__(
                name=Path(model.file).stem,
                inputs=model.inputs if bound is None else {**model.inputs, **bound},
                nodes=translation.nodes,
                outputs=tuple(model.outputs),
                stated=translation.stated,
                dtypes=model.dtypes,
                per_item=False,
                source=model.producer,
            )
        except GraphError as error:
            raise FileError(f"{model.file} is damaged: {error.defect}") from None
        object.__setattr__(self, "model", model)
        object.__setattr__(self, "arguments", translation.arguments)
        object.__setattr__(self, "translation", translation)

    @staticmethod
    def _blocks_of(name: str) -> list[str]:
        """Return no blocks: the dots in the names of a model's nodes have no common meaning."""
        return []

    def _output_shapes(self) -> Mapping[str, NamedShape]:
        return self.model.outputs

    def _arguments(self, weights: Any, seed: int | None) -> Callable[[Graph, Node], Arguments]:
        if weights is not None or seed is not None:
            raise ArgumentError(f"the model {self.name} has its own weights; leave `weights` and `seed` out")
        return arguments_of

    def rows(self, shapes: Any = None, *, batch: int = 1, dtype: str = "float32") -> list[Row]:
        """Return one row per node; sizes of the file that do not fit each other are an error of the file."""
        try:
            return super().rows(shapes, batch=batch, dtype=dtype)
        except MisfitError as error:
            bound = bind_shapes(self, shapes, batch)
            if all(bound[name][1:] == declared[1:] for name, declared in self.model.inputs.items()):
                raise FileError(f"{self.model.file} is damaged: {error}") from None
            raise

    def rest(self, wanted: Iterable[str]) -> Rest | None:
        """Return the part of the model that can be planned only after the part before it has run, or None."""
        return rest_of(self.model, self.translation.constants, self.translation.later, wanted)

    def after(self, rest: Rest, arrays: Mapping[str, Any]) -> "OnnxNetwork":
        """Return the remaining model as a network, given the arrays of the stage before it."""
        model = rest.model_of(arrays)
        network = OnnxNetwork(model, {name: tuple(arrays[name].shape) for name in model.inputs})
        first = rest.operations[0]
        if first in network.translation.later:
            node = next(node for node in network.nodes if node.name == first.name)
            reason = getattr(node.layer, "reason", "its shapes are unknown")
            raise ArgumentError(f"the network cannot be run: {node.description}: {reason}")
        return network

    def at(self, shapes: Any = None, *, batch: int = 1) -> "OnnxNetwork":
        """Return the network for inputs of these shapes, as `bind_shapes` takes them."""
        bound = bind_shapes(self, shapes, batch)
        return self if dict(self.inputs) == bound else OnnxNetwork(self.model, bound)


def arguments_of(network: Graph, node: Node) -> Arguments:
    """Return the arguments of a node's operator besides its layer's fields."""
    assert isinstance(network, OnnxNetwork)
    found: Arguments = network.arguments.get(node.name, {})
    return found


def read_onnx(path: Path, shapes: Any = None) -> OnnxNetwork:
    """Return the network in a model file; `shapes` replaces the shapes of the inputs in the file.

    Raises
    ------
    ArgumentError
        If the file cannot be read as a model.

    """
    model = read_model(path)
    return OnnxNetwork(
        model, None if shapes is None else bind_shapes(Graph("", model.inputs, (), ()), shapes)
    )
