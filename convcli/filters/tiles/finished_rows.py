"""Run stages by rows: input pixels are decoded when they are needed, and the result is computed band by band.

Neither the picture nor the result is ever in memory as a whole.
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
    """Pixels (H, W) or (H, W, C) that are decoded block by block, such as `images.stored_pixels.StoredPixels`."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    block_size: tuple[int, int]
    working: int

    def block(self, down: int, across: int) -> Array:
        """Decode a block."""


def blocks_kept(shape: Sequence[int], block_size: tuple[int, int], rows: int) -> int:
    """Return the largest number of blocks that any `rows` adjacent rows of a picture overlap."""
    down, across = (-(-n // side) for n, side in zip(shape, block_size, strict=False))
    return across * min(down, -(-rows // block_size[0]) + 1)


class KeptBlocks:
    """Samples (H, W, C) for the tile loop, with a cache of the last used blocks.

    Threads that request the same block wait for the first of them to decode it.
    """

    def __init__(self, blocks: Blocks, rows: int) -> None:
        """Initialise with the number of rows that are used together, whose blocks are cached."""
        self.shape = (*blocks.shape[:2], *(blocks.shape[2:] or (1,)))
        self.dtype = blocks.dtype
        self._blocks, self._most = blocks, blocks_kept(blocks.shape, blocks.block_size, rows)
        self._kept: OrderedDict[tuple[int, int], Future[Array]] = OrderedDict()
        self._lock = Lock()

    def __getitem__(self, region: Region) -> Array:
        """Return the samples of a region, (rows, columns, C), which must not be modified."""
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
    """The result of stages on a picture, computed band by band from top to bottom.

    filtered : statistics of the result after all bands were computed; its pixels are black
    """

    filtered: Filtered | None = None

    def __init__(self, work: TileWork) -> None:
        self._work = work

    def __iter__(self) -> Iterator[Array]:
        """Yield bands (rows, W, C); tiles and pixels are the same as without bands."""
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
