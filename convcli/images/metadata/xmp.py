"""XMP without previews and orientation, and with the size of the written picture; all other bytes are unchanged."""

from __future__ import annotations

import re
from bisect import bisect_left

from convcli.images.metadata.embedded import holds_picture, pictures

_THUMBNAILS = "Thumbnails"  # of namespace xmp: XMP specification, part 2, 8.4

_TAG = re.compile(rb"""<[^>"']*(?:"[^"]*"[^>"']*|'[^']*'[^>"']*)*>""")
_ATTRIBUTE = re.compile(rb"""\s+[\w:.\-]+\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_ORIENTATION = re.compile(rb"(tiff:Orientation(?:=[\"']|>))[0-9]")
_EXTENSION = re.compile(rb"""\sxmpNote:HasExtendedXMP\s*=\s*(?:"[^"]*"|'[^']*')""")
_WIDTH = re.compile(rb"((?:exif:PixelXDimension|tiff:ImageWidth)(?:=[\"']|>))[0-9]+")
_HEIGHT = re.compile(rb"((?:exif:PixelYDimension|tiff:ImageLength)(?:=[\"']|>))[0-9]+")


def cleaned_xmp(data: bytes) -> tuple[bytes, tuple[str, ...]]:
    """Return XMP without pictures and with its orientation reset, and the names of what is left out."""
    from xml.parsers import expat

    try:
        spans = _spans(data.rstrip(b"\0"))
    except (expat.ExpatError, _UnreadableError):
        if holds_picture(data.replace(b"\0", b"")) or _THUMBNAILS.encode() in data.replace(b"\0", b""):
            return b"", ("XMP, which is damaged and holds pictures",)
        spans = []
    kept, last = [], 0
    for start, stop in sorted(spans):
        if start >= last:
            kept.append(data[last:start])
        last = max(last, stop)
    whole = b"".join([*kept, data[last:]])
    whole = _EXTENSION.sub(b"", _ORIENTATION.sub(rb"\g<1>1", whole))
    return whole, ("the thumbnails inside XMP",) if spans else ()


def sized_xmp(data: bytes, width: int, height: int) -> bytes:
    """Return XMP with its sizes, if any, set to those of the picture."""
    data = _WIDTH.sub(rb"\g<1>%d" % width, data)
    return _HEIGHT.sub(rb"\g<1>%d" % height, data)


class _UnreadableError(Exception):
    """XMP that is not UTF-8, or that has entities."""


def _spans(data: bytes) -> list[tuple[int, int]]:
    """Return the spans (start, stop) of the attributes and innermost elements that hold pictures."""
    from xml.parsers import expat

    if b"\0" in data or b"<!DOCTYPE" in data:
        raise _UnreadableError
    starts = pictures(data)
    found: list[tuple[int, int]] = []
    opened: list[tuple[int, int]] = []  # the start tag of each open element
    parser = expat.ParserCreate(namespace_separator=" ")

    def tag() -> tuple[int, int]:
        match = _TAG.match(data, parser.CurrentByteIndex)
        if match is None:
            raise _UnreadableError
        return match.span()

    def pictures_in(start: int, stop: int) -> bool:
        """Remove the pictures that start in this span from `starts`; return whether there were any."""
        first, last = bisect_left(starts, start), bisect_left(starts, stop)
        del starts[first:last]
        return last > first

    def begin(name: str, attributes: dict[str, str]) -> None:
        opened.append(tag())
        if attributes:
            for each in _ATTRIBUTE.finditer(data, *opened[-1]):
                if pictures_in(*each.span()):
                    found.append(each.span())

    def end(name: str) -> None:
        start, stop = opened.pop()
        if data[stop - 2 : stop] != b"/>":  # an empty element has no end tag
            _, stop = tag()
        if pictures_in(start, stop) or name.rpartition(" ")[2] == _THUMBNAILS:
            found.append((start, stop))

    parser.StartElementHandler, parser.EndElementHandler = begin, end
    parser.Parse(data, True)
    if starts:  # in a comment, or outside of all elements
        raise _UnreadableError
    return found
