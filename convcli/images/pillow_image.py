"""Convert Pillow's images in memory to pictures and back."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image

from convcli.images.frames import in_memory
from convcli.images.modes import channels_of
from convcli.images.picture import ImageError, Picture
from convcli.images.samples import stored

KEPT = ("exif", "dpi", "comment")  # metadata that is kept besides the colour profile

# The channels that Pillow supports for each NumPy dtype.
_HELD = {
    "uint8": ("L", "LA", "RGB", "RGBA", "CMYK", "LAB"),
    "uint16": ("L",),
    "int32": ("L",),
    "float32": ("L",),
}


def of_image(image: Image.Image, name: str) -> Picture:
    """Return the current frame of an image, with palette and transparent colour expanded, or raise ImageError."""
    profile = image.info.get("icc_profile")
    return Picture((in_memory(name, image),), "image", {"icc": profile} if profile else {})


def to_image(picture: Picture, name: str, like: Image.Image) -> Image.Image:
    """Return a still picture as an image, or raise ImageError if Pillow does not support its mode.

    The colour profile is that of the picture; other metadata is copied from `like`.
    """
    (frame,) = picture.frames
    channels, dtype = channels_of(frame.mode), frame.pixels.dtype.name
    if channels not in _HELD.get(dtype, ()):
        raise ImageError(
            f"{name}: Pillow has no image mode for {channels} in {dtype}; pass an array to get the values, "
            "`value_range` to map them to the image's depth, `sheet=True` to draw maps side by side, or "
            "`pool_channels` to reduce them to one"
        )
    made = Image.fromarray(np.ascontiguousarray(stored(frame)), channels if dtype == "uint8" else None)
    kept: dict[Any, Any] = {key: like.info[key] for key in KEPT if key in like.info}
    made.info = kept | ({"icc_profile": picture.metadata["icc"]} if "icc" in picture.metadata else {})
    return made
