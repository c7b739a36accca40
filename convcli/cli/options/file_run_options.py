"""The options of a command that runs on pictures, which arrive as one record: its run."""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import click

from convcli.cli.file_run import FileRun
from convcli.cli.options.array_options import values_option
from convcli.cli.options.bundled import Decorator
from convcli.cli.options.input_options import inputs_options, reading_options
from convcli.cli.options.limit_options import max_memory_option
from convcli.cli.options.option_types import at_least
from convcli.cli.options.output_options import coding_options, output_options
from convcli.cli.options.run_options import run_options
from convcli.cli.options.show_option import show_option
from convcli.cli.options.verbosity_options import verbosity_options
from convcli.cli.user_messages import Messages


def file_run_options(
    *,
    in_place: bool,
    threads: str,
    linear: str | None = None,
    depth: bool = False,
    show: bool = False,
    networks: Sequence[str] = (),
) -> Decorator:
    """Add the options for reading, writing and running to a command, which receives them as a FileRun.

    in_place : whether the command has --in-place
    threads : the help of --threads
    linear : the help of --linear; None if the command does not have it
    depth, show : whether the command has --depth and --show
    networks : the layouts of a network's input, if the command runs networks
    """
    shown = show_option("Show results in the terminal; without -o nothing is written.")
    options: tuple[Any, ...] = (
        inputs_options,
        values_option,
        output_options(in_place=in_place),
        click.option("--dry-run", is_flag=True, help="Only report what would be read, run and written."),
        *([shown] if show else []),
        coding_options,
        click.option("--threads", type=at_least(1), help=f"{threads} [one per core]"),
        reading_options(linear=linear, depth=depth, networks=networks),
        max_memory_option,
        run_options,
        verbosity_options,
        click.pass_obj,
    )
    names = [name for name in FileRun.__dataclass_fields__ if name != "messages"]

    def decorate(command: Callable[..., int]) -> Callable[..., int]:
        @functools.wraps(command)
        def call(messages: Messages, /, **values: Any) -> int:
            run = FileRun(messages, **{name: values.pop(name) for name in names if name in values})
            run.begin()
            return command(run, **values)

        decorated: Callable[..., int] = call
        for option in reversed(options):
            decorated = option(decorated)
        return decorated

    return decorate
