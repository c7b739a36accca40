"""The depth of a picture's samples: of 16 bits, or floats, so that a filter's results keep what 8 bits would round."""

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
    """Return a picture with samples of another depth, or raise ImageError; `name` is what errors call it.

    White is 65535 of 16 bits, and 1 of floats (float32). 8 bits become 16 by a factor of 257; what is that deep stays.
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
            f"cannot convert {name}: `depth={depth!r}` takes grey and colours of {able}, it has {frame.mode}"
        )
    if depth == "float":
        levels = (np.arange(WHITE[dtype] + 1) / WHITE[dtype]).astype(np.float32)
        deep = levels[pixels]
    elif dtype == "uint8":
        deep = pixels * np.uint16(WHITE["uint16"] // WHITE["uint8"])
    else:
        return frame
    return replace(frame, pixels=deep, mode=mode_name(frame.channels, deep.dtype.name))
