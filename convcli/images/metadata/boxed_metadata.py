"""Read and write metadata in the boxes of JPEG 2000 and JPEG XL files, and check numbered colour spaces.

ISO/IEC 15444-1, I.5; ISO/IEC 18181-2, clause 9; XMP specification, part 3, 1.1.4; ITU-T H.273.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any, BinaryIO

from convcli.images.codecs.boxes import Box, box_bytes, boxes, content
from convcli.images.metadata.found import Found
from convcli.images.metadata.words import counted

EXIF_UUID = b"JpgTiffExif->JP2"
XMP_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
IPTC_UUID = bytes.fromhex("33c7a4d2b81d4723a0baf1a3e097ad38")

_OF_JPEG2000 = {b"jP  ", b"ftyp", b"jp2h", b"jp2c", b"uuid", b"free"}
_OF_JPEG_XL = {b"JXL ", b"ftyp", b"jxll", b"jxlc", b"jxlp", b"jxli", b"Exif", b"xml ", b"brob"}
_ICC_METHODS = (2, 3)  # methods of a colr box: restricted and any ICC profile
_ENUMERATED = 1
_USUAL = (16, 17, 18)  # enumerated colour spaces: sRGB, grey, and sYCC, which is decoded to sRGB
_CMYK = 12
_MADE_BY = (b"Created by OpenJPEG", b"Kakadu")  # the start of comments in which encoders name themselves
_METRE = 39.3701  # inches per metre
_MAX_UINT16 = 65535
_LATIN = 1  # the registration value of text comments
MAX_COMMENT = _MAX_UINT16 - 4  # bytes

MAX_EXPANDED = 1 << 22  # bytes of a decompressed box

# Numbers of H.273 for sRGB and for colours that decoders treat as sRGB: the curve of BT.709, BT.601 and BT.2020, and
# 2, unspecified.
_PRIMARIES, _TRANSFERS = (1, 2), (1, 2, 6, 13, 14, 15)


def lose_colours(found: Found, codes: tuple[int, int] | None) -> None:
    """Report a numbered colour space as lost if it is not sRGB and there is no ICC profile.

    codes : the numbers of the colour primaries and the transfer characteristics
    """
    if codes is None or "icc" in found.metadata:
        return
    primaries, transfer = codes
    if primaries not in _PRIMARIES or transfer not in _TRANSFERS:
        found.lose([f"its colour space (primaries {primaries} and transfer {transfer} of ITU-T H.273)"])


# JPEG 2000


def jpeg2000_metadata(file: BinaryIO, image: Any) -> tuple[Found, bytes]:
    """Return the metadata in the boxes of a JP2, and its raw EXIF; `image` is Pillow's, not yet decoded."""
    found, exif = Found(), b""
    others: list[str] = []
    comment = image.info.get("comment", b"")
    if not comment.startswith(_MADE_BY):
        found.add("comment", comment)
    if image.codec == "j2k":
        return found, exif
    for box in boxes(file):
        if box.kind == b"jp2h":
            _read_header(file, box, found)
        elif box.kind == b"uuid":
            name = content(file, box, 16)
            data = content(file, box._replace(start=box.start + 16))
            if name == EXIF_UUID:
                exif = data
                found.add_exif(data)
            elif name == XMP_UUID:
                found.add_xmp(data)
            else:
                others.append("uuid IPTC" if name == IPTC_UUID else f"uuid {name.hex()}")
        elif box.kind not in _OF_JPEG2000:
            others.append(_name(box.kind))
    if others:
        found.lose([counted("the JPEG 2000 box", others)])
    return found, exif


def _read_header(file: BinaryIO, header: Box, found: Found) -> None:
    for box in boxes(file, header.start, header.end):
        data = content(file, box)
        if box.kind == b"colr" and len(data) > 3:
            (number,) = struct.unpack(">I", data[3:7]) if len(data) >= 7 else (0,)
            if data[0] in _ICC_METHODS:
                found.add("icc", data[3:])
            elif data[0] == _ENUMERATED and number not in (*_USUAL, _CMYK) and "icc" not in found.metadata:
                found.lose([f"its colour space (number {number} of JPEG 2000)"])
        elif box.kind == b"res ":
            for inner in boxes(file, box.start, box.end):
                if inner.kind == b"resc" and inner.end - inner.start >= 10:
                    found.add("dpi", _resolution(content(file, inner)))


def _resolution(data: bytes) -> tuple[float, float] | None:
    """Return the horizontal and vertical resolution in dots per inch: ISO/IEC 15444-1, I.5.3.7.1."""
    down, down_by, across, across_by, down_power, across_power = struct.unpack_from(">4H2b", data)
    if not (down and down_by and across and across_by):
        return None
    return across / across_by * 10.0**across_power / _METRE, down / down_by * 10.0**down_power / _METRE


def with_jpeg2000_boxes(data: bytes, metadata: Mapping[str, Any]) -> bytes:
    """Return a JP2 with metadata added in boxes."""
    if "comment" in metadata:
        body = box_of(data, b"jp2c")
        commented = with_comment(data[body.start : body.end], metadata["comment"])
        data = data[: body.start - 8] + box_bytes(b"jp2c", commented) + data[body.end :]
    header = box_of(data, b"jp2h")
    inside = [
        (box.kind, content(BytesIO(data), box)) for box in boxes(BytesIO(data), header.start, header.end)
    ]
    if "icc" in metadata:
        profile = (b"colr", b"\2\0\0" + metadata["icc"])
        inside = [profile if kind == b"colr" else (kind, body) for kind, body in inside]
    resolution = resolution_box(metadata["dpi"]) if "dpi" in metadata else None
    if resolution:
        inside.append((b"res ", box_bytes(b"resc", resolution)))
    made = box_bytes(b"jp2h", b"".join(box_bytes(kind, body) for kind, body in inside))
    for kind, uuid in (("exif", EXIF_UUID), ("xmp", XMP_UUID)):
        if kind in metadata:
            made += box_bytes(b"uuid", uuid + metadata[kind].removeprefix(b"Exif\0\0"))
    return data[: header.start - 8] + made + data[header.end :]


def unfit_of_jpeg2000(metadata: dict[str, Any]) -> list[str]:
    """Remove metadata that JPEG 2000 cannot store from `metadata`, and return its names."""
    lost: list[str] = []
    if "dpi" in metadata and resolution_box(metadata["dpi"]) is None:
        del metadata["dpi"]
        lost.append("a resolution outside the range of JPEG 2000")
    if len(metadata.get("comment", b"")) > MAX_COMMENT:
        del metadata["comment"]
        lost.append(f"a comment of more than {MAX_COMMENT:,} bytes")
    return lost


def with_comment(codestream: bytes, comment: bytes) -> bytes:
    """Return a JPEG 2000 codestream with a comment inserted before all others: ITU-T T.800, A.9.2."""
    at = 4 + int.from_bytes(codestream[4:6], "big")
    segment = b"\xff\x64" + struct.pack(">HH", 4 + len(comment), _LATIN) + comment
    return codestream[:at] + segment + codestream[at:]


def box_of(data: bytes, kind: bytes) -> Box:
    """Return the first box of a type in a file that was just written."""
    return next(box for box in boxes(BytesIO(data)) if box.kind == kind)


def resolution_box(dpi: tuple[float, float]) -> bytes | None:
    """Return the content of a resc box for a resolution in dots per inch; None if it is out of range."""
    across, down = (_ratio(each * _METRE) for each in dpi)
    if across is None or down is None:
        return None
    return struct.pack(">4H2b", *down[:2], *across[:2], down[2], across[2])


def _ratio(value: float) -> tuple[int, int, int] | None:
    """Return a 16-bit numerator and denominator and a power of ten for a number; None if it is out of range."""
    power = 0
    while value > _MAX_UINT16 and power < 127:
        value, power = value / 10, power + 1
    by = max(1, min(_MAX_UINT16, int(_MAX_UINT16 / value))) if value > 0 else 0
    over = round(value * by)
    return (over, by, power) if 0 < over <= _MAX_UINT16 else None


# JPEG XL


def jpegxl_metadata(file: BinaryIO, expand: Callable[..., bytes]) -> Found:
    """Return the metadata in the boxes of a JPEG XL file; `expand` decompresses Brotli data with a size limit."""
    found = Found()
    others: list[str] = []
    file.seek(0)
    if file.read(2) == b"\xff\x0a":
        return found
    for box in boxes(file):
        kind, data = box.kind, b""
        if kind in (b"Exif", b"xml ", b"brob"):
            data = content(file, box)
        if kind == b"brob":
            kind, packed = data[:4], data[4:]
            try:
                data = bytes(expand(packed, out=MAX_EXPANDED))
            except Exception:  # imagecodecs raises its own errors for damage and for larger data
                found.lose([f"the box {_name(kind)}, which cannot be decompressed"])
                continue
        if kind == b"Exif":
            found.add_exif(data[4 + int.from_bytes(data[:4], "big") :])
        elif kind == b"xml ":
            found.add_xmp(data)
        elif kind not in _OF_JPEG_XL:
            others.append(_name(kind))
    if others:
        found.lose([counted("the JPEG XL box", others)])
    return found


def with_jpegxl_boxes(data: bytes, metadata: Mapping[str, Any]) -> bytes:
    """Return a JPEG XL file with EXIF and XMP added in boxes, for which a bare codestream is put in a container."""
    made = b""
    if "exif" in metadata:
        made += box_bytes(b"Exif", bytes(4) + metadata["exif"].removeprefix(b"Exif\0\0"))
    if "xmp" in metadata:
        made += box_bytes(b"xml ", metadata["xmp"])
    if not made:
        return data
    if data.startswith(b"\xff\x0a"):
        data = (
            box_bytes(b"JXL ", b"\r\n\x87\n")
            + box_bytes(b"ftyp", b"jxl \0\0\0\0jxl ")
            + box_bytes(b"jxlc", data)
        )
    at = box_of(data, b"jxlc").start - 8
    return data[:at] + made + data[at:]


def _name(kind: bytes) -> str:
    return kind.decode("latin-1").strip()
