"""The options of how a run goes on: how many pictures at a time, where, and what is told of them."""

import re
from pathlib import Path
from typing import NamedTuple

import click

from convcli.cli.options.common_options import Parsed, at_least, bundled
from convcli.errors import ArgumentError
from convcli.jobs.workers import Workers
from convcli.number_text import read_finite

_SCHEDULER = re.compile(r"(tcp|tls|ws|wss|ucx)://[^\s/]+:\d{1,5}")


class RunOptions(NamedTuple):
    """How many jobs run at once, where, and what is told of them."""

    jobs: int | None = None
    isolate: bool = False
    timeout: float | None = None
    cluster: str | None = None
    fail_fast: bool = False
    report: Path | None = None

    @property
    def workers(self) -> Workers:
        """Where the jobs are done."""
        return Workers(self.jobs, self.isolate, self.timeout, self.cluster)

    def check(self, *, dry_run: bool = False) -> None:
        """Refuse what does not go together."""
        if self.cluster is not None and self.workers.isolated:
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


def _seconds(text: str) -> float:
    try:
        seconds = float(read_finite(text))
    except ArgumentError:
        seconds = 0.0
    if not seconds > 0:
        raise ArgumentError(f"{text!r} is not a number of seconds above 0; write 30 or 0.5")
    return seconds


run_options = bundled(
    "options",
    RunOptions,
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
