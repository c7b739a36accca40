"""Names in a sentence."""

from collections.abc import Iterable


def listed(words: Iterable[str]) -> str:
    """Join words as a sentence does.

    >>> listed(["a"]), listed(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


def counted(noun: str, words: Iterable[str]) -> str:
    """Name things of one kind, each once.

    >>> counted("the tag", ["a"]), counted("the tag", ["a", "b", "a"])
    ('the tag a', 'the tags a and b')
    """
    names = list(dict.fromkeys(words))
    return f"{noun}{'s' * (len(names) > 1)} {listed(names)}"
