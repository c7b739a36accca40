"""convcli filter: run a layer on pictures."""

from dataclasses import replace
from functools import partial

import click

from convcli.cli.conversation import Conversation
from convcli.cli.file_options import OutputOptions, coding_options, inputs_options, output_options
from convcli.cli.filter_options import request_options
from convcli.cli.options import Command, at_least, max_memory_option, talking
from convcli.cli.reading import reading_options
from convcli.cli.running import Running, begin, running_options
from convcli.errors import ArgumentError
from convcli.filters.request import FILTERING, Request
from convcli.images.coding import Coding
from convcli.jobs.find import Inputs
from convcli.jobs.read_ahead import OpenedAhead
from convcli.jobs.read_source import Reading
from convcli.jobs.targets import jobs_for
from convcli.kernels.named import KERNELS
from convcli.layers.padding import MODES

GROUPS = {
    "Input": ("recursive", "include", "exclude", "files_from"),
    "Output": (
        "output",
        "force",
        "skip_existing",
        "in_place",
        "preserve",
        "follow_links",
        "sheet",
        "stats",
        "dry_run",
        "png_level",
        "quality",
        "subsampling",
    ),
    "Picture": ("value_range", "alpha", "gray", "channels", "linear", "frame"),
    "Kernel": ("kernels", "normalize", "scale", "shift", "anchor", "flip"),
    "Layer": (
        "stride",
        "padding",
        "padding_mode",
        "padding_value",
        "dilation",
        "activation",
        "pool",
        "pool_channels",
        "repeat",
    ),
    "Variant": (
        "variant",
        "weights",
        "bias",
        "pointwise",
        "groups",
        "rank",
        "offsets",
        "local",
        "tile",
        "output_padding",
        "dims",
        "along",
    ),
    "Many pictures": ("jobs", "isolate", "cluster", "fail_fast", "report"),
    "Speed and limits": (
        "method",
        "threads",
        "timeout",
        "max_pixels",
        "max_kernel",
        "max_memory",
        "max_frames",
    ),
}

AHEAD_SHARE = 16  # of --max-memory may go to decoding, before it is known what filtering will take


@click.command(
    cls=Command,
    short_help="What does it do to my image?",
    examples=(
        "convcli filter photo.png --kernel sobel",
        "convcli filter *.jpg --kernel gaussian:sigma=2 -o blurred/",
    ),
    groups=GROUPS,
    moved={"--match": "convcli match PICTURE --template T"},
    epilog="Kernels, explained by convcli kernels: "
    + " ".join(KERNELS)
    + ". Variants: "
    + " ".join(FILTERING)
    + ". Padding modes, for an input abcd: "
    + ", ".join(f"{name} {drawing}" for name, drawing in MODES.items())
    + "; the names of NumPy, SciPy and OpenCV are understood too, what the latter two call reflect is symmetric.",
)
@inputs_options
@request_options
@output_options(in_place=True)
@click.option("--stats", is_flag=True, help="Print a line of JSON a picture: min, max, mean, clipped.")
@click.option("--dry-run", is_flag=True, help="Only say what would be read, run and written.")
@coding_options
@click.option("--threads", type=at_least(1), help="Threads of a kernel alone and of PNG. [one a core]")
@reading_options(linear=True)
@max_memory_option
@running_options
@talking
@click.pass_obj
def command(
    conversation: Conversation,
    /,
    inputs: Inputs,
    request: Request,
    output: OutputOptions,
    coding: Coding,
    reading: Reading,
    stats: bool,
    dry_run: bool,
    running: Running,
    threads: int | None,
    max_memory: int,
) -> int:
    """Run a layer on pictures: convolve, activate, pool. A kernel filters each colour channel on its own.

    INPUT is a file, a folder of pictures, a quoted pattern ('in/**/*.png'), or - (standard input); each is taken once,
    as given, those found sorted by name. Hidden files, links to folders, and outputs of earlier runs are passed over.

    Every frame and page is filtered. EXIF orientation is applied; alpha, depth, colour profile and metadata are
    kept. Prints the path of each picture written.

    Exits with 0 where all are done or skipped, 1 where one failed, 2 for wrong usage.
    """
    begin()
    output.check()
    running.check(dry_run=dry_run)
    if output.in_place and running.cluster is not None:
        raise ArgumentError(
            "--in-place and --cluster do not go together: a cluster runs a job again whose worker died, and would "
            "filter a picture twice; name a folder with -o"
        )
    request.check()
    # What is decoded without the interpreter's lock takes no time beside the imports below.
    ahead = None
    if inputs.file is not None and not (dry_run or output.skip_existing or running.elsewhere):
        ahead = OpenedAhead(partial(reading.open, inputs.file), max_memory // AHEAD_SHARE)

    from convcli.filters.picture_plan import Filtering
    from convcli.filters.run import Worker
    from convcli.jobs.file_to_file import FileToFile

    worker = Worker.of(request, reading.colours, reading.max_pixels)
    name = worker.spelled.name
    sources = output.sources(conversation, inputs, name)
    reads = [*request.files, *inputs.lists]
    jobs = jobs_for(
        sources, output.output, name, in_place=output.in_place, reads=reads, report=running.report
    )
    if stats and not dry_run and any(job.prints for job in jobs):
        raise ArgumentError("--stats prints on standard output, where the picture goes; name a file with -o")
    output.save.check_jobs(jobs)
    share = running.share(len(jobs), threads)
    worker = replace(worker, threads=share, stats=stats and not dry_run)
    work = FileToFile(
        Filtering(worker),
        reading,
        coding,
        output.save,
        max_memory,
        threads=share,
        skip_existing=output.skip_existing,
        dry_run=dry_run,
        as_json=stats,
        reported=running.report is not None,
        ahead=ahead,
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
