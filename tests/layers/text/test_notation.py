import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcli.errors import ArgumentError
from convcli.layers import Conv
from convcli.layers.padding import normalise_padding
from convcli.layers.text.notation import (
    MAX_DIGITS,
    format_padding,
    format_pads,
    format_size,
    parse_number,
    parse_padding,
    parse_size,
)


@pytest.mark.parametrize(
    ("text", "size"),
    [("7", 7), ("224x224", (224, 224)), ("16x112x112", (16, 112, 112)), ("0", 0), ("007", 7)],
)
def test_sizes(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize(
    ("text", "padding"),
    [
        ("1", 1),
        ("1x2", (1, 2)),
        ("1:2", ((1, 2),)),
        ("1:2x0:0", ((1, 2), (0, 0))),
        ("1:2x3", ((1, 2), 3)),
        ("same", "same"),
        ("same-lower", "same-lower"),
        ("full", "full"),
        ("valid", "valid"),
    ],
)
def test_paddings(text, padding):
    assert parse_padding(text) == padding


@pytest.mark.parametrize(
    "text", ["", "x", "7x", "x7", "-1", "+1", "1.5", "1e3", " 7", "7X7", "1_0", "\u0663", "1:2"]
)
def test_a_bad_size_is_shown(text):
    with pytest.raises(ArgumentError) as caught:
        parse_size(text)
    why = {"": "", "x": "", "7x": "", "x7": ""}.get(text, ": ")
    assert str(caught.value).startswith(f"{text!r} is not a size{why or '; write'}")
    assert str(caught.value).endswith("; write 7, or 7x5 with one number per axis")


@pytest.mark.parametrize("text", ["", "1:", ":1", "1:2:3", "-1", "two", "1x"])
def test_a_bad_padding_is_shown(text):
    with pytest.raises(ArgumentError) as caught:
        parse_padding(text)
    assert str(caught.value).startswith(f"{text!r} is not a padding: ")
    assert "valid, same, same-lower, full" in str(caught.value)


@pytest.mark.parametrize(
    ("read", "text", "suggested"),
    [
        (parse_size, "2,2", "2x2"),
        (parse_size, "16,112,112", "16x112x112"),
        (parse_padding, "1,2", "1x2"),
        (parse_padding, "SAME", "'same'"),
        (parse_padding, "same_lower", "'same-lower'"),
    ],
)
def test_errors_suggest_a_correction(read, text, suggested):
    with pytest.raises(ArgumentError) as caught:
        read(text)
    assert str(caught.value).endswith(f"is not a whole number; did you mean {suggested}?")


def test_a_number_may_be_long_but_not_endless():
    assert parse_number("9" * MAX_DIGITS) == 10**MAX_DIGITS - 1
    with pytest.raises(ArgumentError, match="a number of 5000 digits is too long; at most 300 are read"):
        parse_number("9" * 5000)


@given(st.lists(st.integers(0, 10**20), min_size=2, max_size=4))
def test_sizes_round_trip(sizes):
    assert parse_size(format_size(sizes)) == tuple(sizes)
    assert parse_size(format_size(sizes[0])) == sizes[0]
    assert format_size(sizes[:1]) == str(sizes[0])


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=2, max_size=3))
def test_paddings_round_trip(pairs):
    ones = (1,) * len(pairs)
    for text in (format_pads(pairs), format_padding(tuple(pairs))):
        assert normalise_padding(parse_padding(text), ones, ones) == tuple(pairs)


def test_padding_is_written_in_its_shortest_form():
    def written(padding):
        return format_padding(Conv(in_channels=1, out_channels=1, kernel_size=3, padding=padding).padding)

    assert [written(p) for p in (1, (1, 1), (1, 2), ((1, 2),), ((1, 2), 0), "same", "valid")] == [
        "1", "1", "1x2", "1:2", "1:2x0", "same", "0",
    ]  # fmt: skip
