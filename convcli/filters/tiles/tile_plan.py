"""Plan tiles: the regions of the output in the order of computation, and their distribution to threads."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import chain, product
from math import ceil, prod
from typing import TypeVar

import numpy as np

from convcli.cores import cores
from convcli.filters.stages.stage import Stage
from convcli.filters.tiles.sources import Region, begin_tile
from convcli.layers import ConvTranspose, Resize, Window
from convcli.layers.axes import Shape, Sizes
from convcli.layers.padding import span
from convcli.layers.resample import Resample

T = TypeVar("T")

SAMPLES = 1 << 17  # per step, so that its arrays stay in cache
MAX_PASSES = 4  # a step of enlarging stages has up to this many times as many samples
WIDE = 2048  # samples per row of a tile; rows are long because each pass over a row costs a call
TALL = 512  # rows of a tile, which is computed step by step
HALOS = 4  # a tile is at least this many times as wide as its halo, which its neighbours compute again
FINISHED = 6  # numbers held for each value while it is converted to a pixel
MAX_HELD = 1 << 25  # bytes that a tile may always hold before stages are divided into legs
BAND = 1 << 22  # least samples of a band of the output, as threads are started for each band
ITEMSIZE = 8  # most bytes of a value
BUFFER = 256  # elements; NumPy copies rows that are shorter than its buffer, by default 8192


@dataclass(frozen=True)
class Tiles:
    """The tiles of an output (C, *spatial), and the rows of a step.

    Threads take tiles, and compute each from top to bottom in steps, so that overlapping rows of the previous step are
    still cached. Tiles depend only on the picture and the stages, not on the number of threads.
    """

    shape: Shape
    rows: int
    columns: int
    step: int
    numbers: int  # numbers held for a step, by all stages and by the conversion to pixels

    @classmethod
    def of(cls, stages: Sequence[Stage], shape: Shape) -> "Tiles":
        """Plan the tiles for an input (C, *spatial)."""
        shapes = [shape]
        most, fewest = shape[0], prod(shape)
        for stage in stages:
            shape = stage.output_shape(shape)
            shapes.append(shape)
            most = max(most, shape[0])
            fewest = min(fewest, prod(shape))
        down, across = halo(stages)
        deep = most * prod(shape[1:-2])  # samples per pixel, of all channels and frames
        columns = min(shape[-1], max(1, WIDE // deep, HALOS * across))
        # The phases of enlarging stages are computed one at a time, each with fewer samples.
        passes = max(1, min(MAX_PASSES, prod(shape) // fewest))
        step = min(shape[-2], max(1, passes * SAMPLES // (deep * columns)))
        rows = min(shape[-2], max(round(TALL / _shrinking(stages)), step, HALOS * down))
        tile: Sizes = (*shape[1:-2], step, columns)
        numbers = FINISHED * shape[0] * prod(tile)
        for stage, before in zip(reversed(stages), reversed(shapes[:-1]), strict=True):
            found = stage.held(before, tile)
            numbers, tile = numbers + found.numbers, found.tile
        return cls(shape, rows, columns, step, numbers)

    @property
    def count(self) -> int:
        """The number of tiles."""
        return prod(-(-n // each) for n, each in zip(self.shape[-2:], (self.rows, self.columns), strict=True))

    def __iter__(self) -> Iterator[tuple[int, int]]:
        """Yield the first row and the first column of each tile."""
        *_, height, width = self.shape
        for top in range(0, height, self.rows):
            for left in range(0, width, self.columns):
                yield top, left

    def steps(self, tile: tuple[int, int]) -> Iterator[Region]:
        """Yield the regions of a tile, step by step."""
        *lead, height, width = self.shape[1:]
        top, left = tile
        bottom = min(height, top + self.rows)
        across = slice(left, min(width, left + self.columns))
        for first in range(top, bottom, self.step):
            rows = slice(first, min(bottom, first + self.step))
            yield (*(slice(0, n) for n in lead), rows, across)

    @property
    def band_rows(self) -> int:
        """The rows of a band: those of one row of tiles, or of several if they are small."""
        return self.rows * max(1, BAND // (self.rows * self.shape[-1] * self.shape[0]))

    def bands(self) -> Iterator[tuple[slice, list[tuple[int, int]]]]:
        """Yield the rows of each band, which is as wide as the output, and its tiles."""
        height, width = self.shape[-2:]
        for top in range(0, height, self.band_rows):
            rows = slice(top, min(height, top + self.band_rows))
            yield (
                rows,
                list(product(range(rows.start, rows.stop, self.rows), range(0, width, self.columns))),
            )

    def each(
        self,
        make: Callable[[], Callable[[Region], T]],
        threads: int | None,
        only: Sequence[tuple[int, int]] | None = None,
    ) -> list[T]:
        """Call workers on all regions, in threads that each make one worker; return the results in order.

        only : the tiles to compute, by default all
        """
        tiles = list(self if only is None else only)
        width = min(threads or cores(), len(tiles))
        numbers: Iterator[int] = iter(range(len(tiles)))
        found: list[list[T]] = [[] for _ in tiles]

        def work(_: int) -> None:
            worker = make()
            with np.errstate(all="ignore"):  # NaN and infinity pass, as IEEE 754 has it
                np.setbufsize(BUFFER)
                for number in iter(lambda: next(numbers, None), None):  # `next` is atomic: one call of C code
                    begin_tile()
                    found[number] = [worker(region) for region in self.steps(tiles[number])]

        def work_or_stop(thread: int) -> None:
            nonlocal numbers
            try:
                work(thread)
            except BaseException:
                numbers = iter(())  # if one thread fails, the others stop
                raise

        if width == 1:
            work(0)
        else:
            with ThreadPoolExecutor(width) as pool:
                try:
                    list(pool.map(work_or_stop, range(width)))
                except BaseException:  # in this thread, such as KeyboardInterrupt
                    numbers = iter(())
                    raise
        return [each for results in found for each in results]


def legs(stages: Sequence[Stage], shape: Shape, itemsize: int) -> list[tuple[Stage, ...]]:
    """Divide stages into legs whose tiles need less memory than the intermediate pictures; usually there is one."""
    stages, shapes = tuple(stages), [shape]
    for stage in stages:
        shapes.append(stage.output_shape(shapes[-1]))

    def fits(start: int, count: int) -> bool:
        held = Tiles.of(stages[start : start + count], shapes[start]).numbers * itemsize
        return held <= max(MAX_HELD, 2 * prod(shapes[start + count - 1]) * itemsize)

    found: list[tuple[Stage, ...]] = []
    start = 0
    while start < len(stages):
        count = _most(len(stages) - start, partial(fits, start))
        found.append(stages[start : start + count])
        start += count
    return found or [()]


def _most(limit: int, fits: Callable[[int], bool]) -> int:
    """Return the largest number up to `limit` that fits, at least 1, given that smaller numbers fit as well.

    >>> _most(100, lambda count: count <= 37), _most(5, lambda count: True), _most(5, lambda count: False)
    (37, 5, 1)
    """
    count, step = 1, 1
    while count + step <= limit and fits(count + step):
        count, step = count + step, 2 * step
    while step:
        if count + step <= limit and fits(count + step):
            count += step
        step //= 2
    return count


def rows_seen(stages: Sequence[Stage], shape: Shape) -> int:
    """Return the number of rows of an input (C, *spatial) that a row of tiles is computed from."""
    first, *_ = legs(stages, shape, ITEMSIZE)
    tiles = Tiles.of(first, shape)
    shapes = [shape]
    for stage in first:
        shapes.append(stage.output_shape(shapes[-1]))
    tile: Sizes = (*tiles.shape[1:-2], tiles.rows, tiles.columns)
    for stage, before in zip(reversed(first), reversed(shapes[:-1]), strict=True):
        tile = stage.seen(before, tile)
    return tile[-2]


def band_rows(stages: Sequence[Stage], shape: Shape) -> int:
    """Return the rows of a band of the output for an input (C, *spatial)."""
    *others, last = legs(stages, shape, ITEMSIZE)
    for stage in chain.from_iterable(others):
        shape = stage.output_shape(shape)
    return Tiles.of(last, shape).band_rows


def _shrinking(stages: Sequence[Stage]) -> float:
    """Return the factor by which stages reduce the rows; tiles are lower then, so that they need fewer input rows."""
    shrinks = (
        layer.input_size[-2] / layer.size[-2]
        for stage in stages
        for layer in stage.layers
        if isinstance(layer, Resample)
    )
    return max(1.0, prod(shrinks))


def halo(stages: Sequence[Stage]) -> tuple[int, int]:
    """Estimate the rows and columns around a tile of the output that are computed in addition to it."""
    around, jump = [0.0, 0.0], [1.0, 1.0]
    for stage in stages:
        for layer in stage.layers:
            if isinstance(layer, Resize):
                scale = (layer.scale or (1,) * 2)[-2:]
                jump = [j / s for j, s in zip(jump, scale, strict=True)]
                continue
            if isinstance(layer, Resample):
                steps = [n / made for n, made in zip(layer.input_size[-2:], layer.size[-2:], strict=True)]
                around = [
                    reach + (layer.taps(axis) - 1) * j
                    for reach, axis, j in zip(around, (-2, -1), jump, strict=True)
                ]
                jump = [j * s for j, s in zip(jump, steps, strict=True)]
                continue
            if not isinstance(layer, Window):
                continue
            axes = zip(layer.kernel_size[-2:], layer.stride[-2:], layer.dilation[-2:], strict=True)
            for axis, (k, s, d) in enumerate(axes):
                enlarges = isinstance(layer, ConvTranspose)
                around[axis] += (span(k, d) - 1) * jump[axis] / (s if enlarges else 1)
                jump[axis] *= 1 / s if enlarges else s
    down, across = (ceil(reach / j) for reach, j in zip(around, jump, strict=True))
    return down, across
