"""The capabilities of the terminal, from the environment alone: a query might get no answer."""

from __future__ import annotations

import fcntl
import os
import shutil
import struct
import sys
import termios
from collections.abc import Mapping
from typing import TYPE_CHECKING

from convcli.errors import ArgumentError
from convcli.jobs.targets import is_stdout

if TYPE_CHECKING:
    from convcli.images.picture import Frame
    from convcli.images.preview import Screen

BELOW = 2  # rows that stay free for the path and the prompt
CELL = (10, 20)  # the pixels of a cell if the terminal does not report them

_KITTY = ("xterm-kitty", "xterm-ghostty")
_KITTY_PROGRAMS = ("ghostty", "kitty")
_ITERM_PROGRAMS = ("iTerm.app", "WezTerm")
_MULTIPLEXERS = ("screen", "tmux")  # which do not pass on the sequences of inline images


def check_show(output: str | None = None) -> None:
    """Raise ArgumentError if standard output is no terminal, or if the output would be printed there, too."""
    check_terminal()
    if output is not None and is_stdout(output):
        raise ArgumentError(
            f"-o {output} prints the picture where --show shows it; name a file, or leave out -o"
        )


def check_terminal() -> None:
    """Raise ArgumentError if standard output is no terminal."""
    if not sys.stdout.isatty():
        raise ArgumentError(
            "--show draws on a terminal, and standard output is not one; leave it out, or write a file with -o"
        )


def show_frame(frame: Frame, name: str) -> tuple[str, ...]:
    """Show a frame in the terminal, and return notes; `name` is that of the picture in errors."""
    from convcli.images.preview import preview

    shown, notes = preview(frame, screen_of_terminal(), name)
    sys.stdout.flush()
    sys.stdout.buffer.write(shown)
    sys.stdout.buffer.flush()
    return notes


def screen_of_terminal() -> Screen:
    """Return the terminal at standard output, or raise ArgumentError if there is none."""
    check_terminal()
    from convcli.images.preview import Screen

    size = shutil.get_terminal_size()
    return Screen(terminal_method(os.environ), size.columns, max(1, size.lines - BELOW), _cell())


def terminal_method(environment: Mapping[str, str]) -> str:
    """Return the method by which a terminal shows pictures, from the variables that it sets."""
    from convcli.images import preview

    term, program = environment.get("TERM", ""), environment.get("TERM_PROGRAM", "")
    if environment.get("NO_COLOR") or term in ("", "dumb"):
        return preview.SHADES
    inside = "TMUX" in environment or term.startswith(_MULTIPLEXERS)
    if not inside and ("KITTY_WINDOW_ID" in environment or term in _KITTY or program in _KITTY_PROGRAMS):
        return preview.KITTY
    if not inside and (program in _ITERM_PROGRAMS or environment.get("LC_TERMINAL") == "iTerm2"):
        return preview.ITERM
    if environment.get("COLORTERM", "").lower() in ("truecolor", "24bit"):
        return preview.TRUE_COLOUR
    return preview.COLOURS_256


def _cell() -> tuple[int, int]:
    """Return the width and the height of a cell in pixels."""
    try:
        rows, columns, width, height = struct.unpack(
            "4H", fcntl.ioctl(sys.stdout.fileno(), termios.TIOCGWINSZ, bytes(8))
        )
    except OSError:
        return CELL
    return (
        (width // columns, height // rows)
        if rows and columns and width >= columns and height >= rows
        else CELL
    )
