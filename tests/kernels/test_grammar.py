"""What the kernel grammar reads, and what it says of what it cannot read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcli.errors import ArgumentError
from convcli.kernels import KERNELS, parse_kernel


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
    ],
)
def test_matrices(text: str, matrix: tuple) -> None:
    kernel = parse_kernel(text)
    assert kernel.matrices == (matrix,)
    assert [type(value) for row in kernel.matrices[0] for value in row] == [
        type(v) for row in matrix for v in row
    ]


@given(st.lists(st.lists(st.integers(-999, 999), min_size=3, max_size=3), min_size=1, max_size=5))
def test_a_written_matrix_is_read_back(rows: list[list[int]]) -> None:
    text = ";".join(" ".join(map(str, row)) for row in rows)
    assert parse_kernel(text).matrices == (tuple(map(tuple, rows)),)


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
        ("qqq", "unknown kernel 'qqq'; use identity, box, gaussian, binomial"),
        (
            "1 2; 3",
            "kernel '1 2; 3' is ragged: row 1 has 2 values, row 2 has 1; give every row the same number",
        ),
        ("1 2;", "'' is not a number; give a name such as 'sobel', or rows of numbers divided by ';'"),
        ("", "kernel '': '' is not a number"),
        ("1 x 2", "kernel '1 x 2': 'x' is not a number"),
        ("1 nan", "kernel '1 nan': 'nan' is not a finite number; every weight must be one"),
        ("1 -inf", "'-inf' is not a finite number"),
        ("1e999", "'1e999' is not a finite number"),
        ("1" + "0" * 400, "is not a finite number"),
        ("gaussian:size=2,width=3", "kernel 'gaussian' has no argument 'width'; it takes sigma, size"),
        ("sobel:3", "kernel 'sobel' has no argument '3'; it takes none"),
        ("box:3,3", "kernel 'box' has no argument '3'; it takes size"),
        ("box:size=3,size=5", "kernel 'box': size is given twice"),
        ("gaussian:limit=9999", "kernel 'gaussian' has no argument 'limit'"),
        ("gaussian:sigma=wide", "kernel 'gaussian': sigma must be a number, got 'wide'"),
        ("box:size=2.5", "kernel 'box': size must be a whole number, got '2.5'"),
        ("gaussian:sigma=0", "gaussian: sigma must be at least 0.05 and finite, got 0.0"),
        ("gaussian:sigma=-1", "gaussian: sigma must be at least 0.05 and finite, got -1.0"),
        ("gaussian:sigma=nan", "gaussian: sigma must be at least 0.05 and finite, got nan"),
        ("gaussian:sigma=inf", "gaussian: sigma must be at least 0.05 and finite, got inf"),
        ("box:size=0", "a kernel 0 wide is empty; the size must be at least 1"),
        ("box:size=257", "a kernel 257 wide is over the limit of 255; raise it with --max-kernel 257"),
        ("gaussian:sigma=1e12", "a kernel 1000000001 wide is over the limit of 255"),
        (" ".join("1" * 256), "a kernel 256 wide is over the limit of 255"),
    ],
)
def test_errors(text: str, message: str) -> None:
    with pytest.raises(ArgumentError) as error:
        parse_kernel(text)
    assert message in str(error.value)


def test_the_limit_can_be_lifted_and_lowered() -> None:
    assert parse_kernel("box:size=257", 257).shape == (257, 257)
    with pytest.raises(ArgumentError, match="over the limit of 2"):
        parse_kernel("1 2 3", 2)


@given(st.text(max_size=30))
def test_any_text_is_a_kernel_or_one_clear_error(text: str) -> None:
    try:
        kernel = parse_kernel(text)
    except ArgumentError as error:
        assert str(error)
    else:
        assert len({len(row) for row in kernel.matrices[0]}) == 1
