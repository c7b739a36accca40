"""Where each input goes: beside itself, into a file, a folder, a template, or to standard output."""

import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path, PosixPath

from convcli.errors import ArgumentError
from convcli.images.formats import format_of


class _Dash(PosixPath):
    def __reduce__(self) -> str:
        """Be the same in every process."""
        return "DASH"


DASH = _Dash("-")  # by identity: ./- is a file of that name
_FIELD = re.compile(r"\{(\w*)\}")
_STDOUT = re.compile(r"(?:(\w+):)?-")


def as_source(text: str) -> Path:
    """Read the name of an input; - is standard input."""
    return DASH if text == "-" else Path(text)


@dataclass(frozen=True)
class Job:
    """One input and its output; DASH stands for standard input and output."""

    source: Path
    target: Path
    form: str | None = None  # a format that no ending tells
    data: bytes | None = None  # what stood on standard input, for a process that has another

    @property
    def name(self) -> str:
        """What messages call the input."""
        return "standard input" if self.source is DASH else str(self.source)

    def absolute(self) -> "Job":
        """Return the job with names that mean the same everywhere."""
        source, target = (end if end is DASH else end.absolute() for end in (self.source, self.target))
        return replace(self, source=source, target=target)

    def stream(self) -> BytesIO:
        """Return what stands on standard input, which is read but once."""
        return BytesIO(sys.stdin.buffer.read() if self.data is None else self.data)

    @property
    def prints(self) -> bool:
        """Whether the picture goes to standard output."""
        return self.target is DASH


def plan(inputs: Sequence[Path], output: str | None, kernel: str) -> list[Job]:
    """Return a job for each input, or raise ArgumentError before anything is read.

    No two jobs share an output, and no output is an input.
    """
    if output is None:
        jobs = [Job(source, _beside(source, kernel)) for source in inputs]
    elif stdout := _STDOUT.fullmatch(output):
        jobs = [Job(source, DASH, _named_format(stdout[1])) for source in inputs]
    elif not output:
        raise ArgumentError("-o is empty; name a file, a folder or a template")
    elif Path(output).is_dir() or (output.endswith("/") and not _FIELD.search(output)):
        jobs = [Job(source, Path(output) / _file_name(source)) for source in inputs]
    elif _FIELD.search(output):
        jobs = [Job(source, _filled(output, source, kernel)) for source in inputs]
    else:
        jobs = [Job(source, Path(output)) for source in inputs]
    _refuse_collisions(jobs)
    if output is not None and jobs[0].target == Path(output) and jobs[0].target is not DASH:
        format_of(Path(output))
    return jobs


def _beside(source: Path, kernel: str) -> Path:
    if source is DASH:
        return DASH
    if not source.name:
        raise ArgumentError(f"{source} is a folder; name the pictures in it, as in {source / '*.png'}")
    if not source.suffix:
        raise ArgumentError(
            f"{source} has no ending that its output could take over; name the output with -o"
        )
    return source.with_name(f"{source.stem}.{kernel}{source.suffix}")


def _named_format(prefix: str | None) -> str | None:
    """Read the format of `png:-`."""
    if prefix is None:
        return None
    return format_of(Path(f"-.{prefix}"))


def _file_name(source: Path) -> str:
    if source == DASH:
        raise ArgumentError(
            "standard input has no name to give its output; name a file with -o, or write to -o -"
        )
    return source.name


def _filled(template: str, source: Path, kernel: str) -> Path:
    """Fill {stem}, {ext}, {name} and {kernel} into a template."""
    name = Path(_file_name(source))
    values = {"stem": name.stem, "ext": name.suffix, "name": name.name, "kernel": kernel}

    def value(match: re.Match[str]) -> str:
        if match[1] not in values:
            fields = " ".join(f"{{{field}}}" for field in values)
            raise ArgumentError(f"-o {template}: there is no field {match[0]}; use {fields}")
        return values[match[1]]

    return Path(_FIELD.sub(value, template))


def _refuse_collisions(jobs: Sequence[Job]) -> None:
    inputs = {os.path.realpath(job.source) for job in jobs if job.source is not DASH}
    taken: dict[str, Job] = {}
    for job in jobs:
        key = "" if job.target is DASH else os.path.realpath(job.target)
        if key in inputs:
            raise ArgumentError(f"{job.target} is an input and would be overwritten; choose another -o")
        if key in taken:
            where = str(job.target) if key else "standard output"
            raise ArgumentError(
                f"{taken[key].name} and {job.name} would both become {where}; "
                "give a folder (-o out/) or a template (-o 'out/{stem}.{kernel}{ext}')"
            )
        taken[key] = job
