"""A frame becomes the input of a network: its size, its channels, its values and their order."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from convcli.errors import ArgumentError
from convcli.images.picture import Frame, ImageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from convcli.filters.new_size import NewSize

    Array = NDArray[Any]

LAYOUTS = ("nchw", "nhwc")
COUNTS = (1, 3, 4)  # channels of pictures
OF_BOTH = (
    "scale",
    "weights",
    "value_range",
    "max_kernel",
    "resize",
)  # options of a layer that a network takes, too


def pixels_of(size: NewSize | None) -> tuple[int, int] | None:
    """Return the (width, height) of the input of a network, or raise ArgumentError where both are not said."""
    if size is not None and size.pixels is None:
        raise ArgumentError("with `network`, `resize` takes the size of its input: WIDTHxHEIGHT, as 224x224")
    return None if size is None else size.pixels


def output_name(source: str, layer: str | None) -> str:
    """Return what stands in the names of outputs where a kernel's name would.

    >>> output_name("models/net.onnx", "conv/1")
    'net-conv-1'
    """
    stem = Path(source).stem if source.lower().endswith((".onnx", ".toml")) else source
    text = stem if layer is None else f"{stem}-{layer}"
    return re.sub(r"[^\w.+-]+", "-", text).strip("-.") or "network"


class Taken(NamedTuple):
    """What a network takes: the channels and the size of its input, None where they are not said."""

    channels: int | None
    height: int | None
    width: int | None
    layout: str

    def shape(self, channels: int, height: int, width: int) -> tuple[int, ...]:
        """Return the whole shape of one picture."""
        return (1, channels, height, width) if self.layout == "nchw" else (1, height, width, channels)


class NetworkInput(NamedTuple):
    """How pictures become the input of a network: (sample * scale - mean) / std.

    scale : by default what makes white 1
    mean, std : one number, or one for each channel, in the order of the network's channels
    size : (width, height) that pictures are resized to; by default what the network says, or that of the picture
    layout : `nchw` or `nhwc`; by default told from the shape
    bgr : whether the network takes blue, green and red
    """

    scale: float | None = None
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    size: tuple[int, int] | None = None
    layout: str | None = None
    bgr: bool = False

    def taken(self, declared: Sequence[int | str]) -> Taken:
        """Return what an input of a declared whole shape takes, or raise ArgumentError where it is no picture."""
        told = "x".join(map(str, declared)) or "one number"
        if len(declared) != 4:
            raise ArgumentError(f"the network's input is {told}, which is no picture: it takes N x C x H x W")
        known = [n if isinstance(n, int) else None for n in declared]
        layout = self.layout or ("nhwc" if known[1] not in COUNTS and known[3] in COUNTS else "nchw")
        channels, height, width = known[1:] if layout == "nchw" else (known[3], known[1], known[2])
        if channels not in (*COUNTS, None):
            raise ArgumentError(
                f"the network's input {told} has {channels} channels, and pictures have 1, 3 or 4; "
                f"say by `layout` which axis they are"
            )
        if (known[0] or 1) != 1:
            raise ArgumentError(
                f"the network's input {told} takes {known[0]} pictures at once, and a run has one"
            )
        return Taken(channels, height, width, layout)

    def sizes(self, taken: Taken, frame: Frame, keep: bool) -> tuple[int, int]:
        """Return the height and the width that a frame gets; `keep` is for networks that take any size."""
        height, width = frame.pixels.shape[:2]
        if self.size is not None:
            return self.size[1], self.size[0]
        if keep:
            return height, width
        return taken.height or height, taken.width or width

    def channels(self, taken: Taken, frame: Frame, name: str) -> int:
        """Return how many channels a frame gives a network."""
        if frame.channels not in ("L", "LA", "RGB", "RGBA"):
            raise ImageError(
                f"cannot filter {name}: a network takes grey or RGB, it has {frame.mode}; convert it first"
            )
        colours = 1 if frame.channels in ("L", "LA") else 3
        if taken.channels is None:
            return colours
        if taken.channels == 4 and not (frame.has_alpha and colours == 3):
            raise ImageError(f"cannot filter {name}: the network takes RGB with alpha, it has {frame.mode}")
        return taken.channels

    def array(self, frame: Frame, taken: Taken, channels: int, size: tuple[int, int]) -> Array:
        """Return the input of one frame, of float32."""
        import numpy as np

        from convcli.backend.colour import luma
        from convcli.backend.values import full_scale
        from convcli.images.resized import resized

        pixels = frame.pixels.reshape(*frame.pixels.shape[:2], -1)
        white = full_scale(pixels.dtype)
        colours = 1 if frame.channels in ("L", "LA") else 3
        if channels != 4:
            pixels = pixels[..., :colours]
        if channels == 1 and colours == 3:
            pixels = luma(pixels)[..., np.newaxis]
        pixels = resized(pixels, size)
        if channels == 3 and colours == 1:
            pixels = np.repeat(pixels, 3, axis=2)
        if self.bgr and channels >= 3:
            pixels = pixels[..., [2, 1, 0, *range(3, channels)]]
        x = pixels.astype(np.float32)
        x *= np.float32(1 / white if self.scale is None else self.scale)
        mean, std = (
            self._each(name, values, channels) for name, values in (("mean", self.mean), ("std", self.std))
        )
        x -= np.array(mean, np.float32)
        x /= np.array(std, np.float32)
        x = x.transpose(2, 0, 1) if taken.layout == "nchw" else x
        return np.ascontiguousarray(x)[np.newaxis]

    def white(self, frame: Frame) -> float:
        """Return what is white in the units of the network."""
        from convcli.backend.values import full_scale

        white = full_scale(frame.pixels.dtype)
        return 1.0 if self.scale is None else white * self.scale

    def _each(self, name: str, values: tuple[float, ...], channels: int) -> tuple[float, ...]:
        if len(values) not in (1, channels):
            raise ArgumentError(f"`{name}` has {len(values)} numbers, and the network {channels} channels")
        return values
