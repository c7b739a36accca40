"""The picture formats that may be read and written, and what each can hold."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from convcli.errors import ArgumentError
from convcli.images.modes import CHANNELS, LABS, is_counted, mode_name

MAX_PIXELS = 200_000_000  # of all frames together, unless the caller lifts it
MOST_PIXELS = 10**12  # to which a caller may lift it: sizes beyond are no longer numbers of the machine
MAX_FRAMES = 10_000  # of a file, or pages; likewise


class Format(NamedTuple):
    """A file format: its endings, and the pixel modes it keeps whole; `metadata/table.py` tells what else.

    still : those of the modes of which it holds one frame, whatever it holds of others
    deep : further modes, of more than 8 bits a channel, which are read and written through convcli[codecs]
    counted : the types of numbers in which it holds channels that are no colours, however many, through
        convcli[codecs] or by itself
    """

    endings: tuple[str, ...]
    modes: frozenset[str]
    frames: bool
    still: frozenset[str] = frozenset()
    deep: frozenset[str] = frozenset()
    counted: frozenset[str] = frozenset()

    def holds(self, mode: str, frames: int = 1, dtype: str | None = None) -> bool:
        """Return whether so many frames of a mode come back from it as they are; counted channels have a `dtype`, too."""
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
) -> Format:
    kept, single = frozenset(modes.split()), frozenset(still.split())
    return Format(
        tuple(endings.split()),
        kept | single,
        frames,
        single,
        frozenset(deep) - kept,
        frozenset(counted),
    )


_NUMBERS = ("uint8", "uint16", "uint32", "int8", "int16", "int32", "float32", "float64")


def _depths(*channels: str) -> list[str]:
    """Name the modes of some channels with numbers of every kind; a* and b* have no type with a sign."""
    return [
        mode_name(each, dtype)
        for each in channels
        for dtype in _NUMBERS
        if each not in LABS or not dtype.startswith("int")
    ]


_PAM = ("L", "LA", "RGB", "RGBA", "CMYK")

# An allow-list: nothing else is opened, above all no EPS, which runs programs.
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
    "BMP": _format(".bmp", "L RGB"),
    "GIF": _format(".gif", "L LA RGB RGBA", frames=True),
    "PBM": _format(".pbm", "L"),  # black and white alone, as `encode` sees
    "PGM": _format(".pgm", "L I;16"),
    "PPM": _format(".ppm", "L I;16 RGB RGB;16"),  # grey in three equal channels
    "PNM": _format(".pnm", "L I;16 RGB RGB;16"),  # PGM or PPM
    "PAM": _format(
        ".pam", " ".join(f"{each} {mode_name(each, 'uint16')}" for each in _PAM), counted=_NUMBERS[:2]
    ),
    "PFM": _format(".pfm", "F RGB;F"),
    "NPY": _format(".npy", " ".join(_depths(*CHANNELS)), frames=True, counted=_NUMBERS),  # the numbers alone
}

# Small matrices as text, which are no pictures but stand for them: CSV and TXT hold grey, JSON any channels and frames.
TEXTS = {
    "CSV": _format(".csv", " ".join(_depths("L"))),
    "TXT": _format(".txt", " ".join(_depths("L"))),
    "JSON": _format(".json", " ".join(_depths(*CHANNELS)), frames=True, counted=_NUMBERS),
}
ARRAYS = ("NPY", "JSON")  # the formats whose axes may be in another order
NUMBERS = ("NPY", *TEXTS)  # the formats that take values as they are: not clipped, not rounded

NETPBM = ("PBM", "PGM", "PPM", "PNM", "PAM", "PFM")

_BY_ENDING = {ending: name for name, form in FORMATS.items() for ending in form.endings}
ENDINGS = tuple(_BY_ENDING)
TEXT_ENDINGS = {ending: name for name, form in TEXTS.items() for ending in form.endings}


def format_named(name: str) -> Format:
    """Return what a format holds."""
    return FORMATS.get(name) or TEXTS[name]


def format_of(path: Path) -> str:
    """Return the format that a path's ending stands for, or raise ArgumentError."""
    try:
        return _BY_ENDING[path.suffix.lower()]
    except KeyError:
        what = f"the ending {path.suffix!r}" if path.suffix else "no ending"
        raise ArgumentError(
            f"{path} has {what}, which is no picture format; use {' '.join(_BY_ENDING)}"
        ) from None


def output_format(path: Path) -> str:
    """Return the format that a path's ending stands for, of a picture or of numbers as text; or raise ArgumentError."""
    return TEXT_ENDINGS.get(path.suffix.lower()) or format_of(path)


def formats_for(mode: str, frames: int, dtype: str | None = None) -> str:
    """Name the endings that can hold so many frames of a mode; and of counted channels, with numbers of a type."""
    able = (
        form.endings[0] for name, form in FORMATS.items() if name != "PBM" and form.holds(mode, frames, dtype)
    )
    return ", ".join(able)
