"""Run jobs in parallel on any concurrent.futures.Executor."""

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

AHEAD = 2  # jobs that are submitted for each worker: one to run, and the next
HELD = 1000  # outcomes that may wait for an earlier job to be reported
HELD_BYTES = 1 << 26  # bytes of their answers that may wait
TICK = 0.1  # seconds between two updates of the progress
GRACE = 1.0  # seconds after a signal for running jobs to end, and again for files that are being written


class ParallelJobs(Generic[Job]):
    """The jobs of a batch that were submitted to an executor, and the outcomes that wait to be reported in order."""

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
        self._running: dict[
            Future[Outcome], tuple[int, Job]
        ] = {}  # all that were submitted and have not ended
        self._suspects: deque[tuple[int, Job]] = deque()  # jobs whose worker died
        self._alone = False  # whether a suspect is retried now, with no other job at the same time
        self._held: dict[int, tuple[Job, Outcome]] = {}
        self._held_bytes = 0
        self._next = 1  # the number of the next job to be reported
        self._deadline: float | None = None

    def run(self) -> bool:
        """Run all jobs; return False if some were still running GRACE seconds after a signal."""
        batch = self._batch
        batch.stop.queue = self._events
        if batch.stop.signal:  # it came before there was a queue
            self._events.put(None)
        try:
            while self._start():
                batch.reporter.tick()
                try:
                    self._ended(self._events.get(timeout=TICK))
                except Empty:
                    if self._deadline is not None and time.monotonic() > self._deadline:
                        break
            if self._running:
                self._abandon()
        except BaseException:
            self._end()
            WRITES.close(GRACE)
            self._note_the_rest()
            raise
        for number in sorted(self._held):  # they waited for jobs that were not done
            batch.reporter.show(*self._held.pop(number))
        return not self._running

    def _start(self) -> bool:
        """Submit jobs while there is room for them; return whether some are running."""
        while not (self._batch.ending or self._suspects or self._alone) and self._has_room():
            numbered = next(self._batch.left, None)
            if numbered is None:
                break
            self._submit_job(*numbered)
        if self._suspects and not self._running:
            self._alone = True
            self._submit_job(*self._suspects.popleft())
        return bool(self._running)

    def _has_room(self) -> bool:
        waiting = len(self._running) + len(self._held)
        return (
            len(self._running) < AHEAD * self._width and waiting < HELD and self._held_bytes < HELD_BYTES
        ) or not self._running

    def _submit_job(self, number: int, job: Job) -> None:
        future = self._submit(job)
        self._running[future] = number, job
        future.add_done_callback(self._events.put)

    def _ended(self, future: Future[Outcome] | None) -> None:
        """Handle a job that has ended, or a signal."""
        if future is None:
            self._deadline = time.monotonic() + GRACE
            self._end()
            return
        number, job = self._running.pop(future)
        alone, self._alone = self._alone, False
        if (outcome := self._outcome(future, number, job, alone)) is None:
            return
        self._batch.record(number, job, outcome)
        if self._batch.ending:
            self._end()
        self._held[number] = job, outcome
        self._held_bytes += len(outcome.answer)
        while self._next in self._held:
            job, outcome = self._held.pop(self._next)
            self._held_bytes -= len(outcome.answer)
            self._next += 1
            self._batch.reporter.show(job, outcome)

    def _outcome(self, future: Future[Outcome], number: int, job: Job, alone: bool) -> Outcome | None:
        """Return the outcome of a job; None if it has none, or is to be retried."""
        if future.cancelled():
            if self._batch.ending:
                return None
            raise ConvcliError(
                f"{job.name}: the cluster has lost its workers, so the run ends; start it again when they are back"
            )
        error = future.exception()
        if error is None:
            return future.result()
        if isinstance(error, Closed):
            return None
        if isinstance(error, BrokenExecutor):
            if alone:
                return _failed(job, str(error))
            if not self._batch.ending:
                self._suspects.append((number, job))
            return None
        if isinstance(error, self._faults):
            return _failed(job, str(error))
        raise error

    def _end(self) -> None:
        """Submit no more jobs, and cancel those that have not started."""
        self._batch.ending = True
        self._suspects.clear()
        for future in tuple(self._running):
            future.cancel()

    def _note_the_rest(self) -> None:
        """Record the jobs that ended after the run had failed, without printing anything."""
        wait(self._running, GRACE)
        for future, (number, job) in self._running.items():
            if future.done() and not future.cancelled() and future.exception() is None:
                with suppress(ConvcliError):  # a report that cannot be written may be why the run failed
                    self._batch.record(number, job, future.result())

    def _abandon(self) -> None:
        """Close the gate, and record the jobs that have ended until it is closed."""
        WRITES.close(GRACE)
        while not self._events.empty():
            self._ended(self._events.get())


def _failed(job: Named, why: str) -> Outcome:
    return Outcome(error=ConvcliError(f"{job.name}: {why}"))
