"""The options on files: which pictures are read and as what, where outputs go, and how they are coded."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

import click

from convcli.cli.conversation import Conversation
from convcli.cli.options.common_options import Decorator, Parsed, at_least, bundled
from convcli.errors import ArgumentError
from convcli.images.coding import SAMPLINGS, Coding, read_quality
from convcli.images.formats import MAX_FRAMES, MAX_PIXELS, MOST_PIXELS
from convcli.jobs.find import Inputs
from convcli.jobs.job import Source
from convcli.jobs.read_source import Reading
from convcli.jobs.save import Save
from convcli.jobs.targets import is_stdout

if TYPE_CHECKING:
    from convcli.images.picture import Picture

inputs_options = bundled(
    "inputs",
    Inputs,
    click.argument("names", nargs=-1, metavar="INPUT..."),
    click.option("--recursive", is_flag=True, help="Search folders and all folders in them."),
    click.option("--include", multiple=True, metavar="GLOB", help="Only inputs of such a name or path."),
    click.option("--exclude", multiple=True, metavar="GLOB", help="No inputs, or folders, of such a name."),
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


class OutputOptions(NamedTuple):
    """Where outputs go, and what becomes of files that are there already."""

    output: str | None
    force: bool
    skip_existing: bool
    preserve: bool
    follow_links: bool
    in_place: bool = False

    def check(self) -> None:
        """Raise ArgumentError where the options contradict each other."""
        if self.skip_existing and self.force:
            raise ArgumentError("--skip-existing keeps what --force would replace; give one of them")
        if self.skip_existing and self.in_place:
            raise ArgumentError("--skip-existing would skip all that --in-place replaces; give one of them")
        if self.skip_existing and self.output is not None and is_stdout(self.output):
            raise ArgumentError(
                f"--skip-existing looks for files, and -o {self.output} writes none; leave it out, or name files "
                "with -o"
            )
        if self.in_place and self.output is not None:
            raise ArgumentError(
                f"--in-place writes to the inputs themselves, not to -o {self.output}; give one of them"
            )

    @property
    def save(self) -> Save:
        """How the outputs are written."""
        return Save(self.force or self.in_place, self.preserve, self.follow_links)

    def sources(self, conversation: Conversation, inputs: Inputs, name: str) -> list[Source]:
        """Return the inputs, and say what was passed over; `name` stands in the names of outputs."""
        found = inputs.find(self.output, name)
        for note in found.notes:
            conversation.note(note)
        return found.sources


def output_options(*, in_place: bool) -> Decorator:
    """Give a command the options of its outputs, with --in-place or without."""
    options = [
        click.option(
            "-o",
            "--output",
            metavar="PATH",
            help="A file, folder/, '{parent}/{stem}.{kernel}{ext}', - or png:-.",
        ),
        click.option("--force", is_flag=True, help="Replace outputs that exist."),
        click.option("--skip-existing", is_flag=True, help="Skip inputs whose output exists: resume a run."),
        click.option("--preserve", is_flag=True, help="Keep the input's times and mode."),
        click.option(
            "--follow-links", is_flag=True, help="Replace what a link in the output's place points to."
        ),
    ]
    if in_place:
        options.append(click.option("--in-place", is_flag=True, help="Replace the inputs themselves."))
    return bundled("output", OutputOptions, *options)


coding_options = bundled(
    "coding",
    Coding,
    click.option("--png-level", type=at_least(0, 9), help="Deflate PNG by zlib's level N, on one core."),
    click.option(
        "--quality",
        type=Parsed("Q", read_quality),
        help="JPEG, WebP: 1 to 100; WebP: lossless. [as it was]",
    ),
    click.option(
        "--subsampling",
        type=click.Choice(list(SAMPLINGS)),
        metavar="J:A:B",
        help="Colours of a JPEG, as 4:4:4 or 4:2:0. [as it was]",
    ),
)


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


ARRAYS = ("hwc", "chw", "dhw")  # channels last or first, or slices

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


def reading_options(*, linear: str | None = None, networks: Sequence[str] = ()) -> Decorator:
    """Give a command the options of how pictures are read.

    linear : the help of --linear, which is left out without one
    networks : further layouts, of the input of a network
    """
    names = " ".join(networks)
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
        click.option(
            "--layout",
            type=click.Choice([*ARRAYS, *networks]),
            metavar="AXES",
            default="hwc",
            help=f"Of arrays: {' '.join(ARRAYS)}{f'; of a network: {names}' if networks else ''}. [hwc]",
        ),
        *_LIMITS,
    ]
    if linear is not None:
        options.append(click.option("--linear", is_flag=True, help=linear))
    return bundled("reading", Reading, *options)
