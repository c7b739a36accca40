"""The options for limits on the size of pictures, and on memory."""

from typing import NamedTuple

import click

from convcli.cli.options.bundled import Decorator, bundled
from convcli.cli.options.option_types import Parsed, at_least
from convcli.images.formats import LARGEST_MAX_PIXELS, MAX_FRAMES, MAX_PIXELS
from convcli.memory import memory_size


class LimitOptions(NamedTuple):
    """The limits for pictures that are read without conversion."""

    max_pixels: int
    max_frames: int


def max_pixels_option(
    most: int = MAX_PIXELS, text: str = f"Refuse larger pictures. [{MAX_PIXELS}]"
) -> Decorator:
    """Return the option --max-pixels with the default `most`."""
    return click.option(
        "--max-pixels",
        type=at_least(1, LARGEST_MAX_PIXELS),
        default=str(most),
        envvar="CONVCLI_MAX_PIXELS",
        show_envvar=True,
        help=text,
    )


max_frames_option = click.option(
    "--max-frames",
    type=at_least(1),
    default=str(MAX_FRAMES),
    envvar="CONVCLI_MAX_FRAMES",
    show_envvar=True,
    help=f"Refuse more frames or pages. [{MAX_FRAMES}]",
)
limit_options = bundled("limits", LimitOptions, max_pixels_option(), max_frames_option)

max_memory_option = click.option(
    "--max-memory",
    type=Parsed("SIZE", memory_size),
    default="4G",
    envvar="CONVCLI_MAX_MEMORY",
    show_envvar=True,
    help="Refuse work that would take more memory. [4G]",
)
