"""Ctrl-C and SIGTERM during a run: the first waits until files are written, the second ends at once."""

import os
import signal
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from convcli.batch.gate import WRITES

if TYPE_CHECKING:
    from queue import SimpleQueue

SIGNALS = (signal.SIGINT, signal.SIGTERM)
PATIENCE = 1.0  # seconds that a second signal waits for a write


class Stopped(BaseException):
    """A signal ended a job that runs in the main thread, while nothing was being written."""


class Stop:
    """Whether the run is to end, and by which signal; to be entered around it.

    queue : gets None for a signal, where the main thread only waits for jobs; without it the signal ends the job
    last : called before a second signal ends the process
    """

    def __init__(self) -> None:
        self.signal: signal.Signals | None = None
        self.queue: SimpleQueue[Any] | None = None
        self.last: list[Callable[[], None]] = []
        self._before: dict[int, Any] = {}

    @property
    def code(self) -> int:
        """The exit code, 128 + the signal as shells have it; 0 where there was none."""
        return 0 if self.signal is None else 128 + self.signal

    def __enter__(self) -> "Stop":
        """Listen to the signals: in the main thread, which alone can."""
        WRITES.closed = WRITES.used = False
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._heard) for number in SIGNALS}
        return self

    def __exit__(self, *error: object) -> None:
        """Restore the handlers that there were."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _heard(self, number: int, frame: object) -> None:
        again, self.signal = self.signal is not None, self.signal or signal.Signals(number)
        if self.queue is None:
            if again or not (WRITES.occupied or WRITES.used):
                raise Stopped
        elif again:
            WRITES.close(PATIENCE)
            for each in self.last:
                each()
            os._exit(self.code)
        else:
            self.queue.put(None)  # which is safe in a signal handler
