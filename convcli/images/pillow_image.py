"""Pillow's images as pictures, and back: what is in memory already."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image

from convcli.images.frames import in_memory
from convcli.images.modes import channels_of
from convcli.images.picture import ImageError, Picture
from convcli.images.samples import stored

KEPT = ("exif", "dpi", "comment")  # of what travels with an image beside its colour profile

# The modes that Pillow has for samples of a NumPy type.
_HELD = {
    "uint8": ("L", "LA", "RGB", "RGBA", "CMYK", "LAB"),
    "uint16": ("L",),
    "int32": ("L",),
    "float32": ("L",),
}


def of_image(image: Image.Image, name: str) -> Picture:
    """Return the current frame of an image, its palette and its transparent colour expanded, or raise ImageError."""
    profile = image.info.get("icc_profile")
    return Picture((in_memory(name, image),), "image", {"icc": profile} if profile else {})


def to_image(picture: Picture, name: str, like: Image.Image) -> Image.Image:
    """Return a still picture as an image with the metadata of another, or raise ImageError where Pillow has none such.

    The colour profile is the picture's own.
    """
    (frame,) = picture.frames
    channels, dtype = channels_of(frame.mode), frame.pixels.dtype.name
    if channels not in _HELD.get(dtype, ()):
        raise ImageError(
            f"{name}: Pillow has no image of {channels} in {dtype}; give an array for the numbers, `value_range` to "
            "bring them back into the image's own depth, `sheet=True` to draw maps side by side, or `pool_channels` "
            "to make one of them"
        )
    made = Image.fromarray(np.ascontiguousarray(stored(frame)), channels if dtype == "uint8" else None)
    kept: dict[Any, Any] = {key: like.info[key] for key in KEPT if key in like.info}
    made.info = kept | ({"icc_profile": picture.metadata["icc"]} if "icc" in picture.metadata else {})
    return made
