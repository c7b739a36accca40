"""convcli filter: run a kernel on pictures."""

import sys
from pathlib import Path
from typing import Any

import click

from convcli.backend.bands.plan import METHODS
from convcli.batch import run
from convcli.cli.conversation import Conversation
from convcli.cli.options import Command, Parsed, talking
from convcli.cli.reading import reading_options
from convcli.cli.targets import as_source, plan
from convcli.errors import ArgumentError
from convcli.kernels.named import KERNELS, MAX_SIDE
from convcli.layers.notation import parse_padding, parse_size
from convcli.layers.padding import MODES, mode_of


@click.command(
    cls=Command,
    short_help="What does it do to my image?",
    examples=(
        "convcli filter photo.png --kernel sobel",
        "convcli filter *.jpg --kernel gaussian:sigma=2 -o blurred/",
    ),
    epilog="Kernels: "
    + " ".join(KERNELS)
    + ". Padding modes, for an input abcd: "
    + ", ".join(f"{name} {drawing}" for name, drawing in MODES.items())
    + ". The names of NumPy, SciPy and OpenCV are understood too (edge, wrap, BORDER_REFLECT_101); what SciPy and "
    "OpenCV call reflect is called symmetric here.",
)
@click.argument("inputs", nargs=-1, required=True, type=Parsed("INPUT", as_source), metavar="INPUT...")
@click.option(
    "--kernel",
    "-k",
    "kernels",
    multiple=True,
    required=True,
    metavar="SPEC",
    help="A name (sobel), a name with arguments (gaussian:sigma=2), or rows of numbers ('0 -1 0; -1 5 -1; 0 -1 0').",
)
@click.option(
    "-o",
    "--output",
    metavar="PATH",
    help="A file, a folder (out/), a template ('out/{stem}.{kernel}{ext}'), - for standard output, or png:- to "
    "choose its format. Without it photo.png becomes photo.sobel.png.",
)
@click.option("--force", is_flag=True, help="Replace outputs that exist.")
@click.option(
    "--stride",
    type=Parsed("SIZE", parse_size),
    default="1",
    show_default=True,
    help="Pixels from one output to the next: 2, or 2x1 for rows x columns.",
)
@click.option(
    "--padding",
    type=Parsed("PADDING", parse_padding),
    default="same",
    show_default=True,
    help="Pixels added around: valid, same, same-lower, full, 1, 2x1 or before:after as 1:2.",
)
@click.option(
    "--padding-mode",
    type=Parsed("MODE", mode_of),
    default="reflect",
    show_default=True,
    help="How the picture goes on beyond its border; drawn below.",
)
@click.option(
    "--padding-value",
    type=float,
    default=0.0,
    show_default=True,
    metavar="V",
    help="What --padding-mode constant pads with.",
)
@click.option(
    "--dilation",
    type=Parsed("SIZE", parse_size),
    default="1",
    show_default=True,
    help="Pixels between the taps of the kernel.",
)
@click.option(
    "--flip", is_flag=True, help="Turn the kernel by 180 degrees: convolution instead of correlation."
)
@click.option(
    "--range",
    "value_range",
    type=click.Choice(["clip", "abs", "offset", "minmax"]),
    default="clip",
    show_default=True,
    help="How values return to the picture's depth: cut them off, take absolute values, add the "
    "middle grey, or stretch the smallest and largest to black and white.",
)
@click.option(
    "--alpha",
    type=click.Choice(["auto", "premultiply", "keep", "filter"]),
    default="auto",
    show_default=True,
    help="auto premultiplies for smoothing kernels and keeps alpha for others.",
)
@click.option(
    "--method",
    type=click.Choice(METHODS),
    default="auto",
    show_default=True,
    help="How sums are formed; auto takes the quickest, and -v says which.",
)
@click.option(
    "--threads",
    type=click.IntRange(1),
    metavar="N",
    help="Threads that share a picture.  [default: one a core]",
)
@click.option(
    "--png-level",
    type=click.IntRange(0, 9),
    metavar="N",
    help="Deflate PNG output with zlib's level N, 0 to 9, on one core.  [default: on all cores, fast]",
)
@reading_options
@click.option(
    "--max-kernel",
    type=click.IntRange(1),
    default=MAX_SIDE,
    show_default=True,
    metavar="N",
    help="Refuse wider kernels.",
)
@talking
@click.pass_obj
def command(
    conversation: Conversation,
    /,
    inputs: tuple[Path, ...],
    kernels: tuple[str, ...],
    output: str | None,
    max_kernel: int,
    **settings: Any,
) -> int:
    """Run a kernel on pictures, each colour channel on its own.

    Every frame of an animation and every page is filtered. EXIF orientation is applied; alpha, 16-bit grey, colour
    profile, EXIF and resolution are kept. Prints the path of each picture written.
    """
    import os
    import signal

    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # the threads are ours: each holds BLAS to itself

    from convcli.cli.filtering import Filtering
    from convcli.kernels import parse_kernel

    signal.signal(signal.SIGTERM, _end)
    if len(kernels) > 1:
        raise ArgumentError(f"--kernel is given {len(kernels)} times; filter with one kernel at a time")
    kernel = parse_kernel(kernels[0], max_kernel)
    jobs = plan(inputs, output, kernel.name)
    filtering = Filtering(conversation, kernel, **settings)
    return run(jobs, filtering, lambda job, error: conversation.failure(error)).exit_code


def _end(signum: int, frame: object) -> None:
    """End as the signal asks, but by an exception: what is being written is cleaned up on the way."""
    sys.exit(128 + signum)
