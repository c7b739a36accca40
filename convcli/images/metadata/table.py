"""The table of metadata: what each format carries, and where in it that stands.

Kinds of metadata are the keys of `Picture.metadata`. What a format does not carry is reported by name when a picture
is written to it. Whatever a format holds beside the kinds below is left out when it is read, and reported likewise:
it was true of the unfiltered picture alone (thumbnails, checksums, statistics, times), or nobody knows what it says.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from convcli.images.metadata.names import tag_names
from convcli.images.metadata.words import counted


class Chunk(NamedTuple):
    """A chunk of a PNG, as it stood in the file; `late` ones stood behind the pixels."""

    kind: bytes
    data: bytes
    late: bool = False


# What is said of a kind that is lost.
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

# Where each format has each kind.
PLACES: dict[str, dict[str, str]] = {
    "PNG": {
        "icc": "iCCP",
        "exif": "eXIf, without thumbnail, maker note and orientation; its sizes are those of the picture",
        "xmp": "iTXt of keyword XML:com.adobe.xmp, without thumbnails, its orientation reset",
        "iptc": "zTXt of keyword Raw profile type iptc: captions, keywords, copyright; no previews",
        "dpi": "pHYs",
        "aspect": "pHYs",
        "comment": "tEXt of keyword Comment",
        "text": "tEXt, zTXt and iTXt as they were, but those that hold pictures",
        "chunks": "gAMA, cHRM, sRGB, cICP, mDCV, and unknown chunks that are safe to copy and hold no picture",
        "background": "bKGD, in the channels and the depth of the picture",
        "bits": "sBIT, where all bits were significant, as they are in what was filtered",
    },
    "JPEG": {
        "icc": "APP2",
        "exif": "APP1, as in PNG",
        "xmp": "APP1, as in PNG; no more than 65,504 bytes",
        "iptc": "APP13, as in PNG",
        "dpi": "APP0, whole numbers",
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
        "comment": "tag 270, where there is no description",
        "tags": "names, places on a page, colours of the primaries, GeoTIFF and GDAL; page by page",
    },
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


def said(metadata: Mapping[str, Any], kinds: Iterable[str]) -> list[str]:
    """Say some kinds of a picture's metadata by name."""
    kinds = list(kinds)
    names = [KINDS[kind] for kind in kinds if kind not in ("chunks", "background", "bits", "tags")]
    if "tags" in kinds:
        names.append(counted("the TIFF tag", tag_names(metadata["tags"])))
    chunks = [chunk.kind.decode("ascii") for chunk in metadata.get("chunks", ()) if "chunks" in kinds]
    chunks += [name for kind, name in _CHUNKS.items() if kind in kinds]
    return [*names, counted("the PNG chunk", chunks)] if chunks else names
