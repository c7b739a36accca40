"""One picture from its file through the filter to its output: what `convcli filter` does to each input."""

import json
import os
from dataclasses import dataclass, replace
from functools import reduce
from io import BytesIO
from math import prod
from operator import add
from typing import Any

from convcli.batch import WRITES, Outcome
from convcli.cli.ahead import Ahead
from convcli.cli.coding import check_coding
from convcli.cli.outcomes import Facts, outcome_of, skipped
from convcli.cli.targets import DASH, Job
from convcli.cli.units import Unit
from convcli.cli.working import Made, Worker, mixing_error
from convcli.cli.writing import Writing
from convcli.images.channels import recoloured
from convcli.images.coding import Coding
from convcli.images.formats import format_of
from convcli.images.picture import Frame, Picture
from convcli.images.write import check_fits, encode
from convcli.layers.notation import format_size
from convcli.render import visible


@dataclass(frozen=True)
class Filtering:
    """The options of one run, to be called with each job, in whichever process."""

    worker: Worker
    coding: Coding
    force: bool
    writing: Writing
    stats: bool
    dry_run: bool
    reported: bool = False  # whether a report asks for facts
    skip_existing: bool = False
    ahead: Ahead | None = None

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
        picture = self._read(job, facts)
        form = self.form(job, picture)
        target = "standard output" if job.target is DASH else str(job.target)
        units = self.worker.units(job.name, picture, form)
        foretold = [frame for unit in units for frame in self.worker.foretold(job.name, target, unit, form)]
        check_fits(replace(picture, frames=tuple(foretold)), form, target)
        if self.dry_run:
            return self._foretelling(_facts(job, picture, form, foretold, units), units)
        made = self.worker.make_all(job.name, target, units, form)
        result = recoloured(picture, [frame for part in made for frame in part.frames])
        result = self._true(result, made, units)
        picture, units = _black(picture), []  # the encoder gets the memory
        data, losses = encode(result, form, target, self.coding, self.worker.threads)
        if job.target is not DASH:
            with WRITES:
                self.writing.write(job, data, overwrite=self.force)
        if self.reported:
            facts |= _done(picture, result, made, data)
        notes = dict.fromkeys(note for part in made for note in part.notes)
        return Outcome(
            answer=data if job.target is DASH else self._answer(job, made, result),
            notes=(*result.notes, *notes, *losses, *self._clipping(made, result)),
            details=(f"{_summary(picture, result)}, {made[0].plan}",),
            pixels=sum(prod(frame.pixels.shape[:2]) for frame in picture.frames),
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

    def _true(self, result: Picture, made: list[Made], units: list[Unit]) -> Picture:
        """Return a result whose metadata go by its own pixels."""
        from convcli.images.metadata.geometry import Moves, depends_on_pixels, kept_true

        if not depends_on_pixels(result):
            return result
        before, moves = list[Frame](), list[Moves | None]()
        for part, unit in zip(made, units, strict=True):
            before += unit.frames[:1] * len(part.frames)
            moves += [None if self.worker.sheet else unit.moves] * len(part.frames)
        return kept_true(result, before, moves)

    def _read(self, job: Job, facts: dict[str, Any]) -> Picture:
        source = job.stream() if job.source is DASH else job.source
        if self.reported:
            from convcli.cli.reporting import weighed

            facts |= weighed("input", source)
        if self.ahead is not None:
            return self.ahead.result()
        return self.worker.reading.read(source, header=self.dry_run)

    def form(self, job: Job, picture: Picture) -> str:
        """Return the format of the output."""
        form = job.form or (picture.format if job.target is DASH else format_of(job.target))
        check_coding(self.coding, form, job.name)
        return form

    def _foretelling(self, facts: dict[str, Any], units: list[Unit]) -> Outcome:
        """Say what would be read, run and written, and what it would take."""
        notes = dict.fromkeys(note for unit in units for stage in unit.stages for note in stage.notes)
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
    told = reduce(add, (part.told for part in made if part.told is not None))
    first = result.frames[0]
    return {
        "input": job.name,
        "output": str(job.target),
        "mode": first.mode,
        "size": list(first.pixels.shape[:2]),
        "frames": len(result.frames),
        **told.record(),
    }


def _facts(job: Job, picture: Picture, form: str, frames: list[Frame], units: list[Unit]) -> dict[str, Any]:
    """Return what --dry-run tells of a picture."""
    before, after = picture.frames[0], frames[0]
    estimates = [unit.estimate for unit in units]
    return {
        "input": job.name,
        "output": "standard output" if job.target is DASH else str(job.target),
        "dry_run": True,
        "input_format": picture.format,
        "input_mode": before.mode,
        "input_size": list(before.pixels.shape[:2]),
        "input_frames": len(picture.frames),
        "layers": units[0].spelled,
        "macs": sum(unit.cost.macs for unit in units),
        "format": form,
        "mode": after.mode,
        "size": list(after.pixels.shape[:2]),
        "frames": len(frames),
        "seconds": round(sum(each.seconds for each in estimates), 3),
        "bytes": max(each.memory for each in estimates),
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
