"""The help of each command as a record, from which its page and its man page are written."""

import re
from collections.abc import Iterator, Sequence
from inspect import cleandoc
from typing import NamedTuple

import click

from convcli.cli import COMMANDS, group
from convcli.cli.command import Command


class Paragraph(NamedTuple):
    """A paragraph of a help text; verbatim paragraphs keep their lines."""

    text: str
    verbatim: bool = False


class Manual(NamedTuple):
    """The contents of `--help-all` of a command."""

    name: str  # as it is typed
    about: str  # one line
    usage: str
    description: Sequence[Paragraph]
    examples: Sequence[str]
    options: Sequence[
        tuple[str, Sequence[tuple[str, str]]]
    ]  # a heading; the names of an option, and its explanation
    more: Sequence[Paragraph]
    topics: Sequence[str]


def manuals() -> Iterator[Manual]:
    """Yield the manual of every command, in the order of the help."""
    with click.Context(group, info_name="convcli", **group.context_settings) as parent:
        for name in COMMANDS:
            command = group.get_command(parent, name)
            assert isinstance(command, Command)
            with click.Context(command, info_name=name, parent=parent) as context:
                yield Manual(
                    f"convcli {name}",
                    command.get_short_help_str(200),
                    f"convcli {name} {' '.join(command.collect_usage_pieces(context))}",
                    paragraphs((command.help or "").replace("\f", "\n\n")),
                    command.examples,
                    command.sections(context),
                    paragraphs(command.more() if command.more else command.epilog or ""),
                    command.topics,
                )


def paragraphs(text: str) -> list[Paragraph]:
    r"""Divide a help text into paragraphs, as Click does; paragraphs that begin with \b are verbatim.

    >>> paragraphs("One\n  two.\n\n\b\nx   y\nz")
    [Paragraph(text='One two.', verbatim=False), Paragraph(text='x   y\nz', verbatim=True)]
    """
    found = []
    for block in re.split(r"\n\s*\n", cleandoc(text).strip("\n")):
        if block.startswith("\b"):
            found.append(Paragraph(block.removeprefix("\b").strip("\n"), True))
        elif block.strip():
            found.append(Paragraph(" ".join(block.split())))
    return found
