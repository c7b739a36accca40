"""The messages of a run: results, progress, and the summary at the end."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

import click

from convcli.batch.outcome import Outcome
from convcli.batch.stop import Stop
from convcli.cli.user_messages import Messages
from convcli.files import REPLACE, ExistsError
from convcli.jobs.job import Job
from convcli.render import visible

if TYPE_CHECKING:
    from convcli.cli.progress import Progress
    from convcli.jobs.report import Report

NAMED = 50  # failed inputs that the summary names
EVERY = 10.0  # seconds between two lines about the progress that -v prints
AFTER = 0.5  # seconds before a terminal shows the progress, which a short run does not need


class RunMessages:
    """The reporter of a run: it prints answers, notes and errors in the order of the inputs, progress and summary."""

    def __init__(self, messages: Messages, count: int, stop: Stop, *, dry_run: bool = False) -> None:
        self.report: Report | None = None
        self._messages, self._count, self._stop = messages, count, stop
        self._dry_run = dry_run
        self._advised: set[str] = set()
        self._existing = 0  # the number of outputs that exist and may not be replaced
        self._counts = {"done": 0, "skipped": 0, "failed": 0}
        self._failed: list[tuple[int, str]] = []
        self._pixels = 0
        self._started = self._last_line = time.monotonic()
        self._progress: Progress | None = None
        self._several = count > 1
        self._terminal = self._several and not messages.quiet and sys.stderr.isatty()

    @property
    def over(self) -> int:
        """The number of jobs that are done, skipped or failed."""
        return sum(self._counts.values())

    @property
    def exit_code(self) -> int:
        """0 if every job was done or skipped, else 1."""
        return 0 if self._counts["done"] + self._counts["skipped"] == self._count else 1

    def record(self, number: int, job: Job, outcome: Outcome) -> None:
        """Count a job, and write it to the report."""
        self._counts[outcome.status] += 1
        self._pixels += outcome.pixels
        if outcome.error is not None:
            self._failed.append((number, job.name))
            if self._several and isinstance(
                outcome.error, ExistsError
            ):  # the advice is printed once, at the end
                self._existing += 1
                outcome.error.args = (str(outcome.error).removesuffix(REPLACE),)
            outcome.error.args = (self._messages.name_options(str(outcome.error)),)
        if self.report is not None:
            self.report.write(number, job, outcome)

    def show(self, job: Job, outcome: Outcome) -> None:
        """Print the answer of a job, then its notes, details and error."""
        self.hide()
        answer = outcome.answer if self._messages.quiet else outcome.answer + outcome.written
        if answer:
            click.echo(_on_terminal(answer) if sys.stdout.isatty() else answer, nl=False)
        if outcome.shown:
            if self._several and not answer and not self._messages.quiet:
                click.echo(visible(job.name))
            click.echo(outcome.shown, nl=False)
        for note in outcome.notes:
            self._messages.note(f"{job.name}: {self._with_new_advice(note)}")
        for detail in outcome.details:
            self._messages.detail(f"{job.name}: {detail}")
        if outcome.error is not None:
            self._messages.failure(outcome.error)

    def _with_new_advice(self, note: str) -> str:
        """Return a note, which may end with `; advice`, without advice that was already printed."""
        fact, semicolon, advice = note.rpartition("; ")
        if semicolon and advice in self._advised:
            return fact
        self._advised.add(advice)
        return note

    def tick(self) -> None:
        """Show the progress: as a bar on a terminal, otherwise with -v as a line every ten seconds."""
        if not self._several or self._messages.quiet:
            return
        now = time.monotonic()
        if self._terminal and now - self._started > AFTER:
            if self._progress is None:
                from convcli.cli.progress import Progress

                self._progress = Progress(self._count, self._started)
                self._stop.last.append(self._progress.abandon)
            self._progress.show(self._counts)
        elif not self._terminal and now - self._last_line > EVERY:
            self._last_line = now
            self._messages.detail(self._so_far(now))

    def _so_far(self, now: float) -> str:
        over = self.over
        left = (self._count - over) * (now - self._started) / over if over else None
        failed = f", {self._counts['failed']} failed" if self._failed else ""
        ends = "" if left is None else f", about {left:.0f} s left"
        return f"{over} of {self._count}{failed}, {over / (now - self._started):.1f} per second{ends}"

    def hide(self) -> None:
        """Remove the progress bar from the terminal."""
        if self._progress is not None:
            self._progress.hide()

    def end(self) -> None:
        """Print the summary of a run of more than one job."""
        self.hide()
        if not self._several:
            return
        seconds = time.monotonic() - self._started
        words = {"done": "would be done"} if self._dry_run else {}
        parts = [
            f"{count} {words.get(status, status)}"
            for status, count in self._counts.items()
            if count or status == "done"
        ]
        if missing := self._count - self.over:
            parts.append(f"{missing} not started or not finished")
        if self._stop.signal is not None:
            parts.insert(0, f"stopped by {self._stop.signal.name}")
        text = ", ".join(parts)
        if self._pixels and not self._dry_run:
            text += f"; {self._pixels / max(seconds, 1e-9) / 1e6:.1f} megapixels per second"
        if self._failed:
            names, more = [name for _, name in sorted(self._failed)], len(self._failed) - NAMED
            text += f"; failed: {', '.join(names[:NAMED])}" + (f" and {more} more" if more > 0 else "")
        self._messages.note(text)
        if self._existing:
            self._messages.note(
                "use --skip-existing to skip inputs whose outputs exist, or --force to replace the outputs"
            )


def _on_terminal(answer: bytes) -> str:
    """Return a line of an answer with control characters escaped, which a terminal would execute."""
    return visible(os.fsdecode(answer.removesuffix(b"\n"))) + "\n"
