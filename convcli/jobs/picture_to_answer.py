"""The job that prints an answer about a picture, such as its classes, as a line of JSON; it writes no file."""

from __future__ import annotations

import json
import os
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from math import prod
from typing import Any, Protocol

from convcli.batch.budget import MEMORY
from convcli.batch.outcome import Outcome
from convcli.errors import ConvcliError
from convcli.images.picture import Picture
from convcli.jobs.job import DASH, Job
from convcli.jobs.memory_limit import check_memory
from convcli.jobs.read_source import Reading


class Question(Protocol):
    """A question that can be answered for each picture."""

    @property
    def verb(self) -> str:
        """The verb for messages, such as "classify"."""

    def memory(self, name: str, picture: Picture) -> int:
        """Estimate the bytes that the answer needs, from the header of a picture."""

    def notes(self, name: str, picture: Picture) -> tuple[str, ...]:
        """Return the messages about a picture that are printed by default."""

    def details(self, name: str, picture: Picture) -> tuple[str, ...]:
        """Return the messages about a picture that are printed with -v."""

    def answer(self, name: str, picture: Picture) -> dict[str, Any]:
        """Return the answer, which can be encoded as JSON."""


@dataclass(frozen=True)
class PictureToAnswer:
    """The function that a run calls with each job, in this process or in another."""

    question: Question
    reading: Reading
    max_memory: int

    def __call__(self, job: Job) -> Outcome:
        """Run a job and time it; the outcome has the line to be printed."""
        started = time.perf_counter()
        try:
            outcome = self._answered(job)
        except ConvcliError as error:
            return Outcome(error=error, facts={"seconds": round(time.perf_counter() - started, 4)})
        seconds = time.perf_counter() - started
        details = tuple(f"{detail}, {seconds:.2f} s" for detail in outcome.details)
        return replace(outcome, details=details, facts={**outcome.facts, "seconds": round(seconds, 4)})

    def _answered(self, job: Job) -> Outcome:
        if job.problem is not None:
            raise job.problem
        with ExitStack() as stack:
            source = job.stream(self.max_memory) if job.source is DASH else job.source
            opened = stack.enter_context(self.reading.open(source))
            header, memory = self.reading.colours.ahead(opened.header, job.name)
            needed = max(memory, self.question.memory(job.name, header))
            check_memory(f"{self.question.verb} {job.name}", needed, self.max_memory, "use a smaller picture")
            stack.enter_context(MEMORY.share(needed, self.max_memory))
            picture = self.reading.colours.converted(opened.read(), job.name)
            record = self.question.answer(job.name, picture)
            notes = self.question.notes(job.name, picture)
            details = self.question.details(job.name, picture)
        pixels = sum(prod(frame.pixels.shape[:2]) for frame in picture.frames)
        line = json.dumps({"input": job.name, **record})
        answer = os.fsencode(line) + b"\n"
        return Outcome(answer=answer, notes=notes, details=details, facts=record, pixels=pixels)
