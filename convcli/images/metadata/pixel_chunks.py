"""Separate the pixel chunks of a PNG from its metadata chunks, which may be damaged (PNG, third edition, 5)."""

from __future__ import annotations

import zlib
from bisect import bisect_right
from collections.abc import Iterator
from io import RawIOBase
from itertools import accumulate
from typing import BinaryIO

from convcli.images.metadata.table import Chunk

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_BYTES = 1 << 26  # total of the metadata chunks that are read from a file; further ones are left out

COLOUR = {b"gAMA": 4, b"cHRM": 32, b"sRGB": 1, b"cICP": 4, b"mDCV": 24}  # and their lengths
_LENGTHS = COLOUR | {b"pHYs": 9, b"tIME": 7}
_PIXELS = {b"tRNS", b"acTL", b"fcTL", b"fdAT"}  # ancillary by name, but needed to decode the pixels
_PALETTE = 768  # bytes at most


class PngReader(RawIOBase):
    """A file object that shows only the pixel chunks of a PNG; the metadata chunks are in `chunks`.

    A decoder that reads from it neither fails on damaged metadata nor spends time on many chunks of it.

    damaged : messages that name each chunk that is left out, with the reason
    """

    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        self._file, self._place = file, 0
        self.name = getattr(file, "name", "")
        self.header, self.palette = b"", b""
        self.chunks: list[Chunk] = []
        self.damaged: list[str] = []
        self._starts: list[int] = []
        lengths: list[int] = []
        for start, length in self._scan():
            if self._starts and self._starts[-1] + lengths[-1] == start:
                lengths[-1] += length
            else:
                self._starts.append(start)
                lengths.append(length)
        self._ends = list(accumulate(lengths))

    def _scan(self) -> Iterator[tuple[int, int]]:
        """Yield the start and length of each pixel chunk, and collect the metadata chunks."""
        file, room, late = self._file, MAX_BYTES, False
        yield 0, len(SIGNATURE)
        at = file.seek(len(SIGNATURE))
        while len(head := file.read(8)) == 8:
            size, kind = int.from_bytes(head[:4], "big"), head[4:]
            if not kind.isalpha():
                break
            late = late or kind in (b"IDAT", b"fdAT")
            if kind[0] & 0x20 and kind not in _PIXELS:
                if size > room:
                    file.seek(size + 4, 1)
                    self.damaged.append(f"{kind.decode('ascii')} of {size:,} bytes is too long")
                else:
                    data, crc = file.read(size), file.read(4)
                    room -= size
                    self._take(kind, data, crc, size, late)
            else:
                yield at, size + 12
                if kind in (b"IHDR", b"PLTE"):
                    data = file.read(min(size, _PALETTE))
                    self.header, self.palette = (
                        (data, self.palette) if kind == b"IHDR" else (self.header, data)
                    )
                file.seek(at + size + 12)
            at += size + 12
            if kind == b"IEND":
                break
        else:
            if head:
                yield at, len(head)

    def _take(self, kind: bytes, data: bytes, crc: bytes, size: int, late: bool) -> None:
        if len(data) < size or len(crc) < 4:
            self.damaged.append(f"{kind.decode('ascii')} is cut short")
        elif zlib.crc32(data, zlib.crc32(kind)).to_bytes(4, "big") != crc:
            self.damaged.append(f"the checksum of {kind.decode('ascii')} is wrong")
        elif size != _LENGTHS.get(kind, size):
            self.damaged.append(f"{kind.decode('ascii')} has {size} bytes instead of {_LENGTHS[kind]}")
        else:
            self.chunks.append(Chunk(kind, data, late))

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the position of the next byte."""
        return self._place

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Move to an offset from the start, the current position or the end."""
        self._place = max(0, offset + (0, self._place, self._ends[-1])[whence])
        return self._place

    def read(self, size: int = -1, /) -> bytes:
        """Read up to `size` bytes, or up to the end; no memory is allocated for bytes that do not exist."""
        pieces = []
        while size:
            piece = self._piece(size)
            if not piece:
                break
            pieces.append(piece)
            self._place += len(piece)
            size -= len(piece) if size > 0 else 0
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _piece(self, size: int) -> bytes:
        """Read up to `size` bytes, but not beyond the current run of adjacent chunks."""
        part = bisect_right(self._ends, self._place)
        if part == len(self._ends):
            return b""
        left = self._ends[part] - self._place
        before = self._ends[part - 1] if part else 0
        self._file.seek(self._starts[part] + self._place - before)
        return self._file.read(left if size < 0 else min(left, size))


def chunk_bytes(kind: bytes, data: bytes) -> bytes:
    """Return the bytes of a chunk in a file: length, kind, data and CRC."""
    crc = zlib.crc32(data, zlib.crc32(kind))
    return b"".join((len(data).to_bytes(4, "big"), kind, data, crc.to_bytes(4, "big")))
