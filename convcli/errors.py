"""The errors that convcli expects: each says what, why and how to go on, in one line."""

from collections.abc import Iterable


class ConvcliError(Exception):
    """An expected failure; its message names the value, the rule it broke and the way out."""

    exit_code = 1


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
    close = get_close_matches(word.lower(), known, n=1)
    return f"did you mean {close[0]!r}?" if close else f"use {', '.join(known)}"
