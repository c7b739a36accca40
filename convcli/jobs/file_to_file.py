"""The job that filters, matches or runs a network: open a picture, plan, read, work, encode and write."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from io import BytesIO
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from convcli.batch.budget import MEMORY
from convcli.batch.gate import WRITES
from convcli.batch.outcome import Outcome
from convcli.errors import ArgumentError, ConvcliError
from convcli.files import ExistsError
from convcli.images.codec_memory import encoding, pooled, pooled_of_many
from convcli.images.coding import Coding
from convcli.images.encoders import check_encoder
from convcli.images.formats import ARRAYS, output_format
from convcli.images.header import FrameHeader, Header
from convcli.images.picture import Frame, Picture
from convcli.images.size_in_words import size_in_words
from convcli.images.write import check_fits, encode
from convcli.images.write_rows import rows_writer
from convcli.jobs.by_rows import LARGE, ByRows, Whole, by_rows, gathered
from convcli.jobs.dry_run import dry_run_facts, sentence
from convcli.jobs.job import DASH, Job
from convcli.jobs.memory_limit import check_memory
from convcli.jobs.read_ahead import OpenedAhead
from convcli.jobs.save import Save
from convcli.jobs.work import Opening, Plan, PlanByRows, Reading, Result, Work, WorkWithMasks

if TYPE_CHECKING:
    from convcli.images.preview import Screen

Facts = dict[str, Any]  # the fields of a report


class ReadingMemory(NamedTuple):
    """The peak memory of reading a picture, and the memory that Pillow keeps afterwards, in bytes."""

    reading: int
    pool: int


class _Planned(NamedTuple):
    """A plan, the picture that it is for, the target and format of the result, and the peak memory in bytes.

    rows : how the job is processed by rows; None if the picture and its result are in memory completely
    """

    plan: Plan
    picture: Picture
    target: str
    form: str
    memory: int
    rows: ByRows | None = None


@dataclass(frozen=True)
class FileToFile:
    """The function that a run calls with each job, in this process or in another.

    threads : the number of threads of an encoder
    dry_run, as_json : whether only to describe what would be done, and whether as JSON
    reported : whether the run writes a report, which needs facts
    ahead : the only picture of the run, if it was opened already
    alone : whether the run has only one picture
    screen : the terminal on which pictures are shown; None if they are not
    writes : whether pictures are written to their targets, and not only shown
    """

    work: Work
    reading: Reading
    coding: Coding
    save: Save
    max_memory: int
    threads: int | None = None
    skip_existing: bool = False
    dry_run: bool = False
    as_json: bool = False
    reported: bool = False
    ahead: OpenedAhead | None = None
    alone: bool = False
    screen: Screen | None = None
    writes: bool = True

    def __call__(self, job: Job) -> Outcome:
        """Run a job and time it; the outcome has the path of the written picture, or the picture itself."""
        started, facts = time.perf_counter(), Facts()
        try:
            outcome = self._done(job, facts)
        except ConvcliError as error:
            outcome = Outcome(error=error)
            if self.skip_existing and isinstance(error, ExistsError):  # another process has just written it
                outcome = _skipped(job)
        seconds = time.perf_counter() - started
        details = outcome.details
        if not outcome.skipped:
            details = tuple(f"{detail}, {seconds:.2f} s" for detail in details)
        return replace(outcome, details=details, facts={**facts, "seconds": round(seconds, 4)})

    def _done(self, job: Job, facts: Facts) -> Outcome:
        """Run a job; add to `facts` what is known about it, so that a report has them even if the job fails."""
        if job.problem is not None:
            raise job.problem
        if self.skip_existing and job.is_done:
            if not self.dry_run:
                self.save.tidy(job)
            return _skipped(job, aloud=self.dry_run)
        if job.target is not DASH:
            self.save.check(job.target)
        with ExitStack() as shares, ExitStack() as files:
            opened = files.enter_context(self._opened(job, facts))
            header, reading = self.reading.colours.ahead(opened.header, job.name)
            pool = self._pool(opened.header)
            planned = self._planned(job, header, reading, pool)
            may_go_by_rows = planned.plan.has_rows and self.screen is None
            if planned.memory > min(LARGE, self.max_memory) and may_go_by_rows:
                planned = self._by_rows(job, planned, opened, files, ReadingMemory(reading, pool))
            self._check(job, planned)
            if self.dry_run:
                return self._described(job, planned)
            shares.enter_context(MEMORY.share(planned.memory, self.max_memory))
            if planned.rows is not None and planned.rows.stored is not None:
                picture = planned.rows.stored
            else:
                picture = opened.read()
                files.close()
                picture = self.reading.colours.converted(picture, job.name)
            # A frame of an animation may differ from the first one, from which the header was made.
            if _kinds(picture) == _kinds(header):
                planned = planned._replace(plan=planned.plan.filled(picture), picture=picture.black())
            else:
                planned = self._planned(job, picture, reading, pool)
                self._check(job, planned)
                planned = planned._replace(picture=picture.black())
            del picture
            return self._written(job, planned, facts)

    def _opened(self, job: Job, facts: Facts) -> AbstractContextManager[Opening | OpenedAhead]:
        source = job.stream(self.max_memory) if job.source is DASH else job.source
        if self.reported:
            from convcli.jobs.report import weighed

            facts |= weighed("input", source)
        if self.ahead is not None:
            return self.ahead
        return self.reading.open(source)

    def _pool(self, header: Header) -> int:
        """Return the bytes that Pillow keeps after decoding: of this picture, or of earlier ones."""
        if self.alone:
            return pooled(header.frames)
        return 0 if header.format == "NPY" else pooled_of_many(header.frames)

    def _planned(self, job: Job, picture: Picture, reading: int, pool: int) -> _Planned:
        """Plan the work on a picture, of which only the header is needed; raise an error if the job is impossible.

        reading, pool : the bytes that reading the picture needs, and those that Pillow keeps afterwards
        """
        form = job.form or (picture.format if job.target is DASH else output_format(job.target))
        self.coding.check(form, job.name)
        if picture.layout != "hwc" and not {picture.format, form} & set(ARRAYS):
            raise ArgumentError(
                f"{job.name}: `layout={picture.layout!r}` applies to arrays, {' and '.join(ARRAYS)}, not to "
                f"{picture.format} or {form}; leave it out"
            )
        target = "standard output" if job.target is DASH else str(job.target)
        work = self.work if job.mask is None else cast(WorkWithMasks, self.work).with_mask(job.mask, job.name)
        plan = work.plan(job.name, target, picture, form)
        frames = tuple(plan.made)
        check_fits(replace(picture, frames=frames), form, target)
        if self.writes:
            check_encoder(replace(picture, frames=frames), form, target, self.coding)
        headers = list(map(FrameHeader.of, frames))
        writing = encoding(headers, form, self.coding, picture.coded, self.threads) if self.writes else 0
        if self.screen is not None:
            from convcli.images.preview import SHOWING

            writing = max(writing, SHOWING * prod(frames[0].pixels.shape[:2]))
        memory = max(reading, plan.memory + pool, _bytes(frames) + writing)
        return _Planned(plan, picture, target, form, memory)

    def _by_rows(
        self,
        job: Job,
        planned: _Planned,
        opened: Opening | OpenedAhead,
        files: ExitStack,
        read_memory: ReadingMemory,
    ) -> _Planned:
        """Return a plan that processes the picture or the result by rows, if that needs less memory."""
        plan = cast(PlanByRows, planned.plan)
        stored = None
        if not isinstance(opened, OpenedAhead):
            stored = opened.stored()
        elif not opened.decodes:  # the thread that opened it does not decode it, and closes it
            stored = files.enter_context(self.reading.open(job.source)).stored()
        if stored is not None:
            stored = self.reading.colours.stored(stored, job.name)
        (frame,) = plan.made
        writing = encoding(
            [FrameHeader.of(frame)], planned.form, self.coding, planned.picture.coded, self.threads
        )
        held = _bytes(planned.picture.frames) + read_memory.pool
        whole = Whole(read_memory.reading, held, writing, opened.header.held)
        whole_alone = job.target is DASH or planned.picture.layout != "hwc"
        form = None if whole_alone else planned.form
        rows = by_rows(plan, stored, form, whole, self.threads)
        if rows is None or rows.memory >= planned.memory:
            return planned
        return planned._replace(memory=rows.memory, rows=rows)

    def _check(self, job: Job, planned: _Planned) -> None:
        """Raise ImageError if the job would need more memory than the limit."""
        several = len(planned.picture.frames) > 1
        hint = f"use {'one frame with `frame`, ' if several else ''}a smaller picture"
        hint += f", or {self.work.lighter}" if self.work.lighter else ""
        check_memory(f"{self.work.verb} {job.name}", planned.memory, self.max_memory, hint)

    def _described(self, job: Job, planned: _Planned) -> Outcome:
        """Return the outcome of a dry run."""
        plan, picture = planned.plan, planned.picture
        after = replace(picture, frames=tuple(plan.made), format=planned.form)
        rows = planned.rows
        ends = (rows is not None and rows.stored is not None, rows is not None and rows.written)
        facts = dry_run_facts(job.name, planned.target, picture, after, plan.facts, planned.memory, ends)
        text = json.dumps(facts) if self.as_json else sentence(facts, plan.description)
        return Outcome(answer=f"{text}\n".encode(), notes=tuple(plan.notes))

    def _written(self, job: Job, planned: _Planned, facts: Facts) -> Outcome:
        """Run the plan and write its result."""
        before, rows, how = planned.picture, planned.rows, ""
        data: bytes | None = None  # the encoded output, if it is not written by rows
        losses: tuple[str, ...] = ()
        if rows is None:
            result = planned.plan.run()
            made = result.picture
        else:
            to_make, how = cast(PlanByRows, planned.plan).rows(), f", {rows.description}"
            made = to_make.black
            if rows.written:
                writer = rows_writer(made, planned.form, self.threads, self.coding)
                self.save.write_by(job, lambda file: writer.write(file, to_make))
                losses = writer.notes
            else:
                made = gathered(to_make)
            result = to_make.result()
        shown = b""
        if self.screen is not None:
            from convcli.images.preview import preview

            shown, more = preview(made.frames[0], self.screen, job.name)
            made = replace(made, notes=(*made.notes, *more))
        if self.writes and (rows is None or not rows.written):
            data, losses = encode(made, planned.form, planned.target, self.coding, self.threads)
            if job.target is not DASH:
                with WRITES:
                    self.save.write(job, data)
        if self.reported:
            facts |= _result_facts(before, result, job.target if data is None else BytesIO(data))
        if job.target is DASH and data is not None:
            answer, written = data, b""
        elif result.record is not None:
            answer, written = _record(job, result, result.record), b""
        else:
            answer, written = b"", os.fsencode(job.target) + b"\n" if self.writes else b""
        return Outcome(
            answer=answer,
            written=written,
            shown=shown,
            notes=(*made.notes, *result.notes, *losses),
            details=(f"{_summary(before, made)}, {result.how}{how}",),
            pixels=sum(prod(frame.pixels.shape[:2]) for frame in before.frames),
        )


def _skipped(job: Job, *, aloud: bool = False) -> Outcome:
    """Return the outcome of a job whose output exists; with `aloud`, it is reported even without -v."""
    notes = (f"skipped, {job.target} exists",)
    return Outcome(skipped=True, notes=notes if aloud else (), details=() if aloud else notes)


def _record(job: Job, result: Result, record: Mapping[str, Any]) -> bytes:
    """Return the record of a written picture as a line of JSON."""
    named = {"input": job.name, "output": None if job.target is DASH else str(job.target)}
    return os.fsencode(json.dumps({**named, **_picture_facts(result.picture), **record})) + b"\n"


def _result_facts(before: Picture, result: Result, output: Path | BytesIO) -> Facts:
    """Return the fields of a report about a picture, in addition to the names of its files."""
    from convcli.jobs.report import weighed

    return {
        **weighed("output", output),
        "input_size": list(before.frames[0].pixels.shape[:2]),
        **_picture_facts(result.picture),
        **result.facts,
    }


def _picture_facts(picture: Picture) -> Facts:
    first = picture.frames[0]
    return {"mode": first.mode, "size": list(first.pixels.shape[:2]), "frames": len(picture.frames)}


def _bytes(frames: Iterable[Frame]) -> int:
    return sum(frame.pixels.nbytes for frame in frames)


def _kinds(picture: Picture) -> list[tuple[Any, ...]]:
    """Return the modes, dtypes and shapes of the frames, on which a plan depends."""
    return [(frame.mode, frame.pixels.dtype, frame.pixels.shape) for frame in picture.frames]


def _summary(picture: Picture, result: Picture) -> str:
    before, after = picture.frames[0], result.frames[0]
    sizes = f"{size_in_words(before.pixels.shape)} to {size_in_words(after.pixels.shape)}"
    return f"{picture.format}, {before.mode}, {len(picture.frames)} frame(s), {sizes}"
