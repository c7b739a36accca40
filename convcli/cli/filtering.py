"""One picture from its file through the filter to its output: what `convcli filter` does to each input."""

import json
import os
import sys
import time
from dataclasses import dataclass, replace
from functools import reduce
from operator import add
from typing import Any

import click

from convcli.cli.conversation import Conversation
from convcli.cli.targets import DASH, Job
from convcli.cli.working import Made, Worker, mixing_error
from convcli.errors import ArgumentError
from convcli.files import WriteError, check_target, write_whole
from convcli.images.formats import format_of
from convcli.images.modes import channels_of
from convcli.images.picture import Picture
from convcli.images.read import read_picture
from convcli.images.write import encode
from convcli.layers.notation import format_size


@dataclass(frozen=True)
class Filtering:
    """The options of one run, to be called with each job."""

    conversation: Conversation
    worker: Worker
    max_pixels: int
    png_level: int | None
    force: bool
    stats: bool

    def __post_init__(self) -> None:
        """Refuse at once what would be wrong with every picture."""
        if self.worker.alpha == "premultiply" and (error := mixing_error(self.worker.spelled)) is not None:
            raise error

    def __call__(self, job: Job) -> None:
        """Read, filter and write one picture; say on stdout where it went, or print the picture itself."""
        started = time.perf_counter()
        if job.target is not DASH:
            check_target(job.target, overwrite=self.force)
        picture = read_picture(sys.stdin.buffer if job.source is DASH else job.source, self.max_pixels)
        form = self.form(job, picture)
        units = self.worker.units(job.name, picture)
        for unit in units:
            self.worker.result(job.name, unit, form)
        made = [self.worker.make(job.name, unit, form) for unit in units]
        result, lost = _together(picture, made)
        target = "standard output" if job.target is DASH else str(job.target)
        data, losses = encode(result, form, target, self.png_level, self.worker.threads)
        self._put(job, data, made, result)
        notes = dict.fromkeys(note for part in made for note in part.notes)
        for note in (*picture.notes, *notes, *lost, *losses, *_clipping(made)):
            self.conversation.note(f"{job.name}: {note}")
        self.conversation.detail(
            f"{job.name}: {_summary(picture, result)}, {made[0].plan}, {time.perf_counter() - started:.2f} s"
        )

    def form(self, job: Job, picture: Picture) -> str:
        """Return the format of the output."""
        form = job.form or (picture.format if job.target is DASH else format_of(job.target))
        if self.png_level is not None and form != "PNG":
            raise ArgumentError(f"{job.name}: --png-level belongs to PNG output, not to {form}")
        return form

    def _put(self, job: Job, data: bytes, made: list[Made], result: Picture) -> None:
        if job.target is not DASH:
            write_whole(job.target, data, overwrite=self.force)
            if self.stats:
                click.echo(json.dumps(_record(job, made, result)))
            else:
                click.echo(os.fsencode(job.target))
        elif sys.stdout.isatty():
            raise WriteError(
                "a picture would be printed on the terminal; redirect it, or name a file with -o"
            )
        else:
            sys.stdout.buffer.write(data)


def _together(picture: Picture, made: list[Made]) -> tuple[Picture, list[str]]:
    """Return the frames as one picture; what no longer fits it is left out, and told."""
    frames = tuple(frame for part in made for frame in part.frames)
    result, lost = replace(picture, frames=frames), []
    before, after = (channels_of(each.frames[0].mode).removesuffix("A") for each in (picture, result))
    if before != after and "icc" in result.metadata:
        kept = {kind: value for kind, value in result.metadata.items() if kind != "icc"}
        result = replace(result, metadata=kept)
        lost.append(f"the ICC profile is one of {before}, and is left out of a picture of {after}")
    return result, lost


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


def _clipping(made: list[Made]) -> list[str]:
    """Say which share of the samples was cut off, if any was."""
    share = sum(part.clipped for part in made) / sum(part.samples for part in made)
    if not share:
        return []
    return [f"{share:.2%} of the samples were clipped; --range minmax fits all of them in"]


def _summary(picture: Picture, result: Picture) -> str:
    before, after = picture.frames[0], result.frames[0]
    sizes = f"{format_size(before.pixels.shape[:2])} to {format_size(after.pixels.shape[:2])}"
    return f"{picture.format}, {before.mode}, {len(picture.frames)} frame(s), rows x columns {sizes}"
