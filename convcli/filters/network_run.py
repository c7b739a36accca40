"""A network for pictures: loaded once in each process, laid on frames of any size, and run on them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from convcli.errors import ArgumentError, ConvcliError
from convcli.filters.network_input import NetworkInput, Taken
from convcli.images.picture import Frame
from convcli.layers import Conv
from convcli.layers.axes import Shape

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from convcli.networks.graph import Node
    from convcli.networks.network import Network

    Array = NDArray[Any]

FILES = (".toml", ".onnx")
BOTH = 3  # arrays of a frame's size that are made on the way in
MOST_KEPT = 8  # shapes of frames for which the network is kept


class Prepared(NamedTuple):
    """A network for frames of one shape.

    input, tensor : the names of what goes in, and of what is wanted
    shape : whole, of the input
    made : whole, of what is wanted
    memory : the bytes that a run takes, with those of its input
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
        """The channels of the input."""
        return self.shape[1] if self.taken.layout == "nchw" else self.shape[3]

    @property
    def convolution(self) -> Node | None:
        """The convolution whose maps are made, where its kernels are few enough to be drawn beside them."""
        from convcli.images.map_sheet import MOST_KERNELS
        from convcli.networks.convolution_behind import convolution_behind

        node = convolution_behind(self.network, self.tensor)
        if node is None or len(self.made) != 4 or self.taken.layout == "nhwc":
            return None
        layer = node.layer
        assert isinstance(layer, Conv)
        fits = layer.out_channels == self.made[1] and layer.in_channels // layer.groups <= MOST_KERNELS
        return node if fits and layer.dims == 2 else None

    @property
    def kernels(self) -> tuple[int, int, int]:
        """How many kernels stand beside a map, and their rows and columns."""
        if self.convolution is None:
            return 0, 1, 1
        layer = self.convolution.layer
        assert isinstance(layer, Conv)
        rows, columns = layer.kernel_size
        return layer.in_channels // layer.groups, rows, columns

    @property
    def maps(self) -> tuple[int, int, int]:
        """How many maps are made, and their height and width; a vector is one row, a sequence a map of its own."""
        if len(self.made) == 4:
            count, height, width = self.made[1:]
            return (width, count, height) if self.taken.layout == "nhwc" else (count, height, width)
        rows, columns = (1, 1, *self.made[1:])[-2:]
        return 1, rows, columns


class KeptNetworks:
    """A network at the shapes of the last frames; what it has made ready to run is kept for one shape alone."""

    def __init__(self) -> None:
        self._prepared: OrderedDict[Any, Prepared] = OrderedDict()
        self._ready: Network | None = None

    def of(self, key: Any, make: Callable[[], Prepared]) -> Prepared:
        """Return what is kept for a key, or else make it, and let go of the one that was asked for longest ago."""
        found = self._prepared.pop(key, None) or make()
        self._prepared[key] = found
        while len(self._prepared) > MOST_KEPT:
            self._prepared.popitem(last=False)
        return found

    def runs(self, network: Network) -> None:
        """Let go of what another network has made ready, as this one is about to run."""
        if self._ready is not None and self._ready is not network:
            self._ready.release()
        self._ready = network


@dataclass(frozen=True)
class NetworkRun:
    """Which network runs on pictures, on what, and what is wanted of it; each process loads it for itself.

    source : a file or the name of a published network
    layer : whose maps are wanted; the network's first output where there is none
    weights, seed : of a network that has no arrays of its own
    """

    source: str
    how: NetworkInput = field(default_factory=NetworkInput)
    layer: str | None = None
    weights: str | None = None
    seed: int | None = None
    _kept: KeptNetworks = field(default_factory=KeptNetworks, compare=False, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        """Travel to another process without the network."""
        loaded = ("network", "arrays")
        own = {name: value for name, value in self.__dict__.items() if name not in loaded}
        return {**own, "_kept": KeptNetworks()}

    @cached_property
    def network(self) -> Network:
        """The network as its file or its name says it."""
        from convcli.networks.load_network import load_network

        network = load_network(self.source)
        if len(network.inputs) != 1:
            raise ArgumentError(
                f"{self.source} has the inputs {', '.join(network.inputs)}, and a picture is one; take another network"
            )
        return network

    @cached_property
    def arrays(self) -> Mapping[str, Any] | None:
        """The weights of the file that was named."""
        from convcli.networks.given_weights import from_file

        return None if self.weights is None else from_file(Path(self.weights))

    @property
    def files(self) -> list[tuple[str, Path]]:
        """The files that are read, after what messages call them."""
        found = [("the network", Path(self.source))] if Path(self.source).suffix.lower() in FILES else []
        return [*found, *([("the weights", Path(self.weights))] if self.weights else [])]

    @property
    def is_classifier(self) -> bool:
        """Whether the answer is a number for each class."""
        if self.layer is not None:
            return False
        (shape, *_) = self.network.outputs.values()
        return len(shape) == 2 or (len(shape) == 4 and tuple(shape[2:]) == (1, 1))

    def prepared(self, name: str, frame: Frame) -> Prepared:
        """Return the network for a frame, or raise an error where it does not take it."""
        try:
            return self._kept.of((frame.pixels.shape, frame.mode), lambda: self._prepared(name, frame))
        except ArgumentError as error:
            raise ArgumentError(f"cannot filter {name}: {error}") from None

    def _prepared(self, name: str, frame: Frame) -> Prepared:
        from convcli.networks.live_memory import live_memory
        from convcli.networks.load_network import load_network
        from convcli.networks.program import tensors_of
        from convcli.networks.tensor_shapes import tensor_shapes

        ((key, declared),) = self.network.inputs.items()
        taken = self.how.taken(declared)
        size = self.how.sizes(taken, frame, keep=self.source.lower().endswith(".toml"))
        shape = taken.shape(self.how.channels(taken, frame, name), *size)
        try:
            network = self.network.at({key: shape})
            if network is self.network and shape[1:] != tuple(declared[1:]):
                network = load_network(self.source, shape[1:])
            shapes = tensor_shapes(network.nodes, {key: shape}, network.stated)
        except ConvcliError as error:
            own = self.how.size is None and size == tuple(frame.pixels.shape[:2])
            way = "; `resize` gives the input another size" if own else ""
            raise ArgumentError(f"{error}{way}") from None
        (tensor, *_) = network.outputs if self.layer is None else tensors_of(network, [self.layer]).values()
        if tensor not in shapes:
            raise ArgumentError(
                f"how much {tensor!r} holds is known only when the network has run; name another layer, or run it in "
                "Python by `Network.run`"
            )
        memory = live_memory(network, shapes, [tensor]) + BOTH * 4 * prod(shape)
        return Prepared(network, key, tensor, taken, shape, size, shapes[tensor], memory)

    def kernels(self, prepared: Prepared) -> Array | None:
        """Return the kernels (maps, channels, rows, columns) that stand beside the maps, None where there are none."""
        node = prepared.convolution
        return None if node is None else prepared.network.weight_of(node, self.arrays, self.seed)

    def values(self, prepared: Prepared, frame: Frame) -> Array:
        """Return what the network makes of a frame: (N, ...)."""
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
