"""One job: a picture is opened, planned for, read, worked on, encoded and written, whatever the work is."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from io import BytesIO
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, Protocol

from convcli.batch import MEMORY, WRITES, Outcome
from convcli.errors import ConvcliError
from convcli.files import ExistsError
from convcli.images.codec_memory import encoding, pooled
from convcli.images.coding import Coding
from convcli.images.formats import format_of
from convcli.images.header import FrameHeader
from convcli.images.picture import Frame, Picture
from convcli.images.write import check_fits, encode
from convcli.jobs.dry_run import foretold, sentence
from convcli.jobs.job import DASH, Job
from convcli.jobs.memory_limit import check_memory
from convcli.jobs.read_ahead import OpenedAhead, Readable
from convcli.jobs.save import Save
from convcli.layers.text.notation import format_size

if TYPE_CHECKING:
    from convcli.images.header import Header

Facts = dict[str, Any]  # of a report


class Colours(Protocol):
    """What a picture becomes before the work begins, such as some of its channels."""

    def ahead(self, header: Header, name: str) -> tuple[Picture, int]:
        """Return what `converted` will make of a header's picture, its pixels black, and the bytes that it takes."""

    def converted(self, picture: Picture, name: str) -> Picture:
        """Return a picture as it was asked for."""


class Reading(Protocol):
    """How pictures are read."""

    @property
    def colours(self) -> Colours:
        """What they become before the work begins."""

    def open(self, source: Path | BinaryIO) -> AbstractContextManager[Readable]:
        """Open a picture."""


class Result(Protocol):
    """What the work made of a picture."""

    @property
    def picture(self) -> Picture:
        """What is written."""

    @property
    def how(self) -> str:
        """How it was done, for those who want details."""

    @property
    def notes(self) -> Sequence[str]:
        """What the user should know."""

    @property
    def facts(self) -> Mapping[str, Any]:
        """What a report tells beside files, sizes and modes."""

    @property
    def record(self) -> Mapping[str, Any] | None:
        """What is printed beside them, as a line of JSON; None where the path alone is printed."""


class Plan(Protocol):
    """What will be done to one picture, known from its header."""

    @property
    def made(self) -> Sequence[Frame]:
        """The frames that will be made, black."""

    @property
    def memory(self) -> int:
        """The most bytes that are taken while frames become others, those frames included."""

    @property
    def said(self) -> str:
        """What runs, as a part of a sentence."""

    @property
    def facts(self) -> Mapping[str, Any]:
        """What runs, as JSON has it; `seconds` says how long it will take on a core, where that is known."""

    @property
    def notes(self) -> Sequence[str]:
        """What the user should know before it runs."""

    def filled(self, picture: Picture) -> Plan:
        """Return the plan for the picture itself."""

    def run(self) -> Result:
        """Do it; the pixels are not kept."""


class Work(Protocol):
    """What a run does to each picture."""

    @property
    def verb(self) -> str:
        """What messages call it."""

    @property
    def lighter(self) -> str:
        """What else than a smaller picture would take less memory, if anything."""

    def plan(self, name: str, target: str, picture: Picture, form: str) -> Plan:
        """Return what will be done to a picture, or raise an error where that cannot be.

        name, target : what messages call the input and the output
        picture : its pixels may be black
        form : the format of the output
        """


class _Planned(NamedTuple):
    """A plan, the picture that it is for, where the result goes, and the most bytes that all of it takes."""

    plan: Plan
    picture: Picture
    target: str
    form: str
    memory: int


@dataclass(frozen=True)
class FileToFile:
    """What one run does, to be called with each job, in whichever process.

    threads : of an encoder
    dry_run, as_json : whether it is only told what would be done, and whether as JSON
    reported : whether a report asks for facts
    ahead : the only picture of the run, where it was opened already
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

    def __call__(self, job: Job) -> Outcome:
        """Do a job and time it; its outcome says where the picture went, or is the picture itself."""
        started, facts = time.perf_counter(), Facts()
        try:
            outcome = self._done(job, facts)
        except ConvcliError as error:
            outcome = Outcome(error=error)
            if self.skip_existing and isinstance(error, ExistsError):  # another run has made it meanwhile
                outcome = _skipped(job)
        seconds = time.perf_counter() - started
        details = outcome.details
        if not outcome.skipped:
            details = tuple(f"{detail}, {seconds:.2f} s" for detail in details)
        return replace(outcome, details=details, facts={**facts, "seconds": round(seconds, 4)})

    def _done(self, job: Job, facts: Facts) -> Outcome:
        """Do a job; what is known of it is noted in `facts` on the way, for a job that fails, too."""
        if job.problem is not None:
            raise job.problem
        if self.skip_existing and job.is_done:
            if not self.dry_run:
                self.save.tidy(job)
            return _skipped(job, aloud=self.dry_run)
        if job.target is not DASH:
            self.save.check(job.target)
        with ExitStack() as shares:
            with self._opened(job, facts) as opened:
                header, reading = self.reading.colours.ahead(opened.header, job.name)
                planned = self._planned(job, header, reading)
                if self.dry_run:
                    return self._foretold(job, planned)
                shares.enter_context(MEMORY.share(planned.memory, self.max_memory))
                picture = opened.read()
            picture = self.reading.colours.converted(picture, job.name)
            # A frame may differ from the first of an animation, by which its header was told.
            if _kinds(picture) == _kinds(header):
                planned = planned._replace(plan=planned.plan.filled(picture), picture=picture.black())
            else:
                planned = self._planned(job, picture, reading)
                planned = planned._replace(picture=picture.black())
            del picture
            return self._written(job, planned, facts)

    def _opened(self, job: Job, facts: Facts) -> AbstractContextManager[Readable]:
        source = job.stream(self.max_memory) if job.source is DASH else job.source
        if self.reported:
            from convcli.jobs.report import weighed

            facts |= weighed("input", source)
        if self.ahead is not None:
            return self.ahead
        return self.reading.open(source)

    def _planned(self, job: Job, picture: Picture, reading: int) -> _Planned:
        """Plan for a picture, whose pixels may be black; or raise an error where the job cannot be done.

        reading : the bytes that it takes to read the picture
        """
        form = job.form or (picture.format if job.target is DASH else format_of(job.target))
        self.coding.check(form, job.name)
        target = "standard output" if job.target is DASH else str(job.target)
        plan = self.work.plan(job.name, target, picture, form)
        frames = tuple(plan.made)
        check_fits(replace(picture, frames=frames), form, target)
        headers = list(map(FrameHeader.of, frames))
        writing = encoding(headers, form, self.coding, picture.coded, self.threads)
        pool = pooled(list(map(FrameHeader.of, picture.frames)))
        memory = max(reading, plan.memory + pool, _bytes(frames) + writing)
        way = f"take {'one frame by `frame`, ' if len(picture.frames) > 1 else ''}a smaller picture"
        way += f", or {self.work.lighter}" if self.work.lighter else ""
        check_memory(f"{self.work.verb} {job.name}", memory, self.max_memory, way)
        return _Planned(plan, picture, target, form, memory)

    def _foretold(self, job: Job, planned: _Planned) -> Outcome:
        plan, picture = planned.plan, planned.picture
        after = replace(picture, frames=tuple(plan.made), format=planned.form)
        facts = foretold(job.name, planned.target, picture, after, plan.facts, planned.memory)
        text = json.dumps(facts) if self.as_json else sentence(facts, plan.said)
        return Outcome(answer=f"{text}\n".encode(), notes=tuple(plan.notes))

    def _written(self, job: Job, planned: _Planned, facts: Facts) -> Outcome:
        """Do what is planned, and write what it makes."""
        before, result = planned.picture, planned.plan.run()
        made = result.picture
        data, losses = encode(made, planned.form, planned.target, self.coding, self.threads)
        if job.target is not DASH:
            with WRITES:
                self.save.write(job, data)
        if self.reported:
            facts |= _told(before, result, data)
        return Outcome(
            answer=data if job.target is DASH else _answer(job, result),
            notes=(*made.notes, *result.notes, *losses),
            details=(f"{_summary(before, made)}, {result.how}",),
            pixels=sum(prod(frame.pixels.shape[:2]) for frame in before.frames),
        )


def _skipped(job: Job, *, aloud: bool = False) -> Outcome:
    """Return the outcome of a job whose output is there already; `aloud` says so without -v."""
    said = (f"skipped, {job.target} exists",)
    return Outcome(skipped=True, notes=said if aloud else (), details=() if aloud else said)


def _answer(job: Job, result: Result) -> bytes:
    """Return the line that is printed of a picture which was written to a file: its path, or a record."""
    text = str(job.target)
    if result.record is not None:
        named = {"input": job.name, "output": text}
        text = json.dumps({**named, **_described(result.picture), **result.record})
    return os.fsencode(text) + b"\n"


def _told(before: Picture, result: Result, data: bytes) -> Facts:
    """Return what a report tells of a picture beside its files' names."""
    from convcli.jobs.report import weighed

    return {
        **weighed("output", BytesIO(data)),
        "input_size": list(before.frames[0].pixels.shape[:2]),
        **_described(result.picture),
        **result.facts,
    }


def _described(picture: Picture) -> Facts:
    first = picture.frames[0]
    return {"mode": first.mode, "size": list(first.pixels.shape[:2]), "frames": len(picture.frames)}


def _bytes(frames: Iterable[Frame]) -> int:
    return sum(frame.pixels.nbytes for frame in frames)


def _kinds(picture: Picture) -> list[tuple[Any, ...]]:
    """Return what a plan depends on."""
    return [(frame.mode, frame.pixels.dtype, frame.pixels.shape) for frame in picture.frames]


def _summary(picture: Picture, result: Picture) -> str:
    before, after = picture.frames[0], result.frames[0]
    sizes = f"{format_size(before.pixels.shape[:2])} to {format_size(after.pixels.shape[:2])}"
    return f"{picture.format}, {before.mode}, {len(picture.frames)} frame(s), rows x columns {sizes}"
