"""Run stages on pixels, tile by tile, with alpha beside them; and what that will take."""

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from convcli.backend.bands.sums_to_pixels import EXACT32
from convcli.backend.colour import light_of
from convcli.backend.values import Extent, Filtered, Measured, Zero, full_scale, is_small, working_dtype
from convcli.filters.stages.linear_map import Pass
from convcli.filters.stages.stage import Stage
from convcli.filters.tiles.exact_values import ExactKernel, Settling
from convcli.filters.tiles.sources import Kept, Mapped, Pixels, Region, Samples, Source, own
from convcli.filters.tiles.tile_plan import Tiles, legs
from convcli.filters.tiles.values_to_pixels import Finish
from convcli.layers import Conv, ConvTranspose, DeformConv
from convcli.layers.axes import Shape

Array = NDArray[Any]

# Rough speeds of one core, for estimates: so many a second.
MACS = 3e9  # multiply-adds and other sums
SAMPLES = 6e6  # interpolated
WRITTEN = 1.5e8  # numbers that a layer writes
CODEC = 7e7  # samples of a picture that are read, or written
CALLS = 40  # of Python functions that a stage takes to ask the one before it, or more
MOST_FLOAT, MOST_INTEGER = 2.0**53, 2.0**63  # whole numbers below are float64, and int64, exactly
BESIDE_ALPHA = 2  # times as much is held
TAPS = 32  # of a kernel, as much work as larger ones are by their quickest method


@dataclass(frozen=True)
class Given:
    """A picture that is to be filtered.

    pixels : (*spatial, C); the last channel is opacity where `has_alpha`
    zero : the sample of each channel that stands for 0, by default 0
    light : whether the samples stand for light, which is filtered instead; opacity does not, the last channel where
        `ends_in_alpha`, even if it is filtered as any other
    wide : whether floats are summed in float64, whatever they are
    """

    pixels: Samples
    has_alpha: bool = False
    zero: Zero | None = None
    light: bool = False
    ends_in_alpha: bool = False
    wide: bool = False

    @property
    def dtype(self) -> np.dtype[Any]:
        """The float that stages compute in.

        What is weighed by opacity and divided by it again is float64, so that it comes back as it was.
        """
        wide = self.has_alpha or self.light or self.wide
        return np.dtype("float64") if wide else working_dtype(self.pixels.dtype)

    def shortest(self, stages: Sequence[Stage]) -> np.dtype[Any]:
        """Return the float whose values round to the right samples."""
        bare = not (self.has_alpha or self.light or self.wide) and self.zero is None
        return shortest(self.pixels.dtype, stages) if bare else self.dtype

    def in_integers(self, stages: Sequence[Stage]) -> bool:
        """Whether the sums of a stage alone are whole numbers that fit 64 bits, and may not fit floats."""
        own = self.pixels.dtype
        if self.has_alpha or self.zero is not None or len(stages) > 1 or own.kind == "f" or is_small(own):
            return False
        limits = np.iinfo(own)
        most = stages[0].most_whole(float(max(limits.max, -int(limits.min))))
        if most is None or most < MOST_FLOAT:
            return False
        if most >= MOST_INTEGER and isinstance(self.pixels, np.ndarray):
            largest = max(int(self.pixels.max()), -int(self.pixels.min()))
            most = stages[0].most_whole(float(largest))
        return most is not None and most < MOST_INTEGER

    def sources(self, dtype: np.dtype[Any]) -> tuple[Source, Source | None]:
        """Return the colours, in the picture's own units or as light, and the opacity, 0 to 1."""
        pixels = self.pixels
        table = light_of(pixels.dtype) if self.light else None
        if not self.has_alpha and not (self.light and self.ends_in_alpha):
            return Pixels(pixels, dtype, zero=self.zero, table=table), None
        colour = Pixels(pixels, dtype, slice(0, -1), zero=self.zero, table=table)
        opacity = Pixels(pixels, dtype, slice(-1, None), scale=full_scale(pixels.dtype))
        if self.has_alpha:
            return colour, opacity
        return Mapped(_joined, colour, opacity, channels=pixels.shape[-1]), None


Sources = tuple[Source, Source | None]  # colours, and their opacity


def through(sources: Sources, stages: Sequence[Stage], premultiply: bool | None = None) -> Sources:
    """Return what stages make of sources, one after the other and without rounding between them."""
    colour, opacity = sources
    # Each stage asks the one before it.
    sys.setrecursionlimit(max(sys.getrecursionlimit(), CALLS * (len(stages) + CALLS)))
    for stage in stages:
        if opacity is None:
            colour = stage.through(Kept(colour))
        else:
            colour, opacity = stage.beside(Kept(colour), Kept(opacity), premultiply)
    return colour, opacity


@dataclass(frozen=True)
class TileRun:
    """The tiles of an output, and what makes the sources that a thread asks for them."""

    tiles: Tiles
    sources: Callable[[], Sources]
    dtype: np.dtype[Any]

    @classmethod
    def of(
        cls,
        given: Given,
        stages: Sequence[Stage],
        premultiply: bool | None,
        dtype: np.dtype[Any],
        threads: int | None,
    ) -> "TileRun":
        """Plan stages; in several legs where the tiles of all would hold more than the picture between them."""
        channels, *size = given.pixels.shape[-1] - given.has_alpha, *given.pixels.shape[:-1]
        shape: Shape = (channels, *size)
        start: Callable[[], Sources] = partial(given.sources, dtype)
        first, *others = legs(stages, shape, dtype.itemsize)
        planned = cls._leg(start, shape, first, premultiply, dtype)
        for leg in others:
            start, shape = planned._evaluated(threads), planned.tiles.shape
            planned = cls._leg(start, shape, leg, premultiply, dtype)
        return planned

    @classmethod
    def _leg(
        cls,
        start: Callable[[], Sources],
        shape: Shape,
        leg: Sequence[Stage],
        premultiply: bool | None,
        dtype: np.dtype[Any],
    ) -> "TileRun":
        return cls(Tiles.of(leg, shape), lambda: through(start(), leg, premultiply), dtype)

    def _evaluated(self, threads: int | None) -> Callable[[], Sources]:
        """Compute all values, and return what makes sources of them."""
        kept: list[Array | None] = []
        for source in self.sources():
            kept.append(None if source is None else np.empty((*source.size, source.shape[0]), source.dtype))

        def worker() -> Callable[[Region], None]:
            pairs = [(out, source) for out, source in zip(kept, self.sources(), strict=True)]

            def compute(region: Region) -> None:
                for out, source in pairs:
                    if out is not None and source is not None:
                        out[region] = source(region)

            return compute

        self.tiles.each(worker, threads)
        colour, opacity = kept
        assert colour is not None
        return lambda: (
            Pixels(colour, colour.dtype),
            None if opacity is None else Pixels(opacity, opacity.dtype),
        )

    def extent(self, finish: Finish, threads: int | None) -> Extent | None:
        """Return the smallest and the largest finite value of the colours that `finish` stretches."""
        return Extent.around(self.tiles.each(lambda: _Extents(self.sources()[0], finish), threads))

    def filtered(self, out: Array, done: Sequence["Done"], finish: Finish) -> Filtered:
        """Return pixels with what is told of all tiles."""
        measured = [each.measured for each in done if each.measured is not None]
        return Filtered(
            out,
            sum(each.clipped for each in done) / prod(self.tiles.shape),
            plan=f"stages in {self.dtype}",
            extent=finish.stretched,
            measured=sum(measured[1:], measured[0]) if measured else None,
        )


def run(
    given: Given,
    stages: Sequence[Stage],
    finish: Finish,
    *,
    premultiply: bool | None = None,
    threads: int | None = None,
    measure: bool = False,
    exact: ExactKernel | None = None,
) -> Filtered:
    """Filter a picture tile by tile, and bring the values back into pixels.

    `minmax` without an extent looks at all values first, and then computes them again. `exact` is the kernel
    of the only stage, where its floats may leave whole samples in doubt.
    """
    planned, finish = prepared(given, stages, finish, premultiply, threads, measure)
    out = finish.blank(planned.tiles.shape, given.has_alpha)
    done = planned.tiles.each(lambda: Finishing.of(planned, given, finish, out, measure, exact), threads)
    return planned.filtered(out, done, finish)


def prepared(
    given: Given,
    stages: Sequence[Stage],
    finish: Finish,
    premultiply: bool | None,
    threads: int | None,
    measure: bool,
) -> tuple[TileRun, Finish]:
    """Plan a run, and look for what `minmax` stretches where it is not known."""
    told = measure or finish.value_range in (None, "minmax")
    dtype = given.dtype if told else given.shortest(stages)
    if given.in_integers(stages):
        dtype = np.dtype("int64")
    planned = TileRun.of(given, stages, premultiply, dtype, threads)
    if finish.value_range == "minmax" and finish.extent is None:
        found = planned.extent(finish, threads)
        finish = replace(finish, extent=found or Extent(0, 0), stretched=found)
    return planned, finish


def shortest(own: np.dtype[Any], stages: Sequence[Stage]) -> np.dtype[Any]:
    """Return the float that rounds to the right samples of a dtype: float32, where it holds all whole sums of bytes."""
    if own == np.uint8 and stages and all(stage.selects for stage in stages[1:]):
        most = stages[0].whole_sums(np.iinfo(own).max)
        if most is not None and most < EXACT32:
            return np.dtype("float32")
    return working_dtype(own)


def values_of(x: Array, stages: Sequence[Stage], threads: int | None = None) -> Array:
    """Return what stages make of x, (C, *spatial) of floats, as such values."""
    given = Given(np.moveaxis(x, 0, -1))
    return np.moveaxis(run(given, stages, Finish(x.dtype, x.dtype, None), threads=threads).pixels, -1, 0)


def extent_of(
    given: Given,
    stages: Sequence[Stage],
    finish: Finish,
    *,
    premultiply: bool | None = None,
    threads: int | None = None,
) -> Extent | None:
    """Return the smallest and the largest finite value of the colours that `finish` stretches; None without any."""
    return TileRun.of(given, stages, premultiply, given.dtype, threads).extent(finish, threads)


def measured_of(given: Given, stages: Sequence[Stage], threads: int | None = None) -> Measured:
    """Return what the values of the colours are."""
    planned = TileRun.of(given, stages, None, given.dtype, threads)
    found = planned.tiles.each(lambda: _Measures(planned.sources()[0]), threads)
    return sum(found[1:], found[0])


def _joined(colour: Array, opacity: Array) -> Array:
    """Return colours and opacity as channels of one picture."""
    return np.concatenate([colour, opacity], axis=-1)


class _Extents:
    """Looks at the values of tiles, and keeps no more than their extent."""

    def __init__(self, colour: Source, finish: Finish) -> None:
        self.colour, self.finish = colour, finish

    def __call__(self, region: Region) -> Extent | None:
        return self.finish.extent_of(self.colour(region))


class _Measures:
    """Looks at the values of tiles, and keeps no more than what they are."""

    def __init__(self, colour: Source) -> None:
        self.colour = colour

    def __call__(self, region: Region) -> Measured:
        return Measured.of(self.colour(region))


class Done(NamedTuple):
    """What is told of a tile: how many samples of colour were clipped, and what the values were."""

    clipped: int
    measured: Measured | None


class Finishing:
    """Computes tiles and writes their pixels."""

    def __init__(
        self,
        sources: tuple[Source, Source | None],
        finish: Finish,
        out: Array,
        measure: bool,
        top: int = 0,
        settling: Settling | None = None,
    ) -> None:
        """Take the pixels that are written; `top` is the row of the output that is their first."""
        self.colour, self.opacity = sources
        self.finish, self.out, self.measure, self.top = finish, out, measure, top
        self.settling = settling

    @classmethod
    def of(
        cls,
        planned: TileRun,
        given: Given,
        finish: Finish,
        out: Array,
        measure: bool,
        exact: ExactKernel | None,
        top: int = 0,
    ) -> "Finishing":
        """Make the sources of a thread, and what settles their values where they are those of an exact kernel."""
        settling = None
        if exact is not None:
            settling = Settling(exact, *given.sources(np.dtype("float64")), given.pixels.dtype)
        return cls(planned.sources(), finish, out, measure, top, settling)

    def __call__(self, region: Region) -> Done:
        """Compute a region."""
        colour = self.colour(region)
        measured = Measured.of(colour) if self.measure else None
        colour = own(colour)
        opacity = None if self.opacity is None else own(self.opacity(region))
        if self.settling is not None:
            self.settling(colour, opacity, region)
        *lead, rows, columns = region
        place = (*lead, slice(rows.start - self.top, rows.stop - self.top), columns)
        return Done(self.finish(colour, opacity, self.out, place), measured)


@dataclass(frozen=True)
class Estimate:
    """What a run will take, roughly: seconds on one core, and bytes at its peak."""

    seconds: float
    memory: int


def estimate(
    stages: Sequence[Stage],
    shape: Shape,
    dtype: np.dtype[Any],
    has_alpha: bool = False,
    threads: int | None = None,
) -> Estimate:
    """Foretell what stages take on pixels of `shape` (C, *spatial), the opacity not counted, of a dtype.

    The bytes are those of the tiles that threads work on: neither the picture nor what comes out is counted.
    """
    itemsize = 8 if has_alpha else shortest(dtype, stages).itemsize
    seconds, shapes = prod(shape) / CODEC, [shape]
    for stage in stages:
        times = (4 if stage.is_mean else 3) if has_alpha else 1  # colours, alpha, both; in float64
        seconds += times * sum(_seconds(each) for each in stage.passes(shapes[-1]))
        shapes.append(stage.output_shape(shapes[-1]))
    most, kept = 0, 0
    for leg in legs(stages, shape, itemsize):
        tiles = Tiles.of(leg, shape)
        width = min(threads or os.cpu_count() or 1, tiles.count)
        most = max(most, kept + width * tiles.numbers * itemsize)
        shape, kept = tiles.shape, itemsize * prod(tiles.shape)
        most = max(most, 2 * kept if len(leg) < len(stages) else 0)
    return Estimate(seconds + prod(shape) / CODEC, most * (BESIDE_ALPHA if has_alpha else 1))


def _seconds(taken: Pass) -> float:
    """Foretell what one pass takes."""
    layer, cost = taken.layer, taken.cost
    others = cost.flops - 2 * cost.macs + cost.comparisons
    seconds = taken.outputs / WRITTEN + others / MACS
    if isinstance(layer, DeformConv):
        seconds += taken.outputs * prod(layer.kernel_size) / SAMPLES
    if isinstance(layer, Conv | ConvTranspose):
        return seconds + cost.macs / MACS * min(1.0, TAPS / prod(layer.kernel_size))
    return seconds + cost.macs / MACS


def stacked(frames: Sequence[Array], dims: int) -> Array:
    """Return the only frame as (H, W, C), or for 3 axes all as (D, H, W, C)."""
    flat = [frame.reshape(*frame.shape[:2], -1) for frame in frames]
    return flat[0] if dims == 2 else np.stack(flat)
