"""The report of a run: a line of JSON for each input, written as soon as its job has ended."""

import json
import os
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

from convcli.batch.outcome import Outcome
from convcli.files import WriteError, exists, is_file, is_folder, is_link
from convcli.jobs.job import DASH, Job

START = b'{"number": '  # the start of each line


class Report:
    r"""A file that gets one line for each job, in the order in which they end; "number" is the number of the input.

    path : a file that does not exist, or a report
    force : whether an existing file is replaced
    resume : whether an existing report is continued; half a line at its end, left by a crash, is removed

    The lines are ASCII: bytes of a name that are not UTF-8 are written as lone surrogates, \udc80 to \udcff for 0x80
    to 0xff (PEP 383), from which os.fsencode restores them.
    """

    def __init__(self, path: Path, *, force: bool, resume: bool) -> None:
        """Open the file, which `collisions.check_report` has checked against the other files of the run."""
        self._path = path
        if is_link(path):  # to an input, perhaps
            raise WriteError(f"cannot write `report` {path}: it is a link; name the file that it points to")
        if exists(path) and not is_file(path):
            kind = "folder; name a file in it" if is_folder(path) else "device or a pipe; name a file"
            raise WriteError(f"cannot write `report` {path}: it is a {kind}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise WriteError(
                f"cannot write `report` {path}: its folder cannot be created: {error.strerror}"
            ) from error
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | (0 if force or resume else os.O_EXCL)
        try:
            self._file = os.open(path, flags, 0o666)
            if resume and not _is_report(self._file):
                os.close(self._file)
                raise WriteError(
                    f"`report` {path} exists and is not a report that can be continued; give another name"
                )
            self._end = _after_last_line(self._file) if resume else 0
            os.ftruncate(self._file, self._end)
        except FileExistsError:
            raise WriteError(
                f"`report` {path} exists; give `force=True` to replace it, `skip_existing=True` to continue it, "
                "or another name"
            ) from None
        except OSError as error:
            raise WriteError(f"cannot write `report` {path}: {error.strerror}") from error

    def __enter__(self) -> "Report":
        """Return the report, which stays open during the run."""
        return self

    def __exit__(self, *error: object) -> None:
        """Flush the file to the disk and close it."""
        with suppress(OSError):  # some file systems do not support it
            os.fsync(self._file)
        os.close(self._file)

    def write(self, number: int, job: Job, outcome: Outcome) -> None:
        """Append the line of a job, completely or not at all."""
        line = json.dumps(record(number, job, outcome)).encode() + b"\n"
        try:
            written = os.pwrite(self._file, line, self._end)
            if written < len(line):
                os.ftruncate(self._file, self._end)
                raise WriteError(f"cannot write `report` {self._path}: the disk is full; free some space")
        except OSError as error:
            raise WriteError(f"cannot write `report` {self._path}: {error.strerror}") from error
        self._end += written


def record(number: int, job: Job, outcome: Outcome) -> dict[str, Any]:
    """Return the fields of a job's line."""
    return {
        "number": number,
        "input": "-" if job.source is DASH else str(job.source),
        "output": "-" if job.target is DASH else str(job.target),
        **({} if job.mask is None else {"mask": str(job.mask)}),
        "status": outcome.status,
        "error": None if outcome.error is None else str(outcome.error),
        **outcome.facts,
    }


def weighed(end: str, source: Path | BytesIO) -> dict[str, Any]:
    """Return the size and the SHA-256 of a file; nothing for a pipe, which can be read only once."""
    import hashlib

    if isinstance(source, BytesIO):
        digest = hashlib.sha256(source.getbuffer())
        size = len(source.getbuffer())
    elif is_file(source):
        try:
            with source.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256")
                size = file.tell()
        except OSError:  # reading the picture will report the error
            return {}
    else:
        return {}
    return {f"{end}_bytes": size, f"{end}_sha256": digest.hexdigest()}


def _is_report(file: int) -> bool:
    """Return whether an open file starts like a report, or is a truncated one."""
    start = os.pread(file, len(START), 0)
    return start == START[: len(start)]


def _after_last_line(file: int) -> int:
    """Return the position after the last complete line of an open file."""
    size = os.fstat(file).st_size
    while size:
        start = max(0, size - 4096)
        end = os.pread(file, size - start, start).rfind(b"\n")
        if end >= 0:
            return start + end + 1
        size = start
    return 0
