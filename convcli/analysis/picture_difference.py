"""The difference of two pictures, frame by frame: the measures, and where the largest difference is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf, isfinite
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from convcli.analysis.difference import Difference, decibels, diff
from convcli.analysis.similarity import BAND
from convcli.backend.values import full_scale
from convcli.errors import ConvcliError
from convcli.images.formats import NUMBERS
from convcli.images.modes import is_counted
from convcli.images.picture import Frame, Picture
from convcli.images.size_in_words import size_in_words

WORKING = 24 * BAND * 8  # bytes of working memory for the measures, independent of the pictures


class UnlikeError(ConvcliError):
    """Two pictures cannot be compared: they differ in size, pixel mode or number of frames."""


class PictureDifference(NamedTuple):
    """The measures of two pictures.

    rows : one row per frame
    whole : all frames in one row
    largest : the largest difference of all frames
    hidden : the number of pixels that are transparent in both pictures and count as equal
    """

    rows: list[dict[str, Any]]
    whole: dict[str, Any]
    largest: float
    hidden: int

    @classmethod
    def of(cls, a: Picture, b: Picture, tolerance: float) -> PictureDifference:
        """Compare all frames."""
        found: list[Difference] = []
        hidden, rows = 0, []
        for number in range(len(a.frames)):
            one, other, unseen = seen(a, b, number)
            hidden += unseen
            found.append(diff(one, other, tolerance, peak=full_scale(one.dtype)))
            where = _where(number, a.frames[number], found[-1], one, other)
            rows.append({**where, **_measures(found[-1:], found[-1].peak)})
        worst = max(range(len(rows)), key=lambda number: found[number].largest)
        names = ("frame", "row", "column", "channel", "first", "second")
        whole = {name: rows[worst][name] for name in names}
        whole |= _measures(found, found[worst].peak)
        return cls(rows, whole, found[worst].largest, hidden)


Way = Callable[[Sequence[str], Frame, Frame, bool], str]


def check_alike(
    names: Sequence[str], a: Picture, b: Picture, way: Way = lambda names, x, y, several: ""
) -> None:
    """Raise UnlikeError if two pictures cannot be compared; their headers are sufficient.

    way : returns the end of the error for frames of two modes, and whether there are several: how to convert one
    """
    one, other = names
    if len(a.frames) != len(b.frames):
        raise UnlikeError(
            f"{one} has {len(a.frames):,} frame(s) and {other} {len(b.frames):,}; only pictures with the same number "
            "of frames are compared: extract one frame of each first"
        )
    for number, (x, y) in enumerate(zip(a.frames, b.frames, strict=True)):
        at = f" in frame {number}" if len(a.frames) > 1 else ""
        sizes = [frame.pixels.shape[:2] for frame in (x, y)]
        if sizes[0] != sizes[1]:
            raise UnlikeError(
                f"{one} is {size_in_words(sizes[0])}{at} and {other} {size_in_words(sizes[1])}; only "
                "pictures of the same size are compared: crop or resize one"
            )
        kinds = [_kind(frame) for frame in (x, y)]
        if kinds[0] != kinds[1]:
            raise UnlikeError(
                f"{one} has the pixel mode {kinds[0]}{at} and {other} {kinds[1]}; only pictures of the same mode are "
                f"compared: convert one first{way(names, x, y, len(a.frames) > 1)}"
            )


def _kind(frame: Frame) -> str:
    """Return the pixel mode of a frame, with the dtype if the mode only counts channels."""
    return f"{frame.mode} of {frame.pixels.dtype}" if is_counted(frame.mode) else frame.mode


def memory(a: Picture, b: Picture, form: str | None = None) -> int:
    """Estimate the bytes that reading and comparing two pictures needs, from their headers.

    form : the format of the map of differences; None without a map

    Counted are both pictures, one more frame of each while it is decoded, and the map.
    """
    sizes = [[frame.pixels.nbytes for frame in header.frames] for header in (a, b)]
    needed = WORKING + sum(sum(each) + max(each) for each in sizes) + 2 * max(map(max, sizes))
    if form is not None:
        needed += (8 if form in NUMBERS else 2) * sum(frame.pixels.size for frame in a.frames)
    return needed


def timing_notes(names: Sequence[str], a: Picture, b: Picture) -> list[str]:
    """Return a note if two animations differ in timing, which is not compared."""
    for number, (x, y) in enumerate(zip(a.frames, b.frames, strict=True)):
        if x.duration != y.duration and None not in (x.duration, y.duration):
            return [
                f"frame {number} lasts {x.duration:g} ms in {names[0]} and {y.duration:g} ms in {names[1]}; "
                "timing is not compared"
            ]
    return []


def seen(a: Picture, b: Picture, number: int) -> tuple[NDArray[Any], NDArray[Any], int]:
    """Return a frame of each picture as (H, W, C), and the number of pixels that are hidden in both.

    Pixels that are transparent in both pictures are made equal.
    """
    frame = a.frames[number]
    one, other = (
        each.pixels if each.pixels.ndim == 3 else each.pixels[..., None] for each in (frame, b.frames[number])
    )
    if not frame.has_alpha or {a.format, b.format} & set(NUMBERS):  # in arrays of numbers every value counts
        return one, other, 0
    return _without_hidden(one, other)


def _without_hidden(a: NDArray[Any], b: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any], int]:
    """Set the pixels to 0 that are transparent in both frames; return the frames and the number of such pixels.

    a, b : (H, W, C), whose last channel is alpha

    The colours of transparent pixels are invisible, and programs store arbitrary values there.
    """
    hidden = (a[..., -1] == 0) & (b[..., -1] == 0)
    count = int(np.count_nonzero(hidden))
    if count:
        a, b = a.copy(), b.copy()
        a[hidden] = b[hidden] = 0
    return a, b, count


def _where(
    number: int, frame: Frame, measured: Difference, one: NDArray[Any], other: NDArray[Any]
) -> dict[str, Any]:
    """Return where the largest difference of a frame is, and the two samples."""
    place = measured.place
    if place is None:
        return {
            "frame": number, "row": None, "column": None, "channel": None, "first": None, "second": None,
        }  # fmt: skip
    row, column, channel = place
    letters = frame.channels
    return {
        "frame": number,
        "row": row,
        "column": column,
        "channel": letters[channel] if len(letters) == one.shape[2] else channel,
        "first": _number(one[place].item()),
        "second": _number(other[place].item()),
    }


def _measures(found: list[Difference], peak: float) -> dict[str, Any]:
    """Combine the measures of some frames in one row."""
    samples = sum(each.samples for each in found)
    beyond = sum(each.beyond for each in found)
    error = sum(each.squares for each in found) / samples
    ratio = decibels(error, peak)
    likenesses = [each.ssim for each in found if each.ssim is not None]
    return {
        "difference": _number(max(each.largest for each in found)),
        "mean_squared_error": _number(error),
        "psnr": None if ratio == inf else _number(ratio),
        "ssim": sum(likenesses) / len(likenesses) if len(likenesses) == len(found) else None,
        "beyond": beyond,
        "samples": samples,
        "share": beyond / samples,
        "tolerance": found[0].tolerance,
        "within": beyond == 0,
    }


def _number(value: float) -> float | str:
    """Return a number; NaN and infinities as text, because JSON cannot represent them."""
    return value if isfinite(value) else str(value)
