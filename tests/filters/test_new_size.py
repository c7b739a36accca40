"""Sizes to resize pictures to."""

import numpy as np
import pytest

from convcli.errors import ArgumentError
from convcli.filters.new_size import read_new_size
from tests.conftest import SAMPLES, Call, one_error


@pytest.mark.parametrize(
    ("typed", "rows", "columns"),
    [
        ("50%", 50, 75),
        ("33.5%", 34, 50),  # 33.5 is rounded up, 50.25 down
        ("0.5", 50, 75),
        (".25", 25, 38),  # 37.5 is rounded up
        ("1/3", 33, 50),
        ("2.0", 200, 300),
        ("0.001%", 1, 1),
        ("30x", 20, 30),
        ("x30", 30, 45),
        ("7x9", 9, 7),
        ((7, 9), 9, 7),
        ((np.int64(7), 9), 9, 7),
        (0.1, 10, 15),
    ],
)
def test_sizes_and_factors(typed: object, rows: int, columns: int) -> None:
    assert read_new_size(typed).of(100, 150) == (rows, columns)


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "x",
        "0x5",
        "5x0",
        "0%",
        "0.0",
        "-1.5",
        "1/0",
        "1/2%",
        "axb",
        "5x5x5",
        "nan",
        0.0,
        (1.5, 2),
        None,
        "½",
    ],
)
def test_invalid_sizes_are_refused_with_examples(typed: object) -> None:
    with pytest.raises(ArgumentError) as error:
        read_new_size(typed)
    assert str(error.value).endswith(
        " is not a size; write WIDTHxHEIGHT in pixels as 800x600, 800x or x600 to keep the shape, or a factor as 50%, "
        "0.5 or 1/3"
    )


@pytest.mark.parametrize(
    ("typed", "percent", "factor"),
    [
        ("2", "200%", "2.0"),
        ("50", "50%", "0.5"),
        ("25", "25%", "0.25"),
        ("100", "100%", "1.0"),
        ("250", "250%", "2.5"),
    ],
)
def test_a_bare_integer_is_ambiguous(typed: str, percent: str, factor: str) -> None:
    with pytest.raises(ArgumentError) as error:
        read_new_size(typed)
    assert str(error.value) == (
        f"'{typed}' may be a factor or a width; write {percent} or {factor} to resize by a factor, or {typed}x for the "
        "width"
    )
    assert read_new_size(percent) == read_new_size(factor)
    assert read_new_size(f"{typed}x").width == int(typed)


@pytest.mark.parametrize(
    ("text", "way"),
    [
        ("320x240!", "write 320x240, to which the picture is stretched"),
        ("320x240>", "write 320x or x240, which keeps the shape, but may enlarge a picture"),
        ("320x240<", "write 320x or x240, which keeps the shape, but may reduce a picture"),
        ("320x240^", "write 320x or x240, which keeps the shape: the larger of the two"),
        ("320x>", "write 320x, which keeps the shape, but may enlarge a picture"),
        ("320,240", "did you mean 320x240?"),
        ("320X240", "did you mean 320x240?"),
        ("320\u00d7240", "did you mean 320x240?"),
        ("76800@", "write a factor, such as 50%, to change the area; it is the same along both axes"),
    ],
)
def test_sizes_of_other_programs_are_answered_with_the_spelling_here(call: Call, text: str, way: str) -> None:
    found = call("filter", SAMPLES / "house.png", "--resize", text)
    assert f"{text!r} is not a size here; {way}" in one_error(found)


@pytest.mark.parametrize("text", ["3", "50%", "800x", "1/2", "320x240!"])
def test_the_size_of_a_network_is_no_factor(call: Call, text: str) -> None:
    found = one_error(call("filter", SAMPLES / "house.png", "--network", "resnet-18", "--resize", text))
    assert (
        f"{text!r} is not the size of a network's input; write WIDTHxHEIGHT in pixels, such as 224x224"
        in found
    )
