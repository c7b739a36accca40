"""Locate the coded pictures in an AVIF or HEIF file: the items of `meta` and the samples of tracks.

ISO/IEC 14496-12 and ISO/IEC 23008-12.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from convcli.images.codecs.boxes import Box, boxes, content, find

MAX_ITEMS = 1 << 17  # items and samples in one file

_VISUAL = 78  # bytes of a sample entry before its boxes
_TRACK = (b"mdia", b"minf", b"stbl")


class TooManyError(ValueError):
    """A file lists more coded parts than it can contain."""


class Coded(NamedTuple):
    """A coded picture or a part of one: its codec, its location, and whether it is a sample of a track."""

    codec: bytes
    offset: int
    length: int
    sample: bool


class _Numbers:
    """Reads consecutive big-endian integers, and 0 after the end."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, size: int) -> int:
        self.at += size
        return int.from_bytes(self.data[self.at - size : self.at], "big")

    @property
    def left(self) -> int:
        return len(self.data) - self.at


def brands(file: BinaryIO) -> tuple[bytes, ...]:
    """Return the brands of a file, the major one first; an empty tuple if it does not begin with an ftyp box."""
    first = next(boxes(file), None)
    if first is None or first.kind != b"ftyp":
        return ()
    data = content(file, first, 1 << 12)
    return (data[:4], *(data[at : at + 4] for at in range(8, len(data), 4)))


def coded_parts(file: BinaryIO) -> Iterator[Coded]:
    """Yield the coded parts of a file that a decoder may use."""
    size = file.seek(0, os.SEEK_END)
    claimed = 0
    for count, part in enumerate(_parts(file)):
        claimed += part.length
        if count >= MAX_ITEMS or claimed > 16 * size:
            raise TooManyError(f"it lists more than {count:,} coded parts in {size:,} bytes")
        yield part


def coded_bytes(file: BinaryIO, part: Coded) -> bytes:
    """Return the bytes of a coded part."""
    file.seek(part.offset)
    return file.read(part.length)


def configurations(file: BinaryIO, kind: bytes) -> Iterator[bytes]:
    """Yield the decoder configurations of a kind, such as hvcC, of items and tracks."""
    meta = find(file, (b"meta",))
    if meta is not None:
        properties = find(file, (b"iprp", b"ipco"), meta.start + 4, meta.end)
        if properties is not None:
            for box in boxes(file, properties.start, properties.end):
                if box.kind == kind:
                    yield content(file, box)
    for table in _tables(file):
        entries = find(file, (b"stsd",), table.start, table.end)
        if entries is not None:
            for entry in boxes(file, entries.start + 8, entries.end):
                found = find(file, (kind,), entry.start + _VISUAL, entry.end)
                if found is not None:
                    yield content(file, found)


def colour_codes(file: BinaryIO) -> tuple[int, int] | None:
    """Return the numbers of a file's colour primaries and transfer characteristics: ITU-T H.273."""
    for data in configurations(file, b"colr"):
        if data[:4] == b"nclx" and len(data) >= 8:
            return int.from_bytes(data[4:6], "big"), int.from_bytes(data[6:8], "big")
    return None


def _parts(file: BinaryIO) -> Iterator[Coded]:
    meta = find(file, (b"meta",))
    if meta is not None:
        yield from _items(file, meta)
    for table in _tables(file):
        yield from _samples(file, table)


def _items(file: BinaryIO, meta: Box) -> Iterator[Coded]:
    inside = {box.kind: box for box in reversed(list(boxes(file, meta.start + 4, meta.end)))}
    if b"iloc" not in inside or b"iinf" not in inside:
        return
    kinds = dict(_item_types(file, inside[b"iinf"]))
    base = inside[b"idat"].start if b"idat" in inside else 0
    for item, offset, length in _locations(_Numbers(content(file, inside[b"iloc"])), base):
        if item in kinds:
            yield Coded(kinds[item], offset, length, sample=False)


def _item_types(file: BinaryIO, box: Box) -> Iterator[tuple[int, bytes]]:
    """Yield the number and the type of each item: ISO/IEC 14496-12, 8.11.6."""
    version = content(file, box, 1)
    for entry in boxes(file, box.start + (6 if version == b"\0" else 8), box.end):
        data = _Numbers(content(file, entry, 16))
        wide = data.take(1) > 2
        data.take(3)
        number = data.take(4 if wide else 2)
        data.take(2)
        yield number, data.data[data.at : data.at + 4]


def _locations(data: _Numbers, base: int) -> Iterator[tuple[int, int, int]]:
    """Yield the number of each item with the offset and length of each of its parts: ISO/IEC 14496-12, 8.11.3.

    base : offset of the idat box, which contains some items
    """
    version = data.take(1)
    data.take(3)
    sizes = data.take(2)
    offset_size, length_size, base_size, index_size = (sizes >> shift & 15 for shift in (12, 8, 4, 0))
    for _ in range(data.take(2 if version < 2 else 4)):
        if data.left <= 0:
            return
        item = data.take(2 if version < 2 else 4)
        inside = version > 0 and data.take(2) & 15 == 1
        data.take(2)
        start = data.take(base_size) + base * inside
        for _ in range(data.take(2)):
            if data.left <= 0:
                return
            if version > 0:
                data.take(index_size)
            yield item, start + data.take(offset_size), data.take(length_size)


def _tables(file: BinaryIO) -> Iterator[Box]:
    """Yield the sample tables of the tracks."""
    movie = find(file, (b"moov",))
    if movie is None:
        return
    for track in boxes(file, movie.start, movie.end):
        if track.kind == b"trak":
            table = find(file, _TRACK, track.start, track.end)
            if table is not None:
                yield table


def _samples(file: BinaryIO, table: Box) -> Iterator[Coded]:
    """Yield the samples of a track: ISO/IEC 14496-12, 8.6 and 8.7."""
    inside = {box.kind: content(file, box) for box in reversed(list(boxes(file, table.start, table.end)))}
    codec = inside.get(b"stsd", b"")[12:16]
    sizes = _Numbers(inside.get(b"stsz", b"")[4:])
    same, left = sizes.take(4), sizes.take(4)
    wide = b"co64" in inside
    chunks = _Numbers(inside.get(b"co64" if wide else b"stco", b"")[4:])
    groups = _Numbers(inside.get(b"stsc", b"")[4:])
    runs = [
        (groups.take(4), groups.take(4), groups.take(4))
        for _ in range(min(groups.take(4), groups.left // 12))
    ]
    chunks.take(4)
    number, each = 0, 1
    while chunks.left > 0 and left > 0:
        offset = chunks.take(8 if wide else 4)
        number += 1
        while runs and runs[0][0] <= number:
            each = runs.pop(0)[1]
        for _ in range(min(each, left)):
            length = same or sizes.take(4)
            yield Coded(codec, offset, length, sample=True)
            offset += length
            left -= 1
