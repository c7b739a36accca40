"""Directories of tags round-trip between this package and Pillow, in both directions."""

import io
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, TiffImagePlugin

from convcli.images.metadata.entries import (
    ASCII,
    DOUBLE,
    EXIF,
    GPS,
    INTEROP,
    RATIONAL,
    SHORT,
    UNDEFINED,
    Directory,
    DirectoryError,
    DirectoryReader,
    Entry,
    add_tags,
)
from convcli.images.metadata.exif import cleaned_exif, exif_bytes, exif_directory, sized_exif
from tests.examples import examples
from tests.images.metadata import sources

WIDTHS = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}
TAGS = st.integers(1, 65535).filter(lambda tag: tag not in (EXIF, GPS, INTEROP))


@st.composite
def entries(draw: st.DrawFn) -> Entry:
    kind = draw(st.sampled_from(sorted(WIDTHS)))
    count = draw(st.integers(1, 9))
    return Entry(kind, draw(st.binary(min_size=count * WIDTHS[kind], max_size=count * WIDTHS[kind])))


FLAT = st.dictionaries(TAGS, entries(), max_size=6)
TREES = st.builds(
    lambda page, camera, place, both: {
        **page,
        EXIF: {**camera, INTEROP: both} if both else {**camera},
        GPS: {**place},
    },
    FLAT, FLAT, FLAT, FLAT,
)  # fmt: skip


def read(data: bytes) -> Directory:
    reader = DirectoryReader(io.BytesIO(data))
    found = reader.read(reader.first)
    assert reader.damaged == []
    return found


@given(TREES, st.sampled_from("<>"))
def test_written_directories_are_read_back(tree: Directory, order: str) -> None:
    data = exif_bytes(tree, order)
    assert data.startswith(b"Exif\0\0" + (b"II*\0" if order == "<" else b"MM\0*"))
    assert exif_directory(data) == tree


@given(FLAT, st.sampled_from("<>"))
def test_pillow_reads_written_directories(directory: dict[int, Entry], order: str) -> None:
    whole = {tag: entry for tag, entry in directory.items() if entry.type in (SHORT, UNDEFINED, DOUBLE)}
    data = exif_bytes(whole, order).removeprefix(b"Exif\0\0")
    found = TiffImagePlugin.ImageFileDirectory_v2(data[:8])
    file = io.BytesIO(data)
    file.seek(found.next)
    found.load(file)
    assert set(found) == set(whole)
    for tag, entry in whole.items():
        numbers = found._tagdata[tag]
        swapped = np.frombuffer(numbers, f"{order}u{WIDTHS[entry.type]}").astype(f"<u{WIDTHS[entry.type]}")
        assert (swapped.tobytes(), found.tagtype[tag]) == (entry.data, entry.type)


def test_equal_values_are_written_once() -> None:
    profile = bytes(range(256)) * 40
    one = exif_bytes({700: Entry(7, profile)})
    assert len(exif_bytes({700: Entry(7, profile), 701: Entry(1, profile)})) == len(one) + 12


PAGES = [np.full((4, 5 + number), 40 * number, np.uint8) for number in range(4)]
ADDED: list[Directory] = [
    {270: Entry.of_text(b"the first"), 33550: Entry.of(DOUBLE, 1, 2, 3)},
    {},
    {270: Entry.of_text(b"the third \xe9"), EXIF: {36867: Entry.of_text(b"2017:08:21 15:08:00")}},
    {33550: Entry.of(DOUBLE, 1, 2, 3), GPS: {2: Entry.of(RATIONAL, 51, 1, 30, 1, 0, 1)}},
]


@pytest.mark.parametrize("kind", ["classic", "big", "big-endian", "big and big-endian"])
def test_tags_are_added_to_pages(kind: str) -> None:
    tifffile = pytest.importorskip("tifffile")
    file = io.BytesIO()
    order = ">" if "endian" in kind else "<"
    with tifffile.TiffWriter(
        file, bigtiff=kind.startswith("big") and kind != "big-endian", byteorder=order
    ) as writer:
        for page in PAGES:
            writer.write(
                page, photometric="minisblack", metadata=None, extratags=[(285, "s", 0, "named", True)]
            )
    before = file.getvalue()
    add_tags(file, ADDED)
    assert file.getvalue()[16 : len(before)] == before[16:], (
        "only the place of the first directory is another"
    )
    file.seek(0)
    with tifffile.TiffFile(file) as found:
        assert len(found.pages) == 4
        for page, tags, wanted in zip(found.pages, ADDED, PAGES):
            assert (page.asarray() == wanted).all()
            assert page.tags.valueof(285) == "named"
            assert (33550 in page.tags) == (33550 in tags)
        assert [page.tags.valueof(270) for page in found.pages[:1]] == ["the first"]
        assert found.pages[2].tags[EXIF].value["DateTimeOriginal"] == "2017:08:21 15:08:00"
        assert found.pages[3].tags[GPS].value["GPSLatitude"] == (51, 1, 30, 1, 0, 1)
    if not kind.startswith("big "):
        with Image.open(file) as image:
            assert image.n_frames == 4
            image.seek(2)
            assert image.tag_v2[270] == "the third é"


def test_an_existing_tag_is_replaced() -> None:
    file = io.BytesIO()
    Image.fromarray(PAGES[1]).save(file, "TIFF", description="old")
    add_tags(file, [{270: Entry.of_text(b"new")}])
    with Image.open(file) as image:
        assert image.tag_v2[270] == "new"
        assert (np.asarray(image) == PAGES[1]).all()


def test_nothing_is_written_without_tags() -> None:
    file = io.BytesIO()
    Image.fromarray(PAGES[1]).save(file, "TIFF")
    before = file.getvalue()
    add_tags(file, [{}])
    assert file.getvalue() == before


# Damage


@settings(max_examples=examples(300))
@given(st.data())
def test_damage_is_an_error_or_leaves_something_out(data: st.DataObject) -> None:
    whole = bytearray(sources.exif(data.draw(st.sampled_from("<>"))))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, 200))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(8, len(whole)))
    try:
        kept, _ = cleaned_exif(bytes(whole[:cut]))
    except DirectoryError as error:
        assert str(error)
        return
    assert b"\xff\xd8\xff" not in kept
    assert len(kept) < 2 * len(whole)
    if kept:
        exif_directory(sized_exif(kept, 7, 5))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "it has no TIFF header"),
        (b"II*\0", "it has no TIFF header"),
        (b"II+\0\x08\0\0\0", "it has no TIFF header"),
        (b"no exif at all", "it has no TIFF header"),
        (b"II*\0\xff\0\0\0", "there is no directory at 255"),
        (b"II*\0\x08\0\0\0\xff\xff", "its directories overlap, or one is longer than the file"),
    ],
)
def test_data_without_a_directory_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(DirectoryError, match=why):
        cleaned_exif(data)


def test_circular_directories_end() -> None:
    entry = struct.pack("<HHII", EXIF, 4, 1, 8)  # the directory that contains it
    kept, _ = cleaned_exif(b"II*\0\x08\0\0\0\1\0" + entry + bytes(4))
    assert kept == b""


def test_values_that_share_their_bytes_take_no_more_memory_than_the_file() -> None:
    """Read a thousand tags that each claim the whole file from a different offset."""
    count, size = 1000, 100_000
    end = 8 + 2 + 12 * count + 4
    tags = b"".join(struct.pack("<HHII", 1000 + n, UNDEFINED, size, end + n) for n in range(count))
    data = b"II*\0\x08\0\0\0" + struct.pack("<H", count) + tags + bytes(4) + bytes(size + count)
    reader = DirectoryReader(io.BytesIO(data))
    found = reader.read(reader.first)
    assert sum(len(entry.data) for entry in found.values()) <= 3 * len(data)
    assert len(reader.damaged) == count - len(found)
    kept, lost = cleaned_exif(data)
    assert len(kept) <= 3 * len(data)
    assert lost[0].startswith("EXIF that is damaged (tags 1003")


def test_texts_keep_their_bytes() -> None:
    entry = Entry.of_text(b"\xff\xfe any\0")
    assert (entry.type, entry.data, entry.text, entry.numbers) == (
        ASCII,
        b"\xff\xfe any\0",
        b"\xff\xfe any",
        (),
    )


def test_the_work_for_shared_values_is_limited_to_three_times_the_file() -> None:
    """Each value is searched for pictures, so sharing must not multiply the work."""
    count, size = 2000, 50_000
    end = 8 + 2 + 12 * count + 4
    tags = b"".join(struct.pack("<HHII", 1000 + n, UNDEFINED, size, end) for n in range(count))
    data = b"II*\0\x08\0\0\0" + struct.pack("<H", count) + tags + bytes(4) + bytes(size)
    found = DirectoryReader(io.BytesIO(data)).read(8)
    assert 0 < sum(len(entry.data) for entry in found.values()) <= 3 * len(data)
    _, lost = cleaned_exif(data)
    assert lost[0].endswith(f" and {count - len(found) - 100:,} more)")
