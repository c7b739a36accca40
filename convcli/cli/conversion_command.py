"""The command that converts a picture to the pixel mode of another one."""

from __future__ import annotations

from collections.abc import Sequence
from shlex import quote
from typing import TYPE_CHECKING

from convcli.files import exists
from convcli.remote_files import file_path

if TYPE_CHECKING:
    from convcli.images.picture import Frame


def conversion(names: Sequence[str], x: Frame, y: Frame, several: bool) -> str:
    """Return the command that converts one of two pictures to the mode of the other; empty if none can.

    Converted is the one with more channels, otherwise the one of less depth, which loses nothing.
    """
    depths = {"uint8": "8", "uint16": "16", "float32": "float"}
    dtypes = [frame.pixels.dtype.name for frame in (x, y)]
    ranks = [list(depths).index(name) if name in depths else -1 for name in dtypes]
    if -1 in ranks or not {x.channels, y.channels} <= {"L", "LA", "RGB", "RGBA"}:
        return ""
    channels = [len(frame.channels) for frame in (x, y)]
    first = ranks[0] < ranks[1] if channels[0] == channels[1] else channels[0] > channels[1]
    place = 0 if first else 1
    if not exists(file_path(names[place])):  # such as standard input
        return ""
    source, aim = ((x, y), (y, x))[place]
    words = []
    if source.has_alpha and not aim.has_alpha:
        words.append(f"--channels {','.join(source.channels[:-1].lower())}")
    elif aim.has_alpha != source.has_alpha:
        return ""
    if source.channels.startswith("RGB") and aim.channels.startswith("L"):
        words.append("--gray")
    depth = depths[dtypes[1 - place]]
    if ranks[0] != ranks[1]:
        words.append(f"--depth {depth}")
    ending = ".png" if depth == "8" or (depth == "16" and not several) else ".tiff"
    if depth == "float" and not several and not aim.has_alpha:
        ending = ".pfm"  # which needs no extra
    options = " ".join(words)
    return f", as with convcli filter {quote(names[place])} --kernel identity {options} -o converted{ending}"
