"""The depth of results: 8 bits for results of deeper pictures, 16 bits or floats for results that are not rounded to 8.

A picture is converted to 16 bits or floats before it is filtered. For 8 bits it is filtered as it is, and only its
result is rounded to them, once.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from convcli.images.modes import LABS, is_counted, mode_name
from convcli.images.picture import ImageError

if TYPE_CHECKING:
    from convcli.images.picture import Frame, Picture

Depth = Literal["8", "16", "float"]
DEPTHS: tuple[Depth, ...] = ("8", "16", "float")
WHITE = {"uint8": 255, "uint16": 65535}
ROWS = 256  # converted at a time


def with_depth(picture: "Picture", depth: Depth, name: str) -> "Picture":
    """Return a picture that is filtered for a depth of its result, or raise ImageError; `name` is its name in errors.

    White is 65535 in 16 bits, and 1 in floats (float32). 8-bit samples are multiplied by 257 for 16 bits. Samples that
    have the depth already are unchanged, and so are those for a result of 8 bits, which is rounded at the end.
    """
    return replace(picture, frames=tuple(_deep(frame, depth, name) for frame in picture.frames))


def _deep(frame: "Frame", depth: Depth, name: str) -> "Frame":
    import numpy as np

    pixels, dtype = frame.pixels, frame.pixels.dtype.name
    if depth == "float" and pixels.dtype.kind == "f":
        return frame
    able = dtype in WHITE or (depth == "8" and pixels.dtype.kind == "f")
    if not able or frame.channels in LABS or is_counted(frame.mode):
        needs = "8 or 16 bits" if depth == "16" else "8 or 16 bits, or floats"
        raise ImageError(
            f"cannot convert {name}: `depth={depth!r}` needs grey or colours of {needs}, but it has {frame.mode}"
        )
    if depth == "8":
        return frame
    if depth == "float":
        levels = (np.arange(WHITE[dtype] + 1) / WHITE[dtype]).astype(np.float32)
        deep = levels[pixels]
    elif dtype == "uint8":
        deep = pixels * np.uint16(WHITE["uint16"] // WHITE["uint8"])
    else:
        return frame
    return replace(frame, pixels=deep, mode=mode_name(frame.channels, deep.dtype.name))


def in_eight_bits(frame: "Frame") -> "Frame":
    """Return a frame with its samples rounded to 8 bits, half to even; floats are clipped to 0 and 1, white."""
    import numpy as np

    from convcli.backend.values import EIGHT_BITS, full_scale, into_dtype

    if frame.pixels.dtype == EIGHT_BITS:
        return frame
    factor = full_scale(EIGHT_BITS) / full_scale(frame.pixels.dtype)
    pixels = np.empty(frame.pixels.shape, EIGHT_BITS)
    for rows in (slice(top, top + ROWS) for top in range(0, len(pixels), ROWS)):
        values = frame.pixels[rows].astype(np.float64) * factor
        pixels[rows] = into_dtype(values, EIGHT_BITS, "clip", round_parts=True).pixels
    return replace(frame, pixels=pixels, mode=eight_bit_mode(frame))


def eight_bit_mode(frame: "Frame") -> str:
    """Return the mode of a frame with 8 bits per sample."""
    return mode_name(frame.channels, "uint8")
