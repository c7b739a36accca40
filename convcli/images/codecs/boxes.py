"""Read and write boxes, the parts of JPEG 2000, JPEG XL, HEIF and AVIF files.

ISO/IEC 14496-12, 4.2, and ISO/IEC 15444-1, I.4.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

_HEAD, _LONG_HEAD = 8, 16


class Box(NamedTuple):
    """The type of a box, and the offsets of its content in the file."""

    kind: bytes
    start: int
    end: int


def boxes(file: BinaryIO, start: int = 0, end: int | None = None) -> Iterator[Box]:
    """Yield the boxes in a part of a file, by default all of it; boxes that exceed it are truncated."""
    size = file.seek(0, os.SEEK_END)
    end = size if end is None else min(end, size)
    while start + _HEAD <= end:
        file.seek(start)
        head = file.read(_LONG_HEAD)
        length, kind, body = int.from_bytes(head[:4], "big"), head[4:8], _HEAD
        if length == 1 and start + _LONG_HEAD <= end:
            length, body = int.from_bytes(head[8:], "big"), _LONG_HEAD
        if length == 0:  # to the end
            length = end - start
        if length < body:
            return
        yield Box(kind, start + body, min(start + length, end))
        start += length


def find(file: BinaryIO, path: tuple[bytes, ...], start: int = 0, end: int | None = None) -> Box | None:
    """Return the first box at a path of nested types, None if there is none."""
    for box in boxes(file, start, end):
        if box.kind == path[0]:
            return find(file, path[1:], box.start, box.end) if path[1:] else box
    return None


def content(file: BinaryIO, box: Box, most: int | None = None) -> bytes:
    """Return the content of a box, or its first bytes."""
    file.seek(box.start)
    length = box.end - box.start
    return file.read(length if most is None else min(length, most))


def box_bytes(kind: bytes, data: bytes) -> bytes:
    """Return the bytes of a box."""
    if len(data) + _HEAD < 1 << 32:
        return (len(data) + _HEAD).to_bytes(4, "big") + kind + data
    return b"\0\0\0\1" + kind + (len(data) + _LONG_HEAD).to_bytes(8, "big") + data
