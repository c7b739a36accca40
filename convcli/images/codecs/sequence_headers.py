"""Read the AV1 and HEVC sequence headers of the video streams in AVIF and HEIF files.

Decoders allocate memory for the size in these headers, whatever size the file claims.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

_AV1_SEQUENCE = 1  # the type of an OBU
_HEVC_SEQUENCE = 33  # the type of a NAL unit


class Sequence(NamedTuple):
    """The size of the pictures in a stream, and for AV1 the bits per sample and the chroma subsampling.

    ratio : luma samples per chroma sample, across and down; None for grey
    """

    height: int
    width: int
    bits: int = 8
    ratio: tuple[int, int] | None = None


class StreamError(ValueError):
    """A stream header that cannot be read."""


class _Bits:
    """Reads bits, most significant first."""

    def __init__(self, data: bytes) -> None:
        self._number, self._left = int.from_bytes(data, "big"), 8 * len(data)

    def take(self, count: int) -> int:
        self._left -= count
        if self._left < 0:
            raise StreamError("the header of a stream is cut short")
        return self._number >> self._left & (1 << count) - 1

    def golomb(self) -> int:
        """Read ue(v) of HEVC, which is the same as uvlc() of AV1."""
        zeros = 0
        while not self.take(1):
            zeros += 1
            if zeros > 32:
                raise StreamError("the header of a stream is damaged")
        return (1 << zeros) - 1 + self.take(zeros)


def av1_sequences(data: bytes) -> Iterator[Sequence]:
    """Yield the sequence headers among the OBUs of an item or sample: AV1 specification, 5.3."""
    at = 0
    while at < len(data):
        kind, extended, sized = data[at] >> 3 & 15, data[at] & 4, data[at] & 2
        at += 2 if extended else 1
        length = len(data) - at
        if sized:
            length, at = _leb128(data, at)
        if kind == _AV1_SEQUENCE:
            yield _av1_sequence(_Bits(data[at : at + min(length, 1 << 10)]))
        at += length


def _leb128(data: bytes, at: int) -> tuple[int, int]:
    """Return a number and the offset of its end: AV1 specification, 4.10.5."""
    number = 0
    for place in range(8):
        if at >= len(data):
            raise StreamError("a stream is cut short")
        number |= (data[at] & 127) << 7 * place
        at += 1
        if not data[at - 1] & 128:
            break
    return number, at


def _av1_sequence(bits: _Bits) -> Sequence:
    """Read a sequence header: AV1 specification, 5.5."""
    profile = bits.take(3)
    bits.take(1)
    reduced = bits.take(1)
    if reduced:
        bits.take(5)
    else:
        _skip_operating_points(bits)
    across, down = bits.take(4) + 1, bits.take(4) + 1
    width, height = bits.take(across) + 1, bits.take(down) + 1
    if not reduced and bits.take(1):
        bits.take(7)
    bits.take(3)
    if not reduced:
        bits.take(4)
        ordered = bits.take(1)
        if ordered:
            bits.take(2)
        screen = 2 if bits.take(1) else bits.take(1)
        if screen and not bits.take(1):
            bits.take(1)
        if ordered:
            bits.take(3)
    bits.take(3)
    return Sequence(height, width, *_av1_colours(bits, profile))


def _skip_operating_points(bits: _Bits) -> None:
    delay = 0
    model = False
    if bits.take(1):
        bits.take(64)
        if bits.take(1):
            bits.golomb()
        if model := bool(bits.take(1)):
            delay = bits.take(5) + 1
            bits.take(42)
    displayed = bits.take(1)
    for _ in range(bits.take(5) + 1):
        bits.take(12)
        if bits.take(5) > 7:
            bits.take(1)
        if model and bits.take(1):
            bits.take(2 * delay + 1)
        if displayed and bits.take(1):
            bits.take(4)


def _av1_colours(bits: _Bits, profile: int) -> tuple[int, tuple[int, int] | None]:
    """Return the bits per sample and the chroma subsampling: AV1 specification, 5.5.2."""
    depth = 8
    if bits.take(1):
        depth = 12 if profile == 2 and bits.take(1) else 10
    grey = profile != 1 and bits.take(1)
    codes = (bits.take(8), bits.take(8), bits.take(8)) if bits.take(1) else ()
    if grey:
        return depth, None
    if codes == (1, 13, 0):  # sRGB itself
        return depth, (1, 1)
    bits.take(1)
    if profile < 2:
        return depth, (2, 2) if profile == 0 else (1, 1)
    if depth < 12:
        return depth, (2, 1)
    across = bits.take(1)
    down = bits.take(1) if across else 0
    return depth, (1 + across, 1 + down)


def hevc_sequences(data: bytes) -> Iterator[Sequence]:
    """Yield the sequence headers among the NAL units of an item, each preceded by four bytes with its length."""
    at = 0
    while at + 4 < len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        yield from hevc_sequence(data[at + 4 : at + 4 + min(length, 1 << 12)])
        at += 4 + length


def hevc_sequence(unit: bytes) -> Iterator[Sequence]:
    """Yield the sequence header in a NAL unit, if it is one: ITU-T H.265, 7.3.2.2."""
    if len(unit) < 3 or unit[0] >> 1 & 63 != _HEVC_SEQUENCE:
        return
    bits = _Bits(unit[2:].replace(b"\0\0\3", b"\0\0"))
    bits.take(4)
    layers = bits.take(3)
    bits.take(1 + 96)
    present = [(bits.take(1), bits.take(1)) for _ in range(layers)]
    if layers:
        bits.take(2 * (8 - layers))
    for profile, level in present:
        bits.take(88 * profile + 8 * level)
    bits.golomb()
    if bits.golomb() == 3:
        bits.take(1)
    width = bits.golomb()
    yield Sequence(bits.golomb(), width)


def hevc_configured(data: bytes) -> Iterator[Sequence]:
    """Yield the sequence headers in the content of an hvcC box: ISO/IEC 14496-15, 8.3.3.1."""
    at = 23
    for _ in range(data[22] if len(data) > 22 else 0):
        units = int.from_bytes(data[at + 1 : at + 3], "big")
        at += 3
        for _ in range(units):
            length = int.from_bytes(data[at : at + 2], "big")
            if at + 2 > len(data):
                return
            yield from hevc_sequence(data[at + 2 : at + 2 + length])
            at += 2 + length
