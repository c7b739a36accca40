"""The arrays of a network that has none of its own: from a file, from named kernels, or drawn at random.

Names are those of the layers: `conv1.weight`, `conv1.bias`; `bn1.gamma`, `bn1.beta`, `bn1.mean` and `bn1.var`, or as
PyTorch's state_dict has them, `bn1.weight`, `bn1.bias`, `bn1.running_mean`, `bn1.running_var`.
"""

from collections.abc import Callable, Iterable, Mapping
from math import prod, sqrt
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convcli.errors import ArgumentError, instead_of
from convcli.layers.base import Layer
from convcli.layers.conv import Convolution
from convcli.networks.fusion import Arguments
from convcli.networks.graph import Graph, Node

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.generic]

PYTORCH = {"gamma": "weight", "beta": "bias", "mean": "running_mean", "var": "running_var"}
ONES = ("gamma", "var")  # at the start of training: what multiplies, and what is divided by
MOST_NAMED = 5


def parameter_names(node: Node) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Return for each array of a node its name in a file, and its shape."""
    from convcli.backend import parameter_shapes

    return {key: (f"{node.owner}.{key}", shape) for key, shape in parameter_shapes(node.layer).items()}


def drawn(network: Graph, seed: int) -> Callable[[Node], Arguments]:
    """Return random arrays, the same for the same seed: weights as He et al. (2015) draw them, and biases of 0."""
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
    """Return how many products are summed for an output."""
    if isinstance(layer, Convolution):
        return layer.in_channels // layer.groups * prod(layer.kernel_size)
    return prod(shape[1:])


def from_file(path: Path) -> "dict[str, Array]":
    """Return the arrays of a .npz file by name; nothing in it is unpickled."""
    import numpy as np

    try:
        with path.open("rb") as file:
            loaded = np.load(file, allow_pickle=False)
            named = {name: loaded[name] for name in loaded.files} if hasattr(loaded, "files") else None
    except FileNotFoundError:
        raise ArgumentError(f"cannot read the weights {str(path)!r}: there is no such file") from None
    except (OSError, ValueError, EOFError) as error:
        text = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ArgumentError(f"{path} holds no weights that can be read: {text}") from None
    except Exception as error:  # zipfile's and zlib's own
        if type(error).__module__ in ("zipfile", "zlib"):
            raise ArgumentError(f"{path} holds no weights that can be read: {error}") from None
        raise
    if named is None:
        raise ArgumentError(f"{path} holds one array without a name; weights are a .npz of named arrays")
    return named


def from_arrays(
    network: Graph, arrays: Mapping[str, Any], others: Callable[[Node], Arguments] | None = None
) -> Callable[[Node], Arguments]:
    """Return arrays by their names; `others` makes those that are not given.

    A value may be the name of a kernel, such as `gaussian:1`, for the weight of a convolution: every channel of its
    input is weighed by it.
    """
    import numpy as np

    used: set[str] = set()
    found: dict[str, dict[str, Any]] = {}
    missing: list[str] = []
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
                spare = others(node) if spare is None else spare
                mine[key] = spare[key]
                continue
            used.add(given)
            value = arrays[given]
            array = _kernel(value, node, shape) if isinstance(value, str) else np.asarray(value)
            if array.shape != shape or array.dtype.kind not in "biuf":
                raise ArgumentError(
                    f"the weights {given!r} have shape {array.shape} of {array.dtype}, and {node.told} takes {shape}"
                )
            mine[key] = array
        found[node.name] = mine
    if missing:
        more = f" and {len(missing) - MOST_NAMED} more" if len(missing) > MOST_NAMED else ""
        raise ArgumentError(f"the weights lack {', '.join(missing[:MOST_NAMED])}{more}; give them, or a seed")
    known = {name for node in network.nodes for name, _ in parameter_names(node).values()}
    for name in _strange(arrays, used):
        raise ArgumentError(f"the network has no weights {name!r}; {instead_of(name, known)}")
    return lambda node: found[node.name]


def _strange(arrays: Iterable[str], used: set[str]) -> list[str]:
    """Return names that nothing takes; PyTorch's count of batches is left out."""
    return [name for name in arrays if name not in used and not name.endswith(".num_batches_tracked")]


def _kernel(text: str, node: Node, shape: tuple[int, ...]) -> Any:
    """Return the weight of a convolution that weighs all channels by a kernel; outputs take its matrices in turn."""
    import numpy as np

    from convcli.kernels.kernel_grammar import parse_kernel

    layer = node.layer
    if not isinstance(layer, Convolution):
        raise ArgumentError(f"{node.told} takes no kernel, and {text!r} is given; only convolutions do")
    kernel = parse_kernel(text)
    kernel.check_linear("a layer")
    matrices = [np.array(matrix, float) / kernel.divisor for matrix in kernel.matrices]
    if any(matrix.shape != shape[2:] for matrix in matrices):
        raise ArgumentError(
            f"the kernel {text!r} is {'x'.join(map(str, matrices[0].shape))}, and {node.told} is not"
        )
    each = [matrices[place % len(matrices)] for place in range(shape[0])]
    return np.broadcast_to(np.stack(each)[:, np.newaxis], shape).astype(np.float32)
