"""convcli learn: find the kernel that turns one picture into another."""

from __future__ import annotations

import os
from pathlib import Path

import click

from convcli.cli.command import Command
from convcli.cli.completed_words import complete_files
from convcli.cli.learn_bank import bank_answer, learn_bank, write_bank
from convcli.cli.learn_pairs import Files, learn_pairs, write_learned
from convcli.cli.learned_answer import learned_answer, notes_on_learned
from convcli.cli.option_names import typed_options
from convcli.cli.options.answer_options import PRINTING, AnswerOptions
from convcli.cli.options.array_options import several_values_option
from convcli.cli.options.bundled import bundled
from convcli.cli.options.input_options import reading_options
from convcli.cli.options.learn_options import BankOptions, LearnOptions, bank_options, learn_options
from convcli.cli.options.limit_options import max_memory_option
from convcli.cli.options.path_types import TARGET
from convcli.cli.options.verbosity_options import verbosity_options
from convcli.cli.user_messages import Messages
from convcli.errors import ArgumentError
from convcli.jobs.read_source import Reading
from convcli.remote_files import file_path

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
    leading=("size", "bias", "padding", "per_channel", "mix", "method", "patches", "output", "force", "gray"),
    topics=("kernels", "padding", "formats"),
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
        "Banks of kernels": ("patches", "random", "kernel_count", "in_channels", "bank_sheet"),
        "Output": ("output", "bias_file", "trace", "force", "form", "fields"),
        "Picture": (
            "gray",
            "linear",
            "channels",
            "frame",
            "layout",
            "max_pixels",
            "max_frames",
            "max_memory",
        ),
    },
)
@click.argument("names", nargs=-1, metavar="BEFORE AFTER...", shell_complete=complete_files)
@several_values_option
@learn_options
@bank_options
@click.option(
    "--bank-sheet",
    type=TARGET,
    metavar="FILE.png",
    help="Draw the kernels of a bank.",
)
@_printing
@click.option(
    "--bias-file",
    type=TARGET,
    metavar="FILE.npy",
    help="Write the biases for convcli filter --bias-file.",
)
@click.option(
    "--trace",
    type=TARGET,
    metavar="FILE.gif",
    help="sgd: an animation of the kernel at every step.",
)
@reading_options(linear="Learn in linear light, as in convcli filter --linear.")
@max_memory_option
@verbosity_options
@click.pass_obj
def command(
    messages: Messages,
    /,
    names: tuple[str, ...],
    values: tuple[str, ...],
    options: LearnOptions,
    answer: AnswerOptions,
    bias_file: Path | None,
    trace: Path | None,
    bank: BankOptions,
    bank_sheet: Path | None,
    reading: Reading,
    max_memory: int,
) -> None:
    """Find the kernel and the bias that turn BEFORE into AFTER with the least squared error.

    Several pairs are given as BEFORE AFTER BEFORE AFTER. The size of AFTER is that of BEFORE, or differs from it
    according to the padding. Samples of AFTER that are black or white may be clipped, and are left out.

    The file of -o is run by convcli filter --kernel (several kernels: --weights), and a note has the whole command.
    -o - prints only the kernel.

    With --patches, a bank of kernels is learned from patches of pictures, by k-means on whitened patches; with
    --random, it is drawn at random. Run it with convcli filter --weights bank.npy.
    """
    # OpenBLAS is slower with more threads on matrices with so few columns.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    files = Files(None, bias_file, trace, bank_sheet, answer.force).with_output(answer.output)
    if files.printed and (answer.fields or answer.form):
        raise ArgumentError(
            "-o - prints the kernel instead of the answer that --field and --format describe; leave one of them out"
        )
    files.check([("a picture", file_path(name)) for name in names if name != "-"])
    answer = answer._replace(output=None)
    typed = typed_options(click.get_current_context())
    if bank.patches or bank.random:
        bank.check(typed, names)
        found = learn_bank(messages, names, options, bank, files, reading, max_memory)
        answer.give(messages, bank_answer(found))
        write_bank(messages, files, found, names, reading)
        return
    bank.refuse(typed, (*names, *values))
    learned = learn_pairs(messages, names, values, options, files, reading, max_memory)
    if not files.printed:
        answer.give(messages, learned_answer(learned, messages.name_options))
    if files.printed or not answer.has_remarks:
        for note in notes_on_learned(learned, answer.fields):
            messages.note(note)
    write_learned(messages, files, learned, names, options, reading)
