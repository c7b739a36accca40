"""Join names into a sentence."""

from collections.abc import Iterable

MAX_NAMED = 100  # names in one list; a damaged file may have very many tags or chunks


def listed(words: Iterable[str]) -> str:
    """Join words with commas and "and"; a very long list is shortened.

    >>> listed(["a"]), listed(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    *most, last = words
    if len(most) > MAX_NAMED:
        most, last = most[:MAX_NAMED], f"{len(most) + 1 - MAX_NAMED:,} more"
    return f"{', '.join(most)} and {last}" if most else last


def counted(noun: str, words: Iterable[str]) -> str:
    """Return a noun, in the plural if needed, and the names of its items, each once.

    >>> counted("the tag", ["a"]), counted("the tag", ["a", "b", "a"])
    ('the tag a', 'the tags a and b')
    """
    names = list(dict.fromkeys(words))
    return f"{noun}{'s' * (len(names) > 1)} {listed(names)}"
