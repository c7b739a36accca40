"""Numbers in words: whole, decimal, fractions."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcli.number_text import read_real


@given(st.integers(), st.integers(1, 10**6))
def test_a_fraction_is_the_nearest_float_or_whole(over, under):
    value = read_real(f"{over}/{under}")
    assert value == (over // under if over % under == 0 else over / under)
    assert type(value) is (int if over % under == 0 else float)


@given(st.floats(allow_nan=False))
def test_decimals_are_as_python_reads_them(number):
    assert read_real(repr(number)) == number


@pytest.mark.parametrize(("word", "value"), [("0.5/2", 0.25), ("1/0.25", 4.0), ("-7", -7), ("1e3", 1000.0)])
def test_a_part_may_be_a_decimal(word, value):
    assert read_real(word) == value
    assert Fraction(read_real("1/3")) == Fraction(1 / 3)


@pytest.mark.parametrize("word", ["", "/", "1/", "/2", "a", "1/2/3", "one", "0x10"])
def test_what_is_no_number(word):
    with pytest.raises(ValueError):
        read_real(word)


def test_nothing_is_divided_by_zero():
    with pytest.raises(ZeroDivisionError):
        read_real("1/0")
