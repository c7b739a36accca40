"""Writing of outputs to files, with the times and the mode of the input files if requested."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from convcli.batch.gate import WRITES
from convcli.errors import ArgumentError
from convcli.files import Fill, WriteError, check_target, flush_folders, sweep, write_whole
from convcli.jobs.job import DASH, Job
from convcli.remote_files import RemotePath


class Save(NamedTuple):
    """How outputs are written to files.

    overwrite : whether an existing file is replaced
    preserve : whether an output gets the times and the mode of its input file
    follow_links : whether the target of a symbolic link is replaced; otherwise a link is an error
    flush_names : whether each name is flushed to the disk with its file; otherwise `flush` flushes them all
    """

    overwrite: bool = False
    preserve: bool = False
    follow_links: bool = False
    flush_names: bool = True

    def check_jobs(self, jobs: Iterable[Job]) -> None:
        """Raise ArgumentError if `preserve` is set and an input or output is not a file."""
        if not self.preserve:
            return
        for job in jobs:
            target = "standard output" if job.target is DASH else str(job.target)
            for end, name in ((job.source, job.name), (job.target, target)):
                if end is DASH or isinstance(end, RemotePath):
                    raise ArgumentError(
                        f"`preserve` keeps the times and the mode of files and does not apply to {name}; leave it out"
                    )

    def check(self, target: Path) -> None:
        """Raise WriteError if the target exists and may not be replaced."""
        check_target(target, overwrite=self.overwrite, follow_links=self.follow_links)

    def tidy(self, job: Job) -> None:
        """Remove temporary files of killed processes in the folder of an output that is skipped."""
        if job.target is not DASH:
            sweep(self._folder(job.target))

    def flush(self, jobs: Iterable[Job]) -> None:
        """Flush the names of the jobs' outputs to the disk, once for each folder; raise WriteError if that fails."""
        flush_folders(self._folder(job.target) for job in jobs if job.target is not DASH)

    def _folder(self, target: Path) -> Path:
        return Path(os.path.realpath(target) if self.follow_links else target).parent

    def write(self, job: Job, data: bytes) -> None:
        """Write the output of a job atomically; or raise WriteError and leave the old file unchanged."""
        write_whole(
            job.target,
            data,
            overwrite=self.overwrite,
            follow_links=self.follow_links,
            like=self._like(job.source),
            flush_name=self.flush_names,
        )

    def write_by(self, job: Job, fill: Fill) -> None:
        """Write the output of a job with a function; if the run ends before it returns, nothing is left behind."""
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
