"""The report of a run: a line of JSON for each input, on disk as soon as it is over."""

import json
import os
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

from convcli.batch import Outcome
from convcli.files import WriteError, exists, is_file, is_folder, is_link
from convcli.jobs.job import DASH, Job

START = b'{"number": '  # of each line


class Report:
    r"""A file that grows by a whole line a job, in the order in which they end; "number" has that of the inputs.

    The lines are ASCII: bytes of a name that are no UTF-8 stand as lone surrogates, \udc80 to \udcff for 0x80 to
    0xff (PEP 383), and os.fsencode gives them back. A new run refuses a file that exists, unless `force` replaces
    it or `resume` continues at its end, where half a line that a crash left is cut off. A file that is
    not a report is refused.
    """

    def __init__(self, path: Path, *, force: bool, resume: bool) -> None:
        """Open it; `collisions.check_report` has found that it is no other file of the run."""
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
                f"`report` {path} exists; give `force=True` to replace it, `skip_existing=True` to go on with it, "
                "or another name"
            ) from None
        except OSError as error:
            raise WriteError(f"cannot write `report` {path}: {error.strerror}") from error

    def __enter__(self) -> "Report":
        """Keep it open for the run."""
        return self

    def __exit__(self, *error: object) -> None:
        """Have it on disk, and close it."""
        with suppress(OSError):  # some file systems cannot
            os.fsync(self._file)
        os.close(self._file)

    def write(self, number: int, job: Job, outcome: Outcome) -> None:
        """Add the line of a job, whole or not at all."""
        line = json.dumps(record(number, job, outcome)).encode() + b"\n"
        try:
            written = os.pwrite(self._file, line, self._end)
            if written < len(line):
                os.ftruncate(self._file, self._end)
                raise WriteError(f"cannot write `report` {self._path}: the disk is full")
        except OSError as error:
            raise WriteError(f"cannot write `report` {self._path}: {error.strerror}") from error
        self._end += written


def record(number: int, job: Job, outcome: Outcome) -> dict[str, Any]:
    """Return what a report tells of a job."""
    return {
        "number": number,
        "input": "-" if job.source is DASH else str(job.source),
        "output": "-" if job.target is DASH else str(job.target),
        "status": outcome.status,
        "error": None if outcome.error is None else str(outcome.error),
        **outcome.facts,
    }


def weighed(end: str, source: Path | BytesIO) -> dict[str, Any]:
    """Return the size and the SHA-256 of a file; of a pipe, which can be read only once, nothing."""
    import hashlib

    if isinstance(source, BytesIO):
        digest = hashlib.sha256(source.getbuffer())
        size = len(source.getbuffer())
    elif is_file(source):
        try:
            with source.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256")
                size = file.tell()
        except OSError:  # whoever reads the picture will say why
            return {}
    else:
        return {}
    return {f"{end}_bytes": size, f"{end}_sha256": digest.hexdigest()}


def _is_report(file: int) -> bool:
    """Whether an open file starts as a report does, if it has come so far."""
    start = os.pread(file, len(START), 0)
    return start == START[: len(start)]


def _after_last_line(file: int) -> int:
    """Return where the last whole line of an open file ends."""
    size = os.fstat(file).st_size
    while size:
        start = max(0, size - 4096)
        end = os.pread(file, size - start, start).rfind(b"\n")
        if end >= 0:
            return start + end + 1
        size = start
    return 0
