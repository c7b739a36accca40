"""One picture from its file through the filter to its output: what `convcli filter` does to each input."""

import os
import sys
import time
from dataclasses import dataclass, replace
from math import isfinite, prod

import click

from convcli.backend.colour import as_floats
from convcli.backend.image import Alpha, Filtered, Range, filter_image, image_layer
from convcli.cli.conversation import Conversation
from convcli.cli.reading import Reading
from convcli.cli.targets import DASH, Job
from convcli.errors import ArgumentError
from convcli.files import WriteError, check_target, write_whole
from convcli.images.formats import format_of
from convcli.images.picture import Frame, ImageError, Picture
from convcli.images.write import encode
from convcli.kernels import Kernel
from convcli.layers.axes import PerAxis
from convcli.layers.notation import format_size
from convcli.layers.padding import AnyPadding


@dataclass(frozen=True)
class Filtering:
    """The kernel and the options of one run, to be called with each job."""

    conversation: Conversation
    kernel: Kernel
    stride: PerAxis
    padding: AnyPadding
    dilation: PerAxis
    padding_mode: str
    padding_value: float
    flip: bool
    value_range: Range
    alpha: Alpha
    method: str
    threads: int | None
    reading: Reading
    png_level: int | None
    force: bool

    def __post_init__(self) -> None:
        """Refuse at once what would be wrong with every picture."""
        image_layer(self.kernel, self.stride, self.padding, self.dilation)
        if not isfinite(self.padding_value):
            raise ArgumentError(f"--padding-value must be finite, got {self.padding_value}")
        if self.padding_value and self.padding_mode != "constant":
            raise ArgumentError(
                f"--padding-value belongs to --padding-mode constant, not to {self.padding_mode}"
            )
        if self.alpha == "premultiply" and not self.kernel.is_smoothing:
            raise ArgumentError(
                f"--alpha premultiply takes a mean, which {self.kernel.name} is not: it needs weights >= 0 with a "
                "sum above 0; use --alpha keep or filter"
            )

    def __call__(self, job: Job) -> None:
        """Read, filter and write one picture; say on stdout where it went, or print the picture itself."""
        started = time.perf_counter()
        if job.target is not DASH:
            check_target(job.target, overwrite=self.force)
        picture = self.reading.read(sys.stdin.buffer if job.source is DASH else job.source)
        form = job.form or (picture.format if job.target is DASH else format_of(job.target))
        if self.png_level is not None and form != "PNG":
            raise ArgumentError(f"{job.name}: --png-level belongs to PNG output, not to {form}")
        if form == "NPY" and self.value_range != "clip":
            raise ArgumentError(
                f"{job.name}: --range {self.value_range} brings values to the depth of a picture; NPY keeps them"
            )
        filtered = [self._filtered(job.name, frame, raw=form == "NPY") for frame in picture.frames]
        result = replace(
            picture,
            frames=tuple(
                replace(frame, pixels=part.pixels)
                for frame, part in zip(picture.frames, filtered, strict=True)
            ),
        )
        target = "standard output" if job.target is DASH else str(job.target)
        data, losses = encode(result, form, target, self.png_level, self.threads)
        self._put(job, data)
        for note in (*picture.notes, *losses, *_clipping(filtered)):
            self.conversation.note(f"{job.name}: {note}")
        self.conversation.detail(
            f"{job.name}: {_summary(picture, result)}, {filtered[0].plan}, {time.perf_counter() - started:.2f} s"
        )

    def _filtered(self, name: str, frame: Frame, raw: bool) -> Filtered:
        """Filter a frame and bring it back to its depth; `raw` values stay the floats that they are."""
        self._check_padded(name, frame)
        light = self.reading.light(frame)
        filtered = filter_image(
            as_floats(light.pixels) if raw else light.pixels,
            self.kernel,
            stride=self.stride,
            padding=self.padding,
            dilation=self.dilation,
            padding_mode=self.padding_mode,
            padding_value=self.reading.level(self.padding_value, frame),
            flip=self.flip,
            alpha=self.alpha if frame.has_alpha else None,
            value_range=self.value_range,
            method=self.method,
            threads=self.threads,
        )
        return filtered if raw else self.reading.encoded(filtered, frame)

    def _check_padded(self, name: str, frame: Frame) -> None:
        """Refuse what padding would make too large, before any memory is taken."""
        size = frame.pixels.shape[:2]
        pads = image_layer(self.kernel, self.stride, self.padding, self.dilation).pads(size)
        count = prod(n + before + after for n, (before, after) in zip(size, pads, strict=True))
        if count > self.reading.max_pixels:
            raise ImageError(
                f"cannot filter {name}: with its padding it has {count:,} pixels, over the limit of "
                f"{self.reading.max_pixels:,}; pad less, or raise it with --max-pixels {count}"
            )

    def _put(self, job: Job, data: bytes) -> None:
        if job.target is not DASH:
            write_whole(job.target, data, overwrite=self.force)
            click.echo(os.fsencode(job.target))
        elif sys.stdout.isatty():
            raise WriteError(
                "a picture would be printed on the terminal; redirect it, or name a file with -o"
            )
        else:
            sys.stdout.buffer.write(data)


def _clipping(filtered: list[Filtered]) -> list[str]:
    """Say which share of the samples was cut off, if any was."""
    share = sum(part.clipped * part.pixels.size for part in filtered) / sum(
        part.pixels.size for part in filtered
    )
    if not share:
        return []
    return [f"{share:.2%} of the samples were clipped; --range minmax fits all of them in"]


def _summary(picture: Picture, result: Picture) -> str:
    before, after = picture.frames[0], result.frames[0]
    sizes = f"{format_size(before.pixels.shape[:2])} to {format_size(after.pixels.shape[:2])}"
    return f"{picture.format}, {before.mode}, {len(picture.frames)} frame(s), rows x columns {sizes}"
