"""The depth of results: 8 or 16 bits for results of deeper pictures, 16 bits or floats for those of less deep ones.

A picture is converted to more bits or to floats before it is filtered. For fewer bits it is filtered as it is, and only
its result is rounded to them, once.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from convcli.images.modes import LABS, is_counted, mode_name
from convcli.images.picture import ImageError

if TYPE_CHECKING:
    import numpy as np

    from convcli.images.picture import Frame, Picture

Depth = Literal["8", "16", "float"]
DEPTHS: tuple[Depth, ...] = ("8", "16", "float")
WHITE = {"uint8": 255, "uint16": 65535}
ROWS = 256  # converted at a time


def with_depth(picture: "Picture", depth: Depth, name: str) -> "Picture":
    """Return a picture that is filtered for a depth of its result, or raise ImageError; `name` is its name in errors.

    White is 65535 in 16 bits, and 1 in floats (float32). 8-bit samples are multiplied by 257 for 16 bits. Samples that
    have the depth already are unchanged, and so are deeper ones, whose result is rounded at the end.
    """
    return replace(picture, frames=tuple(_deep(frame, depth, name) for frame in picture.frames))


def _deep(frame: "Frame", depth: Depth, name: str) -> "Frame":
    import numpy as np

    pixels, dtype = frame.pixels, frame.pixels.dtype.name
    if depth == "float" and pixels.dtype.kind == "f":
        return frame
    able = dtype in WHITE or pixels.dtype.kind == "f"
    if not able or frame.channels in LABS or is_counted(frame.mode):
        raise ImageError(
            f"cannot convert {name}: `depth={depth!r}` needs grey or colours of 8 or 16 bits, or floats, but it has "
            f"{frame.mode}"
        )
    if rounded_to(depth, pixels.dtype) is not None:
        return frame
    if depth == "float":
        levels = (np.arange(WHITE[dtype] + 1) / WHITE[dtype]).astype(np.float32)
        deep = levels[pixels]
    elif dtype == "uint8":
        deep = pixels * np.uint16(WHITE["uint16"] // WHITE["uint8"])
    else:
        return frame
    return replace(frame, pixels=deep, mode=mode_name(frame.channels, deep.dtype.name))


def rounded_to(depth: Depth | None, dtype: "np.dtype[Any]") -> "np.dtype[Any] | None":
    """Return the dtype to which the results of pictures of a dtype are rounded; None if they are not."""
    import numpy as np

    if depth == "8":
        return np.dtype("uint8")
    return np.dtype("uint16") if depth == "16" and dtype.kind == "f" else None


def rounded(frame: "Frame", dtype: "np.dtype[Any]") -> "Frame":
    """Return a frame with its samples rounded to a dtype, half to even; floats are clipped to 0 and 1, white."""
    import numpy as np

    from convcli.backend.values import full_scale, into_dtype

    if frame.pixels.dtype == dtype:
        return frame
    factor = full_scale(dtype) / full_scale(frame.pixels.dtype)
    pixels = np.empty(frame.pixels.shape, dtype)
    for rows in (slice(top, top + ROWS) for top in range(0, len(pixels), ROWS)):
        values = frame.pixels[rows].astype(np.float64) * factor
        pixels[rows] = into_dtype(values, dtype, "clip", round_parts=True).pixels
    return replace(frame, pixels=pixels, mode=mode_name(frame.channels, dtype.name))
