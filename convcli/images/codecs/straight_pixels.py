"""Decode JPEG, PNG and WebP directly into arrays with imagecodecs: `convcli[codecs]`.

Pillow decodes to four bytes per pixel, which are then copied into an array, and its PNG decoder takes twice the time.
Both use the same libraries and return the same pixels; a file that imagecodecs refuses is left to Pillow.
"""

from __future__ import annotations  # NumPy is loaded while a picture is decoded

import os
import zlib
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, BinaryIO

from convcli.images.metadata.pixel_chunks import SIGNATURE

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.ImageFile import ImageFile

# The end of a complete file: the marker EOI (ITU-T T.81, table B.1), the chunk IEND (PNG, third edition, 11.2.4).
ENDS = {"JPEG": b"\xff\xd9", "PNG": b"\0\0\0\0IEND\xaeB`\x82"}

# The modes of each format that are decoded directly, and the function of imagecodecs.
MODES = {"JPEG": ("L", "RGB"), "PNG": ("L", "LA", "RGB", "RGBA"), "WEBP": ("RGB", "RGBA")}
DECODERS = {"JPEG": "jpeg8", "PNG": "spng", "WEBP": "webp"}
CHANNELS = {"L": (), "LA": (2,), "RGB": (3,), "RGBA": (4,)}


def is_straight(file: BinaryIO, image: ImageFile) -> bool:
    """Return whether an image that Pillow has opened can be decoded directly: a still picture of 8 bits.

    Pictures with palettes or transparent colours cannot. The file must have its end marker: Pillow reports a truncated
    file, but imagecodecs does not always.
    """
    form = str(image.format)
    if image.mode not in MODES.get(form, ()) or find_spec("imagecodecs") is None:
        return False
    if form != "JPEG" and (getattr(image, "n_frames", 1) > 1 or "transparency" in image.info):
        return False
    if form == "PNG" and [tile.args for tile in image.tile] != [image.mode]:  # 1, 2, 4 or 16 bits
        return False
    return _ends_in(file, ENDS.get(form, b""))


def _ends_in(file: BinaryIO, end: bytes) -> bool:
    """Return whether a file ends with the bytes `end`; its position does not change."""
    place = file.tell()
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - len(end)))
    found = file.read(len(end))
    file.seek(place)
    return found == end


def straight_pixels(file: BinaryIO, image: ImageFile) -> NDArray[Any] | None:
    """Return the pixels (H, W) or (H, W, C), not yet upright; None if Pillow must decode or refuse the file."""
    if not is_straight(file, image):
        return None
    import imagecodecs

    place = file.tell()
    file.seek(0)
    data = file.read()
    file.seek(place)
    if image.format == "PNG" and not _checksums_match(data):  # imagecodecs does not check them
        return None
    name = DECODERS[str(image.format)]
    try:
        pixels: NDArray[Any] = getattr(imagecodecs, f"{name}_decode")(data)
    except (getattr(imagecodecs, f"{name.capitalize()}Error"), ImportError, ValueError):
        return None
    fits = pixels.dtype == "uint8" and pixels.shape == (image.height, image.width, *CHANNELS[image.mode])
    return pixels if fits else None


def _checksums_match(data: bytes) -> bool:
    """Return whether the stored checksums of all chunks of a PNG are right."""
    whole, at = memoryview(data), len(SIGNATURE)
    while at < len(whole):
        end = at + 8 + int.from_bytes(whole[at : at + 4], "big")
        if zlib.crc32(whole[at + 4 : end]).to_bytes(4, "big") != whole[end : end + 4]:
            return False
        at = end + 4
    return True
