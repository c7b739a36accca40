"""Which part of a picture is filtered, and in which colours: the options of how it is read."""

from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

import click

from convcli.cli.options import Parsed, at_least, bundled
from convcli.errors import ArgumentError
from convcli.filters.colour import Colours
from convcli.images.formats import MAX_FRAMES, MAX_PIXELS, MOST_PIXELS

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from convcli.images.picture import Picture
    from convcli.images.read import Opened


class Reading(NamedTuple):
    """What to read, and as what: the options of the bundle below."""

    frame: int | None = None
    channels: tuple[str, ...] = ()
    gray: bool = False
    linear: bool = False
    max_pixels: int = MAX_PIXELS
    max_frames: int = MAX_FRAMES

    @property
    def colours(self) -> Colours:
        """What a picture that was read becomes before it is filtered."""
        return Colours(self.channels or (), self.gray, self.linear)

    def read(self, source: Path | BinaryIO) -> "Picture":
        """Return a picture: the frame, then the channels, then the grey that were asked for; or raise ImageError."""
        with self.open(source) as opened:
            picture = opened.read()
        return self.colours.converted(picture, _name(source))

    def open(self, source: Path | BinaryIO) -> "AbstractContextManager[Opened]":
        """Open a picture, of which the frames that were asked for are read."""
        from convcli.images.read import open_picture

        return open_picture(source, self.max_pixels, frame=self.frame, max_frames=self.max_frames)


def _name(source: Path | BinaryIO) -> str:
    return str(source) if isinstance(source, Path) else "standard input"


def _names(text: str) -> tuple[str, ...]:
    names = tuple(name.strip().lower() for name in text.split(","))
    if not all(names):
        raise ArgumentError(f"{text!r} is no list of channels; give names between commas, as r,g,b or a")
    return names


reading_options = bundled(
    "reading",
    Reading,
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
    click.option("--gray", is_flag=True, help="Filter the brightness (BT.601)."),
    click.option("--linear", is_flag=True, help="Filter light: sRGB decoded before, encoded after."),
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
