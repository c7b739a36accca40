"""Matrices from numbers in text: one number, rows, slices; each mistake shown with its value."""

from collections.abc import Callable, Sequence
from pathlib import Path

from convcli.errors import ArgumentError
from convcli.kernels.kernel import Grid, Matrix, Number, is_finite
from convcli.number_text import read_real

ReadPicture = Callable[
    [Path, int], Sequence[Sequence[Number]]
]  # a picture's grey values, of sides up to a limit
MOST_DIVISOR = 10**6  # of weights that are typed as fractions
DIGITS = 2**53  # floats below hold every whole number


def number(word: str, what: str, hint: str = "") -> Number:
    """Read one weight, or raise ArgumentError; whole numbers stay exact, however they are written, as do 4/2.

    >>> number("1e3", "x"), number("1/8", "x"), number("-9/3", "x")
    (1000, 0.125, -3)
    """
    try:
        value = read_real(word)
    except ArgumentError as error:
        raise ArgumentError(f"{what}: {error}{hint}") from None
    return checked(value, what, word)


def checked(value: Number, what: str, word: str | None = None) -> Number:
    """Return a weight, as a whole number where it is one, or raise ArgumentError where it is not finite."""
    if not is_finite(value):
        shown = word if word is not None else str(value)
        raise ArgumentError(f"{what}: {shown!r} is not a finite number; every weight must be one")
    if isinstance(value, float) and value.is_integer() and abs(value) < DIGITS:
        return int(value)
    return value


def common(rows: Sequence[Sequence[str]]) -> tuple[list[list[str]], int]:
    """Return the words of rows without their fractions, and the number that they are all divided by instead.

    Sums of whole numbers are exact. Words that are no numbers stay, and so do all where that number would be large.

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
    if divisor > MOST_DIVISOR:
        return plain, 1
    return [[str(int(exact[word] * divisor)) for word in row] for row in rows], divisor


def grid(rows: Sequence[Sequence[Number]], what: str) -> Grid:
    """Return rows as a matrix, or raise ArgumentError where they differ in length."""
    for place, row in enumerate(rows, start=1):
        if len(row) != len(rows[0]):
            raise ArgumentError(
                f"{what} is ragged: row 1 has {len(rows[0])} values, row {place} has {len(row)}; "
                "give every row the same number"
            )
    return tuple(map(tuple, rows))


def fitted(matrix: Matrix, missing: int) -> Matrix:
    """Add so many leading axes of length 1, or drop them where fewer than none are missing."""
    for _ in range(missing):
        matrix = (matrix,)
    for _ in range(-missing):
        inner = matrix[0]
        assert isinstance(inner, tuple)
        matrix = inner
    return matrix
