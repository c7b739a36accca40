"""The memory that decoders and encoders take, by what the header tells: bytes, foretold before any pixel is there.

Each figure was measured as the peak of a process, and is told beside the reason for it.
"""

from __future__ import annotations

import os
from math import prod
from typing import TYPE_CHECKING, Any

from convcli.cores import cores
from convcli.images.codecs.tiff_directories import (
    BITS_PER_SAMPLE,
    IMAGE_WIDTH,
    ROWS_PER_STRIP,
    STRIP_BYTE_COUNTS,
    TILE_BYTE_COUNTS,
    TILE_LENGTH,
    TILE_WIDTH,
    tiff_of,
    wholes,
)
from convcli.images.codecs.webp import webp_settings
from convcli.images.formats import FORMATS, NETPBM, TEXTS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from PIL.ImageFile import ImageFile

    from convcli.images.coding import Coded, Coding
    from convcli.images.header import FrameHeader

# Bytes of a file that a decoder gets at once: it holds no lock meanwhile, and others can work beside it.
SMALL_BLOCK, BLOCK = 1 << 16, 1 << 25

# What compression leaves of a photograph's bytes.
DENSITIES = {"PNG": 0.5, "JPEG": 0.1, "WEBP": 0.4, "TIFF": 0.8, "GIF": 0.25}
PNG_BAND, PNG_COPIES, MAX_THREADS = (
    1 << 20,
    6,
    8,
)  # as of `encode_png`, which copies what it has filtered, and deflated
LOSSLESS, LOSSY = 28, 6  # bytes of a pixel in libwebp: its own copies, histograms and chains
ANIMATED = 12  # of libwebp's canvases: the one before, the next, and one that is cleared
COMPARED = 8  # bytes of a pixel of an animated GIF: two frames in colours, whose difference Pillow takes
QUANTISER, LOOKED_AT = 22, 1 << 20  # bytes of a pixel, and by how many colours are chosen

WORDS = 80  # bytes of a number as a string of Python, and of its digits

POOL = 4  # blocks that Pillow keeps, for each job, of images that are freed
POOL_BLOCK = 1 << 24  # bytes of one

CANVASES = 3  # that Pillow keeps of an animation: of the frame before, of what it is put on, and of both


def stored(mode: str) -> int:
    """Return the bytes that Pillow keeps of a pixel: of several channels always four.

    >>> stored("L"), stored("I;16"), stored("RGB"), stored("F")
    (1, 2, 4, 4)
    """
    return 1 if mode in ("1", "L", "P") else 2 if mode.startswith("I;16") else 4


def decoding(
    image: ImageFile, frame: FrameHeader, turned: bool, animated: bool, straight: bool = False
) -> int:
    """Return the bytes that are taken beside the pixels of a frame while an opened image is decoded to it.

    straight : whether it is a JPEG that is decoded into the array itself
    """
    pixels = prod(image.size)
    if straight:
        return _own(image, pixels) + turned * frame.nbytes
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


def reuse_images(jobs: int) -> None:
    """Let Pillow keep the memory of images that are freed, for the next ones of so many jobs at once.

    What is asked of the system anew comes page by page, which takes as long as decoding. To be called before Pillow
    is imported, which reads it from the environment (Pillow's documentation, "Block allocator").
    """
    os.environ.setdefault("PILLOW_BLOCKS_MAX", str(POOL * jobs))


def pooled(frames: Sequence[FrameHeader]) -> int:
    """Return the bytes that Pillow keeps for one job, of images of these frames that are freed."""
    return min(POOL * POOL_BLOCK, max(frame.image for frame in frames))


def pooled_of_many(frames: Sequence[FrameHeader]) -> int:
    """Return what it keeps beside frames where pictures before them were decoded, or encoded, from its own images."""
    return pooled([frame._replace(image=stored(frame.mode) * _pixels(frame)) for frame in frames])


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
        return _strip(tiff_of(image).tag_v2, image.height, size_of(image))
    kept = min(block(image), size_of(image))
    if image.format in ("JPEG", "MPO") and image.info.get("progressive"):  # all coefficients, of two bytes
        factors = [across * down for _, across, down, _ in getattr(image, "layer", [])]
        kept += 2 * pixels * sum(factors) // max(factors, default=1)
    return kept


def _strip(tags: Mapping[int, Any], height: int, size: int) -> int:
    """Return the bytes of a strip or a tile of a TIFF, and of what it is compressed to; tags may be damaged."""
    tiled = TILE_WIDTH in tags and TILE_LENGTH in tags
    width = max(wholes(tags.get(TILE_WIDTH if tiled else IMAGE_WIDTH)), default=0)
    rows = max(wholes(tags.get(TILE_LENGTH if tiled else ROWS_PER_STRIP)), default=height)
    counts = wholes(tags.get(TILE_BYTE_COUNTS if tiled else STRIP_BYTE_COUNTS))
    bits = sum(wholes(tags.get(BITS_PER_SAMPLE, 1)))
    return width * (rows if tiled else min(rows, height)) * bits // 8 + min(max(counts, default=0), size)


# Encoders


def encoding(
    frames: Sequence[FrameHeader],
    form: str,
    coding: Coding,
    was: Coded | None = None,
    threads: int | None = None,
) -> int:
    """Return the bytes that are taken beside the pixels of frames while they are encoded, and the file that comes out.

    form, coding, threads : as of `encode`; was : how the file was coded that is read
    """
    raw, most = sum(frame.nbytes for frame in frames), max(map(_pixels, frames))
    data = int(raw * DENSITIES.get(form, 1.0))
    images = sum(_image(frame.mode) * _pixels(frame) for frame in frames)
    mode, several = frames[0].mode, len(frames) > 1
    if form == "PNG" and not several and (coding.png_level is None or mode in FORMATS["PNG"].still):
        bands = min(threads or min(cores(), MAX_THREADS), -(-raw // PNG_BAND))
        return data + bands * min(PNG_BAND * PNG_COPIES, raw)
    if form == "PNG":
        return (
            images + data + (sum(stored(frame.mode) * _pixels(frame) for frame in frames) if several else 0)
        )
    if form == "JPEG":  # through a file in memory, whose room is taken first
        return images + data + most * 5 // 4
    if form == "WEBP":
        lossless = webp_settings(coding, was).get("lossless", False)
        working = LOSSLESS + (8 if mode == "RGBA" else 0) if lossless else LOSSY
        if several:  # canvases, the last frame coded in two ways, and the file while it is put together
            working += ANIMATED + (LOSSLESS if lossless else 0)
            data *= 3
        return images + data + working * most
    if form == "TIFF":
        pillows = all(frame.mode in FORMATS[form].modes for frame in frames)
        return images + data * (1 if several else 3) if pillows else data
    if (
        form == "GIF"
    ):  # an index for each pixel, twice of an animation; and colours that are quantised, as they are many
        indices = 2 * sum(map(_pixels, frames)) + COMPARED * most if several else most
        return indices + data + (QUANTISER * min(most, LOOKED_AT) if mode.startswith("RGB") else 0)
    if form in TEXTS:
        return raw + WORDS * sum(prod(frame.shape) for frame in frames)
    if form == "BMP":
        return images + data * 3 // 2
    if form in NETPBM:  # grey is made colours, and two bytes of a sample change their places
        made = form == "PPM" and len(frames[0].shape) == 2
        return (3 * raw if made else raw) * (1 + made + (frames[0].itemsize > 1))
    return data


def _image(mode: str) -> int:
    """Return the bytes of a pixel that Pillow copies from an array: none where it has them as they are there."""
    return 0 if mode in ("L", "RGBA", "CMYK", "I;16") else stored(mode)


def _pixels(frame: FrameHeader) -> int:
    return prod(frame.shape[:2])
