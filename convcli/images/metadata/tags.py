"""Read and write the metadata tags of TIFF pages."""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from typing import Any, BinaryIO

from convcli.images.metadata.embedded import holds_picture
from convcli.images.metadata.entries import (
    ASCII,
    BYTE,
    EXIF,
    GPS,
    INTEROP,
    LONG,
    RATIONAL,
    SHORT,
    UNDEFINED,
    Directory,
    DirectoryError,
    DirectoryReader,
    Entry,
)
from convcli.images.metadata.exif import exif_bytes, exif_directory, kept_exif
from convcli.images.metadata.found import Found
from convcli.images.metadata.names import (
    CARRIED,
    DESCRIPTION,
    EXIF_TAGS,
    GDAL_METADATA,
    GEOGRAPHIC,
    ORIENTATION,
    STORAGE,
    tag_names,
)
from convcli.images.metadata.photoshop import iptc_of, with_iptc
from convcli.images.metadata.words import counted, listed

ICC, XMP, IPTC, PHOTOSHOP = 34675, 700, 33723, 34377
X_RESOLUTION, Y_RESOLUTION, UNIT = 282, 283, 296
SUBFILE, MASK = 254, 4
_NO_UNIT, _INCH, _CENTIMETRE = 1, 2, 3
_PER_INCH = {_INCH: 1.0, _CENTIMETRE: 2.54}
_DIRECTORIES = {EXIF, GPS, INTEROP}
_OWN = {ICC, XMP, IPTC, PHOTOSHOP, X_RESOLUTION, Y_RESOLUTION, UNIT}  # tags that are other kinds of metadata

_STATISTICS = re.compile(rb"""\s*<Item\b[^>]*\bname=["']STATISTICS_[^>]*>[^<]*</Item>""")


class TiffPages:
    """The metadata in the directories of a TIFF, page by page."""

    def __init__(self, file: BinaryIO) -> None:
        self._reader = DirectoryReader(file)

    def metadata(self, offset: int) -> Found:
        """Return the metadata of the page whose directory is at `offset`."""
        found, reader = Found(), self._reader
        try:
            tags = reader.read(offset, STORAGE - {ORIENTATION})
        except DirectoryError as error:
            found.notes.append(f"damaged metadata: {error}")
            return found
        entries = {tag: value for tag, value in tags.items() if isinstance(value, Entry)}
        rotated = ORIENTATION in entries and entries.pop(ORIENTATION).numbers[:1] not in ((), (1,))
        if reader.damaged:
            found.notes.append(f"damaged metadata: {listed(tag_names(reader.damaged))}")
            reader.damaged.clear()
        _add_profiles(found, entries)
        found.metadata |= _density(entries)
        kept: dict[int, Entry] = {}
        lost: list[int] = []
        for tag, entry in entries.items():
            if tag in _OWN or tag in EXIF_TAGS:
                continue
            if tag == SUBFILE and not any(entry.numbers):
                continue
            if _is_carried(tag, entry) and not (rotated and tag in GEOGRAPHIC):
                kept[tag] = _without_statistics(tag, entry, found)
            else:
                lost.append(tag)
        found.add("tags", kept)
        if lost:
            found.lose([counted("the TIFF tag", tag_names(lost))])
        described = {tag: value for tag, value in tags.items() if tag in EXIF_TAGS | _DIRECTORIES}
        exif, more = kept_exif(described)
        found.lose(more)
        if exif:
            found.metadata["exif"] = exif_bytes(exif, reader.order)
        return found


def page_tags(metadata: Mapping[str, Any]) -> tuple[Directory, list[str]]:
    """Return the tags of a page to write, and the names of metadata that cannot be stored."""
    tags: dict[int, Entry | Directory] = {}
    lost: list[str] = []
    exif = exif_directory(metadata["exif"]) if "exif" in metadata else {}
    tags |= {tag: value for tag, value in exif.items() if tag not in STORAGE | _OWN}
    tags |= metadata.get("tags", {})
    if "comment" in metadata:
        if DESCRIPTION in tags:
            lost.append("the comment, because there is a description")
        else:
            tags[DESCRIPTION] = Entry.of_text(metadata["comment"])
    if "icc" in metadata:
        tags[ICC] = Entry(UNDEFINED, metadata["icc"])
    if "xmp" in metadata:
        tags[XMP] = Entry(BYTE, metadata["xmp"])
    if "iptc" in metadata:
        tags[PHOTOSHOP] = Entry(BYTE, metadata["iptc"])
        if iptc := iptc_of(metadata["iptc"]):
            tags[IPTC] = Entry(UNDEFINED, iptc)
    try:
        tags |= _densities(metadata)
    except struct.error:
        lost.append("a resolution outside the range of TIFF")
    return tags, lost


def _add_profiles(found: Found, entries: Mapping[int, Entry]) -> None:
    """Add the colour profile, XMP and IPTC."""
    empty = Entry(UNDEFINED, b"")
    found.add("icc", entries.get(ICC, empty).data)
    found.add_xmp(entries.get(XMP, empty).data)
    blocks, iptc = entries.get(PHOTOSHOP, empty).data, entries.get(IPTC, empty).data
    if iptc:
        blocks = with_iptc(blocks, iptc.rstrip(b"\0") if entries[IPTC].type == LONG else iptc)
    found.add_resources(blocks)


def _density(entries: Mapping[int, Entry]) -> dict[str, tuple[float, float]]:
    """Return the resolution, or the pixel aspect ratio if the page has no resolution unit."""
    pair = [_rational(entries.get(tag)) for tag in (X_RESOLUTION, Y_RESOLUTION)]
    if not all(pair):
        return {}
    across, down = pair
    unit = (entries[UNIT].numbers[:1] if UNIT in entries else ()) or (_INCH,)
    scale = _PER_INCH.get(int(unit[0]))
    return {"aspect": (across, down)} if scale is None else {"dpi": (across * scale, down * scale)}


def _rational(entry: Entry | None) -> float:
    if entry is None or entry.type != RATIONAL or len(entry.numbers) < 2 or not entry.numbers[1]:
        return 0.0
    return entry.numbers[0] / entry.numbers[1]


def _densities(metadata: Mapping[str, Any]) -> dict[int, Entry]:
    kind = "dpi" if "dpi" in metadata else "aspect"
    if kind not in metadata:
        return {}
    from fractions import Fraction  # slow to import

    pairs = [Fraction(each).limit_denominator(1_000_000) for each in metadata[kind]]
    across, down = (Entry.of(RATIONAL, each.numerator, each.denominator) for each in pairs)
    unit = Entry.of(SHORT, _INCH if kind == "dpi" else _NO_UNIT)
    return {X_RESOLUTION: across, Y_RESOLUTION: down, UNIT: unit}


def _is_carried(tag: int, entry: Entry) -> bool:
    """Return whether a tag still applies to a filtered page; a mask is an ordinary page after filtering."""
    if tag == SUBFILE:
        return not int(entry.numbers[0]) & MASK
    return tag in CARRIED and not holds_picture(entry.data)


def _without_statistics(tag: int, entry: Entry, found: Found) -> Entry:
    """Remove the statistics of the unfiltered samples from GDAL's metadata."""
    if tag != GDAL_METADATA:
        return entry
    text, count = _STATISTICS.subn(b"", entry.data)
    if count:
        found.lose(["the statistics in GDAL's metadata"])
    return Entry(ASCII, text)
