"""How the jobs of a run are shared out: the options of the runner, and the run itself."""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from convcli.batch import Batch, Outcome, Stop, Stopped
from convcli.batch.stop import SIGNALS
from convcli.cli.conversation import Conversation
from convcli.cli.options import Parsed, at_least, bundled
from convcli.cli.telling import Telling
from convcli.errors import ArgumentError, ConvcliError
from convcli.files import WriteError
from convcli.jobs.job import DASH, Job

if TYPE_CHECKING:
    from concurrent.futures import Future

Work = Callable[[Job], Outcome]

_SCHEDULER = re.compile(r"(tcp|tls|ws|wss|ucx)://[^\s/]+:\d{1,5}")


class Running(NamedTuple):
    """How many jobs run at once, where, and what is told of them."""

    jobs: int | None = None
    isolate: bool = False
    timeout: float | None = None
    cluster: str | None = None
    fail_fast: bool = False
    report: Path | None = None

    @property
    def isolated(self) -> bool:
        """Whether each worker is a process of its own: only a process can be stopped, so a timeout needs it."""
        return self.isolate or self.timeout is not None

    @property
    def elsewhere(self) -> bool:
        """Whether the jobs run in other processes."""
        return self.isolated or self.cluster is not None

    def check(self, *, dry_run: bool = False) -> None:
        """Refuse what does not go together."""
        if self.cluster is not None and self.isolated:
            name = "--isolate" if self.isolate else "--timeout"
            raise ArgumentError(f"{name} is about processes of this machine; leave it out beside --cluster")
        if self.cluster is not None and not _SCHEDULER.fullmatch(self.cluster):
            raise ArgumentError(
                f"--cluster {self.cluster} is no address of a scheduler; write it as tcp://host:8786"
            )
        if self.report is not None and dry_run:
            raise ArgumentError(
                "--report tells what was done, and --dry-run does nothing; leave out one of them"
            )

    def width(self, count: int, threads: int | None) -> int:
        """Return how many of so many jobs run at once: by default one a core, fewer where each has more threads."""
        return max(1, min(count, self.jobs or max(1, cores() // (threads or 1))))

    def share(self, count: int, threads: int | None) -> int | None:
        """Return how many threads each job has, None for one a core: all of them are no more than the cores."""
        if threads is not None:
            return threads
        if self.cluster is not None:
            return 1  # its workers have as many threads as jobs
        width = self.width(count, None)
        return None if width == 1 else max(1, cores() // width)

    def run(
        self,
        conversation: Conversation,
        jobs: Sequence[Job],
        work: Work,
        *,
        threads: int | None,
        force: bool,
        dry_run: bool = False,
        resume: bool = False,
        most: int | None = None,
    ) -> int:
        """Do the jobs and tell what became of them; return the exit code.

        threads : of each job, if they were given
        most : bytes that may stand on standard input
        force, resume : whether a report that exists is replaced, or gone on with
        """
        if self.cluster is not None:
            jobs = [job.absolute() for job in jobs]  # its workers have folders of their own
        if not dry_run and any(job.prints for job in jobs) and sys.stdout.isatty():
            raise WriteError(
                "a picture would be printed on the terminal; redirect it, or name a file with -o"
            )
        with Stop() as stop, ExitStack() as stack:
            telling = Telling(conversation, len(jobs), stop)
            if self.report is not None:
                from convcli.jobs.report import Report

                telling.report = stack.enter_context(Report(self.report, force=force, resume=resume))
            stack.callback(telling.hide)
            batch = Batch(jobs, telling, stop, fail_fast=self.fail_fast)
            ended = True
            try:
                if self.cluster is not None:
                    ended = self._on_cluster(batch, work, stack, most)
                elif self.isolated:
                    ended = self._in_processes(batch, work, self.width(len(jobs), threads), most)
                elif (width := self.width(len(jobs), threads)) > 1:
                    ended = self._in_threads(batch, work, width)
                else:
                    batch.run_here(work)
            except Stopped:
                pass
            except ConvcliError:  # the run itself cannot go on
                if telling.over:
                    telling.end()
                raise
            telling.end()
            if not ended:  # a thread cannot be stopped, and Python would wait for it
                stack.close()
                sys.stdout.flush()
                os._exit(stop.code)
        return stop.code or telling.exit_code

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

    def _on_cluster(self, batch: Batch[Job], work: Work, stack: ExitStack, most: int | None) -> bool:
        from convcli.batch.cluster import connected

        assert self.cluster is not None
        executor, width, faults = stack.enter_context(connected(self.cluster))
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


def begin() -> None:
    """Prepare a command for a run, before it imports what does the work.

    Signals end the process at once, until something may be written: a run listens to them itself. An exception from
    a handler would be lost where it comes while Python imports: in a callback of its own.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # the threads are ours: each holds BLAS to itself
    before = {number: signal.signal(number, _end) for number in SIGNALS}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    click.get_current_context().call_on_close(restore)


def _end(signum: int, frame: object) -> None:
    os._exit(128 + signum)


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise ArgumentError(f"{text!r} is not a number of seconds above 0; write 30 or 0.5")
    return seconds


running_options = bundled(
    "running",
    Running,
    click.option(
        "--jobs",
        type=at_least(1),
        envvar="CONVCLI_JOBS",
        show_envvar=True,
        help="Pictures at a time; each has its share of the threads. [one a core]",
    ),
    click.option(
        "--isolate", is_flag=True, help="Processes for workers: one that crashes costs one picture."
    ),
    click.option(
        "--timeout",
        type=Parsed("SECONDS", _seconds),
        envvar="CONVCLI_TIMEOUT",
        show_envvar=True,
        help="Stop what takes a picture longer; implies --isolate.",
    ),
    click.option(
        "--cluster",
        metavar="ADDRESS",
        help="Run on a Dask cluster, as tcp://host:8786, that shares the files.",
    ),
    click.option("--fail-fast", is_flag=True, help="Start no more after the first failure."),
    click.option(
        "--report",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Write a line of JSON a picture, as it is done.",
    ),
)
