"""Where each input goes: beside itself, into a file, a folder, a template, or to standard output."""

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path, PosixPath
from typing import NamedTuple

import click

from convcli.cli.collisions import Reads, check_jobs, check_reads, check_report
from convcli.cli.options import bundled
from convcli.cli.stdin import standard_input
from convcli.errors import ArgumentError, ConvcliError
from convcli.files import is_file, is_folder
from convcli.images.formats import format_of


class _Dash(PosixPath):
    def __reduce__(self) -> str:
        """Be the same in every process."""
        return "DASH"


DASH = _Dash("-")  # by identity: ./- is a file of that name
FIELDS = ("stem", "ext", "name", "parent", "kernel")  # of a template
_FIELD = re.compile(r"\{(\w*)\}")
_STDOUT = re.compile(r"(?:(\w+):)?-")


class Source(NamedTuple):
    """An input; DASH stands for standard input.

    below : the folder in which a search found it, below the one that was searched; None where it was named
    problem : why there is nothing to read, where that is known already
    """

    path: Path
    below: str | None = None
    problem: ConvcliError | None = None

    @property
    def parent(self) -> str:
        """The folder of the input in a tree of outputs: below the one searched, or as it was written."""
        folder = str(self.path.parent) if self.below is None else self.below
        if ".." in folder.split("/"):
            raise ArgumentError(
                f"{self.path} cannot keep its folder {folder} below that of the outputs; write it without .."
            )
        return folder.lstrip("/") or "."


@dataclass(frozen=True, slots=True)
class Job:
    """One input and its output; DASH stands for standard input and output."""

    source: Path
    target: Path
    form: str | None = None  # a format that no ending tells
    data: bytes | None = None  # what stood on standard input, for a process that has another
    problem: ConvcliError | None = None  # why there is nothing to do

    @property
    def name(self) -> str:
        """What messages call the input."""
        return "standard input" if self.source is DASH else str(self.source)

    def absolute(self) -> "Job":
        """Return the job with names that mean the same everywhere."""
        source, target = (end if end is DASH else end.absolute() for end in (self.source, self.target))
        return replace(self, source=source, target=target)

    def stream(self, most: int | None = None) -> BytesIO:
        """Return what stands on standard input, which is read but once; or raise ImageError beyond so many bytes."""
        return standard_input(most) if self.data is None else BytesIO(self.data)

    @property
    def input(self) -> Path | None:
        """The file that is read, None for standard input."""
        return None if self.source is DASH else self.source

    @property
    def output(self) -> Path | None:
        """The file that is written, None for standard output."""
        return None if self.target is DASH else self.target

    @property
    def prints(self) -> bool:
        """Whether the picture goes to standard output."""
        return self.target is DASH

    @property
    def is_done(self) -> bool:
        """Whether its output is there, and so whole."""
        return self.target is not DASH and is_file(self.target)


class Existing(NamedTuple):
    """What becomes of files that are there already: the options of the bundle below."""

    skip_existing: bool
    in_place: bool

    def check(self, output: str | None, force: bool) -> None:
        """Raise ArgumentError where the options contradict each other."""
        if self.skip_existing and force:
            raise ArgumentError("--skip-existing keeps what --force would replace; give one of them")
        if self.skip_existing and self.in_place:
            raise ArgumentError("--skip-existing would skip all that --in-place replaces; give one of them")
        if self.skip_existing and output is not None and _STDOUT.fullmatch(output):
            raise ArgumentError(
                f"--skip-existing looks for files, and -o {output} writes none; leave it out, or name files with -o"
            )
        if self.in_place and output is not None:
            raise ArgumentError(
                f"--in-place writes to the inputs themselves, not to -o {output}; give one of them"
            )


existing_options = bundled(
    "existing",
    Existing,
    click.option("--skip-existing", is_flag=True, help="Pass over inputs whose output exists: a resume."),
    click.option("--in-place", is_flag=True, help="Replace the inputs themselves."),
)


def plan(
    sources: Sequence[Source],
    output: str | None,
    kernel: str,
    *,
    in_place: bool = False,
    reads: Reads = (),
    report: Path | None = None,
) -> list[Job]:
    """Return a job for each input, or raise ArgumentError before anything is read.

    No two jobs share an output, and no output is an input, but with `in_place` each is its own. What was
    found below a folder keeps its place there in a folder of outputs. Neither an output nor the report is one of the
    other files that the run `reads`, nor are they each other.
    """
    sound = [source for source in sources if source.problem is None]
    if in_place:
        jobs = [Job(source.path, _itself(source.path)) for source in sound]
    elif output is None:
        jobs = [Job(source.path, _beside(source.path, kernel)) for source in sound]
    elif stdout := _STDOUT.fullmatch(output):
        form = _named_format(stdout[1])
        jobs = [Job(source.path, DASH, form) for source in sound]
    elif not output:
        raise ArgumentError("-o is empty; name a file, a folder or a template")
    elif _is_folder(output, sources):
        folder = Path(output)
        jobs = [Job(source.path, folder / _mirrored(source)) for source in sound]
    elif _FIELD.search(output):
        jobs = [Job(source.path, _filled(output, source, kernel)) for source in sound]
    else:
        jobs = [Job(source.path, Path(output)) for source in sound]
    check_jobs(jobs, in_place=in_place)
    check_reads("-o", (job.output for job in jobs if job.output is not None), reads)
    if report is not None:
        check_report(report, jobs, reads)
    if output is not None and any(job.target is not DASH and job.target == Path(output) for job in jobs[:1]):
        format_of(Path(output))
    if len(sound) == len(sources):
        return jobs
    planned = iter(jobs)
    return [
        next(planned) if source.problem is None else Job(source.path, source.path, problem=source.problem)
        for source in sources
    ]


def folder_of(output: str | None, kernel: str) -> str | None:
    """Return the real path of the folder that holds nothing but outputs, as far as -o tells, or None.

    >>> folder_of("/photos/{kernel}/{name}", "sobel"), folder_of("/photos/{name}", "sobel"), folder_of("-", "sobel")
    ('/photos/sobel', '/photos', None)
    """
    if not output or _STDOUT.fullmatch(output):
        return None
    if is_folder(Path(output)):
        return os.path.realpath(output)
    fixed = _FIELD.split(output.replace("{kernel}", kernel), maxsplit=1)[0]
    folder = fixed if fixed == output else fixed.rpartition("/")[0]
    return os.path.realpath(folder) if folder else None


def _is_folder(output: str, sources: Iterable[Source]) -> bool:
    """Whether -o names a folder; without an ending it does where inputs come from one."""
    if is_folder(Path(output)):
        return True
    if _FIELD.search(output):
        return False
    searched = any(source.below is not None for source in sources)
    return output.endswith("/") or (searched and not Path(output).suffix)


def _itself(source: Path) -> Path:
    if source is DASH:
        raise ArgumentError(
            "--in-place has no file to replace for standard input; write to -o -, or name a file"
        )
    return source


def _beside(source: Path, kernel: str) -> Path:
    if source is DASH:
        return DASH
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


def _mirrored(source: Source) -> Path:
    """Return the path of an input's output in a folder of outputs, where the folders of a search keep their places."""
    name = _file_name(source.path)
    return Path(source.parent, name) if source.below else Path(name)


def _file_name(source: Path) -> str:
    if source is DASH:
        raise ArgumentError(
            "standard input has no name to give its output; name a file with -o, or write to -o -"
        )
    return source.name


def _filled(template: str, source: Source, kernel: str) -> Path:
    """Fill {stem}, {ext}, {name}, {parent} and {kernel} into a template."""
    name = Path(_file_name(source.path))

    def value(match: re.Match[str]) -> str:
        field = match[1]
        if field not in FIELDS:
            fields = " ".join(f"{{{field}}}" for field in FIELDS)
            raise ArgumentError(f"-o {template}: there is no field {match[0]}; use {fields}")
        if field == "parent":
            return source.parent
        return {"stem": name.stem, "ext": name.suffix, "name": name.name, "kernel": kernel}[field]

    return Path(_FIELD.sub(value, template))
