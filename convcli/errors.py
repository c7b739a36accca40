"""Exceptions of convcli: each message says in one line which value is wrong, why, and how to fix it."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

MAX_QUOTED = 200  # characters of a value, a name or a path in a message
MAX_MESSAGE = 1200  # characters of a message
_MARK = 40  # characters reserved for "... 1,980 characters ...", which is always shorter

# A value quoted by repr, with or without its closing quote; an apostrophe inside a word does not open one.
_QUOTED = re.compile(r"""(?<!\w)(['"])((?:\\.|(?!\1(?!\w))[^\\])*)(\1|\\?\Z)""", re.DOTALL)
_WORD = re.compile(rf"(?<!\S)\S{{{MAX_QUOTED + 1},}}")  # a path or a number
# The text between two marks of punctuation; it is this long only if it contains a path with spaces.
_CLAUSE = re.compile(rf"(?:^|(?<=[,;:]\s))(?:(?![,;:]\s).){{{2 * MAX_QUOTED + 1},}}", re.DOTALL)


class ConvcliError(Exception):
    """An expected failure; its message names the value, the rule that it broke and the way out."""

    exit_code = 1

    def __init__(self, message: str) -> None:
        """Store the message, with values that are too long to read shortened in the middle."""
        super().__init__(shortened(message))


class ArgumentError(ConvcliError, ValueError):
    """An argument has an invalid value."""

    exit_code = 2


class FileError(ConvcliError):
    """A file that an argument names cannot be read, is damaged, or holds something else; pictures are ImageError."""

    exit_code = 2


@contextmanager
def content_of_file() -> Iterator[None]:
    """Raise FileError for an error inside, which is about the content of a file and not about an argument."""
    try:
        yield
    except ConvcliError as error:
        raise FileError(str(error)) from None


def install_extra(extra: str) -> str:
    """Return the command that adds the packages of an extra to the convcli that is installed.

    pip looks for no other convcli, so that it is not necessary for it to be on a package registry.
    """
    return f"pip install 'convcli[{extra}]'"


def instead_of(word: str, known: Iterable[str]) -> str:
    """Return the advice for an unknown word: the most similar known word, or the list of all.

    >>> instead_of("sobbel", ["sobel", "box"]), instead_of("q", ["sobel", "box"])
    ("did you mean 'sobel'?", 'use sobel, box')
    """
    from difflib import get_close_matches

    known = list(known)
    close = get_close_matches(word.lower(), known, n=1) if len(word) <= MAX_QUOTED else []
    return f"did you mean {close[0]!r}?" if close else f"use {', '.join(known)}"


def cut(text: str, most: int = MAX_QUOTED) -> str:
    """Return a text without its middle if it is longer than `most` characters.

    >>> cut("no" * 1000, 60)
    'nonononono... 1,980 characters ...nonononono'
    >>> cut("no" * 1000, _MARK)
    '... 2,000 characters ...'
    """
    if len(text) <= most:
        return text
    kept = (most - _MARK) // 2
    return f"{text[:kept]}... {len(text) - 2 * kept:,} characters ...{text[len(text) - kept :]}"


def shortened(message: str) -> str:
    """Shorten each long value in a message, quoted or not, then the message itself.

    >>> shortened(f"kernel {'9' * 999!r} is wide; take a smaller one") == (
    ...     f"kernel '{'9' * 80}... 839 characters ...{'9' * 80}' is wide; take a smaller one")
    True
    """
    if len(message) <= MAX_QUOTED:
        return message
    parts, end = [], 0
    for match in _QUOTED.finditer(message):
        before, (opening, value, closing) = message[end : match.start()], match.groups()
        parts += [_plain(before), opening, cut(value), closing]
        end = match.end()
    parts.append(_plain(message[end:]))
    return cut("".join(parts), MAX_MESSAGE)


def _plain(text: str) -> str:
    """Shorten the long words and clauses of a text without quoted values."""
    for long in (_WORD, _CLAUSE):
        text = long.sub(lambda match: cut(match[0]), text)
    return text
