"""The memory that decoders and encoders take, by what the header tells: bytes, foretold before any pixel is there.

Each figure was measured as the peak of a process (`make bench ARGS=--memory`), and is told beside the reason for it.
"""

from __future__ import annotations

import os
from math import prod
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from PIL.ImageFile import ImageFile

    from convcli.images.header import FrameHeader

# Bytes of a file that a decoder gets at once: it holds no lock meanwhile, and others can work beside it.
SMALL_BLOCK, BLOCK = 1 << 16, 1 << 25

# Tags of TIFF (TIFF 6.0, section 8).
IMAGE_WIDTH, BITS_PER_SAMPLE, ROWS_PER_STRIP, STRIP_BYTE_COUNTS = 256, 258, 278, 279
TILE_WIDTH, TILE_LENGTH, TILE_BYTE_COUNTS = 322, 323, 325

CANVASES = 3  # that Pillow keeps of an animation: of the frame before, of what it is put on, and of both


def stored(mode: str) -> int:
    """Return the bytes that Pillow keeps of a pixel: of several channels always four.

    >>> stored("L"), stored("I;16"), stored("RGB"), stored("F")
    (1, 2, 4, 4)
    """
    return 1 if mode in ("1", "L", "P") else 2 if mode.startswith("I;16") else 4


def decoding(image: ImageFile, frame: FrameHeader, turned: bool, animated: bool) -> int:
    """Return the bytes that are taken beside the pixels of a frame while an opened image is decoded to it."""
    pixels = prod(image.size)
    whole = stored(image.mode) * pixels
    images = whole
    if turned:
        images += whole
    if frame.dtype == "uint16" and stored(image.mode) == 4:  # decoded twice, for either byte of a sample
        images += whole
        if turned:
            images += frame.nbytes
    elif (
        image.mode != frame.mode and frame.dtype == "uint8"
    ):  # palettes and transparent colours become channels
        images += stored(frame.mode) * pixels
    images += max(0, _own(image, pixels) - frame.nbytes)  # is gone when the array is made
    if image.format == "WEBP":  # two canvases and the bytes of one, in four channels
        images += 12 * pixels
    elif animated and image.format in ("GIF", "PNG"):
        images += CANVASES * 4 * pixels
    return images


def block(image: ImageFile) -> int:
    """Return how much of its file the decoder of an opened image is given at once: no more than its pixels need."""
    return min(BLOCK, max(SMALL_BLOCK, 4 * prod(image.size)))


def size_of(image: ImageFile) -> int:
    """Return the bytes of the file that an image is read from."""
    file = image.fp
    assert file is not None
    place = file.tell()
    end = file.seek(0, os.SEEK_END)
    file.seek(place)
    return int(end)


def _own(image: ImageFile, pixels: int) -> int:
    """Return what a decoder keeps for itself: a part of the file, and of some formats more."""
    if any(tile.codec_name == "libtiff" for tile in image.tile):
        return _strip(getattr(image, "tag_v2", {}), image.height, size_of(image))
    kept = min(block(image), size_of(image))
    if image.format in ("JPEG", "MPO") and image.info.get("progressive"):  # all coefficients, of two bytes
        factors = [across * down for _, across, down, _ in getattr(image, "layer", [])]
        kept += 2 * pixels * sum(factors) // max(factors, default=1)
    return kept


def _strip(tags: Mapping[int, Any], height: int, size: int) -> int:
    """Return the bytes of a strip or a tile of a TIFF, and of what it is compressed to."""
    width, rows = tags.get(TILE_WIDTH), tags.get(TILE_LENGTH)
    if width is None or rows is None:
        width, rows = tags[IMAGE_WIDTH], min(height, tags.get(ROWS_PER_STRIP, height))
    bits = sum(tags.get(BITS_PER_SAMPLE, (1,)))
    counts = tags.get(TILE_BYTE_COUNTS) or tags.get(STRIP_BYTE_COUNTS) or (0,)
    return int(width * rows * bits // 8 + min(max(counts), size))
