"""Parse and format sizes and paddings: 7, 224x224, 1:2x0:0."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from convcli.errors import ArgumentError, instead_of
from convcli.layers.axes import Sizes
from convcli.layers.padding import MODE_ALIASES, MODES, NAMES, AnyPadding, Padding, Pads
from convcli.number_text import read_finite, without_brackets

if TYPE_CHECKING:
    from convcli.layers.resize import Factor

MAX_DIGITS = 300  # digits of one number: a product of a dozen such numbers can still be printed

_SIZE = re.compile(r"[0-9]{1,9}(x[0-9]{1,9})+")


def parse_number(text: str) -> int:
    """Parse a whole number of at least 0."""
    if text.startswith("-") and text[1:].isascii() and text[1:].isdigit():
        raise ArgumentError(f"{text!r} is below 0, and must be at least 0")
    if not (text.isascii() and text.isdigit()):
        raise ArgumentError(f"{text!r} is not a whole number")
    if len(text) > MAX_DIGITS:
        raise ArgumentError(f"a number of {len(text)} digits is too long; at most {MAX_DIGITS} are read")
    return int(text)


def parse_size(text: str) -> int | Sizes:
    """Parse a size: a single number is an int for all axes; 224x224 has one number per axis.

    >>> parse_size("7"), parse_size("16x112x112")
    (7, (16, 112, 112))
    """
    try:
        sizes = tuple(parse_number(part) for part in text.split("x"))
    except ArgumentError as error:
        suggested = _with_x(text)
        way = (
            f"did you mean {suggested}?"
            if _SIZE.fullmatch(suggested)
            else "write 7, or 7x5 with one number per axis"
        )
        why = f": {error}" if all(text.split("x")) else ""  # not: '' is not a whole number
        raise ArgumentError(f"{text!r} is not a size{why}; {way}") from None
    return sizes[0] if len(sizes) == 1 else sizes


def _with_x(text: str) -> str:
    """Return a size that may have been written as in Python: (2, 2) becomes 2x2."""
    return re.sub(r"\s*,\s*", "x", without_brackets(text).removesuffix(","))


def parse_signed(text: str) -> int | tuple[int, ...]:
    """Parse whole numbers that may be negative: -1, 2x3, 0x-1.

    >>> parse_signed("-1"), parse_signed("0x-1")
    (-1, (0, -1))
    """
    numbers = tuple(
        -parse_number(part[1:]) if part[:1] == "-" else parse_number(part) for part in text.split("x")
    )
    return numbers[0] if len(numbers) == 1 else numbers


def parse_scale(text: str) -> "Factor | tuple[Factor, ...]":
    """Parse factors; whole ones become ints: 2, 1.5, 2x0.5, 1/3.

    >>> parse_scale("2"), parse_scale("2x0.5"), parse_scale("1/3")
    (2, (2, 0.5), Fraction(1, 3))
    """
    factors = tuple(_factor(part) for part in text.split("x"))
    return factors[0] if len(factors) == 1 else factors


def _factor(text: str) -> "Factor":
    """Parse a factor; a fraction that a float cannot hold exactly stays a Fraction, so that a third of 9 is 3."""
    over, slash, under = text.partition("/")
    number = read_finite(text)
    if not slash or not (over.isdigit() and under.isdigit()):
        return number
    from fractions import Fraction

    exact = Fraction(int(over), int(under))
    return number if exact == number else exact


def parse_padding(text: str) -> AnyPadding:
    """Parse a padding: a name, a number, or one item per axis; an item is a number or before:after.

    A single 1:2 is ((1, 2),), a pair for all axes.

    >>> parse_padding("same"), parse_padding("1"), parse_padding("1:2"), parse_padding("1:2x0")
    ('same', 1, ((1, 2),), ((1, 2), 0))
    """
    if text in NAMES:
        return text
    try:
        items = tuple(_parse_sides(part) for part in text.split("x"))
    except ArgumentError as error:
        way, suggested = instead_of(text, NAMES), _with_x(text)
        if text.lower() in MODES or text.lower() in MODE_ALIASES:
            raise ArgumentError(
                f"{text!r} is a padding mode, which is set by `padding_mode={text!r}`; the padding is a size, such as "
                f"1, or one of {', '.join(NAMES)}"
            ) from None
        if _SIZE.fullmatch(suggested):
            way = f"did you mean {suggested}?"
        elif not way.startswith("did you mean"):
            way = f"write 1, 1x2, before:after such as 1:2 or 1:2x0:0, or one of {', '.join(NAMES)}"
        raise ArgumentError(f"{text!r} is not a padding: {error}; {way}") from None
    return items[0] if len(items) == 1 and isinstance(items[0], int) else items


def _parse_sides(text: str) -> int | tuple[int, int]:
    before, colon, after = text.partition(":")
    return (parse_number(before), parse_number(after)) if colon else parse_number(before)


def format_size(size: int | Sequence[int]) -> str:
    """Format a size so that parse_size can read it; one axis is a single number."""
    return str(size) if isinstance(size, int) else "x".join(map(str, size))


def format_pads(pads: Pads) -> str:
    """Format pairs so that parse_padding can read them: 1x1, or 1:2x0:0 if a pair is uneven."""
    return "x".join(f"{before}" if before == after else f"{before}:{after}" for before, after in pads)


def format_padding(padding: Padding) -> str:
    """Format a layer's padding in the shortest form: its name, or one item if it is the same on all axes."""
    if isinstance(padding, str):
        return padding
    return format_pads(padding[:1] if len(set(padding)) == 1 else padding)


def format_padding_as_typed(padding: AnyPadding) -> str:
    """Format a padding in the form that parse_padding read it from.

    >>> [format_padding_as_typed(parse_padding(text)) for text in ("same", "1", "1:2", "1:2x0")]
    ['same', '1', '1:2', '1:2x0']
    """
    if isinstance(padding, int | str):
        return str(padding)
    return "x".join(str(item) if isinstance(item, int) else ":".join(map(str, item)) for item in padding)
