"""Read the canvas size of a GIF at each frame: Pillow enlarges the canvas for a frame that exceeds it."""

import struct
from collections.abc import Iterator
from io import SEEK_CUR
from typing import BinaryIO


def canvases(file: BinaryIO) -> Iterator[tuple[int, int]]:
    """Yield the canvas width and height at each frame, without decoding: GIF89a specification, 18 to 20."""
    file.seek(6)
    screen = file.read(7).ljust(7, b"\0")
    width, height = struct.unpack_from("<HH", screen)
    _skip_palette(file, screen[4])
    while (start := file.read(1)) not in (b"", b";"):
        if start == b"!":
            file.read(1)
            _skip_blocks(file)
        elif start == b",":
            place = file.read(9).ljust(9, b"\0")
            left, top, across, down = struct.unpack_from("<4H", place)
            width, height = max(width, left + across), max(height, top + down)
            yield width, height
            _skip_palette(file, place[8])
            file.read(1)
            _skip_blocks(file)


def _skip_palette(file: BinaryIO, flags: int) -> None:
    if flags & 0x80:
        file.seek(3 << (flags & 7) + 1, SEEK_CUR)


def _skip_blocks(file: BinaryIO) -> None:
    while (length := file.read(1)) not in (b"", b"\0"):
        file.seek(length[0], SEEK_CUR)
