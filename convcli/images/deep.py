"""Colour of 16 bits, which Pillow has no mode for, whole from PNG and PPM, and to PPM.

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

    The image is a PNG or a binary PPM that was opened and not yet loaded.
    """
    for tile in image.tile:
        raw, *rest = tile.args if isinstance(tile.args, tuple) else (tile.args,)
        if image.format == "PNG" and str(raw).endswith(";16B") and image.mode in ("RGB", "RGBA"):
            return str(raw).removesuffix(";16B")
        if tile.codec_name == "ppm" and image.mode == "RGB" and rest[-1] > 255:
            return "RGB"
    return ""


def sixteen_bits(file: BinaryIO, channels: str, high: NDArray[np.uint8] | None = None) -> NDArray[np.uint16]:
    """Return the pixels, (H, W, C), of a file in which `cut_channels` found some.

    `high` is what Pillow made of a PNG of RGB or RGBA: the first byte of each sample. Samples of a PPM whose white is
    not 65535 are scaled to it, as Pillow scales those of grey.
    """
    import numpy as np

    if channels == "LA":  # the four bytes of a pixel, as if each were a sample
        bytewise, _ = _loaded(file, "RGBA")
        pixels: NDArray[np.uint16] = bytewise.view(">u2").astype(np.uint16)
    else:
        if high is None:
            high, _ = _loaded(file, f"{channels};16B")
        pixels = high.astype(np.uint16)
        pixels <<= 8
        low, white = _loaded(file, f"{channels};16L")
        pixels |= low
        if white != WHITE:
            pixels = np.rint(pixels * (WHITE / white)).clip(0, WHITE).astype(np.uint16)
    return pixels


def encode_ppm16(pixels: NDArray[np.uint16]) -> bytes:
    """Return (H, W, 3) as a PPM of two bytes a sample."""
    height, width = pixels.shape[:2]
    return b"P6\n%d %d\n%d\n" % (width, height, WHITE) + pixels.astype(">u2").tobytes()


def _loaded(file: BinaryIO, raw: str) -> tuple[NDArray[np.uint8], int]:
    """Decode a file with another unpacker than Pillow would take; return its pixels, and the sample that is white."""
    import numpy as np

    file.seek(0)
    with Image.open(file, formats=["PNG", "PPM"]) as image:
        (tile,) = image.tile
        white = WHITE
        if tile.codec_name == "ppm":  # its samples lie as they are
            white = int(tile.args[-1]) if tile.args else WHITE
            tile = tile._replace(codec_name="raw", args=(raw, 0, 1))
        else:
            tile = tile._replace(args=raw)
        image.tile = [tile]
        image.load()
        return np.asarray(image), white
