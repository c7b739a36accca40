"""A picture filtered part by part: some rows of the output at a time, from the rows of the picture that they need.

What is computed on the way is as large as a part, and threads take parts. What a part is goes by the picture and
the kernel alone: results are the same for any number of threads.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from convcli.backend.algorithms.slide import Slide
from convcli.backend.borders import OUTSIDE, source_indices
from convcli.backend.sliding import Sliding
from convcli.layers.padding import Pads

Array = NDArray[Any]
T = TypeVar("T")

SAMPLES = 1 << 18  # of a part: what is computed from it stays small
SPANS = 2  # of the kernel that a part is high at least, as rows around it are looked at twice
SURROUNDED = ("zeros", "constant")  # the padding modes in which no row of the picture stands beyond it


@dataclass(frozen=True, kw_only=True)
class Part(Sliding):
    """A window that slides over some rows of a picture as over the whole, for some rows of the output.

    whole : the window over the whole picture
    rows : of the output
    source : the rows of the picture that are looked at, those beyond its border as their sources
    beyond : rows without a source above and below these
    """

    whole: Sliding
    rows: slice
    source: slice | Array
    beyond: tuple[int, int]

    @property
    def pads(self) -> Pads:
        """The pixels before and after each axis."""
        return (self.beyond, self.whole.pads[1])

    @property
    def slide(self) -> Slide:
        """The walk of the window over its rows."""
        slide = self.whole.slide
        return replace(slide, output_size=(self.rows.stop - self.rows.start, slide.output_size[1]))

    @property
    def _places(self) -> list[int]:
        return self.whole._places


def height(slide: Slide, channels: int, width: int) -> int:
    """Return the rows of a part of the output, of a picture so many pixels wide."""
    samples = channels * max(slide.output_size[1], slide.stride[0] * width)
    least = -(-SPANS * slide.spans[0] // slide.stride[0])
    return min(slide.output_size[0], max(1, SAMPLES // samples, least))


def parts(sliding: Sliding, channels: int) -> Iterator[Part]:
    """Cut the rows of the output into parts."""
    slide = sliding.slide
    step = height(slide, channels, sliding.size[1])
    sources = source_indices(sliding.padding_mode, sliding.size[0], *sliding.pads[0])
    settings = {name: getattr(sliding, name) for name in Sliding.__dataclass_fields__}
    if step < slide.output_size[0]:
        settings["threads"] = 1  # they take parts
    for first in range(0, slide.output_size[0], step):
        rows = slice(first, min(slide.output_size[0], first + step))
        needed, _ = slide.reach((rows, slice(0, slide.output_size[1])))
        source, beyond = _source(sources[needed], sliding.padding_mode)
        count = source.stop - source.start if isinstance(source, slice) else len(source)
        settings["size"] = (count, sliding.size[1])
        yield Part(**settings, whole=sliding, rows=rows, source=source, beyond=beyond)


def _source(sources: Array, mode: str) -> tuple[slice | Array, tuple[int, int]]:
    """Return which rows of the picture are needed, and how many beyond it there are before and after them."""
    if mode not in SURROUNDED:
        first, last = int(sources[0]), int(sources[-1])
        if (np.diff(sources) == 1).all():
            return slice(first, last + 1), (0, 0)
        return sources, (0, 0)
    inside = np.flatnonzero(sources != OUTSIDE)
    if not len(inside):  # one row, of which nothing is seen
        return slice(0, 1), (len(sources), -1)
    first, last = int(inside[0]), int(inside[-1])
    return slice(int(sources[first]), int(sources[last]) + 1), (first, len(sources) - 1 - last)


def shared(work: Callable[[Part], T], cut: Sequence[Part], threads: int | None) -> list[T]:
    """Do work on every part, shared by threads; return the results in order."""
    width = min(threads or os.cpu_count() or 1, len(cut))

    def quietly(part: Part) -> T:
        with np.errstate(all="ignore"):  # which each thread has for itself
            return work(part)

    if width == 1:
        return list(map(quietly, cut))
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(width) as pool:
        futures = [pool.submit(quietly, part) for part in cut]
        try:
            return [future.result() for future in futures]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def largest_part(slide: Slide, channels: int, width: int) -> tuple[int, int]:
    """Return how many samples of the output a part has at most, and how many of the picture it looks at."""
    rows = height(slide, channels, width)
    seen = (rows - 1) * slide.stride[0] + slide.spans[0]
    return rows * slide.output_size[1] * channels, seen * width * channels


def part_bytes(slide: Slide, channels: int, width: int, threads: int | None, seen: int, made: int) -> int:
    """Foretell what the parts take that threads work on, by the bytes for a sample that is seen, and that is made."""
    outputs, inputs = largest_part(slide, channels, width)
    count = -(-slide.output_size[0] // height(slide, channels, width))
    return min(threads or os.cpu_count() or 1, count) * (seen * inputs + made * outputs)
