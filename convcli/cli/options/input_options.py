"""The options for the inputs: which pictures are read, and how they are converted."""

from collections.abc import Sequence

import click

from convcli.cli.completed_words import complete_files
from convcli.cli.options.array_options import layout_option
from convcli.cli.options.bundled import Decorator, bundled
from convcli.cli.options.limit_options import max_frames_option, max_pixels_option
from convcli.cli.options.option_types import Parsed
from convcli.errors import ArgumentError
from convcli.filters.picture_depth import DEPTHS
from convcli.jobs.find import Inputs
from convcli.jobs.read_source import Reading

inputs_options = bundled(
    "inputs",
    Inputs,
    click.argument("names", nargs=-1, metavar="INPUT...", shell_complete=complete_files),
    click.option("--recursive", is_flag=True, help="Search folders recursively."),
    click.option(
        "--include",
        multiple=True,
        metavar="GLOB",
        help="Take only inputs whose name or path matches, in any case.",
    ),
    click.option(
        "--exclude", multiple=True, metavar="GLOB", help="Skip inputs and folders that match, in any case."
    ),
    click.option(
        "--files-from",
        metavar="LIST",
        help="A file of paths, one per line or NUL-separated, or -.",
    ),
)


def _names(text: str) -> tuple[str, ...]:
    names = tuple(name.strip().lower() for name in text.split(","))
    if not all(names):
        raise ArgumentError(
            f"{text!r} is not a list of channels; separate their names by commas, such as r,g,b or a"
        )
    return names


def reading_options(
    *, linear: str | None = None, depth: bool = False, networks: Sequence[str] = ()
) -> Decorator:
    """Return the options for reading pictures.

    linear : the help of --linear; None if the command does not have it
    depth : whether the command has --depth
    networks : additional layouts, for the input of a network
    """
    options: list[Decorator] = [
        click.option(
            "--frame",
            type=int,
            metavar="N",
            help="Read only this frame: 0 is the first, -1 the last.",
        ),
        click.option(
            "--channels",
            type=Parsed("NAMES", _names),
            default=None,
            help="Keep only these: r,g,b drops alpha; a is alpha as grey.",
        ),
        click.option("--gray", is_flag=True, help="Convert to grey (BT.601)."),
        layout_option(networks),
        max_pixels_option(),
        max_frames_option,
    ]
    if depth:
        options.append(
            click.option(
                "--depth",
                type=click.Choice(DEPTHS),
                metavar="N",
                help="Depth of results: 8, 16 or float (white is 1). [as input]",
            )
        )
    if linear is not None:
        options.append(click.option("--linear", is_flag=True, help=linear))
    return bundled("reading", Reading, *options)
