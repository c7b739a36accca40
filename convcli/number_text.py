"""Reading numbers from text: integers, decimals and fractions."""

import re
from math import inf

from convcli.errors import ArgumentError

# Nested lists of numbers: a row, rows, and slices of rows.
_ROW = r"\[[^\[\]]*\]"
_ROWS = rf"\[\s*{_ROW}(?:[\s,]*{_ROW})*[\s,]*\]"
_SLICES = rf"\[\s*{_ROWS}(?:[\s,]*{_ROWS})*[\s,]*\]"


def read_real(word: str) -> int | float:
    """Return the number in a text like 7, 0.5, 1e-3 or 1/9, or raise ArgumentError.

    Integers stay exact, and so do fractions that are integers, like 4/2. Infinity and NaN are accepted;
    `read_finite` refuses them.

    >>> read_real("7"), read_real("0.5"), read_real("-1/4"), read_real("6/3")
    (7, 0.5, -0.25, 2)
    """
    over, slash, under = word.partition("/")
    try:
        numerator, denominator = _plain(over), _plain(under) if slash else 1
    except ValueError:
        hint = "; a fraction is written as 1/9" if slash else ""
        raise ArgumentError(f"{word!r} is not a number{hint}") from None
    if not slash:
        return numerator
    if not denominator:
        raise ArgumentError(f"{word!r} divides by 0")
    if isinstance(numerator, int) and isinstance(denominator, int) and numerator % denominator == 0:
        return numerator // denominator
    try:
        return numerator / denominator
    except OverflowError:
        return inf if (numerator > 0) == (denominator > 0) else -inf


def read_float(word: str) -> float:
    """Return the number in a text as a float, infinite if it is too large for one; or raise ArgumentError."""
    try:
        return float(read_real(word))
    except OverflowError:
        return -inf if word.lstrip().startswith("-") else inf


def read_finite(word: str) -> int | float:
    """Return the number in a text if it is finite as a float, or raise ArgumentError; integers stay exact."""
    if not abs(read_float(word)) < inf:
        raise ArgumentError(f"{word!r} is not a finite number")
    return read_real(word)


def split(row: str, commas: str = ",") -> list[str]:
    """Return the words of a row that are separated by spaces or commas.

    A comma with nothing before it gives an empty word; one comma at the end of the row is ignored.

    >>> split("1 2,3, 4 ,,5,"), split(",7")
    (['1', '2', '3', '4', '', '5'], ['', '7'])
    """
    row = row.strip()
    if row.endswith(tuple(commas)):
        row = row[:-1].rstrip()
    return re.split(rf"\s*[{commas}]\s*|\s+", row)


def text_rows(text: str) -> list[str]:
    r"""Return the rows of a matrix in text, which are separated by line breaks or semicolons; # starts a comment.

    Empty lines are left out; an empty row between two semicolons stays.

    >>> text_rows("1 2;  # first\n\n3 4; 5 6")
    ['1 2', '3 4', ' 5 6']
    """
    lines = [line.partition("#")[0].rstrip().rstrip(";") for line in text.splitlines()]
    return [row for line in lines if line.strip() for row in line.split(";")]


def without_brackets(text: str) -> str:
    """Return a nested list as rows separated by ; and slices separated by |; return any other text unchanged.

    The brackets may be those of Python, NumPy, MATLAB or C: [] or () or {}.

    >>> without_brackets("[[0, -1], [5, 1/2]]"), without_brackets("[1 2; 3 4]"), without_brackets("box")
    ('0, -1; 5, 1/2', '1 2; 3 4', 'box')
    """
    if text[:1] not in ("[", "(", "{"):
        return text
    plain = text.translate(str.maketrans("(){}", "[][]"))
    if re.fullmatch(_ROW, plain):
        return plain[1:-1].strip()
    if re.fullmatch(_ROWS, plain):
        return "; ".join(row[1:-1].strip() for row in re.findall(_ROW, plain))
    if re.fullmatch(_SLICES, plain):
        return " | ".join(map(without_brackets, re.findall(_ROWS, plain[1:-1])))
    return text


def words_of_arguments(text: str) -> list[str]:
    """Return the arguments that are separated by commas; raise ArgumentError if any but the last is empty.

    >>> words_of_arguments("3,stride=2"), words_of_arguments("3,"), words_of_arguments("")
    (['3', 'stride=2'], ['3'], [])
    """
    *words, last = text.split(",")
    if not all(map(str.strip, words)):
        raise ArgumentError(f"{text!r} has an empty argument; name the one that follows, as size=7")
    return [*words, *([last] if last.strip() else [])]


def _plain(word: str) -> int | float:
    if "_" in word:  # int and float would accept 1_000
        raise ValueError
    try:
        return int(word)
    except ValueError:
        return float(word)
