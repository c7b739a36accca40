"""PBM, PGM, PPM, PNM, PAM and PFM, compared with Pillow where it supports them, otherwise byte by byte."""

import io
import re
from collections.abc import Callable
from math import prod
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from convcli.images.codecs.netpbm import TUPLES
from convcli.images.modes import CHANNELS
from convcli.images.picture import Frame, ImageError, Picture
from convcli.images.read import read_header, read_picture
from convcli.images.write import encode
from tests.conftest import Call, one_error

RNG = np.random.default_rng(33)


def read(data: bytes) -> Frame:
    (frame,) = read_picture(io.BytesIO(data)).frames
    (black,) = read_header(io.BytesIO(data)).frames
    assert (black.mode, black.pixels.shape, black.pixels.dtype) == (
        frame.mode,
        frame.pixels.shape,
        frame.pixels.dtype,
    )
    assert not black.pixels.any()
    return frame


def by_pillow(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image)


def written(pixels: np.ndarray, mode: str, form: str) -> bytes:
    return encode(Picture((Frame(pixels, mode),), "PNG"), form, "out")[0]


def noise(*shape: int, white: int = 255) -> np.ndarray:
    return RNG.integers(0, white, shape, np.uint16 if white > 255 else np.uint8, endpoint=True)


# Reading


@st.composite
def digits(draw: st.DrawFn) -> tuple[bytes, np.ndarray, int]:
    """A file of a plain or raw format in any valid spelling, its samples and its maximum."""
    kind = draw(st.sampled_from([1, 2, 3, 4, 5, 6]))
    height, width = draw(st.integers(1, 5)), draw(st.integers(1, 11))
    white = 1 if kind in (1, 4) else draw(st.sampled_from([1, 7, 100, 255, 256, 1023, 4095, 65535]))
    shape = (height, width, 3) if kind in (3, 6) else (height, width)
    samples = np.array(draw(st.lists(st.integers(0, white), min_size=prod(shape), max_size=prod(shape))))
    samples = samples.reshape(shape)
    gap = st.sampled_from([b" ", b"\n", b"\t", b"\r\n", b" # words\n", b"\n#\n", b"  "])
    words = [b"P%d" % kind, b"%d" % width, b"%d" % height, *([] if kind in (1, 4) else [b"%d" % white])]
    data = b"".join(word + draw(gap) for word in words[:-1]) + words[-1] + b"\n"
    if kind == 1:
        data += (
            draw(gap).join(b"%d" % (1 - bit) for bit in samples.flat)
            if draw(st.booleans())
            else b"".join(b"%d" % (1 - bit) for bit in samples.flat)
        )
    elif kind in (2, 3):
        data += draw(gap).join(b"%d" % sample for sample in samples.flat) + draw(
            st.sampled_from([b"", b"\n"])
        )
    elif kind == 4:
        data += np.packbits(samples == 0, axis=1).tobytes()
    else:
        data += samples.astype(">u2" if white > 255 else np.uint8).tobytes()
    return data, samples, white


@given(digits())
def test_samples_are_scaled_to_8_or_16_bits(file: tuple[bytes, np.ndarray, int]) -> None:
    data, samples, white = file
    frame = read(data)
    full = 65535 if white > 255 else 255
    assert frame.pixels.dtype == ("uint16" if white > 255 else "uint8")
    assert frame.pixels.shape == samples.shape
    assert np.abs(frame.pixels - samples * (full / white)).max() <= 0.5
    assert (frame.pixels[samples == white] == full).all()


@pytest.mark.parametrize("mode", ["1", "L", "RGB", "I;16"])
def test_files_of_pillow(mode: str) -> None:
    pixels = {
        "1": noise(6, 9) > 99,
        "L": noise(6, 9),
        "RGB": noise(6, 9, 3),
        "I;16": noise(6, 9, white=65535),
    }[mode]
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PPM")
    assert np.array_equal(read(buffer.getvalue()).pixels, pixels * np.uint8(255) if mode == "1" else pixels)


@pytest.mark.parametrize("white", [1, 15, 255, 1000, 65535])
@pytest.mark.parametrize("kind", [*TUPLES, "", "LABELS", "lower_case"])
def test_pam_of_every_tuple_type(kind: str, white: int) -> None:
    count = CHANNELS[TUPLES[kind]] if kind in TUPLES else 5
    samples = noise(4, 3, count, white=white)
    header = f"P7\n# by hand\nWIDTH 3\nHEIGHT 4\n\nDEPTH {count}\nMAXVAL {white}\n"
    header += f"TUPLTYPE {kind}\n" if kind else ""
    data = header.encode() + b"ENDHDR\n" + samples.astype(samples.dtype.newbyteorder(">")).tobytes()
    frame = read(data)
    deep = white > 255
    assert frame.channels == TUPLES.get(kind, "5 channels")
    assert frame.pixels.dtype == ("uint16" if deep else "uint8")
    right = samples.astype(float) * (65535 if deep else 255) / white
    assert np.abs(frame.pixels.reshape(right.shape) - right).max() <= 0.5


@pytest.mark.parametrize(
    ("kind", "count", "channels"),
    [("", 1, "L"), ("", 2, "LA"), ("", 3, "RGB"), ("", 4, "RGBA"), ("RGB", 4, "4 channels"), ("MASK", 1, "L"),
     ("RGB ALPHA", 4, "4 channels"), ("RGB_ALPHA", 4, "RGBA"), ("rgb", 3, "RGB")],
)  # fmt: skip
def test_pam_of_odd_tuple_types(kind: str, count: int, channels: str) -> None:
    header = f"P7\nWIDTH 1\nHEIGHT 1\nDEPTH {count}\nMAXVAL 255\n"
    for part in kind.split():  # may be given in several lines
        header += f"TUPLTYPE {part}\n"
    assert read(header.encode() + b"ENDHDR\n" + bytes(count)).channels == channels


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("colour", [False, True])
def test_pfm_rows_are_stored_bottom_to_top(order: str, colour: bool) -> None:
    pixels = RNG.normal(size=(4, 5, 3) if colour else (4, 5)).astype(np.float32)
    pixels.flat[0], pixels.flat[7] = np.nan, np.inf
    head = b"PF" if colour else b"Pf"
    data = (
        head
        + b"\n5 4\n"
        + (b"-1.0\n" if order == "<" else b"1\n")
        + pixels[::-1].astype(f"{order}f4").tobytes()
    )
    frame = read(data)
    assert frame.mode == ("RGB;F" if colour else "F")
    assert np.array_equal(frame.pixels, pixels, equal_nan=True)
    if not colour:
        assert np.array_equal(by_pillow(data), pixels, equal_nan=True)


def test_ignored_parts_are_noted() -> None:
    assert read_picture(io.BytesIO(b"Pf 1 1 -2.5\n" + bytes(4))).notes == (
        "its scale of 2.5 is ignored: samples are not multiplied by it",
    )
    one = b"P5 1 1 255\n\x07"
    assert read_picture(io.BytesIO(one)).notes == ()
    assert read_picture(io.BytesIO(one + one)).notes == ("only the first picture in the file is read",)


# Writing


@pytest.mark.parametrize("white", [255, 65535])
@pytest.mark.parametrize(
    ("form", "mode", "magic"),
    [
        ("PGM", "L", b"P5"),
        ("PPM", "RGB", b"P6"),
        ("PPM", "L", b"P6"),
        ("PNM", "L", b"P5"),
        ("PNM", "RGB", b"P6"),
    ],
)
def test_pillow_reads_written_files(form: str, mode: str, magic: bytes, white: int) -> None:
    pixels = noise(5, 7, *(() if mode == "L" else (3,)), white=white)
    name = mode if white == 255 else {"L": "I;16", "RGB": "RGB;16"}[mode]
    data = written(pixels, name, form)
    assert data.startswith(magic)
    assert str(white).encode() in data[:20]
    right = np.repeat(pixels[..., None], 3, axis=2) if (form, mode) == ("PPM", "L") else pixels
    assert np.array_equal(read(data).pixels, right)
    if white == 255 or right.ndim == 2:
        assert np.array_equal(by_pillow(data), right)


@pytest.mark.parametrize("width", [1, 7, 8, 9, 16])
def test_pbm_stores_one_bit_per_pixel(width: int) -> None:
    pixels = (noise(5, width) > 127) * np.uint8(255)
    data = written(pixels, "L", "PBM")
    assert data.startswith(b"P4\n")
    assert len(data) == len(b"P4\n%d 5\n" % width) + 5 * -(-width // 8)
    assert np.array_equal(by_pillow(data) * np.uint8(255), pixels)
    assert np.array_equal(read(data).pixels, pixels)


def test_greys_are_refused_in_pbm() -> None:
    with pytest.raises(ImageError) as error:
        written(np.array([[0, 255, 3, 254]], np.uint8), "L", "PBM")
    assert str(error.value) == (
        "cannot write out: PBM stores only black and white, and 50.00% of the samples are grey; write it as .pgm"
    )


@pytest.mark.parametrize("white", [255, 65535])
@pytest.mark.parametrize("channels", ["L", "LA", "RGB", "RGBA", "CMYK", "7 channels"])
def test_pam_round_trips(channels: str, white: int) -> None:
    count = CHANNELS.get(channels, 7)
    pixels = noise(5, 6, *(() if count == 1 else (count,)), white=white)
    mode = channels if white == 255 or count == 7 else {"L": "I;16"}.get(channels, f"{channels};16")
    data = written(pixels, mode, "PAM")
    head, _, body = data.partition(b"ENDHDR\n")
    fields = dict(line.split(" ", 1) for line in head.decode().splitlines()[1:])
    kind = {"L": "GRAYSCALE", "LA": "GRAYSCALE_ALPHA", "RGBA": "RGB_ALPHA", "7 channels": "CHANNELS"}
    assert fields == {
        "WIDTH": "6",
        "HEIGHT": "5",
        "DEPTH": str(count),
        "MAXVAL": str(white),
        "TUPLTYPE": kind.get(channels, channels),
    }
    assert np.array_equal(np.frombuffer(body, ">u2" if white > 255 else np.uint8), pixels.ravel())
    frame = read(data)
    assert frame.mode == mode
    assert np.array_equal(frame.pixels, pixels)


@pytest.mark.parametrize("colour", [False, True])
def test_pfm_round_trips(colour: bool) -> None:
    pixels = RNG.normal(size=(4, 5, 3) if colour else (4, 5)).astype(np.float32)
    pixels.flat[3] = np.nan
    frame = read(written(pixels, "RGB;F" if colour else "F", "PFM"))
    assert np.array_equal(frame.pixels, pixels, equal_nan=True)


@pytest.mark.parametrize(
    ("form", "mode", "message"),
    [
        ("PGM", "RGB", "PGM cannot hold the pixel mode RGB; these can: .png, .jpg, ... .ppm, .pnm, .pam, .npy; or convert it to grey with `gray=True`"),
        ("PGM", "LA", "PGM cannot hold the pixel mode LA; these can: .png, .webp, ... .pam, .npy; or drop alpha with `channels='l'`"),
        ("PPM", "RGBA", "these can: .png, .webp, ... .pam, .npy; or drop alpha with `channels='r,g,b'`"),
        ("PBM", "RGB", "PBM cannot hold the pixel mode RGB; these can: .png, "),
        ("PPM", "CMYK", "PPM cannot hold the pixel mode CMYK; these can: .jpg, .tiff, .pam, .npy"),
        ("PFM", "RGB", "PFM cannot hold the pixel mode RGB; these can: .png, "),
        ("PFM", "LA;F", "PFM cannot hold the pixel mode LA;F; these can: .tiff, .npy; or drop alpha with `channels='l'`"),
        ("PFM", "L;float64", "PFM cannot hold the pixel mode L;float64; these can: .tiff, .npy"),
        ("PGM", "F", "PGM cannot hold the pixel mode F; map its values to 8 bits with `value_range`, or keep them in one of these: .tiff, .pfm, .npy"),
        ("PAM", "I", "PAM cannot hold the pixel mode I; these can: .tiff, .npy"),
    ],
)  # fmt: skip
def test_unsupported_modes_name_alternatives(form: str, mode: str, message: str) -> None:
    from tests.images.test_write import array_of

    with pytest.raises(ImageError) as error:
        written(array_of(mode), mode, form)
    assert re.search(re.escape(message).replace(re.escape(" ... "), r" (\.\w+, )*"), str(error.value))


def test_pam_stores_counted_channels_of_8_and_16_bits_only() -> None:
    with pytest.raises(ImageError) as error:
        written(np.zeros((2, 2, 5), np.float32), "5 channels", "PAM")
    assert str(error.value) == (
        "cannot write out: PAM cannot hold the pixel mode 5 channels of float32; these can: .tiff, .npy"
    )


# Damage


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"P5 3", "its header is incomplete"),
        (b"P5 3 # to the end", "its header is incomplete"),
        (b"P5 3 0 255\n", "its size is '0'"),
        (b"P5 3 -2 255\n", "its size is '-2'"),
        (b"P5 99999999999 2 255\n", "its size is '99999999999'"),
        (b"P5 1 1 65536\n\0\0", "its largest sample is '65536'"),
        (b"P5 1 1 0\n\0", "its largest sample is '0'"),
        (b"P5 2 2 255\n\0\0\0", "it has 3 of 4 bytes of samples"),
        (b"P5 2 2 255", "it has 0 of 4 bytes of samples"),
        (b"P4 9 2\n\0\0\0", "it has 3 of 4 bytes of samples"),
        (b"P2 2 1 255\n1", "it has 1 of 2 samples"),
        (b"P2 2 1 255\n1 -1", "a sample is '-1'"),
        (b"P2 2 1 255\n1 1_0", "a sample is '1_0'"),
        (b"P2 1 1 255\n" + b"9" * 5000, "a sample is '99999999999999999999'"),
        (b"P1 2 1\n12", "it does not have 2 digits that are 0 or 1"),
        (b"P1 2 1\n1", "it does not have 2 digits that are 0 or 1"),
        (b"Pf 1 1 0\n\0\0\0\0", "its scale is '0'"),
        (b"Pf 1 1 nan\n\0\0\0\0", "its scale is 'nan'"),
        (b"Pf 1 1 x\n\0\0\0\0", "its scale is 'x'"),
        (b"P7\nWIDTH 1\n", "its header is incomplete"),
        (b"P7\nWIDTH 1\nENDHDR\n", "its header has no HEIGHT"),
        (b"P7\nWIDTH 1\nHEIGHT x\nDEPTH 1\nMAXVAL 1\nENDHDR\n", "its HEIGHT is 'x'"),
        (b"P7\nWIDTH 1\nHEIGHT 1\nDEPTH 9\nMAXVAL 1\nENDHDR\n\0", "it has 1 of 9 bytes of samples"),
    ],
)
def test_damage_is_one_error(data: bytes, why: str) -> None:
    with pytest.raises(ImageError) as error:
        read_picture(io.BytesIO(data))
    message = f"cannot read standard input: the file is damaged or cut short ({why}); get a whole copy"
    assert str(error.value) == message


def test_claimed_sizes_are_checked_before_samples_are_read() -> None:
    with pytest.raises(ImageError, match="its 4,000,000,000 pixels are over the limit of 200,000,000"):
        read_picture(io.BytesIO(b"P5 80000 50000 255\n"))
    claims = b"P7\nWIDTH 1\nHEIGHT 1\nDEPTH 2000000000\nMAXVAL 1\nENDHDR\n"
    with pytest.raises(ImageError, match="its 500,000,000 pixels \\(four channels count as one\\) are over"):
        read_header(io.BytesIO(claims))
    with pytest.raises(ImageError, match="there is no frame 1; it has one, 0"):
        read_picture(io.BytesIO(b"P5 1 1 255\n\0"), frame=1)
    assert read_picture(io.BytesIO(b"P5 1 1 255\n\0"), frame=-1).frames[0].pixels.tolist() == [[0]]


@given(
    st.binary(max_size=60),
    st.sampled_from([b"P1 ", b"P2\n", b"P3 ", b"P4 ", b"P5 2 ", b"P6 1 1 ", b"P7\n", b"Pf ", b"PF "]),
)
def test_any_bytes_are_a_picture_or_one_error(data: bytes, start: bytes) -> None:
    try:
        assert read_picture(io.BytesIO(start + data), 1 << 16).frames
    except ImageError as error:
        assert len(str(error).splitlines()) == 1


# Names


@pytest.mark.parametrize(
    ("ending", "mode", "magic"),
    [
        ("jfif", "RGB", b"\xff\xd8\xff"),
        ("jpe", "L", b"\xff\xd8\xff"),
        ("jpeg", "RGB", b"\xff\xd8\xff"),
        ("pgm", "L", b"P5\n"),
        ("ppm", "RGB", b"P6\n"),
        ("pnm", "RGB", b"P6\n"),
        ("pam", "RGBA", b"P7\n"),
        ("tif", "RGBA", b"II*\0"),
        ("tiff", "L", b"II*\0"),
        ("apng", "RGBA", b"\x89PNG"),
    ],
)
def test_extensions_name_formats(call: Call, tmp_path: Path, ending: str, mode: str, magic: bytes) -> None:
    pixels = noise(8, 9, *((CHANNELS[mode],) if mode != "L" else ()))
    folder = tmp_path / "in"
    folder.mkdir()
    for name in (f"a.{ending}", f"b.{ending.upper()}"):
        Image.fromarray(pixels).save(tmp_path / "x.png")
        assert call("filter", tmp_path / "x.png", "--kernel", "identity", "-o", folder / name).code == 0
        assert (folder / name).read_bytes().startswith(magic)
    result = call("filter", folder, "--kernel", "box", "-o", f"{tmp_path}/out/")
    assert result.code == 0
    assert result.out.splitlines() == [f"{tmp_path}/out/a.{ending}", f"{tmp_path}/out/b.{ending.upper()}"]
    assert call("filter", folder / f"a.{ending}", "--kernel", "box").out == f"{folder}/a.box.{ending}\n"
    first = read_picture(tmp_path / "out" / f"a.{ending}").frames[0]
    assert first.channels == mode


def test_a_float_map_is_floats(call: Call, tmp_path: Path) -> None:
    for shape in ((6, 5), (6, 5, 3)):
        pixels = RNG.normal(size=shape).astype(np.float32)
        np.save(tmp_path / "in.npy", pixels)
        words = ("--kernel", "identity", "-o", tmp_path / "out.pfm", "--force")
        assert call("filter", tmp_path / "in.npy", *words).code == 0
        assert np.array_equal(read((tmp_path / "out.pfm").read_bytes()).pixels, pixels)
        assert call("filter", tmp_path / "in.npy", *words, "--range", "minmax").code == 0
        stretched = read((tmp_path / "out.pfm").read_bytes()).pixels
        assert (stretched.min(), stretched.max()) == (0, 1)
        assert call("filter", tmp_path / "out.pfm", "--kernel", "box").out == f"{tmp_path}/out.box.pfm\n"
        (tmp_path / "out.box.pfm").unlink()


def test_animations_are_apng(call: Call, tmp_path: Path) -> None:
    frames = [Image.fromarray(noise(8, 9, 3)) for _ in range(3)]
    frames[0].save(tmp_path / "in.gif", save_all=True, append_images=frames[1:], duration=50)
    for name in ("out.apng", "out.png"):
        assert call("filter", tmp_path / "in.gif", "--kernel", "box", "-o", tmp_path / name).code == 0
        data = (tmp_path / name).read_bytes()
        assert b"acTL" in data and data.count(b"fcTL") == 3  # https://www.w3.org/TR/png-3/, 11.3.6
    assert len(read_picture(tmp_path / "out.apng").frames) == 3


def test_standard_output_accepts_format_names(program: Callable[..., object], tmp_path: Path) -> None:
    Image.fromarray(noise(4, 4)).save(tmp_path / "x.png")
    for name, magic in (("pam", b"P7"), ("jpe", b"\xff\xd8"), ("ppm", b"P6")):
        result = program("filter", "x.png", "--kernel", "identity", "-o", f"{name}:-")
        assert result.stdout.startswith(magic), result.stderr


def test_a_filtered_pbm_is_refused_with_a_hint_at_pgm(call: Call, tmp_path: Path) -> None:
    (tmp_path / "in.pbm").write_bytes(b"P1 3 3\n0 0 0 0 1 0 0 0 0\n")
    result = call("filter", tmp_path / "in.pbm", "--kernel", "box")
    assert result.code == 1
    assert "PBM stores only black and white" in one_error(result)
    assert not (tmp_path / "in.box.pbm").exists()
    assert call("filter", tmp_path / "in.pbm", "--kernel", "box", "-o", tmp_path / "out.pgm").code == 0
    assert call("filter", tmp_path / "in.pbm", "--kernel", "identity").out == f"{tmp_path}/in.identity.pbm\n"


def test_a_file_truncated_while_it_is_read() -> None:
    class Shrinking(io.BytesIO):
        def readinto(self, buffer: object) -> int:
            return super().readinto(memoryview(buffer)[:3])  # type: ignore[call-overload]

    with pytest.raises(ImageError, match="it has 3 of 6 bytes of samples"):
        read_picture(Shrinking(b"P5 3 2 255\n" + bytes(6)))
