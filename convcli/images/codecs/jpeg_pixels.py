"""Decode a JPEG directly into an array with imagecodecs: `convcli[codecs]`.

Pillow decodes to four bytes per pixel, which are then copied into an array. Both use libjpeg-turbo and return the same
pixels.
"""

from __future__ import annotations  # NumPy is loaded while a picture is decoded

import os
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.ImageFile import ImageFile

END = b"\xff\xd9"  # the marker EOI (ITU-T T.81, table B.1)


def is_straight(file: BinaryIO, image: ImageFile) -> bool:
    """Return whether a JPEG that Pillow has opened can be decoded directly: grey or RGB, and with its end marker.

    Pillow reports a truncated file, but imagecodecs does not.
    """
    if image.format != "JPEG" or image.mode not in ("L", "RGB") or find_spec("imagecodecs") is None:
        return False
    place = file.tell()
    file.seek(-len(END), os.SEEK_END)
    end = file.read(len(END))
    file.seek(place)
    return end == END


def straight_pixels(file: BinaryIO, image: ImageFile) -> NDArray[Any] | None:
    """Return the pixels (H, W) or (H, W, 3), not yet upright; None if Pillow must decode or refuse the file."""
    if not is_straight(file, image):
        return None
    import imagecodecs

    place = file.tell()
    file.seek(0)
    data = file.read()
    file.seek(place)
    try:
        pixels: NDArray[Any] = imagecodecs.jpeg8_decode(data)
    except (imagecodecs.Jpeg8Error, ValueError):
        return None
    channels = () if image.mode == "L" else (3,)
    return pixels if pixels.shape == (image.height, image.width, *channels) else None
