"""What is said besides the answer: stderr, as loud as -q and -v ask for."""

import sys


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

            traceback.print_exception(error)
        self.error(str(error))

    def note(self, message: str) -> None:
        """Say what the user should know."""
        if not self.quiet:
            _say(message)

    def detail(self, message: str) -> None:
        """Say what only -v asks for."""
        if self.verbose:
            _say(message)


def one_line(text: str) -> str:
    """Escape line breaks and terminal controls, which file names may hold."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape", "surrogatepass").decode()
        for char in text
    )


def _say(message: str) -> None:
    print(f"convcli: {one_line(message)}", file=sys.stderr, flush=True)
