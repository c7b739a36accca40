"""Pictures written by rows read back the same as pictures written whole."""

import io
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcli.images.codecs import tiff_rows
from convcli.images.metadata.entries import ASCII, Entry
from convcli.images.modes import mode_of
from convcli.images.picture import Frame, Picture
from convcli.images.read import read_picture
from convcli.images.write import encode
from convcli.images.write_rows import rows_writer, takes_rows
from tests.conftest import SAMPLES
from tests.examples import examples

tifffile = pytest.importorskip("tifffile", reason="convcli[codecs] is not installed")
pytest.importorskip("imagecodecs", reason="convcli[codecs] is not installed")

RNG = np.random.default_rng(7)
DTYPES = ("uint8", "uint16", "uint32", "int8", "int16", "int32", "float32", "float64")


def bands(pixels: np.ndarray, heights: list[int]) -> Iterator[np.ndarray]:
    top = 0
    while top < len(pixels):
        height = heights[top % len(heights)]
        yield pixels[top : top + height]
        top += height


def by_rows(picture: Picture, form: str, heights: list[int]) -> tuple[bytes, tuple[str, ...]]:
    pixels = picture.frames[0].pixels
    writer, stream = rows_writer(picture.black(), form, 2), io.BytesIO()
    writer.write(stream, bands(pixels, heights))
    return stream.getvalue(), writer.notes


@settings(max_examples=examples(60))
@given(
    st.sampled_from(DTYPES),
    st.sampled_from([(), (2,), (3,), (4,), (6,)]),
    st.integers(1, 50),
    st.integers(1, 20),
    st.lists(st.integers(1, 17), min_size=1, max_size=4),
    st.integers(1, 2000),
    st.sampled_from(["TIFF", "NPY"]),
)
def test_rows_round_trip(
    dtype: str,
    channels: tuple[int, ...],
    height: int,
    width: int,
    heights: list[int],
    strip: int,
    form: str,
) -> None:
    pixels = (RNG.random((height, width, *channels)) * 120).astype(dtype)
    picture = Picture((Frame(pixels, mode_of(channels[0] if channels else 1, dtype)),), form)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiff_rows, "STRIP", strip)
        data, notes = by_rows(picture, form, heights)
    (frame,) = read_picture(io.BytesIO(data)).frames
    assert np.array_equal(frame.pixels, pixels) and frame.pixels.dtype == pixels.dtype
    assert frame.mode == picture.frames[0].mode
    assert notes == ()
    if form == "NPY":
        assert data == encode(picture, form, "it")[0]
    else:
        with tifffile.TiffFile(io.BytesIO(data)) as file:
            assert file.pages[0].compression == 8  # deflate, as when written whole
            assert file.pages[0].rowsperstrip == max(1, min(height, strip // pixels[0].nbytes))


@pytest.mark.parametrize("form", ["TIFF", "NPY"])
def test_metadata_and_notes_equal_those_of_a_file_written_whole(form: str) -> None:
    photo = read_picture(SAMPLES / "landscape.jpg")
    metadata = {**photo.metadata, "dpi": (300.0, 72.0), "tags": {305: Entry.of_text(b"a scanner")}}
    picture = Picture(photo.frames, form, metadata, lost=("a secret",))
    assert "icc" in metadata and metadata["tags"][305].type == ASCII
    whole, notes = encode(picture, form, "it")
    data, same = by_rows(picture, form, [100])
    assert same == notes and "left out: a secret" in notes
    assert read_picture(io.BytesIO(data)).metadata == read_picture(io.BytesIO(whole)).metadata


def test_lab_is_stored_as_in_tiff() -> None:
    picture = Picture((Frame(RNG.integers(0, 256, (40, 9, 3), np.uint8), "LAB"),), "TIFF")
    data, _ = by_rows(picture, "TIFF", [7])
    (frame,) = read_picture(io.BytesIO(data)).frames
    assert frame.mode == "LAB" and np.array_equal(frame.pixels, picture.frames[0].pixels)


def test_large_pictures_are_written_as_bigtiff(monkeypatch: pytest.MonkeyPatch) -> None:
    picture = Picture((Frame(RNG.integers(0, 256, (40, 9), np.uint8), "L"),), "TIFF", {"dpi": (90.0, 90.0)})
    assert by_rows(picture, "TIFF", [7])[0].startswith(b"II*\0")
    monkeypatch.setattr(tiff_rows, "LARGEST", 350)
    data, _ = by_rows(picture, "TIFF", [7])
    assert data.startswith(b"II+\0")
    read = read_picture(io.BytesIO(data))
    assert np.array_equal(read.frames[0].pixels, picture.frames[0].pixels)
    assert read.metadata == {"dpi": (90.0, 90.0)}


def test_errors_of_the_row_generator_are_raised() -> None:
    def failing() -> Iterator[np.ndarray]:
        yield np.zeros((8, 9), np.uint8)
        raise LookupError("no more")

    picture = Picture((Frame(np.zeros((40, 9), np.uint8), "L"),), "TIFF")
    with pytest.raises(LookupError, match="no more"):
        rows_writer(picture.black(), "TIFF").write(io.BytesIO(), failing())


def test_formats_that_take_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [form for form in ("PNG", "JPEG", "TIFF", "NPY", "PPM") if takes_rows(form)] == ["TIFF", "NPY"]
    monkeypatch.setitem(__import__("sys").modules, "imagecodecs", None)
    assert not takes_rows("TIFF")
    assert takes_rows("NPY")
