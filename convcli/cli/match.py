"""convcli match: where in pictures does a smaller one lie?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from convcli.cli.conversation import Conversation
from convcli.cli.file_options import OutputOptions, coding_options, inputs_options, output_options
from convcli.cli.options import Command, at_least, max_memory_option, talking
from convcli.cli.reading import reading_options
from convcli.cli.running import Running, begin, running_options
from convcli.errors import ArgumentError
from convcli.images.coding import Coding
from convcli.jobs.find import Inputs
from convcli.jobs.read_source import Reading
from convcli.jobs.targets import jobs_for

if TYPE_CHECKING:
    from convcli.analysis.template import Template

NAME = "match"  # what stands in the names of outputs where a kernel's name would


@click.command(
    cls=Command,
    short_help="Where in my image is this smaller one?",
    examples=(
        "convcli match photo.png --template eye.png",
        "convcli match *.png --template eye.png --top 3 -o maps/",
    ),
    groups={
        "Input": ("template", "top", "recursive", "include", "exclude", "files_from"),
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
        ),
        "Picture": ("gray", "channels", "frame"),
        "Many pictures": ("jobs", "isolate", "cluster", "fail_fast", "report"),
        "Speed and limits": ("threads", "timeout", "max_pixels", "max_memory", "max_frames"),
    },
)
@inputs_options
@click.option(
    "--template",
    type=click.Path(path_type=Path),
    required=True,
    metavar="PICTURE",
    help="The smaller picture to find; what is transparent in it does not count.",
)
@click.option("--top", type=at_least(1), help="So many of the best places. [1]")
@output_options(in_place=False)
@click.option("--dry-run", is_flag=True, help="Only say what would be read, run and written.")
@coding_options
@click.option("--threads", type=at_least(1), help="Threads of a picture. [one a core]")
@reading_options(linear=False)
@max_memory_option
@running_options
@talking
@click.pass_obj
def command(
    conversation: Conversation,
    /,
    inputs: Inputs,
    template: Path,
    top: int | None,
    output: OutputOptions,
    dry_run: bool,
    coding: Coding,
    threads: int | None,
    reading: Reading,
    max_memory: int,
    running: Running,
) -> int:
    """Find a template in pictures by normalised cross-correlation, which brightness and contrast do not change.

    INPUT is a file, a folder of pictures, a quoted pattern ('in/**/*.png'), or - (standard input), as in convcli
    filter. Prints a line of JSON for each: the scores' range, and the best places, those of the windows' upper left
    corners. Writes a map of the scores, -1 black to 1 white; the numbers themselves in .npy, .pfm and .tiff.

    Exits with 0 where all pictures were searched, 1 where one failed, 2 for wrong usage; a low score is no failure.
    """
    begin()
    output.check()
    running.check(dry_run=dry_run)

    from convcli.analysis.template_search import Search
    from convcli.jobs.file_to_file import FileToFile

    reads = [("the template", template), *inputs.lists]
    sources = output.sources(conversation, inputs, NAME)
    jobs = jobs_for(sources, output.output, NAME, reads=reads, report=running.report)
    if top is not None and not dry_run and any(job.prints for job in jobs):
        raise ArgumentError(
            "--top prints places, and -o - the map, both to standard output; name a file with -o"
        )
    output.save.check_jobs(jobs)
    share = running.share(len(jobs), threads)
    work = FileToFile(
        Search(_template(template, reading._replace(frame=None), max_memory), top or 1, share),
        reading,
        coding,
        output.save,
        max_memory,
        threads=share,
        skip_existing=output.skip_existing,
        dry_run=dry_run,
        reported=running.report is not None,
    )
    return running.run(
        conversation,
        jobs,
        work,
        threads=threads,
        force=output.force,
        resume=output.skip_existing,
        dry_run=dry_run,
        most=max_memory,
    )


def _template(path: Path, reading: Reading, max_memory: int) -> Template:
    """Read the template, or raise an error that says why it is none."""
    from convcli.analysis.template import Template
    from convcli.jobs.memory_limit import check_memory

    name = str(path)
    with reading.open(path) as opened:
        header, memory = reading.colours.ahead(opened.header, name)
        Template.check_still(name, header)
        needed = max(memory, Template.preparation(header.frames[0]))
        check_memory(f"match {name}", needed, max_memory, "take a smaller template")
        picture = opened.read()
    return Template.of(name, reading.colours.converted(picture, name))
