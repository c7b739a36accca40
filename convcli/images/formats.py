"""The supported picture formats, and the pixel modes that each can hold."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from convcli.errors import ArgumentError
from convcli.images.modes import CHANNELS, LABS, is_counted, mode_name

MAX_PIXELS = 200_000_000  # default limit for all frames together
LARGEST_MAX_PIXELS = 10**12  # highest limit that a caller may set: larger sizes may overflow machine integers
MAX_FRAMES = 10_000  # default limit on the frames or pages of a file


class Format(NamedTuple):
    """A file format: its extensions and the pixel modes that it keeps unchanged; metadata is in `metadata/table.py`.

    extra : the extra of convcli that the format needs as a whole
    still : those of `modes` that it can hold in a single frame only
    deep : further modes with more than 8 bits per channel, which need convcli[codecs]
    counted : dtypes in which it holds any number of channels that are not colours; TIFF needs convcli[codecs] for them
    """

    endings: tuple[str, ...]
    modes: frozenset[str]
    frames: bool
    still: frozenset[str] = frozenset()
    deep: frozenset[str] = frozenset()
    counted: frozenset[str] = frozenset()
    extra: str = ""

    def holds(self, mode: str, frames: int = 1, dtype: str | None = None) -> bool:
        """Return whether the format keeps a number of frames of a mode unchanged; counted channels need a `dtype`."""
        held = mode in self.modes | self.deep
        if is_counted(mode):
            held = bool(self.counted) if dtype is None else dtype in self.counted
        return held and (frames == 1 or (self.frames and mode not in self.still))


def _format(
    endings: str,
    modes: str,
    *,
    frames: bool = False,
    still: str = "",
    deep: Iterable[str] = (),
    counted: Iterable[str] = (),
    extra: str = "",
) -> Format:
    kept, single = frozenset(modes.split()), frozenset(still.split())
    return Format(
        tuple(endings.split()),
        kept | single,
        frames,
        single,
        frozenset(deep) - kept,
        frozenset(counted),
        extra,
    )


_NUMBERS = ("uint8", "uint16", "uint32", "int8", "int16", "int32", "float32", "float64")


def _depths(*channels: str) -> list[str]:
    """Return the names of modes of channels with every dtype; CIELAB has no signed modes."""
    return [
        mode_name(each, dtype)
        for each in channels
        for dtype in _NUMBERS
        if each not in LABS or not dtype.startswith("int")
    ]


_PLAIN = ("L", "LA", "RGB", "RGBA")
_DEEP_JPEG2000 = ("LA;16", "RGB;16", "RGBA;16")
_PAM = ("L", "LA", "RGB", "RGBA", "CMYK")

# An allow-list: nothing else is opened, in particular not EPS, which can run programs.
FORMATS = {
    "PNG": _format(
        ".png .apng",
        "L LA RGB RGBA I;16",
        frames=True,
        still="LA;16 RGB;16 RGBA;16",
    ),
    "JPEG": _format(".jpg .jpeg .jpe .jfif", "L RGB CMYK"),
    "WEBP": _format(".webp", "L LA RGB RGBA", frames=True),
    "TIFF": _format(
        ".tiff .tif",
        "L LA RGB RGBA CMYK LAB I;16 I F L;int8 L;int16",
        frames=True,
        deep=_depths(*CHANNELS),
        counted=_NUMBERS,
    ),
    "AVIF": _format(".avif", "L LA RGB RGBA", frames=True),
    "HEIF": _format(".heic .heif .hif", "L LA RGB RGBA", extra="heif"),
    "JPEGXL": _format(
        ".jxl",
        "L LA RGB RGBA",
        deep=[mode_name(each, dtype) for each in _PLAIN for dtype in ("uint16", "float32")],
        extra="codecs",
    ),
    "JPEG2000": _format(".jp2 .jpx .jpf", "L LA RGB RGBA CMYK I;16", deep=_DEEP_JPEG2000),
    "J2K": _format(".j2k .j2c .jpc", "L LA RGB RGBA I;16", deep=_DEEP_JPEG2000),  # a bare codestream
    "BMP": _format(".bmp", "L RGB"),
    "GIF": _format(".gif", "L LA RGB RGBA", frames=True),
    "PBM": _format(".pbm", "L"),  # black and white only, which `encode_netpbm` checks
    "PGM": _format(".pgm", "L I;16"),
    "PPM": _format(".ppm", "L I;16 RGB RGB;16"),  # grey in three equal channels
    "PNM": _format(".pnm", "L I;16 RGB RGB;16"),  # PGM or PPM
    "PAM": _format(
        ".pam", " ".join(f"{each} {mode_name(each, 'uint16')}" for each in _PAM), counted=_NUMBERS[:2]
    ),
    "PFM": _format(".pfm", "F RGB;F"),
    "NPY": _format(".npy", " ".join(_depths(*CHANNELS)), frames=True, counted=_NUMBERS),  # no metadata
}

# Small matrices as text, which are treated as pictures: CSV and TXT hold grey, JSON any channels and frames.
TEXTS = {
    "CSV": _format(".csv", " ".join(_depths("L"))),
    "TXT": _format(".txt", " ".join(_depths("L"))),
    "JSON": _format(".json", " ".join(_depths(*CHANNELS)), frames=True, counted=_NUMBERS),
}
ARRAYS = ("NPY", "JSON")  # the formats with a choice of axis order
NUMBERS = ("NPY", *TEXTS)  # the formats that store values without clipping or rounding

# Formats that messages do not suggest: black and white only, and those that many programs do not read.
UNADVISED = ("PBM", "AVIF", "HEIF", "JPEGXL", "JPEG2000", "J2K")

NETPBM = ("PBM", "PGM", "PPM", "PNM", "PAM", "PFM")

_BY_ENDING = {ending: name for name, form in FORMATS.items() for ending in form.endings}
ENDINGS = tuple(_BY_ENDING)
TEXT_ENDINGS = {ending: name for name, form in TEXTS.items() for ending in form.endings}


def format_named(name: str) -> Format:
    """Return the format of a name."""
    return FORMATS.get(name) or TEXTS[name]


def format_of(path: Path) -> str:
    """Return the name of the format for a path's extension, or raise ArgumentError."""
    try:
        return _BY_ENDING[path.suffix.lower()]
    except KeyError:
        what = f"the ending {path.suffix!r}, which is not a picture format; use"
        if not path.suffix:
            what = "no ending, which determines the format; end it in"
        raise ArgumentError(f"{path} has {what} {' '.join(_BY_ENDING)}") from None


def output_format(path: Path) -> str:
    """Return the picture or text format for a path's extension, or raise ArgumentError."""
    return TEXT_ENDINGS.get(path.suffix.lower()) or format_of(path)


def formats_for(mode: str, frames: int, dtype: str | None = None, *, extras: bool = True) -> str:
    """Return the extensions of the formats that can hold a number of frames of a mode, and a dtype if counted.

    extras : whether formats count that hold it only through an extra of convcli
    """
    able = (
        form.endings[0]
        for name, form in FORMATS.items()
        if name not in UNADVISED
        and form.holds(mode, frames, dtype)
        and (extras or mode in form.modes or is_counted(mode))
    )
    return ", ".join(able)
