"""EXIF without previews and orientation, and with the size of the picture that is written."""

from __future__ import annotations

import re
from contextlib import suppress
from io import BytesIO

from convcli.images.metadata.embedded import holds_picture
from convcli.images.metadata.entries import (
    EXIF,
    INTEROP,
    LONG,
    Directory,
    DirectoryError,
    DirectoryReader,
    DirectoryWriter,
    Entry,
)
from convcli.images.metadata.words import listed

HEADER = b"Exif\0\0"
ORIENTATION, MAKER_NOTE = 274, 37500

# Tags that say where and how samples are stored, which has no meaning in EXIF.
_STORAGE = {273, 278, 279, 288, 289, 322, 323, 324, 325, 330, 513, 514}
# Other kinds of metadata, which are read from their own places in a file, and Photoshop's layers.
_FOREIGN = {700: "XMP", 33723: "IPTC", 34377: "IPTC", 34675: "an ICC profile", 37724: "Photoshop's layers"}
# The tags of the width and the height, by the directory that contains them.
_SIZES = {0: (256, 257), EXIF: (40962, 40963), INTEROP: (4097, 4098)}
SHORT_MAX = 65535


def cleaned_exif(data: bytes) -> tuple[bytes, tuple[str, ...]]:
    """Return EXIF without pictures and orientation, and the names of what is left out.

    A thumbnail shows the unfiltered picture. A maker note may contain one too, and its offsets are wrong at any other
    place in a file. Raises DirectoryError if the EXIF cannot be read.
    """
    body = _body(data)
    reader = DirectoryReader(BytesIO(body))
    found = reader.read(reader.first)
    lost = ["the EXIF thumbnail"] if reader.following(reader.first) else []
    kept, more = kept_exif(found)
    lost += more
    if reader.damaged:
        lost.append(f"EXIF that is damaged (tags {listed(map(str, reader.damaged))})")
    return (exif_bytes(kept, reader.order) if kept else b""), tuple(lost)


def kept_exif(directory: Directory) -> tuple[dict[int, Entry | Directory], list[str]]:
    """Return the tags that still apply to a filtered, upright picture, and the names of the others."""
    kept: dict[int, Entry | Directory] = {}
    lost: list[str] = []
    for tag, value in directory.items():
        if not isinstance(value, Entry):
            value, more = kept_exif(value)
            lost += more
            if value:
                kept[tag] = value
        elif tag == MAKER_NOTE:
            lost.append("the maker note")
        elif tag in _FOREIGN:
            lost.append(f"{_FOREIGN[tag]} inside EXIF")
        elif tag in _STORAGE or holds_picture(value.data):
            lost.append(f"a picture inside EXIF (tag {tag})")
        elif tag != ORIENTATION:
            kept[tag] = value
    return kept, list(dict.fromkeys(lost))


def exif_directory(data: bytes) -> Directory:
    """Return the tags of EXIF data made by `exif_bytes`."""
    reader = DirectoryReader(BytesIO(_body(data)))
    return reader.read(reader.first)


def exif_orientation(data: bytes) -> int:
    """Return the orientation in EXIF data, 1 if there is none or it cannot be read."""
    entry = None
    with suppress(DirectoryError):
        entry = exif_directory(data).get(ORIENTATION) if data else None
    numbers = entry.numbers if isinstance(entry, Entry) else ()
    return int(numbers[0]) if numbers else 1


def exif_order(data: bytes) -> str:
    """Return the byte order of EXIF data made by `exif_bytes`."""
    return "<" if _body(data).startswith(b"II") else ">"


def exif_bytes(directory: Directory, order: str = "<") -> bytes:
    """Return EXIF data in the given byte order, with the six-byte prefix that JPEG requires."""
    file = BytesIO()
    file.write((b"II*\0" if order == "<" else b"MM\0*") + bytes(4))
    writer = DirectoryWriter(file, order)
    place, _ = writer.write(directory)
    writer.link(4, place)
    return HEADER + file.getvalue()


def sized_exif(data: bytes, width: int, height: int) -> bytes:
    """Return EXIF data with its size tags, if any, set to the size of the picture."""
    return exif_bytes(sized(exif_directory(data), width, height), exif_order(data))


def sized(directory: Directory, width: int, height: int, place: int = 0) -> Directory:
    """Return a directory with its size tags, if any, set to the size of the picture."""
    sizes = dict(zip(_SIZES.get(place, ()), (width, height), strict=False))
    changed: dict[int, Entry | Directory] = {}
    for tag, value in directory.items():
        if not isinstance(value, Entry):
            changed[tag] = sized(value, width, height, tag)
        elif tag in sizes:
            changed[tag] = Entry.of(
                value.type if sizes[tag] <= SHORT_MAX and value.type == 3 else LONG, sizes[tag]
            )
        else:
            changed[tag] = value
    return changed


def _body(data: bytes) -> bytes:
    return re.sub(b"^(?:Exif\0\0){1,2}", b"", data)
