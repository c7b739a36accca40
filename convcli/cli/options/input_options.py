"""The options of inputs: which pictures are read, and as what."""

from collections.abc import Sequence

import click

from convcli.cli.completed_words import complete_files
from convcli.cli.options.bundled import Decorator, bundled
from convcli.cli.options.limit_options import max_frames_option, max_pixels_option
from convcli.cli.options.option_types import Parsed
from convcli.errors import ArgumentError
from convcli.filters.picture_depth import DEPTHS
from convcli.jobs.find import Inputs
from convcli.jobs.read_source import Reading

ARRAYS = ("hwc", "chw", "dhw")  # channels last or first, or slices

inputs_options = bundled(
    "inputs",
    Inputs,
    click.argument("names", nargs=-1, metavar="INPUT...", shell_complete=complete_files),
    click.option("--recursive", is_flag=True, help="Search folders and all folders in them."),
    click.option("--include", multiple=True, metavar="GLOB", help="Only inputs whose name or path matches."),
    click.option(
        "--exclude", multiple=True, metavar="GLOB", help="No inputs or folders whose name or path matches."
    ),
    click.option(
        "--files-from",
        metavar="LIST",
        help="Read paths from a file, one per line or NUL-separated; - is stdin.",
    ),
)


values_option = click.option("--values", metavar="ROWS", help="Numbers instead of a picture: '0 1 2; 3 4 5'.")


several_values_option = click.option(
    "--values",
    multiple=True,
    metavar="ROWS",
    help="Numbers instead of a picture: '0 1 2; 3 4 5'. Repeat it for each picture.",
)


def value_names(count: int) -> tuple[str, ...]:
    """Return what messages call so many matrices that were typed."""
    return ("the values",) if count == 1 else tuple(f"values {number}" for number in range(1, count + 1))


def _names(text: str) -> tuple[str, ...]:
    names = tuple(name.strip().lower() for name in text.split(","))
    if not all(names):
        raise ArgumentError(
            f"{text!r} is not a list of channels; separate their names by commas, as r,g,b or a"
        )
    return names


def layout_option(networks: Sequence[str] = ()) -> Decorator:
    """Give a command the order of the axes of arrays; `networks` are further ones, of the input of a network."""
    of_network = f"; of a network: {' '.join(networks)}" if networks else ""
    return click.option(
        "--layout",
        type=click.Choice([*ARRAYS, *networks]),
        metavar="AXES",
        default="hwc",
        help=f"Of arrays: {' '.join(ARRAYS)}{of_network}. [hwc]",
    )


def reading_options(
    *, linear: str | None = None, depth: bool = False, networks: Sequence[str] = ()
) -> Decorator:
    """Give a command the options of how pictures are read.

    linear : the help of --linear, which is left out without one
    depth : whether there is --depth
    networks : further layouts, of the input of a network
    """
    options: list[Decorator] = [
        click.option(
            "--frame",
            type=int,
            metavar="N",
            help="Only this frame or page: 0 the first, -1 the last.",
        ),
        click.option(
            "--channels",
            type=Parsed("NAMES", _names),
            default=None,
            help="Keep only these: r,g,b drops alpha; a is alpha as grey.",
        ),
        click.option("--gray", is_flag=True, help="Take the brightness alone (BT.601)."),
        layout_option(networks),
        max_pixels_option(),
        max_frames_option,
    ]
    if depth:
        options.append(
            click.option(
                "--depth", type=click.Choice(DEPTHS), help="Filter as 16 bits, or as floats (white is 1)."
            )
        )
    if linear is not None:
        options.append(click.option("--linear", is_flag=True, help=linear))
    return bundled("reading", Reading, *options)
