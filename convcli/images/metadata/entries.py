"""Read and write image file directories (IFDs), the building blocks of TIFF and EXIF (TIFF 6.0, section 2).

Pillow's own writer guesses the type of a tag that it does not know and replaces non-ASCII characters; here every tag
keeps its type and its bytes.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Collection, Mapping, Sequence
from io import SEEK_END
from typing import BinaryIO, NamedTuple, Union

from convcli.images.codecs.tiff_directories import VALUES

BYTE, ASCII, SHORT, LONG, RATIONAL, UNDEFINED, DOUBLE, IFD8 = 1, 2, 3, 4, 5, 7, 12, 18

_LETTERS = {1: "B", 3: "H", 4: "I", 5: "I", 6: "b", 8: "h", 9: "i", 10: "i", 11: "f", 12: "d", 13: "I", 16: "Q",
            17: "q", 18: "Q"}  # fmt: skip
_ARRAYS = {2: "H", 4: "I", 8: "Q"}  # type codes of the array module by item size

EXIF, GPS, INTEROP = 34665, 34853, 40965  # tags that point to another directory: EXIF 2.32, 4.6.3
_DEEPEST = 3  # levels: EXIF inside a page, and interoperability inside EXIF


class DirectoryError(ValueError):
    """A directory that cannot be read."""


class Entry(NamedTuple):
    """The value of a tag: its type and its bytes in little-endian order, whatever the byte order of the file."""

    type: int
    data: bytes

    @classmethod
    def of(cls, kind: int, *values: float) -> Entry:
        """Return an entry of numbers; each rational takes two numbers."""
        return cls(kind, struct.pack(f"<{len(values)}{_LETTERS[kind]}", *values))

    @classmethod
    def of_text(cls, text: bytes) -> Entry:
        """Return an entry of NUL-terminated text."""
        return cls(ASCII, text.removesuffix(b"\0") + b"\0")

    @property
    def numbers(self) -> tuple[float, ...]:
        """The numbers in the entry: two for each rational, none for text."""
        letter = _LETTERS.get(self.type)
        if letter is None:
            return ()
        count = len(self.data) // struct.calcsize(letter)
        return struct.unpack_from(f"<{count}{letter}", self.data)

    @property
    def text(self) -> bytes:
        """The text in the entry, without the NUL at its end."""
        return self.data.rstrip(b"\0")


Directory = Mapping[int, Union[Entry, "Directory"]]


class DirectoryReader:
    """Read the directories of a TIFF, or of EXIF data without its six-byte prefix.

    Values that several directories share are read once. The total size of everything that is read is at most three
    times the size of the file, whatever its directories claim.

    damaged : tags whose values are not in the file
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._end = file.seek(0, SEEK_END)
        self._left = 3 * self._end
        self._shared: dict[tuple[int, int], bytes] = {}
        self.damaged: list[int] = []
        file.seek(0)
        start = file.read(16)
        self.order = {b"II": "<", b"MM": ">"}.get(start[:2], "")
        kind = struct.unpack_from(f"{self.order}H", start, 2)[0] if self.order and len(start) >= 8 else 0
        if kind not in (42, 43) or (kind == 43 and len(start) < 16):
            raise DirectoryError("it has no TIFF header")
        self.big = kind == 43
        self.first: int = struct.unpack_from(
            *((f"{self.order}Q", start, 8) if self.big else (f"{self.order}I", start, 4))
        )[0]

    def read(
        self, offset: int, skipped: Collection[int] = (), deep: int = _DEEPEST
    ) -> dict[int, Entry | Directory]:
        """Return the tags of a directory except the skipped ones; EXIF, GPS and interoperability as directories."""
        found: dict[int, Entry | Directory] = {}
        claimed = 0
        for tag, kind, count, value in self.entries(offset):
            if tag in skipped or tag in found or kind not in VALUES:
                continue
            width, numbers = VALUES[kind]
            size = count * width * numbers
            claimed += size if size <= self._end else 0
            data = self._value(value, size) if claimed <= 3 * self._end else None  # limits the work
            if data is None:
                self.damaged.append(tag)
                continue
            entry = Entry(kind, _ordered(data, width, self.order))
            if tag in (EXIF, GPS, INTEROP):
                place = int(entry.numbers[0]) if len(entry.numbers) == 1 else 0
                try:
                    found[tag] = self.read(place, (), deep - 1) if deep else {}
                except DirectoryError:
                    self.damaged.append(tag)
            elif data:
                found[tag] = entry
        return found

    def entries(self, offset: int) -> list[tuple[int, int, int, bytes]]:
        """Return the raw entries of a directory: tag, type, count and value field."""
        lead, item, each = ("Q", "HHQ8s", 20) if self.big else ("H", "HHI4s", 12)
        raw = self._bytes(offset, struct.calcsize(lead))
        if len(raw) < struct.calcsize(lead):
            raise DirectoryError(f"there is no directory at {offset}")
        count = min(struct.unpack(self.order + lead, raw)[0], 0xFFFF)
        self._left -= count * each
        if self._left < 0:
            raise DirectoryError("its directories overlap, or one is longer than the file")
        raw = self._bytes(offset + len(raw), count * each)
        return list(struct.iter_unpack(self.order + item, raw[: len(raw) // each * each]))

    def following(self, offset: int) -> int:
        """Return the offset of the directory after the one at `offset`; 0 if there is none."""
        lead, each = ("Q", 20) if self.big else ("H", 12)
        (count,) = struct.unpack(self.order + lead, self._bytes(offset, struct.calcsize(lead)))
        pointer = "Q" if self.big else "I"
        raw = self._bytes(self._next_at(offset, count, each), struct.calcsize(pointer))
        return int(struct.unpack(self.order + pointer, raw)[0]) if len(raw) == struct.calcsize(pointer) else 0

    def _next_at(self, offset: int, count: int, each: int) -> int:
        return offset + (8 if self.big else 2) + count * each

    def _value(self, field: bytes, size: int) -> bytes | None:
        """Return the bytes of a value, from its field or the offset in it; None if they are not in the file."""
        if size <= len(field):
            return field[:size]
        (offset,) = struct.unpack(self.order + ("Q" if self.big else "I"), field)
        if offset + size > self._end:
            return None
        if (offset, size) not in self._shared:
            if size > self._left:
                return None
            self._left -= size
            self._shared[offset, size] = self._bytes(offset, size)
        return self._shared[offset, size]

    def _bytes(self, offset: int, size: int) -> bytes:
        if offset >= self._end:
            return b""
        self._file.seek(offset)
        return self._file.read(size)


class DirectoryWriter:
    """Append directories to a file in its byte order; equal values are written once."""

    def __init__(self, file: BinaryIO, order: str = "<", *, big: bool = False) -> None:
        self._file, self._order, self._big = file, order, big
        self._places: dict[bytes, int] = {}

    def write(self, directory: Directory, raw: Sequence[bytes] = ()) -> tuple[int, int]:
        """Write the values of a directory and the directory; return its offset and that of its link to the next.

        raw : entries that are already in the byte order of the file; entries of `directory` replace them
        """
        entries = {struct.unpack_from(f"{self._order}H", entry)[0]: entry for entry in raw}
        for tag, value in directory.items():
            entries[tag] = self._entry(tag, value)
        lead, pointer = ("Q", "Q") if self._big else ("H", "I")
        place = self._end()
        body = struct.pack(self._order + lead, len(entries)) + b"".join(
            entries[tag] for tag in sorted(entries)
        )
        self._file.write(body + struct.pack(self._order + pointer, 0))
        return place, place + len(body)

    def link(self, at: int, to: int) -> None:
        """Write the offset `to` into the field at offset `at`."""
        self._file.seek(at)
        self._file.write(struct.pack(self._order + ("Q" if self._big else "I"), to))

    def _entry(self, tag: int, value: Entry | Directory) -> bytes:
        if not isinstance(value, Entry):
            value = Entry.of(IFD8 if self._big else LONG, self._nested(value))
        width, numbers = VALUES[value.type]
        data = _ordered(value.data, width, self._order)
        room = 8 if self._big else 4
        if len(data) > room:
            data = struct.pack(self._order + ("Q" if self._big else "I"), self._put(data))
        head = struct.pack(
            self._order + ("HHQ" if self._big else "HHI"),
            tag,
            value.type,
            len(value.data) // (width * numbers),
        )
        return head + data.ljust(room, b"\0")

    def _nested(self, directory: Directory) -> int:
        key = repr(sorted(directory.items())).encode()
        if key not in self._places:
            self._places[key], _ = self.write(directory)
        return self._places[key]

    def _put(self, data: bytes) -> int:
        if data not in self._places:
            self._places[data] = self._end()
            self._file.write(data)
        return self._places[data]

    def _end(self) -> int:
        """Seek to the end of the file, padded to an even offset as TIFF requires, and return that offset."""
        end = self._file.seek(0, SEEK_END)
        return end + self._file.write(bytes(end % 2))


def add_tags(file: BinaryIO, pages: Sequence[Directory]) -> None:
    """Add tags to the pages of a TIFF by appending new copies of their directories to the file.

    pages : the new tags of each page, in order; they must not include tags that locate the samples
    """
    if not any(pages):
        return
    reader = DirectoryReader(file)
    writer = DirectoryWriter(file, reader.order, big=reader.big)
    old, link = reader.first, 8 if reader.big else 4
    for tags in pages:
        item = reader.order + ("HHQ8s" if reader.big else "HHI4s")
        raw, following = [struct.pack(item, *entry) for entry in reader.entries(old)], reader.following(old)
        place, after = writer.write(tags, raw)
        writer.link(link, place)
        old, link = following, after
    writer.link(link, old)


def _ordered(data: bytes, width: int, order: str) -> bytes:
    """Convert numbers between little-endian order and `order`; single bytes are unchanged."""
    if order == "<" or width == 1:
        return data
    numbers = array(_ARRAYS[width])
    numbers.frombytes(data[: len(data) // width * width])
    numbers.byteswap()
    return numbers.tobytes()
