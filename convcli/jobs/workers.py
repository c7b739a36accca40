"""The workers of a run: this thread, a pool of threads, processes, or a cluster."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from convcli.batch.outcome import Outcome
from convcli.batch.run_jobs import Batch
from convcli.cores import cores
from convcli.errors import ConvcliError
from convcli.jobs.job import DASH, Job

if TYPE_CHECKING:
    from concurrent.futures import Future

Work = Callable[[Job], Outcome]


class Workers(NamedTuple):
    """How many jobs run in parallel, and where.

    jobs : the number of parallel jobs; by default one per core
    isolate : whether each worker is a separate process
    timeout : seconds after which a job is stopped; implies `isolate`, because only a process can be stopped
    cluster : the address of a Dask scheduler
    """

    jobs: int | None = None
    isolate: bool = False
    timeout: float | None = None
    cluster: str | None = None

    @property
    def isolated(self) -> bool:
        """Whether each worker is a separate process."""
        return self.isolate or self.timeout is not None

    @property
    def elsewhere(self) -> bool:
        """Whether the jobs run in other processes."""
        return self.isolated or self.cluster is not None

    def width(self, count: int, threads: int | None) -> int:
        """Return the number of parallel jobs: by default one per core, divided by the threads of each job."""
        return max(1, min(count, self.jobs or max(1, cores() // (threads or 1))))

    def share(self, count: int, threads: int | None) -> int | None:
        """Return the number of threads of each job, together at most one per core; None for all cores."""
        if threads is not None:
            return threads
        if self.cluster is not None:
            return 1  # a worker of the cluster runs as many jobs as it has threads
        width = self.width(count, None)
        return None if width == 1 else max(1, cores() // width)

    def reached(self, jobs: Sequence[Job]) -> Sequence[Job]:
        """Return the jobs for the workers; on a cluster, with absolute paths."""
        return jobs if self.cluster is None else [job.absolute() for job in jobs]

    def run(
        self, batch: Batch[Job], work: Work, count: int, threads: int | None, most: int | None = None
    ) -> bool:
        """Run `count` jobs; return whether all that were started have ended.

        threads : the number of threads of each job, if it is given
        most : the limit on the bytes of standard input
        """
        if self.cluster is not None:
            return self._on_cluster(batch, work, self.cluster, most)
        width = self.width(count, threads)
        if self.isolated:
            return self._in_processes(batch, work, width, most)
        if width > 1:
            return self._in_threads(batch, work, width)
        batch.run_here(work)
        return True

    def _in_threads(self, batch: Batch[Job], work: Work, width: int) -> bool:
        from concurrent.futures import ThreadPoolExecutor

        from convcli.batch.outcome import attempt

        executor = ThreadPoolExecutor(width)
        try:
            return batch.run_on(lambda job: executor.submit(attempt, work, job), width)
        finally:
            executor.shutdown(wait=False, cancel_futures=True)

    def _in_processes(self, batch: Batch[Job], work: Work, width: int, most: int | None) -> bool:
        from convcli.batch.isolated import Isolated, LostError, OverdueError

        executor, ended = Isolated(width, self.timeout), False
        try:
            ended = batch.run_on(_submitter(executor, work, most), width, (LostError, OverdueError))
        finally:
            executor.shutdown(wait=ended)
        return True

    def _on_cluster(self, batch: Batch[Job], work: Work, address: str, most: int | None) -> bool:
        from convcli.batch.cluster import connected

        with connected(address) as (executor, width, faults):
            return batch.run_on(_submitter(executor, work, most), self.jobs or width, faults)


def _submitter(executor: Any, work: Work, most: int | None) -> Callable[[Job], Future[Outcome]]:
    """Return a function that submits a job to another process, with the content of standard input if it needs it."""
    from convcli.batch.outcome import attempt_remotely

    task = partial(attempt_remotely, work)

    def submit(job: Job) -> Future[Outcome]:
        if job.source is DASH:
            try:
                job = replace(job, data=job.stream(most).getvalue())
            except ConvcliError as error:
                job = replace(job, problem=error)
        future: Future[Outcome] = executor.submit(task, job)
        return future

    return submit
