"""convcli diff: how far are two pictures apart, where, and is that within a tolerance?"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from convcli import __version__
from convcli.cli.command import Command
from convcli.cli.completed_words import complete_files
from convcli.cli.conversation import Conversation
from convcli.cli.options.answer_options import AnswerOptions, answer_options
from convcli.cli.options.conversation_options import talking
from convcli.cli.options.input_options import several_values_option, value_names
from convcli.cli.options.limit_options import LimitOptions, limit_options, max_memory_option
from convcli.cli.options.option_types import Parsed
from convcli.errors import ArgumentError
from convcli.images.codecs.text_files import TypedMatrix
from convcli.number_text import read_finite
from convcli.render import Answer, Row

if TYPE_CHECKING:
    from convcli.analysis.picture_difference import PictureDifference
    from convcli.images.picture import Picture

COLUMNS = (
    "difference",
    "row",
    "column",
    "channel",
    "mean_squared_error",
    "psnr",
    "ssim",
    "beyond",
    "share",
)
DIFFERENT, TROUBLE = 1, 2  # exit codes, as cmp and diff have them

Source = Path | BinaryIO


def _tolerance(text: str) -> float:
    """Read how far samples may be apart."""
    try:
        number = float(read_finite(text))
    except ArgumentError as error:
        raise ArgumentError(f"{error}; give a distance between samples of at least 0, such as 1") from None
    if number < 0:
        raise ArgumentError(
            f"{text!r} is not a distance between samples; give a number of at least 0, such as 1"
        )
    return number


@click.command(
    cls=Command,
    short_help="How far are two images apart?",
    examples=(
        "convcli diff before.png after.png",
        "convcli diff before.png after.png --tolerance 1 -o diff.png",
    ),
)
@click.argument("operands", nargs=-1, metavar="A B", shell_complete=complete_files)
@several_values_option
@click.option(
    "--tolerance",
    type=Parsed("T", _tolerance),
    default="0",
    help="Samples that differ by no more than T, in their own units, are the same.  [default: 0]",
)
@answer_options
@limit_options
@max_memory_option
@talking
@click.pass_obj
def command(
    conversation: Conversation,
    /,
    operands: tuple[str, ...],
    values: tuple[str, ...],
    tolerance: float,
    answer: AnswerOptions,
    limits: LimitOptions,
    max_memory: int,
) -> int:
    """Compare two pictures sample by sample: the largest difference and where it is, PSNR, SSIM, one row per frame.

    One of them may be - (standard input). The colours of pixels that are fully transparent in both count as equal.
    With -o diff.png the differences are drawn, with -o diff.npy they are written as numbers.

    Exits with 0 where all samples are the same within the tolerance; 1 where they differ by more, or the pictures
    in size, pixel mode or frames; 2 for trouble: a file that cannot be read, wrong usage.
    """
    conversation.failed = TROUBLE
    if len(operands) + len(values) != 2:
        count = len(operands) + len(values)
        given = f"{count} {'picture is' if count == 1 else 'pictures are'} given"
        raise click.UsageError(f"{given}, and two are compared; name A and B")
    answer.check([("compared", Path(name)) for name in operands if name != "-"])

    from convcli.analysis.difference_map import difference_map
    from convcli.analysis.picture_difference import PictureDifference, UnlikeError, timing_notes
    from convcli.files import check_target, write_whole
    from convcli.images.formats import NUMBERS
    from convcli.images.write import encode

    drawn = answer.picture_file
    if drawn is not None:
        check_target(drawn[0], overwrite=answer.force)
    sources: list[Source] = [*map(Path, operands), *map(TypedMatrix.of, values, value_names(len(values)))]
    names = (*("standard input" if name == "-" else name for name in operands), *value_names(len(values)))
    try:
        pair = _read(sources, names, limits, max_memory, drawn)
    except UnlikeError as error:
        conversation.failure(error)
        return DIFFERENT
    for name, picture in zip(names, pair, strict=True):
        for note in picture.notes:
            if picture.format not in NUMBERS:  # of which nothing is taken as alpha here
                conversation.note(f"{name}: {note}")
    for note in timing_notes(names, *pair):
        conversation.note(note)
    found = PictureDifference.of(*pair, tolerance)
    if drawn is not None:
        path, form = drawn
        shown, text = difference_map(*pair, found, form)
        data, losses = encode(shown, form, str(path))
        write_whole(path, data, overwrite=answer.force)
        conversation.note("; ".join([f"wrote {path}: {text}", *losses]))
        answer = answer._replace(output=None)
    answer.give(conversation, _answer(found, tolerance, names))
    if found.whole["within"]:
        return 0
    conversation.note(_verdict(names, found.whole, tolerance))
    return DIFFERENT


def _read(
    sources: list[Source],
    names: tuple[str, ...],
    limits: LimitOptions,
    max_memory: int,
    drawn: tuple[Path, str] | None,
) -> tuple[Picture, Picture]:
    """Read two pictures at once; raise UnlikeError where they cannot be compared, from their headers if these tell."""
    from convcli.analysis.picture_difference import check_alike, memory
    from convcli.jobs.memory_limit import check_memory
    from convcli.jobs.read_ahead import Ahead
    from convcli.jobs.stdin import standard_input

    if sources == [Path("-"), Path("-")]:
        raise ArgumentError("both pictures are standard input, which holds one; name a file")
    sources = [standard_input(max_memory) if source == Path("-") else source for source in sources]
    first, second = (limits.header(source) for source in sources)
    check_alike(names, first, second)
    needed = memory(first, second, None if drawn is None else drawn[1])
    check_memory(f"compare {' and '.join(names)}", needed, max_memory, "take smaller pictures")
    other = Ahead(partial(limits.read, _again(sources[1])))
    pair = limits.read(_again(sources[0])), other.result()
    check_alike(names, *pair)
    return pair


def _again(source: Source) -> Source:
    """Return what can be read from its start."""
    if not isinstance(source, Path):
        source.seek(0)
    return source


def _answer(found: PictureDifference, tolerance: float, names: tuple[str, ...]) -> Answer:
    from convcli.analysis.similarity import SIDE

    several = len(found.rows) > 1
    remarks = [
        f"difference: the largest |A - B|, A {names[0]}, B {names[1]}, and where the first one is, counted from 0",
        f"beyond: the samples that differ by more than {tolerance:g}, and their share of {found.whole['samples']:,}",
        "psnr: in dB, none where nothing differs; ssim: 1 where nothing differs, none of pictures smaller than "
        f"{SIDE}x{SIDE}",
    ]
    if found.hidden:
        remarks.append(f"the colours of {found.hidden:,} pixels, fully transparent in both, count as equal")
    return Answer(
        command="diff",
        version=__version__,
        rows=found.rows,
        results=[found.whole],
        totals={name: value for name, value in found.whole.items() if name != "frame"},
        columns=("frame", *COLUMNS) if several else COLUMNS,
        value=("difference",),
        remarks=remarks,
    )


def _verdict(names: tuple[str, ...], whole: Row, tolerance: float) -> str:
    return (
        f"{names[0]} and {names[1]} differ by up to {_short(whole['difference'])}: {whole['beyond']:,} of "
        f"{whole['samples']:,} samples by more than {tolerance:g}"
    )


def _short(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:g}"
