"""The options of every command: -q, -v and --debug."""

from collections.abc import Callable
from typing import Any

import click

from convcli.cli.user_messages import Messages


def _verbosity(name: str) -> Callable[[click.Context, click.Parameter, bool], None]:
    def store(ctx: click.Context, param: click.Parameter, value: bool) -> None:
        messages = ctx.find_object(Messages)
        assert messages is not None
        setattr(messages, name, value)
        if messages.quiet and messages.verbose:
            raise click.UsageError("-q and -v contradict each other; give one of them", ctx)

    return store


def verbosity_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add -q, -v and --debug, which set the Messages of the run."""
    for flags, name, text in (
        (("--debug",), "debug", "Show the traceback of an error."),
        (("-v", "--verbose"), "verbose", "Print more details."),
        (("-q", "--quiet"), "quiet", "Print only answers and errors."),
    ):
        command = click.option(
            *flags, is_flag=True, is_eager=True, expose_value=False, callback=_verbosity(name), help=text
        )(command)
    return command
