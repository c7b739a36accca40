"""The padded input of a tile of the output, converted while it is copied, so that padding needs no extra copy."""

from itertools import pairwise
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.backend.algorithms.slide import Slide
from convcli.backend.borders import OUTSIDE, source_indices
from convcli.layers.padding import Pads

Array = NDArray[Any]

ROWS, COLUMNS = 0, 1
CENTRE = 128  # middle of the range of 8-bit samples

# The columns inside the picture; padded columns that are copies of loaded ones; other columns and their sources.
Columns = tuple[slice, list[tuple[slice, slice | list[int]]], list[tuple[int, int]]]


class Strip:
    """A reusable buffer of padded input, (rows, width * channels), loaded for one tile after another.

    With `centred`, 128 is subtracted from the samples of a uint8 picture: floats of half the size have half the error.
    With a `table`, the samples are replaced by its entries.
    """

    def __init__(
        self,
        picture: Array,
        slide: Slide,
        pads: Pads,
        mode: str,
        value: float,
        dtype: Any,
        centred: bool = False,
        table: Array | None = None,
    ) -> None:
        self.size, self.channels = picture.shape[:2], picture.shape[2]
        self.centred, self.table = centred, table
        self.picture = picture
        self.slide = slide
        self.before = [before for before, _ in pads]
        self.sources = [_Sources(mode, n, *pair) for n, pair in zip(self.size, pads, strict=True)]
        self.fill = (value if mode == "constant" else 0) - centred * CENTRE
        self.changed = np.empty(0, np.uint8 if table is None else table.dtype)
        self.held = self.loaded = np.empty(0, dtype)
        self.vertical = self.horizontal = slice(0)
        self.known: dict[tuple[int, int], Columns] = {}

    def load(self, rows: slice, columns: slice) -> Array:
        """Return the input that a tile of the output needs, (rows, samples); the next load overwrites it."""
        self.vertical, self.horizontal = vertical, horizontal = self.slide.reach((rows, columns))
        self.loaded = self.line(vertical, horizontal).reshape(vertical.stop - vertical.start, -1)
        return self.loaded

    @property
    def is_whole(self) -> bool:
        """Whether all samples are integers, including those beyond the border."""
        return self.table is None and self.picture.dtype.kind in "iu" and float(self.fill).is_integer()

    def exact(self) -> tuple[Array, int]:
        """Return the input of the last tile as integer samples, (rows, samples), and the number subtracted from them.

        If the tile does not touch the border, it is a view of the picture, a quarter of the bytes and in cache.
        """
        places = []
        for axis, reach in ((ROWS, self.vertical), (COLUMNS, self.horizontal)):
            first, last = reach.start - self.before[axis], reach.stop - self.before[axis]
            if first < 0 or last > self.size[axis]:
                return self.loaded, self.centred * CENTRE
            places.append(slice(first, last))
        pixels = self.picture[tuple(places)]
        return pixels.reshape(len(pixels), -1), 0

    def line(self, vertical: slice, horizontal: slice, slack: int = 0) -> Array:
        """Return part of the padded input as one line, row after row, followed by `slack` arbitrary samples."""
        shape = (vertical.stop - vertical.start, horizontal.stop - horizontal.start, self.channels)
        size = prod(shape)
        if self.held.size < size + slack:
            self.held = np.empty(size + slack, self.held.dtype)
        pixels = self.held[:size].reshape(shape)
        inner, again, others = self._columns(horizontal)
        if inner.start < inner.stop:
            first = horizontal.start + inner.start - self.before[COLUMNS]
            self._copy(pixels[:, inner], vertical, slice(first, first + inner.stop - inner.start))
        for border, loaded in again:
            pixels[:, border] = pixels[:, loaded]
        for place, source in others:
            if source == OUTSIDE:
                pixels[:, place] = self.fill
            else:
                self._copy(pixels[:, place : place + 1], vertical, slice(source, source + 1))
        return self.held[: size + slack]

    def _columns(self, horizontal: slice) -> Columns:
        """Return which columns lie inside the picture, and the sources of those beyond it; cached."""
        known = self.known.get((horizontal.start, horizontal.stop))
        if known is not None:
            return known
        inner, again = self._inner(COLUMNS, horizontal), []
        others: list[tuple[int, int]] = []
        for border in (range(inner.start), range(inner.stop, horizontal.stop - horizontal.start)):
            sources = [self.sources[COLUMNS][horizontal.start + place] for place in border]
            loaded = [source + self.before[COLUMNS] - horizontal.start for source in sources]
            if OUTSIDE in sources or not all(inner.start <= place < inner.stop for place in loaded):
                others += zip(border, sources, strict=True)
            elif loaded:
                again.append((slice(border.start, border.stop), _index(loaded)))
        self.known[horizontal.start, horizontal.stop] = inner, again, others
        return inner, again, others

    def _copy(self, target: Array, vertical: slice, columns: slice) -> None:
        """Copy columns of the picture: the rows inside it in one call, and padded rows one by one."""
        inner = self._inner(ROWS, vertical)
        if inner.start < inner.stop:
            first = vertical.start + inner.start - self.before[ROWS]
            target[inner] = self._samples(slice(first, first + inner.stop - inner.start), columns)
        for place in (*range(inner.start), *range(inner.stop, len(target))):
            source = self.sources[ROWS][vertical.start + place]
            target[place] = self.fill if source == OUTSIDE else self._samples(source, columns)

    def _samples(self, rows: slice | int, columns: slice) -> Array:
        """Return samples of the picture; the next ones overwrite them."""
        samples = self.picture[rows, columns]
        if not self.centred and self.table is None:
            return samples
        if self.changed.size < samples.size:
            self.changed = np.empty(samples.size, self.changed.dtype)
        changed = self.changed[: samples.size].reshape(samples.shape)
        if self.table is not None:
            return self.table.take(samples, out=changed, mode="clip")  # mode "clip" needs no buffer
        # Inverting the first bit of a byte and reading it as signed subtracts 128.
        return np.bitwise_xor(samples, np.uint8(CENTRE), out=changed).view(np.int8)

    def _inner(self, axis: int, places: slice) -> slice:
        """Return which of some padded positions lie inside the picture; their sources are contiguous."""
        count = places.stop - places.start
        start = self.before[axis] - places.start
        return slice(min(max(start, 0), count), min(max(start + self.size[axis], 0), count))


class _Sources:
    """The source index of each element of a padded axis; only elements beyond the ends are stored."""

    def __init__(self, mode: str, n: int, before: int, after: int) -> None:
        self.n, self.before = n, before
        self.first = source_indices(mode, n, before, -n).tolist()  # elements before the start of the axis
        self.last = source_indices(mode, n, -n, after).tolist()

    def __getitem__(self, place: int) -> int:
        own: int = place - self.before
        if 0 <= own < self.n:
            return own
        found: int = self.first[place] if own < 0 else self.last[own - self.n]
        return found


def _index(places: list[int]) -> slice | list[int]:
    """Return positions as a slice if possible, because NumPy copies slices several times as fast."""
    first, last, steps = places[0], places[-1], {b - a for a, b in pairwise(places)}
    if steps <= {0}:
        return slice(first, first + 1)
    if steps == {1}:
        return slice(first, last + 1)
    if steps == {-1}:
        return slice(first, last - 1 if last else None, -1)
    return places
