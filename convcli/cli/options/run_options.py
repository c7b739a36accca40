"""The options of a run: parallel jobs, where they run, and the report."""

import re
from pathlib import Path
from typing import NamedTuple

import click

from convcli.cli.options.bundled import bundled
from convcli.cli.options.option_types import at_least, seconds
from convcli.cli.options.path_types import LOCAL
from convcli.errors import ArgumentError
from convcli.jobs.workers import Workers

_SCHEDULER = re.compile(r"(tcp|tls|ws|wss|ucx)://[^\s/]+:\d{1,5}")


class RunOptions(NamedTuple):
    """The options for parallel jobs, where they run, and the report."""

    jobs: int | None = None
    isolate: bool = False
    timeout: float | None = None
    cluster: str | None = None
    fail_fast: bool = False
    report: Path | None = None

    @property
    def workers(self) -> Workers:
        """The workers that run the jobs."""
        return Workers(self.jobs, self.isolate, self.timeout, self.cluster)

    def check(self, *, dry_run: bool = False) -> None:
        """Raise ArgumentError if the options contradict each other."""
        if self.cluster is not None and self.workers.isolated:
            name = "--isolate" if self.isolate else "--timeout"
            raise ArgumentError(
                f"{name} starts processes on this machine and cannot be used with --cluster; leave it out"
            )
        if self.cluster is not None and not _SCHEDULER.fullmatch(self.cluster):
            raise ArgumentError(
                f"--cluster {self.cluster} is not the address of a scheduler; write one like tcp://host:8786"
            )
        if self.report is not None and dry_run:
            raise ArgumentError(
                "--report describes finished jobs, and --dry-run does nothing; leave one of them out"
            )


run_options = bundled(
    "options",
    RunOptions,
    click.option(
        "--jobs",
        type=at_least(1),
        envvar="CONVCLI_JOBS",
        show_envvar=True,
        help="Pictures at a time, which share the threads. [one per core]",
    ),
    click.option("--isolate", is_flag=True, help="Run each worker as a process: a crash fails one picture."),
    click.option(
        "--timeout",
        type=seconds(),
        envvar="CONVCLI_TIMEOUT",
        show_envvar=True,
        help="Stop a picture that takes longer; implies --isolate.",
    ),
    click.option(
        "--cluster",
        metavar="ADDRESS",
        help="Run on a Dask cluster that shares the files: tcp://host:8786.",
    ),
    click.option("--fail-fast", is_flag=True, help="Start no more pictures after the first failure."),
    click.option(
        "--report",
        type=LOCAL,
        metavar="FILE",
        help="Write one line of JSON per picture as soon as it is done.",
    ),
)
