"""What is said besides the answer: stderr, as loud as -q and -v ask for."""

import os
import sys
from collections.abc import Sequence
from typing import TextIO

import click

from convcli.cli.option_names import with_options
from convcli.errors import shortened
from convcli.render import visible


class Conversation:
    """The loudness of one run, and its words on stderr, each one line."""

    def __init__(self) -> None:
        self.quiet = False
        self.verbose = False
        self.debug = False
        self.failed = 1  # the exit code where an input or an answer fails
        self.parameters: Sequence[click.Parameter] = ()  # of the command that runs

    def spelled(self, message: str) -> str:
        """Return a message of the library with the options of the command for its arguments."""
        return with_options(message, self.parameters) if "`" in message else message

    def error(self, message: str) -> None:
        """Say what failed; -q does not silence it."""
        self._say(f"error: {message}")

    def failure(self, error: Exception) -> None:
        """Say what failed, after the traceback that --debug asks for."""
        if self.debug:
            import traceback

            for line in "".join(traceback.format_exception(error)).splitlines():
                _print(visible(line))
        self.error(str(error))

    def help(self, text: str) -> None:
        """Say how it is used, where it is used without a word."""
        _print(text)

    def note(self, message: str) -> None:
        """Say what the user should know."""
        if not self.quiet:
            self._say(message)

    def detail(self, message: str) -> None:
        """Say what only -v asks for."""
        if self.verbose:
            self._say(message)

    def _say(self, message: str) -> None:
        _print(f"convcli: {shortened(visible(self.spelled(message)))}")


def _print(text: str) -> None:
    try:
        print(text, file=sys.stderr, flush=True)
    except BrokenPipeError:
        raise
    except OSError:  # a disk that is full: nobody can be told
        lose(sys.stderr)


def lose(stream: TextIO) -> None:
    """Let what a stream still holds, and all that follows, go nowhere: the interpreter flushes it at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
