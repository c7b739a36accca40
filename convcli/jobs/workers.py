"""Where the jobs of a run are run: one after the other, in threads, in processes, or on a cluster."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from convcli.batch import Batch, Outcome
from convcli.cores import cores
from convcli.errors import ConvcliError
from convcli.jobs.job import DASH, Job

if TYPE_CHECKING:
    from concurrent.futures import Future

Work = Callable[[Job], Outcome]


class Workers(NamedTuple):
    """How many jobs are done at once, and where.

    jobs : how many; by default one per core
    isolate : whether each worker is a process of its own
    timeout : seconds after which a job is stopped; only a process can be, so it implies `isolate`
    cluster : the address of a Dask scheduler
    """

    jobs: int | None = None
    isolate: bool = False
    timeout: float | None = None
    cluster: str | None = None

    @property
    def isolated(self) -> bool:
        """Whether each worker is a process of its own."""
        return self.isolate or self.timeout is not None

    @property
    def elsewhere(self) -> bool:
        """Whether the jobs run in other processes."""
        return self.isolated or self.cluster is not None

    def width(self, count: int, threads: int | None) -> int:
        """Return how many jobs of `count` run at once: by default one per core, fewer where each has more threads."""
        return max(1, min(count, self.jobs or max(1, cores() // (threads or 1))))

    def share(self, count: int, threads: int | None) -> int | None:
        """Return how many threads each job has, None for one per core; together no more than the cores."""
        if threads is not None:
            return threads
        if self.cluster is not None:
            return 1  # its workers have as many threads as jobs
        width = self.width(count, None)
        return None if width == 1 else max(1, cores() // width)

    def reached(self, jobs: Sequence[Job]) -> Sequence[Job]:
        """Return the jobs as the workers know them; on a cluster, by their whole paths."""
        return jobs if self.cluster is None else [job.absolute() for job in jobs]

    def run(
        self, batch: Batch[Job], work: Work, count: int, threads: int | None, most: int | None = None
    ) -> bool:
        """Run `count` jobs; return whether all that were started have ended.

        threads : of each job, if they were given
        most : bytes that may stand on standard input
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

        from convcli.batch import attempt

        executor = ThreadPoolExecutor(width)
        try:
            return batch.run_on(lambda job: executor.submit(attempt, work, job), width)
        finally:
            executor.shutdown(wait=False, cancel_futures=True)

    def _in_processes(self, batch: Batch[Job], work: Work, width: int, most: int | None) -> bool:
        from convcli.batch.isolated import Isolated, LostError, OverdueError

        executor, ended = Isolated(width, self.timeout), False
        try:
            ended = batch.run_on(_afar(executor, work, most), width, (LostError, OverdueError))
        finally:
            executor.shutdown(wait=ended)
        return True

    def _on_cluster(self, batch: Batch[Job], work: Work, address: str, most: int | None) -> bool:
        from convcli.batch.cluster import connected

        with connected(address) as (executor, width, faults):
            return batch.run_on(_afar(executor, work, most), self.jobs or width, faults)


def _afar(executor: Any, work: Work, most: int | None) -> Callable[[Job], Future[Outcome]]:
    """Return what submits a job to another process, with what only this one can read."""
    from convcli.batch.outcome import attempt_afar

    task = partial(attempt_afar, work)

    def submit(job: Job) -> Future[Outcome]:
        if job.source is DASH:
            try:
                job = replace(job, data=job.stream(most).getvalue())
            except ConvcliError as error:
                job = replace(job, problem=error)
        future: Future[Outcome] = executor.submit(task, job)
        return future

    return submit
