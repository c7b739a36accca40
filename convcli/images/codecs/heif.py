"""Read and write HEIC with pillow-heif: `convcli[heif]`."""

from __future__ import annotations  # NumPy is loaded while a picture is decoded

from io import BytesIO
from typing import TYPE_CHECKING, Any, BinaryIO

from convcli.images.codecs.boxed_picture import BoxedPicture, Claims
from convcli.images.codecs.chroma import chroma_for, ratio_of
from convcli.images.codecs.extras import load_extra
from convcli.images.codecs.media_items import TooManyError, coded_bytes, coded_parts, configurations
from convcli.images.codecs.sequence_headers import StreamError, hevc_configured, hevc_sequences
from convcli.images.coding import LOSSLESS, Coded, Coding
from convcli.images.metadata.boxed_metadata import lose_colours
from convcli.images.metadata.found import Found
from convcli.images.picture import Frame, ImageError, damaged

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from convcli.images.codecs.sequence_headers import Sequence

BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
QUALITY = 90  # default quality, as for AVIF

PRESET = "fast"  # of x265: files as small as with slower presets, in less than half the time
CODECS = (b"hvc1", b"hev1")
WORKING = 10  # bytes per pixel: planes of the decoder, and libheif's copies
_GREY = {"I": "L"}  # pillow-heif's name for grey of more than 8 bits
_IDENTITY = 0  # the matrix coefficients of ITU-T H.273 for RGB without conversion


class HeifPicture(BoxedPicture):
    """A HEIF file whose header is read; if it has several pictures, the primary one is used."""

    form = "HEIF"

    def __init__(self, file: BinaryIO, name: str, max_pixels: int) -> None:
        super().__init__(name, max_pixels)
        package = load_extra("pillow_heif", "heif", f"cannot read {name}: reading HEIC needs an extra")
        try:
            for stream in self._streams(file):
                self.check_stream(stream.height, stream.width)
        except (StreamError, TooManyError) as error:
            raise damaged(name, str(error)) from None
        file.seek(0)
        pictures = package.open_heif(file, convert_hdr_to_8bit=False, hdr_to_16bit=False)
        if not len(pictures):
            raise damaged(name, "it has no pictures")
        self._image = pictures[pictures.primary_index]
        self._info = self._image.info
        if len(pictures) > 1:
            self.notes = (f"only the primary one of its {len(pictures)} pictures is read",)
        channels, _, depth = self._image.mode.partition(";")
        channels = _GREY.get(channels, channels)
        self.claims = Claims(
            self._image.size[1],
            self._image.size[0],
            channels.upper(),
            int(depth or 8),
            premultiplied=channels.endswith("a"),
            working=WORKING * (2 if depth else 1),
        )
        self.coded = Coded(ratio=ratio_of(self._info.get("chroma")), lossy=True)

    @staticmethod
    def _streams(file: BinaryIO) -> Iterator[Sequence]:
        for configuration in configurations(file, b"hvcC"):
            yield from hevc_configured(configuration)
        for part in coded_parts(file):
            if part.codec in CODECS:
                yield from hevc_sequences(coded_bytes(file, part))

    def samples(self, number: int) -> NDArray[Any]:
        """Return the samples of the picture."""
        import numpy as np

        return np.array(self._image)  # a copy, as older versions free the samples with the image

    def found(self) -> Found:
        """Return the metadata."""
        found, info = Found(), self._info
        found.add("icc", info.get("icc_profile"))
        found.add_exif(info.get("exif"))
        found.add_xmp(info.get("xmp"))
        codes = info.get("nclx_profile", {})
        lose_colours(found, (codes["color_primaries"], codes["transfer_characteristics"]) if codes else None)
        if info.get("thumbnails"):
            found.lose(["the thumbnails"])
        if info.get("depth_images"):
            found.lose(["the depth map"])
        others = info.get("aux", {})
        if others:
            found.lose([f"the auxiliary picture {str(kind).rpartition(':')[2]}" for kind in others])
        return found


def load_writer() -> Any:
    """Import pillow-heif, or raise ImageError if it is not installed or cannot encode."""
    package = load_extra("pillow_heif", "heif", "writing HEIC needs an extra")
    if not package.libheif_info()["HEIF"]:
        raise ImageError("the installed pillow-heif was built without an encoder")
    return package


def encode_heif(frame: Frame, coding: Coding, was: Coded | None, metadata: Mapping[str, Any]) -> bytes:
    """Return a frame as a HEIC file with EXIF, XMP and a colour profile; or raise ImageError."""
    package = load_writer()
    height, width = frame.pixels.shape[:2]
    made = package.from_bytes(mode=frame.mode, size=(width, height), data=frame.pixels.tobytes())
    kept = {"icc_profile": "icc", "exif": "exif", "xmp": "xmp"}
    settings = {option: metadata[kind] for option, kind in kept.items() if kind in metadata}
    buffer = BytesIO()
    made.save(buffer, enc_params={"preset": PRESET}, **settings, **_settings(coding, was))
    return buffer.getvalue()


def _settings(coding: Coding, was: Coded | None) -> dict[str, Any]:
    if coding.quality == LOSSLESS:
        if coding.subsampling not in (None, "4:4:4"):
            raise ImageError(f"lossless HEIC has no chroma subsampling, so it cannot be {coding.subsampling}")
        return {"quality": -1, "chroma": 444, "matrix_coefficients": _IDENTITY}
    quality = QUALITY if coding.quality is None else int(coding.quality)
    return {"quality": quality, "chroma": int(chroma_for(coding, was, quality).replace(":", ""))}
