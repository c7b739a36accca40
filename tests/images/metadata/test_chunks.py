"""PNG chunks: those that still apply are adjusted to the output, and damaged ones do not affect pixels."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from convcli.images.coding import Coding
from convcli.images.metadata import pixel_chunks, texts
from convcli.images.metadata.pixel_chunks import PngReader
from convcli.images.metadata.table import Chunk
from convcli.images.picture import Frame, Picture
from convcli.images.read import read_header, read_picture
from convcli.images.write import encode
from tests.conftest import Call
from tests.examples import examples
from tests.images.metadata.sources import (
    PROFILE,
    SIGNATURE,
    XMP,
    board,
    chunk,
    chunks,
    exif,
    png,
    profile_text,
)

GREY = board()[..., 0]
MODES = {
    "L": GREY,
    "LA": np.dstack([GREY, GREY]),
    "RGB": board(),
    "RGBA": np.dstack([board(), GREY]),
    "I;16": GREY.astype(np.uint16) * 257,
    "RGB;16": board().astype(np.uint16) * 257,
}


def kept(call: Call, tmp_path: Path, file: bytes, *words: object) -> tuple[dict[bytes, bytes], str]:
    """Filter a PNG; return the chunks of the output, and the messages about it."""
    source, target = tmp_path / "in.png", tmp_path / "out.png"
    source.write_bytes(file)
    result = call("filter", source, "-k", "box", *words, "-o", target, "--force")
    assert result.code == 0, result.err
    return dict(chunks(target.read_bytes())), result.err.replace(f"convcli: {source}: ", "")


# Damage

KINDS = [
    b"gAMA",
    b"cHRM",
    b"sRGB",
    b"iCCP",
    b"pHYs",
    b"tEXt",
    b"zTXt",
    b"iTXt",
    b"eXIf",
    b"tIME",
    b"bKGD",
    b"sBIT",
]
KINDS += [b"cICP", b"mDCV", b"cLLI", b"hIST", b"sPLT", b"prVt", b"prVT"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("late", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("damage", ["checksum", "empty", "noise", "cut"])
def test_damaged_metadata_does_not_affect_pixels(kind: bytes, late: bool, damage: str) -> None:
    noise = np.random.default_rng(int.from_bytes(kind)).bytes(40)
    broken = {
        "checksum": chunk(kind, b"a\0b", crc=123),
        "empty": chunk(kind, b""),
        "noise": chunk(kind, noise),
        "cut": chunk(kind, noise)[:-9],
    }[damage]
    if damage == "cut":
        if not late:
            return  # the following chunks are read as its data
        file = png(board())[:-12] + broken
    else:
        file = png(board(), after=(broken,)) if late else png(board(), broken)
    picture = read_picture(io.BytesIO(file))
    assert (picture.frames[0].pixels == board()).all()
    name = kind.decode()
    if damage == "checksum":
        assert picture.notes == (f"damaged metadata: the checksum of {name} is wrong",)
    if damage == "cut":
        assert picture.notes == (f"damaged metadata: {name} is cut short",)
    header = read_header(io.BytesIO(file))
    assert header.frames[0].pixels.shape == board().shape
    assert encode(picture, "PNG", "out")
    if damage == "checksum":  # the program reads the picture nevertheless
        assert name.encode() not in dict(chunks(encode(picture, "PNG", "out")[0]))


@pytest.mark.parametrize(
    ("kind", "length"), [("gAMA", 4), ("cHRM", 32), ("sRGB", 1), ("pHYs", 9), ("tIME", 7)]
)
def test_a_chunk_of_another_length_is_damaged(kind: str, length: int) -> None:
    picture = read_picture(io.BytesIO(png(board(), chunk(kind.encode(), bytes(length + 1)))))
    assert picture.notes == (f"damaged metadata: {kind} has {length + 1} bytes instead of {length}",)
    assert picture.metadata == {}


@pytest.mark.parametrize("kind", [b"IHDR", b"tRNS"])
def test_damaged_pixel_chunks_are_refused(call: Call, tmp_path: Path, kind: bytes) -> None:
    whole = png(GREY, chunk(b"tRNS", b"\0\5"))
    at = whole.index(kind) + 5
    (tmp_path / "in.png").write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
    result = call("filter", tmp_path / "in.png", "-k", "box", "-o", tmp_path / "out.png")
    assert result.code == 1
    assert "the file is damaged or cut short (it starts like a PNG but cannot be read as one)" in result.err


def test_too_many_bytes_of_chunks_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pixel_chunks, "MAX_BYTES", 100)
    file = png(
        board(),
        chunk(b"tEXt", b"a\0" + bytes(60)),
        chunk(b"tEXt", b"b\0" + bytes(60)),
        chunk(b"tEXt", b"c\0d"),
    )
    picture = read_picture(io.BytesIO(file))
    assert picture.notes == ("damaged metadata: tEXt of 62 bytes is too long",)
    assert [text.data[:1] for text in picture.metadata["text"]] == [b"a", b"c"]


def test_texts_that_decompress_to_too_much_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "MAX_INFLATED", 1000)
    bomb = zlib.compress(bytes(1001))
    file = png(
        board(), chunk(b"zTXt", b"a\0\0" + bomb), chunk(b"iCCP", b"p\0\0" + bomb), chunk(b"tEXt", b"c\0d")
    )
    picture = read_picture(io.BytesIO(file))
    assert picture.lost == ("PNG text that cannot be decompressed",)
    assert picture.notes == ("damaged metadata: the ICC profile cannot be decompressed",)
    assert picture.metadata == {"text": (Chunk(b"tEXt", b"c\0d"),)}


# What decoders see


@settings(max_examples=examples(50))
@given(
    st.lists(st.sampled_from([b"tEXt", b"gAMA", b"prVt"]), max_size=5),
    st.lists(st.integers(0, 400), max_size=8),
)
def test_decoders_see_the_file_without_metadata_chunks(kinds: list[bytes], places: list[int]) -> None:
    extra = [chunk(kind, b"a\0b") for kind in kinds]
    plain = png(GREY)
    for file in (
        png(GREY, *extra),
        png(GREY, after=tuple(extra)),
        png(GREY, *extra[:2], after=tuple(extra[2:])),
    ):
        seen = PngReader(io.BytesIO(file))
        assert seen.read() == plain
        assert seen.read() == b""
        for place in places:
            assert seen.seek(place) == place
            assert seen.tell() == place
            assert seen.read(7) == plain[place : place + 7]
            assert seen.seek(-3, 1) == max(0, min(place + 7, max(len(plain), place)) - 3)
        assert seen.seek(-12, 2) == len(plain) - 12
        assert seen.read(1 << 40) == plain[-12:]


def test_pixel_chunks_between_others_are_read_as_one_run() -> None:
    pixels = zlib.compress(b"".join(b"\0" + row.tobytes() for row in GREY))
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 48, 36, 8, 0, 0, 0, 0))
    parts = [header, chunk(b"tEXt", b"a\0b"), chunk(b"IDAT", pixels[:9]), chunk(b"IDAT", pixels[9:])]
    picture = read_picture(
        io.BytesIO(SIGNATURE + b"".join(parts) + chunk(b"tIME", bytes(7)) + chunk(b"IEND", b""))
    )
    assert (picture.frames[0].pixels == GREY).all()
    assert picture.lost == ("the PNG chunk tIME",)


# The background, in the channels and the depth of the output


@pytest.mark.parametrize("mode", MODES)
def test_the_background_and_full_significant_bits_are_kept(call: Call, tmp_path: Path, mode: str) -> None:
    array = MODES[mode]
    depth, channels = 8 * array.itemsize, 1 if array.ndim == 2 else array.shape[2]
    background = struct.pack(">H", 77) if channels < 3 else struct.pack(">3H", 10, 20, 30)
    extra = chunk(b"bKGD", background), chunk(b"sBIT", bytes([depth] * channels))
    found, message = kept(call, tmp_path, png(array, *extra))
    assert (found[b"bKGD"], found[b"sBIT"], message) == (background, bytes([depth] * channels), "")


def test_the_background_is_converted_with_the_colours(call: Call, tmp_path: Path) -> None:
    colour, grey = struct.pack(">3H", 10, 20, 30), struct.pack(">3H", 9, 9, 9)
    found, message = kept(call, tmp_path, png(board(), chunk(b"bKGD", colour)), "--gray")
    assert b"bKGD" not in found
    assert message == "PNG does not carry the PNG chunk bKGD, a colour in a grey picture\n"
    found, message = kept(call, tmp_path, png(board(), chunk(b"bKGD", grey)), "--gray")
    assert (found[b"bKGD"], message) == (struct.pack(">H", 9), "")
    found, message = kept(
        call, tmp_path, png(MODES["RGB"], chunk(b"sBIT", bytes([8, 8, 8]))), "--channels", "r"
    )
    assert (found[b"sBIT"], message) == (b"\x08", "")
    deep = Picture((Frame(MODES["RGB;16"], "RGB;16"),), "PNG", {"background": (257, 514, 65535)})
    flat = Picture((Frame(MODES["RGB"], "RGB"),), "PNG", {"background": (257, 514, 65535)})
    assert dict(chunks(encode(deep, "PNG", "out")[0]))[b"bKGD"] == struct.pack(">3H", 257, 514, 65535)
    assert dict(chunks(encode(flat, "PNG", "out")[0]))[b"bKGD"] == struct.pack(">3H", 1, 2, 255)


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
def test_backgrounds_of_few_bits_and_of_palettes(call: Call, tmp_path: Path, depth: int) -> None:
    top = 2**depth - 1
    header = struct.pack(">IIBBBBB", 8, 1, depth, 0, 0, 0, 0)
    row = chunk(b"IDAT", zlib.compress(b"\0" + bytes(depth)))
    parts = chunk(b"sBIT", bytes([depth])), chunk(b"bKGD", struct.pack(">H", top)), row, chunk(b"IEND", b"")
    found, message = kept(call, tmp_path, SIGNATURE + chunk(b"IHDR", header) + b"".join(parts))
    assert found[b"bKGD"] == struct.pack(">H", 255)
    assert (b"sBIT" in found, "sBIT" in message) == (depth == 8, depth < 8)
    header = struct.pack(">IIBBBBB", 8, 1, depth, 3, 0, 0, 0)
    palette = chunk(b"PLTE", bytes([1, 2, 3, 40, 50, 60]))
    parts = chunk(b"sBIT", b"\5\6\5"), palette, chunk(b"bKGD", b"\1"), row, chunk(b"IEND", b"")
    found, message = kept(call, tmp_path, SIGNATURE + chunk(b"IHDR", header) + b"".join(parts))
    assert found[b"bKGD"] == struct.pack(">3H", 40, 50, 60)
    assert message == "left out: the PNG chunk sBIT\n"


@pytest.mark.parametrize(
    "data",
    [b"", b"\1", b"\1\0", b"\0\0\0\0\0", struct.pack(">3H", 256, 0, 0)],
    ids=["none", "1", "2", "5", "large"],
)
def test_an_invalid_background_is_left_out(call: Call, tmp_path: Path, data: bytes) -> None:
    found, message = kept(call, tmp_path, png(board(), chunk(b"bKGD", data)))
    assert (b"bKGD" in found, message) == (False, "left out: the PNG chunk bKGD\n")


# Every kind of written PNG

METADATA = {
    "icc": PROFILE,
    "xmp": XMP,
    "aspect": (3, 1),
    "background": (0, 257, 65535),
    "bits": True,
    "chunks": (Chunk(b"gAMA", struct.pack(">I", 45455)), Chunk(b"prVt", b"late", late=True)),
    "text": (Chunk(b"tEXt", b"a\0b"), Chunk(b"iTXt", b"c\0\0\0de\0\xc3\xa4\0d", late=True)),
}


@pytest.mark.parametrize("level", [None, 1])
@pytest.mark.parametrize("count", [1, 3])
def test_stills_and_animations_at_every_level(level: int | None, count: int) -> None:
    frames = tuple(Frame(np.roll(board(), 8 * k, axis=1) // (k + 1), "RGB", 100) for k in range(count))
    picture = Picture(frames, "PNG", METADATA, loop=0 if count > 1 else None)
    data, notes = encode(picture, "PNG", "out", coding=Coding(png_level=level))
    assert notes == ()
    again = read_picture(io.BytesIO(data))
    assert (again.metadata, again.notes, again.lost) == (METADATA, (), ())
    assert len(again.frames) == count
    assert all((one.pixels == other.pixels).all() for one, other in zip(again.frames, frames))
    kinds = [kind for kind, _ in chunks(data)]
    first, last = kinds.index(b"IDAT"), max(n for n, kind in enumerate(kinds) if kind in (b"IDAT", b"fdAT"))
    assert [kinds.index(kind) < first for kind in (b"iCCP", b"gAMA", b"sBIT", b"bKGD", b"pHYs", b"tEXt")] == [
        True
    ] * 6
    assert kinds.index(b"prVt") > last
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        assert image.info["icc_profile"] == PROFILE
        assert image.info["aspect"] == (3, 1)


def test_exif_after_the_pixels_rotates_them() -> None:
    for file in (
        png(GREY, after=(chunk(b"eXIf", exif(orientation=6)),)),
        png(GREY, chunk(b"zTXt", profile_text(b"exif", b"Exif\0\0" + exif(orientation=6)))),
        png(GREY, chunk(b"zTXt", profile_text(b"APP1", b"Exif\0\0" + exif(orientation=6)))),
    ):
        assert (read_picture(io.BytesIO(file)).frames[0].pixels == np.rot90(GREY, -1)).all()
        assert read_header(io.BytesIO(file)).frames[0].pixels.shape == GREY.shape[::-1]


# Comments between formats


@pytest.mark.parametrize("comment", [b"plain", "größe".encode(), b"gr\xf6\xdfe", b"two\nlines"])
def test_comments_pass_through_png(comment: bytes) -> None:
    picture = Picture((Frame(board(), "RGB"),), "JPEG", {"comment": comment})
    for form in ("JPEG", "GIF", "PPM"):
        data, notes = encode(picture, "PNG", "out")
        assert notes == ()
        middle = read_picture(io.BytesIO(data))
        data, notes = encode(middle, form, "out")
        assert not [note for note in notes if "carry" in note]
        assert read_picture(io.BytesIO(data)).metadata["comment"] == comment
    with Image.open(io.BytesIO(encode(picture, "PNG", "out")[0])) as image:
        image.load()
        text = image.text["Comment"]
    assert text == comment.decode("utf-8" if comment != b"gr\xf6\xdfe" else "latin-1")
