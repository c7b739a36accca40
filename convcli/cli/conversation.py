"""What is said besides the answer: stderr, as loud as -q and -v ask for."""

import os
import sys
from typing import TextIO

from convcli.errors import shortened
from convcli.render import visible


class Conversation:
    """The loudness of one run, and its words on stderr, each one line."""

    def __init__(self) -> None:
        self.quiet = False
        self.verbose = False
        self.debug = False

    def error(self, message: str) -> None:
        """Say what failed; -q does not silence it."""
        _say(f"error: {message}")

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
            _say(message)

    def detail(self, message: str) -> None:
        """Say what only -v asks for."""
        if self.verbose:
            _say(message)


def _say(message: str) -> None:
    _print(f"convcli: {shortened(visible(message))}")


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
