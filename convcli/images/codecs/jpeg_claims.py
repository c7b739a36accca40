"""Refuse JPEGs that are small but slow to decode: EXIF in thousands of segments, or a great many scans."""

import re
import struct
from typing import BinaryIO

from convcli.images.picture import ImageError

MAGIC = b"\xff\xd8"
MAX_EXIF = 1 << 22  # bytes; EXIF 2.32 allows one segment of 64 KiB
USUAL_SCANS = 200  # always allowed, whatever the size of the picture; encoders write fewer than 20
PASSES = 50  # with more scans, scans x pixels may be at most this many times the pixel limit

_CHUNK = 1 << 20
_ALONE = {0x00, 0x01, *range(0xD0, 0xDA)}  # markers without a segment: ITU T.81, B.1.1.3
_NO_FRAME = {0xC4, 0xC8, 0xCC}  # markers from C0 to CF that do not start a frame
_EXIF = b"Exif\0\0"


def check_jpeg(file: BinaryIO, name: str, max_pixels: int) -> None:
    """Refuse a JPEG, before it is opened, that Pillow or libjpeg would take too long to decode for its size."""
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
    if exif > MAX_EXIF:
        raise ImageError(
            f"cannot read {name}: its EXIF has {exif:,} bytes, over the limit of {MAX_EXIF:,}; remove it, for example "
            "with exiftool -exif:all="
        )
    scans = _count_scans(file) if several else 1
    if scans > USUAL_SCANS and scans * pixels > PASSES * max_pixels:
        raise ImageError(
            f"cannot read {name}: its {pixels:,} pixels are coded in {scans:,} scans, too many to decode quickly; "
            f"raise the limit with `max_pixels={-(-scans * pixels // PASSES)}`"
        )


def _marker(file: BinaryIO) -> int | None:
    """Return the next marker, skipping any bytes before it; None at the end of the file."""
    while data := file.read(64):
        found = re.search(rb"\xff+([^\xff])", data)
        if found:
            file.seek(found.end() - len(data), 1)
            return found[1][0]
        if data[-1] == 0xFF and len(data) > 1:
            file.seek(-1, 1)
    return None


def _count_scans(file: BinaryIO) -> int:
    """Count the scans from the first one on: within their data, every FF is followed by a marker or 0."""
    scans, last = 1, b""
    while data := file.read(_CHUNK):
        data = last + data  # a marker may be split between chunks
        markers = re.findall(rb"\xff([\xda\xd9])", data)
        if b"\xd9" in markers:
            return scans + markers.index(b"\xd9")
        scans += len(markers)
        last = b"\xff" if data.endswith(b"\xff") else b""
    return scans
