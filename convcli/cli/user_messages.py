"""Messages on standard error, according to -q and -v."""

import os
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, TextIO

import click

from convcli.cli.option_names import with_options
from convcli.errors import shortened
from convcli.render import visible

if TYPE_CHECKING:
    from convcli.cli.settings import Setting


class Messages:
    """The verbosity of one run, and its messages on standard error, one line each."""

    def __init__(self) -> None:
        self.quiet = False
        self.verbose = False
        self.debug = False
        self.failed = 1  # the exit code if an input or an answer fails
        self.settings: Sequence[Setting] = ()  # those that the command line does not override
        self.parameters: Sequence[click.Parameter] = ()  # of the command that runs
        self.elsewhere: Callable[[], Sequence[click.Parameter]] = (
            tuple  # of filter, if its options are explained
        )
        self._verbatim: set[str] = set()  # words of the user with backticks, which are not names of arguments

    def keep(self, texts: Iterable[str]) -> None:
        """Keep words of the user and file names unchanged in messages, whole or in parts between / = and dots."""
        for text in texts:
            if "`" in text:
                self._verbatim.update(part for part in (text, *re.split(r"[/=.]", text)) if "`" in part)

    def name_options(self, message: str) -> str:
        """Return a message of the library with its arguments replaced by the options of the command."""
        if "`" not in message:
            return message
        return with_options(message, self.parameters, self._verbatim, self.elsewhere())

    def error(self, message: str) -> None:
        """Print an error, also with -q."""
        self._print_message(f"error: {message}")

    def failure(self, error: Exception, more: str = "") -> None:
        """Print an error, with `more` after its message; with --debug, print its traceback first."""
        if self.debug:
            import traceback

            for line in "".join(traceback.format_exception(error)).splitlines():
                _print(visible(line))
        self.error(f"{error}{more}")

    def help(self, text: str) -> None:
        """Print the help, for an empty command line."""
        _print(text)

    def note(self, message: str) -> None:
        """Print a note, except with -q."""
        if not self.quiet:
            self._print_message(message)

    def detail(self, message: str) -> None:
        """Print a detail, only with -v."""
        if self.verbose:
            self._print_message(message)

    def _print_message(self, message: str) -> None:
        _print(f"convcli: {shortened(visible(self.name_options(message)))}")


def _print(text: str) -> None:
    try:
        print(text, file=sys.stderr, flush=True)
    except BrokenPipeError:
        raise
    except OSError:  # such as a full disk, which can be reported nowhere else
        lose(sys.stderr)


def lose(stream: TextIO) -> None:
    """Discard the buffered and all later output of a stream, which the interpreter could not flush when it exits."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
