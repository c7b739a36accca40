"""A gate before what must not be cut short: whoever ends a run closes it, and waits for those inside."""

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

ENTER, LEAVE = "enter", "leave"


class Closed(BaseException):
    """The run is ending: nothing more is to be written. No handler of errors is to catch it."""


class Gate:
    """To be entered by `with`; it can be asked and closed by a signal handler, so it has no lock.

    Each step is one bytecode that the interpreter does not divide: whoever enters signs in first and then
    looks whether it is closed, whoever closes it looks afterwards for those inside.
    """

    def __init__(self) -> None:
        self.closed = False
        self.used = False  # whether somebody has left since this was last unset
        self.keeper: Connection | None = None  # in a worker process, the way to the gate of the run
        self._inside: list[None] = []

    @property
    def occupied(self) -> bool:
        """Whether somebody is inside."""
        return bool(self._inside)

    def enter(self) -> bool:
        """Sign in, or return False where it is closed."""
        self._inside.append(None)
        if not self.closed:
            return True
        self._inside.pop()
        return False

    def leave(self) -> None:
        """Sign out."""
        self.used = True
        self._inside.pop()

    def close(self, patience: float) -> None:
        """Let nobody else in, and wait so many seconds for those inside."""
        self.closed = True
        until = time.monotonic() + patience
        while self._inside and time.monotonic() < until:
            time.sleep(0.005)

    def __enter__(self) -> None:
        """Enter here, and at the gate of the run."""
        if not self.enter():
            raise Closed
        if self.keeper is not None:
            self.keeper.send((ENTER,))
            if not self.keeper.recv():
                self.leave()
                raise Closed

    def __exit__(self, *error: object) -> None:
        """Leave here, and there."""
        self.leave()
        if self.keeper is not None:
            self.keeper.send((LEAVE,))


WRITES = Gate()  # of this process: files are written inside
