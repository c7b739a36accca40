"""Processing by rows: pictures that do not fit in memory are read by rows, written by rows, or both."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

from convcli.images.picture import Picture
from convcli.jobs.work import PlanByRows, RowsToMake

LARGE = 1 << 29  # bytes that any machine has: jobs that need less are not processed by rows


class ByRows(NamedTuple):
    """Which of a job's pictures, the input or the output, are processed by rows.

    stored : the input picture, whose pixels stay in the file; None if it is decoded completely
    written : whether the output is written row by row
    memory : the peak memory of the job in bytes
    """

    stored: Picture | None
    written: bool
    memory: int

    @property
    def description(self) -> str:
        """The description that -v prints."""
        ends = ("decoded by rows",) * (self.stored is not None) + ("written by rows",) * self.written
        return ", ".join(ends)


class Whole(NamedTuple):
    """The memory in bytes of a job that is not processed by rows.

    reading : the peak while the input is decoded
    pixels : the decoded input, with the memory that the decoder keeps
    writing : the encoder, in addition to the result
    file : the file of the input, if it is held in memory
    """

    reading: int
    pixels: int
    writing: int
    file: int = 0


def by_rows(
    plan: PlanByRows, stored: Picture | None, form: str | None, whole: Whole, threads: int | None
) -> ByRows | None:
    """Return how a job is processed by rows and the memory that it needs; None if neither input nor output can be.

    form : the format of the output; None if it must be complete before it is written
    """
    from convcli.images.write_rows import takes_rows, writing

    written = form is not None and takes_rows(form)
    if stored is None and not written:
        return None
    pixels: Any = None if stored is None else stored.frames[0].pixels
    (frame,) = plan.made
    held = whole.file if stored is not None else whole.pixels
    running = held + plan.rows_memory(pixels)
    if written and form is not None:
        memory = running + writing(frame, form, threads)
    else:
        memory = max(running + frame.pixels.nbytes, frame.pixels.nbytes + whole.writing)
    return ByRows(stored, written, memory if stored is not None else max(memory, whole.reading))


def gathered(rows: RowsToMake) -> Picture:
    """Return the complete result as a picture in memory."""
    import numpy as np

    (frame,) = rows.black.frames
    pixels = np.empty(frame.pixels.shape, frame.pixels.dtype)
    top = 0
    for band in rows:
        pixels[top : top + len(band)] = band
        top += len(band)
    return replace(rows.black, frames=(replace(frame, pixels=pixels),))
