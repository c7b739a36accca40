"""Estimate the memory of decoders and encoders in bytes from the header of a picture, before any pixel is decoded.

Each figure was measured as the peak of a process; its comment gives the reason for it.
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
from convcli.images.modes import CHANNELS, channels_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from PIL.ImageFile import ImageFile

    from convcli.images.coding import Coded, Coding
    from convcli.images.header import FrameHeader

# Bytes of a file that a decoder gets at a time; it releases the GIL meanwhile, so that other threads can run.
SMALL_BLOCK, BLOCK = 1 << 16, 1 << 25

# Compressed size of photographs as a fraction of their pixels.
DENSITIES = {"PNG": 0.5, "JPEG": 0.1, "WEBP": 0.4, "TIFF": 0.8, "GIF": 0.25, "AVIF": 0.2}
# Working memory of other encoders: bytes per pixel, and bytes per sample.
WORKING = {"AVIF": (6, 12), "HEIF": (8, 12), "JPEGXL": (0, 27), "JPEG2000": (3, 12), "J2K": (3, 12)}
AVIF_AHEAD = 75  # bytes per pixel of each frame in the lookahead of an AV1 encoder
AVIF_FRAMES = 35  # most frames in the lookahead
PNG_BAND, PNG_COPIES, MAX_THREADS = (
    1 << 20,
    6,
    8,
)  # as in `encode_png`, which copies filtered and deflated bands
LOSSLESS, LOSSY = 28, 6  # bytes per pixel in libwebp: copies, histograms and hash chains
ANIMATED = 12  # bytes per pixel of libwebp's canvases: the previous, the current and a cleared one
COMPARED = 8  # bytes per pixel of an animated GIF: Pillow takes the difference of two RGBA frames
QUANTISER, LOOKED_AT = 22, 1 << 20  # bytes per pixel, and number of pixels from which colours are chosen

GROWN = 4  # times the size of a JPEG that grows in memory: doubled, while the smaller one is copied, and the result
WORDS = 80  # bytes of a number as a Python string, and of its digits in the file

POOL = 4  # memory blocks of freed images that Pillow keeps per job
POOL_BLOCK = 1 << 24  # bytes per block

CANVASES = (
    3  # canvases that Pillow keeps of an animation: the previous frame, the background, and both combined
)


def stored(mode: str) -> int:
    """Return the bytes per pixel in Pillow's images: always four for several channels.

    >>> stored("L"), stored("I;16"), stored("RGB"), stored("F")
    (1, 2, 4, 4)
    """
    return 1 if mode in ("1", "L", "P") else 2 if mode.startswith("I;16") else 4


def decoding(
    image: ImageFile, frame: FrameHeader, rotated: bool, animated: bool, straight: bool = False
) -> int:
    """Return the bytes of memory needed to decode an opened image, in addition to the pixels of the frame.

    rotated : whether the image has to be rotated or flipped
    straight : whether it is decoded directly into an array
    """
    pixels = prod(image.size)
    if straight:
        own = _own(image, pixels) if image.format == "JPEG" else size_of(image)
        planes = 4 * pixels if image.format == "WEBP" else 0  # libwebp's buffer for lossless pictures
        return own + planes + rotated * frame.nbytes
    whole = stored(image.mode) * pixels
    images = whole
    if rotated:
        images += whole
    if frame.dtype == "uint16" and stored(image.mode) == 4:  # decoded twice, once per byte of a sample
        images += whole
        if rotated:
            images += frame.nbytes
    elif (
        image.mode != frame.mode and frame.dtype == "uint8"
    ):  # palettes and transparent colours become channels
        images += stored(frame.mode) * pixels
    images += max(0, _own(image, pixels) - frame.nbytes)  # freed before the array is made
    if image.format == "WEBP":  # two RGBA canvases and a copy of one as bytes
        images += 12 * pixels
    elif animated and image.format in ("GIF", "PNG"):
        images += CANVASES * 4 * pixels
    return images


def reuse_images(jobs: int) -> None:
    """Let Pillow keep the memory of freed images for reuse by `jobs` concurrent jobs.

    Memory that is newly allocated from the system is mapped page by page, which takes as long as decoding. Call this
    before Pillow is imported, as Pillow reads the environment then (Pillow's documentation, "Block allocator").
    """
    os.environ.setdefault("PILLOW_BLOCKS_MAX", str(POOL * jobs))


def pooled(frames: Sequence[FrameHeader]) -> int:
    """Return the bytes that Pillow keeps per job after images of these frames are freed."""
    return min(POOL * POOL_BLOCK, max(frame.image for frame in frames))


def pooled_of_many(frames: Sequence[FrameHeader]) -> int:
    """Return the bytes that Pillow keeps from earlier pictures of this size, which it decoded or encoded itself."""
    return pooled([frame._replace(image=stored(frame.mode) * _pixels(frame)) for frame in frames])


def block(image: ImageFile) -> int:
    """Return the bytes of the file that the decoder of an opened image gets at a time, at most those of its pixels."""
    return min(BLOCK, max(SMALL_BLOCK, 4 * prod(image.size)))


def size_of(image: ImageFile) -> int:
    """Return the size in bytes of the file that an image is read from."""
    file = image.fp
    assert file is not None
    place = file.tell()
    end = file.seek(0, os.SEEK_END)
    file.seek(place)
    return int(end)


def _own(image: ImageFile, pixels: int) -> int:
    """Return the bytes that a decoder keeps for itself: a part of the file, and more for some formats."""
    if any(tile.codec_name == "libtiff" for tile in image.tile):
        return _strip(tiff_of(image).tag_v2, image.height, size_of(image))
    kept = min(block(image), size_of(image))
    if image.format in ("JPEG", "MPO") and image.info.get("progressive"):  # all coefficients, two bytes each
        factors = [across * down for _, across, down, _ in getattr(image, "layer", [])]
        kept += 2 * pixels * sum(factors) // max(factors, default=1)
    return kept


def _strip(tags: Mapping[int, Any], height: int, size: int) -> int:
    """Return the bytes of a strip or tile of a TIFF, decoded and compressed together; tags may be damaged."""
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
    """Return the bytes of memory needed to encode frames, in addition to their pixels, including the encoded file.

    form, coding, threads : as in `encode`
    was : coding of the input file
    """
    raw, most = sum(frame.nbytes for frame in frames), max(map(_pixels, frames))
    data = int(raw * DENSITIES.get(form, 1.0))
    if form == "TIFF" and coding.compression(was) == "none":
        data = raw
    images = sum(_image(frame.mode) * _pixels(frame) for frame in frames)
    mode, several = frames[0].mode, len(frames) > 1
    if form == "PNG" and not several and (coding.png_level is None or mode in FORMATS["PNG"].still):
        bands = min(threads or min(cores(), MAX_THREADS), -(-raw // PNG_BAND))
        return data + bands * min(PNG_BAND * PNG_COPIES, raw)
    if form == "PNG":
        return (
            images + data + (sum(stored(frame.mode) * _pixels(frame) for frame in frames) if several else 0)
        )
    if form == "JPEG":
        from convcli.images.codecs.jpeg import is_copied

        # Pillow writes it to a file in memory, which is allocated first.
        copied = is_copied(channels_of(mode), coding, was)
        return images + data + most * 5 // 4 if copied else GROWN * data + most
    if form == "WEBP":
        lossless = webp_settings(coding, was).get("lossless", False)
        working = LOSSLESS + (8 if mode == "RGBA" else 0) if lossless else LOSSY
        if several:  # canvases, the last frame encoded in two ways, and the file while it is assembled
            working += ANIMATED + (LOSSLESS if lossless else 0)
            data *= 3
        return images + data + working * most
    if form in WORKING:
        fixed, each = WORKING[form]
        working = most * (fixed + each * CHANNELS[channels_of(mode)])
        if several:
            working += AVIF_AHEAD * most * min(AVIF_FRAMES, len(frames))
        return (
            (images if form == "AVIF" or (form.startswith("J") and form != "JPEGXL") else 0) + data + working
        )
    if form == "TIFF":
        pillows = all(frame.mode in FORMATS[form].modes for frame in frames)
        return images + data * (1 if several else 3) if pillows else data
    if form == "GIF":  # an index per pixel, two for animations, and the quantiser if there are many colours
        indices = 2 * sum(map(_pixels, frames)) + COMPARED * most if several else most
        return indices + data + (QUANTISER * min(most, LOOKED_AT) if mode.startswith("RGB") else 0)
    if form in TEXTS:
        return raw + WORDS * sum(prod(frame.shape) for frame in frames)
    if form == "BMP":
        return images + data * 3 // 2
    if form in NETPBM:  # grey is expanded to RGB, and 16-bit samples are byte-swapped
        made = form == "PPM" and len(frames[0].shape) == 2
        return (3 * raw if made else raw) * (1 + made + (frames[0].itemsize > 1))
    return data


def _image(mode: str) -> int:
    """Return the bytes per pixel that Pillow copies from an array: none if it uses the array's own layout."""
    return 0 if mode in ("L", "RGBA", "CMYK", "I;16") else stored(mode)


def _pixels(frame: FrameHeader) -> int:
    return prod(frame.shape[:2])
