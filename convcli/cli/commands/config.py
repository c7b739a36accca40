"""convcli config: show the options that environment variables or a file set."""

from collections.abc import Mapping
from typing import Any

import click

from convcli import __version__
from convcli.cli import COMMANDS, SETTINGS
from convcli.cli.command import Command
from convcli.cli.options.answer_options import AnswerOptions, answer_options
from convcli.cli.options.option_types import Parsed
from convcli.cli.options.verbosity_options import verbosity_options
from convcli.cli.positional_words import setting_words
from convcli.cli.settings import Setting, setting_rows, settings, settings_file
from convcli.cli.user_messages import Messages
from convcli.errors import ArgumentError, instead_of
from convcli.render import Answer

LISTED = {"command": 10, "option": 16, "value": 24, "source": 60}  # columns and their widths


@click.command(
    cls=Command,
    short_help="Show options set in files or the environment.",
    words=setting_words,
    moved={
        "--list": "convcli config without an argument",
        **dict.fromkeys(("--set", "--get", "--unset"), "convcli.toml: jobs = 4 in a table such as [filter]"),
    },
    examples=("convcli config filter", "convcli config --format json"),
)
@click.argument("name", required=False, metavar="[COMMAND]", type=Parsed("COMMAND", str, COMMANDS))
@answer_options
@verbosity_options
@click.pass_context
def command(ctx: click.Context, /, name: str | None, answer: AnswerOptions) -> None:
    """Show the options of all commands, or of one, that are set by environment variables or a file.

    The command line has priority over a variable such as CONVCLI_FILTER_PADDING_MODE, and the variable over the file:
    convcli.toml, or [tool.convcli] in pyproject.toml, in the working directory or the nearest folder above it that has
    one. Each command has a table with its options by their long names: [filter], or [tool.convcli.filter] in
    pyproject.toml, and below it jobs = 2, kernel = ["gaussian:sigma=2", "sobel"], linear = true. --force, --in-place,
    -v, -q and --debug are only allowed on the command line.
    """
    if name is not None and name not in COMMANDS:
        raise ArgumentError(f"there is no command {name!r}; {instead_of(name, COMMANDS)}")
    messages = ctx.find_object(Messages)
    assert messages is not None
    answer.give(messages, _list(ctx, COMMANDS if name is None else (name,)))


def _check(command: click.Command, root: click.Context, name: str, found: Mapping[str, Setting]) -> None:
    """Raise BadParameter for a value that the option does not take; the message names the file or the variable."""
    with click.Context(command, parent=root, info_name=name) as ctx:
        ctx.meta[SETTINGS] = found
        for option in (each for each in command.params if each.name in found):
            option.type_cast_value(ctx, found[option.name or ""].value)


def _list(ctx: click.Context, names: tuple[str, ...]) -> Answer:
    """Return the answer, with a row for each setting."""
    root = ctx.find_root()
    assert isinstance(root.command, click.Group)
    rows: list[dict[str, Any]] = []
    for name in names:
        command = root.command.get_command(root, name)
        assert command is not None
        found = settings(name, command.get_params(ctx), COMMANDS)
        _check(command, root, name, found)
        rows += [{"command": name, **row} for row in setting_rows(found)]
    file = settings_file()
    remarks = () if file is None else (f"file: {file}",)
    if not rows:
        remarks = (*remarks, "no option is set by an environment variable or a file")
    return Answer("config", __version__, rows, rows, {}, tuple(LISTED), ("value",), remarks, (), LISTED)
