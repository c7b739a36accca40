"""Run a network on arrays."""

from collections.abc import Callable, Iterable, Mapping
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

from convcli.errors import ArgumentError, instead_of
from convcli.layers.axes import Shape
from convcli.networks.fusion import Arguments
from convcli.networks.graph import Graph, Node
from convcli.networks.program import Program, check_operators, needed, tensors_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    from convcli.networks.network import Network


class Stage(NamedTuple):
    """A part of a network, prepared to run.

    arguments : the arguments of each node's operator
    names : name -> tensor, for the wanted outputs
    rest : the remaining network, if its shapes depend on what this part computes
    """

    network: "Network"
    arguments: Callable[[Graph, Node], Arguments]
    program: Program
    names: dict[str, str]
    rest: Any


class Runner:
    """Runs a network, and keeps what was prepared for the last shapes and layers; thread-safe."""

    def __init__(
        self, at: Callable[[Mapping[str, Any]], tuple["Network", Callable[[Graph, Node], Arguments]]]
    ) -> None:
        self._at = at
        self._lock = Lock()
        self._ready: tuple[Any, Stage] | None = None

    def __call__(
        self, inputs: Mapping[str, "ArrayLike"], declared: Graph, layers: Iterable[str], outputs: bool = True
    ) -> dict[str, "NDArray[np.generic]"]:
        """Return the outputs of the network and of some of its layers, by name."""
        import numpy as np

        arrays = _arrays(inputs, declared)
        stage = self.stage({name: each.shape for name, each in arrays.items()}, layers, outputs)
        names = stage.names
        with np.errstate(all="ignore"):
            made = stage.program(arrays)
            while stage.rest is not None:
                stage = self._next(stage, made)
                made |= stage.program(made)
        return {name: made[tensor] for name, tensor in names.items()}

    def stage(self, shapes: Mapping[str, Shape], layers: Iterable[str], outputs: bool) -> Stage:
        """Return the prepared network for inputs of these shapes, or the first part of it."""
        layers = tuple(layers)
        key = (tuple(shapes.items()), layers, outputs)
        with self._lock:
            if self._ready is None or self._ready[0] != key:
                self._ready = None  # frees the old weights before new ones are made
                network, arguments = self._at(shapes)
                names = {name: name for name in network.outputs} if outputs else {}
                names |= tensors_of(network, layers)
                self._ready = key, _stage(network, shapes, names, arguments)
            return self._ready[1]

    @staticmethod
    def _next(stage: Stage, made: Mapping[str, Any]) -> Stage:
        """Return the stage after a stage that made these arrays."""
        network = stage.network.after(stage.rest, made)
        shapes = {name: tuple(made[name].shape) for name in network.inputs}
        return _stage(network, shapes, {name: name for name in network.outputs}, stage.arguments)


def _stage(
    network: "Network",
    shapes: Mapping[str, Shape],
    names: dict[str, str],
    arguments: Callable[[Graph, Node], Arguments],
) -> Stage:
    rest, wanted = _parts(network, names.values())
    program = Program(network, shapes, wanted, lambda node: arguments(network, node))
    return Stage(network, arguments, program, names, rest)


def _parts(network: "Network", wanted: Iterable[str]) -> tuple[Any, Iterable[str]]:
    """Return the rest of a network, None if it runs in one stage, and the tensors that the first stage makes."""
    wanted = list(wanted)
    rest = network.rest(wanted)
    if rest is None:
        return None, wanted
    return rest, dict.fromkeys((*rest.carried, *(name for name in wanted if name not in rest.wanted)))


def check_run(network: "Network", wanted: Iterable[str]) -> None:
    """Raise ArgumentError if tensors need a layer that no operator can run."""
    _, wanted = _parts(network, wanted)
    check_operators(needed(network, wanted))


def _arrays(inputs: Mapping[str, "ArrayLike"], network: Graph) -> "dict[str, NDArray[np.generic]]":
    """Return the inputs as arrays of the network's dtypes, floats as float32, or raise ArgumentError."""
    import numpy as np

    if not isinstance(inputs, Mapping):
        raise ArgumentError("the inputs of a run must be a dict: {name: array}")
    for name in inputs:
        if name not in network.inputs:
            raise ArgumentError(f"the network has no input {name!r}; {instead_of(str(name), network.inputs)}")
    arrays = {}
    for name, declared in network.inputs.items():
        if name not in inputs:
            raise ArgumentError(
                f"the input {name!r} is missing; the network takes {', '.join(network.inputs)}"
            )
        array = np.asarray(inputs[name])
        if array.dtype.kind not in "biuf":
            raise ArgumentError(f"the input {name!r} has dtype {array.dtype}; it must hold real numbers")
        if array.ndim != len(declared) or any(
            isinstance(n, int) and n != m for n, m in zip(declared[1:], array.shape[1:], strict=False)
        ):
            shape_text = "x".join(map(str, declared)) or "a single number"
            raise ArgumentError(f"the input {name!r} has shape {array.shape}; the network takes {shape_text}")
        dtype = network.dtypes.get(name, "float32")
        arrays[name] = array.astype(np.float32 if "float" in dtype else dtype, copy=False)
    return arrays
