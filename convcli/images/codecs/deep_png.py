"""Read 16-bit colour from PNG at full depth, for which Pillow has no mode.

Pillow's unpackers keep one byte of each sample: `RGB;16B` the first, `RGB;16L` the second. So a picture is decoded
twice, and the two halves of each sample are combined.
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
    """Return the channels (LA, RGB or RGBA) if Pillow would reduce 16 bits to 8; an empty string otherwise.

    The image must be opened but not yet loaded.
    """
    for tile in image.tile if image.format == "PNG" else ():
        raw = tile.args[0] if isinstance(tile.args, tuple) else tile.args
        if str(raw).endswith(";16B") and image.mode in ("RGB", "RGBA"):
            return str(raw).removesuffix(";16B")
    return ""


def sixteen_bits(file: BinaryIO, channels: str, high: Image.Image) -> NDArray[np.uint16]:
    """Return the pixels, (H, W, C), of a PNG for which `cut_channels` returned `channels`.

    `high` is the image that Pillow loaded: for RGB and RGBA, the first byte of each sample.
    """
    import numpy as np

    if channels == "LA":  # unpack the four bytes of a pixel as four samples
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
    """Decode a file with another of Pillow's unpackers than its default."""
    file.seek(0)
    image = Image.open(file, formats=["PNG"])
    (tile,) = image.tile
    image.tile = [tile._replace(args=raw)]
    image.load()
    return image
