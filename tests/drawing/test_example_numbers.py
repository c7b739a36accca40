"""Numbers of examples: read, chosen and formatted."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcli.drawing.example_numbers import chosen, exact, example_values, read_values, shown, weights_of
from convcli.errors import ArgumentError, ConvcliError
from convcli.kernels import parse_kernel


def test_values_are_rows_and_channels():
    assert read_values("0 1; 2 3 | 4 5; 6, 7") == (((0, 1), (2, 3)), ((4, 5), (6, 7)))
    assert read_values("1/3 -0.1 2.5e1") == (((Fraction(1, 3), Fraction(-1, 10), 25),),)


def test_values_in_a_file(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("1,2\n3,4.5\n")
    assert read_values(str(path)) == (((1, 2), (3, Fraction(9, 2))),)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 2; 3", "`values` '1 2; 3' is ragged: row 1 has 2 values, row 2 has 1; give every row the same number of values"),
        ("1 2 | 3", "`values` '1 2 | 3' is ragged: channel 1 is 1x2, channel 2 is 1x1"),
        ("1 two", "`values` '1 two': 'two' is not a number; give rows of numbers separated by ;, as in '0 1 2; 3 4 5; 6 7 8'"),
        ("", "'' is not a number"),
        ("1/0", "'1/0' divides by 0"),
        ("1e999", "'1e999' is not a finite number"),
        ("nan", "'nan' is not a finite number"),
        ("no.csv", "cannot read kernel 'no.csv': there is no such file"),
    ],
)  # fmt: skip
def test_values_that_cannot_be_read(text, message):
    with pytest.raises(ConvcliError) as error:
        read_values(text)
    assert message in str(error.value)


@given(st.integers(-(10**4), 10**4), st.integers(1, 10**4))
def test_fractions_survive_the_conversion_to_floats(over, under):
    assert exact(over / under) == Fraction(over, under)


def test_kernels_are_divided_exactly():
    assert weights_of(parse_kernel("box:3"))[0] == (Fraction(1, 9),) * 3
    with pytest.raises(ArgumentError, match="kernel 'sobel' combines the responses of 2 matrices"):
        weights_of(parse_kernel("sobel"))
    with pytest.raises(ArgumentError, match="adds an offset of 128, which cannot be drawn"):
        weights_of(parse_kernel("emboss").__class__("k", (((1,),),), offset=128))


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=6), st.integers(1, 9))
def test_chosen_numbers_stay_below_their_levels_and_within_floats(places, levels):
    assert 0 <= chosen(levels, *places) < levels


def test_chosen_numbers_are_pseudo_random():
    values = [value for row in example_values(1, 30, 30, 0)[0] for value in row]
    assert all(170 < values.count(level) < 280 for level in range(4))
    assert example_values(1, 30, 30, 1)[0] != example_values(1, 30, 30, 0)[0]
    assert max(sum(a == b for a, b in zip(values, values[n:])) / (900 - n) for n in range(1, 40)) < 0.36


@given(st.fractions())
def test_numbers_are_written_so_that_they_can_be_read_and_are_close(number):
    text = shown(number)
    assert len(text) <= 10
    assert abs(Fraction(text) - number) <= abs(number) / 1000


def test_numbers_beyond_floats():
    assert shown(Fraction(10) ** 400) == "1.000e+400"
    assert shown(Fraction(-1, 3)) == "-1/3"
    assert shown(Fraction(2, 3001)) == "0.0006664"
