"""Run a network on arrays."""

from collections.abc import Callable, Iterable, Mapping
from threading import Lock
from typing import TYPE_CHECKING, Any

from convcli.errors import ArgumentError, instead_of
from convcli.layers.axes import Shape
from convcli.networks.fusion import Arguments
from convcli.networks.graph import Graph, Node
from convcli.networks.program import Program, tensors_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray


class Runner:
    """Runs a network, and keeps what it has made ready for the last shapes and layers; threads may share it."""

    def __init__(
        self, at: Callable[[Mapping[str, Any]], tuple[Graph, Callable[[Graph, Node], Arguments]]]
    ) -> None:
        self._at = at
        self._lock = Lock()
        self._ready: tuple[Any, Program, dict[str, str]] | None = None

    def __call__(
        self, inputs: Mapping[str, "ArrayLike"], declared: Graph, layers: Iterable[str], outputs: bool = True
    ) -> dict[str, "NDArray[np.generic]"]:
        """Return the outputs of the network and of some of its layers, by name."""
        import numpy as np

        arrays = _arrays(inputs, declared)
        program, names = self.program({name: each.shape for name, each in arrays.items()}, layers, outputs)
        with np.errstate(all="ignore"):
            made = program(arrays)
        return {name: made[tensor] for name, tensor in names.items()}

    def program(
        self, shapes: Mapping[str, Shape], layers: Iterable[str], outputs: bool
    ) -> tuple[Program, dict[str, str]]:
        """Return what makes the outputs and the layers for inputs of these shapes, and the tensor of each name."""
        layers = tuple(layers)
        key = (tuple(shapes.items()), layers, outputs)
        with self._lock:
            if self._ready is None or self._ready[0] != key:
                self._ready = None  # its weights go before others come
                network, arguments = self._at(shapes)
                names = {name: name for name in network.outputs} if outputs else {}
                names |= tensors_of(network, layers)
                program = Program(network, shapes, names.values(), lambda node: arguments(network, node))
                self._ready = key, program, names
            return self._ready[1:]


def _arrays(inputs: Mapping[str, "ArrayLike"], network: Graph) -> "dict[str, NDArray[np.generic]]":
    """Return the inputs as arrays, floats as float32; there is one for each input of the network."""
    import numpy as np

    if not isinstance(inputs, Mapping):
        raise ArgumentError("the inputs of a run are a dict: {name: array}")
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
            raise ArgumentError(f"the input {name!r} has dtype {array.dtype}; it must hold numbers")
        if array.ndim != len(declared) or any(
            isinstance(n, int) and n != m for n, m in zip(declared[1:], array.shape[1:], strict=False)
        ):
            told = "x".join(map(str, declared)) or "one number"
            raise ArgumentError(f"the input {name!r} has shape {array.shape}; the network takes {told}")
        arrays[name] = array.astype(np.float32, copy=False) if array.dtype.kind == "f" else array
    return arrays
