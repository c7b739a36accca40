"""The command line: the group of commands, and the conversion of failures to messages and exit codes."""

import errno
import os
import re
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from io import TextIOWrapper
from typing import TYPE_CHECKING, Any, NoReturn

import click

from convcli import __version__
from convcli.batch.stop import SIGNALS
from convcli.cli.user_messages import Messages, lose
from convcli.errors import ConvcliError

if TYPE_CHECKING:
    from convcli.cli.settings import Setting

# In the order in which the help lists them; each is a module in cli/commands.
COMMANDS = (
    *("filter", "match", "diff", "learn", "kernels", "draw"),
    *("shape", "params", "cost", "compare", "networks"),
    *("tune", "config", "completion", "help"),
)

SETTINGS = "convcli.settings"  # the key in a context's `meta` of what `settings` found for its command
VARIABLE = "_CONVCLI_COMPLETE"  # the environment variable that makes Click print completions
INTERRUPTED, BROKEN_PIPE = 130, 141  # 128 plus the number of the signal, as in shells
ENDED = tuple(128 + number for number in SIGNALS)


class _NoCommandError(click.UsageError):
    """The command line is empty."""


class _Commands(click.Group):
    """The group of commands, each of which is imported on use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        command: click.Command = import_module(f"convcli.cli.commands.{name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in COMMANDS and not name.startswith("-") and not ctx.resilient_parsing:
            from convcli.cli.suggested_words import command_instead

            if (messages := ctx.find_object(Messages)) is not None:  # the advice may name options of filter
                messages.elsewhere = lambda: parameters_of_filter(ctx)
            raise click.UsageError(f"No such command {name!r}; {command_instead(name, COMMANDS)}", ctx)
        return super().resolve_command(ctx, args)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args and not ctx.resilient_parsing:
            raise _NoCommandError("", ctx)
        return super().parse_args(ctx, args)

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        with _broken_pipes():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> int:
        with _broken_pipes():
            return super().invoke(ctx) or 0


def parameters_of_filter(ctx: click.Context) -> Sequence[click.Parameter]:
    """Return the parameters of convcli filter, for messages that name them."""
    group = ctx.find_root().command
    found = group.get_command(ctx, "filter") if isinstance(group, click.Group) else None
    return () if found is None else found.params


@contextmanager
def _broken_pipes() -> Iterator[None]:
    """Exit with 141 on a broken pipe, like a program that SIGPIPE ends; Click would exit with 1."""
    try:
        yield
    except BrokenPipeError:
        raise click.exceptions.Exit(BROKEN_PIPE) from None


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Each command has its own help: convcli filter --help. convcli help lists pages on topics such as kernels, "
    "padding and exit codes.",
)
@click.version_option(__version__, "-V", "--version", message="convcli %(version)s")
def group() -> None:
    """Run convolutions on pictures, and calculate the shape and the cost of convolutional layers.

    \b
    convcli filter photo.png --kernel sobel      write photo.sobel.png
    convcli shape --n 7 --k 3 --s 2 --p 1        how large is the output?
    """  # noqa: D301  # \b is Click's mark for a block that keeps its lines


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run convcli and exit: 0 for success, 1 if an input failed, 2 for wrong usage, 128 + N if signal N ended it."""
    sys.set_int_max_str_digits(0)  # counts may have any number of digits
    _prepare_streams()
    messages = Messages()
    try:
        code = _run(arguments, messages)
        sys.stdout.flush()
    except BrokenPipeError:
        code = BROKEN_PIPE
    except OSError as error:
        messages.error(_explained(error))
        code = messages.failed
    if code == BROKEN_PIPE:  # the rest of the output has no reader
        lose(sys.stdout)
    if code in ENDED:  # a second signal must not interrupt the exit
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)
    sys.exit(code)


def _explained(error: OSError) -> str:
    """Describe an OSError that no command handles: about the working directory, a file, or else standard output."""
    from pathlib import Path  # which no command needs at its start

    try:
        Path.cwd()
    except OSError:
        return "the working directory has been removed; change to one that exists"
    if error.filename is not None:
        return f"cannot use {os.fsdecode(error.filename)}: {error.strerror}"
    lose(sys.stdout)
    why = "it is closed" if error.errno == errno.EBADF else error.strerror
    return f"cannot write to standard output: {why}"


def _prepare_streams() -> None:
    """Open the standard streams that the caller closed, so that no file opened later gets their file descriptors.

    Reading a closed standard input and writing to a closed standard output is then an error; messages to a closed
    standard error are lost. Characters that the encoding of a stream lacks are written as escape sequences.
    """
    for name, mode, access in (
        ("stdin", "r", os.O_RDONLY),
        ("stdout", "w", os.O_RDONLY),
        ("stderr", "w", os.O_WRONLY),
    ):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, access), mode, closefd=False))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _run(arguments: Sequence[str] | None, messages: Messages) -> int:
    """Run the command; report every expected failure in one line, and return the exit code."""
    messages.keep(sys.argv[1:] if arguments is None else arguments)
    try:
        if VARIABLE in os.environ:
            from convcli.cli.completed_words import prepare_completion

            prepare_completion()
        return group.main(arguments, "convcli", standalone_mode=False, obj=messages) or 0
    except _NoCommandError as error:
        messages.help(error.ctx.get_help() if error.ctx else "")
        return error.exit_code
    except click.UsageError as error:
        where = f" (see {error.ctx.command_path} --help)" if error.ctx else ""
        messages.error(_message(error).rstrip(".") + where)
        return max(error.exit_code, messages.failed)
    except click.ClickException as error:
        messages.error(error.format_message())
        return error.exit_code
    except ConvcliError as error:
        setting = _setting_of(error, messages)
        messages.failure(error, f"; {setting.option} is set in {setting.source}" if setting else "")
        return max(error.exit_code, messages.failed)
    except click.Abort:
        return INTERRUPTED


def _setting_of(error: ConvcliError, messages: Messages) -> "Setting | None":
    """Return the setting that an error is about; None if it is about what was typed."""
    if not messages.settings:
        return None
    from convcli.cli.settings import setting_in

    return setting_in(messages.name_options(str(error)), messages.settings)


def _source(option: click.Option, ctx: click.Context | None) -> "Setting | None":
    """Return the setting of an option, from a file or a variable; None if the command line or no one sets it."""
    found = {} if ctx is None else ctx.meta.get(SETTINGS, {})
    if ctx is None or option.name not in found:
        return None
    typed = ctx.get_parameter_source(option.name) == click.core.ParameterSource.COMMANDLINE
    setting: Setting = found[option.name]
    return None if typed else setting


def _described(name: str, ctx: click.Context) -> str:
    """Return an option with its argument and its help; empty if the command has no such option."""
    options = (each for each in ctx.command.get_params(ctx) if isinstance(each, click.Option))
    record = next((each.get_help_record(ctx) for each in options if name in each.opts), None)
    return ": ".join(record) if record else ""


def _message(error: click.UsageError) -> str:
    """Return the message of a usage error, the same for every version of Click."""
    message = error.format_message()
    if isinstance(error, click.NoSuchOption):
        from convcli.cli.suggested_words import option_instead

        hint = option_instead(error.option_name, error.ctx) if error.ctx else ""
        moved = getattr(error.ctx.command, "moved", {}) if error.ctx else {}
        if error.option_name in moved:
            hint = f"use {moved[error.option_name]}"
        message = f"No such option {error.option_name!r}{'; ' if hint else ''}{hint}"
    if isinstance(error, click.BadOptionUsage) and error.ctx and message.endswith("requires an argument."):
        message = f"{message[:-1]}; {_described(error.option_name, error.ctx)}"
    message = " ".join(message.split())  # Click lists choices on separate lines
    option = error.param if isinstance(error, click.BadParameter) else None
    if isinstance(option, click.Option) and error.ctx is not None:
        from convcli.cli.suggested_words import value_instead

        if hint := value_instead(option, error.message, error.ctx):
            message = f"{message.rstrip('.')}; {hint}"
    if isinstance(option, click.Option) and (where := _source(option, error.ctx)):
        message = re.sub(r" \(env var: .*?\)(?=:)", "", message, count=1)
        return f"{message.rstrip('.')}; it is set in {where.source}"
    if isinstance(option, click.Option) and option.show_envvar and error.ctx is not None:
        hint = option.get_error_hint(error.ctx)
        if f"{option.envvar}" not in hint:
            message = message.replace(hint, f"{hint} (env var: {option.envvar!r})", 1)
    return message
