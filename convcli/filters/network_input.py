"""Convert a frame to the input of a network: size, channels, values and axis order."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from convcli.errors import ArgumentError
from convcli.images.picture import Frame, ImageError
from convcli.remote_files import file_path

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
    """Return the (width, height) of a network's input, or raise ArgumentError unless both are given."""
    if size is not None and size.pixels is None:
        raise ArgumentError(
            "with `network`, `resize` takes the size of its input: WIDTHxHEIGHT, such as 224x224"
        )
    return None if size is None else size.pixels


def output_name(source: str, layer: str | None) -> str:
    """Return the part of output names that describes a network and layer.

    >>> output_name("models/net.onnx", "conv/1")
    'net-conv-1'
    """
    path = file_path(source)
    stem = path.stem if path.suffix.lower() in (".onnx", ".toml") else source
    text = stem if layer is None else f"{stem}-{layer}"
    return re.sub(r"[^\w.+-]+", "-", text).strip("-.") or "network"


class Taken(NamedTuple):
    """The input of a network: its channels and size, None where the network does not fix them."""

    channels: int | None
    height: int | None
    width: int | None
    layout: str

    def shape(self, channels: int, height: int, width: int) -> tuple[int, ...]:
        """Return the full shape of an input with one picture."""
        return (1, channels, height, width) if self.layout == "nchw" else (1, height, width, channels)


class NetworkInput(NamedTuple):
    """How pictures are converted to the input of a network: (sample * scale - mean) / std.

    scale : by default the factor that makes white 1
    mean, std : one number, or one for each channel, in the order of the network's channels
    size : (width, height) that pictures are resized to; by default that of the network's input, or of the picture
    layout : `nchw` or `nhwc`; by default detected from the shape
    bgr : whether the channel order of the network is blue, green, red
    """

    scale: float | None = None
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    size: tuple[int, int] | None = None
    layout: str | None = None
    bgr: bool = False

    def taken(self, declared: Sequence[int | str]) -> Taken:
        """Return the input for a declared full shape, or raise ArgumentError if it does not fit a picture."""
        shape_text = "x".join(map(str, declared)) or "one number"
        if len(declared) != 4:
            raise ArgumentError(
                f"the network's input is {shape_text}, not a picture; it must be N x C x H x W"
            )
        known = [n if isinstance(n, int) else None for n in declared]
        layout = self.layout or ("nhwc" if known[1] not in COUNTS and known[3] in COUNTS else "nchw")
        channels, height, width = known[1:] if layout == "nchw" else (known[3], known[1], known[2])
        if channels not in (*COUNTS, None):
            raise ArgumentError(
                f"the network's input {shape_text} has {channels} channels, and pictures have 1, 3 or 4; "
                f"set the axis of the channels with `layout`"
            )
        if (known[0] or 1) != 1:
            raise ArgumentError(
                f"the network's input {shape_text} takes batches of {known[0]}, but pictures run one at a time; export "
                "it with a batch size of 1"
            )
        return Taken(channels, height, width, layout)

    def sizes(self, taken: Taken, frame: Frame, keep: bool) -> tuple[int, int]:
        """Return the height and width to resize a frame to; `keep` is for networks that take any size."""
        height, width = frame.pixels.shape[:2]
        if self.size is not None:
            return self.size[1], self.size[0]
        if keep:
            return height, width
        return taken.height or height, taken.width or width

    def channels(self, taken: Taken, frame: Frame, name: str) -> int:
        """Return the number of input channels for a frame."""
        if frame.channels not in ("L", "LA", "RGB", "RGBA"):
            raise ImageError(
                f"cannot filter {name}: a network needs grey or RGB, but it has {frame.mode}; convert it first"
            )
        colours = 1 if frame.channels in ("L", "LA") else 3
        if taken.channels is None:
            return colours
        if taken.channels == 4 and not (frame.has_alpha and colours == 3):
            raise ImageError(
                f"cannot filter {name}: the network needs RGB with alpha, but it has {frame.mode}; convert it first"
            )
        return taken.channels

    def array(self, frame: Frame, taken: Taken, channels: int, size: tuple[int, int]) -> Array:
        """Return the input array of one frame, float32."""
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
        """Return the value of white in the units of the network."""
        from convcli.backend.values import full_scale

        white = full_scale(frame.pixels.dtype)
        return 1.0 if self.scale is None else white * self.scale

    def _each(self, name: str, values: tuple[float, ...], channels: int) -> tuple[float, ...]:
        if len(values) not in (1, channels):
            raise ArgumentError(
                f"`{name}` has {len(values)} numbers, and the network has {channels} channels; give one number, or "
                "one for each channel"
            )
        return values
