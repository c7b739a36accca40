"""Small JPEGs that are slow to decode are refused before they are opened; ordinary JPEGs are read."""

import io
import struct

import numpy as np
import pytest
from PIL import Image

from convcli.images.codecs.jpeg_claims import check_jpeg
from convcli.images.picture import ImageError
from convcli.images.read import read_picture


def saved(side: int = 16, mode: str = "RGB", **options: object) -> bytes:
    buffer = io.BytesIO()
    pixels = np.random.default_rng(side).integers(0, 255, (side, side, 3), np.uint8)
    Image.fromarray(pixels).convert(mode).save(buffer, "JPEG", **options)
    return buffer.getvalue()


def segment(marker: int, data: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data


def with_scans(count: int, **options: object) -> bytes:
    """A progressive JPEG whose last scan is repeated."""
    data = saved(progressive=True, **options)
    last = data[data.rfind(b"\xff\xc4", 0, data.rfind(b"\xff\xda")) : -2]
    return data[:-2] + count * last + b"\xff\xd9"


@pytest.mark.parametrize(
    "options", [{}, {"progressive": True}, {"subsampling": 0}, {"restart_marker_rows": 1}]
)
@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_jpegs_from_encoders_are_read(options: dict, mode: str) -> None:
    data = saved(64, mode, exif=b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0", **options)
    check_jpeg(io.BytesIO(data), "a", 1)
    assert read_picture(io.BytesIO(data)).frames[0].pixels.shape[:2] == (64, 64)


def test_too_many_scans_are_refused() -> None:
    data = with_scans(3000)
    with pytest.raises(ImageError) as error:
        read_picture(io.BytesIO(data), 256)
    scans = data.count(b"\xff\xda")
    least = -(-scans * 256 // 50)
    assert str(error.value) == (
        f"cannot read standard input: its 256 pixels are coded in {scans:,} scans, too many to decode quickly; raise the limit with `max_pixels={least}`"
    )
    assert read_picture(io.BytesIO(data), least).frames[0].pixels.shape == (16, 16, 3)


def test_only_scans_before_the_end_marker_count() -> None:
    """Phones append whole videos after it, which may contain bytes that look like scans."""
    data = with_scans(150) + 5000 * b"\xff\xda"
    check_jpeg(io.BytesIO(data), "a", 1)


def test_scans_are_found_across_chunks() -> None:
    """A marker may be split between two chunks of the file."""
    data = with_scans(0)
    start = data.find(b"\xff\xda") + 2
    for shift in range(3):
        padding = bytes((1 << 20) - 1 + shift - 2)
        file = io.BytesIO(data[:start] + padding + b"\xff\xda" * 300 + b"\xff\xd9")
        with pytest.raises(ImageError, match="its 256 pixels are coded in 301 scans"):
            check_jpeg(file, "a", 1)


def test_one_scan_of_many_channels_is_read() -> None:
    data = saved()
    check_jpeg(io.BytesIO(data[:-2] + b"\xff\xda" * 1000 + data[-2:]), "a", 1)


def test_exif_in_many_segments() -> None:
    data, exif = saved(), segment(0xE1, b"Exif\0\0" + bytes(60_000))
    with pytest.raises(ImageError) as error:
        read_picture(io.BytesIO(data[:2] + 100 * exif + data[2:]))
    assert str(error.value) == (
        "cannot read standard input: its EXIF has 6,000,800 bytes, over the limit of 4,194,304; remove it, for example "
        "with exiftool -exif:all="
    )
    for junk in (b"\xff" * 9, b"junk", b"\xff\xd0", b"\xff\x01" + bytes(200)):
        with pytest.raises(ImageError, match="its EXIF has"):
            check_jpeg(io.BytesIO(data[:2] + 100 * (junk + exif) + data[2:]), "a", 1)
    check_jpeg(io.BytesIO(data[:2] + 20 * exif + data[2:]), "a", 1)
    xmp = segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + bytes(60_000))
    check_jpeg(io.BytesIO(data[:2] + 100 * xmp + data[2:]), "a", 1)


@pytest.mark.parametrize("cut", range(0, 700, 23))
def test_truncated_files_are_left_to_the_decoder(cut: int) -> None:
    check_jpeg(io.BytesIO(saved(progressive=True)[:cut]), "a", 1)
