"""How an output is written to its file, and what it keeps of its input's file."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from convcli.batch import WRITES
from convcli.errors import ArgumentError
from convcli.files import Fill, WriteError, check_target, flush_folders, sweep, write_whole
from convcli.jobs.job import DASH, Job


class Save(NamedTuple):
    """How outputs are written to files.

    overwrite : whether a file that is there is replaced
    preserve : whether an output has the times and the mode of its input's file
    follow_links : whether a link stays, and what it points to is replaced; otherwise links are refused
    flush_names : whether each name is flushed to the disk with its file; without it all are by `flush`
    """

    overwrite: bool = False
    preserve: bool = False
    follow_links: bool = False
    flush_names: bool = True

    def check_jobs(self, jobs: Iterable[Job]) -> None:
        """Raise ArgumentError where `preserve` has no file whose times could be kept."""
        if not self.preserve:
            return
        for job in jobs:
            if job.source is DASH or job.target is DASH:
                stream = job.name if job.source is DASH else "standard output"
                raise ArgumentError(
                    f"`preserve` keeps the times and the mode of a file; of {stream} there are none; leave it out"
                )

    def check(self, target: Path) -> None:
        """Raise WriteError where something stands that may not be replaced."""
        check_target(target, overwrite=self.overwrite, follow_links=self.follow_links)

    def tidy(self, job: Job) -> None:
        """Remove what a killed process has left beside an output, as nothing may be written there any more."""
        if job.target is not DASH:
            sweep(self._folder(job.target))

    def flush(self, jobs: Iterable[Job]) -> None:
        """Flush the names of the jobs' outputs to the disk, once for each folder; raise WriteError if that fails."""
        flush_folders(self._folder(job.target) for job in jobs if job.target is not DASH)

    def _folder(self, target: Path) -> Path:
        return Path(os.path.realpath(target) if self.follow_links else target).parent

    def write(self, job: Job, data: bytes) -> None:
        """Write a job's output whole, or raise WriteError and leave what was there."""
        write_whole(
            job.target,
            data,
            overwrite=self.overwrite,
            follow_links=self.follow_links,
            like=self._like(job.source),
            flush_name=self.flush_names,
        )

    def write_by(self, job: Job, fill: Fill) -> None:
        """Write a job's output by a function; if the run ends before it has returned, nothing is left."""
        write_whole(
            job.target,
            fill,
            overwrite=self.overwrite,
            follow_links=self.follow_links,
            like=self._like(job.source),
            placing=WRITES,
            flush_name=self.flush_names,
        )

    def _like(self, source: Path) -> os.stat_result | None:
        if not self.preserve:
            return None
        try:
            return source.stat()
        except OSError as error:
            raise WriteError(
                f"cannot keep the times of {source}: {error.strerror}; leave out `preserve`"
            ) from error
