"""How a picture is put where it belongs: the options of writing files."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import click

from convcli.cli.options import bundled
from convcli.cli.targets import DASH, Job
from convcli.errors import ArgumentError
from convcli.files import WriteError, check_target, sweep, write_whole


class Writing(NamedTuple):
    """What is kept of the input's file, and what of a link in the output's place: the options of the bundle below."""

    preserve: bool = False
    follow_links: bool = False

    def check_jobs(self, jobs: Iterable[Job]) -> None:
        """Refuse before anything is read what has no file whose times could be kept."""
        if not self.preserve:
            return
        for job in jobs:
            if job.source is DASH or job.target is DASH:
                stream = job.name if job.source is DASH else "standard output"
                raise ArgumentError(
                    f"--preserve keeps the times and the mode of a file, which {stream} is not; leave it out"
                )

    def check(self, target: Path, *, overwrite: bool) -> None:
        """Raise WriteError where something stands that may not be replaced."""
        check_target(target, overwrite=overwrite, follow_links=self.follow_links)

    def tidy(self, job: Job) -> None:
        """Sweep away what a killed run has left beside an output that is there: nothing may be left to write."""
        sweep(Path(os.path.realpath(job.target) if self.follow_links else job.target).parent)

    def write(self, job: Job, data: bytes, *, overwrite: bool) -> None:
        """Write a job's output whole, or raise WriteError and leave what was there."""
        write_whole(
            job.target, data, overwrite=overwrite, follow_links=self.follow_links, like=self._like(job.source)
        )

    def _like(self, source: Path) -> os.stat_result | None:
        if not self.preserve:
            return None
        try:
            return source.stat()
        except OSError as error:
            raise WriteError(
                f"cannot keep the times of {source}: {error.strerror}; leave out --preserve"
            ) from error


writing_options = bundled(
    "writing",
    Writing,
    click.option("--preserve", is_flag=True, help="Keep the input's times and mode."),
    click.option("--follow-links", is_flag=True, help="Replace what a link in the output's place points to."),
)
