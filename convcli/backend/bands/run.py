"""Run a planned filter: tiles of the picture through the algorithm, shared by threads."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.backend.bands import passes, toeplitz
from convcli.backend.bands.finish import Finish
from convcli.backend.bands.plan import BandPlan, Facts, plan
from convcli.backend.bands.spectrum import Spectrum
from convcli.backend.bands.strip import Strip
from convcli.backend.plan import Slide
from convcli.backend.separable import factors
from convcli.layers.padding import Pads

Array = NDArray[Any]

LONG = 3  # taps from which on a sum that runs is quicker than one that is added up anew


@dataclass(frozen=True)
class Weights:
    """One matrix of a kernel, turned already, and its factors down and across, where it has some."""

    matrix: Array
    whole: bool
    down: Array | None
    across: Array | None

    @classmethod
    def of(cls, matrix: Array) -> "Weights":
        """Look at a matrix once, for all tiles."""
        whole = matrix.dtype.kind == "i"
        found = factors(matrix, 2)
        down, across = (part.reshape(-1) for part in found) if found else (None, None)
        return cls(matrix, whole, down, across)

    def facts(self, largest: float) -> Facts:
        """Return what the plan has to know, for samples up to `largest`."""
        most = int(np.abs(self.matrix.astype(float)).sum() * largest) + 1
        factored, down_most = None, most
        if self.down is not None and self.across is not None:
            down_most = int(np.abs(self.down.astype(float)).sum() * largest) + 1
            factored = (passes.operations(self.down.tolist()), passes.operations(self.across.tolist()))
        flat = self.matrix.ravel().tolist()
        return Facts(self.whole, most, down_most, len(set(flat)) == 1, passes.operations(flat), factored)


def plan_all(
    weights: list[Weights],
    largest: float,
    slide: Slide,
    channels: int,
    wide: bool,
    method: str,
    threads: int | None,
) -> BandPlan | None:
    """Plan for the matrix that needs the most; all of a kernel's matrices run by one plan."""
    facts = max(
        (each.facts(largest) for each in weights), key=lambda fact: (not fact.factor_passes, fact.most)
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
    tiles = _tiles(slide, way)

    def work(_: int) -> int:
        worker = _Worker(Strip(picture, slide, pads, mode, value, way.first), weights, way, finish)
        return sum(worker(tile, out[tile]) for tile in iter(lambda: next(tiles, None), None))

    if way.threads == 1:
        return out, work(0)
    tiles = _Shared(tiles)
    with ThreadPoolExecutor(way.threads) as pool:
        return out, sum(pool.map(work, range(way.threads)))


def _tiles(slide: Slide, way: BandPlan) -> Iterator[tuple[slice, slice]]:
    starts = (range(0, n, step) for n, step in zip(slide.output_size, (way.rows, way.columns), strict=True))
    for top, left in product(*starts):
        yield (
            slice(top, min(slide.output_size[0], top + way.rows)),
            slice(left, min(slide.output_size[1], left + way.columns)),
        )


class _Shared:
    """An iterator that several threads take from."""

    def __init__(self, items: Iterator[tuple[slice, slice]]) -> None:
        from threading import Lock

        self.items, self.lock = items, Lock()

    def __iter__(self) -> "_Shared":
        return self

    def __next__(self) -> tuple[slice, slice]:
        with self.lock:
            return next(self.items)


class _Worker:
    """One thread's buffers, and the algorithm that runs in them."""

    def __init__(self, strip: Strip, weights: list[Weights], way: BandPlan, finish: Finish) -> None:
        self.strip, self.weights, self.way, self.finish = strip, weights, way, finish
        self.slide, self.channels = strip.slide, strip.channels
        self.scratch = passes.Scratch()
        self.sum = getattr(self, f"_{way.method}")
        if way.method == "fft":
            self.spectra = [Spectrum(each.matrix, self.slide, way.length, way.dtype) for each in weights]
        elif way.method == "direct":
            self.window = [passes.WeightedSum(each.matrix.ravel().tolist(), way.dtype) for each in weights]
        elif way.method == "separable":
            self.down = [passes.WeightedSum(_listed(each.down), way.first) for each in weights]
            self.across = [passes.WeightedSum(_listed(each.across), way.dtype) for each in weights]

    def __call__(self, tile: tuple[slice, slice], out: Array) -> int:
        """Filter one tile; return how many of its samples were clipped."""
        strip = self.strip.load(*tile)
        sums = []
        for number, each in enumerate(self.weights):
            shape = (out.shape[0], out.shape[1] * self.channels)
            sums.append(
                self.sum(strip, each, self.scratch.get(f"sum{number}", shape, self.way.dtype), number)
            )
        return self.finish(sums, out, self.scratch)

    def _direct(self, strip: Array, each: Weights, out: Array, number: int) -> Array:
        kernel_width = each.matrix.shape[1]
        (sy, sx), (dy, dx), channels = self.slide.stride, self.slide.dilation, self.channels
        height, samples = len(out), out.shape[1]
        pixels = strip.reshape(len(strip), -1, channels)

        def tap(place: int) -> Array:
            row, column = divmod(place, kernel_width)
            rows = slice(row * dy, row * dy + (height - 1) * sy + 1, sy)
            if sx == 1:
                return strip[rows, column * dx * channels : column * dx * channels + samples]
            return pixels[rows, column * dx : column * dx + samples // channels * sx : sx]

        self.window[number](tap, out if sx == 1 else out.reshape(height, -1, channels), self.scratch)
        return out

    def _separable(self, strip: Array, each: Weights, out: Array, number: int) -> Array:
        held = self.scratch.get("down", (len(out), strip.shape[1]), strip.dtype)
        down, across = _listed(each.down), _listed(each.across)
        (sy, sx), (dy, dx), channels = self.slide.stride, self.slide.dilation, self.channels
        if out.dtype.kind == "f":
            toeplitz.weigh_rows(strip, down, dy, held)
            return toeplitz.weigh_columns(held, across, dx, channels, out)
        if sy == sx == dy == dx == 1 and len(set(down)) == len(set(across)) == 1 and len(down) > LONG:
            passes.running_rows(strip, len(down), held)
            held = self._widened(held, out.dtype)
            total = passes.doubling_columns(held, len(across), channels, self.scratch)
            return total if down[0] * across[0] == 1 else np.multiply(total, down[0] * across[0], out=out)
        height, samples = len(out), out.shape[1]
        self.down[number](
            lambda row: strip[row * dy : row * dy + (height - 1) * sy + 1 : sy], held, self.scratch
        )
        held = self._widened(held, out.dtype)
        pixels = held.reshape(height, -1, channels)

        def tap(column: int) -> Array:
            if sx == 1:
                return held[:, column * dx * channels : column * dx * channels + samples]
            return pixels[:, column * dx : column * dx + samples // channels * sx : sx]

        self.across[number](tap, out if sx == 1 else out.reshape(height, -1, channels), self.scratch)
        return out

    def _widened(self, values: Array, dtype: np.dtype[Any]) -> Array:
        """Return sums down as the dtype that they are summed across in."""
        if values.dtype == dtype:
            return values
        wide = self.scratch.get("wide", values.shape, dtype)
        np.copyto(wide, values)
        return wide

    def _gemm(self, strip: Array, each: Weights, out: Array, _: int) -> Array:
        spare = self.scratch.get("spare", (toeplitz.ROWS, toeplitz.COLUMNS), out.dtype)
        return toeplitz.weigh_window(strip, each.matrix, self.slide.dilation, self.channels, out, spare)

    def _fft(self, strip: Array, each: Weights, out: Array, number: int) -> Array:
        pixels = out.reshape(len(out), -1, self.channels)
        if self.slide.stride == (1, 1):
            self.spectra[number](strip, self.channels, pixels)
            return out
        sizes = zip(out.shape[:1] + pixels.shape[1:2], self.slide.stride, strict=True)
        whole = self.scratch.get("whole", (*((n - 1) * s + 1 for n, s in sizes), self.channels), out.dtype)
        self.spectra[number](strip, self.channels, whole)
        pixels[...] = whole[:: self.slide.stride[0], :: self.slide.stride[1]]
        return out


def _listed(weights: Array | None) -> list[Any]:
    return [] if weights is None else weights.tolist()
