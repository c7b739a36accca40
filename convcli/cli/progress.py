"""A progress bar on the terminal, below the messages, which disappears at the end."""

import os
import time
from collections.abc import Mapping

PAUSE = 0.1  # least seconds between two updates


class Progress:
    """A progress bar on standard error, which must be hidden before anything else is printed on the terminal."""

    def __init__(self, count: int, started: float) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        columns = (
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]:.1f}/s"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[failed]}"),
        )
        console = Console(stderr=True)
        self._bar = Bar(
            *columns,
            console=console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._task = self._bar.add_task("", total=count, rate=0.0, failed="")
        self._started = started
        self._drawn = 0.0
        self._shown = False

    def show(self, counts: Mapping[str, int]) -> None:
        """Draw the bar, at most once every PAUSE seconds."""
        now = time.monotonic()
        if now - self._drawn < PAUSE:
            return
        self._drawn = now
        over, failed = sum(counts.values()), counts["failed"]
        self._bar.update(
            self._task,
            completed=over,
            rate=over / (now - self._started),
            failed=f"[red]{failed} failed[/]" if failed else "",
        )
        if not self._shown:
            self._bar.start()
            self._shown = True
        self._bar.refresh()

    def hide(self) -> None:
        """Remove the bar until it is drawn again."""
        if self._shown:
            self._bar.stop()
            self._shown = False

    def abandon(self) -> None:
        """Show the cursor of the terminal again, when the process ends at once."""
        if self._shown:
            os.write(2, b"\n\x1b[?25h")
