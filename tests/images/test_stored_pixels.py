"""Pixels that stay in their file: every kind of .npy, conversions block by block, and files that change meanwhile."""

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcli.filters.picture_colours import Colours
from convcli.images import stored_pixels
from convcli.images.picture import ImageError
from convcli.images.read import open_picture, read_picture

RNG = np.random.default_rng(6)
DTYPES = ("uint8", ">u2", "int16", "<u4", "float16", ">f4", "float64", "bool")


def saved(array: np.ndarray) -> io.BytesIO:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream


@given(
    st.sampled_from(DTYPES),
    st.integers(4, 40),
    st.integers(1, 20),
    st.sampled_from([(), (1,), (2,), (3,), (5,)]),
    st.booleans(),
    st.integers(1, 3),
    st.integers(1, 400),
)
def test_stored_arrays_equal_those_read_whole(
    dtype: str,
    height: int,
    width: int,
    channels: tuple[int, ...],
    fortran_order: bool,
    frames: int,
    block: int,
) -> None:
    array = (RNG.random((height, width, *channels)) * 200).astype(dtype)
    chosen = None
    if frames > 1 and channels and not fortran_order:
        array = (RNG.random((frames, height, width, *channels)) * 200).astype(dtype)
        chosen = frames - 1
    stream = saved(np.asfortranarray(array) if fortran_order else array)
    whole = read_picture(stream, frame=chosen)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stored_pixels, "BLOCK", block)
        patch.setattr(stored_pixels, "LONG", 7)
        with open_picture(stream, frame=chosen) as opened:
            picture = opened.stored()
            assert picture is not None
            found = np.array(list(picture.frames[0].pixels))
    assert np.array_equal(found, whole.frames[0].pixels) and found.dtype == whole.frames[0].pixels.dtype
    assert found.dtype == picture.frames[0].pixels.dtype
    assert (picture.frames[0].mode, picture.notes) == (whole.frames[0].mode, whole.notes)


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((40, 5), np.int64),  # may fit 32 bits
        np.zeros((2, 40, 5, 3)),  # all frames
        np.zeros((3, 5)),  # one block would be the whole picture
    ],
)
def test_others_are_read_whole(array: np.ndarray) -> None:
    with open_picture(saved(array)) as opened:
        assert opened.stored() is None


@pytest.mark.parametrize(
    "colours", [Colours(gray=True), Colours(channels=("b",)), Colours(channels=("g", "r"))]
)
def test_channels_and_grey_are_converted_block_by_block(colours: Colours) -> None:
    stream = saved(RNG.integers(0, 256, (40, 9, 3), np.uint8))
    whole = colours.converted(read_picture(stream), "it")
    with open_picture(stream) as opened:
        stored = opened.stored()
        assert stored is not None
        picture = colours.stored(stored, "it")
        pixels = picture.frames[0].pixels
        assert (pixels.shape, pixels.dtype) == (whole.frames[0].pixels.shape, whole.frames[0].pixels.dtype)
        assert np.array_equal(np.array(list(pixels)), whole.frames[0].pixels)
    assert (picture.frames[0].mode, picture.notes) == (whole.frames[0].mode, whole.notes)


def test_a_file_truncated_while_it_is_read_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "in.npy"
    np.save(path, np.zeros((400, 50)))
    with open_picture(path) as opened:
        stored = opened.stored()
        assert stored is not None
        with path.open("r+b") as file:
            file.truncate(5000)
        with pytest.raises(
            ImageError, match=r"in.npy: the file is damaged or cut short \(it ends after 5,000 bytes\)"
        ):
            list(stored.frames[0].pixels)
