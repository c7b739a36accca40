"""Messages on standard error, as many as -q and -v ask for."""

import os
import re
import sys
from collections.abc import Iterable, Sequence
from typing import TextIO

import click

from convcli.cli.option_names import with_options
from convcli.errors import shortened
from convcli.render import visible


class Conversation:
    """The verbosity of one run, and its messages on standard error, one line each."""

    def __init__(self) -> None:
        self.quiet = False
        self.verbose = False
        self.debug = False
        self.failed = 1  # the exit code where an input or an answer fails
        self.parameters: Sequence[click.Parameter] = ()  # of the command that runs
        self._verbatim: set[str] = (
            set()
        )  # what the user typed or named that looks like an argument in a message

    def keep(self, texts: Iterable[str]) -> None:
        """Let messages show words of the user and names of files as they are, whole or a part between / = and dots."""
        for text in texts:
            if "`" in text:
                self._verbatim.update(part for part in (text, *re.split(r"[/=.]", text)) if "`" in part)

    def spelled(self, message: str) -> str:
        """Return a message of the library with the options of the command for its arguments."""
        return with_options(message, self.parameters, self._verbatim) if "`" in message else message

    def error(self, message: str) -> None:
        """Print an error, also with -q."""
        self._say(f"error: {message}")

    def failure(self, error: Exception) -> None:
        """Print an error, after the traceback that --debug asks for."""
        if self.debug:
            import traceback

            for line in "".join(traceback.format_exception(error)).splitlines():
                _print(visible(line))
        self.error(str(error))

    def help(self, text: str) -> None:
        """Print the help of a command line that is empty."""
        _print(text)

    def note(self, message: str) -> None:
        """Print what the user should know, except with -q."""
        if not self.quiet:
            self._say(message)

    def detail(self, message: str) -> None:
        """Print what only -v asks for."""
        if self.verbose:
            self._say(message)

    def _say(self, message: str) -> None:
        _print(f"convcli: {shortened(visible(self.spelled(message)))}")


def _print(text: str) -> None:
    try:
        print(text, file=sys.stderr, flush=True)
    except BrokenPipeError:
        raise
    except OSError:  # such as a full disk: there is nowhere else to report it
        lose(sys.stderr)


def lose(stream: TextIO) -> None:
    """Discard what a stream still holds and all that follows; the interpreter would fail to flush it when it exits."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
