"""Read the frames of an image opened by Pillow as arrays: upright and at full depth."""

from __future__ import annotations  # NumPy is loaded while a picture is decoded

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, BinaryIO

from PIL import Image
from PIL.ImageFile import ImageFile

from convcli.images.codec_memory import block, decoding, stored
from convcli.images.codecs import jpeg, webp
from convcli.images.codecs.deep_png import WHITE, cut_channels, sixteen_bits
from convcli.images.codecs.gif_canvas import canvases
from convcli.images.codecs.straight_pixels import is_straight, straight_pixels
from convcli.images.codecs.tiff import DeepPages
from convcli.images.codecs.tiff_claims import check_tiles
from convcli.images.codecs.tiff_directories import (
    BITS_PER_SAMPLE,
    COMPRESSION,
    PHOTOMETRIC,
    SAMPLE_FORMAT,
    count_pages,
    tiff_of,
)
from convcli.images.coding import Coded
from convcli.images.header import FIRST_SWAPPED, FrameHeader, Header
from convcli.images.metadata.found import Found
from convcli.images.metadata.read_metadata import MetadataReader
from convcli.images.modes import CHANNELS, channels_of, dtype_of, mode_name
from convcli.images.orientation import orientation_ahead, upright, upright_pixels
from convcli.images.picture import Frame, ImageError, Picture
from convcli.images.pixel_limit import check_decoded_frames, check_pixels
from convcli.images.row_bands import as_array
from convcli.images.samples import UNSIGNED, from_pillow, pillows_mode, swapped_signs
from convcli.images.silence_libtiff import silence_libtiff

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Pillow's raw modes of big-endian samples, and the same in native byte order.
NATIVE = {"I;16BS": "I;16NS", "I;32BS": "I;32NS", "F;32BF": "F;32NF"}

_COMPOSED = ("GIF", "PNG", "WEBP")  # formats whose frames are drawn on the previous ones

# Modes that cannot be filtered directly, and those that they are converted to.
_EXPANDED = {"1": "L", "PA": "RGBA", "RGBa": "RGBA", "La": "LA", "RGBX": "RGB", "YCbCr": "RGB"}
_ARRAYS = {"L", "LA", "RGB", "RGBA", "CMYK", "LAB", "I;16", "I", "F"}


def read_frames(
    name: str, file: BinaryIO, image: ImageFile, chosen: Callable[[int], Sequence[int]], max_pixels: int
) -> Picture:
    """Return the chosen frames of an opened image; their pixels are checked against the limit before decoding."""
    notes = dict.fromkeys(_notes(file, image))
    frames: list[Frame] = []
    metadata_found: list[Found] = []
    metadata_of = MetadataReader(file)
    count = _count(name, file, image)
    numbers, pixels_left = chosen(count), max_pixels
    deep = DeepPages(file, name, max_pixels)
    for number in numbers:
        image.seek(number)
        pixels_left -= image.width * image.height
        check_pixels(name, len(numbers), pixels_left, max_pixels)
        check_tiles(name, file, image, max_pixels)
        read, more = _read_frame(name, file, image, number, count, deep)
        if not metadata_found or image.format == "TIFF":
            metadata_found.append(metadata_of(image))
            more = (*more, *metadata_found[-1].notes)
        frames.append(read if len(metadata_found) < 2 else replace(read, page=metadata_found[-1].metadata))
        notes |= dict.fromkeys(more)
    image.seek(0)  # the first frame has the information about the whole file
    poster = bool(getattr(image, "default_image", False))
    form = "JPEG" if image.format == "MPO" else str(image.format)
    loop = image.info.get("loop") if count > 1 else None
    lost = dict.fromkeys(each for found in metadata_found for each in found.lost)
    coded = _coded(file, image, form)
    return Picture(
        tuple(frames), form, metadata_found[0].metadata, loop, poster, tuple(notes), coded, tuple(lost)
    )


def _count(name: str, file: BinaryIO, image: ImageFile) -> int:
    """Return the number of frames or pages of an opened image."""
    if image.format == "TIFF":
        return count_pages(file, name, image)
    return 1 if image.format == "MPO" else getattr(image, "n_frames", 1)


def frame_headers(
    name: str, file: BinaryIO, image: ImageFile, chosen: Callable[[int], Sequence[int]], max_pixels: int
) -> Header:
    """Return the headers of the chosen frames without decoding; raise ImageError for the same files as reading."""
    count = _count(name, file, image)
    numbers, pixels_left = chosen(count), max_pixels
    frames: list[FrameHeader] = []
    deep = DeepPages(file, name, max_pixels)
    sizes = list(canvases(file)) if image.format == "GIF" else []
    for number in numbers:
        if image.format == "TIFF":  # frames of other formats have the same mode and metadata
            image.seek(number)
        width, height = sizes[number] if number < len(sizes) else image.size
        pixels_left -= width * height
        check_pixels(name, len(numbers), pixels_left, max_pixels)
        if image.format in _COMPOSED:
            check_decoded_frames(name, number + 1, width * height, max_pixels)
        check_tiles(name, file, image, max_pixels)
        if (why := _why_cut(image)) and image.format == "TIFF":
            frames.append(deep.header(number, why))
            continue
        mode, orientation = _mode_ahead(name, image, count, why), orientation_ahead(image)
        as_shown = (
            orientation < FIRST_SWAPPED or image.format == "TIFF"
        )  # Pillow swaps the size of a TIFF itself
        size = (height, width) if as_shown else (width, height)
        channels = CHANNELS[channels_of(mode)]
        shape = size if channels == 1 else (*size, channels)
        timed = count > 1 and image.format != "TIFF"
        read = FrameHeader(shape, mode, dtype_of(mode), 0 if timed else None)
        straight = is_straight(file, image)
        working = decoding(image, read, orientation != 1, count > 1, straight)
        own = 0 if straight else stored(image.mode) * width * height
        frames.append(read._replace(working=working, image=own))
    if image.format == "TIFF":
        image.seek(0)
    form = "JPEG" if image.format == "MPO" else str(image.format)
    return Header(tuple(frames), form, image.info.get("loop"), _coded(file, image, form))


def _coded(file: BinaryIO, image: ImageFile, form: str) -> Coded | None:
    if form == "TIFF":
        tags: Any = image
        return Coded.of_tiff(tags.tag_v2.get(COMPRESSION))
    return webp.coded(file) if form == "WEBP" else jpeg.coded(image) if form == "JPEG" else None


def _mode_ahead(name: str, image: ImageFile, count: int, why: str) -> str:
    """Return the mode that the frames of an opened image will have; raise ImageError if depth would be lost."""
    transparent = "transparency" in image.info
    if why:
        channels = cut_channels(image) if count == 1 else ""
        if not channels:
            raise _cut(name, why)
        return mode_name(channels + ("A" if transparent else ""), "uint16")
    if image.mode == "P":
        return "RGBA" if image.has_transparency_data else "RGB"
    if image.mode in ("1", "L", "RGB") and transparent:
        return "RGBA" if image.mode == "RGB" else "LA"
    mode = _EXPANDED.get(image.mode, image.mode)
    if image.format == "TIFF":
        mode = pillows_mode(mode, *_depth(image))
    if mode.startswith("I;16"):
        return "LA;16" if transparent else "I;16"
    if channels_of(mode) not in CHANNELS:
        raise _unknown(name, mode)
    return mode


def _cut(name: str, why: str) -> ImageError:
    return ImageError(f"cannot read {name}: {why}; save it as a still PNG or a TIFF")


def _unknown(name: str, mode: str) -> ImageError:
    return ImageError(f"cannot read {name}: its pixel mode {mode} is not supported; convert it to RGB")


def _notes(file: BinaryIO, image: Image.Image) -> list[str]:
    """Return notes about parts of a file that are left out."""
    notes = []
    if image.format == "MPO":
        notes.append(f"only the first of its {getattr(image, 'n_frames', 1)} pictures is read")
    if image.format == "GIF":
        place = file.tell()
        file.seek(-1, os.SEEK_END)
        if file.read(1) != b";":
            notes.append("the file has no end marker; frames may be missing")
        file.seek(place)
    return notes


def _read_frame(
    name: str, file: BinaryIO, image: ImageFile, number: int, count: int, deep: DeepPages
) -> tuple[Frame, tuple[str, ...]]:
    """Return a frame and notes; where Pillow would reduce the depth, use another decoder."""
    why = _why_cut(image)
    if why and image.format == "TIFF":
        return deep.read(number, why)
    channels = cut_channels(image) if count == 1 else ""
    if why and not channels:
        raise _cut(name, why)
    if (pixels := straight_pixels(file, image)) is not None:
        return Frame(upright_pixels(pixels, image), image.mode), ()
    white = _narrow_white(image)
    if image.format == "TIFF":
        silence_libtiff()
        _mend_byte_order(image)
    image.decodermaxblock = block(image)
    image.load()  # some formats know the frame's duration only now
    if white and image.info.get("transparency", WHITE) <= white:
        image.info["transparency"] = image.info["transparency"] * 255 // white
    if channels:
        pixels = upright_pixels(sixteen_bits(file, channels, image), image)
        return _deep_frame(pixels, channels, image.info.get("transparency")), ()
    frame = _frame(name, upright(image), count > 1)
    if image.format == "TIFF":
        photometric = tiff_of(image).tag_v2.get(PHOTOMETRIC, 1)
        frame = from_pillow(frame, photometric, *_depth(image))
    return frame, ()


def _why_cut(image: ImageFile) -> str:
    """Return the reason why Pillow cannot decode an image exactly; an empty string if it can.

    Pillow would silently reduce the bits of its samples, or libtiff would report a missing codec on stderr.
    """
    if image.format == "TIFF" and image.info.get("compression") == "webp":
        return "reading its WebP compression needs an extra"
    bits, _ = _depth(image)
    if bits > 8 and image.mode not in ("I", "F") and not image.mode.startswith("I;16"):
        return f"it has {bits} bits per colour channel, which would be reduced to 8"
    return ""


def _mend_byte_order(image: ImageFile) -> None:
    """Set native byte order for samples decoded by libtiff, which Pillow does only for some types."""
    image.tile = [
        tile._replace(args=(NATIVE.get(tile.args[0], tile.args[0]), *tile.args[1:]))
        if tile.codec_name == "libtiff" and isinstance(tile.args, tuple)
        else tile
        for tile in image.tile
    ]


def _narrow_white(image: ImageFile) -> int:
    """Return the maximum of a PNG's 2- or 4-bit grey, else 0: Pillow scales pixels but not the transparent value."""
    whites = {"L;2": 3, "L;4": 15}
    return max((whites.get(str(tile.args), 0) for tile in image.tile if image.format == "PNG"), default=0)


def _deep_frame(pixels: NDArray[Any], channels: str, transparent: Any) -> Frame:
    """Return a frame of 16 bits per channel; a PNG's transparent colour becomes an alpha channel."""
    import numpy as np

    if transparent is not None:
        seen = (pixels != transparent).any(axis=-1, keepdims=True)
        pixels = np.concatenate([pixels, seen * np.uint16(WHITE)], axis=-1)
        channels += "A"
    return Frame(pixels, mode_name(channels, "uint16"))


def _depth(image: Image.Image) -> tuple[int, int]:
    """Return the bits per sample in the file, 8 by default, and the TIFF sample format."""
    if image.format == "TIFF":
        tags = tiff_of(image).tag_v2
        return max(tags.get(BITS_PER_SAMPLE, (1,))), max(tags.get(SAMPLE_FORMAT, (1,)))
    for tile in getattr(image, "tile", ()):
        arguments = tile.args if isinstance(tile.args, tuple) else (tile.args,)
        if image.format == "PNG" and ";16" in str(arguments[0]):
            return 16, UNSIGNED
    return 8, UNSIGNED


def in_memory(name: str, image: Image.Image) -> Frame:
    """Return an image in memory as a frame, or raise ImageError."""
    frame = _frame(name, image, animated=False)
    return replace(frame, pixels=swapped_signs(frame.pixels)) if frame.channels == "LAB" else frame


def _frame(name: str, image: Image.Image, animated: bool) -> Frame:
    """Convert an upright Pillow image to a frame."""
    duration = image.info.get("duration") if animated else None
    if image.mode == "P":
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    elif image.mode in ("1", "L", "RGB") and "transparency" in image.info:
        image = image.convert("RGBA" if image.mode == "RGB" else "LA")
    elif image.mode in _EXPANDED:
        image = image.convert(_EXPANDED[image.mode])

    import numpy as np

    pixels = as_array(image)
    mode = image.mode
    if mode.startswith("I;16"):
        mode, pixels = "I;16", pixels.astype(np.uint16, copy=False)
        if "transparency" in image.info:
            return replace(_deep_frame(pixels[..., None], "L", image.info["transparency"]), duration=duration)
    if mode not in _ARRAYS:
        raise _unknown(name, mode)
    return Frame(pixels, mode, duration)
