"""Learning kernels from pairs of pictures, and writing them: `convcli learn BEFORE AFTER`."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

import click

from convcli.cli.command_for_learned import command_for_kernel
from convcli.cli.options.array_options import value_names
from convcli.cli.options.learn_options import LearnOptions
from convcli.cli.user_messages import Messages
from convcli.errors import ArgumentError
from convcli.files import check_target, write_whole
from convcli.images.codecs.text_files import TypedMatrix
from convcli.jobs.collisions import check_reads
from convcli.jobs.read_source import Reading
from convcli.jobs.targets import is_stdout
from convcli.npy import npy_bytes
from convcli.remote_files import file_path, target_path

if TYPE_CHECKING:
    from convcli.images.picture import Picture
    from convcli.learning.learned_kernel import Learned
    from convcli.learning.learning_recipe import Recipe
    from convcli.learning.picture_pairs import Pair

Source = Path | BinaryIO
Named = tuple[Source, str]  # a picture, and its name in messages


class Files(NamedTuple):
    """The files that are written in addition to the answer, or instead of it.

    output : the file of the kernel; if the kernel is printed, only the ending of the name matters
    printed : whether the kernel is printed on standard output instead of the answer
    """

    output: Path | None
    bias_file: Path | None = None
    trace: Path | None = None
    bank_sheet: Path | None = None
    force: bool = False
    printed: bool = False

    def with_output(self, output: str | None) -> Files:
        """Return the files with the output of -o: a file, or standard output as - or json:-."""
        if output is None or not is_stdout(output):
            return self._replace(output=None if output is None else target_path(output))
        form, _, _ = output.rpartition(":")
        return self._replace(output=Path(f"-.{form or 'txt'}"), printed=True)

    def check(self, reads: Sequence[tuple[str, Path]]) -> None:
        """Raise an error if a file cannot be written, before anything is learned."""
        for name in ("output", "bias_file", "trace", "bank_sheet"):
            path = getattr(self, name)
            if path is not None and not (self.printed and path is self.output):
                check_reads(f"`{name}`", [path], reads)
                check_target(path, overwrite=self.force)


def learn_pairs(
    messages: Messages,
    names: Sequence[str],
    values: Sequence[str],
    options: LearnOptions,
    files: Files,
    reading: Reading,
    max_memory: int,
) -> Learned:
    """Learn from pairs of pictures; raise ArgumentError for invalid options before anything is read."""
    recipe = options.recipe(linear=reading.linear)
    _check_files(files, options)
    pairs = _read(messages, _pairs(names, values, max_memory), recipe, reading, max_memory)
    with _content(names):
        recipe.check(pairs)
    return recipe.learn(pairs)


def _content(names: Sequence[str]) -> AbstractContextManager[None]:
    """Return a context for checks of pictures: of the content of files, if one of them is from a file."""
    from convcli.images.picture import content_of_pictures

    return content_of_pictures() if names else nullcontext()


def _check_files(files: Files, options: LearnOptions) -> None:
    """Raise ArgumentError for files whose formats cannot hold what is learned."""
    from convcli.kernels.write_kernel import WRITERS

    several = options.per_channel or options.mix
    if files.printed and several:
        raise ArgumentError(
            "several kernels are learned, and only one can be printed as a matrix; write them to a .npy with `output`"
        )
    if files.output is not None and files.output.suffix.lower() not in ((".npy",) if several else WRITERS):
        if several and files.output.suffix.lower() in WRITERS:
            raise ArgumentError(f"{files.output} holds one kernel, and several are learned: end it in .npy")
        known = ".npy, as several kernels are learned" if several else " ".join(WRITERS)
        raise ArgumentError(f"{files.output} has no known ending; end it in {known}")
    if files.bias_file is not None and files.bias_file.suffix.lower() != ".npy":
        raise ArgumentError(f"{files.bias_file} has no known ending; end it in .npy")
    if files.trace is not None:
        if options.method != "sgd":
            raise ArgumentError("`trace` shows the steps of gradient descent; give `method='sgd'` with it")
        if files.trace.suffix.lower() not in (".gif", ".png", ".apng", ".webp"):
            raise ArgumentError(f"{files.trace} has no ending of an animation; end it in .gif .png .webp")


def _pairs(names: Sequence[str], values: Sequence[str], max_memory: int) -> list[list[Named]]:
    """Return the pairs of BEFORE and AFTER: the named files, then the matrices of --values."""
    count = len(names) + len(values)
    if count % 2:
        given = "1 picture is" if count == 1 else f"{count} pictures are"
        raise ArgumentError(
            f"{given} given, and pairs are needed; name BEFORE AFTER, or BEFORE AFTER BEFORE AFTER"
        )
    if names.count("-") > 1:
        raise ArgumentError("- is given twice, and standard input holds one picture; name a file")
    from convcli.jobs.stdin import standard_input

    given_files: list[Named] = [
        (standard_input(max_memory), "standard input") if name == "-" else (file_path(name), name)
        for name in names
    ]
    typed = zip(values, value_names(len(values)), strict=True)
    sources = [*given_files, *((TypedMatrix.of(text, name), name) for text, name in typed)]
    return [sources[place : place + 2] for place in range(0, count, 2)]


def _read(
    messages: Messages,
    sources: Sequence[Sequence[Named]],
    recipe: Recipe,
    reading: Reading,
    max_memory: int,
) -> list[Pair]:
    """Read all pairs; raise ImageError if they need too much memory."""
    from convcli.jobs.memory_limit import check_memory
    from convcli.learning.pairs_of_pictures import notes_on, pairs_of_pictures

    needed, found, formats = 0, [], []
    for pair in sources:
        headers = [header_of(reading, *each) for each in pair]
        formats += [(name, picture.format) for (_, name), (picture, _) in zip(pair, headers, strict=True)]
        needed += sum(memory for _, memory in headers)
        for frames in zip(*(picture.frames for picture, _ in headers), strict=False):
            needed += recipe.bytes(*(frame.pixels for frame in frames))
    reading.check_layout(formats)
    check_memory(f"learn from {sources[0][0][1]}", needed, max_memory, "use smaller pictures, or fewer")
    for pair in sources:
        before, after = (picture_of_source(reading, *each) for each in pair)
        called = (pair[0][1], pair[1][1])
        for note in (*before.notes, *after.notes, *notes_on(before, after, called, linear=recipe.linear)):
            messages.note(note)
        with _content([name for source, name in pair if not isinstance(source, TypedMatrix)]):
            found += pairs_of_pictures(recipe, before, after, called)
    return found


def header_of(reading: Reading, source: Source, name: str) -> tuple[Picture, int]:
    """Return a converted picture with black pixels, from its header, and the bytes that reading it needs."""
    with reading.open(source) as opened:
        return reading.colours.ahead(opened.header, name)


def picture_of_source(reading: Reading, source: Source, name: str) -> Picture:
    """Return a picture, converted by the reading options."""
    with reading.open(source) as opened:
        return reading.colours.converted(opened.read(), name)


def write_learned(
    messages: Messages,
    files: Files,
    learned: Learned,
    names: Sequence[str],
    options: LearnOptions,
    reading: Reading,
) -> None:
    """Write the requested files, with a note for each, and one on how to run the kernel."""
    import numpy as np

    from convcli.kernels.write_kernel import encode_kernel

    if files.output is not None:
        if learned.weights.ndim == 2:
            data, lost = encode_kernel(learned.kernel, files.output)
        else:
            data, lost = npy_bytes(learned.layer_weights), []
        if files.printed:
            click.echo(data, nl=False)
            for line in lost:  # each begins with the name of the file, and ends with other formats
                what = line.removeprefix(str(files.output)).partition(";")[0]
                messages.note(f"the printed matrix{what}; -o json:- prints it, too")
        else:
            write_whole(files.output, data, overwrite=files.force)
            messages.note("; ".join([f"wrote {files.output}", *lost]))
    if files.bias_file is not None:
        write_whole(files.bias_file, npy_bytes(np.atleast_1d(learned.bias)), overwrite=files.force)
        messages.note(f"wrote {files.bias_file}")
    if files.output is not None and not files.printed:
        command = command_for_kernel(learned, files.output, names, options, reading, files.bias_file)
        messages.note(f"run it with: {command}")
        if learned.weights.ndim > 2 and np.any(learned.bias) and files.bias_file is None:
            messages.note(f"{files.output} has no place for the biases; `bias_file='biases.npy'` writes them")
    if files.trace is not None:
        from convcli.images.formats import format_of
        from convcli.images.write import encode
        from convcli.learning.kernel_frames import kernel_frames

        data, _ = encode(kernel_frames(learned.trace), format_of(files.trace), str(files.trace))
        write_whole(files.trace, data, overwrite=files.force)
        messages.note(f"wrote {files.trace}: negative weights are blue, positive weights red, and 0 is white")
