"""A network for pictures: loaded once per process, prepared for the sizes of frames, and run on them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from convcli.errors import ArgumentError, ConvcliError, FileError
from convcli.filters.network_input import NetworkInput, Taken
from convcli.images.picture import Frame
from convcli.images.size_in_words import size_in_words
from convcli.layers import Conv
from convcli.layers.axes import Shape
from convcli.remote_files import file_path

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from convcli.networks.graph import Node
    from convcli.networks.network import Network

    Array = NDArray[Any]

FILES = (".toml", ".onnx")
BOTH = 3  # intermediate arrays of the input's size
MAX_STRETCH = 0.01  # of an aspect ratio; above, the change is reported
MAX_OUTPUTS = 5  # outputs that a note names besides the first
MAX_KEPT = 8  # frame shapes for which prepared networks are cached


class Prepared(NamedTuple):
    """A network prepared for frames of one shape.

    input, tensor : names of the input and of the requested output
    shape : full shape of the input
    made : full shape of the output
    memory : bytes that a run needs, including its input
    """

    network: Network
    input: str
    tensor: str
    taken: Taken
    shape: Shape
    size: tuple[int, int]
    made: Shape
    memory: int

    @property
    def channels(self) -> int:
        """The number of input channels."""
        return self.shape[1] if self.taken.layout == "nchw" else self.shape[3]

    @property
    def convolution(self) -> Node | None:
        """The convolution that makes the maps, if its kernels are few enough to be drawn next to them."""
        from convcli.images.map_sheet import MAX_KERNELS
        from convcli.networks.convolution_behind import convolution_behind

        node = convolution_behind(self.network, self.tensor)
        if node is None or len(self.made) != 4 or self.taken.layout == "nhwc":
            return None
        layer = node.layer
        assert isinstance(layer, Conv)
        fits = layer.out_channels == self.made[1] and layer.in_channels // layer.groups <= MAX_KERNELS
        return node if fits and layer.dims == 2 else None

    @property
    def kernels(self) -> tuple[int, int, int]:
        """The number of kernels next to each map, and their rows and columns."""
        if self.convolution is None:
            return 0, 1, 1
        layer = self.convolution.layer
        assert isinstance(layer, Conv)
        rows, columns = layer.kernel_size
        return layer.in_channels // layer.groups, rows, columns

    @property
    def maps(self) -> tuple[int, int, int]:
        """The number of maps, and their height and width; a vector is one row, and a sequence is one map."""
        if len(self.made) == 4:
            count, height, width = self.made[1:]
            return (width, count, height) if self.taken.layout == "nhwc" else (count, height, width)
        rows, columns = (1, 1, *self.made[1:])[-2:]
        return 1, rows, columns


def _is_similar(ratio: float, other: float) -> bool:
    """Return whether two aspect ratios differ by less than rounded sizes make visible."""
    return abs(ratio - other) <= MAX_STRETCH * other


class KeptNetworks:
    """A cache of networks for the last frame shapes; only one of them keeps its prepared operators."""

    def __init__(self) -> None:
        self._prepared: OrderedDict[Any, Prepared] = OrderedDict()
        self._ready: Network | None = None

    def of(self, key: Any, make: Callable[[], Prepared]) -> Prepared:
        """Return the cached value of a key, or make and cache it; the least recently used one is dropped."""
        found = self._prepared.pop(key, None) or make()
        self._prepared[key] = found
        while len(self._prepared) > MAX_KEPT:
            self._prepared.popitem(last=False)
        return found

    def runs(self, network: Network) -> None:
        """Release the prepared operators of another network before this one runs."""
        if self._ready is not None and self._ready is not network:
            self._ready.release()
        self._ready = network


@dataclass(frozen=True)
class NetworkRun:
    """A network to run on pictures, its input conversion and the requested output; each process loads it itself.

    source : a file, or the name of a built-in network
    layer : the layer whose maps are requested; by default the network's first output
    weights, seed : file or random seed of the weights of a network without weights of its own
    """

    source: str
    how: NetworkInput = field(default_factory=NetworkInput)
    layer: str | None = None
    weights: str | None = None
    seed: int | None = None
    _kept: KeptNetworks = field(default_factory=KeptNetworks, compare=False, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        """Return the state for pickling, without the loaded network."""
        loaded = ("network", "arrays")
        own = {name: value for name, value in self.__dict__.items() if name not in loaded}
        return {**own, "_kept": KeptNetworks()}

    @cached_property
    def network(self) -> Network:
        """The network, loaded from its file or by its name."""
        from convcli.networks.load_network import load_network

        network = load_network(self.source)
        if len(network.inputs) != 1:
            raise FileError(
                f"{self.source} has several inputs ({', '.join(network.inputs)}), and a picture is one; use another "
                "network"
            )
        return network

    @cached_property
    def arrays(self) -> Mapping[str, Any] | None:
        """The weights from the file, if there is one."""
        from convcli.networks.given_weights import from_file

        return None if self.weights is None else from_file(self.weights)

    @property
    def files(self) -> list[tuple[str, Path]]:
        """The files that are read, each after its name in messages."""
        path = file_path(self.source)
        found = [("the network", path)] if path.suffix.lower() in FILES else []
        return [*found, *([("the weights", file_path(self.weights))] if self.weights else [])]

    def check(self) -> None:
        """Load the network and its weights, before any picture is read.

        Raises FileError if a file cannot be used, and ArgumentError if there is no layer of this name.
        """
        from convcli.networks.program import tensors_of

        tensors_of(self.network, () if self.layer is None else [self.layer], self.source)
        _ = self.arrays  # the file of weights is read here, and kept

    @property
    def is_classifier(self) -> bool:
        """Whether the output is a score for each class."""
        if self.layer is not None:
            return False
        (shape, *_) = self.network.outputs.values()
        return len(shape) == 2 or (len(shape) == 4 and tuple(shape[2:]) == (1, 1))

    def prepared(self, name: str, frame: Frame) -> Prepared:
        """Return the network prepared for a frame, or raise an error if it does not fit."""
        try:
            return self._kept.of((frame.pixels.shape, frame.mode), lambda: self._prepared(name, frame))
        except ArgumentError as error:
            raise ArgumentError(f"cannot filter {name}: {error}") from None

    def _prepared(self, name: str, frame: Frame) -> Prepared:
        from convcli.networks.live_memory import live_memory
        from convcli.networks.load_network import load_network
        from convcli.networks.program import tensors_of
        from convcli.networks.runner import check_run
        from convcli.networks.tensor_shapes import tensor_shapes

        ((key, declared),) = self.network.inputs.items()
        taken = self.how.taken(declared)
        size = self.how.sizes(taken, frame, keep=self._takes_any_size)
        shape = taken.shape(self.how.channels(taken, frame, name), *size)
        try:
            network = self.network.at({key: shape})
            if network is self.network and shape[1:] != tuple(declared[1:]):
                network = load_network(self.source, shape[1:])
            shapes = tensor_shapes(network.nodes, {key: shape}, network.stated)
        except ConvcliError as error:
            own = self.how.size is None and size == tuple(frame.pixels.shape[:2])
            hint = "; `resize` sets the size of the input" if own else ""
            raise ArgumentError(f"{error}{hint}") from None
        layers = () if self.layer is None else (self.layer,)
        (tensor, *_) = tensors_of(network, layers, self.source).values() or network.outputs
        check_run(network, [tensor])
        if tensor not in shapes:
            raise ArgumentError(
                f"the shape of {tensor!r} is only known after the network has run; choose another layer, or use "
                "`Network.run` in Python"
            )
        memory = live_memory(network, shapes, [tensor]) + BOTH * 4 * prod(shape)
        return Prepared(network, key, tensor, taken, shape, size, shapes[tensor], memory)

    def input_notes(self, prepared: Prepared, frame: Frame) -> list[str]:
        """Return notes about how a frame was changed to fit the input of the network."""
        rows, columns = frame.pixels.shape[:2]
        height, width = prepared.size
        taken, before, after = prepared.taken, size_in_words((rows, columns)), size_in_words(prepared.size)
        notes = []
        if self.how.size is None and before != after:
            shape = "" if _is_similar(width / height, columns / rows) else ", which changes its aspect ratio"
            notes.append(
                f"resized from {before} to {after}, the input size of the network{shape}; `resize` sets another size"
            )
        elif self.how.size is not None and not self._takes_any_size:
            declared = size_in_words((taken.height or height, taken.width or width))
            if declared != after:
                notes.append(
                    f"resized from {before} to {after}, and the input size of the network is {declared}"
                )
        if frame.has_alpha and prepared.channels != 4:
            notes.append("its alpha is left out")
        first, *others = self.network.outputs
        if self.layer is None and others:
            names = ", ".join([first, *others[:MAX_OUTPUTS], *(["..."] if len(others) > MAX_OUTPUTS else [])])
            other = "the other" if len(others) == 1 else "another"
            notes.append(
                f"{self.source} has the outputs {names}; this is {first}, and `layer={others[0]!r}` gives {other}"
            )
        return notes

    @property
    def _takes_any_size(self) -> bool:
        """Whether pictures keep their size, because the network is a file of layers."""
        return self.source.lower().endswith(".toml")

    def kernels(self, prepared: Prepared) -> Array | None:
        """Return the kernels (maps, channels, rows, columns) to draw next to the maps, None if there are none."""
        node = prepared.convolution
        return None if node is None else prepared.network.weight_of(node, self.arrays, self.seed)

    def values(self, prepared: Prepared, frame: Frame) -> Array:
        """Return the network's output for a frame, (N, ...)."""
        self._kept.runs(prepared.network)
        x = self.how.array(frame, prepared.taken, prepared.channels, prepared.size)
        made = prepared.network.run(
            {prepared.input: x},
            [prepared.tensor],
            outputs=False,
            weights=self.arrays,
            seed=self.seed,
        )
        return made[prepared.tensor]
