"""Read the size of the picture in a compressed stream from its header, to know the memory that a decoder needs."""

import struct
import zlib
from collections.abc import Callable
from typing import NamedTuple

from convcli.images.codecs.jpegxl_header import jpegxl_header


class Stream(NamedTuple):
    """The height, width, channels and bytes per sample of a picture."""

    height: int
    width: int
    channels: int
    itemsize: int

    @property
    def size(self) -> int:
        """Bytes of the decoded picture."""
        return self.height * self.width * self.channels * self.itemsize


def jpeg(data: bytes) -> Stream | None:
    """Read the frame header: ITU T.81, B.2.2."""
    at = 0
    while 0 <= (at := data.find(b"\xff", at)) < len(data) - 9:
        marker = data[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            bits, height, width, channels = struct.unpack_from(">BHHB", data, at + 4)
            return Stream(height, width, channels, -(-bits // 8))
        alone = marker in (0x00, 0x01, 0xFF) or 0xD0 <= marker <= 0xD9
        at += 1 if marker == 0xFF else 2 if alone else 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return None


def jpeg2000(data: bytes) -> Stream | None:
    """Read the image and tile sizes: ITU T.800, A.5.1."""
    at = data.find(b"\xff\x4f\xff\x51")
    if at < 0 or len(data) < at + 43:
        return None
    right, bottom, left, top = struct.unpack_from(">4I", data, at + 8)
    (channels,) = struct.unpack_from(">H", data, at + 40)
    return Stream(max(0, bottom - top), max(0, right - left), channels, 4)  # decoded to 32-bit integers


def png(data: bytes) -> Stream | None:
    """Read the header chunk: PNG, third edition, 11.2.1."""
    if not data.startswith(b"\x89PNG\r\n\x1a\n") or len(data) < 26:
        return None
    width, height, bits, colours = struct.unpack_from(">IIBB", data, 16)
    channels = {0: 1, 2: 3, 3: 4, 4: 2, 6: 4}.get(colours, 4)
    return Stream(height, width, channels, 2 if bits == 16 else 1)


def webp(data: bytes) -> Stream | None:
    """Read the header of the first chunk: RFC 9649, 2.5 to 2.7, and RFC 6386, 9.1."""
    kind, body = data[12:16], data[20:30]
    if data[:4] != b"RIFF" or len(body) < 10:
        return None
    if kind == b"VP8X":
        width, height = (int.from_bytes(body[at : at + 3], "little") + 1 for at in (4, 7))
    elif kind == b"VP8L":
        sides = int.from_bytes(body[1:5], "little")
        width, height = (sides & 0x3FFF) + 1, (sides >> 14 & 0x3FFF) + 1
    elif kind == b"VP8 ":
        width, height = (int.from_bytes(body[at : at + 2], "little") & 0x3FFF for at in (6, 8))
    else:
        return None
    return Stream(height, width, 4, 1)


def jpegxl(data: bytes) -> Stream | None:
    """Read the size and the channels; None for animations and for pictures with a preview."""
    header = jpegxl_header(data)
    if header is None or header.animated or header.preview:
        return None
    colours = 3 if header.channels is None else max(3, len(header.channels))
    return Stream(
        header.height, header.width, colours + header.others, 4
    )  # each channel is decoded as floats


def lerc(data: bytes, limit: int) -> Stream | None:
    """Read the headers of all bands of Esri's Lerc2, which may be compressed with deflate or Zstandard.

    Also None if the Lerc2 data is larger than `limit` bytes.
    """
    if data[:1] == b"\x78":
        data = zlib.decompressobj().decompress(data, limit)
    elif data[:4] == b"\x28\xb5\x2f\xfd":
        import imagecodecs

        data = bytes(imagecodecs.zstd_decode(data, out=limit))
    bands = at = 0
    stream = None
    while data[at : at + 6] == b"Lerc2 " and len(data) >= at + 46:
        (version,) = struct.unpack_from("<i", data, at + 6)
        sides = at + (14 if version >= 3 else 10)
        height, width, depth = struct.unpack_from("<3i", data, sides)
        if version < 4:
            depth = 1
        (length,) = struct.unpack_from("<i", data, sides + (20 if version >= 4 else 16))
        bands += 1
        stream = Stream(max(0, height), max(0, width), max(1, depth) * bands, 8)
        if length <= 0:
            return None
        at += length
    return stream


LERC = 34887

# By the value of the TIFF tag Compression.
_READERS: dict[int, Callable[[bytes], Stream | None]] = {
    **dict.fromkeys((6, 7, 33007, 34892), jpeg),
    **dict.fromkeys((33003, 33004, 33005, 34712), jpeg2000),
    34933: png,
    **dict.fromkeys((50001, 34927), webp),
    **dict.fromkeys((50002, 52546), jpegxl),
}


def is_picture(compression: int) -> bool:
    """Return whether compressed tiles are picture files with their own size, which may differ from the tile's."""
    return compression == LERC or compression in _READERS


def stream_of(compression: int, data: bytes, limit: int) -> Stream | None:
    """Return the size that the picture in a stream claims; None if its header is missing or cannot be read."""
    try:
        return lerc(data, limit) if compression == LERC else _READERS[compression](data)
    except Exception:  # damaged headers: errors of struct, zlib and each codec of imagecodecs
        return None
