"""TIFFs that Pillow would reduce in depth or refuse: read whole with convcli[codecs], and a clear error without it."""

import io
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from convcli.images.formats import FORMATS
from convcli.images.metadata.entries import DOUBLE, EXIF, RATIONAL, Entry
from convcli.images.metadata.exif import exif_bytes
from convcli.images.picture import Frame, ImageError, Picture
from convcli.images.read import read_picture
from convcli.images.upright import oriented
from convcli.images.write import encode
from tests.conftest import SAMPLES, Call

tifffile = pytest.importorskip("tifffile", reason="convcli[codecs] is not installed")
pytest.importorskip("imagecodecs", reason="convcli[codecs] is not installed")

RNG = np.random.default_rng(8)
ICC = read_picture(SAMPLES / "landscape.jpg").metadata["icc"]


def deep(*shape: int, dtype: str = "uint16") -> np.ndarray:
    values = RNG.integers(0, 65536, shape)
    return values.astype(dtype) if dtype != "float32" else (values / 65535).astype(dtype)


def written(pixels: np.ndarray, **options: object) -> io.BytesIO:
    stream = io.BytesIO()
    tifffile.imwrite(stream, pixels, **{"metadata": None, "photometric": "rgb", **options})
    stream.seek(0)
    return stream


@pytest.mark.parametrize("dtype", ["uint16", "float32", "uint32", "float64"])
@pytest.mark.parametrize("compression", [None, "lzw", "zlib", "zstd"])
@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_colour_is_read_at_full_depth(dtype: str, compression: str | None, planar: str) -> None:
    pixels = deep(5, 7, 3, dtype=dtype)
    stored = pixels if planar == "contig" else np.moveaxis(pixels, -1, 0)
    for order in "<>":
        stream = written(stored, compression=compression, planarconfig=planar, byteorder=order)
        picture = read_picture(stream)
        assert picture.format == "TIFF"
        assert (picture.frames[0].pixels == pixels).all()
        assert picture.frames[0].pixels.dtype == dtype


def test_premultiplied_alpha_is_converted_to_straight_alpha() -> None:
    colours, alpha = (
        deep(5, 7, 3),
        np.array([0, 1, 300, 30000, 65535, 65534, 9], np.uint16) * np.ones((5, 1), np.uint16),
    )
    multiplied = np.rint(colours * (alpha / 65535)[..., None]).astype(np.uint16)
    (frame,) = read_picture(written(np.dstack([multiplied, alpha]), extrasamples=["assocalpha"])).frames
    assert frame.mode == "RGBA;16"
    assert (frame.pixels[..., 3] == alpha).all()
    error = np.abs(frame.pixels[..., :3].astype(int) - colours)
    assert (error <= 0.5 + 65535 / 2 / np.maximum(alpha, 1)[..., None])[alpha > 0].all()
    assert (frame.pixels[..., :3] == multiplied)[alpha == 0].all()


def test_channels_that_are_not_colours() -> None:
    pixels = deep(5, 7, 6)
    picture = read_picture(written(pixels, photometric="minisblack", planarconfig="contig"))
    assert picture.frames[0].mode == "6 channels"
    assert (picture.frames[0].pixels == pixels).all()
    again = read_picture(io.BytesIO(encode(picture, "TIFF", "out")[0]))
    assert (again.frames[0].mode, (again.frames[0].pixels == pixels).all()) == ("6 channels", True)
    picture = read_picture(
        written(pixels, extrasamples=["unassalpha", "unspecified", "unspecified"], planarconfig="contig")
    )
    assert picture.frames[0].mode == "RGBA;16"
    assert (picture.frames[0].pixels == pixels[..., :4]).all()
    assert picture.notes == ("2 of its channels, neither colours nor alpha, are left out",)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied(orientation: int) -> None:
    small = deep(5, 7, 3)
    flag = [(274, 3, 1, orientation, True)]
    (frame,) = read_picture(written(small, extratags=flag)).frames
    assert (frame.pixels == oriented(small, orientation)).all()
    (frame,) = read_picture(written(small.astype(np.float32), extratags=flag)).frames
    assert (frame.pixels == oriented(small, orientation)).all()


METADATA = {
    "icc": ICC,
    "dpi": (300, 150),
    "xmp": b"<x:xmpmeta/>",
    "exif": exif_bytes(
        {
            270: Entry.of_text(b"a ramp \xa8"),
            271: Entry.of_text(b"a maker"),
            305: Entry.of_text(b"x"),
            306: Entry.of_text(b"2017:08:21 15:08:07"),
            315: Entry.of_text(b"y"),
            33432: Entry.of_text(b"CC0"),
            EXIF: {36867: Entry.of_text(b"2017:08:21 15:08:00"), 37386: Entry.of(RATIONAL, 50, 1)},
        }
    ),
    "tags": {285: Entry.of_text(b"a page"), 33550: Entry.of(DOUBLE, 10, 10, 0)},
}


@pytest.mark.parametrize("mode", ["RGB;16", "RGB;F", "RGBA;16", "L;float64", "CMYK;16"])
def test_metadata_round_trips(mode: str) -> None:
    shape = {"RGB": (5, 7, 3), "L": (5, 7)}.get(mode.partition(";")[0], (5, 7, 4))
    dtype = {"16": "uint16", "F": "float32"}.get(mode.partition(";")[2], "float64")
    data, notes = encode(Picture((Frame(deep(*shape, dtype=dtype), mode),), "PNG", METADATA), "TIFF", "out")
    assert notes == ()
    picture = read_picture(io.BytesIO(data))
    assert picture.frames[0].mode == mode
    assert picture.metadata.pop("dpi") == pytest.approx(METADATA["dpi"])
    assert picture.metadata == {kind: METADATA[kind] for kind in ("icc", "xmp", "exif", "tags")}


def test_pages_of_every_depth_and_size() -> None:
    shapes = {"L": (5, 7), "RGB;16": (4, 4, 3), "RGBA;F": (3, 9, 4), "F": (2, 2), "LA;16": (6, 6, 2)}
    dtypes = {"L": "uint8", "RGB;16": "uint16", "RGBA;F": "float32", "F": "float32", "LA;16": "uint16"}
    frames = tuple(Frame(deep(*shapes[mode], dtype=dtypes[mode]), mode) for mode in shapes)
    data, _ = encode(Picture(frames, "TIFF"), "TIFF", "out")
    for order in (None, 1, -1):
        wanted = frames if order is None else (frames[order],)
        found = read_picture(io.BytesIO(data), frame=order).frames
        assert [frame.mode for frame in found] == [frame.mode for frame in wanted]
        assert all((one.pixels == other.pixels).all() for one, other in zip(found, wanted))


def test_pages_that_pillow_reads_and_pages_that_it_would_reduce(tmp_path: Path) -> None:
    frames = tuple(
        Frame(deep(6, 5, *shape, dtype=dtype), mode)
        for mode, shape, dtype in (
            ("L", (), "uint8"),
            ("RGB;16", (3,), "uint16"),
            ("I;16", (), "uint16"),
            ("RGBA;16", (4,), "uint16"),
            ("RGB", (3,), "uint8"),
        )
    )
    path = tmp_path / "x.tiff"
    path.write_bytes(encode(Picture(frames, "TIFF"), "TIFF", "out")[0])
    found = read_picture(path).frames
    assert [frame.mode for frame in found] == [frame.mode for frame in frames]
    assert all((one.pixels == other.pixels).all() for one, other in zip(found, frames))


def test_pillow_reads_written_files() -> None:
    pixels = deep(5, 7, 3)
    data, _ = encode(Picture((Frame(pixels, "RGB;16"),), "PNG", METADATA), "TIFF", "out")
    with Image.open(io.BytesIO(data)) as image:
        assert (np.asarray(image) == pixels >> 8).all()
        assert image.info["icc_profile"] == ICC


@pytest.mark.parametrize(
    ("stream", "what"),
    [
        (written(deep(5, 7, 3), photometric="itulab"), "ITULAB of 16 bits"),
        (written(np.stack([deep(5, 7, 3)] * 2), volumetric=True, tile=(2, 16, 16)), "RGB of 16 bits"),
    ],
)
def test_unsupported_colour_spaces(stream: io.BytesIO, what: str) -> None:
    with pytest.raises(ImageError, match=f"its colour space, {what}, is not supported; convert it to RGB"):
        read_picture(stream)


def test_samples_that_are_not_real_numbers() -> None:
    message = "cannot read standard input: its samples are complex64; save real numbers, such as float32"
    with pytest.raises(ImageError, match=message):
        read_picture(written(deep(5, 7, dtype="complex64"), photometric="minisblack"))


def test_pixels_and_frames_are_limited() -> None:
    stream = written(deep(5, 7, 3, dtype="float32"))
    with pytest.raises(
        ImageError,
        match="its 35 pixels \\(four channels count as one\\) are over the limit of 34; raise it with `max_pixels=35`",
    ):
        read_picture(stream, 34)
    stream = written(np.zeros((5, 7, 8), np.float32), photometric="minisblack", planarconfig="contig")
    with pytest.raises(
        ImageError, match="its 70 pixels \\(four channels count as one\\) are over the limit of 69"
    ):
        read_picture(stream, 69)
    stream = written(np.zeros((3, 5, 7, 3), np.float32))
    with pytest.raises(
        ImageError, match="its 3 frames are over the limit of 2; raise it with `max_frames=3`"
    ):
        read_picture(stream, max_frames=2)
    stream.seek(0)
    assert len(read_picture(stream, 35, frame=2).frames) == 1


def test_damage_is_one_error_and_nothing_on_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    for compression in (None, "lzw", "zlib"):
        whole = written(deep(40, 40, 3, dtype="float32"), compression=compression).getvalue()
        for end in (5, 60, len(whole) // 3, len(whole) - 9):
            with pytest.raises(ImageError, match="cannot read standard input: "):
                read_picture(io.BytesIO(whole[:end]))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("missing", ["tifffile", "imagecodecs"])
def test_without_the_extra_the_error_names_it(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    hint = r"pip install 'convcli\[codecs\]'$"
    with pytest.raises(
        ImageError, match=f"it has 16 bits per colour channel, which would be reduced to 8; {hint}"
    ):
        read_picture(written(deep(5, 7, 3)))
    with pytest.raises(ImageError, match=f"it is damaged, or a TIFF that needs an extra; {hint}"):
        read_picture(written(deep(5, 7, 3, dtype="float32")))
    picture = Picture((Frame(deep(5, 7, 3), "RGB;16"),), "PNG")
    with pytest.raises(
        ImageError,
        match=rf"writing RGB;16 as TIFF needs an extra; .png, .ppm, .pnm, .pam and .npy need none; {hint}",
    ):
        encode(picture, "TIFF", "out")
    assert "RGB;16" in FORMATS["TIFF"].deep
    words = ("filter", SAMPLES / "landscape.jpg", "-k", "box", "--depth", "float", "-o", tmp_path / "x.tif")
    run, dry = call(*words), call(*words, "--dry-run")
    assert (run.code, run) == (1, dry)
    assert "writing RGB;F as TIFF needs an extra" in run.err
