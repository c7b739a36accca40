"""Run stages on a picture tile by tile, with or without alpha."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import prod
from threading import Lock
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from convcli.backend.values import Extent, Filtered, Measured
from convcli.filters.stages.stage import Stage
from convcli.filters.tiles.exact_values import ExactCorrection, ExactKernel
from convcli.filters.tiles.given_picture import Given, Sources
from convcli.filters.tiles.missing_sources import Filled, presence
from convcli.filters.tiles.sources import Kept, Mapped, Pixels, Region, own
from convcli.filters.tiles.tile_plan import Tiles, legs
from convcli.filters.tiles.values_to_pixels import Finish
from convcli.layers.axes import Shape

Array = NDArray[Any]

CALLS = 40  # upper bound of nested Python calls per stage

_depth = Lock()  # guards the interpreter's recursion limit


class TileWork(NamedTuple):
    """A run of stages on a picture, and how their values become pixels.

    premultiply : whether to premultiply colours by alpha; None leaves the choice to each stage
    threads : number of threads that share the tiles, by default one per core
    measure : whether to compute statistics of the colours
    exact : the exact kernel of the only stage, if its floats may round integers differently
    """

    given: Given
    stages: Sequence[Stage]
    finish: Finish
    premultiply: bool | None = None
    threads: int | None = None
    measure: bool = False
    exact: ExactKernel | None = None

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype that the stages compute in."""
        if self.given.in_integers(self.stages):
            return np.dtype("int64")
        in_own_dtype = self.measure or self.finish.value_range in (None, "minmax")
        return self.given.dtype if in_own_dtype else self.given.shortest(self.stages)


def through(
    sources: Sources, stages: Sequence[Stage], premultiply: bool | None = None, skips_nan: bool = False
) -> Sources:
    """Return the outputs of stages applied one after the other, without rounding in between.

    With `skips_nan`, NaN is missing data; in pictures with alpha, missing pixels are transparent.
    """
    colour, opacity = sources
    if opacity is not None and skips_nan:
        colour = Kept(colour)
        opacity = Mapped(np.multiply, opacity, presence(colour, joint=True))
        colour = Filled(colour)
    with _depth:  # each stage calls the previous one
        sys.setrecursionlimit(max(sys.getrecursionlimit(), CALLS * (len(stages) + CALLS)))
    for stage in stages:
        if opacity is None:
            colour = stage.skipping(colour) if skips_nan else stage.through(Kept(colour))
        else:
            colour, opacity = stage.with_opacity(Kept(colour), Kept(opacity), premultiply)
    return colour, opacity


@dataclass(frozen=True)
class TileRun:
    """The tiles of an output, and a function that makes the sources for a thread."""

    tiles: Tiles
    sources: Callable[[], Sources]
    dtype: np.dtype[Any]

    @classmethod
    def of(cls, work: TileWork, dtype: np.dtype[Any]) -> "TileRun":
        """Plan stages, divided into legs if the tiles of all stages would need more memory than whole pictures."""
        given = work.given
        channels, *size = given.pixels.shape[-1] - given.has_alpha, *given.pixels.shape[:-1]
        shape: Shape = (channels, *size)
        start: Callable[[], Sources] = partial(given.sources, dtype)
        first, *others = legs(work.stages, shape, dtype.itemsize)
        planned = cls._leg(start, shape, first, work, dtype)
        for leg in others:
            start, shape = planned._evaluated(work.threads), planned.tiles.shape
            planned = cls._leg(start, shape, leg, work, dtype)
        return planned

    @classmethod
    def _leg(
        cls,
        start: Callable[[], Sources],
        shape: Shape,
        leg: Sequence[Stage],
        work: TileWork,
        dtype: np.dtype[Any],
    ) -> "TileRun":
        premultiply, skips_nan = work.premultiply, work.given.skips_nan
        return cls(Tiles.of(leg, shape), lambda: through(start(), leg, premultiply, skips_nan), dtype)

    def _evaluated(self, threads: int | None) -> Callable[[], Sources]:
        """Compute all values, and return a function that makes sources of them."""
        kept: list[Array | None] = []
        for source in self.sources():
            kept.append(None if source is None else np.empty((*source.size, source.shape[0]), source.dtype))

        def worker() -> Callable[[Region], None]:
            pairs = [(out, source) for out, source in zip(kept, self.sources(), strict=True)]

            def compute(region: Region) -> None:
                for out, source in pairs:
                    if out is not None and source is not None:
                        out[region] = source.read(region)

            return compute

        self.tiles.each(worker, threads)
        colour, opacity = kept
        assert colour is not None
        return lambda: (
            Pixels(colour, colour.dtype),
            None if opacity is None else Pixels(opacity, opacity.dtype),
        )

    def extent(self, finish: Finish, threads: int | None) -> Extent | None:
        """Return the smallest and the largest finite value of the colours, which `finish` stretches."""

        def worker() -> Callable[[Region], Extent | None]:
            colour, _ = self.sources()
            return lambda region: finish.extent_of(colour.read(region))

        return Extent.around(self.tiles.each(worker, threads))

    def filtered(self, out: Array, done: Sequence["Done"], finish: Finish) -> Filtered:
        """Return pixels with the combined statistics of all tiles."""
        measured = [each.measured for each in done if each.measured is not None]
        return Filtered(
            out,
            sum(each.clipped for each in done) / prod(self.tiles.shape),
            plan=f"stages in {self.dtype}",
            extent=finish.stretched,
            measured=sum(measured[1:], measured[0]) if measured else None,
        )


def run(work: TileWork) -> Filtered:
    """Filter a picture tile by tile, and convert the values to pixels.

    `minmax` without an extent first computes the range of all values, then computes them again.
    """
    planned, finish = prepared(work)
    out = finish.blank(planned.tiles.shape, work.given.has_alpha)
    done = planned.tiles.each(lambda: Finishing(planned, work, finish, out), work.threads)
    return planned.filtered(out, done, finish)


def prepared(work: TileWork) -> tuple[TileRun, Finish]:
    """Plan a run, and compute the range that `minmax` stretches if it is not given."""
    planned, finish = TileRun.of(work, work.dtype), work.finish
    if finish.value_range == "minmax" and finish.extent is None:
        found = planned.extent(finish, work.threads)
        finish = replace(finish, extent=found or Extent(0, 0), stretched=found)
    return planned, finish


def values_of(x: Array, stages: Sequence[Stage], threads: int | None = None) -> Array:
    """Return the output of stages for x, floats (C, *spatial), as floats (C, *spatial)."""
    given = Given(np.moveaxis(x, 0, -1))
    work = TileWork(given, stages, Finish(x.dtype, x.dtype, None), threads=threads)
    return np.moveaxis(run(work).pixels, -1, 0)


def extent_of(work: TileWork) -> Extent | None:
    """Return the smallest and the largest finite value of the colours, for `minmax`; None without finite values."""
    return TileRun.of(work, work.given.dtype).extent(work.finish, work.threads)


def measured_of(work: TileWork) -> Measured:
    """Return statistics of the values of the colours."""
    planned = TileRun.of(work, work.given.dtype)

    def worker() -> Callable[[Region], Measured]:
        colour, _ = planned.sources()
        return lambda region: Measured.of(colour.read(region))

    found = planned.tiles.each(worker, work.threads)
    return sum(found[1:], found[0])


class Done(NamedTuple):
    """Statistics of a tile: the number of clipped samples of colour, and those of the values."""

    clipped: int
    measured: Measured | None


class Finishing:
    """Computes tiles in one thread, and writes their pixels."""

    def __init__(self, planned: TileRun, work: TileWork, finish: Finish, out: Array, top: int = 0) -> None:
        """Initialise with the pixels to write; `top` is the output row of their first row."""
        self.colour, self.opacity = planned.sources()
        self.finish, self.out, self.measure, self.top = finish, out, work.measure, top
        self.correction: ExactCorrection | None = None
        if work.exact is not None:
            sources = work.given.sources(np.dtype("float64"))
            self.correction = ExactCorrection(work.exact, *sources, work.given.pixels.dtype)

    def __call__(self, region: Region) -> Done:
        """Compute a region, and write its pixels."""
        colour = self.colour.read(region)
        measured = Measured.of(colour) if self.measure else None
        colour = own(colour)
        opacity = None if self.opacity is None else own(self.opacity.read(region))
        if self.correction is not None:
            self.correction(colour, opacity, region)
        *lead, rows, columns = region
        place = (*lead, slice(rows.start - self.top, rows.stop - self.top), columns)
        return Done(self.finish(colour, opacity, self.out, place), measured)
