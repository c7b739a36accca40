"""The table of metadata: the kinds that each format can store, and where it stores them.

Kinds of metadata are the keys of `Picture.metadata`. A kind that a format cannot store is reported by name when a
picture is written to it. All other metadata is left out when a file is read, and reported too: it describes only the
unfiltered picture (thumbnails, checksums, statistics, times), or its meaning is unknown.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from convcli.images.metadata.names import tag_names
from convcli.images.metadata.words import counted


class Chunk(NamedTuple):
    """A chunk of a PNG file; `late` chunks come after the pixels."""

    kind: bytes
    data: bytes
    late: bool = False


# The name of each kind in messages.
KINDS = {
    "icc": "the ICC profile",
    "exif": "EXIF",
    "xmp": "XMP",
    "iptc": "IPTC",
    "dpi": "the resolution",
    "aspect": "the shape of its pixels",
    "comment": "the comment",
    "text": "PNG text",
    "chunks": "PNG chunks",
    "background": "a PNG chunk",
    "bits": "a PNG chunk",
    "tags": "TIFF tags",
}

_CHUNKS = {"background": "bKGD", "bits": "sBIT"}

_LINES = "lines of the header that begin with #"

# Where each format stores each kind.
PLACES: dict[str, dict[str, str]] = {
    "PNG": {
        "icc": "iCCP",
        "exif": "eXIf, without thumbnail, maker note and orientation; its sizes are those of the picture",
        "xmp": "iTXt of keyword XML:com.adobe.xmp, without thumbnails, its orientation reset",
        "iptc": "zTXt of keyword Raw profile type iptc: captions, keywords, copyright; no previews",
        "dpi": "pHYs",
        "aspect": "pHYs",
        "comment": "tEXt of keyword Comment",
        "text": "tEXt, zTXt and iTXt, unchanged, except those that hold pictures",
        "chunks": "gAMA, cHRM, sRGB, cICP, mDCV, and unknown chunks that are safe to copy and hold no picture",
        "background": "bKGD, in the channels and the depth of the picture",
        "bits": "sBIT, if all bits were significant, as they are in a filtered picture",
    },
    "JPEG": {
        "icc": "APP2",
        "exif": "APP1, as in PNG",
        "xmp": "APP1, as in PNG; no more than 65,504 bytes",
        "iptc": "APP13, as in PNG",
        "dpi": "APP0, integers",
        "aspect": "APP0",
        "comment": "COM",
    },
    "WEBP": {"icc": "ICCP", "exif": "EXIF, as in PNG", "xmp": "XMP, as in PNG"},
    "TIFF": {
        "icc": "tag 34675",
        "exif": "tags of the page, and the directories 34665 and 34853; as in PNG",
        "xmp": "tag 700, as in PNG",
        "iptc": "tags 33723 and 34377, as in PNG",
        "dpi": "tags 282, 283 and 296",
        "aspect": "tags 282, 283 and 296",
        "comment": "tag 270, if there is no description",
        "tags": "names, places on a page, colours of the primaries, GeoTIFF and GDAL; page by page",
    },
    "AVIF": {"icc": "colr", "exif": "an item, as in PNG", "xmp": "an item, as in PNG"},
    "HEIF": {"icc": "colr", "exif": "an item, as in PNG", "xmp": "an item, as in PNG"},
    "JPEGXL": {"exif": "a box Exif, as in PNG", "xmp": "a box xml, as in PNG"},
    "JPEG2000": {
        "icc": "colr",
        "exif": "a box uuid, as in PNG",
        "xmp": "a box uuid, as in PNG",
        "dpi": "res",
        "comment": "COM",
    },
    "J2K": {"comment": "COM"},
    "GIF": {
        "icc": "an application extension",
        "xmp": "an application extension, as in PNG",
        "comment": "a comment extension",
    },
    "BMP": {"dpi": "its header"},
    **{form: {"comment": _LINES} for form in ("PBM", "PGM", "PPM", "PNM", "PAM")},
    "PFM": {},
    "NPY": {},
}


def kind_names(metadata: Mapping[str, Any], kinds: Iterable[str]) -> list[str]:
    """Return the names of some kinds of a picture's metadata."""
    kinds = list(kinds)
    names = [KINDS[kind] for kind in kinds if kind not in ("chunks", "background", "bits", "tags")]
    if "tags" in kinds:
        names.append(counted("the TIFF tag", tag_names(metadata["tags"])))
    chunks = [chunk.kind.decode("ascii") for chunk in metadata.get("chunks", ()) if "chunks" in kinds]
    chunks += [name for kind, name in _CHUNKS.items() if kind in kinds]
    return [*names, counted("the PNG chunk", chunks)] if chunks else names
