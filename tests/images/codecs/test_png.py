"""The PNG writer, checked by a strict reader that follows the standard, by Pillow and by pngcheck."""

import io
import shutil
import struct
import subprocess
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from convcli.images.codecs import png
from convcli.images.codecs.png import COLOUR_TYPES, SIGNATURE, chunk, combined_adler, encode_png
from convcli.images.coding import Coding
from convcli.images.metadata.table import Chunk
from convcli.images.modes import CHANNELS, channels_of, dtype_of
from convcli.images.picture import Frame, Picture
from convcli.images.read import read_picture
from convcli.images.write import encode
from tests.conftest import SAMPLE_NAMES, SAMPLES
from tests.examples import examples

DEEP = ("LA;16", "RGB;16", "RGBA;16")  # Pillow cannot write these
CONTENTS = ("noise", "flat", "gradient", "photograph", "drawing", "dithered")


def picture_of(mode: str, content: str, size: tuple[int, int], seed: int = 0) -> np.ndarray:
    """A picture of a kind of content, in the dtype and shape of a mode."""
    rng, (height, width) = np.random.default_rng(seed), size
    top = 65535 if mode.endswith(";16") else 255
    channels = CHANNELS[channels_of(mode)]
    shape = (height, width, channels)
    if content == "noise":
        values = rng.integers(0, top + 1, shape)
    elif content == "flat":
        values = np.full(shape, rng.integers(0, top + 1))
    elif content == "dithered":
        values = rng.integers(0, 2, shape) * top
    elif content == "drawing":
        values = np.full(shape, top)
        for _ in range(10):
            row, column = rng.integers(0, height), rng.integers(0, width)
            values[row : row + 5, column : column + 40] = rng.integers(0, top + 1, channels)
    else:
        rows, columns = np.ogrid[:height, :width]
        values = ((rows + 2 * columns) * top / (height + 2 * width))[..., None] * np.linspace(
            0.5, 1, shape[2]
        )
        if content == "photograph":
            values = values + rng.normal(0, top / 100, shape)
    values = np.clip(values, 0, top).astype(dtype_of(mode))
    return values[..., 0] if channels == 1 else values


class Parsed(NamedTuple):
    """A PNG file, as a strict reader sees it."""

    header: tuple[int, ...]
    kinds: list[bytes]
    filtered: bytes

    @property
    def rows(self) -> list[bytes]:
        """The rows of the picture, unfiltered byte by byte as section 9.2 of the standard defines it."""
        width, height, depth, colour = self.header[:4]
        pixel = {0: 1, 2: 3, 4: 2, 6: 4}[colour] * depth // 8
        length = pixel * width
        assert len(self.filtered) == height * (length + 1)
        rows, above = [], bytes(length)
        for start in range(0, len(self.filtered), length + 1):
            number, line, row = self.filtered[start], self.filtered[start + 1 : start + 1 + length], []
            for place, x in enumerate(line):
                a, b = (row[place - pixel] if place >= pixel else 0), above[place]
                c = above[place - pixel] if place >= pixel else 0
                row.append((x + predicted(number, a, b, c)) % 256)
            above = bytes(row)
            rows.append(above)
        return rows


def predicted(number: int, a: int, b: int, c: int) -> int:
    """The prediction of filter `number` from left a, above b and corner c: section 9.4 for 4, Paeth."""
    if number < 4:
        return (0, a, b, (a + b) // 2)[number]
    p = a + b - c
    pa, pb, pc = abs(p - a), abs(p - b), abs(p - c)
    if pa <= pb and pa <= pc:
        return a
    return b if pb <= pc else c


def chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The kind and data of every chunk; checks every CRC and that nothing follows the end."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at = 8
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        assert struct.unpack_from(">I", data, at + 8 + length) == (zlib.crc32(kind + body),)
        yield kind, body
        at += 12 + length
    assert at == len(data)


def parse(data: bytes) -> Parsed:
    """Read a PNG file, and fail on anything that the standard does not allow."""
    parts = list(chunks(data))
    kinds = [kind for kind, _ in parts]
    assert (kinds[0], kinds[-1], kinds.count(b"IHDR"), kinds.count(b"IEND")) == (b"IHDR", b"IEND", 1, 1)
    first, count = kinds.index(b"IDAT"), kinds.count(b"IDAT")
    assert kinds[first : first + count] == [b"IDAT"] * count
    stream = zlib.decompressobj()  # checks the header and the Adler-32
    filtered = stream.decompress(b"".join(body for kind, body in parts if kind == b"IDAT"))
    assert stream.eof and not stream.unused_data and not stream.unconsumed_tail
    return Parsed(struct.unpack(">IIBBBBB", parts[0][1]), kinds, filtered)


@pytest.fixture(params=[None, 64, 1000], ids=lambda size: f"bands of {size or 'a megabyte'}")
def bands(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int | None:
    """Bands and tiles that are small enough for tiny pictures to have many."""
    if request.param:
        monkeypatch.setattr(png, "BAND", request.param)
        monkeypatch.setattr(png, "TILE", request.param // 3)
    return request.param


@pytest.mark.parametrize("content", CONTENTS)
@pytest.mark.parametrize("mode", COLOUR_TYPES)
def test_a_strict_reader_decodes_the_pixels(bands: int | None, mode: str, content: str) -> None:
    for size in ((1, 1), (1, 9), (9, 1), (13, 7), (31, 40)):
        pixels = picture_of(mode, content, size)
        found = parse(encode_png(pixels, mode))
        depth = 8 * pixels.itemsize
        assert found.header == (size[1], size[0], depth, COLOUR_TYPES[mode], 0, 0, 0)
        wanted = pixels.astype(pixels.dtype.newbyteorder(">"))
        assert found.rows == [row.tobytes() for row in wanted]


@settings(max_examples=examples(150))
@given(data=st.data())
def test_pictures_round_trip_and_threads_change_no_byte(data: st.DataObject) -> None:
    mode, content = data.draw(st.sampled_from(list(COLOUR_TYPES))), data.draw(st.sampled_from(CONTENTS))
    size = data.draw(st.tuples(st.integers(1, 90), st.integers(1, 90)))
    pixels = picture_of(mode, content, size, data.draw(st.integers(0, 99)))
    row = pixels[0].nbytes
    with pytest.MonkeyPatch.context() as patch:
        # The last band ends just before, at and after the end of the picture, and elsewhere.
        patch.setattr(png, "BAND", row * data.draw(st.integers(1, size[0] + 1)))
        patch.setattr(png, "TILE", row * data.draw(st.integers(1, size[0] + 1)))
        files = {encode_png(pixels, mode, threads=threads) for threads in (1, 2, 3, 8)}
    (file,) = files
    parse(file)
    with Image.open(io.BytesIO(file)) as image:
        assert image.mode == {"LA;16": "RGBA"}.get(mode, mode if mode == "I;16" else channels_of(mode))
        if mode not in DEEP:
            assert (np.asarray(image) == pixels).all()
    (frame,) = read_picture(io.BytesIO(file)).frames
    assert frame.mode == mode
    assert (frame.pixels == pixels).all()


@pytest.mark.parametrize("rows", [-1, 0, 1])
def test_bands_of_full_size(rows: int) -> None:
    width = 1024
    pixels = picture_of("RGB", "photograph", (2 * png.BAND // (3 * width) + rows, width))
    files = {encode_png(pixels, "RGB", threads=threads) for threads in (None, 1, 2, 3, 8)}
    (file,) = files
    kinds = parse(file).kinds
    assert kinds.count(b"IDAT") == -(-len(pixels) // (png.BAND // (3 * width))) + 1
    assert (np.asarray(Image.open(io.BytesIO(file))) == pixels).all()


def test_rows_wider_than_a_band() -> None:
    pixels = picture_of("RGB", "gradient", (3, png.BAND // 2))
    assert (np.asarray(Image.open(io.BytesIO(encode_png(pixels, "RGB")))) == pixels).all()


def test_arrays_that_are_not_contiguous() -> None:
    pixels = picture_of("RGB", "photograph", (40, 50))
    for view in (pixels[::2, ::3], pixels[::-1], pixels.transpose(1, 0, 2)):
        assert (np.asarray(Image.open(io.BytesIO(encode_png(view, "RGB")))) == view).all()
    deep = picture_of("I;16", "photograph", (40, 50)).T
    assert (np.asarray(Image.open(io.BytesIO(encode_png(deep, "I;16")))) == deep).all()


def test_the_paeth_filter_equals_the_standards_for_all_left_above_and_corner() -> None:
    values = [*range(0, 256, 5), 1, 2, 127, 128, 254]
    for corner in values:
        left, above = np.meshgrid(np.array(values, np.uint8), np.array(values, np.uint8))
        size = left.size
        rows = np.zeros((2, 2 * size), np.uint8)
        rows[0, ::2], rows[0, 1::2], rows[1, ::2] = corner, above.ravel(), left.ravel()
        out = np.empty((1, 2 * size - 1), np.uint8)
        png._paeth(rows, 1, out)
        wanted = [-predicted(4, int(a), int(b), corner) % 256 for a, b in zip(left.ravel(), above.ravel())]
        assert out[0, ::2].tolist() == wanted


@given(st.binary(), st.binary(max_size=70000))
def test_adler_sums_combine(first: bytes, second: bytes) -> None:
    combined = combined_adler(zlib.adler32(first), zlib.adler32(second), len(second))
    assert combined == zlib.adler32(first + second)


def test_every_method_is_chosen_for_some_picture_of_its_kind() -> None:
    taken = {content: set() for content in CONTENTS}
    for content, compressions in taken.items():
        for size in ((200, 300), (300, 40)):
            rows = picture_of("RGB", content, size).reshape(size[0], -1)
            compressions.add(png._best_compression(rows, 3, 0, len(rows)))
    for content, kind in (
        ("photograph", png.PHOTOGRAPH),
        ("dithered", png.PHOTOGRAPH),
        ("drawing", png.GRAPHICS),
        ("flat", png.GRAPHICS),
    ):
        assert taken[content] <= set(kind)
    every = set().union(*taken.values())
    assert {compression.filter for compression in every} == {"none", "average", "paeth"}
    assert {compression.strategy for compression in every} == {
        compression.strategy for compression in (*png.PHOTOGRAPH, *png.GRAPHICS)
    }


METADATA = {
    "icc": read_picture(SAMPLES / "landscape.jpg").metadata["icc"],
    "exif": read_picture(SAMPLES / "landscape.jpg").metadata["exif"],
    "dpi": (300, 150),
    "xmp": b"<x:xmpmeta/>",
    "text": (
        Chunk(b"tEXt", b"Comment\0" + b"IDAT IEND" * 50),
        Chunk(b"iTXt", "Title\0\0\0de\0Überschrift\0größe".encode()),
        Chunk(b"zTXt", b"Late\0\0" + zlib.compress(b"behind the pixels"), late=True),
    ),
}


@pytest.mark.parametrize("mode", sorted(COLOUR_TYPES.keys() - DEEP))
def test_metadata_is_the_same_around_pillows_pixels(mode: str) -> None:
    picture = Picture((Frame(picture_of(mode, "photograph", (30, 20)), mode),), "PNG", METADATA)
    (ours, notes), (pillows, _) = (
        encode(picture, "PNG", "out"),
        encode(picture, "PNG", "out", coding=Coding(png_level=6)),
    )
    assert notes == ()
    assert parse(ours).kinds[:-2] != [b"IHDR", b"IDAT"]
    one, other = (read_picture(io.BytesIO(data)) for data in (ours, pillows))
    assert one.metadata == other.metadata
    assert one.metadata == {**METADATA, "dpi": pytest.approx(METADATA["dpi"], rel=1e-4)}
    assert (one.frames[0].pixels == picture.frames[0].pixels).all()

    assert rest(ours) == rest(pillows)


def rest(data: bytes) -> list[tuple[bytes, bytes]]:
    """The chunks that are not pixels."""
    return [part for part in chunks(data) if part[0] != b"IDAT"]


@pytest.mark.parametrize("mode", DEEP)
def test_16_bit_colour_has_the_metadata_of_8_bits(mode: str) -> None:
    deep, flat = (
        Picture((Frame(picture_of(name, "photograph", (30, 20)), name),), "PNG", METADATA)
        for name in (mode, channels_of(mode))
    )
    file = encode(deep, "PNG", "out")[0]
    assert rest(file)[1:] == rest(encode(flat, "PNG", "out")[0])[1:]
    found = read_picture(io.BytesIO(file))
    assert found.metadata == read_picture(io.BytesIO(encode(flat, "PNG", "out")[0])).metadata
    assert (found.frames[0].pixels == deep.frames[0].pixels).all()


@pytest.mark.parametrize("mode", DEEP)
def test_another_decoder_reads_16_bit_colour(mode: str) -> None:
    codecs = pytest.importorskip("imagecodecs", reason="convcli[codecs] is not installed")
    for content in CONTENTS:
        pixels = picture_of(mode, content, (60, 50))
        for level in (None, 0, 9):
            assert (codecs.png_decode(encode_png(pixels, mode, level=level)) == pixels).all()


@pytest.mark.parametrize("mode", DEEP)
def test_the_level_applies_to_16_bit_colour(mode: str) -> None:
    picture = Picture((Frame(picture_of(mode, "gradient", (60, 50)), mode),), "PNG")
    none, some, most = (
        encode(picture, "PNG", "out", coding=Coding(png_level=level))[0] for level in (0, 1, 9)
    )
    assert len(none) > 2 * len(some) > 2 * len(most)
    assert (read_picture(io.BytesIO(most)).frames[0].pixels == picture.frames[0].pixels).all()


def test_chunks_stay_before_or_after_the_pixels() -> None:
    before, after = chunk(b"tEXt", b"early\0x"), chunk(b"prVt", b"late")
    file = encode_png(np.zeros((2, 2), np.uint8), "L", before, after)
    assert parse(file).kinds == [b"IHDR", b"tEXt", b"IDAT", b"IDAT", b"prVt", b"IEND"]
    assert file.startswith(SIGNATURE)


STILLS = [name for name in SAMPLE_NAMES if not name.endswith(".gif")]
STILLS += [f"gallery/{path.name}" for path in sorted((SAMPLES / "gallery").glob("*.png"))]


@pytest.mark.parametrize("name", STILLS)
def test_files_are_hardly_larger_than_pillows(name: str) -> None:
    picture = read_picture(SAMPLES / name)
    ours, pillows = (
        len(encode(picture, "PNG", "out", coding=Coding(png_level=level))[0]) for level in (None, 6)
    )
    assert ours <= 1.2 * pillows


@pytest.mark.parametrize(("content", "most"), [("photograph", 1.03), ("noise", 1.03), ("drawing", 1.2)])
@pytest.mark.parametrize("mode", sorted(COLOUR_TYPES.keys() - DEEP))
def test_sizes_of_larger_pictures(mode: str, content: str, most: float) -> None:
    pixels = picture_of(mode, content, (900, 700))
    picture = Picture((Frame(pixels, mode),), "PNG")
    ours, pillows = (
        len(encode(picture, "PNG", "out", coding=Coding(png_level=level))[0]) for level in (None, 6)
    )
    assert ours <= most * pillows + 200


@pytest.mark.skipif(shutil.which("pngcheck") is None, reason="pngcheck is not installed")
@pytest.mark.parametrize("content", CONTENTS)
@pytest.mark.parametrize("mode", COLOUR_TYPES)
def test_pngcheck_finds_nothing(tmp_path: Path, bands: int | None, mode: str, content: str) -> None:
    picture = Picture((Frame(picture_of(mode, content, (60, 50)), mode),), "PNG", METADATA)
    path = tmp_path / "out.png"
    path.write_bytes(encode(picture, "PNG", "out")[0])
    done = subprocess.run(["pngcheck", path], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout[:3]) == (0, "OK:"), done.stdout


def test_the_level_is_passed_to_pillow() -> None:
    picture = Picture((Frame(picture_of("RGB", "drawing", (60, 50)), "RGB"),), "PNG")
    for level in (0, 1, 9):
        buffer = io.BytesIO()
        Image.fromarray(picture.frames[0].pixels).save(buffer, "PNG", compress_level=level)
        assert encode(picture, "PNG", "out", coding=Coding(png_level=level))[0] == buffer.getvalue()


def test_the_level_applies_to_animations() -> None:
    frames = tuple(
        Frame(picture_of("RGB", "gradient", (60, 50), k) ^ np.uint8(k), "RGB", 100) for k in range(3)
    )
    sizes = [
        len(encode(Picture(frames, "PNG", {}, loop=0), "PNG", "out", coding=Coding(png_level=level))[0])
        for level in (0, 9)
    ]
    assert sizes[0] > 2 * sizes[1]


@pytest.mark.parametrize("threads", [1, 2])
def test_an_error_in_a_band_stops_the_others_and_is_raised(
    monkeypatch: pytest.MonkeyPatch, threads: int
) -> None:
    begun, deflate = [], png._band

    def fail(rows: np.ndarray, *band: object) -> png.Band:
        begun.append(band)
        if len(begun) == 3:
            raise MemoryError("the third")
        time.sleep(0.01)
        return deflate(rows, *band)

    monkeypatch.setattr(png, "BAND", 100)
    monkeypatch.setattr(png, "_band", fail)
    with pytest.raises(MemoryError, match="the third"):
        encode_png(picture_of("RGB", "noise", (100, 20)), "RGB", threads=threads)
    assert len(begun) < 10


def test_an_interrupt_between_two_bands_stops_the_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, deflate = [], png._band

    def slow(rows: np.ndarray, *band: object) -> png.Band:
        begun.append(band)
        time.sleep(0.01)
        return deflate(rows, *band)

    def interrupt(*sums: int) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(png, "BAND", 100)
    monkeypatch.setattr(png, "_band", slow)
    monkeypatch.setattr(png, "combined_adler", interrupt)
    with pytest.raises(KeyboardInterrupt):
        encode_png(picture_of("RGB", "noise", (100, 20)), "RGB", threads=2)
    assert len(begun) < 10
