"""Read and write JPEG XL with imagecodecs: `convcli[codecs]`."""

from __future__ import annotations  # NumPy is loaded while a picture is decoded

from typing import TYPE_CHECKING, Any, BinaryIO

from convcli.images.codecs.boxed_picture import BoxedPicture, Claims
from convcli.images.codecs.extras import load_codec
from convcli.images.codecs.jpegxl_header import as_srgb, jpegxl_header
from convcli.images.coding import LOSSLESS, Coded, Coding
from convcli.images.header import FIRST_SWAPPED
from convcli.images.metadata.boxed_metadata import jpegxl_metadata, with_jpegxl_boxes
from convcli.images.picture import Frame, ImageError, damaged

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from convcli.images.metadata.found import Found

QUALITY = 90  # default for pictures that were lossy, as for WebP
HEADER = 1 << 20  # bytes of a file that are searched for the header of its codestream
WORKING = 4  # bytes per pixel, and per sample: the floats that libjxl decodes to
DEEP = 8  # bits per sample above which pictures are always lossless


class JpegXLPicture(BoxedPicture):
    """A JPEG XL file whose header is read."""

    form = "JPEGXL"

    def __init__(self, file: BinaryIO, name: str, max_pixels: int) -> None:
        super().__init__(name, max_pixels)
        self._package = load_codec("JPEGXL", "JPEG XL", f"cannot read {name}: reading JPEG XL needs an extra")
        file.seek(0)
        try:
            header = jpegxl_header(file.read(HEADER))
        except ValueError as error:
            raise damaged(name, str(error)) from None
        if header is None:
            raise damaged(name, "it has no codestream")
        if header.animated:
            raise self.unread("it is an animation, which is not supported")
        if header.preview:
            raise self.unread("it begins with a preview, which is not supported")
        if header.channels is None or header.others:
            raise self.unread("it has channels that are neither grey, colours nor alpha")
        sides = (header.height, header.width)
        height, width = (
            sides[::-1] if header.orientation >= FIRST_SWAPPED else sides
        )  # libjxl applies the orientation
        self.claims = Claims(
            height,
            width,
            header.channels,
            header.bits,
            header.floats,
            premultiplied=header.premultiplied,
            working=WORKING * (1 + len(header.channels)),
        )
        self.coded = Coded(lossy=header.lossy)
        self._file, self._header = file, header

    def samples(self, number: int) -> NDArray[Any]:
        """Return the samples of the picture."""
        self._file.seek(0)
        pixels: NDArray[Any] = self._package.jpegxl_decode(self._file.read())
        return pixels

    def found(self) -> Found:
        """Return the metadata."""
        found = jpegxl_metadata(self._file, self._package.brotli_decode)
        if self._header.profile:
            found.lose(["the ICC profile inside its codestream"])
        elif not self._header.srgb:
            found.lose(["its colour space, which is not sRGB"])
        return found


def load_writer() -> Any:
    """Import imagecodecs, or raise NoCodecError if it is not installed or has no JPEG XL."""
    return load_codec("JPEGXL", "JPEG XL", "writing JPEG XL needs an extra")


def encode_jpegxl(
    frame: Frame, coding: Coding, was: Coded | None, metadata: Mapping[str, Any], threads: int | None
) -> bytes:
    """Return a frame as a JPEG XL file with EXIF and XMP; or raise ImageError."""
    package = load_writer()
    deep = frame.pixels.itemsize > 1
    quality = coding.quality_or(QUALITY, None if deep else was)
    if deep and quality != LOSSLESS:
        raise ImageError(
            f"JPEG XL of more than {DEEP} bits is always lossless, not of quality {quality}; leave `quality` out"
        )
    options = {"lossless": True} if quality == LOSSLESS else {"distance": distance(int(quality))}
    try:
        data = bytes(package.jpegxl_encode(frame.pixels, numthreads=threads, **options))
    except package.JpegxlError:
        if frame.pixels.dtype.kind == "f" and frame.pixels.min() < 0 < frame.pixels.max():
            raise ImageError(  # https://github.com/libjxl/libjxl/issues/4902
                f"the installed {package.jpegxl_version()} fails on some pictures of negative and positive floats; "
                "write .tiff or .npy, or install imagecodecs before 2026.10"
            ) from None
        raise
    if frame.pixels.dtype == "uint16":  # imagecodecs marks these samples as linear
        data = as_srgb(data)
    return with_jpegxl_boxes(data, metadata)


def distance(quality: int) -> float:
    """Return the Butteraugli distance for a quality of 1 to 100: libjxl's JxlEncoderDistanceFromQuality."""
    if quality >= 100:
        return 0.0
    if quality >= 30:
        return 0.1 + (100 - quality) * 0.09
    return 53 / 3000 * quality**2 - 23 / 20 * quality + 25
