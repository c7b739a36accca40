"""The picture formats that may be read and written, and what each can hold."""

from dataclasses import dataclass
from pathlib import Path

from convcli.errors import ArgumentError

MAX_PIXELS = 200_000_000  # of all frames together, unless the caller lifts it


@dataclass(frozen=True)
class Format:
    """A file format: its endings, the pixel modes it keeps whole, and what else it carries."""

    endings: tuple[str, ...]
    modes: frozenset[str]
    frames: bool
    carries: frozenset[str]


def _format(endings: str, modes: str, carries: str = "", *, frames: bool = False) -> Format:
    return Format(tuple(endings.split()), frozenset(modes.split()), frames, frozenset(carries.split()))


# An allow-list: nothing else is opened, above all no EPS, which runs programs.
FORMATS = {
    "PNG": _format(".png .apng", "L LA RGB RGBA I;16", "icc exif dpi text", frames=True),
    "JPEG": _format(".jpg .jpeg", "L RGB CMYK", "icc exif xmp dpi comment"),
    "WEBP": _format(".webp", "L LA RGB RGBA", "icc exif xmp", frames=True),
    "TIFF": _format(".tiff .tif", "L LA RGB RGBA CMYK LAB I;16 I F", "icc dpi tags", frames=True),
    "BMP": _format(".bmp", "L RGB", "dpi"),
    "GIF": _format(".gif", "L LA RGB RGBA", "comment", frames=True),
    "PPM": _format(".ppm .pgm .pnm", "L RGB I;16"),
}

_BY_ENDING = {ending: name for name, form in FORMATS.items() for ending in form.endings}


def format_of(path: Path) -> str:
    """Return the format that a path's ending stands for, or raise ArgumentError."""
    try:
        return _BY_ENDING[path.suffix.lower()]
    except KeyError:
        what = f"the ending {path.suffix!r}" if path.suffix else "no ending"
        raise ArgumentError(
            f"{path} has {what}, which is no picture format; use {' '.join(_BY_ENDING)}"
        ) from None


def formats_for(mode: str, frames: int) -> str:
    """Name the endings that can hold so many frames of a mode."""
    return ", ".join(
        form.endings[0] for form in FORMATS.values() if mode in form.modes and (form.frames or frames == 1)
    )
