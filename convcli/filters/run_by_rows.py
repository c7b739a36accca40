"""Filter a frame band by band, with pixels that may be decoded on demand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import prod
from typing import TYPE_CHECKING, Any, cast

from convcli.cores import cores
from convcli.filters.frame_group import FrameGroup
from convcli.filters.run import Made, PictureFilter
from convcli.images.picture import Frame
from convcli.images.stored_pixels import StoredPixels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from convcli.filters.plain_rows import PlainBands
    from convcli.filters.tiles.sources import Samples

    Array = NDArray[Any]


class MadeRows:
    """The result of a filter on a frame, which can be iterated over once.

    frame : the result with black pixels
    made : its statistics, after all rows were computed
    """

    made: Made | None = None

    def __init__(self, picture_filter: PictureFilter, group: FrameGroup) -> None:
        """Initialise with a filter and a group; the pixels of its frame may be `StoredPixels`."""
        self._filter, self._group = picture_filter, group
        (self.frame,) = picture_filter.black_frames(group)

    def __iter__(self) -> Iterator[Array]:
        """Yield bands of the result, (rows, W) or (rows, W, C), from top to bottom."""
        picture_filter, group = self._filter, self._group
        samples = _samples(picture_filter, group)
        rows: Any
        if _slabs(picture_filter, group) is not None:
            from convcli.filters.plain_rows import PlainRows

            assert group.plain is not None
            rows = PlainRows(samples, group.plain, picture_filter.single(group), picture_filter.stats)
        elif group.plain is not None:
            rows = picture_filter.single(group).rows(samples, picture_filter.stats)
        else:
            from convcli.filters.tiles.finished_rows import FinishedRows

            given = group.given_as(samples, picture_filter.colours)
            rows = FinishedRows(picture_filter.tile_work(group, given))
        for band in rows:
            yield band.reshape(len(band), *self.frame.pixels.shape[1:])
        self.made = picture_filter.result(group, (self.frame,), rows.filtered)


def _samples(picture_filter: PictureFilter, group: FrameGroup) -> Samples:
    """Return the samples of a frame, (H, W, C); those of a file are read through a cache of blocks."""
    pixels: Any = group.frames[0].pixels
    if isinstance(pixels, StoredPixels):
        from convcli.filters.tiles.finished_rows import KeptBlocks

        return KeptBlocks(pixels, rows_seen(picture_filter, group))
    return cast("Samples", pixels.reshape(*pixels.shape[:2], -1))


def rows_seen(picture_filter: PictureFilter, group: FrameGroup) -> int:
    """Return the number of input rows that are used together."""
    if (bands := _slabs(picture_filter, group)) is not None:
        return bands.rows_seen
    from convcli.filters.tiles.tile_plan import rows_seen

    return rows_seen(group.stages, group.shape)


def has_rows(picture_filter: PictureFilter, group: FrameGroup) -> bool:
    """Return whether a frame can be filtered in bands; a kernel whose padding is wider than itself is one step."""
    if (bands := _slabs(picture_filter, group)) is None:
        return True
    from convcli.filters.plain_rows import SURROUNDED

    if group.recipe.kernels[0].anchor is not None:  # an anchor moves the window
        return False
    return group.recipe.padding_mode not in SURROUNDED or bands.all_look_inside


def memory(
    picture_filter: PictureFilter, group: FrameGroup, frame: Frame, stored: StoredPixels | None
) -> int:
    """Estimate the bytes of a run, in addition to the input frame if it is not stored in a file.

    frame : the result with black pixels; two bands of it are in memory at a time
    """
    from convcli.filters.tiles.finished_rows import blocks_kept

    pixels = group.frames[0].pixels
    samples = prod(frame.pixels.shape[1:])
    if (bands := _slabs(picture_filter, group)) is not None:
        from convcli.filters.plain_rows import plain_memory

        slab = (min(pixels.shape[0], bands.rows_seen), *pixels.shape[1:])
        part = replace(group.frames[0], pixels=pixels[: slab[0]])
        smaller = replace(group, frames=(part,), shape=(group.shape[0], *slab[:2]))
        taken = plain_memory(bands, pixels.itemsize, frame.pixels.itemsize) + picture_filter.memory(
            smaller, 0
        )
    else:
        from convcli.filters.tiles.tile_plan import band_rows

        taken = group.memory(0, picture_filter.threads)
        taken += 2 * band_rows(group.stages, group.shape) * samples * frame.pixels.itemsize
    if stored is not None:
        kept = blocks_kept(stored.shape, stored.block_size, rows_seen(picture_filter, group))
        block = prod(stored.block_size) * prod(stored.shape[2:]) * stored.dtype.itemsize
        # The input rows of a band are decoded by one thread.
        threads = 1 if bands is not None else picture_filter.threads or cores()
        taken += kept * block + threads * stored.working
    return taken


def _slabs(picture_filter: PictureFilter, group: FrameGroup) -> PlainBands | None:
    """Return the bands of a single kernel; None if rows are computed by the tiles of a run instead."""
    pixels = group.frames[0].pixels
    if group.plain is None or not picture_filter.single(group).takes_slabs(pixels.shape):
        return None
    from convcli.filters.plain_rows import PlainBands

    height, width, *channels = pixels.shape
    return PlainBands(group.plain, (height, width), prod(channels))
