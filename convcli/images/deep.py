"""Colour of 16 bits, which Pillow has no mode for, whole from PNG.

Pillow decodes such files, and its unpackers keep one byte of each sample: that of `RGB;16B` the first, that of
`RGB;16L` the second. So a picture is decoded twice, and put together from its halves.
"""

from __future__ import annotations  # NumPy is loaded while a picture is decoded

from typing import TYPE_CHECKING, BinaryIO

from PIL import Image, ImageFile

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

WHITE = 65535


def cut_channels(image: ImageFile.ImageFile) -> str:
    """Return the channels that have 16 bits in the file and would have 8 after loading: LA, RGB, RGBA or none.

    The image was opened and not yet loaded.
    """
    for tile in image.tile if image.format == "PNG" else ():
        raw = tile.args[0] if isinstance(tile.args, tuple) else tile.args
        if str(raw).endswith(";16B") and image.mode in ("RGB", "RGBA"):
            return str(raw).removesuffix(";16B")
    return ""


def sixteen_bits(file: BinaryIO, channels: str, high: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """Return the pixels, (H, W, C), of a PNG in which `cut_channels` found some.

    `high` is what Pillow made of it: the first byte of each sample, where the channels are RGB or RGBA.
    """
    import numpy as np

    if channels == "LA":  # the four bytes of a pixel, as if each were a sample
        return _loaded(file, "RGBA").view(">u2").astype(np.uint16)
    pixels = high.astype(np.uint16)
    pixels <<= 8
    pixels |= _loaded(file, f"{channels};16L")
    return pixels


def _loaded(file: BinaryIO, raw: str) -> NDArray[np.uint8]:
    """Decode a file with another unpacker than Pillow would take."""
    import numpy as np

    file.seek(0)
    with Image.open(file, formats=["PNG"]) as image:
        (tile,) = image.tile
        image.tile = [tile._replace(args=raw)]
        image.load()
        return np.asarray(image)
