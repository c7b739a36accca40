"""Names in a sentence."""

from collections.abc import Iterable

MOST_NAMED = 100  # of one kind; a file may have more tags and chunks than anybody reads the names of


def listed(words: Iterable[str]) -> str:
    """Join words as a sentence does; of very many only some are named.

    >>> listed(["a"]), listed(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    *most, last = words
    if len(most) > MOST_NAMED:
        most, last = most[:MOST_NAMED], f"{len(most) + 1 - MOST_NAMED:,} more"
    return f"{', '.join(most)} and {last}" if most else last


def counted(noun: str, words: Iterable[str]) -> str:
    """Name things of one kind, each once.

    >>> counted("the tag", ["a"]), counted("the tag", ["a", "b", "a"])
    ('the tag a', 'the tags a and b')
    """
    names = list(dict.fromkeys(words))
    return f"{noun}{'s' * (len(names) > 1)} {listed(names)}"
