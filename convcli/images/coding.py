"""How outputs are coded, where that is asked for, and how a file was coded that is read."""

from typing import NamedTuple

from convcli.errors import ArgumentError

LOSSLESS = "lossless"

# Samples of brightness for one of colour, across and down, by the names that users of JPEG have for them.
SAMPLINGS = {"4:4:4": (1, 1), "4:2:2": (2, 1), "4:4:0": (1, 2), "4:2:0": (2, 2), "4:1:1": (4, 1)}

# The formats that have each option.
TAKERS = {"png_level": ("PNG",), "quality": ("JPEG", "WEBP"), "subsampling": ("JPEG",)}


def read_quality(text: str) -> int | str:
    """Read a quality: 1 to 100, or LOSSLESS."""
    if text.lower() == LOSSLESS:
        return LOSSLESS
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 100):
        raise ArgumentError(f"{text!r} is not a whole number from 1 to 100, and not {LOSSLESS}")
    return int(text)


class Coding(NamedTuple):
    """How a picture is to be coded; None leaves it to the format and to how its file was coded.

    png_level : zlib's 0 to 9, of PNG
    quality : 1 to 100, of JPEG and WebP, or LOSSLESS, of WebP
    subsampling : a key of SAMPLINGS, of JPEG
    """

    png_level: int | None = None
    quality: int | str | None = None
    subsampling: str | None = None

    @classmethod
    def of(cls, png_level: object, quality: object, subsampling: object) -> "Coding":
        """Return what is asked for, or raise ArgumentError where there is none such."""
        if png_level is not None and not (type(png_level) is int and 0 <= png_level <= 9):
            raise ArgumentError(f"`png_level`: {png_level!r} is not a whole number from 0 to 9")
        try:
            level = None if quality is None else read_quality(str(quality))
        except ArgumentError as error:
            raise ArgumentError(f"`quality`: {error}") from None
        if subsampling is not None and subsampling not in SAMPLINGS:
            raise ArgumentError(f"`subsampling`: there is no {subsampling!r}; use {', '.join(SAMPLINGS)}")
        return cls(png_level, level, subsampling and str(subsampling))

    def check(self, form: str, name: str) -> None:
        """Raise ArgumentError where a format has not what is asked for; `name` is what the input is called."""
        for option, value in self._asdict().items():
            if value is not None and form not in TAKERS[option]:
                takers = " and ".join(TAKERS[option])
                why = "; lossy WebP always has 4:2:0" if (option, form) == ("subsampling", "WEBP") else ""
                raise ArgumentError(f"{name}: `{option}` belongs to {takers} output, not to {form}{why}")
        if self.quality == LOSSLESS and form != "WEBP":
            raise ArgumentError(
                f"{name}: `quality='lossless'` belongs to WEBP output; {form} takes 1 to 100, and .png has no loss"
            )


class Coded(NamedTuple):
    """How a JPEG or a WebP was coded.

    channels : of a JPEG: L, RGB or CMYK
    ratio : samples of brightness for one of colour, across and down; None where a JPEG does not keep them apart
    tables : a JPEG's quality tables, one a channel, or fewer where the last ones are alike
    lossy : whether a WebP is
    """

    channels: str = ""
    ratio: tuple[int, int] | None = None
    tables: tuple[tuple[int, ...], ...] = ()
    lossy: bool = False
