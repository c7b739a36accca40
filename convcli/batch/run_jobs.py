"""The runner of a batch: it starts jobs, records each one when it ends, and reports them in their order."""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from convcli.batch.gate import WRITES
from convcli.batch.outcome import Job, Named, Outcome, attempt
from convcli.batch.stop import Stop

if TYPE_CHECKING:
    from concurrent.futures import Future

AnyJob = TypeVar("AnyJob", bound=Named, contravariant=True)


class Reporter(Protocol[AnyJob]):
    """An object that records and prints the outcomes of jobs."""

    def record(self, number: int, job: AnyJob, outcome: Outcome) -> None:
        """Record a job as soon as it has ended; jobs are numbered from 1."""

    def show(self, job: AnyJob, outcome: Outcome) -> None:
        """Print the outcome of a job; called in the order of the jobs."""

    def tick(self) -> None:
        """Update the progress; called several times per second while jobs run."""


class Batch(Generic[Job]):
    """One run over jobs, which are taken from an iterable only when they are needed."""

    def __init__(self, jobs: Iterable[Job], reporter: Reporter[Job], stop: Stop, *, fail_fast: bool) -> None:
        self.left: Iterator[tuple[int, Job]] = enumerate(jobs, 1)
        self.reporter = reporter
        self.stop = stop
        self._fail_fast = fail_fast
        self.ending = False  # whether no more jobs are started

    def run_here(self, work: Callable[[Job], Outcome]) -> None:
        """Run the jobs sequentially in this thread."""
        for number, job in self.left:
            self.reporter.tick()
            WRITES.used = False
            outcome = attempt(work, job)
            self.record(number, job, outcome)  # even if a signal came after the write
            WRITES.used = False
            self.reporter.show(job, outcome)
            if self.ending or self.stop.signal:
                return

    def run_on(
        self, submit: "Callable[[Job], Future[Outcome]]", width: int, faults: tuple[type[Exception], ...] = ()
    ) -> bool:
        """Run the jobs on an executor; return whether all that were started have ended.

        width : the number of jobs that the executor runs at a time
        faults : exceptions of the executor with which a single job fails; after a BrokenExecutor the job is retried
            alone
        """
        from convcli.batch.parallel_jobs import ParallelJobs

        return ParallelJobs(self, submit, width, faults).run()

    def record(self, number: int, job: Job, outcome: Outcome) -> None:
        """Record a job that has ended."""
        self.reporter.record(number, job, outcome)
        if self._fail_fast and outcome.error is not None:
            self.ending = True
