"""The memory budget that parallel jobs share: each job reserves its estimate, and waits until it is free."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition
from typing import TYPE_CHECKING

from convcli.batch.gate import WRITES, Closed

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

TAKE, GIVE = "take", "give"
TICK = 0.1  # seconds between two checks of a waiting job whether the run has ended


class Budget:
    """A number of bytes to reserve, in the order of the requests, so that a large job does not wait for ever.

    A job that runs alone gets its request even if it is over the limit.
    """

    def __init__(self) -> None:
        self.taken = 0
        self.keeper: Connection | None = None  # in a worker process, the connection to the budget of the run
        self._waiting: deque[object] = deque()
        self._changed = Condition()

    @contextmanager
    def share(self, wanted: int, limit: int) -> Iterator[None]:
        """Reserve bytes while the context lasts; wait until all reservations together are within the limit."""
        if self.keeper is None:
            self.take(wanted, limit)
        else:
            self.keeper.send((TAKE, wanted, limit))
            self.keeper.recv()  # the answer comes when they are reserved; if the run ends first, it kills this process
        try:
            yield
        finally:
            if self.keeper is None:
                self.give(wanted)
            else:
                self.keeper.send((GIVE,))

    def take(self, wanted: int, limit: int) -> None:
        """Wait until the bytes are free and reserve them; raise Closed if the run ends first."""
        mine = object()
        with self._changed:
            self._waiting.append(mine)
            try:
                while self._waiting[0] is not mine or (self.taken and self.taken + wanted > limit):
                    if WRITES.closed:
                        raise Closed
                    self._changed.wait(TICK)
                self.taken += wanted
            finally:
                self._waiting.remove(mine)
                self._changed.notify_all()

    def give(self, held: int) -> None:
        """Release reserved bytes."""
        with self._changed:
            self.taken -= held
            self._changed.notify_all()


MEMORY = Budget()  # the budget of this process
