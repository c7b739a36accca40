"""Runs by rows: the pixels of the input are decoded where they are needed, the result is made band after band.

Neither the picture nor its result is ever whole in memory.
"""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from functools import partial
from threading import Lock
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from convcli.backend.values import Filtered
from convcli.filters.tiles.sources import Region
from convcli.filters.tiles.tile_loop import Done, Finishing, TileWork, prepared
from convcli.memory import black_pixels

Array = NDArray[Any]


class Blocks(Protocol):
    """Pixels (H, W) or (H, W, C) that are decoded block by block; `images.stored_pixels` has those of files."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    block_size: tuple[int, int]
    working: int

    def block(self, down: int, across: int) -> Array:
        """Decode a block."""


def blocks_kept(shape: Sequence[int], block_size: tuple[int, int], rows: int) -> int:
    """Return how many blocks there are in so many rows of a picture, wherever these begin."""
    down, across = (-(-n // side) for n, side in zip(shape, block_size, strict=False))
    return across * min(down, -(-rows // block_size[0]) + 1)


class KeptBlocks:
    """Samples (H, W, C) for the tile loop; the blocks that were looked at last are kept.

    Threads that ask for the same block wait for the first of them.
    """

    def __init__(self, blocks: Blocks, rows: int) -> None:
        """Take the rows that are looked at together: their blocks are kept."""
        self.shape = (*blocks.shape[:2], *(blocks.shape[2:] or (1,)))
        self.dtype = blocks.dtype
        self._blocks, self._most = blocks, blocks_kept(blocks.shape, blocks.block_size, rows)
        self._kept: OrderedDict[tuple[int, int], Future[Array]] = OrderedDict()
        self._lock = Lock()

    def __getitem__(self, region: Region) -> Array:
        """Return the samples of a region, (rows, columns, C), which are not to be changed."""
        (top, bottom), (left, right) = ((places.start, places.stop) for places in region)
        high, wide = self._blocks.block_size
        numbers = range(top // high, -(-bottom // high)), range(left // wide, -(-right // wide))
        if len(numbers[0]) == len(numbers[1]) == 1:
            return self._part(numbers[0][0], numbers[1][0], region)
        out = np.empty((bottom - top, right - left, self.shape[2]), self.dtype)
        for down in numbers[0]:
            rows = slice(max(top, down * high), min(bottom, (down + 1) * high))
            for across in numbers[1]:
                columns = slice(max(left, across * wide), min(right, (across + 1) * wide))
                place = (
                    slice(rows.start - top, rows.stop - top),
                    slice(columns.start - left, columns.stop - left),
                )
                out[place] = self._part(down, across, (rows, columns))
        return out

    def _part(self, down: int, across: int, region: Region) -> Array:
        high, wide = self._blocks.block_size
        rows, columns = region
        block = self._block(down, across)
        part = block[
            rows.start - down * high : rows.stop - down * high,
            columns.start - across * wide : columns.stop - across * wide,
        ]
        return part.reshape(*part.shape[:2], self.shape[2])

    def _block(self, *place: int) -> Array:
        down, across = place
        key = down, across
        with self._lock:
            found = self._kept.get(key)
            mine = found is None
            if found is None:
                found = self._kept[key] = Future()
                while len(self._kept) > self._most:
                    self._kept.popitem(last=False)
            else:
                self._kept.move_to_end(key)
        if mine:
            try:
                found.set_result(self._blocks.block(down, across))
            except BaseException as error:
                found.set_exception(error)
                raise
        return found.result()


class FinishedRows:
    """What stages make of a picture, band after band from its top to its bottom.

    shape : (H, W, C) of the result; dtype : of its samples
    filtered : what is told of it once all bands were taken; its pixels are black
    """

    filtered: Filtered | None = None

    def __init__(self, work: TileWork) -> None:
        self._work = work

    def __iter__(self) -> Iterator[Array]:
        """Yield bands (rows, W, C); tiles are the same ones as without bands, and so are the pixels."""
        work, has_alpha = self._work, self._work.given.has_alpha
        planned, finish = prepared(work)
        maps, *_, width = planned.tiles.shape
        done: list[Done] = []
        for rows, tiles in planned.tiles.bands():
            band = finish.blank((maps, rows.stop - rows.start, width), has_alpha)
            worker = partial(Finishing, planned, work, finish, band, rows.start)
            done += planned.tiles.each(worker, work.threads, tiles)
            del worker
            yield band
            del band
        shape = (*planned.tiles.shape[1:], maps + has_alpha)
        self.filtered = planned.filtered(black_pixels(shape, finish.dtype), done, finish)
