"""Headers of JPEG XL that are written bit by bit are read back."""

from hypothesis import given, settings
from hypothesis import strategies as st

from convcli.images.codecs.jpegxl_header import JpegXLHeader, jpegxl_header
from tests.examples import examples


class Writer:
    """Bits, least significant first."""

    def __init__(self) -> None:
        self.bits = ""

    def put(self, value: int, count: int) -> None:
        self.bits += format(value, f"0{count}b")[::-1] if count else ""

    def enum(self, value: int) -> None:
        """Write an enumerated number of ISO/IEC 18181-1: 0, 1, 2 to 17, or more."""
        if value < 2:
            self.put(value, 2)
        elif value < 18:
            self.put(2, 2)
            self.put(value - 2, 4)
        else:
            self.put(3, 2)
            self.put(value - 18, 6)

    def data(self) -> bytes:
        padded = self.bits + "0" * (-len(self.bits) % 8)
        return bytes(int(padded[at : at + 8][::-1], 2) for at in range(0, len(padded), 8))


def codestream(header: JpegXLHeader, gamma: bool, name: int) -> bytes:
    """Write a header with all fields, without the shortcuts of the standard."""
    bits = Writer()
    bits.put(0, 1)
    for number, side in enumerate((header.height, header.width)):
        bits.put(3, 2)
        bits.put(side - 1, 30)
        if number == 0:
            bits.put(0, 3)  # no ratio: the width follows
    bits.put(0, 1)  # not all defaults
    bits.put(1, 1)
    bits.put(header.orientation - 1, 3)
    bits.put(0, 3)  # no intrinsic size, preview or animation
    bits.put(int(header.floats), 1)
    bits.put(3, 2)
    bits.put(header.bits - 1, 6)
    if header.floats:
        bits.put(7, 4)
    bits.put(0, 1)
    alpha = (header.channels or "").endswith("A")
    bits.put(2, 2)  # 2 and more extra channels, or 1 written as such
    count = alpha + header.others
    bits.bits = bits.bits[:-2]
    bits.put(3, 2)
    bits.put(count - 1, 12)
    for kind in [0] * alpha + [1] * header.others:
        bits.put(0, 1)
        bits.enum(kind)
        bits.put(0, 1)
        bits.put(0, 2)  # 8 bits
        bits.put(0, 2)  # as large as the picture
        bits.put(1, 2)
        bits.put(name, 4)
        bits.put(0, 8 * name)
        if kind == 0:
            bits.put(int(header.premultiplied), 1)
    bits.put(int(header.lossy), 1)
    bits.put(0, 1)
    bits.put(int(header.profile), 1)
    bits.enum(1 if (header.channels or "").startswith("L") else 0)
    if not header.profile:
        bits.enum(1)
        if (header.channels or "").startswith("RGB"):
            bits.enum(1)
        bits.put(int(gamma), 1)
        bits.enum(8 if header.floats else 13)
    return b"\xff\x0a" + bits.data() + bytes(8)


@settings(max_examples=examples(40), deadline=None)
@given(data=st.data())
def test_every_field_is_read(data: st.DataObject) -> None:
    channels = data.draw(st.sampled_from(["LA", "RGBA", "L", "RGB"]))
    others = data.draw(st.integers(0 if channels.endswith("A") else 1, 3))
    floats, profile, gamma = (data.draw(st.booleans()) for _ in range(3))
    wanted = JpegXLHeader(
        height=data.draw(st.integers(1, 2**30)),
        width=data.draw(st.integers(1, 2**30)),
        orientation=data.draw(st.integers(1, 8)),
        channels=channels,
        others=others,
        bits=data.draw(st.integers(1, 64)),
        floats=floats,
        premultiplied=channels.endswith("A") and data.draw(st.booleans()),
        lossy=data.draw(st.booleans()),
        profile=profile,
        srgb=not profile and not gamma,
    )
    found = jpegxl_header(codestream(wanted, gamma, data.draw(st.integers(0, 9))))
    assert found is not None
    assert (found.transfer_at > 0) == (not profile and not gamma)
    assert found._replace(transfer_at=0) == wanted
