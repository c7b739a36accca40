"""convcli diff: compare two pictures, or the pictures in two folders, within a tolerance."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from convcli.ci_reports import CI_ENDINGS, CI_FORMATS
from convcli.cli.command import Command
from convcli.cli.completed_words import complete_files
from convcli.cli.options.answer_options import AnswerOptions, answer_options_with
from convcli.cli.options.array_options import layout_option, several_values_option
from convcli.cli.options.limit_options import LimitOptions, limit_options, max_memory_option
from convcli.cli.options.option_types import Parsed
from convcli.cli.options.show_option import show_option
from convcli.cli.options.verbosity_options import verbosity_options
from convcli.cli.user_messages import Messages
from convcli.errors import ArgumentError
from convcli.number_text import read_finite
from convcli.remote_files import file_path, target_path

if TYPE_CHECKING:
    from convcli.cli.diff_pairs import Pair

FAILED = 2


def _tolerance(text: str) -> float:
    """Return the tolerance in a text, or raise ArgumentError."""
    try:
        number = float(read_finite(text))
    except ArgumentError as error:
        raise ArgumentError(f"{error}; give a difference of samples of at least 0, such as 1") from None
    if number < 0:
        raise ArgumentError(
            f"{text!r} is not a difference of samples; give a number of at least 0, such as 1"
        )
    return number


@click.command(
    cls=Command,
    failed=FAILED,
    moved=dict.fromkeys(("-r", "--recursive"), "A/ B/, two folders, which are searched recursively"),
    short_help="How much do two images differ?",
    examples=(
        "convcli diff before.png after.png --tolerance 1 -o diff.png",
        "convcli diff goldens/ out/ --format junit > report.xml",
    ),
)
@click.argument("operands", nargs=-1, metavar="A B", shell_complete=complete_files)
@several_values_option
@click.option(
    "--tolerance",
    type=Parsed("T", _tolerance),
    default="0",
    help="Samples that differ by at most T levels count as equal: 1 is 1 of 255 in 8 bits, and 1 of 65535 in 16. In "
    "floats white is 1, so give 0.004.  [default: 0]",
)
@layout_option()
@show_option("Show the map of the differences in the terminal.")
@answer_options_with(
    *CI_FORMATS,
    endings=tuple(CI_ENDINGS),
    more="; the map of the differences: .png .npy, or maps/",
)
@limit_options
@max_memory_option
@verbosity_options
@click.pass_obj
def command(
    messages: Messages,
    /,
    operands: tuple[str, ...],
    values: tuple[str, ...],
    tolerance: float,
    layout: str,
    show: bool,
    answer: AnswerOptions,
    limits: LimitOptions,
    max_memory: int,
) -> int:
    """Compare two pictures sample by sample: the largest difference and its place, PSNR and SSIM, one row per frame.

    In two folders, pictures with the same relative path are compared, one row per pair; a picture that is only in one
    folder is a difference. A or B may be - (standard input). The colours of pixels that are fully transparent in both
    count as equal. -o diff.png draws the differences, -o diff.npy writes them as numbers, -o maps/ draws those of each
    differing pair in two folders, and --show draws them in the terminal. The formats junit and github are for CI
    systems.

    The exit code is 0 if all samples are equal within the tolerance; 1 if some differ by more, or if the pictures
    differ in size, pixel mode or number of frames; 2 for an error, such as a file that cannot be read or wrong usage.
    """
    if len(operands) + len(values) != 2:
        count = len(operands) + len(values)
        given = f"{count} {'picture is' if count == 1 else 'pictures are'} given"
        raise click.UsageError(f"{given}, and two are needed; name A and B")

    if show:
        from convcli.cli.terminal import check_show

        check_show(answer.output)
    from convcli.cli.diff_answer import ci_case, folders_answer, picture_answer, verdict
    from convcli.cli.diff_pairs import DIFFERENT, Measure, pairs_of

    pairs, are_folders = pairs_of(operands, values)
    maps = _maps(answer, pairs, are_folders=are_folders)
    if maps:
        answer = answer._replace(output=None)
    elif answer.output is not None:
        answer.check_format()
        answer = answer._replace(form=answer.form or CI_ENDINGS.get(file_path(answer.output).suffix.lower()))
    if answer.form in CI_FORMATS and answer.fields:
        raise ArgumentError(
            f"--field selects columns of a table, and --format {answer.form} has none; leave it out"
        )
    measure = Measure(tolerance, limits, max_memory, maps, answer.force, layout, show)
    compared = [measure.compare(messages, pair, only_different=are_folders) for pair in pairs]
    if answer.form in CI_FORMATS:
        cases = [ci_case(messages, each, tolerance) for each in compared]
        answer.give_text(messages, CI_FORMATS[answer.form](cases))
    elif are_folders:
        answer.give(messages, folders_answer(compared, tolerance))
    elif compared[0].found is not None:
        answer.give(messages, picture_answer(compared[0], compared[0].found, tolerance))
    for each in compared:
        if each.problem is not None:
            messages.failure(each.problem)
        elif each.code == DIFFERENT:
            messages.note(verdict(each, tolerance))
    return max(each.code for each in compared)


def _maps(answer: AnswerOptions, pairs: list[Pair], *, are_folders: bool) -> dict[str, tuple[Path, str]]:
    """Return the file and format of each map of differences, by the name of the pair; or raise an error."""
    from convcli.files import check_target, is_folder
    from convcli.jobs.collisions import check_reads

    maps: dict[str, tuple[Path, str]] = {}
    if answer.output is not None and are_folders:
        folder = target_path(answer.output)
        if answer.output.endswith("/") or is_folder(folder):
            maps = {pair.name: (_map_path(folder / pair.name), "PNG") for pair in pairs}
        elif answer.picture_file is not None:
            raise ArgumentError(
                f"{answer.output} is a single picture, and the pictures of two folders are compared; name a folder: "
                f"-o {folder.with_suffix('')}/"
            )
    elif answer.picture_file is not None:
        maps = {pairs[0].name: answer.picture_file}
    targets = (
        [path for path, _ in maps.values()] if maps else [target_path(answer.output)] if answer.output else []
    )
    read = [("compared", source) for pair in pairs for source in pair.sources if isinstance(source, Path)]
    check_reads("`output`", targets, [(what, path) for what, path in read if path != Path("-")])
    for path, _ in maps.values():
        check_target(path, overwrite=answer.force)
    return maps


def _map_path(path: Path) -> Path:
    """Return the path of a map with the ending .png."""
    return path if path.suffix.lower() == ".png" else path.with_name(f"{path.name}.png")
