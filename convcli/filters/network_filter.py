"""A network that runs on pictures: planned from a header, then run on every frame."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from convcli.errors import ArgumentError
from convcli.filters.clipping import advice, clipping_note
from convcli.filters.network_input import NetworkInput, Taken
from convcli.images.formats import FORMATS
from convcli.images.modes import mode_name, mode_of
from convcli.images.picture import Frame, ImageError, Picture
from convcli.layers.axes import Shape
from convcli.layers.text.notation import format_size
from convcli.memory import black_pixels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from convcli.backend.values import Range
    from convcli.networks.network import Network

    Array = NDArray[Any]

RAW = "NPY"  # the format that takes values as they are
COLOURS = {1: "L", 3: "RGB", 4: "RGBA"}  # what so many maps are as a picture
FILES = (".toml", ".onnx")
BOTH = 3  # arrays of a frame's size that are made on the way in


class Prepared(NamedTuple):
    """A network for frames of one shape.

    input, tensor : the names of what goes in, and of what is wanted
    shape : whole, of the input
    made : whole, of what is wanted
    memory : the bytes that a run takes
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
    def maps(self) -> tuple[int, int, int]:
        """How many maps are made, and their height and width; a vector is one row, a sequence a map of its own."""
        if len(self.made) == 4:
            count, height, width = self.made[1:]
            return (width, count, height) if self.taken.layout == "nhwc" else (count, height, width)
        rows, columns = (1, 1, *self.made[1:])[-2:]
        return 1, rows, columns


@dataclass(frozen=True)
class NetworkRun:
    """Which network runs on pictures, on what, and what is wanted of it; each process loads it for itself.

    source : a file or the name of a published network
    layer : whose maps are wanted; the network's first output where there is none
    weights, seed : of a network that has no arrays of its own
    """

    source: str
    how: NetworkInput = NetworkInput()  # noqa: RUF009  # which never changes
    layer: str | None = None
    weights: str | None = None
    seed: int | None = None
    _kept: dict[Any, Prepared] = field(default_factory=dict, compare=False, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        """Travel to another process without the network."""
        loaded = ("network", "arrays")
        return {name: value for name, value in self.__dict__.items() if name not in loaded} | {"_kept": {}}

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
        key = (frame.pixels.shape, frame.mode)
        if key not in self._kept:
            try:
                self._kept[key] = self._prepared(name, frame)
            except ArgumentError as error:
                raise ArgumentError(f"cannot filter {name}: {error}") from None
        return self._kept[key]

    def _prepared(self, name: str, frame: Frame) -> Prepared:
        from convcli.networks.live_memory import live_memory
        from convcli.networks.load_network import load_network
        from convcli.networks.program import tensors_of
        from convcli.networks.tensor_shapes import tensor_shapes

        ((key, declared),) = self.network.inputs.items()
        taken = self.how.taken(declared)
        size = self.how.sizes(taken, frame, keep=self.source.lower().endswith(".toml"))
        shape = taken.shape(self.how.channels(taken, frame, name), *size)
        network = self.network.at({key: shape})
        if network is self.network and shape[1:] != tuple(declared[1:]):
            network = load_network(self.source, shape[1:])
        (tensor, *_) = network.outputs if self.layer is None else tensors_of(network, [self.layer]).values()
        shapes = tensor_shapes(network.nodes, {key: shape}, network.stated)
        if tensor not in shapes:
            raise ArgumentError(f"the shape of {tensor!r} is not known before the run; name another layer")
        memory = live_memory(network, shapes, [tensor])
        return Prepared(network, key, tensor, taken, shape, size, shapes[tensor], memory)

    def values(self, prepared: Prepared, frame: Frame) -> Array:
        """Return what the network makes of a frame: (N, ...)."""
        x = self.how.array(frame, prepared.taken, prepared.channels, prepared.size)
        made = prepared.network.run(
            {prepared.input: x},
            [prepared.tensor],
            outputs=False,
            weights=self.arrays,
            seed=self.seed,
        )
        return made[prepared.tensor]


@dataclass(frozen=True)
class NetworkFilter:
    """What a run does to each picture: make the network's maps of it."""

    run: NetworkRun
    value_range: Range | None = None

    verb = "filter"
    lighter = "a smaller `resize`"

    def plan(self, name: str, target: str, picture: Picture, form: str) -> NetworkPlan:
        """Return what will be done to a picture, or raise an error where that cannot be."""
        prepared = [self.run.prepared(name, frame) for frame in picture.frames]
        if self.run.layer is None and form != RAW:
            maps = prepared[0].maps[0]
            if maps not in COLOURS or self.run.is_classifier:
                told = "x".join(map(str, prepared[0].made))
                raise ImageError(
                    f"cannot write {target}: the network makes {told}, and a picture has 1, 3 or 4 channels; give "
                    "`output='x.npy'` for the numbers, or `layer` to draw its maps side by side"
                )
        if form == RAW and self.value_range is not None:
            raise ArgumentError(
                f"{name}: `value_range={self.value_range!r}` brings values to the depth of a picture; NPY keeps them"
            )
        return NetworkPlan(self, name, picture, form, prepared)


@dataclass(frozen=True)
class NetworkPlan:
    """A run of a network on one picture, known from its header."""

    work: NetworkFilter
    name: str
    picture: Picture
    form: str
    prepared: list[Prepared]

    has_rows = False

    @property
    def made(self) -> list[Frame]:
        """The frames that will be made, black."""
        return [self._black(*each) for each in zip(self.picture.frames, self.prepared, strict=True)]

    def _black(self, frame: Frame, prepared: Prepared) -> Frame:
        from convcli.filters.feature_sheet import sheet_of_maps

        maps, height, width = prepared.maps
        if self.form == RAW:
            shape = (height, width) if maps == 1 else (height, width, maps)
            return replace(frame, pixels=black_pixels(shape, "float32"), mode=mode_of(maps, "float32"))
        if self.work.run.layer is not None:
            return replace(frame, pixels=black_pixels(sheet_of_maps(maps, height, width), "uint8"), mode="L")
        dtype = self._depth(frame, COLOURS[maps])
        shape = (height, width) if maps == 1 else (height, width, maps)
        return replace(frame, pixels=black_pixels(shape, dtype), mode=mode_name(COLOURS[maps], dtype))

    def _depth(self, frame: Frame, colours: str) -> str:
        """Return the type of a picture's samples: 16 bits where the source has more and the format holds them."""
        deep = frame.pixels.dtype.itemsize > 1
        return "uint16" if deep and FORMATS[self.form].holds(mode_name(colours, "uint16")) else "uint8"

    @property
    def memory(self) -> int:
        """The most bytes that are taken while frames become others."""
        inputs = sum(frame.pixels.nbytes for frame in self.picture.frames)
        outputs = sum(frame.pixels.size * frame.pixels.dtype.itemsize for frame in self.made)
        return (
            inputs
            + outputs
            + max(
                each.memory + BOTH * 4 * each.size[0] * each.size[1] * each.channels for each in self.prepared
            )
        )

    @property
    def said(self) -> str:
        """What runs, in words."""
        first = self.prepared[0]
        wanted = f"to {self.work.run.layer} " if self.work.run.layer is not None else ""
        return f"run {self.work.run.source} {wanted}on {format_size(first.size)}"

    @property
    def facts(self) -> dict[str, Any]:
        """What runs."""
        return {
            "network": self.work.run.source,
            "layer": self.work.run.layer,
            "network_input": list(self.prepared[0].shape),
        }

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be said of a picture that is resized, of alpha, and of maps that are not drawn."""
        from convcli.filters.feature_sheet import MOST

        frame, first = self.picture.frames[0], self.prepared[0]
        notes = []
        if first.size != frame.pixels.shape[:2] and self.work.run.how.size is None:
            notes.append(
                f"resized to {format_size(first.size)}, which the network takes; `resize` gives another size"
            )
        if frame.has_alpha and first.channels != 4:
            notes.append("its alpha is left out")
        if self.work.run.layer is not None and self.form != RAW and first.maps[0] > MOST:
            notes.append(f"{MOST} of the {first.maps[0]} maps are drawn; .npy takes the numbers of all")
        return tuple(notes)

    def filled(self, picture: Picture) -> NetworkPlan:
        """Return the plan for the picture itself."""
        return replace(self, picture=picture)

    def run(self) -> NetworkResult:
        """Run the network on every frame."""
        frames, clipped = [], 0.0
        for frame, prepared, black in zip(self.picture.frames, self.prepared, self.made, strict=True):
            made, share = self._frame(frame, prepared, black)
            frames.append(made)
            clipped += share / len(self.prepared)
        picture = replace(self.picture, frames=tuple(frames), metadata={}, notes=(), lost=())
        clipping = clipping_note(clipped, advice(self.work.value_range, ()))
        return NetworkResult(
            picture,
            f"{self.work.run.source}, input {'x'.join(map(str, self.prepared[0].shape))}",
            (*self.picture.notes, *self.notes, *clipping),
            self.facts,
        )

    def _frame(self, frame: Frame, prepared: Prepared, black: Frame) -> tuple[Frame, float]:
        """Return what is made of a frame, and the share of its samples that were clipped."""
        import numpy as np

        from convcli.backend.values import full_scale, into_dtype

        maps, height, width = prepared.maps
        values = self.work.run.values(prepared, frame)[0]
        if len(prepared.made) == 4 and prepared.taken.layout == "nhwc":
            values = np.moveaxis(values, -1, 0)
        values = values.reshape(maps, height, width)
        if self.form != RAW and self.work.run.layer is not None:
            from convcli.filters.feature_sheet import draw_maps

            return replace(black, pixels=draw_maps(values)), 0.0
        if self.work.run.layer is None and self.work.run.how.bgr and maps >= 3:
            values = values[[2, 1, 0, *range(3, maps)]]
        pixels = np.ascontiguousarray(values[0] if maps == 1 else np.moveaxis(values, 0, -1))
        if self.form == RAW:
            return replace(black, pixels=pixels.astype(np.float32, copy=False)), 0.0
        white = full_scale(black.pixels.dtype) / self.work.run.how.white(frame)
        fitted = into_dtype(
            pixels.astype(np.float64) * white, black.pixels.dtype, self.work.value_range or "clip"
        )
        return replace(black, pixels=fitted.pixels), fitted.clipped


class NetworkResult(NamedTuple):
    """What became of a picture."""

    picture: Picture
    how: str
    notes: tuple[str, ...]
    facts: dict[str, Any]
    record: None = None


@dataclass(frozen=True)
class Classifier:
    """What a run tells of each picture: the classes that a network finds likeliest.

    top : how many of them
    labels : a name for each class, where there are names
    """

    run: NetworkRun
    top: int
    labels: tuple[str, ...] = ()

    verb = "classify"

    def memory(self, name: str, picture: Picture) -> int:
        """Foretell the bytes that the answer takes, and refuse what does not fit."""
        prepared = [self.run.prepared(name, frame) for frame in picture.frames]
        classes = prepared[0].made[1]
        if self.labels and len(self.labels) != classes:
            raise ArgumentError(
                f"`labels` has {len(self.labels)} lines, and the network tells {classes} classes; one line is one class"
            )
        return max(each.memory + BOTH * 4 * each.size[0] * each.size[1] * each.channels for each in prepared)

    def answer(self, name: str, picture: Picture) -> dict[str, Any]:
        """Return the record of a picture, as JSON has it."""
        each = [self._classes(name, frame) for frame in picture.frames]
        return {"classes": each[0]} if len(each) == 1 else {"frames": each}

    def _classes(self, name: str, frame: Frame) -> list[dict[str, Any]]:
        values = self.run.values(self.run.prepared(name, frame), frame).reshape(-1)
        shares = as_shares(values)
        best = sorted(range(len(shares)), key=lambda place: (-shares[place], place))[: self.top]
        return [
            {
                "class": place,
                **({"label": self.labels[place]} if self.labels else {}),
                "share": round(shares[place], 6),
            }
            for place in best
        ]


def as_shares(values: Iterable[float]) -> list[float]:
    """Return scores as shares of 1: as they are, where they are shares already, else by softmax."""
    from math import exp, isfinite

    numbers = [float(value) for value in values]
    if not all(map(isfinite, numbers)):
        raise ImageError(
            "the network gives no finite numbers for this picture; look at its scale, mean and std"
        )
    if min(numbers) >= 0 and abs(sum(numbers) - 1) < 1e-3:
        return numbers
    most = max(numbers)
    powers = [exp(number - most) for number in numbers]
    return [power / sum(powers) for power in powers]
