"""Encode a picture in memory, with all metadata that the format can store."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from convcli.images.codecs.extras import check_pillow
from convcli.images.codecs.identify_boxed import BOXED
from convcli.images.codecs.jpeg import encode_direct, jpeg_coding
from convcli.images.codecs.netpbm import encode_netpbm
from convcli.images.codecs.npy_pictures import encode_array
from convcli.images.codecs.png import encode_png
from convcli.images.codecs.tiff import encode_tiff
from convcli.images.codecs.tiff_directories import SAMPLE_FORMAT
from convcli.images.codecs.webp import webp_settings
from convcli.images.coding import Coded, Coding
from convcli.images.formats import FORMATS, NETPBM, NUMBERS, TEXTS, Format, format_named, formats_for
from convcli.images.indexed import COLOURS, indexed
from convcli.images.metadata.write_metadata import FileMetadata, file_metadata
from convcli.images.modes import channels_of, count_of, dtype_of, is_float, mode_name
from convcli.images.picture import Frame, ImageError, Picture
from convcli.images.samples import SIGNED, stored

if TYPE_CHECKING:
    from convcli.images.metadata.entries import Directory

# Pillow's names of the compressions of TIFF.
_COMPRESSIONS = {"none": "raw", "deflate": "tiff_adobe_deflate", "lzw": "tiff_lzw", "packbits": "packbits"}
PLAIN = Coding()
# Bytes reserved for a JPEG in addition to 5/4 of a byte per pixel; only four-channel noise needs more.
MARGIN = 1 << 17
SIGNED_IN_TIFF = (np.dtype("int8"), np.dtype("int16"))  # dtypes that TIFF supports but Pillow has no mode for
_UNTIMED = ("TIFF", *NUMBERS)  # formats with several frames but without durations


def encode(
    picture: Picture, form: str, name: str, coding: Coding = PLAIN, threads: int | None = None
) -> tuple[bytes, tuple[str, ...]]:
    """Return the bytes of `picture` as a file of format `form`, and notes on everything that it cannot store.

    Raises ImageError if the format cannot hold the pixel mode or the number of frames; `name` is the name of the output
    in errors. A still PNG is written by `encode_png` with `threads` threads, by default one per core; with a level in
    `coding`, it is written by Pillow in one thread, unless it has 16-bit colours.
    """
    png_level = coding.png_level
    if picture.poster and form != "PNG":
        moving = replace(picture, frames=picture.frames[1:], poster=False)
        data, notes = encode(moving, form, name, coding, threads)
        return data, (*notes, f"{form} cannot store the still picture before the animation")
    check_fits(picture, form, name)
    others = file_metadata(picture, form, _timing(picture, form))
    notes = others.notes
    if form == "NPY":
        return encode_array(picture), notes
    if form in TEXTS:
        from convcli.images.codecs.text_matrices import encode_text

        return encode_text(picture, form), notes
    picture = replace(picture, frames=tuple(map(_without_idle_axis, picture.frames)))
    modes, still = {frame.mode for frame in picture.frames}, picture.frames[0]
    if form == "TIFF" and not modes <= FORMATS[form].modes:
        return encode_tiff(picture, name, others.pages, coding.compression(picture.coded)), notes
    if form in BOXED:
        with _explained(name, form, still, len(picture.frames)):
            data = _boxed(picture, form, coding, others, threads)
        return data, (*notes, *_joined(data, form, len(picture.frames)))
    if form in NETPBM:
        return others.into(encode_netpbm(still, form, name), form), notes
    simple = form == "PNG" and len(picture.frames) == 1
    if simple and (png_level is None or still.mode in FORMATS[form].still):
        return encode_png(still.pixels, still.mode, others.before, others.after, threads, png_level), notes
    if form == "JPEG":
        with _explained(name, form, still, 1):
            data, more = _jpeg(still, coding, picture.coded, others.settings)
        return others.into(data, form), (*notes, *more)
    images, more = _images(picture, form)
    with _explained(name, form, still, len(images)):
        settings = others.settings | _sequence(picture, images, form)
        if form == "TIFF":
            settings |= {"compression": _COMPRESSIONS[coding.compression(picture.coded)]}
        if form == "WEBP":
            settings |= webp_settings(coding, picture.coded)
        for image, frame in zip(images, picture.frames, strict=True):
            if frame.pixels.dtype in SIGNED_IN_TIFF:  # Pillow would mark them as unsigned
                image.encoderinfo = {"tiffinfo": {SAMPLE_FORMAT: SIGNED}}
        if form == "PNG" and png_level is not None:
            settings["compress_level"] = png_level
        data = others.into(_saved(images[0], form, settings, others.pages), form)
    return data, (*notes, *more, *_joined(data, form, len(images)))


@contextmanager
def _explained(name: str, form: str, still: Frame, frames: int) -> Iterator[None]:
    """Convert exceptions to an ImageError that says in one line why a picture cannot be encoded.

    Only the work of encoders runs in here, which raise exceptions of every kind.
    """
    try:
        yield
    except ImageError as error:
        raise type(error)(f"cannot write {name}: {error}") from None
    except Exception as error:  # Pillow's encoders raise exceptions of many types
        able = formats_for(still.mode, frames)
        raise ImageError(
            f"cannot write {name}: {form} cannot encode the picture ({error}); these may: {able}"
        ) from error


def _boxed(picture: Picture, form: str, coding: Coding, others: FileMetadata, threads: int | None) -> bytes:
    """Encode a picture in one of the formats that consist of boxes."""
    still, was = picture.frames[0], picture.coded
    if form == "HEIF":
        from convcli.images.codecs.heif import encode_heif

        return encode_heif(still, coding, was, others.metadata)
    if form == "JPEGXL":
        from convcli.images.codecs.jpegxl import encode_jpegxl

        return encode_jpegxl(still, coding, was, others.metadata, threads)
    if form != "AVIF" and still.mode in FORMATS[form].deep:
        from convcli.images.codecs.jpeg2000 import encode_deep

        return others.into(encode_deep(still, form, coding, was), form)
    check_pillow(form)
    images, _ = _images(picture, form)
    settings = others.settings | _sequence(picture, images, form)
    if form == "AVIF":
        from convcli.images.codecs.avif import avif_settings

        return _saved(images[0], form, settings | avif_settings(coding, was, still, threads))
    from convcli.images.codecs.jpeg2000 import jpeg2000_settings

    data = _saved(images[0], "JPEG2000", settings | jpeg2000_settings(coding, was, still, form))
    return others.into(data, form)


def _jpeg(
    frame: Frame, coding: Coding, was: Coded | None, metadata: dict[str, Any]
) -> tuple[bytes, tuple[str, ...]]:
    """Return a JPEG and notes on its coding."""
    jpeg = jpeg_coding(frame.channels, coding, was)
    around = _saved(Image.new(frame.channels, (1, 1)), "JPEG", metadata)
    data = encode_direct(frame.pixels, jpeg, frame.channels, around)
    if data is None:
        data = _saved(_image(frame), "JPEG", metadata | jpeg.settings)
    return data, jpeg.notes


def _saved(
    image: Image.Image, form: str, settings: dict[str, Any], pages: Sequence["Directory"] = ()
) -> bytes:
    """Return the file that Pillow writes; a JPEG is written to a memory file if possible, which releases the GIL.

    Pillow does not notice if the system writes fewer bytes than requested, so the space is allocated beforehand.
    """
    if form == "JPEG":
        room = image.width * image.height * 5 // 4 + MARGIN
        with suppress(OSError, AttributeError), os.fdopen(os.memfd_create(form), "w+b", buffering=0) as file:
            os.posix_fallocate(file.fileno(), 0, room)
            image.save(file, form, **settings)
            size = file.tell()
            if size <= room:
                file.seek(0)
                return file.read(size)
    buffer = BytesIO()
    if form == "TIFF" and settings.pop("save_all", False):
        from convcli.images.codecs.tiff_pages import write_pages

        write_pages(buffer, [image, *settings.pop("append_images")], settings)
    else:
        image.save(buffer, form, **settings)
    if any(pages):
        from convcli.images.metadata.entries import add_tags

        add_tags(buffer, pages)
    return buffer.getvalue()


def _joined(data: bytes, form: str, count: int) -> list[str]:
    """Return a note on frames that Pillow has merged with the previous one, as it does if their pixels are equal."""
    if count == 1 or form == "TIFF":  # pages are not merged
        return []
    with Image.open(BytesIO(data)) as image:
        fewer = count - getattr(image, "n_frames", 1)
    return [f"{fewer} of its {count} frames equal the previous one and were merged with it"] if fewer else []


def check_fits(picture: Picture, form: str, name: str) -> None:
    """Raise ImageError if the format cannot hold the picture, with formats that can."""
    count, kinds = len(picture.frames), {(frame.mode, frame.pixels.shape) for frame in picture.frames}
    held = format_named(form)
    for mode, dtype in sorted({(frame.mode, frame.pixels.dtype.name) for frame in picture.frames}):
        if held.holds(mode, count, dtype):
            continue
        able = formats_for(mode, count, dtype)
        if form in TEXTS and TEXTS["JSON"].holds(mode, count, dtype):
            able += ", .json"
        if not held.holds(mode, 1, dtype):
            what = f"cannot hold the pixel mode {mode}{f' of {dtype}' if held.holds(mode) else ''}"
            if form in TEXTS and channels_of(mode) != "L":
                what = f"holds one channel, and the picture has {count_of(mode)}"
            raise ImageError(f"cannot write {name}: {form} {what}; {_hint(mode, held, able)}")
        raise ImageError(
            f"cannot write {name}: {form} holds one frame{f' of {mode}' if held.frames else ''}, the "
            f"picture has {count}; choose one, as with `frame=0`, or a format that holds all: {able}"
        )
    if len(kinds) > 1 and form != "TIFF":
        raise ImageError(
            f"cannot write {name}: its {count} pages differ in size or mode, which {form} does not allow; write .tiff"
        )


def _hint(mode: str, held: Format, able: str) -> str:
    """Return a hint for a mode that a format cannot store; `able` lists the extensions that can."""
    channels = channels_of(mode)
    if is_float(mode) and held.holds(channels):
        return f"map its values to 8 bits with `value_range`, or keep them in one of these: {able}"
    hint = f"these can: {able}"
    if dtype_of(mode) == "uint16" and held.holds(channels):
        return f"{hint}; or round its samples to 8 bits with `depth='8'`"
    if channels in ("LA", "RGBA") and held.holds(mode_name(channels[:-1], dtype_of(mode))):
        return f"{hint}; or drop alpha with `channels={','.join(channels[:-1].lower())!r}`"
    if channels == "RGB" and held.holds(mode_name("L", dtype_of(mode))) and held is not FORMATS["PBM"]:
        return f"{hint}; or convert it to grey with `gray=True`"
    return hint


def _timing(picture: Picture, form: str) -> tuple[str, ...]:
    """Return the names of lost timing: durations or the loop count, if the format does not store them."""
    if form == "AVIF" and picture.loop:
        return ("the number of repeats",)
    is_lost = form in _UNTIMED and any(frame.duration is not None for frame in picture.frames)
    return ("the timing of the frames",) if is_lost else ()


def _without_idle_axis(frame: Frame) -> Frame:
    """Return a frame whose grey is (H, W) instead of (H, W, 1)."""
    pixels = frame.pixels
    return replace(frame, pixels=pixels[..., 0]) if pixels.ndim == 3 and pixels.shape[2] == 1 else frame


def _image(frame: Frame) -> Image.Image:
    """Convert a frame to a Pillow image; signed 8- and 16-bit integers are viewed as unsigned."""
    pixels = stored(frame)
    if pixels.dtype in SIGNED_IN_TIFF:
        pixels = pixels.view(f"u{pixels.itemsize}")
    # Pillow needs the channels only for uint8.
    return Image.fromarray(pixels, frame.channels if pixels.dtype == np.uint8 else None)


def _images(picture: Picture, form: str) -> tuple[list[Image.Image], tuple[str, ...]]:
    """Convert the frames to Pillow images; return notes on changes to the pixels."""
    if form != "GIF":
        return list(map(_image, picture.frames)), ()
    notes = []
    images, exact = zip(*map(indexed, picture.frames), strict=True)
    if not all(exact):
        notes.append(f"GIF holds {COLOURS} colours per frame; similar ones were merged")
    if any(frame.has_alpha and ((frame.pixels[..., -1] % 255) > 0).any() for frame in picture.frames):
        notes.append("GIF pixels are opaque or transparent; semi-transparent ones became one or the other")
    return list(images), tuple(notes)


def _sequence(picture: Picture, images: list[Image.Image], form: str) -> dict[str, Any]:
    """Return the arguments of Pillow's `save` for all frames and their timing."""
    if len(images) == 1:
        return {}
    settings: dict[str, Any] = {"save_all": True, "append_images": images[1:]}
    if picture.poster:
        settings["default_image"] = True
    durations = [frame.duration for frame in picture.frames[picture.poster :]]
    if None not in durations:
        settings["duration"] = [round(duration) for duration in durations if duration is not None]
    if picture.loop is not None:
        settings["loop"] = picture.loop
    if form == "GIF" and picture.frames[0].has_alpha:
        settings["disposal"] = (
            2  # clear each frame before the next, so that transparent pixels stay transparent
        )
    return settings
