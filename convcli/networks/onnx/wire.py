"""Read protocol buffer messages from a file according to a schema, leaving large data in the file.

In the wire format (https://protobuf.dev/programming-guides/encoding) each field is preceded by a tag with its number
and wire type; fields that the schema lacks are skipped. Byte strings of more than a few kilobytes stay in the file and
only their location is stored, so that a model of gigabytes is counted without reading its weights.
"""

import os
from pathlib import Path
from struct import unpack_from
from typing import Any, NamedTuple

from convcli.errors import ArgumentError

CHUNK = 1 << 16  # bytes that are read at once
LARGE = 1 << 12  # byte strings that are longer stay in the file
MAX_DEPTH = 40  # of nested messages; a graph in a node in a graph takes three

VARINT, FIXED64, DELIMITED, GROUP, END_GROUP, FIXED32 = range(6)


class Field(NamedTuple):
    """One field of a message: its name, its kind, and whether it may be repeated.

    kind : int, float, bytes, text, or the name of a message
    """

    name: str
    kind: str
    repeated: bool = False


Schema = dict[str, dict[int, Field]]


class Span(NamedTuple):
    """A range of bytes in a file."""

    path: Path
    start: int
    length: int

    def read(self) -> bytes:
        """Return the bytes; raise ArgumentError if the file has become shorter."""
        with self.path.open("rb") as file:
            file.seek(self.start)
            data = file.read(self.length)
        if len(data) < self.length:
            raise ArgumentError(f"{self.path.name} is {self.length - len(data)} bytes too short")
        return data


class Message(dict[str, Any]):
    """The fields of a message by name; a missing one is None, or an empty list if it may be repeated."""

    def __init__(self, fields: dict[int, Field]) -> None:
        super().__init__({field.name: [] if field.repeated else None for field in fields.values()})

    def __getattr__(self, name: str) -> Any:
        """Return a field."""
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


class Reader:
    """Reads messages from a file in chunks."""

    def __init__(self, path: Path, schema: Schema, most: dict[str, int]) -> None:
        self.path, self.schema = path, schema
        self.left = dict(most)  # how many more messages of a kind are allowed
        self.most = most
        self._file = path.open("rb")
        self.size = self._file.seek(0, os.SEEK_END)
        self._start, self._data = 0, b""

    def __enter__(self) -> "Reader":
        """Return the reader."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self._file.close()

    def message(self, kind: str) -> Message:
        """Return the message that makes up the whole file."""
        return self._message(kind, 0, self.size, 0)

    def _message(self, kind: str, start: int, end: int, depth: int) -> Message:
        if depth > MAX_DEPTH:
            raise ArgumentError(f"its graphs are nested more than {MAX_DEPTH} deep")
        if end - start <= LARGE:
            data = self._bytes(start, end - start, end)
            try:
                return self._small(kind, data, 0, len(data), depth)
            except IndexError:
                raise ArgumentError(f"it is truncated within a message, at byte {end:,}") from None
        self._count(kind)
        fields = self.schema[kind]
        made = Message(fields)
        place = start
        while place < end:
            tag, place = self._varint(place, end)
            number, wire = tag >> 3, tag & 7
            field = fields.get(number)
            if wire == DELIMITED:
                length, place = self._varint(place, end)
                if length > end - place:
                    raise ArgumentError(f"it is truncated within a message, at byte {self.size:,}")
                if field is not None:
                    self._put(made, field, self._delimited(field, place, length, depth))
                place += length
                continue
            value: Any
            if wire == VARINT:
                value, place = self._varint(place, end)
                value = value - (1 << 64) if value >= 1 << 63 else value
            elif wire in (FIXED64, FIXED32):
                size = 8 if wire == FIXED64 else 4
                data = self._bytes(place, size, end)
                value = unpack_from("<d" if size == 8 else "<f", data)[0]
                place += size
            else:
                raise ArgumentError(f"there is no valid field at byte {place - 1:,}")
            if field is not None and field.kind in ("int", "float"):
                self._put(made, field, value)
        return made

    def _count(self, kind: str) -> None:
        """Raise ArgumentError if there are too many messages of a kind."""
        if kind in self.left:
            self.left[kind] -= 1
            if self.left[kind] < 0:
                raise ArgumentError(f"it has more than the limit of {self.most[kind]:,} {kind.lower()}s")

    def _small(self, kind: str, data: bytes, place: int, end: int, depth: int) -> Message:
        """Return a message that is in memory; faster than `_message`, because models have thousands of small nodes."""
        if depth > MAX_DEPTH:
            raise ArgumentError(f"its graphs are nested more than {MAX_DEPTH} deep")
        self._count(kind)
        fields = self.schema[kind]
        made = Message(fields)
        while place < end:
            tag, place = data[place], place + 1
            if tag > 127:
                tag, place = _number(data, place - 1, end)
            field, wire = fields.get(tag >> 3), tag & 7
            value: Any
            if wire == DELIMITED:
                length, place = data[place], place + 1
                if length > 127:
                    length, place = _number(data, place - 1, end)
                stop = place + length
                if stop > end:
                    raise IndexError
                if field is None:
                    place = stop
                    continue
                if field.kind == "text":
                    value = data[place:stop].decode("utf-8", "backslashreplace")
                elif field.kind == "bytes":
                    value = data[place:stop]
                elif field.kind in self.schema:
                    value = self._small(field.kind, data, place, stop, depth + 1)
                else:
                    value = _packed(field.kind, data, place, stop)
                place = stop
            elif wire == VARINT:
                value, place = _number(data, place, end)
                value = value - (1 << 64) if value >= 1 << 63 else value
            elif wire in (FIXED64, FIXED32):
                size = 8 if wire == FIXED64 else 4
                if place + size > end:
                    raise IndexError
                value = unpack_from("<d" if size == 8 else "<f", data, place)[0]
                place += size
            else:
                raise ArgumentError("there is no valid field where one should start")
            if field is not None and (wire == DELIMITED or field.kind in ("int", "float")):
                self._put(made, field, value)
        return made

    @staticmethod
    def _put(made: Message, field: Field, value: Any) -> None:
        if not field.repeated:
            made[field.name] = value
        elif field.kind in ("int", "float") and isinstance(value, list):
            made[field.name] += value
        else:
            made[field.name].append(value)

    def _delimited(self, field: Field, start: int, length: int, depth: int) -> Any:
        if field.kind in self.schema:
            return self._message(field.kind, start, start + length, depth + 1)
        if field.kind in ("int", "float"):  # packed
            return _packed(field.kind, self._bytes(start, length, start + length), 0, length)
        if field.kind == "bytes" and length > LARGE:
            return Span(self.path, start, length)
        data = self._bytes(start, length, start + length)
        return data if field.kind == "bytes" else data.decode("utf-8", "backslashreplace")

    def _varint(self, place: int, end: int) -> tuple[int, int]:
        """Return a base-128 varint and the position after it."""
        at = place - self._start
        if at < 0 or at + 10 > len(self._data):
            self._fill(place)
            at = 0
        data, value, shift = self._data, 0, 0
        for byte in data[at : at + min(10, end - place)]:
            place += 1
            value |= (byte & 127) << shift
            if byte < 128:
                return value & (1 << 64) - 1, place
            shift += 7
        raise ArgumentError(f"there is no valid number at byte {place:,}")

    def _bytes(self, place: int, length: int, end: int) -> bytes:
        """Return bytes of the file."""
        if place + length > end:
            raise ArgumentError(f"it is truncated within a message, at byte {self.size:,}")
        at = place - self._start
        if at < 0 or at + length > len(self._data):
            self._fill(place, length)
            at = 0
        data = self._data[at : at + length]
        if len(data) < length:
            raise ArgumentError(f"it is truncated within a message, at byte {self.size:,}")
        return data

    def _fill(self, place: int, length: int = 0) -> None:
        self._file.seek(place)
        self._start, self._data = place, self._file.read(max(CHUNK, length))


def _number(data: bytes, place: int, end: int) -> tuple[int, int]:
    """Return a base-128 varint and the position after it."""
    value = shift = 0
    for byte in data[place : min(end, place + 10)]:
        place += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value & (1 << 64) - 1, place
        shift += 7
    raise ArgumentError("there is no valid number where one should start")


def _packed(kind: str, data: bytes, place: int, end: int) -> list[Any]:
    """Return the numbers of a packed field."""
    if kind == "float":
        count = (end - place) // 4
        return list(unpack_from(f"<{count}f", data, place))
    found = []
    while place < end:
        value, place = _number(data, place, end)
        found.append(value - (1 << 64) if value >= 1 << 63 else value)
    return found
