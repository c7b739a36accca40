"""One picture from its file through the filter to its output: what `convcli filter` does to each input."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from functools import reduce
from io import BytesIO
from itertools import islice
from math import prod
from operator import add
from typing import TYPE_CHECKING, Any

from convcli.batch import MEMORY, WRITES, Outcome
from convcli.cli.ahead import OpenedAhead, Readable
from convcli.cli.coding import check_coding
from convcli.cli.outcomes import Facts, outcome_of, skipped
from convcli.cli.reading import Reading
from convcli.cli.targets import DASH, Job
from convcli.cli.writing import Writing
from convcli.filters.plan import Unit
from convcli.filters.run import Made, Worker, check_memory, mixing_error
from convcli.images.channels import recoloured
from convcli.images.coding import Coding
from convcli.images.formats import format_of
from convcli.images.header import FrameHeader
from convcli.images.memory import encoding
from convcli.images.picture import Frame, Picture
from convcli.images.write import check_fits, encode
from convcli.layers.notation import format_size
from convcli.render import visible

if TYPE_CHECKING:
    from convcli.images.metadata.geometry import Moves, Origin


@dataclass
class Plan:
    """What will be done to a picture.

    target : what errors call the output
    made : the results of each unit, black
    memory : the bytes that it takes at most, from reading to writing
    """

    picture: Picture
    form: str
    target: str
    units: list[Unit]
    made: list[list[Frame]]
    memory: int

    def filled(self, picture: Picture) -> Plan:
        """Return the plan for the picture itself."""
        left = iter(picture.frames)
        units = [unit.filled(tuple(islice(left, len(unit.frames)))) for unit in self.units]
        return replace(self, picture=picture, units=units)

    def taken(self) -> list[Unit]:
        """Hand over the units, and with them the pixels: they are not kept."""
        units, self.units, self.picture = self.units, [], _black(self.picture)
        return units


@dataclass(frozen=True)
class Filtering:
    """The options of one run, to be called with each job, in whichever process."""

    worker: Worker
    reading: Reading
    coding: Coding
    force: bool
    writing: Writing
    stats: bool
    dry_run: bool
    reported: bool = False  # whether a report asks for facts
    skip_existing: bool = False
    ahead: OpenedAhead | None = None

    def __post_init__(self) -> None:
        """Refuse at once what would be wrong with every picture."""
        if self.worker.alpha == "premultiply" and (error := mixing_error(self.worker.spelled)) is not None:
            raise error

    def __call__(self, job: Job) -> Outcome:
        """Read, filter and write one picture; its outcome says where it went, or is the picture itself."""
        return outcome_of(self._filtered, job, skip_existing=self.skip_existing)

    def _filtered(self, job: Job, facts: Facts) -> Outcome:
        if job.problem is not None:
            raise job.problem
        if self.skip_existing and job.is_done:
            if not self.dry_run:
                self.writing.tidy(job)
            return skipped(job, aloud=self.dry_run)
        if job.target is not DASH:
            self.writing.check(job.target, overwrite=self.force)
        with ExitStack() as shares:
            with self._opened(job, facts) as opened:
                header, reading = self.worker.colours.ahead(opened.header, job.name)
                plan = self._planned(job, header, reading)
                if self.dry_run:
                    return self._foretelling(job, plan)
                shares.enter_context(MEMORY.share(plan.memory, self.worker.max_memory))
                picture = opened.read()
            picture = self.worker.colours.converted(picture, job.name)
            # A frame may differ from the first of an animation, by which its header was told.
            told = _kinds(picture) == _kinds(header)
            plan = plan.filled(picture) if told else self._planned(job, picture, reading)
            del picture
            return self._written(job, plan, facts)

    def _opened(self, job: Job, facts: Facts) -> AbstractContextManager[Readable]:
        source = job.stream(self.worker.max_memory) if job.source is DASH else job.source
        if self.reported:
            from convcli.cli.reporting import weighed

            facts |= weighed("input", source)
        if self.ahead is not None:
            return self.ahead
        return self.reading.open(source)

    def _planned(self, job: Job, picture: Picture, reading: int) -> Plan:
        """Return what will be done to a picture, whose pixels may be black; or raise an error where that cannot be.

        reading : the bytes that it takes to read the picture
        """
        form = self.form(job, picture)
        target = "standard output" if job.target is DASH else str(job.target)
        units = self.worker.units(job.name, picture, form)
        made = [self.worker.foretold(job.name, target, unit, form) for unit in units]
        frames = [frame for part in made for frame in part]
        check_fits(replace(picture, frames=tuple(frames)), form, target)
        headers = list(map(FrameHeader.of, frames))
        writing = encoding(headers, form, self.coding, picture.coded, self.worker.threads)
        memory = max(reading, self._working(picture, units, made, form), _bytes(frames) + writing)
        check_memory(job.name, memory, self.worker.max_memory, len(picture.frames))
        return Plan(picture, form, target, units, made, memory)

    def _working(self, picture: Picture, units: list[Unit], made: list[list[Frame]], form: str) -> int:
        """Foretell the most bytes that are taken while frames become others, one unit after the other."""
        # The parts of one array, and what is looked at twice, are let go together.
        together = picture.format == "NPY" or self.worker.value_range == "minmax"
        inputs, outputs, most = _bytes(picture.frames), 0, 0
        for unit, frames in zip(units, made, strict=True):
            most = max(most, inputs + outputs + self.worker.memory(unit, _bytes(frames), form))
            outputs += _bytes(frames)
            inputs -= 0 if together else _bytes(unit.frames)
        return most

    def _written(self, job: Job, plan: Plan, facts: Facts) -> Outcome:
        """Run the units of a plan, whose frames are let go when they are filtered, and write what they make."""
        before, origins = _black(plan.picture), self._origins(plan)
        made = self.worker.make_all(job.name, plan.target, plan.taken(), plan.form)
        result = recoloured(before, [frame for part in made for frame in part.frames])
        if origins:
            from convcli.images.metadata.geometry import kept_true

            result = kept_true(result, *_of_frames(origins))
        data, losses = encode(result, plan.form, plan.target, self.coding, self.worker.threads)
        if job.target is not DASH:
            with WRITES:
                self.writing.write(job, data, overwrite=self.force)
        if self.reported:
            facts |= _done(before, result, made, data)
        notes = dict.fromkeys(note for part in made for note in part.notes)
        return Outcome(
            answer=data if job.target is DASH else self._answer(job, made, result),
            notes=(*result.notes, *notes, *losses, *self._clipping(made, result)),
            details=(f"{_summary(before, result)}, {made[0].plan}",),
            pixels=sum(prod(frame.pixels.shape[:2]) for frame in before.frames),
        )

    def _clipping(self, made: list[Made], result: Picture) -> list[str]:
        """Say which share of the samples was cut off, if any was, and what keeps them."""
        share = _clipped(made)
        if not share:
            return []
        if self.worker.value_range == "minmax":
            return [
                f"{share:.2%} of the samples are no finite numbers; NaN became 0, and infinity was clipped"
            ]
        stretched = all(frame.zero is None for frame in result.frames)
        way = "; --range minmax fits all of them in" if stretched else ""
        return [f"{share:.2%} of the samples were clipped{way}"]

    def _origins(self, plan: Plan) -> list[tuple[Origin, Moves | None, int]]:
        """Return what each unit is made of, and how its pixels are moved; and how many frames it makes."""
        from convcli.images.metadata.geometry import Origin, depends_on_pixels

        if not depends_on_pixels(plan.picture):
            return []
        found: list[tuple[Origin, Moves | None, int]] = []
        for unit, frames in zip(plan.units, plan.made, strict=True):
            frame = unit.frames[0]
            said = plan.picture.metadata if not found or frame.page is None else frame.page
            found.append((Origin.of(frame, said), None if self.worker.sheet else unit.moves, len(frames)))
        return found

    def form(self, job: Job, picture: Picture) -> str:
        """Return the format of the output."""
        form = job.form or (picture.format if job.target is DASH else format_of(job.target))
        check_coding(self.coding, form, job.name)
        return form

    def _foretelling(self, job: Job, plan: Plan) -> Outcome:
        """Say what would be read, run and written, and what it would take."""
        facts = _facts(job, plan)
        notes = dict.fromkeys(note for unit in plan.units for stage in unit.stages for note in stage.notes)
        text = json.dumps(facts) if self.stats else _sentence(facts)
        return Outcome(answer=f"{text}\n".encode(), notes=tuple(notes))

    def _answer(self, job: Job, made: list[Made], result: Picture) -> bytes:
        """Return the line that is printed of a picture which was written to a file."""
        text = json.dumps(_record(job, made, result)) if self.stats else str(job.target)
        return os.fsencode(text) + b"\n"


def _done(picture: Picture, result: Picture, made: list[Made], data: bytes) -> dict[str, Any]:
    """Return what a report tells of a picture beside its files' names."""
    from convcli.cli.reporting import weighed

    return {
        **weighed("output", BytesIO(data)),
        "input_size": list(picture.frames[0].pixels.shape[:2]),
        "size": list(result.frames[0].pixels.shape[:2]),
        "frames": len(result.frames),
        "mode": result.frames[0].mode,
        "plan": made[0].plan,
        "clipped": _clipped(made),
    }


def _record(job: Job, made: list[Made], result: Picture) -> dict[str, Any]:
    """Return what --stats tells of a picture."""
    measured = reduce(add, (part.measured for part in made if part.measured is not None))
    first = result.frames[0]
    return {
        "input": job.name,
        "output": str(job.target),
        "mode": first.mode,
        "size": list(first.pixels.shape[:2]),
        "frames": len(result.frames),
        **measured.record(),
        "clipped": _clipped(made),
    }


def _facts(job: Job, plan: Plan) -> dict[str, Any]:
    """Return what --dry-run tells of a picture."""
    before, after = plan.picture.frames[0], plan.made[0][0]
    return {
        "input": job.name,
        "output": plan.target,
        "dry_run": True,
        "input_format": plan.picture.format,
        "input_mode": before.mode,
        "input_size": list(before.pixels.shape[:2]),
        "input_frames": len(plan.picture.frames),
        "layers": plan.units[0].spelled,
        "macs": sum(unit.cost.macs for unit in plan.units),
        "format": plan.form,
        "mode": after.mode,
        "size": list(after.pixels.shape[:2]),
        "frames": sum(map(len, plan.made)),
        "seconds": round(sum(unit.seconds for unit in plan.units), 3),
        "bytes": plan.memory,
    }


def _sentence(facts: dict[str, Any]) -> str:
    """Say the facts in a line."""

    def picture(form: str, mode: str, size: list[int], frames: int) -> str:
        several = f", {frames} frames" if frames > 1 else ""
        return f"{form}, {mode}, rows x columns {format_size(size)}{several}"

    before = picture(*(facts[f"input_{key}"] for key in ("format", "mode", "size", "frames")))
    after = picture(*(facts[key] for key in ("format", "mode", "size", "frames")))
    return visible(
        f"{facts['input']}: would read {before}; run {', '.join(facts['layers'])}: {facts['macs']:,} multiply-adds, "
        f"about {facts['seconds']:.1f} s on a core and {-(-facts['bytes'] // 2**20):,} MiB; write {facts['output']}: "
        f"{after}"
    )


def _clipped(made: list[Made]) -> float:
    return sum(part.clipped for part in made) / sum(part.samples for part in made)


def _of_frames(
    origins: list[tuple[Origin, Moves | None, int]],
) -> tuple[list[Origin], list[Moves | None]]:
    """Return the origin and the moves of each frame."""
    each = [(origin, moves) for origin, moves, count in origins for _ in range(count)]
    return [origin for origin, _ in each], [moves for _, moves in each]


def _bytes(frames: Iterable[Frame]) -> int:
    return sum(frame.pixels.nbytes for frame in frames)


def _kinds(picture: Picture) -> list[tuple[Any, ...]]:
    """Return what a plan depends on."""
    return [(frame.mode, frame.pixels.dtype, frame.pixels.shape) for frame in picture.frames]


def _black(picture: Picture) -> Picture:
    """Return a picture whose pixels take no memory: of their size and their mode there is still to tell."""
    from convcli.backend.values import black

    frames = (
        replace(frame, pixels=black(frame.pixels.shape, frame.pixels.dtype)) for frame in picture.frames
    )
    return replace(picture, frames=tuple(frames))


def _summary(picture: Picture, result: Picture) -> str:
    before, after = picture.frames[0], result.frames[0]
    sizes = f"{format_size(before.pixels.shape[:2])} to {format_size(after.pixels.shape[:2])}"
    return f"{picture.format}, {before.mode}, {len(picture.frames)} frame(s), rows x columns {sizes}"
