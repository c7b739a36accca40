"""Run a planned filter: every tile of the picture through the algorithm, with the tiles shared by threads."""

from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.backend.algorithms.slide import Slide
from convcli.backend.bands.band_plan import RUNNING, BandPlan, CorrectionCost, plan
from convcli.backend.bands.encoding import Encoding
from convcli.backend.bands.passes import Scratch
from convcli.backend.bands.rounding import Rounder, Rounding
from convcli.backend.bands.running import RunningSums
from convcli.backend.bands.shifts import ShiftedFactors, ShiftedWindow
from convcli.backend.bands.spectrum import GuardedSpectrum, Spectrum
from convcli.backend.bands.strip import Strip
from convcli.backend.bands.sums_to_pixels import Finish
from convcli.backend.bands.toeplitz import WeightedFactors, WeightedRows
from convcli.backend.bands.weights import Weights
from convcli.cores import cores
from convcli.layers.padding import Pads

Array = NDArray[Any]
Tiles = Generator[tuple[slice, slice], None, None]
Sum = Callable[[Array, Array, Scratch], Array]  # computes the weighted sums of a strip, tile by tile

BUFFER = 256  # elements; NumPy buffers rows shorter than its buffer when it copies, and the default is 8192


def plan_all(
    weights: list[Weights],
    largest: float,
    slide: Slide,
    channels: int,
    wide: bool,
    method: str,
    threads: int | None,
    transforms: int = 0,
    correction_cost: CorrectionCost | None = None,
) -> BandPlan | None:
    """Return one plan that fits all matrices of a kernel.

    `transforms` is 1 for floats if neither weights nor samples are negative, 2 for other floats, and 0 if the result
    is not rounded as floats. `correction_cost` estimates the cost of a method in addition to its sums.
    """
    found = [each.facts(largest) for each in weights]
    facts = max(found, key=lambda fact: (not fact.factor_passes, fact.passes))._replace(
        most=max(fact.most for fact in found),
        down_most=max(fact.down_most for fact in found),
        box_most=found[0].box_most if len(found) == 1 else None,
        transforms=transforms,
    )
    return plan(facts, slide, channels, wide, method, threads or cores(), correction_cost)


def run(
    picture: Array,
    weights: list[Weights],
    slide: Slide,
    pads: Pads,
    mode: str,
    value: float,
    band_plan: BandPlan,
    finish: Finish | Rounding | Encoding,
) -> tuple[Array, int]:
    """Filter a picture (H, W, C) into a new array; return it and the number of clipped samples."""
    out = np.empty((*slide.output_size, picture.shape[2]), finish.dtype)
    if isinstance(finish, Finish) and band_plan.method == RUNNING and band_plan.dtype == "float32":
        finish = finish.by_cutting_off()
    tiles = _Shared(_tiles(slide, band_plan))

    centred = isinstance(finish, Rounding) and finish.centre != 0
    table = finish.table if isinstance(finish, Encoding) else None

    def work(_: int) -> int:
        strip = Strip(picture, slide, pads, mode, value, band_plan.first, centred, table)
        worker = _Worker(strip, weights, band_plan, finish, out)
        with np.errstate(all="ignore"), closing(tiles):  # if one thread fails, the others stop
            np.setbufsize(BUFFER)
            return sum(worker(tile) for tile in iter(lambda: next(tiles, None), None)) + worker.sum_doubtful()

    if band_plan.threads == 1:
        return out, work(0)
    with ThreadPoolExecutor(band_plan.threads) as pool, closing(tiles):
        return out, sum(pool.map(work, range(band_plan.threads)))


def _tiles(slide: Slide, band_plan: BandPlan) -> Tiles:
    starts = (
        range(0, n, step)
        for n, step in zip(slide.output_size, (band_plan.rows, band_plan.columns), strict=True)
    )
    for top, left in product(*starts):
        yield (
            slice(top, min(slide.output_size[0], top + band_plan.rows)),
            slice(left, min(slide.output_size[1], left + band_plan.columns)),
        )


class _Shared:
    """An iterator that several threads consume."""

    def __init__(self, items: Tiles) -> None:
        from threading import Lock

        self.items, self.lock = items, Lock()

    def __iter__(self) -> "_Shared":
        return self

    def __next__(self) -> tuple[slice, slice]:
        with self.lock:
            return next(self.items)

    def close(self) -> None:
        """End the iteration for all threads."""
        with self.lock:
            self.items.close()


class _Worker:
    """The buffers of one thread, and the algorithm that filters tiles with them."""

    def __init__(
        self,
        strip: Strip,
        weights: list[Weights],
        band_plan: BandPlan,
        finish: Finish | Rounding | Encoding,
        result: Array,
    ) -> None:
        self.result = result
        self.strip, self.dtype, self.scratch = strip, band_plan.dtype, Scratch()
        self.finish: Finish | Rounder | Encoding
        if isinstance(finish, Rounding):
            self.finish = Rounder(finish, strip, band_plan.dtype, result)
        else:
            self.finish = finish
        half = finish.half if isinstance(finish, Finish) else 0.0
        self.box = _running(strip, weights[0], band_plan, half) if band_plan.method == RUNNING else None
        self.sums = (
            [] if self.box else [_sum(each, strip.slide, strip.channels, band_plan) for each in weights]
        )

    def sum_doubtful(self) -> int:
        """Compute the samples that were left for later; return how many more were clipped."""
        return self.finish.sum_doubtful() if isinstance(self.finish, Rounder) else 0

    def __call__(self, tile: tuple[slice, slice]) -> int:
        """Filter one tile; return how many of its samples were clipped."""
        out = self.result[tile]
        if self.box:
            return sum(self.finish([sums], out[rows], self.scratch) for rows, sums in self.box(tile))
        strip, shape = self.strip.load(*tile), (len(out), out.shape[1] * self.strip.channels)
        sums = [
            weigh(strip, self.scratch.get(f"sum{number}", shape, self.dtype), self.scratch)
            for number, weigh in enumerate(self.sums)
        ]
        return self.finish(sums, out, self.scratch)


def _running(strip: Strip, weights: Weights, band_plan: BandPlan, half: float) -> RunningSums:
    rows, columns = weights.matrix.shape
    return RunningSums(strip, (rows, columns), band_plan.first, band_plan.dtype, half)


def _sum(weights: Weights, slide: Slide, channels: int, band_plan: BandPlan) -> Sum:
    """Return the planned function that computes the weighted sums of a strip with one matrix."""
    vertical, horizontal = (
        slide.dilation[0],
        slide.dilation[1] * channels,
    )  # distances from one tap to the next
    factors, dtype = (weights.down, weights.across), band_plan.dtype
    if band_plan.method == "fft":
        spectrum = Spectrum(weights.matrix, slide, channels, band_plan.length, dtype)
        if not band_plan.transforms:
            return spectrum
        plain: Sum = ShiftedWindow(weights.matrix, slide, channels, dtype)
        if set(slide.stride) == {1}:
            plain = WeightedRows(weights.matrix, vertical, horizontal, dtype)
        magnitudes = None
        if band_plan.transforms > 1:
            magnitudes = Spectrum(np.abs(weights.matrix), slide, channels, band_plan.length, dtype)
        return GuardedSpectrum(spectrum, magnitudes, plain)
    if band_plan.method == "direct":
        return ShiftedWindow(weights.matrix, slide, channels, dtype)
    if band_plan.method == "gemm":
        return WeightedRows(weights.matrix, vertical, horizontal, dtype)
    if dtype.startswith("float"):
        return WeightedFactors(factors, vertical, horizontal, dtype)
    return ShiftedFactors(factors, slide, channels, (band_plan.first, dtype))
