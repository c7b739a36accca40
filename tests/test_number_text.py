"""Numbers as text: integers, decimals, fractions."""

from fractions import Fraction
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcli.errors import ArgumentError
from convcli.number_text import read_finite, read_float, read_real, split


@given(st.integers(), st.integers(1, 10**6))
def test_a_fraction_is_the_nearest_float_or_whole(over, under):
    value = read_real(f"{over}/{under}")
    assert value == (over // under if over % under == 0 else over / under)
    assert type(value) is (int if over % under == 0 else float)


@given(st.floats(allow_nan=False))
def test_decimals_are_as_python_reads_them(number):
    assert read_real(repr(number)) == number
    assert read_float(repr(number)) == number


@pytest.mark.parametrize(("word", "value"), [("0.5/2", 0.25), ("1/0.25", 4.0), ("-7", -7), ("1e3", 1000.0)])
def test_a_part_may_be_a_decimal(word, value):
    assert read_real(word) == value
    assert Fraction(read_real("1/3")) == Fraction(1 / 3)


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("", "'' is not a number"),
        ("a", "'a' is not a number"),
        ("0x10", "'0x10' is not a number"),
        ("/", "'/' is not a number; a fraction is written as 1/9"),
        ("1/", "'1/' is not a number; a fraction is written as 1/9"),
        ("/2", "'/2' is not a number; a fraction is written as 1/9"),
        ("a/b", "'a/b' is not a number; a fraction is written as 1/9"),
        ("1/2/3", "'1/2/3' is not a number; a fraction is written as 1/9"),
        ("1/0", "'1/0' divides by 0"),
        ("0/0.0", "'0/0.0' divides by 0"),
    ],
)
def test_nan_and_infinity(word, message):
    for read in (read_real, read_float, read_finite):
        with pytest.raises(ArgumentError) as error:
            read(word)
        assert str(error.value) == message


@pytest.mark.parametrize(
    ("word", "value"),
    [("1e999", inf), ("-inf", -inf), ("9" * 400, inf), ("-" + "9" * 400, -inf), (f"{10**400 + 1}/-2", -inf)],
)
def test_numbers_beyond_floats_are_infinite(word, value):
    assert read_float(word) == value
    with pytest.raises(ArgumentError) as error:
        read_finite(word)
    assert str(error.value).endswith("' is not a finite number")


def test_whole_numbers_stay_exact():
    assert read_finite(str(2**70 + 1)) == 2**70 + 1
    assert type(read_finite("8/2")) is int


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("1 2,3 , 4\t5", "1 2 3 4 5"),
        (" 1,2, ", "1 2"),
        ("1,,2", "1 _ 2"),
        (",1,2", "_ 1 2"),
        ("1,2,,", "1 2 _"),
        ("1;2", "1;2"),
        ("", "_"),
        (",", "_"),
    ],
)
def test_the_words_of_a_row(row, words):
    assert split(row) == words.replace("_", "").split(" ")


def test_the_words_of_a_row_between_semicolons():
    assert split("1;2 ; 3,4;", ",;") == ["1", "2", "3", "4"]
