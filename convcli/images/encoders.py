"""Check that the encoder of a picture is available, before the picture is decoded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convcli.images.codecs.identify_boxed import BOXED
from convcli.images.coding import Coding
from convcli.images.formats import FORMATS
from convcli.images.picture import ImageError, Picture

if TYPE_CHECKING:
    from collections.abc import Callable


def check_encoder(picture: Picture, form: str, name: str, coding: Coding) -> None:
    """Raise ImageError if a package or a part of Pillow that `encode` needs is missing.

    picture : the picture to be written, whose pixels may be black
    name : the name of the output in errors
    """
    modes = {frame.mode for frame in picture.frames}
    if form == "TIFF" and not modes <= FORMATS[form].modes:
        from convcli.images.codecs.tiff import load_writer as load_tiff

        load_tiff(picture, name)
        return
    try:
        _encoder(picture, form, coding)()
    except ImageError as error:
        raise type(error)(f"cannot write {name}: {error}") from None


def _encoder(picture: Picture, form: str, coding: Coding) -> Callable[[], object]:
    """Return a function that loads the encoder of a format, or raises ImageError."""
    still = picture.frames[0]
    if form == "JPEG" and coding.subsampling is not None:
        from convcli.images.codecs.jpeg import jpeg_coding

        return lambda: jpeg_coding(still.channels, coding, picture.coded)
    if form == "HEIF":
        from convcli.images.codecs.heif import load_writer as load_heif

        return load_heif
    if form == "JPEGXL":
        from convcli.images.codecs.jpegxl import load_writer as load_jpegxl

        return load_jpegxl
    if form in BOXED and form != "AVIF" and still.mode in FORMATS[form].deep:
        from convcli.images.codecs.jpeg2000 import load_writer as load_jpeg2000

        return lambda: load_jpeg2000(still.mode)
    if form in BOXED:
        from convcli.images.codecs.extras import check_pillow

        return lambda: check_pillow(form)
    return lambda: None
