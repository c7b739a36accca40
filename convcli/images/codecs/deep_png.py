"""Colour of 16 bits, which Pillow has no mode for, whole from PNG.

Pillow decodes such files, and its unpackers keep one byte of each sample: that of `RGB;16B` the first, that of
`RGB;16L` the second. So a picture is decoded twice, and put together from its halves.
"""

from __future__ import annotations  # NumPy is loaded while a picture is decoded

from typing import TYPE_CHECKING, BinaryIO

from PIL import Image, ImageFile

from convcli.images.row_bands import bands

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


def sixteen_bits(file: BinaryIO, channels: str, high: Image.Image) -> NDArray[np.uint16]:
    """Return the pixels, (H, W, C), of a PNG in which `cut_channels` found some.

    `high` is what Pillow made of it: the first byte of each sample, where the channels are RGB or RGBA.
    """
    import numpy as np

    if channels == "LA":  # the four bytes of a pixel, as if each were a sample
        bytewise = _loaded(file, "RGBA")
        pixels = np.empty((bytewise.height, bytewise.width, 2), np.uint16)
        for rows, part in bands(bytewise):
            pixels[rows] = part.view(">u2")
        return pixels
    low = _loaded(file, f"{channels};16L")
    pixels = np.empty((low.height, low.width, len(channels)), np.uint16)
    for (rows, first), (_, second) in zip(bands(high), bands(low), strict=True):
        np.left_shift(first, 8, out=pixels[rows], dtype=np.uint16)
        pixels[rows] |= second
    return pixels


def _loaded(file: BinaryIO, raw: str) -> Image.Image:
    """Decode a file with another unpacker than Pillow would take."""
    file.seek(0)
    image = Image.open(file, formats=["PNG"])
    (tile,) = image.tile
    image.tile = [tile._replace(args=raw)]
    image.load()
    return image
