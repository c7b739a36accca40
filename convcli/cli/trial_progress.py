"""The progress of what `convcli compare` tries on a picture, as `convcli filter` shows it."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from convcli.cli.progress import Progress
from convcli.cli.run_messages import AFTER
from convcli.cli.user_messages import Messages

if TYPE_CHECKING:
    from convcli.analysis.trials import Trial


class Trying:
    """Trials, with a bar on a terminal's standard error if they take longer than a moment."""

    def __init__(self, messages: Messages, trials: Iterable[Trial]) -> None:
        self._trials = list(trials)
        self._shown = sys.stderr.isatty() and not messages.quiet and not messages.verbose

    def __iter__(self) -> Iterator[Trial]:
        started, progress = time.monotonic(), None
        try:
            for done, trial in enumerate(self._trials):
                if self._shown and time.monotonic() - started > AFTER:
                    progress = progress or Progress(len(self._trials), started)
                    progress.show({"done": done, "failed": 0})
                yield trial
        finally:
            if progress is not None:
                progress.hide()
