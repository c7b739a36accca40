"""Matrices as text: digits are preserved, and invalid files are refused with one clear line."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from convcli.images.codecs import text_matrices
from convcli.images.codecs.text_files import TypedMatrix, text_form
from convcli.images.formats import ENDINGS, TEXTS, output_format
from convcli.images.picture import Frame, ImageError, Picture
from convcli.images.read import open_picture, read_header, read_picture
from convcli.images.write import encode

MATRIX = [[0, 1.5, -2], [3, 1e-30, 1 / 3]]


def written(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("m.csv", "0,1.5,-2\n3,1e-30,1/3\n"),
        ("m.csv", "\ufeff0;1.5;-2\r\n3;1e-30;1/3\r\n"),
        ("m.csv", "# made by hand\n0, 1.5, -2 # first\n\n3\t1e-30\t1/3"),
        ("m.txt", "0 1.5 -2; 3 1e-30 1/3"),
        ("m.txt", "  0 1.5 -2\n  3 1e-30 1/3;\n"),
        ("M.TXT", "0, 1.5, -2\n3, 1e-30, 1/3"),
        ("m.csv", "0,1.5,-2,\n3,1e-30,1/3,\n"),
        ("m.json", '[[0, "3/2", -2], ["3", 1e-30, "1/3"]]'),
        ("m.json", "[[0, 1.5, -2], [3, 1e-30, 0.3333333333333333]]"),
    ],
)
def test_rows_are_floats(tmp_path, name, text):
    picture = read_picture(written(tmp_path, name, text))
    (frame,) = picture.frames
    assert (picture.format, frame.mode, frame.pixels.dtype) == (name[2:].upper(), "L;float64", np.float64)
    assert frame.pixels.tolist() == MATRIX
    header = read_header(tmp_path / name)
    assert [each.pixels.shape for each in header.frames] == [(2, 3)]


@pytest.mark.parametrize(
    ("shape", "mode"), [((2, 3, 3), "RGB;float64"), ((2, 3, 7), "7 channels"), ((5,), "L;float64")]
)
def test_json_stores_channels_like_arrays(tmp_path, shape, mode):
    values = np.random.default_rng(0).standard_normal(shape)
    (frame,) = read_picture(written(tmp_path, "m.json", json.dumps(values.tolist()))).frames
    assert frame.mode == mode
    assert np.array_equal(frame.pixels, values if len(shape) > 1 else values[None])


def test_json_stores_frames(tmp_path):
    values = np.random.default_rng(0).standard_normal((4, 2, 3, 1))
    path = written(tmp_path, "m.json", json.dumps(values.tolist()))
    assert len(read_picture(path).frames) == 4
    assert np.array_equal(read_picture(path, frame=-1).frames[0].pixels, values[3])
    with pytest.raises(ImageError, match="its 4 frames are over the limit of 3"):
        read_picture(path, max_frames=3)


@pytest.mark.parametrize("form", TEXTS)
@given(
    values=arrays.arrays(np.float64, st.tuples(*[st.integers(1, 4)] * 2), elements=st.floats(-1e300, 1e300))
)
def test_every_digit_round_trips(form, values, tmp_path_factory):
    data, notes = encode(Picture((Frame(values, "L;float64"),), "NPY"), form, "out")
    assert notes == ()
    path = tmp_path_factory.mktemp("text") / f"m.{form.lower()}"
    path.write_bytes(data)
    assert np.array_equal(read_picture(path).frames[0].pixels, values)


def test_other_readers_read_written_files():
    values = np.array([[1, 0.1, -2.5], [1e20, 3, 0]])

    def text(form: str, pixels: np.ndarray, mode: str) -> str:
        return encode(Picture((Frame(pixels, mode),), "NPY"), form, "out")[0].decode()

    assert text("TXT", values, "L;float64") == "1 0.1 -2.5\n1e+20 3 0\n"
    assert text("CSV", values, "L;float64") == "1,0.1,-2.5\n1e+20,3,0\n"
    assert [
        list(map(float, row)) for row in csv.reader(io.StringIO(text("CSV", values, "L;float64")))
    ] == values.tolist()
    assert json.loads(text("JSON", values, "L;float64")) == values.tolist()
    assert text("TXT", np.array([[0.1, 7]], np.float32), "F") == "0.1 7\n"  # the digits of a float32
    assert text("TXT", np.array([[0, 255]], np.uint8), "L") == "0 255\n"
    odd = np.array([[np.nan, np.inf]])
    assert text("TXT", odd, "L;float64") == "nan inf\n"
    assert json.loads(text("JSON", odd, "L;float64")) == [[None, None]]


def test_only_json_stores_colours():
    picture = Picture((Frame(np.zeros((1, 2, 3)), "RGB;float64"),), "NPY")
    assert json.loads(encode(picture, "JSON", "out")[0]) == [[[0, 0, 0], [0, 0, 0]]]
    for form in ("CSV", "TXT"):
        with pytest.raises(
            ImageError,
            match=f"cannot write out: {form} holds one channel, and the picture has 3; these can: .tiff, .npy, .json",
        ):
            encode(picture, form, "out")


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        (
            "m.csv",
            "1,2\n3\n",
            "it is ragged: row 1 has 2 values, row 2 has 1; give every row the same number",
        ),
        (
            "m.txt",
            "1 2; 3 4 5",
            "it is ragged: row 1 has 2 values, row 2 has 3; give every row the same number",
        ),
        ("m.csv", "a,b\n1,2\n", "'a' is not a number"),
        ("m.csv", "1,,2\n", "'' is not a number"),
        ("m.txt", "1 2 three", "'three' is not a number"),
        ("m.txt", "1 -inf", "'-inf' is not a finite number"),
        ("m.txt", "1 1e999", "'1e999' is not a finite number"),
        ("m.txt", "1/0 2", "'1/0' divides by 0"),
        ("m.csv", "1/,2", "'1/' is not a number; a fraction is written as 1/9"),
        ("m.json", '[["a/b"]]', "'a/b' is not a number; a fraction is written as 1/9"),
        ("m.csv", ",1\n2,3\n", "'' is not a number"),
        ("m.csv", "1,2,,\n3,4,,\n", "'' is not a number"),
        ("m.csv", "", "it holds no numbers; write one row per line, such as 0 1 2"),
        ("m.txt", "# nothing\n;\n", "it holds no numbers; write one row per line, such as 0 1 2"),
        ("m.json", "[[1, 2], [3]]", "its lists are ragged or empty; give all the same length"),
        ("m.json", "[[1, 2], 3]", "its lists are ragged or empty; give all the same length"),
        ("m.json", "[[]]", "its lists are ragged or empty; give all the same length"),
        ("m.json", '[["x"]]', "'x' is not a number"),
        ("m.json", "[[true]]", "True is not a number"),
        ("m.json", '[[""]]', "'' is not a number"),
        ("m.json", "[[Infinity]]", "'inf' is not a finite number"),
        ("m.json", '{"a": 1}', "it holds {'a': 1}; write lists of numbers, such as [[1, 2]]"),
        ("m.json", "[[1, 2]", "it is not JSON: Expecting ',' delimiter: line 1 column 8 (char 7)"),
        ("m.json", "[" * 9 + "1" + "]" * 9, "its lists are nested too deeply; give rows of numbers"),
        ("m.json", "[" * 99_999, "its lists are nested too deeply; give rows of numbers"),
        ("m.csv", b"1,\xff", "it is not text; save it as rows of numbers"),
    ],
)
def test_invalid_files_are_refused_in_one_line(tmp_path, name, text, why):
    path = written(tmp_path, name, text)
    with pytest.raises(ImageError) as error:
        read_picture(path)
    assert str(error.value) == f"cannot read {path}: {why}"


@pytest.mark.parametrize("form", TEXTS)
def test_nan_is_missing_data_and_round_trips(tmp_path, form):
    values = np.array([[np.nan, 1.0], [2.5, np.nan]])
    data, _ = encode(Picture((Frame(values, "L;float64"),), "NPY"), form, "out")
    path = written(tmp_path, f"m.{form.lower()}", data)
    np.testing.assert_array_equal(read_picture(path).frames[0].pixels, values)


@pytest.mark.parametrize("text", ["[[1, 2], [3, nan]]", "[[1 2]\n [3 NaN]]", "[1 2; 3 nan]"])
def test_nested_lists_are_rows(tmp_path, text):
    pixels = read_picture(written(tmp_path, "m.txt", text)).frames[0].pixels
    np.testing.assert_array_equal(pixels, [[1, 2], [3, np.nan]])


def test_limits(tmp_path, monkeypatch):
    path = written(tmp_path, "m.csv", "1,2,3\n4,5,6\n")
    monkeypatch.setattr(text_matrices, "MAX_NUMBERS", 5)
    for each in (path, written(tmp_path, "m.json", "[[1, 2, 3], [4, 5, 6]]")):
        with pytest.raises(
            ImageError, match=r"its 6 numbers are over the limit of 5 for text; save them as \.npy"
        ):
            read_picture(each)
    monkeypatch.setattr(text_matrices, "MAX_BYTES", 10)
    with pytest.raises(ImageError, match=r"it is over the limit of 10 bytes for text; save it as \.npy"):
        read_picture(path)
    monkeypatch.undo()
    with pytest.raises(ImageError, match="its 6 pixels are over the limit of 5"):
        read_picture(path, max_pixels=5)


@pytest.mark.parametrize("name", ["m.csv", "m.json"])
@pytest.mark.parametrize("layout", ["chw", "dhw"])
def test_rows_and_columns_have_one_order(tmp_path, name, layout):
    path = written(tmp_path, name, "[[1, 2], [3, 4], [5, 6]]" if name == "m.json" else "1,2\n3,4\n5,6\n")
    with open_picture(path, layout=layout) as opened:
        (frame,) = opened.read().frames
    assert frame.pixels.tolist() == [[1, 2], [3, 4], [5, 6]]


def test_a_picture_with_a_text_extension_is_a_picture(tmp_path):
    picture = Picture((Frame(np.zeros((2, 3), np.uint8), "L"),), "PNG")
    for form in ("PNG", "JPEG", "GIF", "TIFF", "BMP", "PGM", "WEBP", "NPY"):
        path = written(tmp_path, f"{form}.csv", encode(picture, form, "x")[0])
        assert read_picture(path).format == form


@pytest.mark.parametrize(
    ("data", "form"),
    [
        (b"1 2", "TXT"),
        (b" -1", "TXT"),
        (b".5", "TXT"),
        (b"# a\n7", "TXT"),
        (b"[[1]]", "JSON"),
        (b"P2 1", None),
        (b"x", None),
    ],
)
def test_a_stream_that_starts_like_numbers_is_text(data, form):
    assert text_form("standard input", io.BytesIO(data)) == form
    assert text_form("picture.png", io.BytesIO(data)) is None


def test_typed_numbers_are_text():
    picture = read_picture(TypedMatrix.of("0 1; 2 3"))
    assert picture.frames[0].pixels.tolist() == [[0, 1], [2, 3]]
    with pytest.raises(ImageError, match="cannot read the values: 'x' is not a number"):
        read_picture(TypedMatrix.of("x"))


def test_text_is_detected_by_extension_and_is_not_found_as_a_picture():
    assert [output_format(Path(f"x{ending}")) for ending in (".csv", ".TXT", ".json")] == [
        "CSV",
        "TXT",
        "JSON",
    ]
    assert not {".csv", ".txt", ".json"} & set(ENDINGS)
