"""Jobs run in parallel, on any concurrent.futures.Executor."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Future, wait
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Generic

from convcli.batch.gate import WRITES, Closed
from convcli.batch.outcome import Job, Named, Outcome
from convcli.errors import ConvcliError

if TYPE_CHECKING:
    from convcli.batch.run_jobs import Batch

AHEAD = 2  # jobs that each worker is given: the one that it runs, and the next
HELD = 1000  # outcomes that may wait for an earlier job
HELD_BYTES = 1 << 26  # and bytes of their answers
TICK = 0.1  # seconds
GRACE = 1.0  # seconds that running jobs have after a signal, and then the files that are being written


class Crowd(Generic[Job]):
    """The jobs of a batch that an executor was given, and the outcomes that wait for their turn to be reported."""

    def __init__(
        self,
        batch: Batch[Job],
        submit: Callable[[Job], Future[Outcome]],
        width: int,
        faults: tuple[type[Exception], ...],
    ) -> None:
        self._batch, self._submit, self._width = batch, submit, width
        self._faults = faults
        self._events: SimpleQueue[Future[Outcome] | None] = SimpleQueue()
        self._flying: dict[Future[Outcome], tuple[int, Job]] = {}
        self._suspects: deque[tuple[int, Job]] = deque()  # whose workers died
        self._alone = False  # whether a suspect is being tried again, with nothing beside it
        self._held: dict[int, tuple[Job, Outcome]] = {}
        self._held_bytes = 0
        self._next = 1  # whose turn it is to be told
        self._deadline: float | None = None

    def run(self) -> bool:
        """Run until nothing is left, or until a signal's grace is over."""
        batch = self._batch
        batch.stop.queue = self._events
        if batch.stop.signal:  # before there was a queue to tell it
            self._events.put(None)
        try:
            while self._start():
                batch.teller.tick()
                try:
                    self._ended(self._events.get(timeout=TICK))
                except Empty:
                    if self._deadline is not None and time.monotonic() > self._deadline:
                        break
            if self._flying:
                self._abandon()
        except BaseException:
            self._end()
            WRITES.close(GRACE)
            self._note_the_rest()
            raise
        for number in sorted(self._held):  # behind jobs that were not done
            batch.teller.tell(*self._held.pop(number))
        return not self._flying

    def _start(self) -> bool:
        """Submit what there is room for; return whether there is anything to wait for."""
        while not (self._batch.ending or self._suspects or self._alone) and self._has_room():
            numbered = next(self._batch.left, None)
            if numbered is None:
                break
            self._fly(*numbered)
        if self._suspects and not self._flying:
            self._alone = True
            self._fly(*self._suspects.popleft())
        return bool(self._flying)

    def _has_room(self) -> bool:
        waiting = len(self._flying) + len(self._held)
        return (
            len(self._flying) < AHEAD * self._width and waiting < HELD and self._held_bytes < HELD_BYTES
        ) or not self._flying

    def _fly(self, number: int, job: Job) -> None:
        future = self._submit(job)
        self._flying[future] = number, job
        future.add_done_callback(self._events.put)

    def _ended(self, future: Future[Outcome] | None) -> None:
        """Handle a job that has ended, or a signal."""
        if future is None:
            self._deadline = time.monotonic() + GRACE
            self._end()
            return
        number, job = self._flying.pop(future)
        alone, self._alone = self._alone, False
        if (outcome := self._outcome(future, number, job, alone)) is None:
            return
        self._batch.happened(number, job, outcome)
        if self._batch.ending:
            self._end()
        self._held[number] = job, outcome
        self._held_bytes += len(outcome.answer)
        while self._next in self._held:
            job, outcome = self._held.pop(self._next)
            self._held_bytes -= len(outcome.answer)
            self._next += 1
            self._batch.teller.tell(job, outcome)

    def _outcome(self, future: Future[Outcome], number: int, job: Job, alone: bool) -> Outcome | None:
        """Return the outcome of a job; None where it has none, or not yet."""
        if future.cancelled():
            if self._batch.ending:
                return None
            raise ConvcliError(
                f"{job.name}: the workers that were to do it have gone, and the run ends; "
                "start it again when they are back"
            )
        error = future.exception()
        if error is None:
            return future.result()
        if isinstance(error, Closed):
            return None
        if isinstance(error, BrokenExecutor):
            if alone:
                return _given_up(job, str(error))
            if not self._batch.ending:
                self._suspects.append((number, job))
            return None
        if isinstance(error, self._faults):
            return _given_up(job, str(error))
        raise error

    def _end(self) -> None:
        """Start no more, and take back what has not begun."""
        self._batch.ending = True
        self._suspects.clear()
        for future in tuple(self._flying):
            future.cancel()

    def _note_the_rest(self) -> None:
        """Record the jobs that ended after the run had failed; nothing is printed of them."""
        wait(self._flying, GRACE)
        for future, (number, job) in self._flying.items():
            if future.done() and not future.cancelled() and future.exception() is None:
                with suppress(ConvcliError):  # such as that of a report, which may be what ended the run
                    self._batch.happened(number, job, future.result())

    def _abandon(self) -> None:
        """Close the gate, and record the jobs that have ended until then."""
        WRITES.close(GRACE)
        while not self._events.empty():
            self._ended(self._events.get())


def _given_up(job: Named, why: str) -> Outcome:
    return Outcome(error=ConvcliError(f"{job.name}: {why}"))
