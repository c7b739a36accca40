"""The calculation of one output of a filter, instead of a written picture: `convcli filter --explain`."""

from __future__ import annotations

from collections.abc import Sequence

import click

from convcli.cli.file_run import FileRun
from convcli.cli.option_names import typed_options
from convcli.errors import ArgumentError
from convcli.filters.request import Request
from convcli.remote_files import target_path

ENDINGS = (".txt", ".json", ".png", ".svg")
# Options that apply to written pictures or to runs of many pictures.
USELESS = (
    *("in_place", "skip_existing", "dry_run", "preserve", "sheet", "png_level", "quality", "subsampling"),
    "tiff_compression",
    *("only", "mask"),
    *("jobs", "isolate", "cluster", "fail_fast", "report", "timeout", "threads"),
)


def explain_output(run: FileRun, request: Request, place: Sequence[int], theme: str | None) -> int:
    """Explain the output at a place, on standard output or in the file of -o; return the exit code."""
    if len(place) != 2:
        raise ArgumentError(f"`explain` takes one place, ROW,COLUMN, got {len(place)} numbers")
    target = None if run.output.output in (None, "-") else target_path(str(run.output.output))
    if target is not None and target.suffix.lower() not in ENDINGS:
        raise ArgumentError(f"{target}: `explain` writes text or a drawing; end it in {' '.join(ENDINGS)}")
    form = "txt" if target is None else target.suffix.lower().removeprefix(".")
    if theme is not None and form not in ("png", "svg"):
        raise ArgumentError("`theme` applies to a drawing, such as `output='explained.svg'`; leave it out")
    for option in filter(None, map(typed_options(click.get_current_context()).get, USELESS)):
        raise ArgumentError(f"`explain` explains one output and writes no picture; leave out {option}")

    from convcli.analysis.explained_sample import explain_sample
    from convcli.drawing.explained_drawing import explained_drawing
    from convcli.drawing.forms import Settings, encode
    from convcli.files import check_target, write_whole
    from convcli.filters.run import PictureFilter
    from convcli.jobs.memory_limit import check_memory

    picture_filter = PictureFilter.of(request, run.reading.colours, run.reading.max_pixels)
    if target is not None:
        check_target(target, overwrite=run.output.force, follow_links=run.output.follow_links)
    jobs = run.explained(request.files)
    if len(jobs) != 1:
        raise ArgumentError(f"`explain` explains one picture, and {len(jobs)} are given; name one")
    (job,) = jobs
    if job.problem is not None:
        raise job.problem
    source = job.source if job.input is not None else job.stream(run.max_memory)
    with run.reading.open(source) as opened:
        _, memory = run.reading.colours.ahead(opened.header, job.name)
        check_memory(f"explain {job.name}", memory, run.max_memory, "use a smaller picture")
        picture = run.reading.colours.converted(opened.read(), job.name)
    found = explain_sample(picture_filter, job.name, picture, place, picture.format)
    data, _ = encode(explained_drawing(found), form, Settings(theme=theme or "auto"))
    if target is None:
        click.echo(data, nl=False)
    else:
        write_whole(target, data, overwrite=run.output.force, follow_links=run.output.follow_links)
        run.messages.note(f"wrote {target}")
    return 0
