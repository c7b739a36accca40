"""convcli learn: which kernel turns one picture into another?"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

import click

from convcli.cli.conversation import Conversation
from convcli.cli.learned_answer import learned_answer
from convcli.cli.options.common_options import (
    PRINTING,
    AnswerOptions,
    Command,
    bundled,
    max_memory_option,
    talking,
)
from convcli.cli.options.file_options import reading_options
from convcli.cli.options.learn_options import LearnOptions, learn_options
from convcli.errors import ArgumentError
from convcli.files import check_target, write_whole
from convcli.jobs.collisions import check_reads
from convcli.jobs.read_source import Reading

if TYPE_CHECKING:
    from convcli.images.picture import Picture
    from convcli.learning.learned_kernel import Array, Learned
    from convcli.learning.learning_recipe import Recipe
    from convcli.learning.picture_pairs import Pair

Source = Path | BinaryIO


class Files(NamedTuple):
    """What is written beside the answer."""

    output: Path | None
    bias_file: Path | None
    trace: Path | None
    force: bool

    def check(self, reads: Sequence[tuple[str, Path]]) -> None:
        """Refuse what cannot be written, before anything is learned."""
        for name in ("output", "bias_file", "trace"):
            path = getattr(self, name)
            if path is not None:
                check_reads(f"`{name}`", [path], reads)
                check_target(path, overwrite=self.force)


_printing = bundled(
    "answer",
    AnswerOptions,
    *PRINTING,
    click.option(
        "-o",
        "--output",
        metavar="FILE",
        help="Write the kernel: .npy .csv .txt .json .mat; several: .npy.",
    ),
    click.option("--force", is_flag=True, help="Replace files that exist."),
)


@click.command(
    cls=Command,
    short_help="Which kernel turns this image into that one?",
    examples=(
        "convcli learn before.png after.png --size 5 -o kernel.json",
        "convcli learn before.png after.png --method sgd --steps 200 --trace kernel.gif",
    ),
    groups={
        "Kernel": (
            "size",
            "bias",
            "flip",
            "stride",
            "dilation",
            "padding",
            "padding_mode",
            "per_channel",
            "mix",
        ),
        "Method": ("method", "steps", "lr", "seed", "keep_clipped"),
        "Output": ("output", "bias_file", "trace", "force", "form", "fields"),
        "Picture": ("gray", "channels", "frame", "max_pixels", "max_frames", "max_memory"),
    },
)
@click.argument("names", nargs=-1, required=True, metavar="BEFORE AFTER...")
@learn_options
@_printing
@click.option(
    "--bias-file",
    type=click.Path(path_type=Path),
    metavar="FILE.npy",
    help="Write the biases, as convcli filter --bias-file reads them.",
)
@click.option(
    "--trace",
    type=click.Path(path_type=Path),
    metavar="FILE.gif",
    help="sgd: an animation of the kernel at every step.",
)
@reading_options(linear=False)
@max_memory_option
@talking
@click.pass_obj
def command(
    conversation: Conversation,
    /,
    names: tuple[str, ...],
    options: LearnOptions,
    answer: AnswerOptions,
    bias_file: Path | None,
    trace: Path | None,
    reading: Reading,
    max_memory: int,
) -> None:
    """Find the kernel and the bias that turn BEFORE into AFTER: those of least squared error.

    Several pairs, BEFORE AFTER BEFORE AFTER, are learned from together. AFTER is as large as BEFORE, or smaller or
    larger by what the padding leaves. Its samples that are black or white may be clipped, and are left out.

    The file of -o is what convcli filter --kernel reads (of several kernels, --weights).
    """
    os.environ.setdefault(
        "OPENBLAS_NUM_THREADS", "1"
    )  # more of them wait for each other on matrices as narrow
    output = None if answer.output is None else Path(answer.output)
    files = Files(output, bias_file, trace, answer.force)
    files.check([("a picture", Path(name)) for name in names if name != "-"])
    recipe = options.recipe
    _check_files(files, options)
    pairs = _pairs(names)
    learned = recipe.learn(_read(conversation, pairs, recipe, reading, max_memory))
    answer._replace(output=None).give(conversation, learned_answer(learned))
    _write(conversation, files, learned)


def _check_files(files: Files, options: LearnOptions) -> None:
    """Refuse files whose endings do not hold what is learned."""
    from convcli.kernels.write_kernel import WRITERS

    several = options.per_channel or options.mix
    if files.output is not None and files.output.suffix.lower() not in ((".npy",) if several else WRITERS):
        known = ".npy, as several kernels are learned" if several else " ".join(WRITERS)
        raise ArgumentError(f"{files.output} does not say its format; end it in {known}")
    if files.bias_file is not None and files.bias_file.suffix.lower() != ".npy":
        raise ArgumentError(f"{files.bias_file} does not say its format; end it in .npy")
    if files.trace is not None:
        if options.method != "sgd":
            raise ArgumentError("`trace` shows the steps of gradient descent; give `method='sgd'` with it")
        if files.trace.suffix.lower() not in (".gif", ".png", ".apng", ".webp"):
            raise ArgumentError(f"{files.trace} is no animation; end it in .gif .png .webp")


def _pairs(names: Sequence[str]) -> list[tuple[str, str]]:
    """Return the names of BEFORE and AFTER by pairs."""
    if len(names) % 2:
        count = "1 picture is" if len(names) == 1 else f"{len(names)} pictures are"
        raise ArgumentError(
            f"{count} given, and pairs are learned from: BEFORE AFTER, or BEFORE AFTER BEFORE AFTER"
        )
    if names.count("-") > 1:
        raise ArgumentError("two pictures are standard input, which holds one; name a file")
    return list(zip(names[::2], names[1::2], strict=True))


def _read(
    conversation: Conversation,
    names: Sequence[tuple[str, str]],
    recipe: Recipe,
    reading: Reading,
    max_memory: int,
) -> list[Pair]:
    """Read all pairs, where they do not take too much memory."""
    from convcli.jobs.memory_limit import check_memory
    from convcli.jobs.stdin import standard_input
    from convcli.learning.pairs_of_pictures import notes_on, pairs_of_pictures

    needed, found = 0, []
    sources = [
        [
            (standard_input(max_memory), "standard input") if name == "-" else (Path(name), name)
            for name in pair
        ]
        for pair in names
    ]
    for pair in sources:
        headers = [_header(reading, *each) for each in pair]
        needed += sum(memory for _, memory in headers)
        for frames in zip(*(picture.frames for picture, _ in headers), strict=False):
            needed += recipe.bytes(*(frame.pixels for frame in frames))
    check_memory(f"learn from {names[0][0]}", needed, max_memory, "take smaller pictures, or fewer")
    for pair in sources:
        before, after = (_whole(reading, *each) for each in pair)
        called = (pair[0][1], pair[1][1])
        for note in (*before.notes, *after.notes, *notes_on(before, after, called)):
            conversation.note(note)
        found += pairs_of_pictures(recipe, before, after, called)
    return found


def _header(reading: Reading, source: Source, name: str) -> tuple[Picture, int]:
    """Return what a picture will be, its pixels black, and the bytes that it takes."""
    with reading.open(source) as opened:
        return reading.colours.ahead(opened.header, name)


def _whole(reading: Reading, source: Source, name: str) -> Picture:
    """Return a picture in the colours that were asked for."""
    with reading.open(source) as opened:
        return reading.colours.converted(opened.read(), name)


def _write(conversation: Conversation, files: Files, learned: Learned) -> None:
    """Write what was asked for, and say so."""
    import numpy as np

    from convcli.kernels.write_kernel import encode_kernel

    if files.output is not None:
        if learned.weights.ndim == 2:
            data, lost = encode_kernel(learned.kernel, files.output)
        else:
            data, lost = _npy(learned.layer_weights), []
        write_whole(files.output, data, overwrite=files.force)
        conversation.note("; ".join([f"wrote {files.output}", *lost]))
    if files.bias_file is not None:
        write_whole(files.bias_file, _npy(np.atleast_1d(learned.bias)), overwrite=files.force)
        conversation.note(f"wrote {files.bias_file}")
    if files.trace is not None:
        from convcli.images.formats import format_of
        from convcli.images.write import encode
        from convcli.learning.kernel_frames import kernel_frames

        data, _ = encode(kernel_frames(learned.trace), format_of(files.trace), str(files.trace))
        write_whole(files.trace, data, overwrite=files.force)
        conversation.note(f"wrote {files.trace}: blue weights are negative, red ones positive, white is 0")


def _npy(array: Array) -> bytes:
    """Return an array as a .npy file."""
    from io import BytesIO

    import numpy as np

    buffer = BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()
