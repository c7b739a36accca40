"""Play steps in place on a terminal."""

import time
from collections.abc import Sequence
from typing import IO, TYPE_CHECKING

from convcli.drawing.steps import Stage
from convcli.drawing.text_frames import (
    CURRENT,
    OUTPUT,
    PADDING,
    TITLE,
    WINDOW,
    Piece,
    TextFrames,
    heading,
    legend,
)

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

STYLES = {
    TITLE: "bold",
    WINDOW: "bold white on blue",
    PADDING: "dim",
    OUTPUT: "cyan",
    CURRENT: "bold black on cyan",
}


def play(stages: Sequence[Stage], stream: IO[str], delay: float) -> bool:
    """Show each step for `delay` seconds in place of the one before it; the last one stays.

    Return False, with nothing shown, if the terminal cannot move its cursor or is not high enough for a step.
    """
    from rich.console import Console
    from rich.live import Live

    console = Console(file=stream, highlight=False)
    if not console.is_terminal or console.is_dumb_terminal:
        return False
    texts = [TextFrames(stage) for stage in stages]
    first = _text(texts[0], 0, console.width)
    if _height(first, console) > console.height:
        return False
    frames = [[_text(each, number, console.width) for number in range(len(each.results))] for each in texts]
    if max(_height(text, console) for shown in frames for text in shown) > console.height:
        return False
    for shown in frames:
        with Live(shown[0], console=console, auto_refresh=False) as live:
            for text in shown:
                live.update(text, refresh=True)
                time.sleep(delay)
    return True


def _height(text: "Text", console: "Console") -> int:
    return len(text.wrap(console, console.width))


def _text(frames: TextFrames, number: int, width: int) -> "Text":
    """Return a step with its colours."""
    from rich.text import Text

    stage = frames.stage
    head = [[Piece(heading(stage), TITLE)], [Piece("; ".join(legend(stage)), PADDING)], []]
    text = Text()
    for line in [*head, *frames.frame(number, width)]:
        for piece in line:
            text.append(piece.text, STYLES.get(piece.style, ""))
        text.append("\n")
    text.rstrip()
    return text
