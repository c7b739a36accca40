"""The weights of a network that has none of its own: from a file, from named kernels, or random.

Arrays are named after the layers: `conv1.weight`, `conv1.bias`; `bn1.gamma`, `bn1.beta`, `bn1.mean` and `bn1.var`, or
as in PyTorch's state_dict `bn1.weight`, `bn1.bias`, `bn1.running_mean`, `bn1.running_var`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import prod, sqrt
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convcli.errors import ArgumentError, FileError, instead_of
from convcli.layers.base import Layer
from convcli.layers.conv import Convolution
from convcli.networks.fusion import Arguments
from convcli.networks.graph import Graph, Node
from convcli.remote_files import file_path

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.generic]

PYTORCH = {"gamma": "weight", "beta": "bias", "mean": "running_mean", "var": "running_var"}
ONES = ("gamma", "var")  # initialised to 1: factors and divisors
MAX_NAMED = 5
OF_PYTORCH = (".pt", ".pth", ".ckpt", ".bin", ".safetensors")
TO_NPZ = "numpy.savez('{}.npz', **{{name: value.numpy() for name, value in model.state_dict().items()}})"


def parameter_names(node: Node) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Return the name in a file and the shape of each array of a node."""
    from convcli.backend import parameter_shapes

    return {key: (f"{node.owner}.{key}", shape) for key, shape in parameter_shapes(node.layer).items()}


def drawn(network: Graph, seed: int) -> Callable[[Node], Arguments]:
    """Return a function that makes the arrays of a node from a seed: weights as in He et al. (2015), biases of 0."""
    import numpy as np

    places = {node.name: place for place, node in enumerate(network.nodes)}
    owners: dict[str, int] = {}
    for node in network.nodes:
        for name, _ in parameter_names(node).values():
            owners.setdefault(name, places[node.name])

    def arguments(node: Node) -> Arguments:
        made: dict[str, Any] = {}
        for key, (name, shape) in parameter_names(node).items():
            if key in ("weight", "table", "value", "operand"):
                random = np.random.default_rng((seed, owners[name]))
                scale = sqrt(2 / max(1, _terms(node.layer, shape)))
                made[key] = random.standard_normal(shape, np.float32) * np.float32(scale)
            else:
                made[key] = np.full(shape, 1 if key in ONES else 0, np.float32)
        return made

    return arguments


def _terms(layer: Layer, shape: tuple[int, ...]) -> int:
    """Return the number of products that are summed in one output."""
    if isinstance(layer, Convolution):
        return layer.in_channels // layer.groups * prod(layer.kernel_size)
    return prod(shape[1:])


def from_file(source: str | Path) -> "dict[str, Array]":
    """Return the arrays of a .npz file, also at a URL, by name; pickled objects are never loaded."""
    import numpy as np

    path = file_path(source)
    if path.suffix.lower() in OF_PYTORCH and path.is_file():
        raise FileError(f"{path} is no .npz; in PyTorch: {TO_NPZ.format(path.stem)}")
    try:
        with path.open("rb") as file:
            loaded = np.load(file, allow_pickle=False)
            named = {name: loaded[name] for name in loaded.files} if hasattr(loaded, "files") else None
    except FileNotFoundError:
        raise FileError(
            f"cannot read the weights {str(path)!r}: there is no such file; check the path"
        ) from None
    except (OSError, ValueError, EOFError) as error:
        text = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise FileError(f"cannot read weights from {path}: {text}; save a .npz file by numpy.savez") from None
    except Exception as error:  # exceptions of zipfile and zlib
        if type(error).__module__ in ("zipfile", "zlib"):
            raise FileError(
                f"cannot read weights from {path}: {error}; save a .npz file by numpy.savez"
            ) from None
        raise
    if named is None:
        raise FileError(f"{path} holds a single unnamed array; save a .npz file of named arrays")
    return named


def from_arrays(
    network: Graph, arrays: Mapping[str, Any], others: Callable[[Node], Arguments] | None = None
) -> Callable[[Node], Arguments]:
    """Return a function that gets the arrays of a node by their names; `others` makes those that are not given.

    A value may also be the name of a kernel, such as `gaussian:1`, as the weight of a convolution; it is used for every
    input channel.
    """
    import numpy as np

    used: set[str] = set()
    found: dict[str, dict[str, Any]] = {}
    missing: list[str] = []
    is_complete = True
    for node in network.nodes:
        mine: dict[str, Any] = {}
        spare: Arguments | None = None
        for key, (name, shape) in parameter_names(node).items():
            other = f"{name.rpartition('.')[0]}.{PYTORCH.get(key, key)}"
            given = next((each for each in (name, other) if each in arrays), None)
            if given is None:
                if others is None:
                    missing.append(f"{name} of shape {shape}")
                    continue
                is_complete = False
                spare = others(node) if spare is None else spare
                mine[key] = spare[key]
                continue
            used.add(given)
            value = arrays[given]
            array = _kernel(value, node, shape) if isinstance(value, str) else np.asarray(value)
            if array.shape != shape or array.dtype.kind not in "biuf":
                raise ArgumentError(
                    f"the weights {given!r} have shape {array.shape} of {array.dtype}, but {node.description} needs "
                    f"{shape}"
                )
            mine[key] = array
        found[node.name] = mine
    if missing:
        strange = _strange(arrays, used)
        has = f", and no layer has the given {_named(strange)}" if strange else ""
        raise ArgumentError(
            f"the weights lack {_named(missing)}{has}; give them with `weights`, or `seed=0` for random ones"
        )
    known = {name for node in network.nodes for name, _ in parameter_names(node).values()}
    for name in _strange(arrays, used):
        raise ArgumentError(f"the network has no weights {name!r}; {instead_of(name, known)}")
    if found and others is not None and is_complete:
        raise ArgumentError("the weights are complete, and `seed` draws those that are missing; leave it out")
    return lambda node: found[node.name]


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else ""
    return ", ".join(names[:MAX_NAMED]) + more


def _strange(arrays: Iterable[str], used: set[str]) -> list[str]:
    """Return names that no layer uses; PyTorch's num_batches_tracked is ignored."""
    return [name for name in arrays if name not in used and not name.endswith(".num_batches_tracked")]


def _kernel(text: str, node: Node, shape: tuple[int, ...]) -> Any:
    """Return a kernel as the weight of a convolution, for all input channels; outputs cycle through its matrices."""
    import numpy as np

    from convcli.kernels.kernel_grammar import parse_kernel

    layer = node.layer
    if not isinstance(layer, Convolution):
        raise ArgumentError(f"{node.description} takes no kernel, got {text!r}; only convolutions do")
    kernel = parse_kernel(text)
    kernel.check_linear("a layer")
    matrices = [np.array(matrix, float) / kernel.divisor for matrix in kernel.matrices]
    if any(matrix.shape != shape[2:] for matrix in matrices):
        raise ArgumentError(
            f"the kernel {text!r} is {'x'.join(map(str, matrices[0].shape))}, but {node.description} needs "
            f"{'x'.join(map(str, shape[2:]))}"
        )
    each = [matrices[place % len(matrices)] for place in range(shape[0])]
    return np.broadcast_to(np.stack(each)[:, np.newaxis], shape).astype(np.float32)
