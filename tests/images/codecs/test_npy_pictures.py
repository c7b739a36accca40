"""Arrays as pictures: every real dtype, any number of channels, nothing unpickled."""

import io
import pickle
from pathlib import Path

import numpy as np
import pytest

from convcli.images.modes import mode_of
from convcli.images.picture import Frame, ImageError, Picture
from convcli.images.read import read_header, read_picture
from convcli.images.write import encode


def npy(array: np.ndarray, **options: object) -> io.BytesIO:
    stream = io.BytesIO()
    np.save(stream, array, **options)
    stream.seek(0)
    return stream


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(len(shape)).normal(size=shape)


@pytest.mark.parametrize(
    ("shape", "mode"),
    [
        ((7,), "L;float64"),
        ((5, 7), "L;float64"),
        ((5, 7, 1), "L;float64"),
        ((5, 7, 2), "LA;float64"),
        ((5, 7, 3), "RGB;float64"),
        ((5, 7, 4), "RGBA;float64"),
        ((5, 7, 64), "64 channels"),
        ((2, 5, 7, 1), "L;float64"),
        ((6, 5, 7, 3), "RGB;float64"),
    ],
)
def test_shapes(shape: tuple[int, ...], mode: str) -> None:
    array = noise(*shape)
    picture = read_picture(npy(array))
    frames = array if array.ndim == 4 else [array[None] if array.ndim == 1 else array]
    assert picture.format == "NPY"
    assert [frame.mode for frame in picture.frames] == [mode] * len(frames)
    assert all((frame.pixels == wanted).all() for frame, wanted in zip(picture.frames, frames))
    back = np.load(io.BytesIO(encode(picture, "NPY", "out")[0]))
    assert back.dtype == array.dtype
    assert (back.shape, (back == array).all()) == ((1, 7) if len(shape) == 1 else shape, True)


@pytest.mark.parametrize(
    ("array", "dtype"),
    [
        (np.array([[0, 255]], np.uint8), "uint8"),
        (np.array([[0, 65535]], ">u2"), "uint16"),
        (np.array([[-9, 32767]], np.int16), "int16"),
        (np.array([[-9, 2**31 - 1]], np.int64), "int32"),
        (np.array([[0, 2**32 - 1]], np.uint64), "uint32"),
        (np.array([[0.5, -65504]], np.float16), "float32"),
        (np.array([[np.nan, np.inf]], ">f8"), "float64"),
        (np.asfortranarray(noise(5, 7, 3)), "float64"),
    ],
)
def test_dtypes_are_converted_to_those_of_pictures(array: np.ndarray, dtype: str) -> None:
    (frame,) = read_picture(npy(array)).frames
    assert (frame.pixels.dtype.name, frame.mode) == (dtype, mode_of(1 if array.ndim == 2 else 3, dtype))
    assert frame.pixels.dtype.isnative
    np.testing.assert_array_equal(frame.pixels, array)


def test_booleans_become_black_and_white() -> None:
    (frame,) = read_picture(npy(np.array([[True, False]]))).frames
    assert (frame.mode, frame.pixels.tolist()) == ("L", [[255, 0]])


@pytest.mark.parametrize("count", [2, 4])
def test_a_channel_taken_as_alpha_is_noted(count: int) -> None:
    picture = read_picture(npy(noise(5, 7, count)))
    assert picture.frames[0].has_alpha
    assert picture.notes == (
        f"the last of its {count} channels is taken as alpha; `alpha='filter'` filters it like the others",
    )
    assert read_picture(npy(noise(5, 7, 3))).notes == ()


class Trap:
    """What must never be called."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Path.touch, (Path("trapped"),)


@pytest.mark.parametrize(
    ("stream", "message"),
    [
        (npy(np.array([Trap()], object), allow_pickle=True), "it holds Python objects, which are never unpickled because they can run code; save an array"),
        (npy(np.array([[1j]])), "its dtype complex128 is not supported for pictures; save real"),
        (npy(np.array([["a"]])), "its dtype <U1 is not supported"),
        (npy(np.zeros((2, 2), "f4,i2")), "its dtype [('f0', '<f4'), ('f1', '<i2')] is not supported"),
        (npy(np.zeros((2, 2), np.longdouble)), " is not supported for pictures"),
        (npy(np.float32(3)), "its shape () is not that of a picture; give (H, W), (H, W, C) or (frames, H, W, C)"),
        (npy(np.zeros((0, 3))), "its shape (0, 3) is not that of a picture"),
        (npy(np.zeros((1, 1, 1, 1, 1))), "its shape (1, 1, 1, 1, 1) is not that of a picture"),
        (npy(np.array([[0, 2**40]])), "its integers, 0 to 1099511627776, need more than 32 bits; save them"),
        (io.BytesIO(npy(noise(5, 7)).getvalue()[:-1]), "the file is cut short: it has 279 of 280 bytes of values"),
        (io.BytesIO(npy(noise(5, 7)).getvalue()[:30]), "its header is damaged or cut short; save it again"),
        (io.BytesIO(b"\x93NUMPY\x09\0" + bytes(99)), "it is a .npy file of version 9.0, "),
        (io.BytesIO(b"\x93NUMPY\x03\0" + bytes(99)), "it is a .npy file of version 3.0, which is for arrays with named fields"),
        (io.BytesIO(pickle.dumps(Trap())), "it is not a picture in a supported format"),
    ],
)  # fmt: skip
def test_arrays_that_are_not_pictures_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stream: io.BytesIO, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ImageError) as error:
        read_picture(stream)
    assert str(error.value).startswith("cannot read standard input: ")
    assert message in str(error.value)
    assert not (tmp_path / "trapped").exists()


def claiming(shape: tuple[int, ...]) -> io.BytesIO:
    """A file whose header claims an array that it does not contain."""
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": "<f8", "fortran_order": False, "shape": shape})
    stream.seek(0)
    return stream


@pytest.mark.parametrize("read", [read_picture, read_header])
def test_an_impossible_number_of_channels(read: object) -> None:
    with pytest.raises(ImageError, match=r"has 0 of [\d,]* bytes of values; get a whole copy"):
        read(claiming((4, 5, 10**30)))


def test_no_memory_is_allocated_for_a_false_header() -> None:
    with pytest.raises(ImageError, match="has 0 of 8,000,000,000,000 bytes of values; get a whole copy"):
        read_picture(claiming((1, 1, 10**12)))
    with pytest.raises(
        ImageError,
        match=r"100,000,000,000 pixels are over the limit of 200,000,000; raise it with `max_pixels=100000000000`",
    ):
        read_picture(claiming((10**6, 10**5)))
    with pytest.raises(
        ImageError, match=r"its 20,000 frames are over the limit of 10,000; raise it with `max_frames=20000`"
    ):
        read_picture(claiming((20_000, 1, 1, 1)))


def test_a_frame_of_many() -> None:
    array = noise(6, 5, 7, 3)
    for number in (0, 5, -1):
        (frame,) = read_picture(npy(array), frame=number).frames
        assert (frame.pixels == array[number]).all()


def test_frames_of_floats_are_stacked_whatever_their_mode() -> None:
    frames = tuple(Frame(noise(5, 7, 9)[..., :4].astype(np.float32) + step, "RGB") for step in range(3))
    data, notes = encode(Picture(frames, "GIF", {"comment": b"x"}), "NPY", "out")
    assert notes == ("NPY does not carry the comment",)
    assert (np.load(io.BytesIO(data)) == [frame.pixels for frame in frames]).all()
    assert np.load(io.BytesIO(data)).shape == (3, 5, 7, 4)


def test_grey_frames_keep_a_channel_axis() -> None:
    frames = (Frame(np.zeros((5, 7), np.uint8), "L", 40), Frame(np.ones((5, 7), np.uint8), "L", 40))
    data, notes = encode(Picture(frames, "GIF"), "NPY", "out")
    assert notes == ("NPY does not carry the timing of the frames",)
    assert np.load(io.BytesIO(data)).shape == (2, 5, 7, 1)
    assert len(read_picture(io.BytesIO(data)).frames) == 2


def test_frames_that_differ_are_refused() -> None:
    frames = (Frame(np.zeros((5, 7), np.uint8), "L"), Frame(np.zeros((5, 8), np.uint8), "L"))
    with pytest.raises(
        ImageError, match=r"its 2 pages differ in size or mode, which NPY does not allow; write .tiff"
    ):
        encode(Picture(frames, "TIFF"), "NPY", "out")


def test_a_single_channel_is_written_as_grey_by_every_format() -> None:
    picture = read_picture(npy(np.arange(35, dtype=np.uint8).reshape(5, 7, 1)))
    for form in ("PNG", "TIFF", "WEBP", "PPM", "GIF", "BMP", "JPEG"):
        assert read_picture(io.BytesIO(encode(picture, form, "out")[0])).frames[0].pixels.shape[:2] == (5, 7)


def test_errors_found_in_the_header_name_the_file(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros((3, 4)))
    for read in (read_picture, read_header):
        with pytest.raises(ImageError, match=r"cannot read .*x\.npy: there is no frame 9"):
            read(tmp_path / "x.npy", frame=9)
