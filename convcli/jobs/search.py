"""The search for pictures in a folder or by a pattern, in a stable order; links to folders cannot cause cycles."""

import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import translate
from pathlib import Path
from typing import NamedTuple

from convcli.errors import ArgumentError
from convcli.images.formats import ENDINGS
from convcli.remote_files import Entry, entries

EVERYWHERE = "**"  # any number of folders, also none
LONGEST_PATH = 4096  # in characters
_MAGIC = re.compile(r"[*?[]")

Parts = tuple[str, ...]


def is_pattern(text: str) -> bool:
    """Return whether a name contains wildcards."""
    return _MAGIC.search(text) is not None


def split_pattern(text: str) -> tuple[str, Parts]:
    """Return the folder at the start of a pattern, and its other parts.

    >>> split_pattern("photos/2024/*/**/*.png")
    ('photos/2024', ('*', '**', '*.png'))
    """
    names = text.split("/")
    fixed = next(place for place, name in enumerate(names) if is_pattern(name))
    root = "/".join(names[:fixed])
    return root or text[: text.startswith("/")], tuple(filter(None, names[fixed:]))


class Patterns:
    """The patterns of `include` or `exclude`: those with a slash match paths, the others match file names.

    As with `find -path`, * also matches slashes. Case is ignored, as it is in the endings of pictures.
    """

    def __init__(self, patterns: Sequence[str]) -> None:
        trimmed = [pattern.rstrip("/") for pattern in patterns]
        self.names = [_matcher(pattern, re.IGNORECASE) for pattern in trimmed if "/" not in pattern]
        self.paths = [_matcher(pattern, re.IGNORECASE) for pattern in trimmed if "/" in pattern]

    def __bool__(self) -> bool:
        return bool(self.names or self.paths)

    def match(self, path: str, below: str = "") -> bool:
        """Return whether one of them matches a path, or its part `below` the searched folder."""
        name = path.rpartition("/")[2]
        if any(match(name) for match in self.names):
            return True
        return any(match(path) or match(below) for match in self.paths)


class Choice(NamedTuple):
    """The selection by `include` and `exclude`."""

    include: Patterns
    exclude: Patterns

    def lets(self, path: str, below: str = "") -> bool:
        """Return whether a picture is selected."""
        return (not self.include or self.include.match(path, below)) and not self.exclude.match(path, below)


def _matcher(pattern: str, flags: int = 0) -> Callable[[str], object]:
    if len(pattern) > LONGEST_PATH:  # fnmatch is slow for patterns with many brackets
        raise ArgumentError(f"the pattern {pattern!r} is longer than any path; shorten it")
    return re.compile(translate(pattern), flags).match


@dataclass
class Search:
    """One search below a folder, and the files that it skipped.

    excluded : the real path of a folder that is not searched: the folder of the outputs
    others : the number of files without the ending of a picture
    left_out : the number of pictures that `include` and `exclude` left out
    folders : the number of folders in the folders that were searched
    passed : skipped entries that are not regular files: words for a note, and the path of each
    failed : the folders that cannot be listed, with the reasons
    """

    root: str
    choice: Choice
    excluded: str | None = None
    others: int = 0
    left_out: int = 0
    folders: int = 0
    passed: list[tuple[str, str]] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    _listed: tuple[str, list[Entry]] | None = None

    def below(self, parts: Parts) -> list[str]:
        """Return the pictures that match the parts of a pattern, as paths below the root, sorted by their bytes.

        As in a shell, * and ** do not match hidden names, and ** does not follow links.
        """
        found: set[str] = set()
        seen: set[tuple[str, Parts]] = set()
        waiting = [("", parts)]
        while waiting:
            state = folder, (part, *rest) = waiting.pop()
            if state in seen:
                continue
            seen.add(state)
            if part == EVERYWHERE:
                waiting += [(inner, state[1]) for inner in self._inner(folder)]
                waiting.append(
                    (folder, tuple(rest) or ("*",))
                )  # taken next, while the listing is still cached
            elif rest and not is_pattern(part):
                waiting.append((_joined(folder, part), tuple(rest)))
            else:
                for entry in self._matching(folder, part):
                    path = _joined(folder, entry.name)
                    if not rest:
                        found.update([path] if self._is_taken(entry, path) else [])
                    elif _is_folder(entry):
                        waiting.append((path, tuple(rest)))
        return sorted(found, key=os.fsencode)

    def path(self, below: str) -> str:
        """Return a path below the root in the form in which the user named the root."""
        return _joined(self.root, below) if below else self.root

    def _inner(self, folder: str) -> Iterator[str]:
        """Yield the folders in a folder, without links, which could cause cycles."""
        for entry in self._matching(folder, "*"):
            inner = _joined(folder, entry.name)
            if not entry.is_dir(follow_symlinks=False):
                if entry.is_symlink() and _is_folder(entry):
                    self.passed.append(("skipped links to folders", self.path(inner)))
            elif self._is_excluded(inner):
                self.passed.append(("did not search the folder of the outputs", self.path(inner)))
            elif not self.choice.exclude.match(self.path(inner), inner):
                yield inner

    def _is_excluded(self, folder: str) -> bool:
        return self.excluded is not None and os.path.realpath(self.path(folder)) == self.excluded

    def _matching(self, folder: str, part: str) -> Iterator[Entry]:
        match = _matcher(part)
        hidden = part.startswith(".")
        for entry in self._entries(folder):
            if (hidden or not entry.name.startswith(".")) and match(entry.name):
                yield entry

    def _entries(self, folder: str) -> list[Entry]:
        if self._listed is None or self._listed[0] != folder:
            path = self.path(folder)
            listed: list[Entry] = []
            try:
                listed.extend(entries(path))
            except (FileNotFoundError, NotADirectoryError):  # a part without wildcards that does not exist
                pass
            except OSError as error:
                self.failed[path] = error.strerror or str(error)
            self._listed = folder, listed
        return self._listed[1]

    def _is_taken(self, entry: Entry, below: str) -> bool:
        """Return whether an entry is a selected picture; if not, count it by its kind."""
        if _is_folder(entry):
            self.folders += 1
        elif not entry.name.lstrip(".").lower().endswith(ENDINGS):
            self.others += 1
        elif not self.choice.lets(self.path(below), below):
            self.left_out += 1
        elif _is_file(entry):
            return True
        else:
            broken = entry.is_symlink() and not Path(self.path(below)).exists()
            what = "skipped broken links" if broken else "skipped pipes and devices"
            self.passed.append((what, self.path(below)))
        return False


def _joined(folder: str, name: str) -> str:
    return f"{folder}{name}" if not folder or folder.endswith("/") else f"{folder}/{name}"


def _is_folder(entry: Entry) -> bool:
    """Return whether an entry is a folder or a link to one."""
    try:
        return entry.is_dir()
    except OSError:  # a cycle of links
        return False


def _is_file(entry: Entry) -> bool:
    """Return whether an entry is a regular file or a link to one."""
    try:
        return entry.is_file()
    except OSError:
        return False
