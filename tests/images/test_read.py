"""Reading pictures: upright, expanded, with all frames, and with clear errors for files that cannot be read."""

import io
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps, ImageSequence
from PIL.PngImagePlugin import PngInfo

from convcli.images.metadata.entries import Entry
from convcli.images.metadata.exif import exif_directory
from convcli.images.metadata.table import Chunk
from convcli.images.modes import dtype_of
from convcli.images.picture import Frame, ImageError, Picture
from convcli.images.read import read_header, read_picture
from convcli.images.write import encode
from tests.conftest import SAMPLE_NAMES, SAMPLES


@pytest.mark.parametrize("name", SAMPLE_NAMES)
def test_samples_equal_pillows_pixels(name: str) -> None:
    picture = read_picture(SAMPLES / name)
    with Image.open(SAMPLES / name) as image:
        assert picture.format == image.format
        frames = [frame.copy() for frame in ImageSequence.Iterator(image)]
    assert len(picture.frames) == len(frames)
    for ours, theirs in zip(picture.frames, frames, strict=True):
        shown = ImageOps.exif_transpose(theirs)
        if shown.mode == "P":
            shown = shown.convert(ours.mode)
        assert (ours.pixels == np.asarray(shown)).all()
    assert picture.notes == ()


def test_orientation_is_applied_and_removed() -> None:
    with Image.open(SAMPLES / "landscape.jpg") as image:
        assert image.getexif()[0x0112] == 6
        stored = np.asarray(image)
    picture = read_picture(SAMPLES / "landscape.jpg")
    assert (picture.frames[0].pixels == np.rot90(stored, -1)).all()
    exif = Image.Exif()
    exif.load(picture.metadata["exif"])
    assert 0x0112 not in exif
    assert exif[0x010E]  # the description is kept
    assert picture.metadata["icc"]
    assert picture.metadata["dpi"] == (300, 300)


def test_animation_keeps_its_timing() -> None:
    picture = read_picture(SAMPLES / "spinner.gif")
    assert [frame.duration for frame in picture.frames] == [160] + 7 * [80]
    assert picture.loop == 0
    assert {frame.mode for frame in picture.frames} == {"RGBA"}


def exif_in(metadata: dict[str, object]) -> dict[int, object]:
    """The tags of EXIF as Pillow reads them."""
    exif = Image.Exif()
    exif.load(metadata["exif"])
    return dict(exif)


def saved(image: Image.Image, form: str, **options: object) -> io.BytesIO:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    buffer.seek(0)
    return buffer


RAMP = np.arange(24, dtype=np.uint8).reshape(4, 6)


@pytest.mark.parametrize(
    ("image", "form", "options", "mode", "dtype"),
    [
        (Image.fromarray(RAMP), "PNG", {}, "L", "uint8"),
        (Image.fromarray(RAMP > 9), "PNG", {}, "L", "uint8"),
        (Image.fromarray(RAMP), "PNG", {"transparency": 5}, "LA", "uint8"),
        (Image.fromarray(RAMP).convert("RGB"), "PNG", {"transparency": (5, 5, 5)}, "RGBA", "uint8"),
        (Image.fromarray(RAMP).convert("P"), "PNG", {}, "RGB", "uint8"),
        (Image.fromarray(RAMP).convert("P"), "PNG", {"transparency": 5}, "RGBA", "uint8"),
        (Image.fromarray(RAMP).convert("LA"), "PNG", {}, "LA", "uint8"),
        (Image.fromarray(RAMP).convert("CMYK"), "JPEG", {}, "CMYK", "uint8"),
        (Image.fromarray(RAMP.astype(np.uint16) * 999), "PNG", {}, "I;16", "uint16"),
        (Image.fromarray(RAMP.astype(np.uint16) * 999), "TIFF", {}, "I;16", "uint16"),
        (Image.fromarray(RAMP.astype(np.uint16) * 999), "PPM", {}, "I;16", "uint16"),
        (Image.fromarray(RAMP.astype(np.int32) * -99999), "TIFF", {}, "I", "int32"),
        (Image.fromarray(RAMP.astype(np.float32) / 7), "TIFF", {}, "F", "float32"),
        (Image.fromarray(RAMP).convert("RGB").convert("LAB"), "TIFF", {}, "LAB", "uint8"),
        (Image.fromarray(RAMP), "BMP", {}, "L", "uint8"),
        (Image.fromarray(RAMP).convert("RGB"), "WEBP", {"lossless": True}, "RGB", "uint8"),
    ],
)
def test_modes(image: Image.Image, form: str, options: dict[str, object], mode: str, dtype: str) -> None:
    (frame,) = read_picture(saved(image, form, **options)).frames
    assert (frame.mode, frame.pixels.dtype, frame.pixels.shape[:2]) == (mode, dtype, (4, 6))
    if mode == "I;16":
        assert (frame.pixels == RAMP.astype(np.uint16) * 999).all()


def test_transparent_palette_entries_become_transparent_pixels() -> None:
    image = Image.fromarray(RAMP).convert("P")
    image.info["transparency"] = 5
    (frame,) = read_picture(saved(image, "PNG", transparency=5)).frames
    assert ((frame.pixels[..., 3] == 0) == (np.asarray(image) == 5)).all()


def tiff(bits: tuple[int, ...], sample_format: int, data: bytes, photometric: int = 1) -> io.BytesIO:
    """Write a little-endian 1 x 1 TIFF with samples for which Pillow has no mode."""
    entries = [
        (256, 3, 1, 1), (257, 3, 1, 1), (259, 3, 1, 1), (262, 3, 1, photometric),
        (277, 3, 1, len(bits)), (278, 3, 1, 1), (279, 4, 1, len(data)),
    ]  # fmt: skip
    tail_at = 8 + 2 + 12 * (len(entries) + 3) + 4
    tail = struct.pack(f"<{len(bits)}H", *bits)
    entries += [
        (258, 3, len(bits), bits[0] if len(bits) == 1 else tail_at),
        (273, 4, 1, tail_at + len(tail)),
        (339, 3, 1, sample_format),
    ]
    ifd = b"".join(struct.pack("<HHII", *entry) for entry in sorted(entries))
    return io.BytesIO(b"II*\0" + struct.pack("<IH", 8, len(entries)) + ifd + bytes(4) + tail + data)


def png16(colour_type: int, samples: int) -> io.BytesIO:
    """Write a 1 x 1 PNG with 16 bits per channel."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 1, 1, 16, colour_type, 0, 0, 0)
    body = zlib.compress(b"\0" + bytes(range(2 * samples)))
    return io.BytesIO(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("stream", "mode", "values"),
    [
        (png16(2, 3), "RGB;16", [0x0001, 0x0203, 0x0405]),
        (png16(4, 2), "LA;16", [0x0001, 0x0203]),
        (png16(6, 4), "RGBA;16", [0x0001, 0x0203, 0x0405, 0x0607]),
        (io.BytesIO(b"P6 1 1 65535\n" + bytes(range(6))), "RGB;16", [0x0001, 0x0203, 0x0405]),
        (io.BytesIO(b"P6 1 1 1023\n\0\0\3\377\4\0"), "RGB;16", [0, 65535, 65535]),
    ],
)
def test_16_bit_colour_is_read_at_full_depth(stream: io.BytesIO, mode: str, values: list[int]) -> None:
    (frame,) = read_picture(stream).frames
    assert (frame.mode, frame.pixels.dtype, frame.pixels.tolist()) == (mode, "uint16", [[values]])


@pytest.mark.parametrize(("transparent", "alpha"), [(b"\0\1\2\3\4\5", 0), (b"\0\1\2\3\4\4", 65535)])
def test_the_transparent_colour_of_16_bits_becomes_alpha(transparent: bytes, alpha: int) -> None:
    data = png16(2, 3).getvalue()
    at = data.index(b"IDAT") - 4
    chunk = (
        struct.pack(">I", 6) + b"tRNS" + transparent + struct.pack(">I", zlib.crc32(b"tRNS" + transparent))
    )
    (frame,) = read_picture(io.BytesIO(data[:at] + chunk + data[at:])).frames
    assert (frame.mode, frame.pixels.tolist()) == ("RGBA;16", [[[0x0001, 0x0203, 0x0405, alpha]]])


@pytest.mark.parametrize("orientation", range(1, 9))
def test_16_bit_colour_is_rotated_like_8_bits(orientation: int) -> None:
    pixels = np.random.default_rng(3).integers(0, 65536, (4, 6, 3), dtype=np.uint16)
    exif = Image.Exif()
    exif[0x0112] = orientation
    metadata = {"exif": exif.tobytes()}
    deep, flat = (
        read_picture(io.BytesIO(encode(Picture((Frame(values, mode),), "PNG", metadata), "PNG", "out")[0]))
        for values, mode in ((pixels, "RGB;16"), ((pixels >> 8).astype(np.uint8), "RGB"))
    )
    assert (deep.frames[0].pixels >> 8 == flat.frames[0].pixels).all()
    assert deep.metadata == flat.metadata


def test_16_bit_colour_is_refused_instead_of_reduced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tifffile", None)
    message = (
        r"it has 16 bits per colour channel, which would be reduced to 8; pip install 'convcli\[codecs\]'$"
    )
    with pytest.raises(ImageError, match=message):
        read_picture(tiff((16, 16, 16), 1, bytes(6), photometric=2))


def test_16_bit_grey_is_read() -> None:
    assert read_picture(png16(0, 1)).frames[0].pixels.tolist() == [[1]]
    assert read_picture(io.BytesIO(b"P5 1 1 65535\n\x01\x02")).frames[0].pixels.tolist() == [[0x0102]]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("text.png", b"hello", "it is not a picture in a supported format (PNG JPEG WEBP TIFF "),
        ("empty.png", b"", "empty.png: it is not a picture"),
        ("program.eps", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 1 1\n", "it is not a picture in a supported format"),
        ("cut.png", (SAMPLES / "house.png").read_bytes()[:9999], "cut.png: the file is damaged or cut short ("),
        ("cut.jpg", (SAMPLES / "landscape.jpg").read_bytes()[:9999], "cut.jpg: the file is damaged or cut short ("),
        ("cut.gif", (SAMPLES / "spinner.gif").read_bytes()[:9999], "cut.gif: the file is damaged or cut short ("),
    ],
)  # fmt: skip
def test_files_that_are_not_pictures(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ImageError) as error:
        read_picture(tmp_path / name)
    assert "cannot read" in str(error.value)
    assert message in str(error.value)


def test_paths_that_are_not_files(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"none.png: there is no such file; check the spelling"):
        read_picture(tmp_path / "none.png")
    with pytest.raises(ImageError, match="it is a folder; name one picture in it"):
        read_picture(tmp_path)


def test_pixels_of_all_frames_are_limited() -> None:
    with pytest.raises(
        ImageError, match=r"its frames have at least 100,352 pixels, over the limit of 100,351; raise"
    ):
        read_picture(SAMPLES / "spinner.gif", 112 * 112 * 8 - 1)
    assert read_picture(SAMPLES / "spinner.gif", 112 * 112 * 8)
    with pytest.raises(
        ImageError, match=r"its 128,000 pixels are over the limit of 9; raise it with `max_pixels=128000`"
    ):
        read_picture(SAMPLES / "house.png", 9)


def pages(*images: Image.Image) -> io.BytesIO:
    return saved(images[0], "TIFF", save_all=True, append_images=images[1:])


def test_a_small_first_page_does_not_hide_a_large_one() -> None:
    stream = pages(Image.new("L", (1, 1)), Image.new("L", (100, 100)))
    with pytest.raises(ImageError, match="its frames have at least 10,001 pixels"):
        read_picture(stream, 10_000)


@pytest.mark.parametrize(
    ("bits", "sample_format", "data", "mode", "value"),
    [
        (32, 2, struct.pack("<i", -7), "I", -7),
        (32, 1, struct.pack("<I", 4_000_000_000), "L;uint32", 4_000_000_000),
        (16, 2, struct.pack("<h", -7), "L;int16", -7),
        (8, 2, b"\xff", "L;int8", -1),
    ],
)
def test_samples_are_unchanged(
    monkeypatch: pytest.MonkeyPatch, bits: int, sample_format: int, data: bytes, mode: str, value: int
) -> None:
    monkeypatch.setitem(sys.modules, "tifffile", None)
    for reader in (read_picture, read_header):
        (frame,) = reader(tiff((bits,), sample_format, data)).frames
        assert (frame.mode, frame.pixels.dtype) == (mode, dtype_of(mode))
        assert frame.pixels.tolist() == [[value if reader is read_picture else 0]]


def test_a_plain_bitmap_is_read() -> None:
    picture = read_picture(io.BytesIO(b"P1\n3 2\n1 0 1 0 1 1\n"))
    assert picture.frames[0].pixels.tolist() == [[0, 255, 0], [255, 0, 0]]


def test_every_truncation_of_every_kind_of_file_is_read_or_an_image_error() -> None:
    streams = [pages(Image.fromarray(RAMP), Image.new("RGB", (30, 20)), Image.new("L", (10, 60)))]
    streams += [io.BytesIO((SAMPLES / name).read_bytes()) for name in SAMPLE_NAMES]
    for stream in streams:
        whole = stream.getvalue()
        for share in (0.02, 0.05, 0.2, 0.4, 0.6, 0.75, 0.85, 0.99):
            try:
                assert read_picture(io.BytesIO(whole[: int(len(whole) * share)])).frames
            except ImageError as error:
                assert "cannot read standard input: " in str(error)


def test_a_gif_without_its_end_is_noted() -> None:
    whole = (SAMPLES / "spinner.gif").read_bytes()
    assert read_picture(io.BytesIO(whole[:-1])).notes == (
        "the file has no end marker; frames may be missing",
    )


def test_a_still_picture_before_an_animation_is_marked() -> None:
    frames = [Image.fromarray(RAMP + step) for step in range(3)]
    stream = saved(
        frames[0], "PNG", save_all=True, append_images=frames[1:], default_image=True, duration=[30, 50]
    )
    picture = read_picture(stream)
    assert picture.poster
    assert [frame.duration for frame in picture.frames][1:] == [30, 50]


def test_descriptions_and_xmp_are_read() -> None:
    tags = {270: "a ramp", 315: "an artist"}
    read = read_picture(saved(Image.fromarray(RAMP), "TIFF", tiffinfo=tags))
    assert exif_in(read.metadata) == tags
    xmp = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>hello</x:xmpmeta>"
    assert read_picture(saved(Image.fromarray(RAMP), "JPEG", xmp=xmp)).metadata["xmp"] == xmp


@pytest.mark.parametrize("depth", [1, 2, 4])
@pytest.mark.parametrize("transparent", [0, 1])
def test_the_transparent_grey_of_few_bits_becomes_alpha(depth: int, transparent: int) -> None:
    header = struct.pack(">IIBBBBB", 8 // depth, 1, depth, 0, 0, 0, 0)
    values = [place % 2**depth for place in range(8 // depth)]
    row = sum(value << 8 - depth * (place + 1) for place, value in enumerate(values))
    parts = [
        (b"IHDR", header),
        (b"tRNS", struct.pack(">H", transparent)),
        (b"IDAT", zlib.compress(bytes([0, row]))),
    ]
    chunks = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in (*parts, (b"IEND", b""))
    )
    (frame,) = read_picture(io.BytesIO(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))).frames
    assert frame.mode == "LA"
    assert frame.pixels[0, :, 0].tolist() == [value * 255 // (2**depth - 1) for value in values]
    assert frame.pixels[0, :, 1].tolist() == [0 if value == transparent else 255 for value in values]


def test_the_transparent_grey_of_16_bits_becomes_alpha() -> None:
    stream = saved(Image.fromarray(RAMP.astype(np.uint16) * 999), "PNG", transparency=5 * 999)
    (frame,) = read_picture(stream).frames
    assert frame.mode == "LA;16"
    assert (frame.pixels[..., 0] == RAMP.astype(np.uint16) * 999).all()
    assert (frame.pixels[..., 1] == np.where(RAMP == 5, 0, 65535)).all()


def test_the_first_picture_of_a_multi_picture_jpeg_is_read() -> None:
    image = Image.fromarray(RAMP)
    stream = saved(image, "MPO", save_all=True, append_images=[image])
    picture = read_picture(stream)
    assert (picture.format, len(picture.frames)) == ("JPEG", 1)
    assert picture.notes == ("only the first of its 2 pictures is read",)


def test_damaged_metadata_is_a_note() -> None:
    image = Image.fromarray(RAMP)
    stream = saved(image, "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\xff\xff\0\0")
    picture = read_picture(stream)
    assert picture.frames[0].pixels.shape == (4, 6)
    mine, pillows = picture.notes
    assert mine.startswith("its EXIF is damaged and left out (")
    assert pillows.startswith("damaged metadata: ")


# Cases found with the test pictures of other projects


def test_unreadable_exif_is_left_out_and_noted() -> None:
    damaged = b"Exif\0\0\xff\xff\xff\xff\0\0\0\x08\0\x04"
    picture = read_picture(saved(Image.fromarray(RAMP), "JPEG", exif=damaged, dpi=(72, 72)))
    assert picture.frames[0].pixels.shape == RAMP.shape
    assert "exif" not in picture.metadata
    (note,) = picture.notes
    assert note.startswith("its EXIF is damaged and left out (")


def oriented(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


XMP = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><a tiff:Orientation="6"/></x:xmpmeta>'


@pytest.mark.parametrize("kind", ["xmp", "raw profile"])
def test_an_orientation_in_a_text_chunk_is_applied_once(kind: str) -> None:
    info = PngInfo()
    if kind == "xmp":
        info.add_itxt("XML:com.adobe.xmp", XMP)
    else:
        body = b"Exif\0\0" + oriented(6).tobytes().removeprefix(b"Exif\0\0")
        info.add_text("Raw profile type exif", f"\nexif\n{len(body):8}\n{body.hex()}\n")
    info.add_text("Title", "a ramp")
    once = read_picture(saved(Image.fromarray(RAMP), "PNG", pnginfo=info))
    assert (once.frames[0].pixels == np.rot90(RAMP, -1)).all()
    assert once.metadata["text"] == (Chunk(b"tEXt", b"Title\0a ramp"),)
    again = read_picture(io.BytesIO(encode(once, "PNG", "out")[0]))
    assert (again.frames[0].pixels == once.frames[0].pixels).all()
    assert again.metadata == once.metadata
    if kind == "xmp":
        assert again.metadata["xmp"] == XMP.replace("6", "1").encode()
    else:
        assert "exif" not in again.metadata  # it had only the orientation


def test_xmp_is_copied_between_formats() -> None:
    xmp = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>gr\xc3\xb6\xc3\x9fe</x:xmpmeta>"
    picture = read_picture(saved(Image.fromarray(RAMP), "JPEG", xmp=xmp))
    for form in ("PNG", "TIFF", "WEBP", "JPEG"):
        data, notes = encode(picture, form, "out")
        assert notes == ()
        assert read_picture(io.BytesIO(data)).metadata["xmp"] == xmp


def test_texts_of_a_tiff_keep_their_bytes() -> None:
    stream = saved(Image.fromarray(RAMP), "TIFF", tiffinfo={270: b"Photoshop\xa8 4.0", 271: "maker"})
    picture = read_picture(stream)
    assert exif_in(picture.metadata) == {270: "Photoshop¨ 4.0", 271: "maker"}
    assert read_picture(io.BytesIO(encode(picture, "TIFF", "out")[0])).metadata == picture.metadata


def test_tags_of_the_wrong_type_are_not_read_as_text() -> None:
    image = Image.fromarray(RAMP)
    image.save(stream := io.BytesIO(), "TIFF", tiffinfo={270: "abcd"})
    data = stream.getvalue()
    at = data.index(struct.pack("<HH", 270, 2))
    picture = read_picture(io.BytesIO(data[: at + 2] + struct.pack("<H", 4) + data[at + 4 :]))
    (entry,) = exif_directory(picture.metadata["exif"]).values()
    assert entry == Entry(4, entry.data)  # it is copied unchanged
    again = read_picture(io.BytesIO(encode(picture, "TIFF", "out")[0]))
    assert again.metadata == picture.metadata


def test_exif_directories_of_a_tiff_are_read() -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = "2026:01:01 00:00:00"
    picture = read_picture(saved(Image.fromarray(RAMP), "TIFF", exif=exif.tobytes()))
    assert picture.notes == ()
    exif.load(picture.metadata["exif"])
    assert exif.get_ifd(0x8769)[0x9003] == "2026:01:01 00:00:00"


def test_a_resolution_is_only_read_if_there_is_one() -> None:
    assert "dpi" not in read_picture(saved(Image.fromarray(RAMP), "TIFF")).metadata
    dpi = read_picture(saved(Image.fromarray(RAMP), "TIFF", dpi=(72, 96))).metadata["dpi"]
    assert (dpi, type(dpi[0])) == ((72.0, 96.0), float)


def test_a_tiff_of_webp_needs_the_extra_and_libtiff_writes_nothing(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    stream = tiff((8, 8, 8), 1, b"\0" * 3, photometric=2)
    data = stream.getvalue().replace(
        struct.pack("<HHIHH", 259, 3, 1, 1, 0), struct.pack("<HHIHH", 259, 3, 1, 50001, 0)
    )
    assert data != stream.getvalue()
    monkeypatch.setitem(sys.modules, "tifffile", None)
    with pytest.raises(ImageError, match="reading its WebP compression needs an extra; pip install"):
        read_picture(io.BytesIO(data))
    assert capfd.readouterr() == ("", "")


def test_pillows_log_is_not_on_stderr(
    program: Callable[..., subprocess.CompletedProcess[bytes]], tmp_path: Path
) -> None:
    data = tiff((8,), 1, b"\0").getvalue()
    many = data.replace(struct.pack("<HHIHH", 277, 3, 1, 1, 0), struct.pack("<HHIHH", 277, 3, 1, 65535, 0))
    assert many != data
    (tmp_path / "x.tiff").write_bytes(many)
    run = program("filter", "x.tiff", "-k", "box")
    assert (run.returncode, run.stdout) == (1, b"")
    (line,) = run.stderr.decode().splitlines()
    assert line.startswith("convcli: error: cannot read x.tiff: ")


def test_a_thousand_problems_give_a_few_notes() -> None:
    """Each chunk has a wrong checksum; each EXIF tag claims more bytes than the file has."""
    buffer = io.BytesIO()
    Image.new("L", (3, 3)).save(buffer, "PNG")
    data = buffer.getvalue()
    wrong = b"".join(
        struct.pack(">I", 1) + kind + b"x" + bytes(4) for kind in (b"abCd", b"efGh", b"ijKl") * 500
    )
    entries = b"".join(struct.pack("<HHII", 40000 + n, 7, 900, 8) for n in range(500))
    exif = b"II*\0\x08\0\0\0" + struct.pack("<H", 500) + entries + bytes(4)
    exif_chunk = struct.pack(">I", len(exif)) + b"eXIf" + exif
    exif_chunk += struct.pack(">I", zlib.crc32(exif_chunk[4:]))
    picture = read_picture(io.BytesIO(data[:33] + wrong + exif_chunk + data[33:]))
    assert 0 < len(picture.notes) < 40
    assert all(len(note) <= 1200 for note in picture.notes)
