"""convcli match: find a smaller picture in larger ones."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from convcli.cli.command import Command
from convcli.cli.completed_words import complete_files
from convcli.cli.file_run import FileRun
from convcli.cli.options.file_run_options import file_run_options
from convcli.cli.options.option_types import at_least
from convcli.errors import ArgumentError
from convcli.images.codecs.text_files import TypedMatrix, typed_or_file
from convcli.jobs.read_source import Reading

if TYPE_CHECKING:
    from convcli.analysis.template import Template

NAME = "match"  # in the names of outputs, in place of a kernel's name


@click.command(
    cls=Command,
    moved={
        "--threshold": "--top N; every line has the scores of the best places",
        "--format": "the ending of the output, as in -o 'maps/{stem}.tiff'",
    },
    short_help="Find a smaller image in larger ones.",
    examples=(
        "convcli match photo.png --template eye.png",
        "convcli match *.png --template eye.png --top 3 -o maps/",
    ),
    leading=(
        "template",
        "top",
        "gray",
        "frame",
        "recursive",
        "output",
        "force",
        "skip_existing",
        "jobs",
        "dry_run",
    ),
    topics=("formats", "exit-codes"),
    groups={
        "Input": ("template", "top", "values", "recursive", "include", "exclude", "files_from"),
        "Output": (
            "output",
            "force",
            "skip_existing",
            "preserve",
            "follow_links",
            "dry_run",
            "png_level",
            "quality",
            "subsampling",
            "tiff_compression",
        ),
        "Picture": ("gray", "channels", "frame", "layout"),
        "Many pictures": ("jobs", "isolate", "cluster", "fail_fast", "report"),
        "Speed and limits": ("threads", "timeout", "max_pixels", "max_memory", "max_frames"),
    },
)
@click.option(
    "--template",
    shell_complete=complete_files,
    required=True,
    metavar="PICTURE",
    help="The smaller picture, or '4 5; 7 8'; its transparent pixels are ignored.",
)
@click.option("--top", type=at_least(1), help="How many of the best places to print. [1]")
@file_run_options(in_place=False, threads="Threads per picture.")
def command(run: FileRun, /, template: str, top: int | None) -> int:
    """Find a template in pictures by normalised cross-correlation, which ignores brightness and contrast.

    INPUT is a file, a folder of pictures, a quoted pattern ('in/**/*.png'), or - (standard input), as in convcli
    filter. Prints a line of JSON for each: the range of the scores, and the best places, as the upper left corners of
    the windows. Writes a map of the scores, from -1 (black) to 1 (white); .npy, .pfm and .tiff hold the scores
    themselves.

    The exit code is 0 if all pictures were searched, 1 if one failed, 2 for wrong usage; a low score is not a failure.
    """
    from convcli.analysis.template_search import Search
    from convcli.images.picture import content_of_pictures

    source = typed_or_file(template, "the template")
    jobs = run.jobs(NAME, [("the template", source)] if isinstance(source, Path) else [])
    if top is not None and not run.dry_run and any(job.prints for job in jobs):
        raise ArgumentError("--top and the map of -o - would both go to standard output; name a file with -o")
    with content_of_pictures() if isinstance(source, Path) else nullcontext():
        prepared = _template(source, template, run.reading._replace(frame=None), run.max_memory)
    return run.run(jobs, Search(prepared, top or 1, run.share(jobs)))


def _template(source: Path | TypedMatrix, name: str, reading: Reading, max_memory: int) -> Template:
    """Read the template, or raise an error if it cannot be used."""
    from convcli.analysis.template import Template
    from convcli.jobs.memory_limit import check_memory

    with reading.open(source) as opened:
        header, memory = reading.colours.ahead(opened.header, name)
        Template.check_still(name, header)
        needed = max(memory, Template.preparation(header.frames[0]))
        check_memory(f"match {name}", needed, max_memory, "use a smaller template")
        picture = opened.read()
    return Template.of(name, reading.colours.converted(picture, name))
