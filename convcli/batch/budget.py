"""The memory that parallel jobs may take together: each asks for its share, and waits until it is free."""

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
TICK = 0.1  # seconds after which a waiting job looks whether the run has ended


class Budget:
    """Bytes that are given out in the order in which they are asked for, so that no large job waits for ever.

    A job that is alone gets what it asks for.
    """

    def __init__(self) -> None:
        self.taken = 0
        self.keeper: Connection | None = None  # in a worker process, the way to the budget of the run
        self._waiting: deque[object] = deque()
        self._changed = Condition()

    @contextmanager
    def share(self, wanted: int, limit: int) -> Iterator[None]:
        """Hold so many bytes, as soon as all shares together are within the limit."""
        if self.keeper is None:
            self.take(wanted, limit)
        else:
            self.keeper.send((TAKE, wanted, limit))
            self.keeper.recv()  # when it is taken; where the run ends first, this process is killed
        try:
            yield
        finally:
            if self.keeper is None:
                self.give(wanted)
            else:
                self.keeper.send((GIVE,))

    def take(self, wanted: int, limit: int) -> None:
        """Wait for so many bytes; raise Closed where the run ends meanwhile."""
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
        """Give back what was taken."""
        with self._changed:
            self.taken -= held
            self._changed.notify_all()


MEMORY = Budget()  # of this process
