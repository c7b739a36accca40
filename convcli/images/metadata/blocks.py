"""Extensions of GIF files, and the metadata of WebP and BMP files that Pillow does not report.

GIF89a specification, 24 and 26; XMP specification, part 3, 1.1.2; ICC.1:2022, B.4; WebP container specification;
Microsoft's BITMAPV5HEADER.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from io import SEEK_CUR
from typing import Any, BinaryIO

from convcli.images.metadata.embedded import holds_picture
from convcli.images.metadata.found import Found
from convcli.images.metadata.words import counted

_EXTENSION, _IMAGE = b"!", b","
_COMMENT, _APPLICATION, _CONTROL = 254, 255, 249
_XMP, _ICC = b"XMP DataXMP", b"ICCRGBG1012"
_ANIMATION = (b"NETSCAPE2.0", b"ANIMEXTS1.0")
_XMP_END = b"\1" + bytes(range(255, -1, -1)) + b"\0"  # the "magic trailer" of XMP (1.1.2)

_WEBP = {b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP", b"EXIF", b"XMP "}
_V4, _V5 = 108, 124  # lengths of the BMP headers that have a colour space
_EMBEDDED, _LINKED, _CALIBRATED = 0x4D424544, 0x4C494E4B, 0  # values of the colour space


def gif_metadata(file: BinaryIO) -> Found:
    """Return the metadata in the extensions of a GIF, before, between and after its frames."""
    found = Found()
    comments: list[bytes] = []
    others: list[str] = []
    for label, name, data in _extensions(file):
        if label == _COMMENT:
            if holds_picture(data):
                found.lose(["a comment that holds a picture"])
            else:
                comments.append(data)
        elif name == _XMP:
            found.add_xmp(data)
        elif name == _ICC:
            found.add("icc", data)
        elif label == _APPLICATION and name not in _ANIMATION:
            others.append(name.decode("latin-1"))
        elif label not in (_APPLICATION, _CONTROL):
            others.append("PlainText" if label == 1 else str(label))
    found.add("comment", b"\n".join(comments))
    if others:
        found.lose([counted("the GIF extension", others)])
    return found


def with_extensions(data: bytes, metadata: Mapping[str, Any]) -> bytes:
    """Return a GIF with XMP and a colour profile before its first frame."""
    added = b""
    if "icc" in metadata:
        added += b"!\xff\x0b" + _ICC + _sub_blocks(metadata["icc"])
    if "xmp" in metadata:
        added += b"!\xff\x0b" + _XMP + metadata["xmp"] + _XMP_END
    at = 13 + (3 << (data[10] & 7) + 1) * (data[10] >> 7)
    return b"GIF89a" + data[6:at] + added + data[at:] if added else data


def other_chunks(file: BinaryIO) -> list[str]:
    """Return the names of WebP chunks that hold neither pixels nor metadata that Pillow reads."""
    file.seek(12)
    names = []
    while len(head := file.read(8)) == 8:
        size = int.from_bytes(head[4:], "little")
        if head[:4] not in _WEBP:
            names.append(head[:4].decode("latin-1").strip())
        file.seek(size + size % 2, SEEK_CUR)
    return [counted("the WebP chunk", names)] if names else []


def bmp_metadata(file: BinaryIO) -> Found:
    """Return the colour metadata in the header of a BMP."""
    found = Found()
    file.seek(14)
    header = file.read(_V5)
    if len(header) < _V4 or int.from_bytes(header[:4], "little") not in (_V4, _V5):
        return found
    (space,) = struct.unpack_from("<I", header, 56)
    if space == _EMBEDDED and len(header) == _V5:
        place, size = struct.unpack_from("<II", header, 112)
        file.seek(14 + place)
        found.add("icc", file.read(size))
    elif space == _LINKED:
        found.lose(["the ICC profile, which is in another file"])
    elif space == _CALIBRATED and any(header[60:_V4]):
        found.lose(["the colours of its primaries"])
    return found


def _extensions(file: BinaryIO) -> Iterator[tuple[int, bytes, bytes]]:
    """Yield the label, application name and data of each extension."""
    file.seek(0)
    head = file.read(13)
    if len(head) == 13 and head[10] & 0x80:
        file.seek(3 << (head[10] & 7) + 1, SEEK_CUR)
    while introducer := file.read(1):
        if introducer == _IMAGE:
            place = file.read(9)
            if len(place) == 9 and place[8] & 0x80:
                file.seek(3 << (place[8] & 7) + 1, SEEK_CUR)
            file.read(1)
            for _ in _blocks(file):
                pass
        elif introducer == _EXTENSION and (label := file.read(1)):
            yield label[0], *_extension(file, label[0])
        else:
            return


def _extension(file: BinaryIO, label: int) -> tuple[bytes, bytes]:
    parts = list(_blocks(file))
    if label != _APPLICATION:
        return b"", b"".join(part[1:] for part in parts)
    name = parts[0][1:] if parts else b""
    if name == _XMP:  # XMP is not stored in sub-blocks; its bytes are read as lengths until the trailer
        whole = b"".join(parts[1:]) + b"\0"
        return name, whole.removesuffix(_XMP_END) if whole.endswith(_XMP_END) else b""
    return name, b"".join(part[1:] for part in parts[1:])


def _blocks(file: BinaryIO) -> Iterator[bytes]:
    """Yield sub-blocks, each with its length byte in front."""
    while (length := file.read(1)) not in (b"", b"\0"):
        yield length + file.read(length[0])


def _sub_blocks(data: bytes) -> bytes:
    parts = (data[at : at + 255] for at in range(0, len(data), 255))
    return b"".join(bytes([len(part)]) + part for part in parts) + b"\0"
