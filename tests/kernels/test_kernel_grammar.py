"""What the kernel grammar parses, and its errors."""

import re
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcli.errors import ArgumentError, ConvcliError
from convcli.kernels import KERNELS, Kernel, parse_kernel, parse_kernels
from convcli.render import Grid
from tests.kernels.matrices import matrices


def test_weights_may_be_fractions() -> None:
    assert parse_kernel("1/9 -2/3; 6/3 1e2/8").matrices == (((1 / 9, -2 / 3), (2, 12.5)),)


@pytest.mark.parametrize("name", KERNELS)
def test_every_name_is_read(name: str) -> None:
    assert parse_kernel(name).name == name
    assert parse_kernel(name).source


@pytest.mark.parametrize(
    ("text", "matrix"),
    [
        ("0 -1 0; -1 5 -1; 0 -1 0", ((0, -1, 0), (-1, 5, -1), (0, -1, 0))),
        ("0,-1,0;-1,5,-1;0,-1,0", ((0, -1, 0), (-1, 5, -1), (0, -1, 0))),
        (" 1, 2 ;\n3 , 4 ", ((1, 2), (3, 4))),
        ("-1 0 1", ((-1, 0, 1),)),
        ("0.25; .5; 1e-3", ((0.25,), (0.5,), (0.001,))),
        ("7", ((7,),)),
        ("1.0 2e3 -0.0", ((1, 2000, 0),)),
        ("1e16 0.5", ((1e16, 0.5),)),
        ("1 2.e1", ((1, 20),)),
    ],
)
def test_matrices(text: str, matrix: tuple) -> None:
    kernel = parse_kernel(text)
    assert kernel.matrices == (matrix,)
    assert [type(value) for row in kernel.matrices[0] for value in row] == [
        type(v) for row in matrix for v in row
    ]


@given(matrices(dims=(2,)), st.sampled_from(["\n", "\r\n", ";\n", "\n\n", "  # a comment\n", ",\n"]))
def test_line_breaks_between_rows_of_numbers_are_read_as_in_a_file(matrix: tuple, end: str) -> None:
    text = end.join(" ".join(map(repr, row)) for row in matrix) + "\n"
    with TemporaryDirectory() as folder:
        path = Path(folder, "kernel.txt")
        path.write_bytes(text.encode())
        read = parse_kernel(str(path))
    assert parse_kernel(text).matrices == read.matrices == (matrix,)


def test_line_breaks_elsewhere_are_spaces() -> None:
    edge = ((0, -1, 0), (-1, 5, -1), (0, -1, 0))
    assert parse_kernel("3x3: 0,-1,0\n -1,5,-1\n 0,-1,0").matrices == (edge,)
    assert parse_kernel("[[0, -1, 0],\n [-1, 5,\n -1],\n [0, -1, 0]]").matrices == (edge,)
    assert parse_kernel("1 2\n3 4\n|\n5 6\n7 8", dims=3).matrices == ((((1, 2), (3, 4)), ((5, 6), (7, 8))),)
    with pytest.raises(ArgumentError, match="is ragged: row 1 has 2 values, row 2 has 1"):
        parse_kernel("1 2\n3")


DIVIDERS = st.sampled_from([" ", ",", ", ", "  ", " , "])


@given(matrices(), DIVIDERS)
def test_a_written_matrix_is_read_back(matrix: tuple, divider: str) -> None:
    text = str(Grid(matrix)).replace(" | ", "|").replace("; ", ";").replace(" ", divider)
    kernel = parse_kernel(text, dims=np.ndim(matrix))
    assert kernel.matrices == (matrix,)
    assert list(map(type, kernel.flat_weights)) == list(map(type, Kernel("k", (matrix,)).flat_weights))


@given(matrices(dims=(2,)), DIVIDERS, st.data())
def test_imagemagicks_form_is_read_back(matrix: tuple, divider: str, data: st.DataObject) -> None:
    rows, columns = np.shape(matrix)
    cells = [str(weight) if weight or data.draw(st.booleans()) else data.draw(st.sampled_from(["-", "nan", "NaN"]))
             for weight in Kernel("k", (matrix,)).flat_weights]  # fmt: skip
    origin = data.draw(st.none() | st.tuples(st.integers(0, rows - 1), st.integers(0, columns - 1)))
    place = "" if origin is None else f"+{origin[1]}+{origin[0]}"
    text = f"{columns}x{rows}{place}: {divider.join(cells)}"
    assert parse_kernel(text).matrices == (matrix,)
    own = None if rows % 2 and columns % 2 else ((rows - 1) // 2, (columns - 1) // 2)
    assert parse_kernel(text).anchor == (own if origin is None else origin)
    if rows == columns and not place:
        assert parse_kernel(f"{rows}:{divider.join(cells)}").matrices == (matrix,)
    several = parse_kernels(f"{text}; sobel-x ;{text};")
    assert [kernel.matrices for kernel in several] == [(matrix,), parse_kernel("sobel-x").matrices, (matrix,)]


def test_lists() -> None:
    assert [kernel.name for kernel in parse_kernels("gaussian:sigma=2;laplacian;")] == [
        "gaussian",
        "laplacian",
    ]
    assert [kernel.shape for kernel in parse_kernels("box; 1 2 3; 2x1: 1 2")] == [(3, 3), (1, 3), (1, 2)]
    assert len(parse_kernels("1 2; 3 4")) == 1
    with pytest.raises(
        ArgumentError, match="kernel 'box; sobel' is a list of 2 kernels; give a single kernel here"
    ):
        parse_kernel("box; sobel")


@pytest.mark.parametrize(
    ("text", "dims", "shape", "anchor"),
    [
        ("1 2 3", 1, (3,), None),
        ("1 2 3", 3, (1, 1, 3), None),
        ("1; 2", 3, (1, 2, 1), None),
        ("1 2 | 3 4", 3, (2, 1, 2), None),
        ("1 2 | 3 4 | 5 6", 3, (3, 1, 2), None),
        ("3x1+2+0: 1 2 3", 1, (3,), (2,)),
        ("3x1+2+0: 1 2 3", 3, (1, 1, 3), (0, 0, 2)),
        ("4x1: 1 2 3 4", 1, (4,), (1,)),
        ("4x3: 1 2 3 4 5 6 7 8 9 1 2 3", 3, (1, 3, 4), (0, 1, 1)),
        ("3x3: 1 2 3 4 5 6 7 8 9", 3, (1, 3, 3), None),
        ("gaussian", 1, (7,), None),
        ("gaussian", 3, (7, 7, 7), None),
    ],
)
def test_axes_of_length_1_are_added_and_dropped(
    text: str, dims: int, shape: tuple, anchor: tuple | None
) -> None:
    kernel = parse_kernel(text, dims=dims)
    assert (kernel.shape, kernel.anchor) == (shape, anchor)


@pytest.mark.parametrize(
    ("text", "dims", "message"),
    [
        ("1; 2", 1, "kernel '1; 2' has 2 axes, 2x1, but 1 are needed; give a kernel with fewer axes"),
        (
            "emboss",
            1,
            "kernel 'emboss' has no 1-D form; use one of identity, box, ",
        ),
        ("motion", 3, "kernel 'motion' has no 3-D form; use one of identity, box, "),
        ("sobel-y", 1, "kernel 'sobel-y' has no 1-D form; use one of identity"),
    ],
)
def test_kernels_without_a_form_of_that_many_axes(text: str, dims: int, message: str) -> None:
    with pytest.raises(ArgumentError) as error:
        parse_kernel(text, dims=dims)
    assert message in str(error.value)
    assert f" {text}," not in str(error.value)  # it is not offered itself
    assert str(error.value).endswith(("bilinear, nearest", "give a kernel with fewer axes"))


def test_a_file_without_an_extension_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine").write_text("1 2")
    message = "unknown kernel 'mine'; there is a file of that name, but its ending must give its format: .npy"
    with pytest.raises(ArgumentError, match=re.escape(message)):
        parse_kernel("mine")
    Path("sobel").write_text("1 2")
    assert parse_kernel("sobel").name == "sobel"


def test_arguments_by_name_and_in_order() -> None:
    assert (
        parse_kernel("gaussian:sigma=2,size=7")
        == parse_kernel("gaussian:2,7")
        == parse_kernel("gaussian:size=7,sigma=2")
    )
    assert parse_kernel("box:5").shape == (5, 5)
    assert parse_kernel("box:") == parse_kernel("box")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sobbel", "unknown kernel 'sobbel'; did you mean 'sobel'?"),
        ("Gausian:sigma=2", "unknown kernel 'Gausian'; did you mean 'gaussian'?"),
        ("blur", "unknown kernel 'blur'; did you mean 'gaussian' or 'box'?"),
        ("Blur", "unknown kernel 'Blur'; did you mean 'gaussian' or 'box'?"),
        (
            "median",
            "kernel 'median' is not a convolution: it sorts the pixels of a window; use 'gaussian' or 'box'",
        ),
        ("qqq", "unknown kernel 'qqq'; use identity, box, "),
        (
            "1 2; 3",
            "kernel '1 2; 3' is ragged: row 1 has 2 values, row 2 has 1; give every row the same number of values",
        ),
        ("1 2;", "'' is not a number; give a name such as 'sobel', rows of numbers separated by ';'"),
        ("", "kernel '': '' is not a number"),
        ("1,,2", "kernel '1,,2': '' is not a number"),
        ("1 x 2", "kernel '1 x 2': 'x' is not a number"),
        ("1 nan", "kernel '1 nan': 'nan' is not a finite number; every weight must be finite"),
        ("1 -inf", "'-inf' is not a finite number"),
        ("1e999", "'1e999' is not a finite number"),
        ("1" + "0" * 400, "is not a finite number"),
        ("gaussian:size=2,width=3", "kernel 'gaussian' has no argument 'width'; it takes sigma, size"),
        ("prewitt:3", "kernel 'prewitt' has no argument '3'; it takes no arguments"),
        ("sobel:3,3", "kernel 'sobel' has no argument '3'; it takes size"),
        ("1 2; sobel", "kernel '1 2; sobel': 'sobel' is not a number"),
        ("sobel; sobbel", "unknown kernel 'sobbel'; did you mean 'sobel'?"),
        ("sobel;; box", "kernel '': '' is not a number"),
        ("1/9/3 1", "kernel '1/9/3 1': '1/9/3' is not a number"),
        ("1/ 1", "kernel '1/ 1': '1/' is not a number"),
        ("1/0 1", "kernel '1/0 1': '1/0' divides by 0; give a name such as 'sobel'"),
        (
            "1 2 | 3",
            "kernel '1 2 | 3' is ragged: slice 1 is 1x2, slice 2 is 1x1; give every slice the same rows",
        ),
        (
            "1 2 | 3 4",
            "kernel '1 2 | 3 4' has 3 axes, 2x1x2, but 2 are needed; give a kernel with fewer axes",
        ),
        ("3x3: 1 2 3", "kernel '3x3: 1 2 3': 3x3 needs 9 values, but 3 are given; list them row by row"),
        ("3x3:", "kernel '3x3:': 3x3 needs 9 values, but 0 are given"),
        ("2: 1 2 3 4 5", "kernel '2: 1 2 3 4 5': 2x2 needs 4 values, but 5 are given"),
        ("1x2: 1 x", "kernel '1x2: 1 x': 'x' is not a number"),
        ("1x2: 1 inf", "kernel '1x2: 1 inf': 'inf' is not a finite number"),
        (
            "2x1+2+0: 1 2",
            "kernel '2x1+2+0: 1 2': the origin +2+0 lies outside 2x1; it must be between +0+0 and +1+0",
        ),
        ("2x1-1+0: 1 2", "the origin -1+0 lies outside 2x1"),
        ("0x3:", "a kernel of size 0 is empty"),
        ("gaussian:,7", "',7' has an empty argument; name the one that follows, as size=7"),
        ("gaussian:1_0", "kernel 'gaussian': sigma: '1_0' is not a number"),
        ("999999999x1: 1", "a kernel of size 999999999 is over the limit of 255"),
        (
            "none.npy",
            "cannot read kernel 'none.npy': there is no such file; check the spelling and the folder",
        ),
        ("sub/none.png", "cannot read kernel 'sub/none.png': there is no such file"),
        ("sobel; none.csv", "cannot read kernel 'none.csv': there is no such file"),
        ("none.csv; sobel", "cannot read kernel 'none.csv': there is no such file"),
        (
            "kernel.xyz",
            "kernel file 'kernel.xyz' must end in .npy .csv .txt .json .mat or in the ending of a picture file, and there is no such file",
        ),
        ("./kernel", "kernel file 'kernel' must end in .npy"),
        ("x" * 9999 + ".npy", "there is no such file"),
        ("box:3,3", "kernel 'box' has no argument '3'; it takes size"),
        ("box:size=3,size=5", "kernel 'box': size is given twice"),
        ("gaussian:limit=9999", "kernel 'gaussian' has no argument 'limit'"),
        ("gaussian:sigma=wide", "kernel 'gaussian': sigma: 'wide' is not a number"),
        ("box:size=2.5", "kernel 'box': size must be a whole number, got '2.5'"),
        ("gaussian:sigma=0", "gaussian: sigma must be at least 0.05 and finite, got 0.0"),
        ("gaussian:sigma=-1", "gaussian: sigma must be at least 0.05 and finite, got -1.0"),
        ("gaussian:sigma=nan", "gaussian: sigma must be at least 0.05 and finite, got nan"),
        ("gaussian:sigma=inf", "gaussian: sigma must be at least 0.05 and finite, got inf"),
        ("box:size=0", "a kernel of size 0 is empty; the size must be at least 1"),
        ("box:size=257", "a kernel of size 257 is over the limit of 255; raise it with `max_kernel=257`"),
        ("gaussian:sigma=1e12", "a kernel of size 1000000001 is over the limit of 255"),
        (" ".join("1" * 256), "a kernel of size 256 is over the limit of 255"),
    ],
)
def test_errors(text: str, message: str) -> None:
    with pytest.raises(ConvcliError) as error:
        parse_kernels(text)
    assert message in str(error.value)


def test_the_limit_can_be_lifted_and_lowered() -> None:
    assert parse_kernel("box:size=257", 257).shape == (257, 257)
    with pytest.raises(ArgumentError, match="over the limit of 2"):
        parse_kernel("1 2 3", 2)


@given(st.text(max_size=30))
def test_any_text_is_a_kernel_or_one_clear_error(text: str) -> None:
    try:
        kernels = parse_kernels(text)
    except ArgumentError as error:
        assert str(error)
    else:
        assert {kernel.dims for kernel in kernels} == {2}


@given(st.text("0123456789xX+-:;|,. naxbo/=\n", max_size=20))
def test_any_text_of_the_grammars_own_signs_too(text: str) -> None:
    test_any_text_is_a_kernel_or_one_clear_error.hypothesis.inner_test(text)
