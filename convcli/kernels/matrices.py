"""Parse matrices from text: single numbers, rows and slices; errors show the value that is wrong."""

from collections.abc import Callable, Sequence
from pathlib import Path

from convcli.errors import ArgumentError
from convcli.kernels.kernel import Grid, Matrix, Number, is_finite
from convcli.number_text import read_real

ReadPicture = Callable[
    [Path, int], Sequence[Sequence[Number]]
]  # reads a picture's grey values; the second argument is the largest side
MAX_DIVISOR = 10**6  # largest common divisor of weights that are written as fractions
DIGITS = 2**53  # floats represent all smaller integers exactly


def number(word: str, what: str, hint: str = "") -> Number:
    """Parse one weight, or raise ArgumentError; a whole number becomes an int in any notation, even 4/2.

    >>> number("1e3", "x"), number("1/8", "x"), number("-9/3", "x")
    (1000, 0.125, -3)
    """
    try:
        value = read_real(word)
    except ArgumentError as error:
        raise ArgumentError(f"{what}: {error}{hint}") from None
    return checked(value, what, word)


def checked(value: Number, what: str, word: str | None = None) -> Number:
    """Return a weight, as an int if it is a whole number; raise ArgumentError if it is not finite."""
    if not is_finite(value):
        shown = word if word is not None else str(value)
        raise ArgumentError(f"{what}: {shown!r} is not a finite number; every weight must be finite")
    if isinstance(value, float) and value.is_integer() and abs(value) < DIGITS:
        return int(value)
    return value


def common(rows: Sequence[Sequence[str]]) -> tuple[list[list[str]], int]:
    """Return the words of rows multiplied by their common denominator, and that denominator.

    Integers are summed exactly. The words are returned unchanged, with the denominator 1, if there are no fractions, if
    a word is not a number, or if the denominator would be large.
    >>> common([["1/2", "1/3"], ["0.5", "1"]]), common([["1", "0.5"]])
    (([['3', '2'], ['3', '6']], 6), ([['1', '0.5']], 1))
    """
    words = {word for row in rows for word in row}
    plain = [list(row) for row in rows]
    if not any("/" in word for word in words):
        return plain, 1
    from fractions import Fraction
    from math import lcm

    try:
        exact = {word: Fraction(word) for word in words}
    except (ValueError, ArithmeticError):
        return plain, 1
    divisor = lcm(*(number.denominator for number in exact.values()))
    if divisor > MAX_DIVISOR:
        return plain, 1
    return [[str(int(exact[word] * divisor)) for word in row] for row in rows], divisor


def grid(rows: Sequence[Sequence[Number]], what: str) -> Grid:
    """Return rows as a matrix; raise ArgumentError if they differ in length."""
    for place, row in enumerate(rows, start=1):
        if len(row) != len(rows[0]):
            raise ArgumentError(
                f"{what} is ragged: row 1 has {len(rows[0])} values, row {place} has {len(row)}; "
                "give every row the same number of values"
            )
    return tuple(map(tuple, rows))


def fitted(matrix: Matrix, missing: int) -> Matrix:
    """Add `missing` leading axes of length 1, or drop axes if `missing` is negative."""
    for _ in range(missing):
        matrix = (matrix,)
    for _ in range(-missing):
        inner = matrix[0]
        assert isinstance(inner, tuple)
        matrix = inner
    return matrix
