"""convcli compare A B: how far two pictures are apart, where, and whether that is within a tolerance."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import BinaryIO, NamedTuple

from convcli import __version__
from convcli.backend.measures import BAND, SIDE
from convcli.cli.conversation import Conversation
from convcli.cli.distances import RAW, Found
from convcli.cli.drawing import draw, picture_of
from convcli.cli.options import AnswerOptions
from convcli.errors import ArgumentError
from convcli.files import check_target
from convcli.images.modes import is_counted
from convcli.images.picture import Frame, ImageError, Picture
from convcli.images.read import read_header, read_picture
from convcli.jobs.read_ahead import Ahead
from convcli.jobs.stdin import standard_input
from convcli.layers.notation import format_size
from convcli.render import Answer, Row

WORKING = 24 * BAND * 8  # bytes that the measures take, whatever the pictures
COLUMNS = (
    "difference",
    "row",
    "column",
    "channel",
    "mean_squared_error",
    "psnr",
    "ssim",
    "beyond",
    "share",
)


class Limits(NamedTuple):
    """What is refused: pixels and frames of each picture, and bytes of memory for both."""

    pixels: int
    frames: int
    memory: int

    def read(self, source: Path | BinaryIO) -> Picture:
        """Return a picture, or raise ImageError."""
        return read_picture(source, self.pixels, max_frames=self.frames)

    def header(self, source: Path | BinaryIO) -> Picture:
        """Return what the header tells of a picture, or raise ImageError."""
        return read_header(source, self.pixels, max_frames=self.frames)


def differ(
    names: tuple[str, str],
    tolerance: float,
    limits: Limits,
    conversation: Conversation,
    answer: AnswerOptions,
) -> int:
    """Compare two pictures; print or write the rows, and draw the differences if -o names a picture.

    Return 0 where all samples are within the tolerance, else 1. Raises ImageError where a picture cannot be read, or
    where they differ in size, pixel mode or frames.
    """
    target = picture_of(answer)
    if target is not None:
        check_target(target[0], overwrite=answer.force)
    sources = _sources(names, limits.memory)
    titles = tuple("standard input" if name == "-" else name for name in names)
    headers = [limits.header(source) for source in sources]
    _check_alike(titles, *headers)
    _check_memory(titles, headers, limits.memory, target)
    other = Ahead(partial(limits.read, _again(sources[1])))
    a, b = limits.read(_again(sources[0])), other.result()
    _check_alike(titles, a, b)
    for title, picture in zip(titles, (a, b), strict=True):
        for note in picture.notes:
            if picture.format != RAW:  # of which nothing is taken as alpha here
                conversation.note(f"{title}: {note}")
    for note in _timing(titles, a, b):
        conversation.note(note)
    found = Found.of(a, b, tolerance)
    if target is not None:
        conversation.note(draw(*target, a, b, found, answer.force))
        answer = answer._replace(output=None)
    answer.give(conversation, _answer(found, tolerance, titles))
    if not found.whole["within"]:
        conversation.note(_verdict(titles, found.whole, tolerance))
    return 0 if found.whole["within"] else 1


def _sources(names: tuple[str, str], most: int) -> list[Path | BinaryIO]:
    if names == ("-", "-"):
        raise ArgumentError("both pictures are standard input, which holds one; name a file")
    return [standard_input(most) if name == "-" else Path(name) for name in names]


def _again(source: Path | BinaryIO) -> Path | BinaryIO:
    """Return what can be read from its start."""
    if not isinstance(source, Path):
        source.seek(0)
    return source


def _check_alike(titles: tuple[str, ...], a: Picture, b: Picture) -> None:
    """Raise ImageError where samples have no counterpart."""
    one, other = titles
    if len(a.frames) != len(b.frames):
        raise ImageError(
            f"{one} has {len(a.frames):,} frame(s) and {other} {len(b.frames):,}; take one of each, by convcli filter "
            "--kernel identity --frame 0"
        )
    for number, (x, y) in enumerate(zip(a.frames, b.frames, strict=True)):
        at = f" in frame {number}" if len(a.frames) > 1 else ""
        sizes = [frame.pixels.shape[:2] for frame in (x, y)]
        if sizes[0] != sizes[1]:
            raise ImageError(
                f"{one} is {format_size(sizes[0])} (rows x columns){at} and {other} {format_size(sizes[1])}; only "
                "pictures of one size are compared: crop or resize one"
            )
        kinds = [_kind(frame) for frame in (x, y)]
        if kinds[0] != kinds[1]:
            raise ImageError(
                f"{one} has the pixel mode {kinds[0]}{at} and {other} {kinds[1]}; convert one, as by convcli filter "
                "--kernel identity --channels r,g,b, or --gray"
            )


def _kind(frame: Frame) -> str:
    """Return what the samples of a frame are: their mode, and of counted channels their type too."""
    return f"{frame.mode} of {frame.pixels.dtype}" if is_counted(frame.mode) else frame.mode


def _check_memory(
    titles: tuple[str, ...], headers: list[Picture], limit: int, target: tuple[Path, str] | None
) -> None:
    """Refuse what would take too much: both pictures, one frame more of each while it is decoded, and the drawing."""
    sizes = [[frame.pixels.nbytes for frame in header.frames] for header in headers]
    needed = WORKING + sum(sum(each) + max(each) for each in sizes) + 2 * max(map(max, sizes))
    if target is not None:
        samples = sum(frame.pixels.size for frame in headers[0].frames)
        needed += (8 if target[1] == RAW else 2) * samples
    if needed > limit:
        raise ImageError(
            f"cannot compare {' and '.join(titles)}: it would take about {needed / 2**30:.1f} GiB of memory, over the "
            f"limit of {limit / 2**30:.1f}; raise it with --max-memory {-(-needed // 2**30)}G"
        )


def _timing(titles: tuple[str, ...], a: Picture, b: Picture) -> list[str]:
    """Say where animations differ in time, which is no difference of samples."""
    for number, (x, y) in enumerate(zip(a.frames, b.frames, strict=True)):
        if x.duration != y.duration and None not in (x.duration, y.duration):
            return [
                f"frame {number} stands {x.duration:g} ms in {titles[0]} and {y.duration:g} ms in {titles[1]}; "
                "timing is not compared"
            ]
    return []


# What is told


def _answer(found: Found, tolerance: float, titles: tuple[str, ...]) -> Answer:
    several = len(found.rows) > 1
    remarks = [
        f"difference: the largest |A - B|, A {titles[0]}, B {titles[1]}, and where the first one is, counted from 0",
        f"beyond: the samples that differ by more than {tolerance:g}, and their share of {found.whole['samples']:,}",
        "psnr: in dB, none where nothing differs; ssim: 1 where nothing differs, none of pictures smaller than "
        f"{SIDE}x{SIDE}",
    ]
    if found.hidden:
        remarks.append(f"the colours of {found.hidden:,} pixels, fully transparent in both, count as equal")
    return Answer(
        command="compare",
        version=__version__,
        rows=found.rows,
        results=[found.whole],
        totals={name: value for name, value in found.whole.items() if name != "frame"},
        columns=("frame", *COLUMNS) if several else COLUMNS,
        value=("difference",),
        remarks=remarks,
    )


def _verdict(titles: tuple[str, ...], whole: Row, tolerance: float) -> str:
    return (
        f"{titles[0]} and {titles[1]} differ by up to {_short(whole['difference'])}: {whole['beyond']:,} of "
        f"{whole['samples']:,} samples by more than {tolerance:g}"
    )


def _short(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:g}"
