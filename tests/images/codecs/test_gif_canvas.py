"""The canvas sizes of a GIF's frames, read without decoding, equal those of Pillow."""

import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from convcli.images import pixel_limit
from convcli.images.codecs.gif_canvas import canvases
from convcli.images.picture import ImageError
from convcli.images.read import read_header, read_picture

Place = tuple[int, int, int, int]


def gif(canvas: tuple[int, int], places: list[Place], palette: bool, junk: bytes = b"") -> bytes:
    """A GIF assembled from frames that Pillow has written."""
    parts = [b"GIF89a" + struct.pack("<HHBBB", *canvas, 0x80, 0, 0) + bytes(3) + b"\xff" * 3]
    for left, top, width, height in places:
        buffer = io.BytesIO()
        Image.new("L", (width, height)).save(buffer, "GIF")
        whole = buffer.getvalue()
        at = whole.index(b",\0\0\0\0")
        body = whole[at + 10 : -1]
        table = bytes(6) if palette else b""
        parts += [
            junk,
            b"!\xfe\x03a,;\0",
            struct.pack("<B4HB", 0x2C, left, top, width, height, 0x80 if palette else 0),
        ]
        parts += [table, body]
    return b"".join(parts) + b";"


SIDES = st.integers(1, 20)


@given(
    canvas=st.tuples(SIDES, SIDES),
    places=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), SIDES, SIDES), min_size=1, max_size=4),
    palette=st.booleans(),
)
def test_the_sizes_equal_those_of_decoded_frames(
    canvas: tuple[int, int], places: list[Place], palette: bool
) -> None:
    data = gif(canvas, places, palette)
    found = [frame.pixels.shape[1::-1] for frame in read_picture(io.BytesIO(data)).frames]
    assert list(canvases(io.BytesIO(data))) == found
    assert [frame.pixels.shape[1::-1] for frame in read_header(io.BytesIO(data)).frames] == found


def test_a_frame_that_grows_is_counted_before_it_is_decoded() -> None:
    data = gif((2, 2), [(0, 0, 2, 2), (9, 9, 90, 90)], False)
    with pytest.raises(ImageError, match="its frames have at least 9,805 pixels, over the limit of 9,000"):
        read_header(io.BytesIO(data), 9000)


@pytest.mark.parametrize("form", ["GIF", "PNG", "WEBP"])
def test_a_frame_after_very_many_is_refused(form: str) -> None:
    """All frames before it have to be decoded, however few pixels it has."""
    buffer = io.BytesIO()
    images = [Image.new("RGB", (10, 10), (9 * n, 0, 255 - n)) for n in range(25)]
    images[0].save(buffer, form, save_all=True, append_images=images[1:])
    for read in (read_header, read_picture):
        with pytest.raises(ImageError) as error:
            read(io.BytesIO(buffer.getvalue()), 100 // 5, frame=-1)
        assert "its 100 pixels are over the limit of 20" in str(error.value)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pixel_limit, "PASSES", 20)
        with pytest.raises(ImageError) as error:
            read_picture(io.BytesIO(buffer.getvalue()), 100, frame=24)
        assert str(error.value) == (
            "cannot read standard input: frame 24 requires decoding 25 frames of 100 pixels; choose an earlier one, or "
            "raise the limit with `max_pixels=125`"
        )
        assert len(read_picture(io.BytesIO(buffer.getvalue()), 125, frame=24).frames) == 1
        assert len(read_picture(io.BytesIO(buffer.getvalue()), 100, frame=19).frames) == 1


@given(data=st.binary(max_size=60))
def test_any_bytes_end(data: bytes) -> None:
    assert all(width >= 0 and height >= 0 for width, height in canvases(io.BytesIO(b"GIF89a" + data)))
