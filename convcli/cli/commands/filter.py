"""convcli filter: run a layer on pictures."""

from dataclasses import replace

import click

from convcli.cli.command import TYPED, Command
from convcli.cli.explain_output import explain_output
from convcli.cli.file_run import FileRun
from convcli.cli.options.answer_options import theme_option
from convcli.cli.options.file_run_options import file_run_options
from convcli.cli.options.filter_options import request_options, resized_in_order
from convcli.cli.options.option_types import Parsed, output_place
from convcli.cli.options.picture_network_options import (
    ORDERS,
    PictureNetworkOptions,
    picture_network_options,
)
from convcli.errors import ArgumentError
from convcli.filters.network_input import LAYOUTS
from convcli.filters.request import FILTERING, Request
from convcli.kernels.kernel_grammar import suggested_square
from convcli.kernels.named import KERNELS
from convcli.layers.padding import MODES
from convcli.remote_files import file_path

GROUPS = {
    "Input": ("values", "recursive", "include", "exclude", "files_from"),
    "Output": (
        "output",
        "force",
        "skip_existing",
        "in_place",
        "preserve",
        "follow_links",
        "sheet",
        "show",
        "stats",
        "explain",
        "theme",
        "dry_run",
        "png_level",
        "quality",
        "subsampling",
        "tiff_compression",
    ),
    "Picture": (
        "only",
        "mask",
        "value_range",
        "alpha",
        "nan",
        "gray",
        "channels",
        "linear",
        "depth",
        "frame",
        "layout",
    ),
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
        "feedback",
        "resize",
        "resampling",
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
    "Network": ("network", "layer", "mean", "std", "seed", "top", "labels"),
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

LEADING = (
    *("kernels", "variant", "padding_mode", "value_range", "gray"),
    *("recursive", "output", "force", "skip_existing", "dry_run"),
)


@click.command(
    cls=Command,
    short_help="Run a kernel, a layer or a network on images.",
    examples=(
        "convcli filter photo.png --kernel sobel",
        "convcli filter *.jpg --kernel gaussian:sigma=2 -o blurred/",
    ),
    groups=GROUPS,
    leading=LEADING,
    topics=("kernels", "padding", "variants", "alpha", "formats", "exit-codes"),
    moved={
        "--match": "convcli match PICTURE --template T",
        "--format": "the ending of the output, as in -o NAME.webp or -o 'out/{stem}.webp'",
    },
    epilog="Kernels, listed by convcli kernels: "
    + " ".join(KERNELS)
    + ". Variants: "
    + " ".join(FILTERING)
    + ". Padding modes, for an input abcd: "
    + ", ".join(f"{name} {drawing}" for name, drawing in MODES.items())
    + "; the names of NumPy, SciPy and OpenCV are accepted too, but what SciPy and OpenCV call reflect is symmetric.",
)
@request_options
@click.option(
    "--explain",
    type=Parsed("ROW,COLUMN", output_place),
    metavar="ROW,COL",
    help="Only explain one output. -o x.svg .png .json .txt.",
)
@theme_option(None)
@picture_network_options
@click.option("--stats", is_flag=True, help="Print JSON per picture: min, max, mean, clipped.")
@file_run_options(
    in_place=True,
    threads="Threads per picture (one kernel, PNG).",
    linear="Filter linear light: decode sRGB before, encode after.",
    depth=True,
    show=True,
    networks=LAYOUTS,
)
def command(
    run: FileRun,
    /,
    request: Request,
    network: PictureNetworkOptions,
    explain: tuple[int, ...] | None,
    theme: str | None,
    stats: bool,
) -> int:
    """Run a layer on pictures: convolve, activate, pool.

    INPUT is a file, a folder, a quoted pattern ('in/**/*.png'), or - (standard input). Prints the path of each picture
    written. Each colour channel and frame is filtered; alpha, depth and metadata are kept.

    \f

    --show draws the first frame of each result: as an image in kitty, Ghostty, iTerm2 and WezTerm, elsewhere as
    coloured half blocks, with NO_COLOR in shades of grey. Transparent areas are drawn over a checkerboard.

    Inputs are filtered in the given order, each only once; pictures in a folder or of a pattern are sorted by name.
    Hidden files, links to folders, and outputs of earlier runs are left out. EXIF orientation is applied. Missing
    folders of outputs are created.

    --network runs a whole network. A picture as output is written; the answer of a classifier is printed, a line of
    JSON per picture. The input is (sample * scale - mean) / std; without --scale, white is 1.

    Exit codes: 0 for success, 1 if an input failed, 2 for wrong usage.
    """  # noqa: D301  # --help-all shows what follows \f
    network.check(click.get_current_context(), Request)
    if network.network is not None:
        return _on_network(run, request, network)
    if run.reading.layout in LAYOUTS:
        raise ArgumentError(
            f"--layout {run.reading.layout} belongs to the input of a network; name one with --network"
        )
    _check_kernels(run, request)
    request = resized_in_order(request, click.get_current_context().meta[TYPED])
    request.check()
    if explain is not None:
        if stats:
            raise ArgumentError(
                "--stats describes written pictures, and --explain writes none; leave one of them out"
            )
        if run.show:
            raise ArgumentError("--show shows pictures, and --explain makes none; leave one of them out")
        return explain_output(run, request, explain, theme)
    if theme is not None:
        raise ArgumentError("`theme` applies to the drawing of `explain`; give `explain` with it")
    ahead = run.open_ahead()

    from convcli.filters.picture_plan import Filtering
    from convcli.filters.run import PictureFilter

    picture_filter = PictureFilter.of(request, run.reading.colours, run.reading.max_pixels)
    jobs = run.jobs(picture_filter.requested.name, request.files, request.masks)
    if stats and not run.dry_run and not run.only_shows and any(job.prints for job in jobs):
        raise ArgumentError("--stats and the picture would both go to standard output; name a file with -o")
    picture_filter = picture_filter._replace(threads=run.share(jobs), stats=stats and not run.dry_run)
    return run.run(jobs, Filtering(picture_filter), as_json=stats, ahead=ahead)


def _on_network(run: FileRun, request: Request, options: PictureNetworkOptions) -> int:
    """Run a network on pictures."""
    channels = tuple(run.reading.channels or ())
    bgr = ORDERS.get(channels, False)
    layout = run.reading.layout if run.reading.layout in LAYOUTS else None
    reading = run.reading._replace(
        channels=() if channels in ORDERS else channels, layout="hwc" if layout else run.reading.layout
    )
    run = replace(run, reading=reading)

    from convcli.filters.classifier import Classifier
    from convcli.filters.network_filter import NetworkFilter

    of_network = options.network_run(request, layout, bgr)
    of_network.check()
    if of_network.is_classifier and run.output.output is None:
        return run.answer(Classifier(of_network, options.top or 5, options.names()), of_network.files)
    if options.top is not None or options.labels is not None:
        typed = "--labels" if options.top is None else "--top"
        if not of_network.is_classifier:
            raise ArgumentError(f"{typed} applies to a classifier, and the network makes maps; leave it out")
        raise ArgumentError(
            f"{typed} applies to the printed answer of a classifier; leave out -o, and redirect it with >"
        )
    jobs = run.jobs(options.name, of_network.files)
    return run.run(jobs, NetworkFilter(of_network, request.value_range))


def _check_kernels(run: FileRun, request: Request) -> None:
    """Raise ArgumentError for a kernel given as an input; print a note for a matrix that is written as one row."""
    if not request.kernels:
        for name in run.inputs.names:
            if name.partition(":")[0].lower() in KERNELS and not file_path(name).exists():
                raise ArgumentError(
                    f"there is no file {name!r}, and it is the name of a kernel; did you mean --kernel {name}?"
                )
    for kernel in request.kernels:
        if (
            request.dims != 1
            and isinstance(kernel, str)
            and (suggested := suggested_square(kernel)) is not None
        ):
            run.messages.note(f"kernel {kernel!r} is one row; did you mean {suggested!r}?")
