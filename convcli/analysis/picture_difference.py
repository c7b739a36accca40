"""How far two pictures are apart: the samples of each frame, the largest difference and where it is."""

from __future__ import annotations

from collections.abc import Sequence
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
from convcli.layers.text.notation import format_size

WORKING = 24 * BAND * 8  # bytes that the measures take, whatever the pictures


class UnlikeError(ConvcliError):
    """Two pictures have no samples to compare: they differ in size, pixel mode or frames."""


class PictureDifference(NamedTuple):
    """What was measured: one row per frame, all of them in one, and how many samples were hidden."""

    rows: list[dict[str, Any]]
    whole: dict[str, Any]
    largest: float
    hidden: int

    @classmethod
    def of(cls, a: Picture, b: Picture, tolerance: float) -> PictureDifference:
        """Measure all frames."""
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


def check_alike(names: Sequence[str], a: Picture, b: Picture) -> None:
    """Raise UnlikeError where samples have no counterpart; their pixels may be black."""
    one, other = names
    if len(a.frames) != len(b.frames):
        raise UnlikeError(
            f"{one} has {len(a.frames):,} frame(s) and {other} {len(b.frames):,}; only as many are compared: "
            "choose one of each first"
        )
    for number, (x, y) in enumerate(zip(a.frames, b.frames, strict=True)):
        at = f" in frame {number}" if len(a.frames) > 1 else ""
        sizes = [frame.pixels.shape[:2] for frame in (x, y)]
        if sizes[0] != sizes[1]:
            raise UnlikeError(
                f"{one} is {format_size(sizes[0])} (rows x columns){at} and {other} {format_size(sizes[1])}; only "
                "pictures of one size are compared: crop or resize one"
            )
        kinds = [_kind(frame) for frame in (x, y)]
        if kinds[0] != kinds[1]:
            raise UnlikeError(
                f"{one} has the pixel mode {kinds[0]}{at} and {other} {kinds[1]}; only pictures of one mode are "
                "compared: convert one first"
            )


def _kind(frame: Frame) -> str:
    """Return what the samples of a frame are: their mode, and of counted channels their type too."""
    return f"{frame.mode} of {frame.pixels.dtype}" if is_counted(frame.mode) else frame.mode


def memory(a: Picture, b: Picture, form: str | None = None) -> int:
    """Foretell the bytes that it takes to read and compare two pictures, of which only the headers are known.

    Both are held, one frame more of each while it is decoded, and the map of the differences in a format, if any.
    """
    sizes = [[frame.pixels.nbytes for frame in header.frames] for header in (a, b)]
    needed = WORKING + sum(sum(each) + max(each) for each in sizes) + 2 * max(map(max, sizes))
    if form is not None:
        needed += (8 if form in NUMBERS else 2) * sum(frame.pixels.size for frame in a.frames)
    return needed


def timing_notes(names: Sequence[str], a: Picture, b: Picture) -> list[str]:
    """Say where animations differ in time, which is no difference of samples."""
    for number, (x, y) in enumerate(zip(a.frames, b.frames, strict=True)):
        if x.duration != y.duration and None not in (x.duration, y.duration):
            return [
                f"frame {number} stands {x.duration:g} ms in {names[0]} and {y.duration:g} ms in {names[1]}; "
                "timing is not compared"
            ]
    return []


def seen(a: Picture, b: Picture, number: int) -> tuple[NDArray[Any], NDArray[Any], int]:
    """Return a frame of each as (H, W, C), and how many of its pixels are hidden in both, and so made equal."""
    frame = a.frames[number]
    one, other = (
        each.pixels if each.pixels.ndim == 3 else each.pixels[..., None] for each in (frame, b.frames[number])
    )
    if not frame.has_alpha or {a.format, b.format} & set(NUMBERS):  # of numbers none is hidden
        return one, other, 0
    return _without_hidden(one, other)


def _without_hidden(a: NDArray[Any], b: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any], int]:
    """Return two (H, W, C), whose last channel is alpha, as alike where both are transparent; and at how many pixels.

    Nobody sees the colours of such a pixel, and programs write there what they like.
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
    """Say where the largest difference is, and what stands there."""
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
    """Put the measures of some frames into one row."""
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
    """Return a number; what is none, or infinite, as the word that JSON has no number for."""
    return value if isfinite(value) else str(value)
