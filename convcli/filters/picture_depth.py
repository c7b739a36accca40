"""Convert a picture to 16 bits or floats, so that filter results are not rounded to 8 bits."""

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from convcli.images.modes import LABS, is_counted, mode_name
from convcli.images.picture import ImageError

if TYPE_CHECKING:
    from convcli.images.picture import Frame, Picture

Depth = Literal["16", "float"]
DEPTHS: tuple[Depth, ...] = ("16", "float")
WHITE = {"uint8": 255, "uint16": 65535}


def with_depth(picture: "Picture", depth: Depth, name: str) -> "Picture":
    """Return a picture with samples of another depth, or raise ImageError; `name` is its name in errors.

    White is 65535 in 16 bits, and 1 in floats (float32). 8-bit samples are multiplied by 257 for 16 bits. Samples that
    have the depth already are unchanged.
    """
    return replace(picture, frames=tuple(_deep(frame, depth, name) for frame in picture.frames))


def _deep(frame: "Frame", depth: Depth, name: str) -> "Frame":
    import numpy as np

    pixels, dtype = frame.pixels, frame.pixels.dtype.name
    if depth == "float" and pixels.dtype.kind == "f":
        return frame
    if dtype not in WHITE or frame.channels in LABS or is_counted(frame.mode):
        able = "8 or 16 bits" if depth == "16" else "8 or 16 bits, or floats"
        raise ImageError(
            f"cannot convert {name}: `depth={depth!r}` needs grey or colours of {able}, but it has {frame.mode}"
        )
    if depth == "float":
        levels = (np.arange(WHITE[dtype] + 1) / WHITE[dtype]).astype(np.float32)
        deep = levels[pixels]
    elif dtype == "uint8":
        deep = pixels * np.uint16(WHITE["uint16"] // WHITE["uint8"])
    else:
        return frame
    return replace(frame, pixels=deep, mode=mode_name(frame.channels, deep.dtype.name))
