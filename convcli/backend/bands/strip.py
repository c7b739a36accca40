"""The padded input under a tile of the output, converted as it is copied: padding costs no copy of its own."""

from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.backend.borders import OUTSIDE, source_indices
from convcli.backend.plan import Slide
from convcli.layers.padding import Pads

Array = NDArray[Any]

ROWS, COLUMNS = 0, 1


class Strip:
    """A reusable buffer of padded input, (rows, width * channels), loaded for one tile after the other."""

    def __init__(self, picture: Array, slide: Slide, pads: Pads, mode: str, value: float, dtype: Any) -> None:
        self.size, self.channels = picture.shape[:2], picture.shape[2]
        self.picture = picture
        self.slide = slide
        self.before = [before for before, _ in pads]
        self.sources = [
            source_indices(mode, n, *pair).tolist() for n, pair in zip(self.size, pads, strict=True)
        ]
        self.fill = value if mode == "constant" else 0
        self.held = np.empty(0, dtype)

    def load(self, rows: slice, columns: slice) -> Array:
        """Return the input that a tile of the output looks at, (rows, samples); the next load overwrites it."""
        below, beside = self.slide.reach((rows, columns))
        return self.line(below, beside).reshape(below.stop - below.start, -1)

    def line(self, below: slice, beside: slice, slack: int = 0) -> Array:
        """Return places of the padded input, one row behind the other, and `slack` samples of anything."""
        shape = (below.stop - below.start, beside.stop - beside.start, self.channels)
        size = prod(shape)
        if self.held.size < size + slack:
            self.held = np.empty(size + slack, self.held.dtype)
        pixels = self.held[:size].reshape(shape)
        inner = self._inner(COLUMNS, beside)
        if inner.start < inner.stop:
            first = beside.start + inner.start - self.before[COLUMNS]
            self._copy(pixels[:, inner], below, slice(first, first + inner.stop - inner.start))
        for border in (range(inner.start), range(inner.stop, shape[COLUMNS])):
            self._fill(pixels, below, beside, border, inner)
        return self.held[: size + slack]

    def _fill(self, pixels: Array, below: slice, beside: slice, border: range, inner: slice) -> None:
        """Fill columns beyond the picture: from columns that are loaded, or else from the picture."""
        sources = [self.sources[COLUMNS][beside.start + place] for place in border]
        loaded = [source + self.before[COLUMNS] - beside.start for source in sources]
        if (
            sources
            and all(source != OUTSIDE for source in sources)
            and all(inner.start <= place < inner.stop for place in loaded)
        ):
            pixels[:, border.start : border.stop] = pixels[:, loaded]
            return
        for place, source in zip(border, sources, strict=True):
            if source == OUTSIDE:
                pixels[:, place] = self.fill
            else:
                self._copy(pixels[:, place : place + 1], below, slice(source, source + 1))

    def _copy(self, target: Array, below: slice, columns: slice) -> None:
        """Copy columns of the picture, the rows inside it at once and padded rows one by one."""
        inner = self._inner(ROWS, below)
        if inner.start < inner.stop:
            first = below.start + inner.start - self.before[ROWS]
            target[inner] = self.picture[first : first + inner.stop - inner.start, columns]
        for place in (*range(inner.start), *range(inner.stop, len(target))):
            source = self.sources[ROWS][below.start + place]
            target[place] = self.fill if source == OUTSIDE else self.picture[source, columns]

    def _inner(self, axis: int, places: slice) -> slice:
        """Return which of some padded places lie in the picture itself; their sources follow each other."""
        count = places.stop - places.start
        start = self.before[axis] - places.start
        return slice(min(max(start, 0), count), min(max(start + self.size[axis], 0), count))
