"""What a kernel answers to a picture that bands are not made for: part by part, brought back into samples."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from convcli.backend.colour import from_light
from convcli.backend.parts import Part, parts, shared
from convcli.backend.settled import Response, fitted
from convcli.backend.sliding import Sliding
from convcli.backend.values import Extent, Filtered, Measured, Range, Zero, into_dtype, raw_dtype

Array = NDArray[Any]


@dataclass(frozen=True)
class Answer:
    """The response of some channels, and how it becomes samples.

    value_range : None for the values as they are
    zero : the sample of each channel that stands for 0
    is_light : whether it is light that becomes sRGB
    """

    response: Response
    value_range: Range | None
    zero: Zero | None = None
    is_light: bool = False

    @property
    def extent(self) -> Extent | None:
        """What `minmax` stretches, of these values."""
        return self.response.extent() if self.value_range == "minmax" else None

    def samples(self, dtype: np.dtype[Any], extent: Extent | None) -> Filtered:
        """Return samples of a dtype."""
        values = self.response.values
        if self.value_range is None:
            return Filtered(values.astype(dtype), 0.0)
        if not self.is_light:
            return fitted(self.response, dtype, self.value_range, extent, self.zero)
        light = into_dtype(values, np.dtype(np.float64), self.value_range, extent)
        pixels, clipped = from_light(light.pixels, dtype)
        return Filtered(pixels, clipped, extent=light.extent)


Answers = Callable[
    [Sliding, Array], Sequence[Answer]
]  # of a picture, for its channels in order: colours, then alpha


class _Done(NamedTuple):
    """How many samples of colour a part has that were clipped, and what its values are."""

    clipped: float
    measured: Measured


def by_parts(
    sliding: Sliding, pixels: Array, answers: Answers, value_range: Range | None, extent: Extent | None = None
) -> Filtered:
    """Filter a picture part by part; `minmax` looks at all of them before, but for an `extent` that is given."""
    cut, slide = list(parts(sliding, _channels(pixels))), sliding.slide
    dtype = raw_dtype(pixels.dtype) if value_range is None else pixels.dtype
    out = np.empty((*slide.output_size, *pixels.shape[2:]), dtype)
    extents: list[Extent | None] = [extent]
    if value_range == "minmax":
        found = shared(
            lambda part: [answer.extent for answer in answers(part, pixels[part.source])],
            cut,
            sliding.threads,
        )
        extents = [Extent.around(each) for each in zip(*found, strict=True)]
        extents[0] = extent or extents[0]

    def work(part: Part) -> _Done:
        target, first, done = out[part.rows], 0, list[_Done]()
        for answer, stretched in zip(answers(part, pixels[part.source]), extents * 2, strict=False):
            made = answer.samples(dtype, stretched)
            last = first + _channels(made.pixels)
            target.reshape(*target.shape[:2], -1)[..., first:last] = made.pixels.reshape(
                *target.shape[:2], -1
            )
            done.append(_Done(made.clipped * made.pixels.size, Measured.of(answer.response.values)))
            first = last
        return done[0]

    done = shared(work, cut, sliding.threads)
    measured = sum((each.measured for each in done[1:]), done[0].measured)
    clipped = sum(each.clipped for each in done)
    return Filtered(out, clipped / measured.count, sliding.plan, extents[0], measured)


def measured(sliding: Sliding, pixels: Array, answers: Answers) -> Measured:
    """Return what the values of the colours are, before they become samples."""
    cut = list(parts(sliding, _channels(pixels)))
    found = shared(
        lambda part: Measured.of(answers(part, pixels[part.source])[0].response.values), cut, sliding.threads
    )
    return sum(found[1:], found[0])


def _channels(pixels: Array) -> int:
    return pixels.shape[2] if pixels.ndim == 3 else 1
