"""Encode a picture in memory, with all of its metadata that the format can carry."""

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from convcli.images.codecs.jpeg import encode_beyond, jpeg_way
from convcli.images.codecs.netpbm import encode_netpbm
from convcli.images.codecs.npy_pictures import encode_array
from convcli.images.codecs.png import encode_png
from convcli.images.codecs.tiff import encode_tiff
from convcli.images.codecs.tiff_directories import SAMPLE_FORMAT
from convcli.images.codecs.webp import webp_settings
from convcli.images.coding import Coded, Coding
from convcli.images.formats import FORMATS, NETPBM, NUMBERS, TEXTS, Format, format_named, formats_for
from convcli.images.indexed import COLOURS, indexed
from convcli.images.metadata.write_metadata import beside
from convcli.images.modes import channels_of, dtype_of, is_float, mode_name
from convcli.images.picture import Frame, ImageError, Picture
from convcli.images.samples import SIGNED, stored

if TYPE_CHECKING:
    from convcli.images.metadata.entries import Directory

# What formats are always written with.
_SETTINGS: dict[str, dict[str, Any]] = {"TIFF": {"compression": "tiff_adobe_deflate"}}
PLAIN = Coding()
# Bytes of a JPEG beside 5/4 of one for each pixel, which only noise in four channels exceeds.
MARGIN = 1 << 17
SIGNED_IN_TIFF = (np.dtype("int8"), np.dtype("int16"))  # types that TIFF has and Pillow has no mode for
_UNTIMED = ("TIFF", *NUMBERS)  # hold many frames, and not how long each stands


def encode(
    picture: Picture, form: str, name: str, coding: Coding = PLAIN, threads: int | None = None
) -> tuple[bytes, tuple[str, ...]]:
    """Return the bytes of `picture` as a file of format `form`, and a note on all that it cannot carry.

    Raises ImageError where the format cannot hold the pixel mode or the number of frames; `name` is what the
    error calls the output. A still PNG is written by `encode_png` on so many `threads`, by default one per core;
    with a level in `coding`, by Pillow on one, unless it has colours of 16 bits.
    """
    png_level = coding.png_level
    if picture.poster and form != "PNG":
        moving = replace(picture, frames=picture.frames[1:], poster=False)
        data, notes = encode(moving, form, name, coding, threads)
        return data, (*notes, f"{form} has no place for the still picture before the animation")
    check_fits(picture, form, name)
    others = beside(picture, form, _timing(picture, form))
    notes = others.notes
    if form == "NPY":
        return encode_array(picture), notes
    if form in TEXTS:
        from convcli.images.codecs.text_matrices import encode_text

        return encode_text(picture, form), notes
    picture = replace(picture, frames=tuple(map(_without_idle_axis, picture.frames)))
    modes, still = {frame.mode for frame in picture.frames}, picture.frames[0]
    if form == "TIFF" and not modes <= FORMATS[form].modes:
        return encode_tiff(picture, name, others.pages), notes
    if form in NETPBM:
        return others.into(encode_netpbm(still, form, name), form), notes
    simple = form == "PNG" and len(picture.frames) == 1
    if simple and (png_level is None or still.mode in FORMATS[form].still):
        return encode_png(still.pixels, still.mode, others.before, others.after, threads, png_level), notes
    images, more = _images(picture, form)
    try:
        settings = _SETTINGS.get(form, {}) | others.settings | _sequence(picture, images, form)
        if form == "WEBP":
            settings |= webp_settings(coding, picture.coded)
        for image, frame in zip(images, picture.frames, strict=True):
            if frame.pixels.dtype in SIGNED_IN_TIFF:  # which Pillow takes for unsigned
                image.encoderinfo = {"tiffinfo": {SAMPLE_FORMAT: SIGNED}}
        if form == "PNG" and png_level is not None:
            settings["compress_level"] = png_level
        if form == "JPEG":
            data, as_coded = _jpeg(still, images[0], coding, picture.coded, settings)
            more += as_coded
        else:
            data = _saved(images[0], form, settings, others.pages)
        data = others.into(data, form)
    except ImageError as error:
        raise type(error)(f"cannot write {name}: {error}") from None
    except Exception as error:  # of Pillow's encoders, which raise all kinds
        able = formats_for(still.mode, len(images))
        raise ImageError(
            f"cannot write {name}: {form} refuses the picture ({error}); these may hold it: {able}"
        ) from error
    return data, (*notes, *more, *_joined(data, form, len(images)))


def _jpeg(
    frame: Frame, image: Image.Image, coding: Coding, was: Coded | None, metadata: dict[str, Any]
) -> tuple[bytes, tuple[str, ...]]:
    """Return a JPEG and notes on how it is coded."""
    way = jpeg_way(frame, coding, was)
    if way.beyond is None:
        return _saved(image, "JPEG", metadata | way.settings), way.notes
    around = _saved(Image.new("RGB", (1, 1)), "JPEG", metadata)
    return encode_beyond(frame.pixels, way, around), way.notes


def _saved(
    image: Image.Image, form: str, settings: dict[str, Any], pages: Sequence["Directory"] = ()
) -> bytes:
    """Return what Pillow writes; a JPEG through a file of the system where it can, so that other threads run on.

    Pillow does not see that the system has written less than it was asked to. It writes all where there is room.
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
    """Say how many frames Pillow took for a longer stay of the one before, as it does where their pixels are equal."""
    if count == 1 or form == "TIFF":  # whose pages do not stay
        return []
    with Image.open(BytesIO(data)) as image:
        fewer = count - getattr(image, "n_frames", 1)
    return (
        [f"{fewer} of its {count} frames are like the one before, and were joined with it"] if fewer else []
    )


def check_fits(picture: Picture, form: str, name: str) -> None:
    """Refuse what the format cannot hold, and say what to do."""
    count, kinds = len(picture.frames), {(frame.mode, frame.pixels.shape) for frame in picture.frames}
    held = format_named(form)
    for mode, dtype in sorted({(frame.mode, frame.pixels.dtype.name) for frame in picture.frames}):
        if held.holds(mode, count, dtype):
            continue
        able = formats_for(mode, count, dtype)
        if form in TEXTS and TEXTS["JSON"].holds(mode, count, dtype):
            able += ", .json"
        if not held.holds(mode, 1, dtype):
            what = f"{mode} of {dtype}" if held.holds(mode) else mode
            raise ImageError(
                f"cannot write {name}: {form} cannot hold the pixel mode {what}; {_way(mode, held, able)}"
            )
        raise ImageError(
            f"cannot write {name}: {form} holds one frame{f' of {mode}' if held.frames else ''}, the "
            f"picture has {count}; choose one, as by `frame=0`, or a format that holds all: {able}"
        )
    if len(kinds) > 1 and form != "TIFF":
        raise ImageError(
            f"cannot write {name}: its {count} pages differ in size or mode, as frames of {form} may not; .tiff can"
        )


def _way(mode: str, held: Format, able: str) -> str:
    """Say how a picture of a mode can be written that a format does not hold, with those that are able to."""
    channels = channels_of(mode)
    if is_float(mode) and held.holds(channels):
        return f"bring its numbers to 8 bits with `value_range`, or keep them: {able}"
    way = f"these can: {able}"
    if channels in ("LA", "RGBA") and held.holds(mode_name(channels[:-1], dtype_of(mode))):
        return f"{way}; or leave alpha out with `channels={','.join(channels[:-1].lower())!r}`"
    if channels == "RGB" and held.holds(mode_name("L", dtype_of(mode))) and held is not FORMATS["PBM"]:
        return f"{way}; or filter its brightness with `gray=True`"
    return way


def _timing(picture: Picture, form: str) -> tuple[str, ...]:
    """Say that the format does not tell how long frames stand, where they do."""
    is_lost = form in _UNTIMED and any(frame.duration is not None for frame in picture.frames)
    return ("the timing of the frames",) if is_lost else ()


def _without_idle_axis(frame: Frame) -> Frame:
    """Return grey as (H, W), which may have come as (H, W, 1)."""
    pixels = frame.pixels
    return replace(frame, pixels=pixels[..., 0]) if pixels.ndim == 3 and pixels.shape[2] == 1 else frame


def _image(frame: Frame) -> Image.Image:
    """Give Pillow an array; numbers of 8 and 16 bits with a sign as if they had none."""
    pixels = stored(frame)
    if pixels.dtype in SIGNED_IN_TIFF:
        pixels = pixels.view(f"u{pixels.itemsize}")
    # Only of bytes is it unclear what the channels are.
    return Image.fromarray(pixels, frame.channels if pixels.dtype == np.uint8 else None)


def _images(picture: Picture, form: str) -> tuple[list[Image.Image], tuple[str, ...]]:
    """Give Pillow the arrays; note what of the pixels will not reach the file."""
    if form != "GIF":
        return list(map(_image, picture.frames)), ()
    notes = []
    images, exact = zip(*map(indexed, picture.frames), strict=True)
    if not all(exact):
        notes.append(f"GIF holds {COLOURS} colours a frame; similar ones were merged")
    if any(frame.has_alpha and ((frame.pixels[..., -1] % 255) > 0).any() for frame in picture.frames):
        notes.append("GIF pixels are opaque or transparent; half transparent ones became one or the other")
    return list(images), tuple(notes)


def _sequence(picture: Picture, images: list[Image.Image], form: str) -> dict[str, Any]:
    """Return what `save` needs to write every frame with its timing."""
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
        settings["disposal"] = 2  # clear each frame before the next: its transparent places are its own
    return settings
