"""convcli filter --match: where in pictures a smaller one lies."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

import click

from convcli.batch import WRITES, Outcome
from convcli.cli.coding import check_coding
from convcli.cli.conversation import Conversation
from convcli.cli.inputs import Inputs
from convcli.cli.options import at_least, bundled
from convcli.cli.outcomes import Facts, outcome_of, skipped
from convcli.cli.running import Running
from convcli.cli.targets import DASH, Job, plan
from convcli.cli.writing import Writing
from convcli.errors import ArgumentError
from convcli.images.coding import Coding
from convcli.images.formats import FORMATS, format_of

if TYPE_CHECKING:
    from convcli.backend.matching import Place
    from convcli.images.picture import Frame, Picture

Read = Callable[[Path | BinaryIO], "Picture"]

NAME = "match"  # what stands in the names of outputs where a kernel's name would
DIGITS = 9  # of a score, as many as are sure
# The formats whose maps hold the scores themselves: their pixel mode and type.
FLOATS = {"TIFF": ("F", "float32"), "PFM": ("F", "float32"), "NPY": ("L;float64", "float64")}
# The filter's other options that have a meaning here, by the names of their values.
USED = frozenset(
    {
        *Inputs._fields,
        "output",
        "force",
        "skip_existing",
        "template",
        "top",
        "threads",
        *Coding._fields,
        "max_pixels",
        "stats",
    }
)


class Matching(NamedTuple):
    """The template to look for, if any, and how many places to name."""

    template: Path | None
    top: int | None

    def check(self, context: click.Context, *also_used: str) -> None:
        """Refuse options without a use here: --top alone, and beside --match all but USED and `also_used`."""
        if self.template is None:
            if self.top is not None:
                raise ArgumentError(
                    "--top names the best places of --match; give a template, as --match eye.png"
                )
            return
        for parameter in context.command.params:
            name = parameter.name or ""
            given = context.get_parameter_source(name) == click.core.ParameterSource.COMMANDLINE
            if given and parameter.expose_value and name not in {*USED, *also_used}:
                raise ArgumentError(
                    f"{max(parameter.opts, key=len)} has no use beside --match, which runs no kernel; leave it out"
                )

    def run(
        self,
        conversation: Conversation,
        inputs: Inputs,
        output: str | None,
        read: Read,
        running: Running,
        *,
        threads: int | None,
        coding: Coding,
        force: bool,
        skip_existing: bool,
        writing: Writing,
    ) -> int:
        """Look for the template in every input; return the exit code."""
        assert self.template is not None
        reads = [("the template", self.template), *inputs.lists]
        sources = inputs.gather(conversation, output, NAME)
        jobs = plan(sources, output, NAME, reads=reads, report=running.report)
        if self.top is not None and any(job.prints for job in jobs):
            raise ArgumentError(
                "--top prints places, and -o - the map, both to standard output; name a file with -o"
            )
        writing.check_jobs(jobs)
        share = running.share(len(jobs), threads)
        finder = _Finder(
            Template.read(self.template, read),
            read,
            self.top or 1,
            share,
            coding,
            force,
            skip_existing,
            writing,
            running.report is not None,
        )
        return running.run(conversation, jobs, finder, threads=threads, force=force, resume=skip_existing)


matching_options = bundled(
    "matching",
    Matching,
    click.option(
        "--match",
        "template",
        type=click.Path(path_type=Path),
        metavar="PICTURE",
        help="Find this smaller picture: places as JSON, and a map, -1 black to 1 white.",
    ),
    click.option("--top", type=at_least(1), help="So many of the best places of --match. [1]"),
)


@dataclass(frozen=True)
class Template:
    """The picture that is looked for."""

    name: str
    frame: Frame
    notes: tuple[str, ...]

    @classmethod
    def read(cls, path: Path, read: Read) -> Template:
        """Read a still picture with some contrast, or raise an error that says why it is no template."""
        from convcli.backend.matching import match

        picture = read(path)
        if len(picture.frames) > 1:
            raise ArgumentError(
                f"--match {path} has {len(picture.frames)} frames; give a still picture, such as one of them"
            )
        template = cls(str(path), picture.frames[0], picture.notes)
        if template.mask is not None and not template.mask.any():
            raise ArgumentError(f"--match {path} is transparent all over; nothing of it can be found")
        try:
            match(template.colours, template.colours, template.mask)
        except ArgumentError as error:
            raise ArgumentError(f"--match {path}: {error}") from None
        return template

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns."""
        rows, columns = self.frame.pixels.shape[:2]
        return rows, columns

    @property
    def colours(self) -> Any:
        """The pixels without alpha."""
        return _opaque(self.frame)

    @property
    def mask(self) -> Any:
        """The alpha of each pixel, or None where there is none."""
        return self.frame.pixels[..., -1] if self.frame.has_alpha else None

    def scores(self, name: str, frame: Frame, threads: int | None) -> Any:
        """Return the map of scores of one frame, or raise ArgumentError where the template does not fit it."""
        from convcli.backend.matching import match

        mine, theirs = _colours(self.frame), _colours(frame)
        if mine != theirs:
            raise ArgumentError(
                f"{name} is {theirs} and the template {self.name} is {mine}; make both the same, as --gray does of "
                "colours and grey"
            )
        sizes = self.size, frame.pixels.shape[:2]
        if any(k > n for k, n in zip(*sizes, strict=True)):
            (h, w), (height, width) = sizes
            raise ArgumentError(
                f"the template {self.name} is {h}x{w} (rows x columns), larger than {name} of {height}x{width}; "
                "cut it smaller, or exchange the two"
            )
        try:
            return match(_opaque(frame), self.colours, self.mask, threads=threads)
        except ArgumentError as error:
            raise ArgumentError(f"{name}: {error}") from None


@dataclass(frozen=True)
class _Finder:
    """One template and the options of one run, to be called with each job."""

    template: Template
    read: Read
    top: int
    threads: int | None
    coding: Coding
    force: bool
    skip_existing: bool
    writing: Writing
    reported: bool  # whether a report asks for facts

    def __call__(self, job: Job) -> Outcome:
        """Find the template in one picture and write the map; the places are a line of JSON."""
        return outcome_of(self._found, job, skip_existing=self.skip_existing)

    def _found(self, job: Job, facts: Facts) -> Outcome:
        from convcli.images.write import encode

        if job.problem is not None:
            raise job.problem
        if self.skip_existing and job.is_done:
            self.writing.tidy(job)
            return skipped(job)
        if job.target is not DASH:
            self.writing.check(job.target, overwrite=self.force)
        source = job.stream() if job.source is DASH else job.source
        if self.reported:
            from convcli.cli.reporting import weighed

            facts |= weighed("input", source)
        picture = self.read(source)
        form = job.form or (picture.format if job.target is DASH else format_of(job.target))
        check_coding(self.coding, form, job.name)
        maps = [self.template.scores(job.name, frame, self.threads) for frame in picture.frames]
        target = "standard output" if job.target is DASH else str(job.target)
        drawn = _drawn(picture, maps, form)
        data, losses = encode(drawn, form, target, self.coding, self.threads)
        if job.target is not DASH:
            with WRITES:
                self.writing.write(job, data, overwrite=self.force)
        if self.reported:
            from convcli.cli.reporting import weighed

            first = drawn.frames[0]
            facts |= {
                **weighed("output", BytesIO(data)),
                "input_size": list(picture.frames[0].pixels.shape[:2]),
                "size": list(first.pixels.shape[:2]),
                "frames": len(drawn.frames),
                "mode": first.mode,
            }
        if job.target is not DASH:
            data = json.dumps(self._record(job, drawn, maps)).encode() + b"\n"
        notes = [*self.template.notes, *picture.notes, *losses]
        if picture.frames[0].has_alpha:
            notes.append("its alpha is left out: hidden colours are matched as they are stored")
        places = f"{len(maps)} frame(s), {maps[0].shape[0]}x{maps[0].shape[1]} places"
        return Outcome(
            answer=data,
            notes=tuple(notes),
            details=(places,),
            pixels=sum(frame.pixels.shape[0] * frame.pixels.shape[1] for frame in picture.frames),
        )

    def _record(self, job: Job, drawn: Picture, maps: Sequence[Any]) -> dict[str, Any]:
        """Return what is known of one picture: all of it can be written as JSON."""
        first, size = drawn.frames[0], sum(scores.size for scores in maps)
        return {
            "input": job.name,
            "output": str(job.target),
            "mode": first.mode,
            "size": list(first.pixels.shape[:2]),
            "frames": len(drawn.frames),
            "min": min(float(scores.min()) for scores in maps),
            "max": max(float(scores.max()) for scores in maps),
            "mean": sum(float(scores.sum()) for scores in maps) / size,
            "template": self.template.name,
            "template_size": list(self.template.size),
            "matches": [
                {
                    "frame": number,
                    "row": place.row,
                    "column": place.column,
                    "score": round(place.score, DIGITS),
                }
                for number, scores in enumerate(maps)
                for place in self._best(scores)
            ],
        }

    def _best(self, scores: Any) -> list[Place]:
        from convcli.backend.matching import best

        rows, columns = self.template.size
        return best(scores, self.top, (-(-rows // 2), -(-columns // 2)))


def _drawn(picture: Picture, maps: Sequence[Any], form: str) -> Picture:
    """Return the maps as a picture: floats where the format holds them, else grey as deep as the source."""
    from convcli.backend.matching import as_grey

    frames = []
    for frame, scores in zip(picture.frames, maps, strict=True):
        if form in FLOATS:
            mode, dtype = FLOATS[form]
            pixels = scores.astype(dtype)
        else:
            mode = "L" if frame.pixels.dtype.itemsize == 1 or not FORMATS[form].holds("I;16") else "I;16"
            pixels = as_grey(scores, "uint8" if mode == "L" else "uint16")
        frames.append(replace(frame, pixels=pixels, mode=mode))
    return replace(picture, frames=tuple(frames), metadata={}, notes=(), lost=())


def _colours(frame: Frame) -> str:
    """Return what the colours of a frame are, whatever their depth and alpha: L, RGB, CMYK ..."""
    return frame.channels.removesuffix("A") if frame.has_alpha else frame.channels


def _opaque(frame: Frame) -> Any:
    return frame.pixels[..., :-1] if frame.has_alpha else frame.pixels
