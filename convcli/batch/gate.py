"""A gate around work that must not be interrupted: whoever ends the run closes it, and waits for the work inside."""

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

ENTER, LEAVE = "enter", "leave"


class Closed(BaseException):
    """The run is ending, and nothing more may be written; a BaseException, so that no handler of errors catches it."""


class Gate:
    """Entered by `with`; a signal handler may look at it and close it, so it has no lock.

    Each step is one operation that the interpreter does not interrupt: a thread that enters adds itself first and then
    looks whether the gate is closed; who closes it looks afterwards who is inside.
    """

    def __init__(self) -> None:
        self.closed = False
        self.used = False  # whether a thread has left since this was last set to False
        self.keeper: Connection | None = None  # in a worker process, the way to the gate of the run
        self._inside: list[None] = []

    @property
    def occupied(self) -> bool:
        """Whether a thread is inside."""
        return bool(self._inside)

    def enter(self) -> bool:
        """Enter and return True, or return False where it is closed."""
        self._inside.append(None)
        if not self.closed:
            return True
        self._inside.pop()
        return False

    def leave(self) -> None:
        """Leave."""
        self.used = True
        self._inside.pop()

    def close(self, patience: float) -> None:
        """Let no more threads in, and wait at most so many seconds for those inside."""
        self.closed = True
        until = time.monotonic() + patience
        while self._inside and time.monotonic() < until:
            time.sleep(0.005)

    def __enter__(self) -> None:
        """Enter this gate, and in a worker process that of the run."""
        if not self.enter():
            raise Closed
        if self.keeper is not None:
            self.keeper.send((ENTER,))
            if not self.keeper.recv():
                self.leave()
                raise Closed

    def __exit__(self, *error: object) -> None:
        """Leave both."""
        self.leave()
        if self.keeper is not None:
            self.keeper.send((LEAVE,))


WRITES = Gate()  # of this process: files are written inside
