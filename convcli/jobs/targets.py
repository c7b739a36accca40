"""The target of each input: a file, a folder, a template, standard output, or by default a file in its own folder."""

import os
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from shlex import quote

from convcli.errors import ArgumentError
from convcli.files import exists, is_folder
from convcli.images.formats import ENDINGS, output_format
from convcli.images.picture import ImageError, no_such_file
from convcli.jobs.collisions import Reads, check_jobs, check_reads, check_report
from convcli.jobs.job import DASH, Job, Source
from convcli.path_templates import FIELD, filled, is_template
from convcli.remote_files import RemotePath, check_writable, file_path, target_path

_STDOUT = re.compile(r"(?:(\w+):)?-")


def jobs_for(
    sources: Sequence[Source],
    output: str | None,
    kernel: str,
    *,
    in_place: bool = False,
    reads: Reads = (),
    report: Path | None = None,
    mask: str | None = None,
) -> list[Job]:
    """Return a job for each input, or raise ArgumentError before anything is read.

    All outputs are checked: they must differ from each other, from the inputs (unless `in_place` replaces these), from
    the files that the run `reads`, and from the `report`. Inputs that were found below a folder keep their subfolders
    in the folder of the outputs.

    mask : a template with the fields of an output's, for the mask of each input
    """
    if (
        output is None and not in_place
    ):  # what is missing needs no ending, from which its output would get a name
        sources = [
            source._replace(problem=_missing(source)) if source.problem is None else source
            for source in sources
        ]
    sound = [source for source in sources if source.problem is None]
    if in_place:
        jobs = [source.to(_itself(source)) for source in sound]
    elif output is None:
        jobs = [source.to(_beside(source.path, kernel)) for source in sound]
    elif stdout := _STDOUT.fullmatch(output):
        form = _named_format(stdout[1])
        jobs = [source.to(DASH, form) for source in sound]
    elif not output:
        raise ArgumentError("`output` is empty; name a file, a folder or a template")
    elif _is_folder(output, sources):
        folder = target_path(output)
        jobs = [source.to(folder / _mirrored(source)) for source in sound]
    elif is_template(output):
        jobs = [
            source.to(target_path(filled("output", output, _fields(source, kernel, output))))
            for source in sound
        ]
    else:
        jobs = [source.to(target_path(output)) for source in sound]
    jobs = with_masks(jobs, sound, mask, kernel)
    reads = [*reads, *(("a mask", job.mask) for job in jobs if job.mask is not None)]
    for job in jobs:
        check_writable(job.target)
    check_jobs(jobs, in_place=in_place)
    check_reads("`output`", (job.output for job in jobs if job.output is not None), reads)
    if report is not None:
        check_report(report, jobs, reads)
    if output is not None and any(job.output == file_path(output) for job in jobs[:1]):
        _check_ending(output)
    if len(sound) == len(sources):
        return jobs
    planned = iter(jobs)
    return [next(planned) if source.problem is None else source.to(source.path) for source in sources]


def with_masks(jobs: Sequence[Job], sources: Sequence[Source], mask: str | None, kernel: str) -> list[Job]:
    """Return the jobs, each with the mask of its source if `mask` is a template for their paths."""
    if mask is None:
        return list(jobs)
    return [
        replace(job, mask=file_path(filled("mask", mask, _fields(source, kernel, mask, "mask"))))
        for job, source in zip(jobs, sources, strict=True)
    ]


def _check_ending(output: str) -> None:
    """Raise ArgumentError for an output file whose format is unknown."""
    path = file_path(output)
    if path.suffix:
        output_format(path)
        return
    form = path.name.lstrip(".").lower()
    named = f", or {form}:- for standard output" if f".{form}" in ENDINGS else ""
    file = f"out.{form}" if named else f"{output}.png"
    raise ArgumentError(
        f"`output` {output} is not a folder, and has no ending, which determines the format; write {quote(file)} for "
        f"a file, or {quote(f'{output}/')} for a folder{named}"
    )


def is_stdout(output: str) -> bool:
    """Return whether an output is standard output: -, or a format and -, such as png:-."""
    return _STDOUT.fullmatch(output) is not None


def format_in_words(output: str | None) -> str | None:
    """Return the format that the words of an output determine without an input; None for folders and without one.

    >>> format_in_words("out/{stem}.png"), format_in_words("png:-"), format_in_words("{name}")
    ('PNG', 'PNG', None)
    """
    if not output:
        return None
    if stdout := _STDOUT.fullmatch(output):
        return _named_format(stdout[1])
    ending = FIELD.split(output)[-1].rpartition(".")
    if output.endswith("/") or not ending[1] or is_folder(file_path(output)):
        return None
    try:
        return output_format(Path(f"x.{ending[2]}"))
    except ArgumentError:  # which names the output, if it has the ending of no format
        return None


def folder_of(output: str | None, kernel: str) -> str | None:
    """Return the real path of the folder of the outputs, up to the first field of a template; None without one.

    >>> folder_of("/photos/{kernel}/{name}", "sobel"), folder_of("/photos/{name}", "sobel"), folder_of("-", "sobel")
    ('/photos/sobel', '/photos', None)
    """
    if not output or is_stdout(output):
        return None
    if is_folder(file_path(output)):
        return os.path.realpath(output)
    fixed = FIELD.split(output.replace("{kernel}", kernel), maxsplit=1)[0]
    folder = fixed if fixed == output else fixed.rpartition("/")[0]
    return os.path.realpath(folder) if folder else None


def _is_folder(output: str, sources: Iterable[Source]) -> bool:
    """Return whether `output` names a folder; a name without an ending does if an input comes from a folder."""
    if is_folder(file_path(output)):
        return True
    if is_template(output):
        return False
    searched = any(source.below is not None for source in sources)
    return output.endswith("/") or (searched and not file_path(output).suffix)


def _itself(source: Source) -> Path:
    if source.path is DASH:
        raise ArgumentError(
            f"`in_place` replaces files and does not apply to {source.name}; write to `output='-'`, or name a file"
        )
    return source.path


def _missing(source: Source) -> ImageError | None:
    """Return the error of an input without an ending that does not exist."""
    path = source.path
    if path is DASH or isinstance(path, RemotePath) or path.suffix or exists(path):
        return None
    return no_such_file(str(path))


def _beside(source: Path, kernel: str) -> Path:
    if source is DASH:
        return DASH
    if not source.suffix:
        raise ArgumentError(
            f"{source} has no ending, from which the format of its output is taken; name the output with `output`"
        )
    return source.with_name(f"{source.stem}.{kernel}{source.suffix}")


def _named_format(prefix: str | None) -> str | None:
    """Return the format of an output like `png:-`."""
    if prefix is None:
        return None
    return output_format(Path(f"-.{prefix}"))


def _mirrored(source: Source) -> Path:
    """Return the path of an output in the folder of the outputs, with the subfolder in which its input was found."""
    return Path(source.below or "", _file_name(source))


def _file_name(source: Source, argument: str = "output") -> str:
    """Return the file name of an input, from which the value of an argument takes its name."""
    if source.path is DASH:
        has = "have" if source.typed is not None else "has"
        way = "; name a picture with `mask`"
        if argument == "output":
            way = "; name a file with `output`, or write to `output='-'`"
        raise ArgumentError(
            f"{source.name} {has} no file name, from which the name of the {argument} is taken{way}"
        )
    return source.path.name


def _fields(source: Source, kernel: str, template: str, argument: str = "output") -> Callable[[str], str]:
    """Return the function that gives the fields of a template for an input, from which an argument takes its name.

    parent : the folder of the input as it was named, at the start of a template also an absolute one
    below : the part of it below the folder or pattern that was searched; . for an input that was named itself
    """
    name = Path(_file_name(source, argument))
    values = {"stem": name.stem, "ext": name.suffix, "name": name.name, "kernel": kernel}
    values["below"] = source.below or "."

    def value(field: str) -> str:
        if field != "parent":
            return values[field]
        return str(source.path.parent) if template.startswith("{parent}") else source.folder_inside

    return value
