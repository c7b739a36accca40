"""JPEGs whose few bytes would take long: EXIF in a thousand segments, and scans without end."""

import re
import struct
from typing import BinaryIO

from convcli.images.picture import ImageError

MAGIC = b"\xff\xd8"
MOST_EXIF = 1 << 22  # bytes; one segment, and all that EXIF 2.32 allows, has 64 KiB
USUAL_SCANS = 200  # of a progressive picture, whatever its size; those of every encoder have fewer than 20
PASSES = 50  # times that the limit on pixels may be gone through, by more scans than that

_CHUNK = 1 << 20
_ALONE = {0x00, 0x01, *range(0xD0, 0xDA)}  # markers without a segment: ITU T.81, B.1.1.3
_NO_FRAME = {0xC4, 0xC8, 0xCC}  # of those from C0 to CF
_EXIF = b"Exif\0\0"


def check_jpeg(file: BinaryIO, name: str, max_pixels: int) -> None:
    """Refuse, before it is opened, what takes Pillow or libjpeg far longer than its bytes or pixels do."""
    file.seek(len(MAGIC))
    exif, pixels, channels, several = 0, 0, 0, False
    while (marker := _marker(file)) is not None:
        if marker in _ALONE:
            continue
        body = file.tell()
        start = file.read(12).ljust(12, b"\0")
        (length,) = struct.unpack_from(">H", start)
        if marker == 0xE1 and start[2:8] == _EXIF:
            exif += length
        elif 0xC0 <= marker <= 0xCF and marker not in _NO_FRAME:
            height, width, channels = struct.unpack_from(">HHB", start, 3)
            pixels, several = height * width, marker in (0xC2, 0xC6, 0xCA, 0xCE)
        elif marker == 0xDA:
            several = several or start[2] < channels
            break
        file.seek(body + max(2, length))
    if exif > MOST_EXIF:
        raise ImageError(
            f"cannot read {name}: its EXIF has {exif:,} bytes, more than the {MOST_EXIF:,} that are read; take it out, "
            "as by exiftool -exif:all="
        )
    scans = _count_scans(file) if several else 1
    if scans > USUAL_SCANS and scans * pixels > PASSES * max_pixels:
        raise ImageError(
            f"cannot read {name}: it goes through its {pixels:,} pixels {scans:,} times; raise the limit with "
            f"`max_pixels={-(-scans * pixels // PASSES)}`"
        )


def _marker(file: BinaryIO) -> int | None:
    """Return the next marker, whatever stands before it; None at the end."""
    while data := file.read(64):
        found = re.search(rb"\xff+([^\xff])", data)
        if found:
            file.seek(found.end() - len(data), 1)
            return found[1][0]
        if data[-1] == 0xFF and len(data) > 1:
            file.seek(-1, 1)
    return None


def _count_scans(file: BinaryIO) -> int:
    """Count the scans from the first on: no byte of theirs is FF but before a marker, or 0."""
    scans, last = 1, b""
    while data := file.read(_CHUNK):
        data = last + data  # a marker may lie across
        markers = re.findall(rb"\xff([\xda\xd9])", data)
        if b"\xd9" in markers:
            return scans + markers.index(b"\xd9")
        scans += len(markers)
        last = b"\xff" if data.endswith(b"\xff") else b""
    return scans
