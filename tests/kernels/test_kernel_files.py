"""Kernels in files: round trips, and errors."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcli.errors import ArgumentError, ConvcliError, FileError
from convcli.kernels import Kernel, parse_kernel, parse_kernels
from convcli.kernels.kernel_files import PICTURES, read_kernel
from tests.kernels.matrices import matrices


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kernels")


def read(path: Path, dims: int = 2) -> Kernel:
    return parse_kernel(str(path), dims=dims)


def assert_holds(kernel: Kernel, matrix: tuple) -> None:
    assert kernel.matrices == (matrix,)
    assert list(map(type, kernel.flat_weights)) == list(map(type, Kernel("k", (matrix,)).flat_weights))


@given(matrix=matrices())
def test_arrays_and_json_are_read_back(folder: Path, matrix: tuple) -> None:
    np.save(folder / "a.npy", np.array(matrix))
    dims = np.ndim(matrix)
    kernel = read(folder / "a.npy", dims)
    assert (kernel.name, kernel.source) == ("a", "file a.npy")
    # in an array all numbers are floats if one is
    assert np.array_equal(np.array(kernel.matrices[0], float), np.array(matrix, float))
    (folder / "a.json").write_text(json.dumps(matrix))
    assert_holds(read(folder / "a.json", dims), matrix)
    (folder / "a.json").write_text(
        json.dumps({"weights": matrix, "anchor": [0] * dims, "divisor": -2.0, "offset": 0.5})
    )
    kernel = read(folder / "a.json", dims)
    assert_holds(kernel, matrix)
    assert (kernel.divisor, kernel.offset, kernel.anchor) == (-2, 0.5, (0,) * dims)


@given(matrix=matrices(dims=(2,)), data=st.data())
def test_rows_of_text_are_read_back(folder: Path, matrix: tuple, data: st.DataObject) -> None:
    divider = data.draw(st.sampled_from([",", ";", "\t", " ", ", "]))
    lines = [divider.join(map(str, row)) for row in matrix]
    ends = data.draw(st.sampled_from(["\n", "\r\n", "\n\n", "  # a row\n"]))
    bom = data.draw(st.sampled_from(["", "\ufeff"]))
    (folder / "a.csv").write_text(bom + "# weights\n" + ends.join(lines) + ends, "utf-8", newline="")
    assert_holds(read(folder / "a.csv"), matrix)
    divider = data.draw(st.sampled_from([",", "\t", " ", ", "]))
    ends = data.draw(st.sampled_from(["\n", "\r\n", ";", "; ", ";\n", " # a row\n"]))
    (folder / "a.txt").write_text(ends.join(divider.join(map(str, row)) for row in matrix), newline="")
    assert_holds(read(folder / "a.txt"), matrix)
    rows, columns = np.shape(matrix)
    head = data.draw(st.sampled_from([(), (3,), (0.5,), (9, 128), (1, -0.5)]))
    (folder / "a.mat").write_text("\n".join([" ".join(map(str, (columns, rows, *head))), *lines]))
    kernel = read(folder / "a.mat")
    assert_holds(kernel, matrix)
    assert (kernel.divisor, kernel.offset) == (*head, *(1, 0)[len(head) :])
    even = rows % 2 == 0 or columns % 2 == 0
    assert kernel.anchor == ((rows // 2, columns // 2) if even else None)  # the pixel's position in libvips


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint64", ">i2", "float16", ">f4", "longdouble"])
def test_arrays_of_every_real_type(tmp_path: Path, dtype: str) -> None:
    np.save(tmp_path / "a.npy", np.array([[1, 0], [1, 1]], dtype))
    assert_holds(read(tmp_path / "a.npy"), ((1, 0), (1, 1)))
    np.save(tmp_path / "f.npy", np.asfortranarray(np.array([[1, 0], [0, 0]], dtype)))
    assert_holds(read(tmp_path / "f.npy"), ((1, 0), (0, 0)))


def test_a_row_in_a_file_is_a_row(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.arange(3))
    assert read(tmp_path / "a.npy").shape == (1, 3)
    assert read(tmp_path / "a.npy", 1).shape == (3,)


def test_files_in_lists_and_names_with_semicolons(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a;b.csv").write_text("1 2")
    Path("b.csv").write_text("3 4")
    assert parse_kernels("a;b.csv")[0].matrices == (((1, 2),),)
    assert [kernel.name for kernel in parse_kernels("b.csv; sobel; ./b.csv")] == ["b", "sobel", "b"]
    assert [kernel.name for kernel in parse_kernels("sobel; b.csv")] == ["sobel", "b"]
    Path("box:b.csv").write_text("5 6")
    assert parse_kernels("box:b.csv")[0].matrices == (((5, 6),),)


def test_a_picture_is_read_by_whoever_can(tmp_path: Path) -> None:
    names_read = []
    for ending in PICTURES:
        path = tmp_path / f"a{ending.upper()}"
        path.write_bytes(b"")
        kernel = parse_kernel(
            str(path), read_picture=lambda name, _: [[1, 2.0], [names_read.append(name) or 0, 255]]
        )
        assert names_read.pop() == path
        assert_holds(kernel, ((1, 2), (0, 255)))
        with pytest.raises(
            ArgumentError, match="is a picture, which cannot be a kernel here; give its numbers"
        ):
            parse_kernel(str(path))
    with pytest.raises(FileError, match="a kernel of size 256 is over the limit of 255"):
        parse_kernel(str(path), read_picture=lambda *_: [[1] * 256])


WRONG = [
    ("a.csv", "1,2\n3\n", "is ragged: row 1 has 2 values, row 2 has 1; give every row the same number"),
    ("a.csv", "1,x\n", "a.csv': 'x' is not a number"),
    ("a.csv", "1,nan\n", "a.csv': 'nan' is not a finite number; every weight must be finite"),
    ("a.csv", "1,,2\n3,4", "a.csv': '' is not a number"),
    ("a.csv", "1;;2\n3,4", "a.csv': '' is not a number"),
    ("a.csv", "# nothing\n\n", "a.csv' holds no numbers; write one row per line"),
    ("a.csv", b"\xff\xfe1", "a.csv' is not text, as its ending '.csv' requires"),
    ("a.csv", "1 2 3 4", "a kernel of size 4 is over the limit of 3; raise it with `max_kernel=4`"),
    ("a.csv", "1" * 99999, "a.csv' has 99,999 bytes, more than a kernel with 3 taps on a side can have; raise the limit"),
    ("a.txt", "", "a.txt' holds no numbers; write one row per line"),
    ("a.txt", "1 inf", "'inf' is not a finite number"),
    ("a.json", "{", "a.json' is not JSON: Expecting"),
    ("a.json", "[" * 300 + "]" * 300, "is nested too deeply; a kernel has 1 to 3 axes"),
    ("a.json", "[]", "a.json': expected a list of weights, as in [[1, 2], [3, 4]], got []"),
    ("a.json", "7", "expected a list of weights, as in [[1, 2], [3, 4]], got 7"),
    ("a.json", "[[1], 2]", "expected a list of weights, as in [[1, 2], [3, 4]], got 2"),
    ("a.json", "[[1, 2], [3]]", "is ragged: part 1 is 2, part 2 is 1; make all parts the same"),
    ("a.json", "[[[[1]]]]", "is nested too deeply; a kernel has 1 to 3 axes"),
    ("a.json", "[1, true]", "True is not a number"),
    ("a.json", '["1/"]', "'1/' is not a number; a fraction is written as 1/9"),
    ("a.json", "[NaN]", "'nan' is not a finite number"),
    ("a.json", "{}", "a.json' has no key 'weights'; add it, with nested lists of numbers"),
    ("a.json", '{"weight": [1]}', "a.json' has the unknown key 'weight'; did you mean 'weights'?"),
    ("a.json", '{"weights": [1], "divisor": "1/0"}', "a.json', divisor: '1/0' divides by 0"),
    ("a.json", '{"weights": [1], "divisor": 0}', "has the divisor 0; a divisor must be finite and not 0"),
    ("a.json", '{"weights": [1], "offset": Infinity}', "a.json', offset: 'inf' is not a finite number"),
    ("a.json", '{"weights": [1], "anchor": 0}', "a.json': anchor must be a list of whole numbers, got 0"),
    ("a.json", '{"weights": [1], "anchor": [true]}', "anchor must be a list of whole numbers, got [True]"),
    ("a.json", '{"weights": [1], "anchor": [1]}', "anchor 1 lies outside kernel"),
    ("a.mat", "", "a.mat' begins with ''; its first line must be width, height and optionally scale and offset"),
    ("a.mat", "3\n1 2 3", "a.mat' begins with '3'; its first line must be width, height"),
    ("a.mat", "1 1 1 1 1\n1", "begins with '1 1 1 1 1'; its first line must be"),
    ("a.mat", "1.5 1\n1", "begins with '1.5 1'; its first line must be"),
    ("a.mat", "0 1\n", "begins with '0 1'; its first line must be"),
    ("a.mat", "2 2\n1 2 3", "a.mat': 2x2 needs 4 values, but 3 are given"),
    ("a.mat", "1 1 0\n1", "a.mat' has the scale 0 in its first line, '1 1 0'; a scale is a divisor, not 0"),
    ("a.mat", b"MATLAB 5.0 MAT-file\0\xff", "a.mat' is a MATLAB file; here .mat is libvips' text format"),
    ("a.npy", "1 2", "a.npy': it is not a .npy file; save the array with numpy.save (a pickle is never loaded, as it can run"),
    ("a.npy", b"", "a.npy': it is not a .npy file"),
    ("a.npy", np.array([[1j]]), "a.npy' holds complex128; a kernel is an array of real numbers"),
    ("a.npy", np.array(["1"]), "a.npy' holds <U1; a kernel is an array of real numbers"),
    ("a.npy", np.array(1), "a.npy' has the shape (); a kernel has 1 to 3 axes and is not empty"),
    ("a.npy", np.zeros((2, 0)), "a.npy' has the shape (2, 0); a kernel has 1 to 3 axes and is not empty"),
    ("a.npy", np.ones((1, 1, 1, 1)), "a.npy' has the shape (1, 1, 1, 1); a kernel has 1 to 3 axes and is not empty; give the weights of a layer as `weights`"),
    ("a.npy", np.array([[np.nan]]), "a.npy': 'nan' is not a finite number"),
    ("a.npy", np.ones((4, 1)), "a kernel of size 4 is over the limit of 3"),
    ("a.xyz", "1", "a.xyz' must end in .npy .csv .txt .json .mat or in the ending of a picture file"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content", "message"), WRONG, ids=[f"{n} {str(c)[:20]!r}" for n, c, _ in WRONG]
)
def test_errors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: object, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path(name)
    if isinstance(content, np.ndarray):
        np.save(path, content)
    else:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ConvcliError) as error:
        read_kernel(path, 3)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_objects_are_never_unpickled(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple:
            return os.mkdir, (str(tmp_path / "sprung"),)

    np.save(tmp_path / "a.npy", np.array([[Trap()]]), allow_pickle=True)
    with pytest.raises(FileError, match="it holds Python objects, which are never unpickled"):
        read_kernel(tmp_path / "a.npy", 255)
    assert not (tmp_path / "sprung").exists()


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "a.csv").mkdir()
    os.mkfifo(tmp_path / "b.csv")
    for name in ("a.csv", "b.csv"):
        with pytest.raises(FileError, match="it is a folder, a device or a pipe"):
            read_kernel(tmp_path / name, 255)


@given(
    content=st.binary(max_size=200),
    start=st.sampled_from([b"", b"\x93NUMPY\x01\x00", b"\x93NUMPY\x01\x00\x76\x00{"]),
)
@pytest.mark.parametrize("ending", [".npy", ".csv", ".txt", ".json", ".mat"])
def test_any_bytes_are_a_kernel_or_one_clear_error(
    folder: Path, ending: str, content: bytes, start: bytes
) -> None:
    path = folder / f"any{ending}"
    path.write_bytes(start + content)
    try:
        kernel = read_kernel(path, 255)
    except FileError as error:
        assert str(error)
    else:
        assert kernel.flat_weights


LONG = [
    ("k.json", json.dumps({"weights": [[1]], "k" * 100_000: 1}), "has the unknown key 'kkk"),
    (
        "k.json",
        json.dumps({"weights": {str(number): [number, {}] for number in range(9999)}}),
        "expected a list of weights",
    ),
    (
        "k.json",
        json.dumps({"weights": [[1, 2]], "anchor": ["a, b; c: d"] * 9999}),
        "anchor must be a list of whole",
    ),
    ("k.json", json.dumps([[1, {"a": list(range(9999))}]]), "is not a number"),
    ("k.json", json.dumps("w, " * 9999), "expected a list of weights"),
    ("k.csv", "1," + "x" * 100_000, "is not a number"),
    ("k.txt", "1 " + "'\"\\" * 30_000, "is not a number"),
    ("k.mat", "1 1 0 " + "0" * 100_000 + "\n1\n", "has the scale 0 in its first line"),
]


@pytest.mark.parametrize(("name", "text", "message"), LONG)
def test_quoted_contents_of_a_file_are_short(tmp_path: Path, name: str, text: str, message: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(ConvcliError) as error:
        parse_kernel(str(path))
    assert message in str(error.value) and " characters ..." in str(error.value)
    assert len(str(error.value)) < 500 + len(str(path))
