"""The options of every command: -q, -v and --debug."""

from collections.abc import Callable
from typing import Any

import click

from convcli.cli.conversation import Conversation


def _verbosity(name: str) -> Callable[[click.Context, click.Parameter, bool], None]:
    def store(ctx: click.Context, param: click.Parameter, value: bool) -> None:
        conversation = ctx.find_object(Conversation)
        assert conversation is not None
        setattr(conversation, name, value)
        if conversation.quiet and conversation.verbose:
            raise click.UsageError("-q and -v contradict each other; give one of them", ctx)

    return store


def talking(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add -q, -v and --debug, which set the Conversation of the run."""
    for flags, name, text in (
        (("--debug",), "debug", "Show the traceback of an error."),
        (("-v", "--verbose"), "verbose", "Print more details."),
        (("-q", "--quiet"), "quiet", "Print only errors."),
    ):
        command = click.option(
            *flags, is_flag=True, is_eager=True, expose_value=False, callback=_verbosity(name), help=text
        )(command)
    return command
