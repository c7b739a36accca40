"""Errors are short, whatever they quote: the middle of a long value is left out, its ends and the reason are kept."""

import pickle
import re

from hypothesis import given
from hypothesis import strategies as st

from convcli.errors import MAX_MESSAGE, MAX_QUOTED, ArgumentError, ConvcliError, cut, instead_of, shortened

LEFT_OUT = re.compile(r"\.\.\. [\d,]+ characters \.\.\.")


@given(st.text(), st.integers(60, 300))
def test_a_cut_text_keeps_its_ends_and_the_number_of_characters_left_out(text: str, most: int) -> None:
    text = text * 40
    found = cut(text, most)
    assert len(found) <= most
    if len(text) <= most:
        assert found == text
        return
    start, end = LEFT_OUT.split(found)
    assert text.startswith(start) and text.endswith(end)
    (count,) = re.findall(r"\.\.\. ([\d,]+) characters", found.removeprefix(start))
    assert int(count.replace(",", "")) == len(text) - len(start) - len(end)


@given(st.text(max_size=9))
def test_a_short_message_is_unchanged(text: str) -> None:
    message = f"kernel {text!r} has {text}, 'no' \"place\", and it's {text * 3}; use another"
    assert str(ConvcliError(message)) == message


@given(st.text(min_size=1), st.sampled_from([str, repr]))
def test_a_long_value_leaves_the_reason_whole(text: str, shown: type) -> None:
    value = text * 5000
    message = str(ArgumentError(f"there is no kernel {shown(value)}: it has no name; use box"))
    assert len(message) <= MAX_MESSAGE
    assert message.startswith("there is no kernel ") and message.endswith("use box")


def test_each_value_is_cut_and_the_text_around_it_is_not() -> None:
    a, b, c = "a" * 999, "b c" * 999, r"it\'s" * 999
    message = shortened(f"cannot write {a}/x.png: {b!r} is no 'name' of '{c}'; take another")
    start, middle, end, last = LEFT_OUT.split(message)
    assert start == f"cannot write {'a' * 80}"
    assert re.fullmatch(r"a+/x\.png: '[bc ]+", middle)
    assert re.fullmatch(r"[bc ]+' is no 'name' of '[its'\\]+", end)
    assert re.fullmatch(r"[its'\\]+'; take another", last)
    assert len(message) < 3 * MAX_QUOTED + 100
    assert shortened(message) == message


def test_many_values_are_cut_as_a_whole() -> None:
    message = shortened("these are left: " + ", ".join(f"name {number}" for number in range(10**5)))
    assert len(message) <= MAX_MESSAGE
    assert message.startswith("these are left: name 0, name 1") and message.endswith("name 99999")


def test_an_error_is_pickled_with_its_message() -> None:
    error = ArgumentError(f"{'x' * 5000!r} is no number; give one")
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again)) == (ArgumentError, str(error))


def test_far_too_long_values_get_no_suggestion() -> None:
    assert instead_of("sobbel", ["sobel", "box"]) == "did you mean 'sobel'?"
    assert instead_of("sobel" * 10**6, ["sobel", "box"]) == "use sobel, box"
