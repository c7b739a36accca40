"""Pictures that are decoded directly into arrays have Pillow's pixels, and damaged files its errors."""

import struct
import zlib
from io import BytesIO
from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from convcli.images.codecs import straight_pixels
from convcli.images.codecs.straight_pixels import is_straight
from convcli.images.picture import ImageError
from convcli.images.read import read_header, read_picture
from tests.images.metadata.sources import SIGNATURE, chunk, png

pytest.importorskip("imagecodecs")

RNG = np.random.default_rng(3)
ORIENTATION = 274


def saved(image: Image.Image, form: str = "JPEG", **options: object) -> BytesIO:
    stream = BytesIO()
    image.save(stream, form, **options)
    return stream


def noise(height: int, width: int, mode: str) -> Image.Image:
    shape = (height, width) if mode == "L" else (height, width, len(mode))
    return Image.fromarray(RNG.integers(0, 256, shape, np.uint8), mode if mode == "LA" else None)


def is_read_straight(stream: BytesIO) -> bool:
    with Image.open(stream) as image:
        return is_straight(stream, image)


def pillows(stream: BytesIO) -> np.ndarray:
    with Image.open(stream) as image:
        return np.asarray(ImageOps.exif_transpose(image))


@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.sampled_from(["L", "RGB"]),
    st.sampled_from(["4:4:4", "4:2:2", "4:2:0", "keep_rgb"]),
    st.booleans(),
    st.sampled_from([10, 75, 95]),
)
def test_pixels_of_jpegs_equal_pillows(height, width, mode, sampling, progressive, quality):
    image = noise(height, width, mode)
    how = {"keep_rgb": True} if sampling == "keep_rgb" else {"subsampling": sampling}
    stream = saved(image, quality=quality, progressive=progressive, **how)
    assert is_read_straight(stream)
    (frame,) = read_picture(stream).frames
    assert (frame.mode, frame.pixels.dtype) == (mode, np.uint8)
    assert np.array_equal(frame.pixels, pillows(stream))


@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.sampled_from(
        [("PNG", "L"), ("PNG", "LA"), ("PNG", "RGB"), ("PNG", "RGBA"), ("WEBP", "RGB"), ("WEBP", "RGBA")]
    ),
    st.booleans(),
)
def test_pixels_of_png_and_webp_equal_pillows(height, width, kind, lossless):
    form, mode = kind
    stream = saved(noise(height, width, mode), form, **({"lossless": lossless} if form == "WEBP" else {}))
    assert is_read_straight(stream)
    with mock.patch.object(straight_pixels, "getattr", side_effect=getattr, create=True) as looked_up:
        (frame,) = read_picture(stream).frames
    assert any(str(call.args[1]).endswith("_decode") for call in looked_up.call_args_list)
    assert (frame.mode, frame.pixels.dtype) == (mode, np.uint8)
    assert np.array_equal(frame.pixels, pillows(stream))


def low_depth(depth: int) -> BytesIO:
    """Return a grey PNG of 1, 2 or 4 bits, which Pillow opens in mode L, or 1."""
    header = struct.pack(">IIBBBBB", 16, 3, depth, 0, 0, 0, 0)
    row = b"\0" + bytes(range(17, 17 + 2 * depth))
    parts = chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(row * 3)), chunk(b"IEND", b"")
    return BytesIO(SIGNATURE + b"".join(parts))


def others() -> dict[str, tuple[BytesIO, str]]:
    """Return pictures that Pillow decodes, with the modes that they are read as."""
    grey, colour = noise(9, 11, "L"), noise(9, 11, "RGB")
    again = {"save_all": True, "append_images": [noise(9, 11, "RGB")]}
    return {
        "palette": (saved(colour.quantize(5), "PNG"), "RGB"),
        "one bit": (saved(grey.convert("1"), "PNG"), "L"),
        "two bits": (low_depth(2), "L"),
        "four bits": (low_depth(4), "L"),
        "16 bits of colours": (BytesIO(png(RNG.integers(0, 65536, (9, 11, 3)).astype(np.uint16))), "RGB;16"),
        "16 bits": (saved(Image.fromarray(np.arange(99, dtype=np.uint16).reshape(9, 11)), "PNG"), "I;16"),
        "a transparent colour": (saved(colour, "PNG", transparency=(1, 2, 3)), "RGBA"),
        "animated PNG": (saved(colour, "PNG", **again), "RGB"),
        "animated WebP": (saved(colour, "WEBP", **again), "RGB"),
        "CMYK": (saved(colour.convert("CMYK")), "CMYK"),
        "bytes after the end": (BytesIO(saved(colour).getvalue() + b"more"), "RGB"),
    }


@pytest.mark.parametrize("what", others())
def test_others_are_left_to_pillow(what):
    stream, mode = others()[what]
    assert not is_read_straight(stream)
    assert read_picture(stream).frames[0].mode == mode


def test_the_position_in_the_file_is_kept():
    stream = saved(noise(9, 11, "RGB"), "PNG")
    with Image.open(stream) as image:
        stream.seek(5)
        assert is_straight(stream, image)
        assert stream.tell() == 5
        pixels = straight_pixels.straight_pixels(stream, image)
        assert stream.tell() == 5
    assert np.array_equal(pixels, pillows(stream))


@pytest.mark.parametrize(
    "wrong", [np.zeros((11, 9, 3), np.uint8), np.zeros((9, 11), np.uint8), np.zeros((9, 11, 3), np.uint16)]
)
def test_pixels_of_another_shape_or_depth_than_the_header_says_are_left_to_pillow(wrong):
    stream = saved(noise(9, 11, "RGB"), "PNG")
    with mock.patch("imagecodecs.spng_decode", return_value=wrong) as decode:
        (frame,) = read_picture(stream).frames
    assert decode.called
    assert np.array_equal(frame.pixels, pillows(stream))


def test_a_wrong_checksum_is_left_to_pillow():
    pixels = RNG.integers(0, 256, (9, 11, 3), np.uint8)
    whole = png(pixels, chunk(b"pHYs", bytes(9)))
    data = bytearray(whole)
    at = data.index(b"IDAT")
    data[at + 4 + int.from_bytes(data[at - 4 : at], "big")] ^= 1  # the first byte of the checksum
    for file, is_right in ((whole, True), (data, False)):
        stream = BytesIO(file)
        with Image.open(stream) as image:
            assert (straight_pixels.straight_pixels(stream, image) is not None) == is_right
            assert np.array_equal(read_picture(BytesIO(file)).frames[0].pixels, np.asarray(image))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pixels_are_rotated_upright(orientation):
    image = noise(9, 14, "RGB")
    exif = image.getexif()
    exif[ORIENTATION] = orientation
    stream = saved(image, exif=exif)
    picture = read_picture(stream)
    assert np.array_equal(picture.frames[0].pixels, pillows(stream))
    assert read_header(stream).frames[0].pixels.shape == picture.frames[0].pixels.shape


def test_without_the_extra_pillow_decodes_them():
    stream = saved(noise(20, 30, "RGB"))
    straight = read_picture(stream).frames[0].pixels
    with mock.patch.object(straight_pixels, "find_spec", lambda name: None):
        assert not is_read_straight(stream)
        assert np.array_equal(read_picture(stream).frames[0].pixels, straight)


@pytest.mark.parametrize("left", [0.3, 0.6, 0.9, 0.99])
def test_a_truncated_file_is_refused(left):
    data = saved(noise(60, 80, "RGB")).getvalue()
    with pytest.raises(ImageError, match="damaged or cut short"):
        read_picture(BytesIO(data[: int(len(data) * left)]))


WHOLE = {form: saved(noise(24, 31, "RGB"), form).getvalue() for form in ("JPEG", "PNG", "WEBP")}


@pytest.mark.parametrize("form", WHOLE)
@given(st.data())
def test_damaged_files_decode_as_in_pillow(form, data):
    whole = bytearray(WHOLE[form])
    for place in data.draw(st.lists(st.integers(2, len(whole) - 3), max_size=3)):
        whole[place] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        del whole[data.draw(st.integers(2, len(whole))) :]

    def found() -> object:
        try:
            return read_picture(BytesIO(whole)).frames[0].pixels.tolist()
        except ImageError as error:
            return str(error)

    straight = found()
    with mock.patch.object(straight_pixels, "find_spec", lambda name: None):
        assert straight == found()


def test_it_takes_less_memory():
    stream = saved(noise(400, 500, "RGB"))
    (frame,) = read_header_frames(stream)
    with mock.patch.object(straight_pixels, "find_spec", lambda name: None):
        (other,) = read_header_frames(stream)
    assert frame.working == len(stream.getvalue())
    assert other.working == 4 * 400 * 500


def read_header_frames(stream: BytesIO):
    from convcli.images.read import open_picture

    with open_picture(stream) as opened:
        return opened.header.frames
