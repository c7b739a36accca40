"""Read the header of a JPEG XL picture: ISO/IEC 18181-1, annex D.

The names of fields are those of the standard and of libjxl's `image_metadata.h`.
"""

from __future__ import annotations

from typing import NamedTuple

MAGICS = (b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n")  # of a bare codestream, and of a container

_READ = 1 << 14  # bytes of a codestream that are read; headers are far smaller
_SIDES = ((1, 9), (1, 13), (1, 18), (1, 30))
_RATIOS = ((1, 1), (1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
_ENUM = ((0, 0), (1, 0), (2, 4), (18, 6))
_ALPHA, _SPOT, _CFA = 0, 2, 5  # types of extra channels
_RGB, _GREY = 0, 1  # colour spaces
_D65, _PRIMARIES = 1, 1  # of sRGB
_LINEAR, _SRGB = 8, 13  # transfer functions


class JpegXLHeader(NamedTuple):
    """The coded size of a picture, before its orientation is applied, and its samples.

    channels : L, LA, RGB, RGBA, or None for other colours
    others : number of extra channels other than alpha
    bits : bits per sample
    floats : whether samples are floats
    premultiplied : whether colours are premultiplied by alpha
    lossy : whether the picture is coded in XYB, which is lossy
    profile : whether the colour space is given by an ICC profile
    srgb : whether the colour space is sRGB, or for floats linear sRGB
    transfer_at : bit offset of the transfer function in the codestream, 0 if there is none
    """

    height: int
    width: int
    orientation: int = 1
    channels: str | None = "RGB"
    others: int = 0
    bits: int = 8
    floats: bool = False
    premultiplied: bool = False
    preview: bool = False
    animated: bool = False
    lossy: bool = True
    profile: bool = False
    srgb: bool = True
    transfer_at: int = 0


class _Bits:
    """The bits of a codestream, least significant first: annex B."""

    def __init__(self, data: bytes) -> None:
        self.rest, self.left = int.from_bytes(data, "little"), 8 * len(data)
        self.size = self.left

    @property
    def at(self) -> int:
        return self.size - self.left

    def take(self, count: int) -> int:
        if count > self.left:
            raise ValueError("the header is cut short")
        taken = self.rest & (1 << count) - 1
        self.rest >>= count
        self.left -= count
        return taken

    def choose(self, *choices: tuple[int, int]) -> int:
        """Read a number that is coded in one of four ways: a constant plus a number of bits."""
        least, bits = choices[self.take(2)]
        return least + self.take(bits)


def jpegxl_header(data: bytes) -> JpegXLHeader | None:
    """Read the header of a codestream, bare or in a container; None if there is none.

    Raises ValueError if it is damaged.
    """
    at = _start(data)
    if at < 0:
        return None
    bits = _Bits(data[at + 2 : at + _READ])
    height, width = _sides(bits)
    header = JpegXLHeader(height, width)
    return header if bits.take(1) else _metadata(bits, header)  # 1: all values are the defaults


def _metadata(bits: _Bits, header: JpegXLHeader) -> JpegXLHeader:
    if bits.take(1):
        header = header._replace(orientation=bits.take(3) + 1)
        if bits.take(1):
            _sides(bits)
        header = header._replace(preview=bool(bits.take(1)))
        if header.preview:  # pictures with a preview are not read, so the rest of the header is not needed
            return header
        header = header._replace(animated=bool(bits.take(1)))
        if header.animated:
            return header
    depth, floats = _depth(bits)
    bits.take(1)
    alpha = others = 0
    premultiplied = False
    for _ in range(bits.choose((0, 0), (1, 0), (2, 4), (1, 12))):
        kind, multiplied = _extra_channel(bits)
        alpha += kind == _ALPHA
        others += kind != _ALPHA
        premultiplied = premultiplied or multiplied
    lossy = bool(bits.take(1))
    usual = bits.take(1)
    profile = not usual and bool(bits.take(1))
    space = _RGB if usual else bits.choose(*_ENUM)
    srgb, transfer_at = bool(usual), 0
    if not usual and not profile:
        transfer, transfer_at = _transfer(bits, space)
        srgb = transfer == (_LINEAR if floats else _SRGB)
    colours = {_RGB: "RGB", _GREY: "L"}.get(space)
    return header._replace(
        channels=None if colours is None or alpha > 1 else colours + "A" * alpha,
        others=others,
        bits=depth,
        floats=floats,
        premultiplied=premultiplied,
        lossy=lossy,
        profile=profile,
        srgb=srgb,
        transfer_at=transfer_at,
    )


def _depth(bits: _Bits) -> tuple[int, bool]:
    if bits.take(1):
        depth = bits.choose((32, 0), (16, 0), (24, 0), (1, 6))
        bits.take(4)
        return depth, True
    return bits.choose((8, 0), (10, 0), (12, 0), (1, 6)), False


def _extra_channel(bits: _Bits) -> tuple[int, bool]:
    """Return the type of an extra channel, and whether colours are premultiplied by it."""
    if bits.take(1):
        return _ALPHA, False
    kind = bits.choose(*_ENUM)
    _depth(bits)
    bits.choose((0, 0), (3, 0), (4, 0), (1, 3))
    bits.take(8 * bits.choose((0, 0), (0, 4), (16, 5), (48, 10)))  # its name
    if kind == _SPOT:
        bits.take(64)
    elif kind == _CFA:
        bits.choose((1, 0), (0, 2), (3, 4), (19, 8))
    return kind, kind == _ALPHA and bool(bits.take(1))


def _transfer(bits: _Bits, space: int) -> tuple[int, int]:
    """Return the transfer function and its bit offset, for grey or sRGB primaries; 0 for others."""
    if space not in (_RGB, _GREY) or bits.choose(*_ENUM) != _D65:
        return 0, 0
    if space == _RGB and bits.choose(*_ENUM) != _PRIMARIES:
        return 0, 0
    if bits.take(1):  # a gamma
        return 0, 0
    at = bits.at + 8 * len(MAGICS[0])
    return bits.choose(*_ENUM), at


def as_srgb(data: bytes) -> bytes:
    """Return a file whose header marks its samples as sRGB instead of linear."""
    header = jpegxl_header(data)
    assert header is not None
    if header.srgb or not header.transfer_at:
        return data
    at = 8 * max(0, _start(data)) + header.transfer_at + 2  # after the selector, which is the same for both
    change = (_LINEAR - 2 ^ _SRGB - 2) << at
    start, end = at // 8, (at + 4) // 8 + 1
    part = int.from_bytes(data[start:end], "little") ^ (change >> 8 * start)
    return data[:start] + part.to_bytes(end - start, "little") + data[end:]


def _start(data: bytes) -> int:
    """Return the offset of the codestream, -1 if there is none; for containers: ISO/IEC 18181-2, clause 9."""
    at = 0
    if data.startswith(MAGICS[0]):
        return at
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        kind, head = data[at + 4 : at + 8], 16 if length == 1 else 8
        if kind in (b"jxlc", b"jxlp"):
            start = at + head + (4 if kind == b"jxlp" else 0)
            return start if data[start : start + 2] == MAGICS[0] else -1
        if length == 1:
            length = int.from_bytes(data[at + 8 : at + 16], "big")
        if length < head:
            return -1
        at += length
    return -1


def _sides(bits: _Bits) -> tuple[int, int]:
    small = bits.take(1)
    height = (bits.take(5) + 1) * 8 if small else bits.choose(*_SIDES)
    ratio = bits.take(3)
    if ratio:
        over, under = _RATIOS[ratio]
        return height, height * over // under
    return height, (bits.take(5) + 1) * 8 if small else bits.choose(*_SIDES)
