"""A gate around work that must not be interrupted: the end of a run closes it, and waits for the work inside."""

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

ENTER, LEAVE = "enter", "leave"


class Closed(BaseException):
    """The run is ending, and nothing more may be written.

    It is a BaseException, so that `except Exception` does not catch it.
    """


class Gate:
    """A context manager that lets threads in until it is closed.

    It has no lock, because a signal handler reads and closes it. Each step is one operation that the interpreter does
    not interrupt: a thread that enters first adds itself and then checks whether the gate is closed; the thread that
    closes it first sets `closed` and then checks who is inside.
    """

    def __init__(self) -> None:
        self.closed = False
        self.used = False  # whether a thread has left since this was last set to False
        self.keeper: Connection | None = None  # in a worker process, the connection to the gate of the run
        self._inside: list[None] = []

    @property
    def occupied(self) -> bool:
        """Whether a thread is inside."""
        return bool(self._inside)

    def enter(self) -> bool:
        """Enter and return True, or return False if the gate is closed."""
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
        """Let no more threads in, and wait for those inside, at most `patience` seconds."""
        self.closed = True
        until = time.monotonic() + patience
        while self._inside and time.monotonic() < until:
            time.sleep(0.005)

    def __enter__(self) -> None:
        """Enter this gate, and in a worker process also that of the run; raise Closed if one is closed."""
        if not self.enter():
            raise Closed
        if self.keeper is not None:
            self.keeper.send((ENTER,))
            if not self.keeper.recv():
                self.leave()
                raise Closed

    def __exit__(self, *error: object) -> None:
        """Leave this gate, and in a worker process also that of the run."""
        self.leave()
        if self.keeper is not None:
            self.keeper.send((LEAVE,))


WRITES = Gate()  # the gate of this process around the writing of files
