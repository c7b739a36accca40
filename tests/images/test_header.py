"""Headers read without decoding: equal to what reading returns, and with an estimate of its memory."""

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from convcli.images.picture import Frame, ImageError, Picture
from convcli.images.read import open_picture, read_header, read_picture
from convcli.images.write import encode
from tests.conftest import SAMPLE_NAMES, SAMPLES

RNG = np.random.default_rng(3)
COLOURS = RNG.integers(0, 256, (40, 30, 3), np.uint8)  # higher than it is wide


def image(mode: str) -> Image.Image:
    return Image.fromarray(COLOURS).convert(mode)


def saved(picture: Image.Image, form: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


def ours(pixels: np.ndarray, mode: str, form: str) -> bytes:
    return encode(Picture((Frame(pixels, mode),), form), form, "out")[0]


def npy(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, pixels)
    return buffer.getvalue()


def turned(form: str) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return saved(image("RGB"), form, exif=exif)


def with_late_exif() -> bytes:
    """Put the orientation after the pixels of a PNG, where libpng may write it."""
    exif = Image.Exif()
    exif[0x0112] = 8
    body = exif.tobytes().removeprefix(b"Exif\0\0")
    chunk = struct.pack(">I", len(body)) + b"eXIf" + body + struct.pack(">I", zlib.crc32(b"eXIf" + body))
    data = saved(image("RGB"), "PNG")
    return data[:-12] + chunk + data[-12:]


def moving(form: str, mode: str = "RGB") -> bytes:
    frames = [Image.fromarray(np.roll(COLOURS, shift, axis=0)).convert(mode) for shift in range(3)]
    return saved(frames[0], form, save_all=True, append_images=frames[1:], duration=40)


def texts() -> PngInfo:
    reported = PngInfo()
    for number in range(9):
        reported.add_text(f"key {number}", "value")
    return reported


DEEP = (COLOURS.astype(np.uint16) << 8) + 7
FILES: dict[str, Callable[[], bytes]] = {
    **{
        f"{mode}.png": lambda mode=mode: saved(image(mode), "PNG")
        for mode in ("1", "L", "LA", "P", "RGB", "RGBA")
    },
    "I;16.png": lambda: saved(Image.fromarray(DEEP[..., 0]), "PNG"),
    "transparent.png": lambda: saved(image("RGB"), "PNG", transparency=(1, 2, 3)),
    "transparent-grey.png": lambda: saved(image("L"), "PNG", transparency=3),
    "transparent-palette.png": lambda: saved(image("P"), "PNG", transparency=3),
    "texts.png": lambda: saved(image("RGB"), "PNG", pnginfo=texts()),
    "rgb16.png": lambda: ours(DEEP, "RGB;16", "PNG"),
    "la16.png": lambda: ours(DEEP[..., :2].copy(), "LA;16", "PNG"),
    "turned.png": lambda: turned("PNG"),
    "late.png": with_late_exif,
    "moving.png": lambda: moving("PNG"),
    "RGB.jpg": lambda: saved(image("RGB"), "JPEG"),
    "progressive.jpg": lambda: saved(image("RGB"), "JPEG", progressive=True),
    "L.jpg": lambda: saved(image("L"), "JPEG"),
    "CMYK.jpg": lambda: saved(image("CMYK"), "JPEG"),
    "turned.jpg": lambda: turned("JPEG"),
    "RGB.webp": lambda: saved(image("RGB"), "WEBP"),
    "RGBA.webp": lambda: saved(image("RGBA"), "WEBP"),
    "moving.webp": lambda: moving("WEBP"),
    "turned.webp": lambda: turned("WEBP"),
    **{
        f"{mode}.tiff": lambda mode=mode: saved(image(mode), "TIFF")
        for mode in ("1", "L", "P", "RGB", "CMYK", "F")
    },
    "lzw.tiff": lambda: saved(image("RGB"), "TIFF", compression="tiff_lzw"),
    "pages.tiff": lambda: moving("TIFF"),
    "turned.tiff": lambda: turned("TIFF"),
    "rgb16.tiff": lambda: ours(DEEP, "RGB;16", "TIFF"),
    "rgbaf.tiff": lambda: ours(np.dstack([DEEP, DEEP[..., :1]]).astype(np.float32), "RGBA;F", "TIFF"),
    "counted.tiff": lambda: ours(np.dstack([DEEP, DEEP]), "6 channels", "TIFF"),
    "L.gif": lambda: saved(image("L"), "GIF"),
    "moving.gif": lambda: moving("GIF"),
    "RGB.bmp": lambda: saved(image("RGB"), "BMP"),
    "RGB.ppm": lambda: saved(image("RGB"), "PPM"),
    "rgb16.ppm": lambda: ours(DEEP, "RGB;16", "PPM"),
    "plain.ppm": lambda: b"P3 2 1 1023\n1 2 3 4 5 1023\n",
    "plain.pbm": lambda: b"P1 2 1\n1 0\n",
    "rgba.pam": lambda: ours(np.dstack([COLOURS, COLOURS[..., :1]]), "RGBA", "PAM"),
    "grey.pgm": lambda: ours(DEEP[..., 0].copy(), "I;16", "PGM"),
    "colour.pfm": lambda: ours(DEEP.astype(np.float32), "RGB;F", "PFM"),
    "bits.pbm": lambda: saved(image("1"), "PPM"),
    **{
        f"{dtype}.npy": lambda dtype=dtype: npy(COLOURS.astype(dtype))
        for dtype in ("bool", "uint8", "int64", "float16", "float64")
    },
    "row.npy": lambda: npy(np.zeros(9)),
    "frames.npy": lambda: npy(np.zeros((5, 4, 3, 2), np.int16)),
}


def shapes(picture: Picture) -> list[tuple]:
    return [(frame.pixels.shape, frame.pixels.dtype, frame.mode) for frame in picture.frames]


@pytest.mark.parametrize("name", FILES)
def test_headers_equal_what_reading_returns(name: str) -> None:
    data = FILES[name]()
    picture = read_picture(io.BytesIO(data))
    header = read_header(io.BytesIO(data))
    assert shapes(header) == shapes(picture)
    assert header.format == picture.format
    assert [frame.duration is None for frame in header.frames] == [
        frame.duration is None for frame in picture.frames
    ]
    with open_picture(io.BytesIO(data)) as opened:
        read = opened.read()
        assert shapes(read) == shapes(picture)  # reading the header first changes nothing
        assert all((a.pixels == b.pixels).all() for a, b in zip(read.frames, picture.frames, strict=True))
        assert opened.header.pixels == sum(frame.pixels.nbytes for frame in picture.frames)
        assert opened.header.memory >= opened.header.pixels


@pytest.mark.parametrize("name", SAMPLE_NAMES)
def test_headers_of_the_samples(name: str) -> None:
    assert shapes(read_header(SAMPLES / name)) == shapes(read_picture(SAMPLES / name))


@pytest.mark.parametrize("name", ["RGB.png", "rgb16.png", "turned.jpg", "RGB.ppm", "rgb16.ppm", "rgb16.tiff"])
def test_nothing_is_decoded_for_a_header(name: str, tmp_path: Path) -> None:
    data = FILES[name]()
    whole = read_header(io.BytesIO(data))
    at = data.index(b"IDAT") + 8 if name.endswith(".png") else -300
    path = tmp_path / name
    path.write_bytes(data[:at] if not name.endswith(".tiff") else data.replace(b"\x78\x9c", b"\xff\xff"))
    with pytest.raises(ImageError):
        read_picture(path)
    assert shapes(read_header(path)) == shapes(whole)


def test_one_frame_of_many_takes_the_memory_of_one() -> None:
    data = npy(np.arange(5 * 4 * 3 * 2, dtype=np.int16).reshape(5, 4, 3, 2))
    (frame,) = read_picture(io.BytesIO(data), frame=-2).frames
    assert frame.pixels.base is None
    assert frame.pixels.tolist() == np.arange(72, 96).reshape(4, 3, 2).tolist()
    with open_picture(io.BytesIO(data), frame=-2) as opened:
        assert (opened.header.pixels, opened.header.memory) == (48, 48 + 240 + len(data))
    still = read_header(io.BytesIO(FILES["moving.gif"]()), frame=1)
    assert [frame.duration for frame in still.frames] == [None]
    assert still.loop is None


def test_streams_are_held_in_memory(tmp_path: Path) -> None:
    data = FILES["RGB.ppm"]()
    path = tmp_path / "x.ppm"
    path.write_bytes(data)
    with open_picture(path) as opened, path.open("rb") as stream, open_picture(stream) as other:
        assert other.header.memory == opened.header.memory + len(data)
