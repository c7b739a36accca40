"""Handling of Ctrl-C and SIGTERM: the first waits until files are written, the second ends the process at once."""

import os
import signal
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from convcli.batch.gate import WRITES

if TYPE_CHECKING:
    from queue import SimpleQueue

SIGNALS = (signal.SIGINT, signal.SIGTERM)
PATIENCE = 1.0  # seconds that the second signal waits for a write


class Stopped(BaseException):
    """A signal interrupted a job in the main thread, while nothing was being written."""


class Stop:
    """A context manager around a run that handles signals.

    signal : the signal that ends the run, if one came
    queue : receives None at a signal, if the main thread only waits for jobs; without a queue the signal interrupts
        the job
    last : functions to be called before a second signal ends the process
    """

    def __init__(self) -> None:
        self.signal: signal.Signals | None = None
        self.queue: SimpleQueue[Any] | None = None
        self.last: list[Callable[[], None]] = []
        self._before: dict[int, Any] = {}

    @property
    def code(self) -> int:
        """The exit code: 128 plus the number of the signal, as in shells; 0 without a signal."""
        return 0 if self.signal is None else 128 + self.signal

    def __enter__(self) -> "Stop":
        """Install the handlers, if this is the main thread; Python allows it in no other."""
        WRITES.closed = WRITES.used = False
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._handle) for number in SIGNALS}
        return self

    def __exit__(self, *error: object) -> None:
        """Restore the previous handlers."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _handle(self, number: int, frame: object) -> None:
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
