"""convcli help: explain a topic or a command."""

import shutil
import sys

import click

from convcli.cli import COMMANDS
from convcli.cli.command import Command
from convcli.cli.options.option_types import Parsed
from convcli.cli.positional_words import topic_words
from convcli.cli.topics import TOPICS, formatted, page
from convcli.errors import ArgumentError

WORDS = tuple(dict.fromkeys([*TOPICS, *COMMANDS]))


@click.command(
    cls=Command,
    short_help="Explain a topic or a command.",
    words=topic_words,
    about_filter=True,
    examples=("convcli help padding", "convcli help filter"),
)
@click.argument("word", required=False, metavar="[TOPIC|COMMAND]", type=Parsed("WORD", str, WORDS))
@click.pass_context
def command(ctx: click.Context, word: str | None) -> None:
    """Explain a topic or a command; with no argument, list them.

    A topic is a page of Markdown, which is formatted on a terminal and printed unchanged in a pipe. If a topic and a
    command have the same name, this shows the topic; use --help of the command for the command.
    """
    if word is None:
        click.echo(_list(ctx))
    elif word in TOPICS:
        text = page(word)
        if sys.stdout.isatty():
            text = formatted(text, min(shutil.get_terminal_size().columns, _widest(ctx)))
        click.echo(text, nl=False)
    else:
        group, context = _group(ctx)
        found = group.get_command(context, word)
        if found is None:
            from convcli.cli.suggested_words import help_instead

            raise ArgumentError(f"there is no topic or command {word!r}; {help_instead(word, ctx)}")
        with click.Context(found, info_name=word, parent=context) as explained:
            click.echo(explained.get_help())


def _list(ctx: click.Context) -> str:
    """Return the list of topics and commands, one per line."""
    group, context = _group(ctx)
    formatter = ctx.make_formatter()
    with formatter.section("Topics, each shown by convcli help TOPIC"):
        formatter.write_dl(list(TOPICS.items()))
    group.format_commands(context, formatter)
    return formatter.getvalue().rstrip("\n")


def _group(ctx: click.Context) -> tuple[click.Group, click.Context]:
    """Return the group of all commands, and its context."""
    context = ctx.find_root()
    assert isinstance(context.command, click.Group)
    return context.command, context


def _widest(ctx: click.Context) -> int:
    return ctx.max_content_width or 100
