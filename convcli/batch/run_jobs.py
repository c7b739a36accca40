"""The runner: it takes jobs as they are needed, records each when it ends, and reports them in their order."""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from convcli.batch.gate import WRITES
from convcli.batch.outcome import Job, Named, Outcome, attempt
from convcli.batch.stop import Stop

if TYPE_CHECKING:
    from concurrent.futures import Future

Told = TypeVar("Told", bound=Named, contravariant=True)


class Teller(Protocol[Told]):
    """What records and reports the outcomes of jobs."""

    def happened(self, number: int, job: Told, outcome: Outcome) -> None:
        """Record a job as soon as it has ended; jobs are counted from 1."""

    def tell(self, job: Told, outcome: Outcome) -> None:
        """Report the next job in order."""

    def tick(self) -> None:
        """Called several times per second while jobs run."""


class Batch(Generic[Job]):
    """One run over jobs, which are taken from an iterable no sooner than they are needed."""

    def __init__(self, jobs: Iterable[Job], teller: Teller[Job], stop: Stop, *, fail_fast: bool) -> None:
        self.left: Iterator[tuple[int, Job]] = enumerate(jobs, 1)
        self.teller = teller
        self.stop = stop
        self._fail_fast = fail_fast
        self.ending = False  # no more jobs are to be started

    def run_here(self, work: Callable[[Job], Outcome]) -> None:
        """Run one job after the other in this thread."""
        for number, job in self.left:
            self.teller.tick()
            WRITES.used = False
            outcome = attempt(work, job)
            self.happened(number, job, outcome)  # a signal that comes after the write lets it be noted
            WRITES.used = False
            self.teller.tell(job, outcome)
            if self.ending or self.stop.signal:
                return

    def run_on(
        self, submit: "Callable[[Job], Future[Outcome]]", width: int, faults: tuple[type[Exception], ...] = ()
    ) -> bool:
        """Do the jobs on an executor; return whether all that were started have ended.

        width : how many the executor does at a time
        faults : exceptions by which it gives a job up; after a BrokenExecutor the job is tried again, alone
        """
        from convcli.batch.crowd import Crowd

        return Crowd(self, submit, width, faults).run()

    def happened(self, number: int, job: Job, outcome: Outcome) -> None:
        """Record a job that has ended."""
        self.teller.happened(number, job, outcome)
        if self._fail_fast and outcome.error is not None:
            self.ending = True
