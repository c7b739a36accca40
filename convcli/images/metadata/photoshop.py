"""Photoshop's image resources, which hold captions and keywords as IPTC records.

Adobe Photoshop File Formats Specification, "Image Resources"; IPTC-NAA Information Interchange Model 4.2, part 2.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from convcli.images.metadata.embedded import holds_picture
from convcli.images.metadata.words import counted

SEGMENT = b"Photoshop 3.0\0"  # the start of the JPEG segment that holds resources
_SIGNATURE = b"8BIM"

IPTC, COPYRIGHTED, ADDRESS, DIGEST = 1028, 1034, 1035, 1061  # kept; the last is a checksum of IPTC
_THUMBNAILS = {1033, 1036}
_REPEATED = {1039: "ICC profile", 1058: "EXIF", 1059: "EXIF", 1060: "XMP"}  # stored elsewhere, too
_RESOLUTION = 1005  # stored elsewhere, too

_PREVIEWS = {(2, 200), (2, 201), (2, 202)}  # of IPTC: a picture's format, version and data


def kept_resources(data: bytes) -> tuple[bytes, tuple[str, ...]]:
    """Return the IPTC resources, which still apply to a filtered picture, and the names of the others."""
    kept: dict[int, bytes] = {}
    lost: list[str] = []
    others: list[int] = []
    for number, value in _resources(data):
        if number == IPTC:
            kept[IPTC], without = _without_previews(value)
            if without:
                lost.append("the preview inside IPTC")
        elif number in (COPYRIGHTED, ADDRESS, DIGEST) and not holds_picture(value):
            kept[number] = value
        elif number in _THUMBNAILS:
            lost.append("the Photoshop thumbnail")
        elif number not in _REPEATED and number != _RESOLUTION:
            others.append(number)
    if "the preview inside IPTC" in lost:
        kept.pop(DIGEST, None)
    if others:
        lost.append(counted("Photoshop's resource", map(str, sorted(set(others)))))
    return resources(kept), tuple(dict.fromkeys(lost))


def iptc_of(data: bytes) -> bytes:
    """Return the IPTC data of some resources; empty if they have none."""
    return dict(_resources(data)).get(IPTC, b"")


def with_iptc(data: bytes, iptc: bytes) -> bytes:
    """Return resources with IPTC data added, unless they have some already."""
    found = dict(_resources(data))
    return resources({IPTC: iptc} | found)


def resources(numbered: dict[int, bytes]) -> bytes:
    """Return the bytes of resources: without names, each padded to an even length."""
    return b"".join(
        _SIGNATURE + struct.pack(">HHI", number, 0, len(value)) + value + bytes(len(value) % 2)
        for number, value in numbered.items()
        if value
    )


def _resources(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while data[at : at + 4] == _SIGNATURE and len(data) >= at + 7:
        number, name = struct.unpack_from(">HB", data, at + 4)
        at += 6 + (name + 2) // 2 * 2
        size = int.from_bytes(data[at : at + 4], "big")
        value = data[at + 4 : at + 4 + size]
        if len(value) == size and len(data) >= at + 4:
            yield number, value
        at += 4 + (size + 1) // 2 * 2


def _without_previews(iptc: bytes) -> tuple[bytes, bool]:
    """Return IPTC without the data sets that hold a preview or a picture, and whether there were any."""
    kept, at, found = [], 0, False
    while iptc[at : at + 1] == b"\x1c" and len(iptc) >= at + 5:
        record, number, size = struct.unpack_from(">BBH", iptc, at + 1)
        head = 5
        if size & 0x8000:  # extended data set: the number of bytes that hold the size
            head += size & 0x7FFF
            size = int.from_bytes(iptc[at + 5 : at + head], "big")
        data = iptc[at : at + head + size]
        if (record, number) in _PREVIEWS or record >= 7 or holds_picture(data):
            found = True
        else:
            kept.append(data)
        at += head + size
    return b"".join(kept), found
