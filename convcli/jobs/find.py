"""The inputs of a run, in a stable order: files, folders, patterns, a list of names, and standard input."""

import os
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from convcli.errors import ArgumentError, ConvcliError
from convcli.files import exists, is_folder, is_link
from convcli.jobs.collisions import Places, Reads
from convcli.jobs.job import DASH, Source
from convcli.jobs.search import EVERYWHERE, Choice, Parts, Patterns, Search, is_pattern, split_pattern
from convcli.jobs.stdin import EndlessError, read_at_most
from convcli.jobs.targets import folder_of
from convcli.kernels.named import KERNELS
from convcli.remote_files import RemotePath, file_path

MAX_LISTED = 1 << 28  # bytes of a list
SHOWN = 3  # paths that a note names; it counts the others


class InputError(ConvcliError):
    """There is no picture in a folder or a list, or none that matches a pattern."""


class Found(NamedTuple):
    """The inputs of a run, and notes about files that were skipped."""

    sources: list[Source]
    notes: list[str]


class Inputs(NamedTuple):
    """The options that select the inputs of a run.

    names : files, folders and patterns, or - for standard input
    recursive : whether folders are searched recursively
    include, exclude : patterns of names or paths
    files_from : a file that lists names, or - for standard input
    """

    names: tuple[str, ...]
    recursive: bool = False
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    files_from: str | None = None

    @property
    def file(self) -> Path | None:
        """The input, if it is a single file of this machine and no other option is given; else None."""
        if len(self.names) != 1 or self.names[0] == "-" or any(self[1:]):
            return None
        path = file_path(self.names[0])
        if isinstance(path, RemotePath):  # which is fetched once, by its job
            return None
        return path if exists(path) and not is_folder(path) else None

    @property
    def lists(self) -> Reads:
        """The file that lists names, if there is one, with its name in messages."""
        named = self.files_from is not None and self.files_from != "-"
        return [("the list of inputs", file_path(self.files_from or ""))] if named else []

    def find(self, output: str | None, name: str) -> Found:
        """Return the inputs: the names in their order, then those of the list; each file once, at its first place.

        output : the output of the run; the folder that it names is not searched
        name : the name of the work in the names of outputs, such as that of the kernel

        In a folder, or by a pattern, files with the ending of a picture are found, sorted by the bytes of their paths.
        Outputs of earlier runs, recognised by `name` or the name of a kernel, are skipped if their originals are
        inputs. A folder or pattern without a picture is returned as a source with a problem. Raises ArgumentError or
        InputError if there is no input at all.
        """
        if not self.names and self.files_from is None:
            raise ArgumentError(
                "no input is given; name pictures, folders or - (standard input), or give a list with `files_from`"
            )
        if self.files_from == "-" and "-" in self.names:
            raise ArgumentError(
                "- and `files_from='-'` would both read standard input; leave one of them out"
            )
        given = [(text, text == "-", True) for text in self.names]
        if self.files_from is not None:
            given += [(text, False, False) for text in _listed(self.files_from)]
        finder = _Finder(self, folder_of(output, name))
        if self.files_from is not None and _none_exists([text for text, _, expands in given if not expands]):
            finder.passed["no file of the list exists; its names are relative to the current folder"] = []
        found = finder.without_earlier_outputs(finder.once(given), name)
        if not found:
            raise InputError(
                "`include` and `exclude` leave none of the inputs; make the patterns less strict"
            )
        return Found(found, finder.notes)


class _Finder:
    """The search for the inputs of one run, and the files that it skipped."""

    def __init__(self, options: Inputs, excluded: str | None) -> None:
        self.options = options
        self.excluded = excluded
        self.choice = Choice(Patterns(options.include), Patterns(options.exclude))
        self.passed: dict[str, list[str]] = {}
        self.named: set[str] = set()

    def once(self, given: Sequence[tuple[str, bool, bool]]) -> list[Source]:
        """Return the inputs that the names stand for, without repetitions; a link counts as a separate file."""
        places = Places()
        seen: dict[object, Source] = {}
        for text, is_stdin, expands in given:
            for source in [Source(DASH)] if is_stdin else self._behind(text, expands):
                seen.setdefault(DASH if source.path is DASH else places.entry(source.path), source)
        return list(seen.values())

    def without_earlier_outputs(self, sources: list[Source], name: str) -> list[Source]:
        """Leave out files that only a search found, if they are named like outputs and their originals are inputs."""
        if all(source.below is None for source in sources):
            return sources
        words = "|".join(map(re.escape, sorted({*KERNELS, name, "kernel", "match"}, key=len, reverse=True)))
        made = re.compile(rf"(.+)\.(?:{words})(?:-(?:{words}))*", re.DOTALL)
        inputs = {str(source.path) for source in sources}
        kept = []
        for source in sources:
            path = source.path
            match = made.fullmatch(path.stem) if source.below is not None else None
            if (
                match is not None
                and str(path) not in self.named
                and str(path.with_name(match[1] + path.suffix)) in inputs
            ):
                what = "skipped outputs of earlier runs (name them to filter them)"
                self.passed.setdefault(what, []).append(str(path))
            else:
                kept.append(source)
        return kept

    @property
    def notes(self) -> list[str]:
        """Notes about the skipped files, one for each kind."""
        notes = []
        for what, paths in self.passed.items():
            more = f" and {len(paths) - SHOWN} more" if len(paths) > SHOWN else ""
            notes.append(f"{what}: {', '.join(paths[:SHOWN])}{more}" if paths else what)
        return notes

    def _behind(self, text: str, expands: bool) -> Iterator[Source]:
        """Yield the inputs that a name stands for; the name of an existing file is never read as a pattern."""
        if not text:
            raise ArgumentError(
                "the name of an input is empty; check that the variables of your script are set"
            )
        path = file_path(text)
        if is_folder(path):
            parts: Parts = (EVERYWHERE, "*") if self.options.recursive else ("*",)
            yield from self._search(text, text, parts)
        elif expands and is_pattern(text) and not (exists(path) or is_link(path)):
            yield from self._search(text, *split_pattern(text))
        elif self.choice.lets(text):
            self.named.add(str(path))
            comment = not expands and text.startswith("#") and not path.suffix and not exists(path)
            yield Source(path, problem=_comment(path) if comment else None)

    def _search(self, text: str, root: str, parts: Parts) -> Iterator[Source]:
        search = Search("" if root == "." else root, self.choice, self.excluded)
        found = search.below(parts)
        for below in found:
            yield Source(file_path(search.path(below)), below.rpartition("/")[0])
        for what, passed in sorted(set(search.passed)):
            self.passed.setdefault(what, []).append(passed)
        for folder, reason in search.failed.items():
            problem = InputError(f"cannot read the folder {folder}: {reason}; its pictures are left out")
            yield Source(file_path(folder), problem=problem)
        if not found and not search.failed:
            yield Source(file_path(text), problem=InputError(self._nothing(text, search)))

    def _nothing(self, text: str, search: Search) -> str:
        """Return the message for a folder or a pattern without a picture."""
        path = file_path(text)
        if search.left_out:
            why = f"`include` and `exclude` leave none of its {_count(search.left_out, 'picture')}"
        elif search.others:
            why = f"its {_count(search.others, 'file')} do not have the ending of a picture, such as .png or .jpg"
            if search.others == 1:
                why = "its only file does not have the ending of a picture, such as .png or .jpg"
        elif is_pattern(text) and not is_folder(path):
            why = "there is no such file, and no file matches it as a pattern; check the spelling and the folder"
        else:
            why = "there is no picture in it"
        if search.folders and is_folder(path) and not self.options.recursive:
            why += f"; give `recursive` to search its {_count(search.folders, 'folder')} too"
        return f"cannot read {path}: {why}"


def _none_exists(names: Sequence[str]) -> bool:
    """Return whether names are paths of this machine, not absolute, and none of them exists."""
    paths = list(map(file_path, names))
    if any(isinstance(path, RemotePath) or path.is_absolute() for path in paths):
        return False
    return bool(paths) and not any(map(exists, paths))


def _comment(path: Path) -> InputError:
    """Return the error for a line of a list that looks like a comment."""
    return InputError(
        f"cannot read {path}: there is no such file, and every line of a list is a name; leave comments out"
    )


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _listed(name: str) -> list[str]:
    """Return the names in a list, separated by NUL if it has one, else by line breaks."""
    try:
        if name == "-":
            data = read_at_most(sys.stdin.buffer, MAX_LISTED).getvalue()
        else:
            with file_path(name).open("rb") as file:
                data = read_at_most(file, MAX_LISTED).getvalue()
    except OSError as error:
        raise InputError(f"`files_from`: cannot read {name}: {error.strerror or error}") from None
    except EndlessError:
        raise InputError(
            f"`files_from` {name}: the list has more than {MAX_LISTED:,} bytes; split it"
        ) from None
    if b"\0" in data:
        lines = data.split(b"\0")
    else:
        lines = data.split(b"\n")
        if all(line.endswith(b"\r") for line in lines[:-1]):
            lines = [line.removesuffix(b"\r") for line in lines]
    names = [os.fsdecode(line) for line in lines if line]
    if not names:
        raise InputError(f"`files_from` {name}: the list names no files")
    return names
