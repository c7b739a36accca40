"""The errors that convcli expects: each says what, why and how to go on, in one line."""

import re
from collections.abc import Iterable

MOST_QUOTED = 200  # characters of a value, a name or a path in a message
MOST_SAID = 1200  # characters of a message
_MARK = 40  # characters that tell how much is left out: more than they ever take

# What repr has put between quotes, or begun to; an apostrophe inside a word is none.
_QUOTED = re.compile(r"""(?<!\w)(['"])((?:\\.|(?!\1(?!\w))[^\\])*)(\1|\\?\Z)""", re.DOTALL)
_WORD = re.compile(rf"(?<!\S)\S{{{MOST_QUOTED + 1},}}")  # a path or a number
# What stands between two marks of punctuation is rarely so long, unless a path with spaces is in it.
_CLAUSE = re.compile(rf"(?:^|(?<=[,;:]\s))(?:(?![,;:]\s).){{{2 * MOST_QUOTED + 1},}}", re.DOTALL)


class ConvcliError(Exception):
    """An expected failure; its message names the value, the rule it broke and the way out."""

    exit_code = 1

    def __init__(self, message: str) -> None:
        """Make it of a message, of which values that are too long to read are cut in the middle."""
        super().__init__(shortened(message))


class ArgumentError(ConvcliError, ValueError):
    """A value that the caller gave breaks a rule."""

    exit_code = 2


def instead_of(word: str, known: Iterable[str]) -> str:
    """Say how to go on after a word that is not known: the likely one, or all there are.

    >>> instead_of("sobbel", ["sobel", "box"]), instead_of("q", ["sobel", "box"])
    ("did you mean 'sobel'?", 'use sobel, box')
    """
    from difflib import get_close_matches

    known = list(known)
    close = get_close_matches(word.lower(), known, n=1) if len(word) <= MOST_QUOTED else []
    return f"did you mean {close[0]!r}?" if close else f"use {', '.join(known)}"


def cut(text: str, most: int = MOST_QUOTED) -> str:
    """Return a text of at most so many characters, one that is longer without its middle.

    >>> cut("no" * 1000, 60)
    'nonononono... 1,980 characters ...nonononono'
    """
    if len(text) <= most:
        return text
    kept = (most - _MARK) // 2
    return f"{text[:kept]}... {len(text) - 2 * kept:,} characters ...{text[-kept:]}"


def shortened(message: str) -> str:
    """Cut each long value in a message, whether it is quoted or not, then the message itself.

    >>> shortened(f"kernel {'9' * 999!r} is wide; take a smaller one") == (
    ...     f"kernel '{'9' * 80}... 839 characters ...{'9' * 80}' is wide; take a smaller one")
    True
    """
    if len(message) <= MOST_QUOTED:
        return message
    parts, end = [], 0
    for match in _QUOTED.finditer(message):
        before, (opening, value, closing) = message[end : match.start()], match.groups()
        parts += [_plain(before), opening, cut(value), closing]
        end = match.end()
    parts.append(_plain(message[end:]))
    return cut("".join(parts), MOST_SAID)


def _plain(text: str) -> str:
    """Cut what is long in a message and not quoted."""
    for long in (_WORD, _CLAUSE):
        text = long.sub(lambda match: cut(match[0]), text)
    return text
