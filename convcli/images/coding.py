"""The coding of files (quality, subsampling, compression level): requested for outputs, and read from inputs."""

from typing import NamedTuple

from convcli.errors import ArgumentError
from convcli.images.metadata.words import listed

LOSSLESS = "lossless"

# Luma samples per chroma sample, across and down, by the usual names of JPEG's subsamplings.
SAMPLINGS = {"4:4:4": (1, 1), "4:2:2": (2, 1), "4:4:0": (1, 2), "4:2:0": (2, 2), "4:1:1": (4, 1)}

# The compressions of TIFF that can be written, and their tag values (TIFF 6.0, and libtiff for deflate).
COMPRESSIONS = {"none": (1,), "deflate": (8, 32946), "lzw": (5,), "packbits": (32773,)}
USUAL_COMPRESSION = "deflate"
JPEG_IN_TIFF = (6, 7)  # the tag values of JPEG in its older and its newer form, which are lossy

# The formats that take each option.
TAKERS = {
    "png_level": ("PNG",),
    "quality": ("JPEG", "WEBP", "AVIF", "HEIF", "JPEGXL", "JPEG2000", "J2K"),
    "subsampling": ("JPEG", "AVIF", "HEIF"),
    "tiff_compression": ("TIFF",),
}
LOSSLESS_TAKERS = ("WEBP", "HEIF", "JPEGXL", "JPEG2000", "J2K")


def read_quality(text: str) -> int | str:
    """Read a quality: 1 to 100, or LOSSLESS."""
    if text.lower() == LOSSLESS:
        return LOSSLESS
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 100):
        raise ArgumentError(f"{text!r} is neither a whole number from 1 to 100 nor {LOSSLESS}")
    return int(text)


class Coding(NamedTuple):
    """The requested coding of a picture; None leaves a choice to the format and the coding of the input.

    png_level : zlib level for PNG, 0 to 9
    quality : 1 to 100, or LOSSLESS for the formats in LOSSLESS_TAKERS; for JPEG 2000 the PSNR in dB
    subsampling : a key of SAMPLINGS, for JPEG, AVIF and HEIF
    tiff_compression : a key of COMPRESSIONS
    """

    png_level: int | None = None
    quality: int | str | None = None
    subsampling: str | None = None
    tiff_compression: str | None = None

    @classmethod
    def of(
        cls, png_level: object, quality: object, subsampling: object, tiff_compression: object = None
    ) -> "Coding":
        """Return the requested coding, or raise ArgumentError for an invalid value."""
        if png_level is not None and not (type(png_level) is int and 0 <= png_level <= 9):
            raise ArgumentError(f"`png_level`: {png_level!r} is not a whole number from 0 to 9")
        try:
            level = None if quality is None else read_quality(str(quality))
        except ArgumentError as error:
            raise ArgumentError(f"`quality`: {error}") from None
        if subsampling is not None and subsampling not in SAMPLINGS:
            raise ArgumentError(f"`subsampling`: there is no {subsampling!r}; use {', '.join(SAMPLINGS)}")
        if tiff_compression is not None and tiff_compression not in COMPRESSIONS:
            raise ArgumentError(
                f"`tiff_compression`: there is no {tiff_compression!r}; use {', '.join(COMPRESSIONS)}"
            )
        return cls(
            png_level, level, subsampling and str(subsampling), tiff_compression and str(tiff_compression)
        )

    def compression(self, was: "Coded | None") -> str:
        """Return how a TIFF is compressed: as requested, or as the input was if it was a TIFF; a key of COMPRESSIONS.

        What cannot be written, or loses something, becomes deflate.
        """
        return self.tiff_compression or (was and was.compression) or USUAL_COMPRESSION

    def quality_or(self, usual: int, was: "Coded | None") -> int | str:
        """Return the quality for a format that has a lossless coding, of which `usual` is the lossy default.

        It is the requested one; otherwise `usual` if the input was lossy in its format, else LOSSLESS.
        """
        if self.quality is not None:
            return self.quality
        return usual if was is not None and was.lossy else LOSSLESS

    def check(self, form: str, name: str) -> None:
        """Raise ArgumentError if a format does not support a requested option; `name` is that of the input."""
        for option, value in self._asdict().items():
            if value is not None and form not in TAKERS[option]:
                takers = listed(TAKERS[option])
                why = "; lossy WebP always has 4:2:0" if (option, form) == ("subsampling", "WEBP") else ""
                raise ArgumentError(f"{name}: `{option}` belongs to {takers} output, not to {form}{why}")
        if self.quality == LOSSLESS and form not in LOSSLESS_TAKERS:
            raise ArgumentError(
                f"{name}: `quality='lossless'` belongs to {listed(LOSSLESS_TAKERS)} output; "
                f"{form} takes 1 to 100, and .png is lossless"
            )


class Coded(NamedTuple):
    """The coding of a file, for formats that have several.

    channels : channels of a JPEG: L, RGB or CMYK
    ratio : luma samples per chroma sample across and down; None if a file has no chroma, or does not separate it
    tables : quantization tables of a JPEG, one per channel; repeated last tables are left out
    lossy : whether the file is lossy, in whichever format
    compression : compression of a TIFF's first page, a key of COMPRESSIONS; empty for any other
    """

    channels: str = ""
    ratio: tuple[int, int] | None = None
    tables: tuple[tuple[int, ...], ...] = ()
    lossy: bool = False
    compression: str = ""

    @classmethod
    def of_tiff(cls, tag: object) -> "Coded":
        """Return the coding of a TIFF whose compression tag is `tag`."""
        name = next((name for name, tags in COMPRESSIONS.items() if tag in tags), "")
        return cls(lossy=tag in JPEG_IN_TIFF, compression=name)
