"""Pairing of the pictures in two folders by their relative paths."""

import os
from pathlib import Path

from convcli.jobs.find import InputError
from convcli.jobs.search import EVERYWHERE, Choice, Patterns, Search


def paired(first: Path, second: Path) -> list[tuple[str, bool, bool]]:
    """Return the sorted relative paths of the pictures in two folders, and whether each folder has it.

    Raises InputError if a folder cannot be listed, or if there is no picture in either of them.
    """
    one, other = _pictures(first), _pictures(second)
    names = sorted(one | other, key=os.fsencode)
    if not names:
        raise InputError(
            f"cannot compare {first} and {second}: there is no picture in either of these folders"
        )
    return [(name, name in one, name in other) for name in names]


def _pictures(folder: Path) -> set[str]:
    search = Search(str(folder), Choice(Patterns(()), Patterns(())))
    found = search.below((EVERYWHERE, "*"))
    for path, reason in search.failed.items():
        raise InputError(f"cannot read the folder {path}: {reason}")
    return set(found)
