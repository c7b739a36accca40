"""Checks that outputs differ from each other, from all files that are read, and from the report."""

from __future__ import annotations

import os
import stat
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from convcli.errors import ArgumentError
from convcli.files import is_link

if TYPE_CHECKING:
    from convcli.jobs.job import Job

Reads = Sequence[
    tuple[str, Path]
]  # the files that a run reads in addition to its inputs, each with its name in messages


class Places:
    """Resolution of paths to files, so that different paths of one file compare equal; folders are cached."""

    def __init__(self) -> None:
        self._folders: dict[str, str] = {}

    def entry(self, path: Path) -> str:
        """Return the real path of the folder joined with the name, which may be a link."""
        folder, name = os.path.split(str(path))
        if name in ("", "..", "."):
            return os.path.realpath(path)
        real = self._folders.get(folder)
        if real is None:
            real = self._folders[folder] = os.path.realpath(folder)
        return f"{real}/{name}" if real != "/" else f"/{name}"

    def file(self, path: Path) -> str:
        """Return the real path of a file."""
        return os.path.realpath(path) if is_link(path) else self.entry(path)

    @property
    def folders(self) -> set[str]:
        """The real paths of all folders so far, and of their parents."""
        found: set[str] = set()
        for folder in set(self._folders.values()):
            while folder not in found:
                found.add(folder)
                folder = folder.rpartition("/")[0]
        return found


def check_jobs(jobs: Sequence[Job], *, in_place: bool) -> None:
    """Raise ArgumentError if two jobs have the same output, or an output is an input."""
    places, outputs = Places(), Places()
    inputs = {} if in_place else {places.file(job.input): job for job in jobs if job.input is not None}
    taken: dict[str, Job] = {}
    twins: dict[str, Job] = {}  # outputs that differ only in case, in a case-sensitive file system
    for job in jobs:
        key = "" if job.output is None else outputs.file(job.output)
        if key in inputs:
            raise ArgumentError(_overwriting(job, inputs[key]))
        other = taken.setdefault(_folded(key), job)
        if other is job:
            continue
        if key and key != outputs.file(other.target) and not _folds(Path(key).parent):
            other = twins.setdefault(key, job)
        if other is not job:
            raise ArgumentError(_sharing(other, job))
    for folder in outputs.folders:
        above = twins.get(folder, taken.get(_folded(folder)))
        if above is not None and outputs.file(above.target) == folder:
            raise ArgumentError(
                f"{above.name} would be written to {above.target}, which is the folder of other outputs; give a "
                "template (`output='out/{stem}.{kernel}{ext}'`)"
            )


def check_reads(argument: str, paths: Iterable[Path], reads: Reads) -> None:
    """Raise ArgumentError if one of the paths to be written is a file that is read."""
    if not reads:
        return
    places = Places()
    known = {_folded(key): (key, what) for what, path in reads for key in [places.file(path)]}
    for path in paths:
        place = places.file(path)
        key, what = known.get(_folded(place), ("", ""))
        if _same_file(place, key):
            raise ArgumentError(f"{path} is {what} and would be overwritten; choose another {argument}")


def check_report(report: Path, jobs: Sequence[Job], reads: Reads) -> None:
    """Raise ArgumentError if a report would be another file of the run, or a folder of one, or in one."""
    if str(report) == "-":
        raise ArgumentError(
            "`report='-'` would mix the report with other output; name a file, such as run.jsonl"
        )
    check_reads("`report`", [report], reads)
    places, disk = Places(), _linked(report)
    key = places.file(report)
    above = {_folded(str(folder)): str(folder) for folder in Path(key).parents}
    files = [path for job in jobs for path in (job.input, job.output) if path is not None]
    for path in [*files, *(path for _, path in reads)]:
        place = places.file(path)
        if _same_file(place, key) or (disk is not None and disk == _linked(path)):
            raise ArgumentError(f"`report` {report} is also an input or an output; name another file")
        if _same_file(place, above.get(_folded(place), "")):
            raise ArgumentError(f"`report` {report} would be in {path}, which is a file; name another")
    if any(_same_file(folder, key) for folder in places.folders):
        raise ArgumentError(
            f"`report` {report} is a folder of inputs or outputs; name a file in it, or another file"
        )


def _same_file(one: str, other: str) -> bool:
    """Return whether two real paths are the same file, also in a case-insensitive file system."""
    return one == other or (_folded(one) == _folded(other) and _folds(Path(one).parent))


def _linked(path: Path) -> tuple[int, int] | None:
    """Return the device and inode of a file that has several hard links, else None."""
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if stat.S_ISREG(found.st_mode) and found.st_nlink > 1 else None


def _overwriting(job: Job, other: Job) -> str:
    if other is job:
        return (
            f"{job.output} is an input and would be overwritten; choose another `output`, or give `in_place=True` to "
            "replace it"
        )
    return (
        f"{job.name} would be written to {job.output}, which is an input and would be overwritten; choose another "
        "`output`, or leave out the outputs of earlier runs with `exclude`"
    )


def _sharing(one: Job, two: Job) -> str:
    where = "standard output" if one.output is None else str(one.output)
    if one.source == one.target:
        return (
            f"{one.name} and {two.name} are the same file, which `in_place` would replace twice; name it once"
        )
    if str(one.target) != str(two.target):
        where += f" (or {two.target}, which is the same file)"
    hint = "give a folder (`output='out/'`) or a template (`output='out/{stem}.{kernel}{ext}'`)"
    if one.source.name == two.source.name and one.output is not None:
        hint = "use their folders to tell them apart (`output='out/{parent}/{name}'`)"
    return f"{one.name} and {two.name} would both be written to {where}; {hint}"


def _folded(path: str) -> str:
    """Return a path with case and Unicode normalisation removed, as case-insensitive file systems compare it."""
    if path.isascii():
        return path.lower()
    return unicodedata.normalize("NFC", path.casefold())


@lru_cache
def _folds(folder: Path) -> bool:
    """Return whether the file system of a folder, or of its nearest existing parent, is case-insensitive."""
    for above in (folder, *folder.parents):
        if above.name != above.name.swapcase() and above.exists():
            other = above.with_name(above.name.swapcase())
            return other.exists() and other.samefile(above)
    return False
