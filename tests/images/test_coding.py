"""The coding of JPEG and WebP outputs: that of the input, or the requested one; read from the bytes of the files."""

import io
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from convcli.images.codecs import jpeg
from convcli.images.coding import SAMPLINGS, TAKERS
from convcli.images.formats import FORMATS
from convcli.images.metadata.words import listed
from convcli.images.read import read_picture
from tests.conftest import SAMPLES, Call, one_error

RNG = np.random.default_rng(17)
LANDSCAPE = np.asarray(Image.open(SAMPLES / "landscape.png").convert("RGB"))[100:196, 100:228]
ICC = read_picture(SAMPLES / "landscape.jpg").metadata["icc"]


def segments(data: bytes) -> list[tuple[int, bytes]]:
    """The marker segments of a JPEG up to its first scan: ITU-T T.81, annex B."""
    at, found = 2, []
    while data[at + 1] != 0xDA:
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        found.append((data[at + 1], data[at + 4 : end]))
        at = end
    return found


def sampling(data: bytes) -> list[tuple[int, int]]:
    """Return the sampling factors (across, down) of each channel."""
    (frame,) = (body for marker, body in segments(data) if marker in (0xC0, 0xC1, 0xC2))
    return [divmod(frame[7 + 3 * channel], 16) for channel in range(frame[5])]


def tables(data: bytes) -> list[bytes]:
    """Return the 8-bit quantization table of each channel."""
    known = {}
    for marker, body in segments(data):
        while marker == 0xDB and body:
            known[body[0]], body = body[1:65], body[65:]
    (frame,) = (body for marker, body in segments(data) if marker in (0xC0, 0xC1, 0xC2))
    return [known[frame[8 + 3 * channel]] for channel in range(frame[5])]


def jpeg_of(pixels: np.ndarray, mode: str | None = None, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels, mode).save(buffer, "JPEG", **options)
    return buffer.getvalue()


def odd_jpeg(name: str, **options: object) -> bytes:
    """A JPEG with a subsampling that Pillow cannot write."""
    imagecodecs = pytest.importorskip("imagecodecs", reason="convcli[codecs] is not installed")
    return bytes(imagecodecs.jpeg8_encode(LANDSCAPE, level=85, subsampling=name.replace(":", ""), **options))


def filtered(
    call: Call, folder: Path, data: bytes, *words: object, name: str = "in.jpg", out: str = "out.jpg"
) -> bytes:
    (folder / name).write_bytes(data)
    result = call(
        "filter", folder / name, *(words or ("--kernel", "identity")), "-o", folder / out, "--force"
    )
    assert result.code == 0, result.err
    return (folder / out).read_bytes()


def change(one: bytes, other: bytes) -> float:
    """The mean difference of two pictures of one size."""
    first, second = (
        np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int) for data in (one, other)
    )
    return float(np.abs(first - second).mean())


# The coding of the input JPEG is kept


@pytest.mark.parametrize("name", SAMPLINGS)
@pytest.mark.parametrize("layer", [("--kernel", "identity"), ("--kernel", "box", "--stride", "2")])
def test_sampling_is_kept(call: Call, tmp_path: Path, name: str, layer: tuple[str, ...]) -> None:
    pillows = name in jpeg.PILLOWS
    data = jpeg_of(LANDSCAPE, quality=85, subsampling=name) if pillows else odd_jpeg(name)
    assert sampling(data) == [SAMPLINGS[name], (1, 1), (1, 1)]
    (tmp_path / "in.jpg").write_bytes(data)
    result = call("filter", tmp_path / "in.jpg", *layer, "-o", tmp_path / "out.jpg", "-q")
    assert (result.code, result.err) == (0, "")
    after = (tmp_path / "out.jpg").read_bytes()
    assert sampling(after) == sampling(data)
    if "identity" in layer:
        assert change(data, after) < 1.5


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("quality", [1, 20, 50, 75, 92, 100])
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_quantization_tables_are_kept(
    call: Call, tmp_path: Path, mode: str, quality: int, progressive: bool
) -> None:
    pixels = np.asarray(Image.fromarray(LANDSCAPE).convert(mode))
    data = jpeg_of(pixels, mode, quality=quality, progressive=progressive)
    after = filtered(call, tmp_path, data)
    assert tables(after) == tables(data)
    assert sampling(after) == sampling(data)
    assert change(data, after) < 1.5


def test_the_first_picture_of_several_in_a_jpeg_keeps_its_coding(call: Call, tmp_path: Path) -> None:
    buffer, other = io.BytesIO(), Image.fromarray(LANDSCAPE[::-1].copy())
    Image.fromarray(LANDSCAPE).save(
        buffer, "MPO", save_all=True, append_images=[other], quality=61, subsampling="4:2:2"
    )
    after = filtered(call, tmp_path, buffer.getvalue())
    assert sampling(after)[0] == (2, 1)
    assert tables(after) == tables(jpeg_of(LANDSCAPE, quality=61))


def test_tables_of_no_quality_are_kept(call: Call, tmp_path: Path) -> None:
    for count in (1, 2, 3):
        own = [sorted(RNG.integers(1, 90, 64).tolist()) for _ in range(count)]
        data = jpeg_of(LANDSCAPE, qtables=own)
        after = filtered(call, tmp_path, data)
        assert len(set(tables(data))) == count
        assert tables(after) == tables(data)


def test_16_bit_tables_are_clipped_to_8_bits(
    call: Call, tmp_path: Path, program: Callable[..., object]
) -> None:
    data = jpeg_of(LANDSCAPE, qtables=[[1000 + step for step in range(64)]])
    (tmp_path / "in.jpg").write_bytes(data)
    result = program("filter", "in.jpg", "--kernel", "identity", "-o", "out.jpg")
    assert (result.returncode, result.stderr) == (0, b"")  # libjpeg would warn of tables that are too coarse
    assert tables((tmp_path / "out.jpg").read_bytes()) == [b"\xff" * 64] * 3


def test_grey_keeps_the_luma_table(call: Call, tmp_path: Path) -> None:
    data = jpeg_of(LANDSCAPE, quality=40)
    after = filtered(call, tmp_path, data, "--kernel", "identity", "--gray")
    assert sampling(after) == [(1, 1)]
    assert tables(after) == tables(data)[:1]
    grey = jpeg_of(LANDSCAPE[..., 0], quality=40)
    colours = filtered(call, tmp_path, grey, "--kernel", "identity", "--channels", "l,l,l")
    assert tables(colours) == tables(jpeg_of(LANDSCAPE, quality=jpeg.QUALITY))  # there is no chroma table


def test_jpegs_stored_as_rgb_stay_rgb(call: Call, tmp_path: Path) -> None:
    data = jpeg_of(LANDSCAPE, quality=90, keep_rgb=True)
    after = filtered(call, tmp_path, data)
    for each in (data, after):
        assert Image.open(io.BytesIO(each)).info["adobe_transform"] == 0
    assert tables(after) == tables(data)
    assert change(data, after) < 1
    chosen = filtered(call, tmp_path, data, "--kernel", "identity", "--subsampling", "4:2:0")
    assert sampling(chosen) == [(2, 2), (1, 1), (1, 1)]


def test_cmyk_stored_as_ycck(call: Call, tmp_path: Path) -> None:
    imagecodecs = pytest.importorskip("imagecodecs", reason="convcli[codecs] is not installed")
    pixels = np.dstack([LANDSCAPE, LANDSCAPE[..., :1]])
    data = bytes(imagecodecs.jpeg8_encode(pixels, level=60, colorspace="CMYK", outcolorspace="YCCK"))
    assert Image.open(io.BytesIO(data)).info["adobe_transform"] == 2
    after = filtered(call, tmp_path, data)
    assert sampling(after) == [(1, 1)] * 4
    assert tables(after) == tables(jpeg_of(pixels, "CMYK", quality=jpeg.QUALITY))


@pytest.mark.parametrize(
    ("factors", "name"),
    [
        ([(2, 2), (1, 2), (1, 2)], "4:2:2"),
        ([(2, 2), (2, 1), (2, 1)], "4:4:0"),
        ([(4, 2), (1, 1), (1, 1)], "4:2:0"),
        ([(1, 4), (1, 1), (1, 1)], "4:4:0"),
        ([(3, 1), (1, 1), (1, 1)], "4:2:2"),
        ([(2, 2), (1, 1), (2, 2)], "4:4:4"),
        ([(1, 1), (2, 2), (2, 2)], "4:4:4"),
        ([(3, 1), (2, 1), (2, 1)], "4:4:4"),
    ],
)
def test_unusual_subsamplings_keep_all_chroma_samples(factors: list[tuple[int, int]], name: str) -> None:
    layers = [(number, *pair, 0) for number, pair in enumerate(factors)]
    ratio = jpeg.coded(SimpleNamespace(mode="RGB", info={}, quantization={0: [1] * 64}, layer=layers)).ratio
    assert jpeg.finest_within(ratio, SAMPLINGS) == name


@pytest.mark.parametrize(("name", "near"), [("4:4:0", "4:4:4"), ("4:1:1", "4:2:2")])
def test_without_the_extra_no_chroma_is_lost(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, near: str
) -> None:
    (tmp_path / "in.jpg").write_bytes(odd_jpeg(name))
    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    words = ("filter", tmp_path / "in.jpg", "--kernel", "identity", "-o", tmp_path / "out.jpg")
    code, _, err = call(*words)
    across, down = SAMPLINGS[name]
    message = (
        f"its chroma, one sample per {across}x{down} pixels, is written as {near}, which keeps every sample"
    )
    assert (code, message in err) == (0, True)
    assert sampling((tmp_path / "out.jpg").read_bytes())[0] == SAMPLINGS[near]
    result = call(*words, "--subsampling", name, "--force")
    assert result == call(*words, "--subsampling", name, "--force", "--dry-run")
    assert result.code == 1
    assert one_error(result) == (
        f"cannot write {tmp_path}/out.jpg: writing JPEG with {name} subsampling needs an extra; pip install 'convcli[codecs]'"
    )


@pytest.mark.parametrize("quality", [(), ("--quality", "50")])
def test_metadata_is_written_with_any_subsampling(
    call: Call, tmp_path: Path, quality: tuple[str, ...]
) -> None:
    exif = Image.Exif()
    exif[0x010E] = "a lake"
    data = jpeg_of(LANDSCAPE, quality=70, icc_profile=ICC, exif=exif, comment=b"hello", dpi=(300, 200))
    plain = read_picture(io.BytesIO(filtered(call, tmp_path, data)))
    pytest.importorskip("imagecodecs", reason="convcli[codecs] is not installed")
    odd = filtered(call, tmp_path, data, "--kernel", "identity", "--subsampling", "4:4:0", *quality)
    assert sampling(odd) == [(1, 2), (1, 1), (1, 1)]
    again = read_picture(io.BytesIO(odd))
    assert again.metadata == plain.metadata
    assert again.metadata["icc"] == ICC
    wanted = tables(jpeg_of(LANDSCAPE, quality=50 if quality else 70))
    assert tables(odd) == wanted


# The requested coding of JPEG


@pytest.mark.parametrize("quality", [1, 50, 89, 90, 100])
@pytest.mark.parametrize("chosen", [None, "4:4:4", "4:2:2", "4:2:0"])
def test_quality_and_subsampling_are_applied(
    call: Call, tmp_path: Path, quality: int, chosen: str | None
) -> None:
    png = io.BytesIO()
    Image.fromarray(LANDSCAPE).save(png, "PNG")
    words = ["--kernel", "identity", "--quality", quality, *(["--subsampling", chosen] if chosen else [])]
    after = filtered(call, tmp_path, png.getvalue(), *words, name="in.png")
    assert tables(after) == tables(jpeg_of(LANDSCAPE, quality=quality))
    usual = "4:4:4" if quality >= 90 else "4:2:0"
    assert sampling(after)[0] == SAMPLINGS[chosen or usual]
    if chosen is None:  # other settings of the input JPEG are kept
        after = filtered(call, tmp_path, jpeg_of(LANDSCAPE, subsampling="4:2:2", quality=30), *words)
        assert sampling(after)[0] == SAMPLINGS["4:2:2"]
        assert tables(after) == tables(jpeg_of(LANDSCAPE, quality=quality))


def test_subsampling_alone_keeps_the_tables(call: Call, tmp_path: Path) -> None:
    data = jpeg_of(LANDSCAPE, quality=37, subsampling="4:4:4")
    after = filtered(call, tmp_path, data, "--kernel", "identity", "--subsampling", "4:2:0")
    assert tables(after) == tables(data)
    assert sampling(after)[0] == (2, 2)


def test_other_inputs_are_not_subsampled(call: Call, tmp_path: Path) -> None:
    png = io.BytesIO()
    Image.fromarray(LANDSCAPE).save(png, "PNG")
    after = filtered(call, tmp_path, png.getvalue(), name="in.png")
    assert sampling(after) == [(1, 1)] * 3
    assert tables(after) == tables(jpeg_of(LANDSCAPE, quality=95))


def test_cmyk_is_not_subsampled(call: Call, tmp_path: Path) -> None:
    pixels = np.dstack([LANDSCAPE, LANDSCAPE[..., :1]])
    (tmp_path / "in.jpg").write_bytes(jpeg_of(pixels, "CMYK"))
    words = ("filter", tmp_path / "in.jpg", "--kernel", "identity", "-o", tmp_path / "out.jpg", "--force")
    result = call(*words, "--subsampling", "4:2:0")
    assert result.code == 1
    assert one_error(result) == (
        f"cannot write {tmp_path}/out.jpg: JPEG does not subsample CMYK, so it cannot be stored as 4:2:0; convert it to RGB"
    )
    assert call(*words, "--subsampling", "4:4:4", "--quality", "50").code == 0
    assert tables((tmp_path / "out.jpg").read_bytes()) == tables(jpeg_of(pixels, "CMYK", quality=50))


# WebP


def webp_of(pixels: np.ndarray, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "WEBP", **options)
    return buffer.getvalue()


def kinds(data: bytes) -> list[bytes]:
    """The kinds of the chunks that hold pictures, including those in frames."""
    at, found = 12, []
    while at < len(data):
        kind, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        inner = data[at + 24 : at + 8 + size]
        found += (
            kinds(b"\0" * 12 + inner) if kind == b"ANMF" else [kind] if kind in (b"VP8 ", b"VP8L") else []
        )
        at += 8 + size + size % 2
    return found


ALPHA = np.dstack([LANDSCAPE, np.arange(96)[:, None].repeat(128, 1).astype(np.uint8)])


@pytest.mark.parametrize("pixels", [LANDSCAPE, ALPHA], ids=["RGB", "RGBA"])
@pytest.mark.parametrize("metadata", [{}, {"icc_profile": ICC, "xmp": b"<x/>"}])
def test_webp_stays_lossy_or_lossless(
    call: Call, tmp_path: Path, pixels: np.ndarray, metadata: dict[str, bytes]
) -> None:
    lossy, whole = (
        webp_of(pixels, quality=60, **metadata),
        webp_of(pixels, lossless=True, exact=True, **metadata),
    )
    after = filtered(call, tmp_path, lossy, name="in.webp", out="out.webp")
    assert kinds(lossy) == kinds(after) == [b"VP8 "]
    assert change(lossy, after) < 4
    assert len(after) < len(whole) / 2
    after = filtered(call, tmp_path, whole, name="in.webp", out="out.webp")
    assert kinds(whole) == kinds(after) == [b"VP8L"]
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(after))), pixels)


@pytest.mark.parametrize("lossless", [False, True])
def test_animated_webp_stays_lossy_or_lossless(call: Call, tmp_path: Path, lossless: bool) -> None:
    buffer = io.BytesIO()
    frames = [Image.fromarray(np.roll(LANDSCAPE, 9 * step, axis=1)) for step in range(3)]
    frames[0].save(buffer, "WEBP", save_all=True, append_images=frames[1:], lossless=lossless, duration=50)
    before = buffer.getvalue()
    after = filtered(call, tmp_path, before, name="in.webp", out="out.webp")
    assert set(kinds(after)) == set(kinds(before)) == {b"VP8L" if lossless else b"VP8 "}


def test_quality_of_webp_is_applied(call: Call, tmp_path: Path) -> None:
    sizes = {}
    for name, data in (
        ("in.png", None),
        ("in.webp", webp_of(LANDSCAPE, quality=50)),
        ("in.jpg", jpeg_of(LANDSCAPE)),
    ):
        if data is None:
            buffer = io.BytesIO()
            Image.fromarray(LANDSCAPE).save(buffer, "PNG")
            data = buffer.getvalue()
        for quality in ("1", "60", "100", "lossless", "LOSSLESS"):
            words = ("--kernel", "identity", "--quality", quality)
            after = filtered(call, tmp_path, data, *words, name=name, out="out.webp")
            assert kinds(after) == [b"VP8L" if quality.isalpha() else b"VP8 "]
            sizes[quality] = len(after)
        assert sizes["1"] < sizes["60"] < sizes["100"]
        after = filtered(call, tmp_path, data, name=name, out="out.webp")
        assert kinds(after) == [b"VP8L" if name == "in.png" else b"VP8 "]


def test_scanning_a_truncated_webp_ends() -> None:
    from convcli.images.codecs.webp import coded

    for data in (
        b"",
        b"RIFF",
        b"RIFF\0\0\0\0WEBP",
        b"RIFF\0\0\0\0WEBPANMF\0\0\0\0" * 9,
        b"\0" * 12 + b"ANMF" + b"\xff" * 40,
    ):
        file = io.BytesIO(data)
        file.seek(3)
        assert not coded(file).lossy
        assert file.tell() == 3


# By name


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(
    ("option", "value"), [("quality", "80"), ("subsampling", "4:2:0"), ("png-level", "6")]
)
def test_formats_without_an_option_refuse_it(
    call: Call, tmp_path: Path, form: str, option: str, value: str
) -> None:
    Image.fromarray(LANDSCAPE[..., 0]).save(tmp_path / "in.png")
    output = tmp_path / f"out{FORMATS[form].endings[0]}"
    result = call("filter", tmp_path / "in.png", "--kernel", "box", f"--{option}", value, "-o", output)
    takers = TAKERS[option.replace("-", "_")]
    if form in takers:
        if form == "HEIF" and "needs an extra" in result.err:
            pytest.skip("convcli[heif] is not installed")
        assert result.code == 0
        return
    assert result.code == 2  # the command line alone determines it
    message = f"{output}: --{option} belongs to {listed(takers)} output, not to {form}"
    if (form, option) == ("WEBP", "subsampling"):
        message += "; lossy WebP always has 4:2:0"
    assert one_error(result) == message
    assert not output.exists()


def test_jpeg_is_never_lossless(call: Call, tmp_path: Path) -> None:
    result = call(
        "filter",
        SAMPLES / "landscape.png",
        "--kernel",
        "box",
        "--quality",
        "lossless",
        "-o",
        tmp_path / "x.jpg",
    )
    assert result.code == 2
    (tmp_path / "in.jpg").write_bytes(jpeg_of(LANDSCAPE))
    words = ("-k", "box", "--quality", "lossless", "-o", tmp_path / "{stem}.1{ext}")
    by_input = call("filter", tmp_path / "in.jpg", *words)
    assert by_input.code == 1  # the input determines it, and another one may be done
    assert by_input.err.partition("--quality")[2] == result.err.partition("--quality")[2]
    assert one_error(result).endswith(
        "--quality lossless belongs to WEBP, HEIF, JPEGXL, JPEG2000 and J2K output; JPEG takes 1 to 100, and .png is lossless"
    )


@pytest.mark.parametrize("quality", ["0", "101", "-3", "95.5", "high", ""])
def test_wrong_qualities(call: Call, quality: str) -> None:
    result = call("filter", SAMPLES / "landscape.png", "--kernel", "box", f"--quality={quality}")
    assert result.code == 2
    assert f"{quality!r} is neither a whole number from 1 to 100 nor lossless" in one_error(result)
    assert call("filter", SAMPLES / "landscape.png", "--kernel", "box", "--subsampling", "4:2:1").code == 2


def test_matches_are_coded_as_requested(call: Call, tmp_path: Path) -> None:
    Image.fromarray(LANDSCAPE[20:40, 20:40]).save(tmp_path / "eye.png")
    Image.fromarray(LANDSCAPE).save(tmp_path / "in.png")
    words = (
        "match",
        tmp_path / "in.png",
        "--template",
        tmp_path / "eye.png",
        "-o",
        tmp_path / "map.jpg",
        "--quality",
        "33",
    )
    assert call(*words).code == 0
    assert tables((tmp_path / "map.jpg").read_bytes()) == tables(jpeg_of(LANDSCAPE[..., 0], quality=33))
