"""Detect JPEG 2000, JPEG XL, HEIF and AVIF files; the modules that read them are imported when needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from convcli.images.codecs.boxed_picture import BoxedPicture

BOXED = ("AVIF", "HEIF", "JPEGXL", "JPEG2000", "J2K")  # their names in FORMATS

_JPEG_XL = (b"\xff\x0a", b"\0\0\0\x0cJX")  # the first bytes of files
_JPEG_2000 = (b"\xff\x4f\xff\x51", b"\0\0\0\x0cjP")
_MEDIA = b"ft"  # the start of ftyp, after the length of that box


def opened_boxed(file: BinaryIO, start: bytes, name: str, max_pixels: int) -> BoxedPicture | None:
    """Return the picture in a file of one of these formats, with its header read and checked, or None.

    start : the first six bytes of the file. Raises ImageError if the claims of the header are refused
    """
    if start.startswith(_JPEG_XL):
        from convcli.images.codecs.jpegxl import JpegXLPicture

        return JpegXLPicture(file, name, max_pixels)
    if start.startswith(_JPEG_2000):
        from convcli.images.codecs.jpeg2000 import Jpeg2000Picture

        return Jpeg2000Picture(file, name, max_pixels)
    if start[4:6] != _MEDIA:
        return None
    from convcli.images.codecs.media_items import brands

    named = brands(file)
    file.seek(0)
    if not named:
        return None
    from convcli.images.codecs.avif import BRANDS as AVIF
    from convcli.images.codecs.heif import BRANDS as HEIF
    from convcli.images.codecs.heif import HeifPicture

    if not {*AVIF}.isdisjoint(named):
        from convcli.images.codecs.avif import AvifPicture

        return AvifPicture(file, name, max_pixels)
    return None if {*HEIF}.isdisjoint(named) else HeifPicture(file, name, max_pixels)
