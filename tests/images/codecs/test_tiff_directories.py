"""The directories of TIFFs: counted in one pass, checked for false claims, and each reached in constant time."""

import io
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from convcli.images.codecs import tiff
from convcli.images.codecs.tiff_directories import count_pages, page_offsets
from convcli.images.codecs.tiff_pages import write_pages
from convcli.images.picture import Frame, ImageError, Picture
from convcli.images.read import read_header, read_picture
from convcli.images.write import encode

Entry = tuple[int, int, int, int]


def directory(entries: list[Entry], following: int, order: str = "<", big: bool = False) -> bytes:
    """One directory: its entries as tag, type, count and value, and the offset of the next directory."""
    one = struct.Struct(order + ("HHQQ" if big else "HHII"))
    body = b"".join(one.pack(*entry) for entry in entries)
    return (
        struct.pack(order + ("Q" if big else "H"), len(entries))
        + body
        + struct.pack(order + ("Q" if big else "I"), following)
    )


def header(first: int, order: str = "<", big: bool = False) -> bytes:
    start = b"II" if order == "<" else b"MM"
    return start + (
        struct.pack(order + "HHHQ", 43, 8, 0, first) if big else struct.pack(order + "HI", 42, first)
    )


def chain(nexts: list[int], order: str = "<", big: bool = False) -> io.BytesIO:
    """Pages of one grey pixel each; `nexts` has the number of the page after each, -1 for none."""
    kind = 16 if big else 4  # numbers as wide as their field
    values = {256: 1, 257: 1, 258: 8, 262: 1, 273: 8, 279: 1}
    entries = [(tag, kind, 1, value) for tag, value in values.items()]
    size = len(directory(entries, 0, order, big))
    start = len(header(0, order, big))
    places = [start + size * number for number in range(len(nexts))]
    body = b"".join(directory(entries, places[n] if n >= 0 else 0, order, big) for n in nexts)
    return io.BytesIO(header(start, order, big) + body)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize(
    ("nexts", "count"),
    [([-1], 1), ([1, 2, -1], 3), ([0], 1), ([1, 2, 0], 3), ([1, 2, 1], 3), ([2, -1, 1], 3)],
)
def test_pages_are_counted_once(order: str, big: bool, nexts: list[int], count: int) -> None:
    file = chain(nexts, order, big)
    assert len(page_offsets(file, "a")) == count
    if big and order == ">" and -1 not in nexts:
        return  # Pillow refuses such a file, and tifffile drops the whole cycle
    for read in (read_picture, read_header):
        file.seek(0)
        assert len(read(file).frames) == count


@pytest.mark.parametrize("cut", [9, 30, 90, 200])
def test_a_chain_that_leaves_the_file_ends_there(cut: int) -> None:
    file = chain([1, 2, -1])
    whole = page_offsets(file, "a")
    assert page_offsets(io.BytesIO(file.getvalue()[:cut]), "a") == [place for place in whole if place < cut]


def test_pages_that_overlap_are_refused() -> None:
    """Each page begins a few bytes after the previous one, and claims the rest of the file as entries."""
    data = bytearray(header(8) + bytes(20_000))
    for place in range(8, 9000, 18):
        count = (len(data) - place) // 12 - 2
        data[place : place + 2] = struct.pack("<H", count)
        end = place + 2 + 12 * count
        data[end : end + 4] = struct.pack("<I", place + 18)
    with pytest.raises(
        ImageError, match=r"cannot read a: the file is damaged \(its directories overlap\); get a whole copy"
    ):
        page_offsets(io.BytesIO(data), "a")


@pytest.mark.parametrize("read", [read_picture, read_header])
def test_tags_that_claim_the_same_bytes_are_refused(read: object) -> None:
    entries = [(tag, 7, 9000, 8) for tag in range(256, 456)]
    file = io.BytesIO(header(10_000) + bytes(9992) + directory(entries, 0))
    with pytest.raises(
        ImageError, match=r"the file is damaged \(its tags claim more bytes than it has\); get a whole"
    ):
        read(file)
    file = io.BytesIO(header(10_000) + bytes(9992) + directory([(256, 7, 2**32 - 1, 8)], 0))
    with pytest.raises(ImageError, match="its tags claim more bytes than it has"):
        read(file)


def test_a_count_beyond_the_limit_costs_one_walk(monkeypatch: pytest.MonkeyPatch) -> None:
    file = chain([*range(1, 3000), -1])
    loads = []
    load = TiffImagePlugin.ImageFileDirectory_v2.load
    monkeypatch.setattr(TiffImagePlugin.ImageFileDirectory_v2, "load", lambda *a: loads.append(load(*a)))
    with pytest.raises(
        ImageError, match=r"its 3,000 frames are over the limit of 2,999; raise it with `max_frames=3000`"
    ):
        read_picture(file, max_frames=2999)
    assert len(loads) < 5


def test_each_page_is_reached_in_constant_time() -> None:
    """Pillow looks up whether it has seen a page, here in a set instead of a list."""
    file = chain([*range(1, 50), -1])
    places = page_offsets(file, "a")
    with Image.open(file) as image:
        assert count_pages(file, "a", image) == 50
        image.seek(49)
        assert list(image._frame_pos) == places
        assert type(image._frame_pos).__contains__ is not list.__contains__
        assert all(place in image._frame_pos for place in places)
        assert 5 not in image._frame_pos


def test_deep_pages_are_opened_once(monkeypatch: pytest.MonkeyPatch) -> None:
    tifffile = pytest.importorskip("tifffile", reason="convcli[codecs] is not installed")
    stream = io.BytesIO()
    pixels = np.random.default_rng(5).integers(0, 65535, (20, 5, 7, 3), np.uint16)
    tifffile.imwrite(stream, pixels, photometric="rgb", metadata=None)
    stream.seek(0)
    opened = []
    load = tiff.load_tifffile
    monkeypatch.setattr(tiff, "load_tifffile", lambda why: opened.append(why) or load(why))
    picture = read_picture(stream)
    assert len(opened) == 2  # for the headers and for the pixels
    assert np.array_equal([frame.pixels for frame in picture.frames], pixels)


def pages(count: int) -> list[Image.Image]:
    random = np.random.default_rng(count)
    return [Image.fromarray(random.integers(0, 255, (3 + n % 4, 5), np.uint8)) for n in range(count)]


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"compression": "tiff_adobe_deflate"},
        {"compression": "tiff_lzw", "dpi": (72, 72)},
        {"tiffinfo": {270: "long enough"}},
    ],
)
def test_pages_equal_those_that_pillow_writes(settings: dict) -> None:
    images, buffer = pages(12), io.BytesIO()
    images[0].save(buffer, "TIFF", save_all=True, append_images=images[1:], **settings)
    write_pages(ours := io.BytesIO(), images, settings)
    assert ours.getvalue() == buffer.getvalue()


def test_the_work_of_a_page_does_not_grow_with_those_before(monkeypatch: pytest.MonkeyPatch) -> None:
    done = []
    read = TiffImagePlugin.AppendingTiffWriter._read
    monkeypatch.setattr(TiffImagePlugin.AppendingTiffWriter, "_read", lambda *a: done.append(1) or read(*a))

    def work(count: int) -> int:
        done.clear()
        frames = tuple(Frame(np.zeros((2, 3), np.uint8), "L") for _ in range(count))
        encode(Picture(frames, "TIFF"), "TIFF", "a")
        return len(done)

    few, many = work(20), work(80)
    assert 0 < many <= 4.5 * few


def test_many_pages_round_trip(tmp_path: Path) -> None:
    frames = tuple(Frame(np.full((2, 3), n % 251, np.uint8), "L") for n in range(400))
    (tmp_path / "a.tif").write_bytes(encode(Picture(frames, "TIFF"), "TIFF", "a")[0])
    found = read_picture(tmp_path / "a.tif").frames
    assert [int(frame.pixels[0, 0]) for frame in found] == [n % 251 for n in range(400)]
