"""JPEG 2000, JPEG XL, HEIF and AVIF: read at full depth, and nothing larger than the limit is decoded."""

import io
import struct
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from PIL import Image, features

from convcli.images.codecs.boxes import Box, boxes, find
from convcli.images.codecs.identify_boxed import BOXED
from convcli.images.codecs.jpegxl_header import jpegxl_header
from convcli.images.codecs.media_items import TooManyError, coded_parts
from convcli.images.coding import Coding
from convcli.images.formats import FORMATS
from convcli.images.picture import Frame, ImageError, Picture
from convcli.images.read import read_header, read_picture
from convcli.images.write import encode
from tests.conftest import SAMPLES, Call, one_error
from tests.images.metadata.sources import PROFILE, XMP, exif

RNG = np.random.default_rng(7)
NOISE = RNG.integers(0, 256, (40, 56, 4), dtype=np.uint8)
Y, X = np.mgrid[:40, :56]
SMOOTH = np.stack([Y * 6, X * 4, (X + Y) * 2, 255 - X * 4], -1).astype(np.uint8)


def need(form: str) -> None:
    """Skip formats that the installed libraries were built without."""
    if form == "AVIF" and not features.check("avif"):
        pytest.skip("this Pillow has no AVIF")
    if form in ("JPEG2000", "J2K") and not features.check("jpg_2000"):
        pytest.skip("this Pillow has no JPEG 2000")
    if form == "HEIF":
        pytest.importorskip("pillow_heif", reason="convcli[heif] is not installed")
    if form == "JPEGXL":
        codec("JPEGXL")


def codec(name: str) -> object:
    package = pytest.importorskip("imagecodecs", reason="convcli[codecs] is not installed")
    if not getattr(package, name).available:
        pytest.skip(f"this imagecodecs has no {name}")
    return package


def written(pixels: np.ndarray, mode: str, form: str, quality: object = None, **metadata: object) -> bytes:
    need(form)
    return encode(Picture((Frame(pixels, mode),), "PNG", metadata), form, "out", Coding(quality=quality))[0]


def read(data: bytes) -> tuple[Picture, np.ndarray]:
    """Read a still picture, and check it against its header."""
    picture = read_picture(io.BytesIO(data))
    (frame,) = picture.frames
    (ahead,) = read_header(io.BytesIO(data)).frames
    assert (ahead.mode, ahead.pixels.shape, ahead.pixels.dtype) == (
        frame.mode,
        frame.pixels.shape,
        frame.pixels.dtype,
    )
    return picture, frame.pixels


# Samples


@pytest.mark.parametrize("form", ["HEIF", "JPEGXL", "JPEG2000", "J2K"])
@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_lossless_is_lossless(form: str, mode: str) -> None:
    pixels = NOISE[..., : len(mode)] if mode != "L" else NOISE[..., 0]
    picture, back = read(written(np.ascontiguousarray(pixels), mode, form, "lossless"))
    assert picture.format == form
    if (form, mode) == ("HEIF", "LA"):  # libheif returns colours for grey with alpha
        assert (back[..., 0] == back[..., 2]).all()
        back = back[..., 2:]
    assert (back == pixels).all()


@pytest.mark.parametrize("form", BOXED)
def test_a_higher_quality_loses_less(form: str) -> None:
    errors, sizes = [], []
    for quality in (30, 55, 90):
        data = written(SMOOTH[..., :3].copy(), "RGB", form, quality)
        _, back = read(data)
        errors.append(float(((back.astype(float) - SMOOTH[..., :3]) ** 2).mean()))
        sizes.append(len(data))
    assert errors == sorted(errors, reverse=True)
    assert sizes == sorted(sizes)
    assert 0 < errors[0] < 200
    assert read(written(SMOOTH[..., :3].copy(), "RGB", form, 30))[0].coded.lossy


def test_the_quality_of_jpeg_2000_is_decibels() -> None:
    for mode, pixels in (("RGB", NOISE[..., :3].copy()), ("RGB;16", NOISE[..., :3] * np.uint16(257))):
        if mode == "RGB;16":
            codec("JPEG2K")
        _, back = read(written(pixels, mode, "JPEG2000", 40))
        error = ((back.astype(float) - pixels) / np.iinfo(pixels.dtype).max) ** 2
        assert 10 * np.log10(1 / error.mean()) == pytest.approx(40, abs=2)


@pytest.mark.parametrize("bits", [10, 12])
@pytest.mark.parametrize("form", ["AVIF", "JPEG2000", "JPEGXL", "HEIF"])
def test_samples_of_more_than_8_bits_are_scaled_to_16(form: str, bits: int) -> None:
    need(form)
    values = RNG.integers(0, 2**bits, (24, 32, 3), dtype=np.uint16)
    if form == "HEIF":
        package = pytest.importorskip("pillow_heif")
        buffer = io.BytesIO()
        made = package.from_bytes("RGB;16", (32, 24), (values << (16 - bits)).tobytes())
        was, package.options.SAVE_HDR_TO_12_BIT = package.options.SAVE_HDR_TO_12_BIT, bits == 12
        made.save(buffer, quality=-1, chroma=444, matrix_coefficients=0)
        package.options.SAVE_HDR_TO_12_BIT = was
        data = buffer.getvalue()
    elif form == "AVIF":
        data = codec("AVIF").avif_encode(values, level=100, bitspersample=bits)
    elif form == "JPEGXL":
        data = bytes(codec("JPEGXL").jpegxl_encode(values, lossless=True, bitspersample=bits))
        if jpegxl_header(data).bits != bits:
            pytest.skip(f"this imagecodecs writes no {bits} bits")
    else:
        data = codec("JPEG2K").jpeg2k_encode(values, codecformat="jp2", bitspersample=bits)
    picture, back = read(bytes(data))
    assert picture.frames[0].mode == "RGB;16"
    assert (back == np.rint(values * (65535 / (2**bits - 1)))).all()


def test_grey_of_12_bits_is_scaled_with_pillow_too(monkeypatch: pytest.MonkeyPatch) -> None:
    values = RNG.integers(0, 4096, (24, 32), dtype=np.uint16)
    data = bytes(codec("JPEG2K").jpeg2k_encode(values, codecformat="j2k", bitspersample=12))
    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    picture, back = read(data)
    assert (picture.format, picture.frames[0].mode) == ("J2K", "I;16")
    assert (back == np.rint(values * (65535 / 4095))).all()


def test_grey_with_alpha_of_avif_stays_grey() -> None:
    _, back = read(written(SMOOTH[..., 2:].copy(), "LA", "AVIF", 100))
    assert back.shape[2] == 2
    assert np.abs(back.astype(int) - SMOOTH[..., 2:]).max() <= 2
    deep = codec("AVIF").avif_encode(SMOOTH[..., 2:].astype(np.uint16) * 4, level=100, bitspersample=10)
    picture, _ = read(bytes(deep))
    assert picture.frames[0].mode == "LA;16"


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_16_bit_jpeg_xl_is_marked_as_srgb(channels: int) -> None:
    pixels = RNG.integers(0, 65536, (24, 32, channels), dtype=np.uint16)
    mode = {1: "I;16", 2: "LA;16", 3: "RGB;16", 4: "RGBA;16"}[channels]
    pixels = pixels[..., 0] if channels == 1 else pixels
    data = written(pixels, mode, "JPEGXL")
    assert not jpegxl_header(bytes(codec("JPEGXL").jpegxl_encode(pixels, lossless=True))).srgb
    assert jpegxl_header(data).srgb
    picture, back = read(data)
    assert (back == pixels).all()
    assert picture.lost == ()


@pytest.mark.parametrize("form", ["AVIF", "HEIF"])
def test_chroma_subsampling_is_kept_or_as_requested(form: str) -> None:
    pixels = SMOOTH[..., :3].copy()
    need(form)
    for quality, sampling, ratio in [(90, None, (1, 1)), (60, None, (2, 2)), (90, "4:2:2", (2, 1))]:
        coding = Coding(quality=quality, subsampling=sampling)
        first = read(encode(Picture((Frame(pixels, "RGB"),), "PNG"), form, "out", coding)[0])[0]
        assert first.coded.ratio == ratio
        again = read(encode(first, form, "out", Coding(quality=95))[0])[0]
        assert again.coded.ratio == ratio
    with pytest.raises(ImageError, match="it supports the subsamplings 4:4:4, 4:2:2, 4:2:0, not 4:1:1"):
        encode(Picture((Frame(pixels, "RGB"),), "PNG"), form, "out", Coding(subsampling="4:1:1"))


# Metadata and orientation


@pytest.mark.parametrize("form", [form for form in BOXED if form != "J2K"])
def test_metadata_round_trips(form: str) -> None:
    metadata_in = {
        "icc": PROFILE,
        "exif": exif("<", orientation=1),
        "xmp": XMP,
        "dpi": (300.0, 72.0),
    }
    png = encode(Picture((Frame(SMOOTH[..., :3].copy(), "RGB"),), "PNG", metadata_in), "PNG", "out")[0]
    source, _ = read(png)
    data, notes = (need(form), encode(replace(source, coded=None), form, "out"))[1]
    picture, _ = read(data)
    kept = {kind for kind in metadata_in if kind in picture.metadata}
    for kind in kept - {"dpi"}:
        assert picture.metadata[kind] == source.metadata[kind], kind
    words = {"icc": "the ICC profile", "dpi": "the resolution"}
    reported = {kind for kind, word in words.items() if any(word in note for note in notes)}
    assert (kept | reported, kept & reported) == (metadata_in.keys(), set())
    if "dpi" in kept:
        assert picture.metadata["dpi"] == pytest.approx((300, 72), rel=1e-3)


@pytest.mark.parametrize("form", ["JPEG2000", "J2K"])
def test_comments_of_jpeg_2000_are_kept_except_those_of_encoders(form: str) -> None:
    data = written(SMOOTH[..., :3].copy(), "RGB", form, comment=b"said")
    assert read(data)[0].metadata == {"comment": b"said"}
    assert read(written(SMOOTH[..., :3].copy(), "RGB", form))[0].metadata == {}
    long = Picture((Frame(SMOOTH[..., :3].copy(), "RGB"),), "PNG", {"comment": bytes(65532)})
    assert "a comment of more than 65,531 bytes" in encode(long, form, "out")[1][0]


@pytest.mark.parametrize(("ending", "kind"), [("avif", "AVIF"), ("jp2", "JPEG 2000"), ("j2k", "JPEG 2000")])
def test_without_the_part_of_pillow_the_way_to_get_it_is_printed(
    call: Call, tmp_path: Path, ending: str, kind: str
) -> None:
    need("AVIF" if kind == "AVIF" else "J2K")
    way = f"the installed Pillow was built without {kind}; pip install -U pillow"
    name = tmp_path / f"x.{ending}"
    assert call("filter", SAMPLES / "house.png", "-k", "box", "-o", name).code == 0
    with mock.patch.object(features, "check", return_value=False):
        result = call("filter", name, "-k", "box", "-o", tmp_path / "x.png")
        assert (result.code, one_error(result)) == (1, f"cannot read {name}: {way}")
        result = call("filter", SAMPLES / "house.png", "-k", "box", "-o", name, "--force")
        assert (result.code, one_error(result)) == (1, f"cannot write {name}: {way}")


def turned_files() -> Iterator[tuple[str, bytes]]:
    """Yield files whose picture has EXIF orientation 6: rotate to the right."""
    tag = exif("<", orientation=6)
    image = Image.fromarray(SMOOTH[..., :3])
    buffer = io.BytesIO()
    if features.check("avif"):
        image.save(buffer, "AVIF", quality=100, subsampling="4:4:4", exif=tag)
        yield "AVIF", buffer.getvalue()
    if features.check("jpg_2000"):
        buffer = io.BytesIO()
        image.save(buffer, "JPEG2000")
        yield (
            "JPEG2000",
            buffer.getvalue() + box(b"uuid", b"JpgTiffExif->JP2" + tag.removeprefix(b"Exif\0\0")),
        )
    if "pillow_heif" in sys.modules or features.check("avif"):
        package = pytest.importorskip("pillow_heif")
        made = package.from_bytes("RGB", image.size, image.tobytes())
        buffer = io.BytesIO()
        made.save(buffer, quality=-1, chroma=444, matrix_coefficients=0, exif=tag)
        yield "HEIF", buffer.getvalue()


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", 8 + len(content)) + kind + content


def test_pictures_are_upright() -> None:
    tried = set()
    for form, data in turned_files():
        picture, back = read(data)
        assert picture.format == form
        assert np.abs(back.astype(int) - np.rot90(SMOOTH[..., :3], -1)).max() <= 3, form
        again, _ = read(encode(picture, "PNG", "out")[0])
        assert again.frames[0].pixels.shape == (56, 40, 3)
        tried.add(form)
    assert tried


def test_boxes_of_jpeg_xl_may_be_compressed_and_others_are_named() -> None:
    package = codec("JPEGXL")
    data = bytes(package.jpegxl_encode(SMOOTH[..., :3], lossless=True, usecontainer=True))
    packed = bytes(package.brotli_encode(XMP))
    picture, _ = read(
        data + box(b"brob", b"xml " + packed) + box(b"jbrd", b"12345") + box(b"brob", b"Exif\0broken")
    )
    assert picture.metadata == {"xmp": XMP}
    assert picture.lost == ("the box Exif, which cannot be decompressed", "the JPEG XL box jbrd")


def test_numbered_colour_spaces_are_reported() -> None:
    data = bytearray(written(SMOOTH[..., :3].copy(), "RGB", "AVIF"))
    at = data.index(b"nclx") + 4
    data[at : at + 4] = struct.pack(">HH", 12, 13)  # Display P3
    assert read(bytes(data))[0].lost == ("its colour space (primaries 12 and transfer 13 of ITU-T H.273)",)


def test_the_primary_picture_of_a_heif_file_is_read() -> None:
    package = pytest.importorskip("pillow_heif", reason="convcli[heif] is not installed")
    made = package.from_bytes("RGB", (56, 40), SMOOTH[..., :3].tobytes())
    made.add_frombytes("L", (32, 24), bytes(32 * 24))
    buffer = io.BytesIO()
    made.save(buffer, primary_index=0)
    picture, back = read(buffer.getvalue())
    assert back.shape == (40, 56, 3)
    assert picture.notes == ("only the primary one of its 2 pictures is read",)


# Animations, and the command


def test_animated_avif_keeps_its_frames_and_timing(call: Call, tmp_path: object) -> None:
    need("AVIF")
    target = tmp_path / "out.avif"
    result = call("filter", SAMPLES / "spinner.gif", "-k", "identity", "--channels", "r,g,b", "-o", target)
    assert (result.code, result.err) == (0, "")
    before, after = read_picture(SAMPLES / "spinner.gif"), read_picture(target)
    assert [frame.duration for frame in after.frames] == [frame.duration for frame in before.frames]
    for one, other in zip(before.frames, after.frames, strict=True):
        assert np.abs(one.pixels[..., :3].astype(int) - other.pixels).mean() < 6
    third = read_picture(target, frame=2).frames[0]
    assert (third.pixels == after.frames[2].pixels).all()
    assert third.duration is None
    often = encode(Picture(after.frames, "GIF", loop=3), "AVIF", "out")[1]
    assert often == ("AVIF does not carry the number of repeats",)


def test_animated_jpeg_xl_is_refused() -> None:
    data = codec("JPEGXL").jpegxl_encode(np.stack([SMOOTH[..., :3]] * 3))
    with pytest.raises(
        ImageError, match="it is an animation, which is not supported; convert it to PNG or TIFF"
    ):
        read_picture(io.BytesIO(bytes(data)))


def test_formats_without_16_bits_refuse_them(call: Call, tmp_path: object) -> None:
    for form in ("AVIF", "HEIF"):
        target = tmp_path / f"out{FORMATS[form].endings[0]}"
        result = call("filter", SAMPLES / "ramp16.png", "-k", "box", "-o", target)
        assert f"{form} cannot hold the pixel mode I;16; these can: .png, .tiff" in one_error(result)
        assert not target.exists()


def test_only_8_bit_jpeg_xl_can_be_lossy() -> None:
    with pytest.raises(
        ImageError, match=r"JPEG XL of more than 8 bits is always lossless, not of quality 80"
    ):
        written(NOISE[..., 0] * np.uint16(257), "I;16", "JPEGXL", 80)


@pytest.mark.parametrize(
    ("form", "package", "extra"), [("HEIF", "pillow_heif", "heif"), ("JPEGXL", "imagecodecs", "codecs")]
)
def test_errors_name_a_missing_extra(
    call: Call, tmp_path: object, monkeypatch: pytest.MonkeyPatch, form: str, package: str, extra: str
) -> None:
    ending = FORMATS[form].endings[0]
    (tmp_path / f"in{ending}").write_bytes(written(NOISE[..., :3].copy(), "RGB", form))
    monkeypatch.setitem(sys.modules, package, None)
    says = f"needs an extra; pip install 'convcli[{extra}]'"
    reading = call("filter", tmp_path / f"in{ending}", "-k", "box", "-o", tmp_path / "x.png")
    assert one_error(reading).startswith(f"cannot read {tmp_path}/in{ending}: ")
    writing = call("filter", SAMPLES / "house.png", "-k", "box", "-o", tmp_path / f"x{ending}")
    assert one_error(writing).startswith(f"cannot write {tmp_path}/x{ending}: ")
    damaged = tmp_path / "damaged.jpg"  # what the missing package would write is not decoded
    damaged.write_bytes((SAMPLES / "landscape.jpg").read_bytes()[:9000])
    early = call("filter", damaged, "-k", "box", "-o", tmp_path / f"x{ending}")
    dry = call("filter", SAMPLES / "house.png", "-k", "box", "-o", tmp_path / f"x{ending}", "--dry-run")
    assert dry.err == writing.err == early.err
    for result in (reading, writing, dry):
        assert result.code == 1
        assert one_error(result).endswith(says)


def test_deep_files_name_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    deep = SMOOTH[..., :3] * np.uint16(16)
    avif = bytes(codec("AVIF").avif_encode(deep, bitspersample=12))
    jp2 = bytes(codec("JPEG2K").jpeg2k_encode(deep, codecformat="jp2"))
    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    for data, bits in ((avif, 12), (jp2, 16)):
        with pytest.raises(
            ImageError, match=rf"reading {bits} bits per sample needs an extra; pip install 'convcli\[codec"
        ):
            read_picture(io.BytesIO(data))


# What headers claim


def patched(data: bytes, kind: bytes, content: bytes, after: int = 0) -> bytes:
    """Return a file with bytes overwritten at an offset in the first boxes of a kind."""
    at = 0
    while (at := data.find(kind, at)) >= 0:
        start = at + 4 + after
        data = data[:start] + content + data[start + len(content) :]
        at += 4
    return data


@pytest.mark.parametrize("form", ["AVIF", "HEIF"])
def test_a_stream_larger_than_its_picture_is_refused_before_it_is_decoded(form: str) -> None:
    """The file claims 8 x 8, but its stream, for which a decoder allocates memory, is 640 x 480."""
    data = written(np.zeros((480, 640), np.uint8), "L", form)
    assert len(data) < 3000
    lying = patched(data, b"ispe", struct.pack(">II", 8, 8), after=4)
    assert lying != data
    with pytest.raises(
        ImageError, match=r"its 307,200 pixels are over the limit of 10,000; raise it with `max_pixels=307"
    ):
        read_header(io.BytesIO(lying), 10_000)


def test_a_false_size_of_a_jpeg_2000_is_refused() -> None:
    data = written(SMOOTH[..., :3].copy(), "RGB", "JPEG2000")
    codestream = data.index(b"\xff\x4f\xff\x51")
    for width, height, why in [
        (60_000, 60_000, "its 3,600,000,000 pixels are over the limit of 200,000,000"),
        (60, 40, "the size of its codestream differs from that in the file header"),
    ]:
        lying = data[: codestream + 8] + struct.pack(">II", width, height) + data[codestream + 16 :]
        with pytest.raises(ImageError, match=why):
            read_header(io.BytesIO(lying))
    tiny = data[: codestream + 24] + struct.pack(">II", 1, 1) + data[codestream + 32 :]
    with pytest.raises(ImageError, match="pixels are over the limit of 100,000"):  # kilobytes for each tile
        read_header(io.BytesIO(tiny), 100_000)


def test_pixels_of_headers_are_counted() -> None:
    for form in BOXED:
        data = written(SMOOTH[..., :3].copy(), "RGB", form)
        read_header(io.BytesIO(data), 40 * 56)
        with pytest.raises(ImageError, match="its 2,240 pixels are over the limit of 2,239"):
            read_header(io.BytesIO(data), 40 * 56 - 1)


def test_too_many_samples_are_refused() -> None:
    """The table of a track may claim 2^32 samples of one size."""
    need("AVIF")
    frames = tuple(Frame(np.roll(SMOOTH[..., :3], step, 1), "RGB", 40.0) for step in range(3))
    data = encode(Picture(frames, "GIF"), "AVIF", "out")[0]
    file = io.BytesIO(data)
    movie = find(file, (b"moov",))
    assert movie is not None
    table = next(
        found
        for track in boxes(file, movie.start, movie.end)
        if (found := find(file, (b"mdia", b"minf", b"stbl"), track.start, track.end))
    )

    def changed(data: bytes, kind: bytes, after: int, value: int) -> bytes:
        inside = find(io.BytesIO(data), (kind,), table.start, table.end)
        assert inside is not None
        return data[: inside.start + after] + struct.pack(">I", value) + data[inside.start + after + 4 :]

    endless = changed(data, b"stsz", 4, 1)
    endless = changed(endless, b"stsz", 8, 2**32 - 1)
    endless = changed(endless, b"stsc", 12, 2**32 - 1)
    with pytest.raises(TooManyError, match=r"it lists more than [0-9,]+ coded parts in"):
        list(coded_parts(io.BytesIO(endless)))
    with pytest.raises(ImageError, match="the file is damaged or cut short"):
        read_header(io.BytesIO(endless))


def test_boxes_of_every_length() -> None:
    long = b"\0\0\0\1long" + struct.pack(">Q", 19) + b"abc"
    data = box(b"free", b"12") + long + b"\0\0\0\0rest" + b"to the end"
    file = io.BytesIO(data)
    assert list(boxes(file)) == [Box(b"free", 8, 10), Box(b"long", 26, 29), Box(b"rest", 37, 47)]
    assert list(boxes(io.BytesIO(box(b"free", b"1") + b"\0\0\0\7stop" + bytes(9)))) == [Box(b"free", 8, 9)]
    assert list(boxes(io.BytesIO(b"\0\0\0\xffcut " + bytes(9)))) == [Box(b"cut ", 8, 17)]


LOSSY = {
    "JPEG": {"quality": 90},
    "JPEG in TIFF": {"compression": "jpeg"},
    "WEBP": {"quality": 80},
    "AVIF": {"quality": 80},
    "JPEG2000": {"irreversible": True},
}
EITHER = ("WEBP", "JPEGXL", "JPEG2000", "J2K")  # formats with a lossless and a lossy coding


@pytest.mark.parametrize("form", EITHER)
def test_a_lossy_input_of_any_format_becomes_lossy(form: str) -> None:
    need(form)
    lossless = encode(Picture((Frame(SMOOTH[..., :3].copy(), "RGB"),), "PNG"), form, "out")[0]
    assert np.array_equal(read(lossless)[1], SMOOTH[..., :3])
    for name, options in LOSSY.items():
        need(name)
        buffer = io.BytesIO()
        Image.fromarray(SMOOTH[..., :3] // 2 + NOISE[..., :3] // 8).save(
            buffer, name.rpartition(" ")[2], **options
        )
        before, pixels = read(buffer.getvalue())
        assert before.coded.lossy, name
        data, _ = encode(before, form, "out")
        after, back = read(data)
        assert after.coded.lossy, name
        assert 0 < np.abs(back.astype(float) - pixels).mean() < 20, name
        whole, _ = encode(before, form, "out", Coding(quality="lossless"))
        assert np.array_equal(read(whole)[1], pixels), name
        assert len(data) < len(whole), name
