"""Pictures that are too large to be whole in memory: read by rows, written by rows, or both."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

from convcli.images.picture import Picture
from convcli.jobs.work import PlanByRows, RowsToMake

LARGE = 1 << 29  # bytes that any machine has


class ByRows(NamedTuple):
    """Which ends of a job are not whole in memory.

    stored : the picture, its pixels left in the file; None where it is decoded whole
    written : whether the result is written as it is made
    memory : the most bytes that all of it takes
    """

    stored: Picture | None
    written: bool
    memory: int

    @property
    def said(self) -> str:
        """What -v prints about it."""
        ends = ("decoded by rows",) * (self.stored is not None) + ("written by rows",) * self.written
        return ", ".join(ends)


class Whole(NamedTuple):
    """The bytes of a job whose picture is whole in memory.

    reading : while it is decoded
    pixels : of it, with what the decoder keeps
    writing : beside the result, while that is encoded
    """

    reading: int
    pixels: int
    writing: int


def by_rows(
    plan: PlanByRows, stored: Picture | None, form: str | None, whole: Whole, threads: int | None
) -> ByRows | None:
    """Return how a job goes by rows, and what it takes; None where no end of it can.

    form : of the output; None where it is to be whole before it is written
    """
    from convcli.images.write_rows import takes_rows, writing

    written = form is not None and takes_rows(form)
    if stored is None and not written:
        return None
    pixels: Any = None if stored is None else stored.frames[0].pixels
    (frame,) = plan.made
    held = 0 if stored is not None else whole.pixels
    running = held + plan.rows_memory(pixels)
    if written and form is not None:
        memory = running + writing(frame, form, threads)
    else:
        memory = max(running + frame.pixels.nbytes, frame.pixels.nbytes + whole.writing)
    return ByRows(stored, written, memory if stored is not None else max(memory, whole.reading))


def gathered(rows: RowsToMake) -> Picture:
    """Return the result whole."""
    import numpy as np

    (frame,) = rows.black.frames
    pixels = np.empty(frame.pixels.shape, frame.pixels.dtype)
    top = 0
    for band in rows:
        pixels[top : top + len(band)] = band
        top += len(band)
    return replace(rows.black, frames=(replace(frame, pixels=pixels),))
