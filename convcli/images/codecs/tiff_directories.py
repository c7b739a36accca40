"""Locate the pages of a TIFF and check the sizes that their directories claim, before any value is read."""

from __future__ import annotations  # Pillow's reader of TIFF is loaded for a TIFF

import struct
from collections.abc import Iterable
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from convcli.images.picture import ImageError

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.TiffImagePlugin import TiffImageFile

# Tags that describe how samples are stored: TIFF 6.0, sections 8, 15 and 19.
IMAGE_WIDTH, BITS_PER_SAMPLE, COMPRESSION, PHOTOMETRIC = 256, 258, 259, 262
SAMPLES_PER_PIXEL, ROWS_PER_STRIP, STRIP_BYTE_COUNTS, PLANAR_CONFIGURATION = 277, 278, 279, 284
TILE_WIDTH, TILE_LENGTH, TILE_BYTE_COUNTS, SAMPLE_FORMAT = 322, 323, 325, 339

# The values of each type: bytes per number, and numbers per value. TIFF 6.0, section 2, and the three 64-bit types of
# BigTIFF.
VALUES = {
    1: (1, 1), 2: (1, 1), 3: (2, 1), 4: (4, 1), 5: (4, 2), 6: (1, 1), 7: (1, 1), 8: (2, 1), 9: (4, 1),
    10: (4, 2), 11: (4, 1), 12: (8, 1), 13: (4, 1), 16: (8, 1), 17: (8, 1), 18: (8, 1),
}  # fmt: skip
SIZES = {kind: width * numbers for kind, (width, numbers) in VALUES.items()}
SHARED = 16  # the pages may together claim this many times the size of the file
SMALL = 1 << 28  # bytes that may be claimed in any case


class Layout(NamedTuple):
    """The layout of a directory: `struct` formats of its numbers and entries."""

    length: str
    entry: str
    offset: str
    inline: int  # most bytes of a value that is stored in its entry


_CLASSIC, _BIG = Layout("H", "HHI4s", "I", 4), Layout("Q", "HHQ8s", "Q", 8)


def page_offsets(file: BinaryIO, name: str) -> list[int]:
    """Return the offset of the directory of each page; a circular chain ends before the first repeated page.

    Raises ImageError if directories overlap or claim more values than the file has, which would cost a reader excessive
    time and memory.
    """
    layout, order, offset = _header(file)
    size = file.seek(0, 2)
    found: dict[int, None] = {}  # in order
    walked = claimed = 0
    while offset and offset not in found and offset < size:
        found[offset] = None
        entries, offset = _directory(file, offset, layout, order)
        walked += len(entries)
        mine = _claims(entries, layout, order)
        claimed += mine
        if walked > size or mine > size or claimed > SHARED * size + SMALL:
            what = "its directories overlap" if walked > size else "its tags claim more bytes than it has"
            raise ImageError(f"cannot read {name}: the file is damaged ({what}); get a whole copy")
    return list(found)


class _Places(list[int]):
    """The page offsets that Pillow has visited, with fast membership tests, as Pillow looks up every page."""

    def __init__(self, places: Iterable[int]) -> None:
        super().__init__(places)
        self._known = set(self)

    def append(self, place: int) -> None:
        super().append(place)
        self._known.add(place)

    def __contains__(self, place: object) -> bool:
        return place in self._known


def wholes(value: object) -> list[int]:
    """Return the integers in the value of a tag; the values of damaged tags may have other types."""
    return [each for each in (value if isinstance(value, tuple) else (value,)) if isinstance(each, int)]


def tiff_of(image: Image) -> TiffImageFile:
    """Return an image whose format is TIFF as a TiffImageFile, which has tags and pages."""
    from PIL.TiffImagePlugin import TiffImageFile

    assert isinstance(image, TiffImageFile), image
    return image


def count_pages(file: BinaryIO, name: str, image: Image) -> int:
    """Return the number of pages of a TIFF that Pillow has opened, and make Pillow's seeking to pages fast."""
    tiff = tiff_of(image)
    if isinstance(
        getattr(tiff, "_frame_pos", None), list
    ):  # private to Pillow; other versions may not have it
        tiff._frame_pos = _Places(tiff._frame_pos)
    return len(page_offsets(file, name))


def _header(file: BinaryIO) -> tuple[Layout, str, int]:
    """Return the layout of directories, the byte order, and the offset of the first directory (0 if none)."""
    file.seek(0)
    start = file.read(16).ljust(16, b"\0")
    order = "<" if start.startswith(b"II") else ">"
    big = start[2 if order == "<" else 3] == 43
    layout = _BIG if big else _CLASSIC
    (offset,) = struct.unpack_from(order + layout.offset, start, 8 if big else 4)
    return layout, order, offset


def _directory(file: BinaryIO, offset: int, layout: Layout, order: str) -> tuple[bytes, int]:
    """Return the entries of a directory, as far as they are in the file, and the offset of the next directory."""
    file.seek(offset)
    start = file.read(struct.calcsize("<" + layout.length))
    if len(start) < struct.calcsize("<" + layout.length):
        return b"", 0
    (count,) = struct.unpack(order + layout.length, start)
    length = struct.calcsize("<" + layout.entry)
    entries = file.read(min(count * length, 1 << 32))
    after = file.read(struct.calcsize("<" + layout.offset))
    if len(entries) < count * length or len(after) < struct.calcsize("<" + layout.offset):
        return entries[: len(entries) // length * length], 0
    return entries, struct.unpack(order + layout.offset, after)[0]


def _claims(entries: bytes, layout: Layout, order: str) -> int:
    """Count the bytes of all values that are stored outside their entries."""
    sizes = (
        SIZES.get(kind, 0) * count for _, kind, count, _ in struct.iter_unpack(order + layout.entry, entries)
    )
    return sum(size for size in sizes if size > layout.inline)
