"""The options of how pictures are read: which part, in which colours, and how large they may be."""

from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

import click

from convcli.cli.options import Decorator, Parsed, at_least, bundled
from convcli.errors import ArgumentError
from convcli.images.formats import MAX_FRAMES, MAX_PIXELS, MOST_PIXELS
from convcli.jobs.read_source import Reading

if TYPE_CHECKING:
    from convcli.images.picture import Picture


class LimitOptions(NamedTuple):
    """What is refused of a picture that is read whole, as it is."""

    max_pixels: int
    max_frames: int

    def header(self, source: Path | BinaryIO) -> "Picture":
        """Return what the header tells of a picture, its pixels black; or raise ImageError."""
        from convcli.images.read import read_header

        return read_header(source, self.max_pixels, max_frames=self.max_frames)

    def read(self, source: Path | BinaryIO) -> "Picture":
        """Return a picture, or raise ImageError."""
        from convcli.images.read import read_picture

        return read_picture(source, self.max_pixels, max_frames=self.max_frames)


def _names(text: str) -> tuple[str, ...]:
    names = tuple(name.strip().lower() for name in text.split(","))
    if not all(names):
        raise ArgumentError(f"{text!r} is no list of channels; give names between commas, as r,g,b or a")
    return names


_LIMITS = (
    click.option(
        "--max-pixels",
        type=at_least(1, MOST_PIXELS),
        default=str(MAX_PIXELS),
        envvar="CONVCLI_MAX_PIXELS",
        show_envvar=True,
        help=f"Refuse larger pictures. [{MAX_PIXELS}]",
    ),
    click.option(
        "--max-frames",
        type=at_least(1),
        default=str(MAX_FRAMES),
        envvar="CONVCLI_MAX_FRAMES",
        show_envvar=True,
        help=f"Refuse more frames or pages. [{MAX_FRAMES}]",
    ),
)

limit_options = bundled("limits", LimitOptions, *_LIMITS)


def reading_options(*, linear: bool) -> Decorator:
    """Give a command the options of how pictures are read, with --linear or without."""
    options = [
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
            help="Keep only these: r,g,b drops alpha, a is its grey.",
        ),
        click.option("--gray", is_flag=True, help="Take the brightness alone (BT.601)."),
        *_LIMITS,
    ]
    if linear:
        light = click.option(
            "--linear", is_flag=True, help="Filter light: sRGB decoded before, encoded after."
        )
        options.append(light)
    return bundled("reading", Reading, *options)
