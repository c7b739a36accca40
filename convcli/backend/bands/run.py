"""Run a planned filter: tiles of the picture through the algorithm, shared by threads."""

import os
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.backend.bands import passes
from convcli.backend.bands.finish import Finish
from convcli.backend.bands.plan import RUNNING, BandPlan, Facts, plan
from convcli.backend.bands.running import ALONE, SHARED, RunningSums
from convcli.backend.bands.spectrum import Spectrum
from convcli.backend.bands.strip import Strip
from convcli.backend.bands.toeplitz import WeighedColumns, WeighedRows
from convcli.backend.plan import Slide
from convcli.backend.separable import factors
from convcli.layers.padding import Pads

Array = NDArray[Any]
Tiles = Generator[tuple[slice, slice], None, None]

BUFFER = 256  # elements; NumPy copies rows that are shorter than its buffer, and its own is of 8192


@dataclass(frozen=True)
class Weights:
    """One matrix of a kernel, turned already, and its factors down and across, where it has some."""

    matrix: Array
    whole: bool
    down: list[Any]
    across: list[Any]

    @classmethod
    def of(cls, matrix: Array) -> "Weights":
        """Look at a matrix once, for all tiles."""
        found = factors(matrix, 2)
        down, across = (part.ravel().tolist() for part in found) if found else ([], [])
        return cls(matrix, matrix.dtype.kind == "i", down, across)

    def facts(self, largest: float) -> Facts:
        """Return what the plan has to know, for samples up to `largest`."""
        # One sample more than the sum: what an offset may add before the values are clipped.
        most = int((np.abs(self.matrix.astype(float)).sum() + 1) * largest) + 1
        factored, down_most = None, most
        if self.down:
            down_most = int(max(1, sum(map(abs, self.down))) * largest) + 1  # the border itself fits, too
            factored = (passes.operations(self.down), passes.operations(self.across))
        flat = self.matrix.ravel().tolist()
        box_most = int(self.matrix.shape[1] * largest) + 1 if self.whole and set(flat) == {1} else None
        return Facts(self.whole, most, down_most, box_most, passes.operations(flat), factored)


def plan_all(
    weights: list[Weights],
    largest: float,
    slide: Slide,
    channels: int,
    wide: bool,
    method: str,
    threads: int | None,
) -> BandPlan | None:
    """Plan for what any matrix needs; all of a kernel's matrices run by one plan."""
    found = [each.facts(largest) for each in weights]
    facts = replace(
        max(found, key=lambda fact: (not fact.factor_passes, fact.passes)),
        most=max(fact.most for fact in found),
        down_most=max(fact.down_most for fact in found),
        box_most=found[0].box_most if len(found) == 1 else None,
    )
    return plan(facts, slide, channels, wide, method, threads or os.cpu_count() or 1)


def run(
    picture: Array,
    weights: list[Weights],
    slide: Slide,
    pads: Pads,
    mode: str,
    value: float,
    way: BandPlan,
    finish: Finish,
) -> tuple[Array, int]:
    """Filter a picture (H, W, C) into a new one, and count its clipped samples."""
    out = np.empty((*slide.output_size, picture.shape[2]), finish.dtype)
    if way.method == RUNNING and way.dtype == "float32":
        finish = finish.by_cutting_off()
    tiles = _Shared(_tiles(slide, way))

    def work(_: int) -> int:
        worker = _Worker(Strip(picture, slide, pads, mode, value, way.first), weights, way, finish)
        with np.errstate(all="ignore"), closing(tiles):  # where one fails, the others stop
            np.setbufsize(BUFFER)
            return sum(worker(tile, out[tile]) for tile in iter(lambda: next(tiles, None), None))

    if way.threads == 1:
        return out, work(0)
    with ThreadPoolExecutor(way.threads) as pool, closing(tiles):
        return out, sum(pool.map(work, range(way.threads)))


def _tiles(slide: Slide, way: BandPlan) -> Tiles:
    starts = (range(0, n, step) for n, step in zip(slide.output_size, (way.rows, way.columns), strict=True))
    for top, left in product(*starts):
        yield (
            slice(top, min(slide.output_size[0], top + way.rows)),
            slice(left, min(slide.output_size[1], left + way.columns)),
        )


class _Shared:
    """An iterator that several threads take from."""

    def __init__(self, items: Tiles) -> None:
        from threading import Lock

        self.items, self.lock = items, Lock()

    def __iter__(self) -> "_Shared":
        return self

    def __next__(self) -> tuple[slice, slice]:
        with self.lock:
            return next(self.items)

    def close(self) -> None:
        """Leave nothing to take."""
        with self.lock:
            self.items.close()


class _Worker:
    """One thread's buffers, and the algorithm that runs in them, tile by tile."""

    def __init__(self, strip: Strip, weights: list[Weights], way: BandPlan, finish: Finish) -> None:
        self.strip, self.weights, self.way, self.finish = strip, weights, way, finish
        self.slide, self.channels = strip.slide, strip.channels
        self.scratch = passes.Scratch()
        dy, step = self.slide.dilation[0], self.slide.dilation[1] * self.channels  # to the next tap
        if way.method == RUNNING:
            rows, columns = weights[0].matrix.shape
            pace = SHARED if way.threads > 1 else ALONE
            self.box = RunningSums(strip, (rows, columns), way.first, way.dtype, finish.half, pace)
        elif way.method == "fft":
            self.spectra = [Spectrum(each.matrix, self.slide, way.length, way.dtype) for each in weights]
        elif way.method == "direct":
            self.window = [passes.WeightedSum(each.matrix.ravel().tolist(), way.dtype) for each in weights]
        elif way.method == "gemm":
            self.rows = [WeighedRows(each.matrix, dy, step, way.dtype) for each in weights]
        elif way.dtype.startswith("float"):  # and separable, as are all below
            downs = (np.array(each.down)[:, None] for each in weights)
            self.rows = [WeighedRows(down, dy, step, way.dtype) for down in downs]
            self.columns = [WeighedColumns(each.across, step, way.dtype) for each in weights]
        else:
            self.down = [passes.WeightedSum(each.down, way.first) for each in weights]
            self.across = [passes.WeightedSum(each.across, way.dtype) for each in weights]

    def __call__(self, tile: tuple[slice, slice], out: Array) -> int:
        """Filter one tile; return how many of its samples were clipped."""
        if self.way.method == RUNNING:
            return sum(self.finish([sums], out[rows], self.scratch) for rows, sums in self.box(tile))
        strip, shape = self.strip.load(*tile), (len(out), out.shape[1] * self.channels)
        sums = [
            self._sum(strip, number, self.scratch.get(f"sum{number}", shape, self.way.dtype))
            for number in range(len(self.weights))
        ]
        return self.finish(sums, out, self.scratch)

    def _sum(self, strip: Array, number: int, out: Array) -> Array:
        """Weigh the strip by one of the matrices, into `out` or memory of its own."""
        match self.way.method:
            case "direct":
                return self._direct(strip, number, out)
            case "gemm":
                return self.rows[number](strip, out, self.scratch)
            case "fft":
                return self._transformed(strip, number, out)
            case _:
                return self._separable(strip, number, out)

    def _direct(self, strip: Array, number: int, out: Array) -> Array:
        kernel_width = self.weights[number].matrix.shape[1]
        (sy, sx), (dy, dx), channels = self.slide.stride, self.slide.dilation, self.channels
        height, samples = out.shape
        pixels = strip.reshape(len(strip), -1, channels)

        def tap(place: int) -> Array:
            row, column = divmod(place, kernel_width)
            met = slice(row * dy, row * dy + (height - 1) * sy + 1, sy)
            if sx == 1:
                return strip[met, column * dx * channels : column * dx * channels + samples]
            return pixels[met, column * dx : column * dx + samples // channels * sx : sx]

        self.window[number](tap, out if sx == 1 else out.reshape(height, -1, channels), self.scratch)
        return out

    def _separable(self, strip: Array, number: int, out: Array) -> Array:
        """Weigh the rows below each other, then neighbours along them."""
        held = self.scratch.get("down", (len(out), strip.shape[1]), strip.dtype)
        if held.dtype.kind == "f":
            return self.columns[number](self.rows[number](strip, held, self.scratch), out)
        self._down(strip, number, held)
        if held.dtype != out.dtype:
            wide = self.scratch.get("wide", held.shape, out.dtype)
            np.copyto(wide, held)
            held = wide
        return self._across(held, number, out)

    def _down(self, strip: Array, number: int, out: Array) -> None:
        sy, dy, height = self.slide.stride[0], self.slide.dilation[0], len(out)
        self.down[number](
            lambda row: strip[row * dy : row * dy + (height - 1) * sy + 1 : sy], out, self.scratch
        )

    def _across(self, held: Array, number: int, out: Array) -> Array:
        sx, dx, channels = self.slide.stride[1], self.slide.dilation[1], self.channels
        height, samples = out.shape
        pixels = held.reshape(height, -1, channels)

        def tap(column: int) -> Array:
            if sx == 1:
                return held[:, column * dx * channels : column * dx * channels + samples]
            return pixels[:, column * dx : column * dx + samples // channels * sx : sx]

        self.across[number](tap, out if sx == 1 else out.reshape(height, -1, channels), self.scratch)
        return out

    def _transformed(self, strip: Array, number: int, out: Array) -> Array:
        """Weigh the whole tile by its spectrum, and take the places that the stride asks for."""
        (sy, sx), channels = self.slide.stride, self.channels
        pixels = out.reshape(len(out), -1, channels)
        if sy == sx == 1:
            self.spectra[number](strip, channels, pixels)
            return out
        shape = ((len(out) - 1) * sy + 1, (pixels.shape[1] - 1) * sx + 1, channels)
        whole = self.scratch.get("whole", shape, strip.dtype)
        pixels[...] = self.spectra[number](strip, channels, whole)[::sy, ::sx]
        return out
