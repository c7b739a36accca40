"""The pairs of pictures that `convcli diff` compares, and the comparison of each."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from math import prod
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

import click

from convcli.analysis.difference_map import difference_map, largest_frame
from convcli.analysis.picture_difference import (
    PictureDifference,
    UnlikeError,
    check_alike,
    memory,
    timing_notes,
)
from convcli.cli.conversion_command import conversion
from convcli.cli.options.array_options import value_names
from convcli.cli.options.limit_options import LimitOptions
from convcli.cli.user_messages import Messages
from convcli.errors import ArgumentError, ConvcliError
from convcli.files import exists, is_folder, write_whole
from convcli.images.codecs.text_files import TypedMatrix
from convcli.images.formats import NUMBERS
from convcli.images.write import encode
from convcli.jobs.find import InputError
from convcli.jobs.folder_pairs import paired
from convcli.jobs.memory_limit import check_memory
from convcli.jobs.read_ahead import Ahead
from convcli.jobs.read_source import Reading
from convcli.jobs.stdin import standard_input
from convcli.remote_files import file_path
from convcli.render import visible

if TYPE_CHECKING:
    from convcli.images.picture import Picture

Source = Path | BinaryIO
SAME, DIFFERENT, FAILED = 0, 1, 2  # exit codes, as those of cmp and diff


class Pair(NamedTuple):
    """Two pictures.

    name : the name of the pair; for two folders, the path below both
    names : the names of the two pictures in messages
    problem : why they cannot be compared, if that is known already
    only_in : the only folder that has it, if the other has not
    """

    name: str
    names: tuple[str, str]
    sources: tuple[Source, Source]
    problem: ConvcliError | None = None
    only_in: str = ""

    @property
    def file(self) -> str:
        """The first of the two files that exists."""
        lacks_first = self.problem is not None and not file_path(self.names[0]).exists()
        return self.names[1 if lacks_first else 0]


class Compared(NamedTuple):
    """The result of a comparison: the difference, or the reason why there is none; and the seconds that it took."""

    pair: Pair
    found: PictureDifference | None
    problem: ConvcliError | None
    seconds: float

    @property
    def code(self) -> int:
        """The exit code for this pair."""
        if self.found is None:
            return DIFFERENT if isinstance(self.problem, UnlikeError) else FAILED
        return SAME if self.found.whole["within"] else DIFFERENT


class Measure(NamedTuple):
    """The options for reading and comparing pictures.

    maps : the file and the format of each map of differences, by the name of the pair
    show : whether to show the maps in the terminal
    """

    tolerance: float
    limits: LimitOptions
    max_memory: int
    maps: dict[str, tuple[Path, str]]
    force: bool
    layout: str = "hwc"
    show: bool = False

    def compare(self, messages: Messages, pair: Pair, *, only_different: bool) -> Compared:
        """Compare two pictures and draw their map; with `only_different`, only if they differ."""
        began = perf_counter()
        found, problem = None, None
        try:
            if pair.problem is not None:
                raise pair.problem
            pictures = self._read(pair)
            for name, picture in zip(pair.names, pictures, strict=True):
                for note in picture.notes:
                    if (
                        picture.format not in NUMBERS
                    ):  # their notes are about alpha, which diff ignores in arrays
                        messages.note(f"{name}: {note}")
            for note in timing_notes(pair.names, *pictures):
                messages.note(note)
            found = PictureDifference.of(*pictures, self.tolerance)
            if not (only_different and found.whole["within"]):
                if pair.name in self.maps:
                    self._draw(messages, *self.maps[pair.name], pictures, found)
                if self.show:
                    self._show(messages, pair, pictures, found, named=only_different)
        except ConvcliError as error:
            found, problem = None, error
        return Compared(pair, found, problem, perf_counter() - began)

    def _draw(
        self,
        messages: Messages,
        path: Path,
        form: str,
        pictures: tuple[Picture, Picture],
        found: PictureDifference,
    ) -> None:
        shown, text = difference_map(*pictures, found, form)
        data, losses = encode(shown, form, str(path))
        write_whole(path, data, overwrite=self.force)
        messages.note("; ".join([f"wrote {path}: {text}", *losses]))

    def _show(
        self,
        messages: Messages,
        pair: Pair,
        pictures: tuple[Picture, Picture],
        found: PictureDifference,
        *,
        named: bool,
    ) -> None:
        """Show the map in the terminal, after the name of the pair if there are several."""
        from convcli.cli.terminal import show_frame

        frame, text = largest_frame(*pictures, found)
        if named and not messages.quiet:
            click.echo(visible(pair.name))
        show_frame(frame, pair.name)
        messages.note(f"shown {pair.name}: {text}")

    def _read(self, pair: Pair) -> tuple[Picture, Picture]:
        """Read both pictures; raise UnlikeError if they cannot be compared, if possible before they are decoded."""
        sources = [
            standard_input(self.max_memory) if source == Path("-") else source for source in pair.sources
        ]
        reading = Reading(
            max_pixels=self.limits.max_pixels, max_frames=self.limits.max_frames, layout=self.layout
        )
        first, second = (_header(reading, source) for source in sources)
        reading.check_layout(
            [(name, each.format) for name, each in zip(pair.names, (first, second), strict=True)]
        )
        check_alike(pair.names, first, second, conversion)
        needed = memory(first, second, self.maps[pair.name][1] if pair.name in self.maps else None)
        if self.show:
            from convcli.images.preview import SHOWING

            needed += (SHOWING + 3) * max(prod(frame.pixels.shape[:2]) for frame in first.frames)
        check_memory(f"compare {' and '.join(pair.names)}", needed, self.max_memory, "use smaller pictures")
        other = Ahead(partial(_picture, reading, _again(sources[1])))
        pictures = _picture(reading, _again(sources[0])), other.result()
        check_alike(pair.names, *pictures, conversion)
        return pictures


def _header(reading: Reading, source: Source) -> Picture:
    with reading.open(source) as opened:
        return opened.header.black()


def _picture(reading: Reading, source: Source) -> Picture:
    with reading.open(source) as opened:
        return opened.read()


def pairs_of(operands: Sequence[str], values: Sequence[str]) -> tuple[list[Pair], bool]:
    """Return the pairs to compare, and whether they are from two folders.

    If one operand is a folder, the picture with the same name in it is compared, as in Unix `diff`.
    """
    if list(operands) == ["-", "-"]:
        raise ArgumentError("- is given twice, and standard input holds one picture; name a file")
    folders = [name != "-" and is_folder(file_path(name)) for name in operands]
    if folders == [True, True]:
        return _folder_pairs(*map(file_path, operands)), True
    paths = [file_path(name) for name in operands]
    if any(folders) and len(paths) == 2:
        place = folders.index(True)
        if operands[1 - place] != "-" and not exists(paths[1 - place]):
            return [_without_folder(paths, place)], not paths[1 - place].suffix
        if operands[1 - place] != "-":
            paths[place] /= paths[1 - place].name
    names = (
        *("standard input" if name == "-" else str(path) for name, path in zip(operands, paths, strict=True)),
        *value_names(len(values)),
    )
    sources: tuple[Source, ...] = (*paths, *map(TypedMatrix.of, values, value_names(len(values))))
    first, second = names
    return [Pair(f"{first} and {second}", (first, second), (sources[0], sources[1]))], False


def _without_folder(paths: Sequence[Path], place: int) -> Pair:
    """Return a pair whose problem is that one operand does not exist; the other one, at `place`, is a folder."""
    lacking = paths[1 - place]
    problem = InputError(
        f"cannot compare the folder {paths[place]}: there is no folder or file {lacking}; check the spelling, or make "
        "it first"
    )
    return Pair(str(lacking), (str(paths[0]), str(paths[1])), (paths[0], paths[1]), problem)


def _folder_pairs(first: Path, second: Path) -> list[Pair]:
    pairs = []
    folders = [path.name for path in (first, second)]
    if not all(folders) or len(set(folders)) == 1:
        folders = [str(first), str(second)]
    for name, *there in paired(first, second):
        paths = first / name, second / name
        problem, only_in = None, ""
        if not all(there):
            only_in = folders[there.index(True)]
            one, other = paths if there[0] else paths[::-1]
            problem = UnlikeError(
                f"{one} has no counterpart: {other} does not exist; add it, or remove {one}"
            )
        pairs.append(Pair(name, (str(paths[0]), str(paths[1])), paths, problem, only_in))
    return pairs


def _again(source: Source) -> Source:
    """Rewind a stream to its start; return the source."""
    if not isinstance(source, Path):
        source.seek(0)
    return source
