"""The padded input under a tile of the output, converted as it is copied: padding costs no copy of its own."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.backend.borders import OUTSIDE, source_indices
from convcli.backend.plan import Slide
from convcli.layers.padding import Pads

Array = NDArray[Any]


class Strip:
    """A reusable buffer of padded input, (rows, width * channels), loaded for one tile after the other."""

    def __init__(self, picture: Array, slide: Slide, pads: Pads, mode: str, value: float, dtype: Any) -> None:
        height, width, self.channels = picture.shape
        self.picture = picture
        self.slide = slide
        self.rows = source_indices(mode, height, *pads[0])
        self.columns = source_indices(mode, width, *pads[1])
        self.fill = value if mode == "constant" else 0
        self.held = np.empty(0, dtype)

    def load(self, rows: slice, columns: slice) -> Array:
        """Return the input that a tile of the output looks at; the next load overwrites it."""
        below, beside = self.slide.reach((rows, columns))
        down, across = self.rows[below], self.columns[beside]
        size = len(down) * len(across) * self.channels
        if self.held.size < size:
            self.held = np.empty(size, self.held.dtype)
        pixels = self.held[:size].reshape(len(down), len(across), self.channels)
        inner = _inside(across)
        if across[inner.start] != OUTSIDE:
            self._copy_rows(pixels[:, inner], down, slice(across[inner.start], across[inner.stop - 1] + 1))
        else:
            pixels[:, inner] = self.fill
        for place in (*range(inner.start), *range(inner.stop, len(across))):
            self._copy_column(pixels[:, place : place + 1], down, across[place])
        return pixels.reshape(len(down), -1)

    def _copy_rows(self, target: Array, down: Array, columns: slice) -> None:
        """Copy runs of rows that follow each other in the picture at once."""
        for start, stop in _runs(down):
            if down[start] == OUTSIDE:
                target[start:stop] = self.fill
            else:
                target[start:stop] = self.picture[down[start] : down[stop - 1] + 1, columns]

    def _copy_column(self, target: Array, down: Array, source: int) -> None:
        """Fill a padded column of the tile from the picture."""
        if source == OUTSIDE:
            target[...] = self.fill
        else:
            self._copy_rows(target, down, slice(source, source + 1))


def _inside(sources: Array) -> slice:
    """Return the longest run of places whose sources follow each other: what needs no padding."""
    start, stop = max(_runs(sources), key=lambda run: (sources[run[0]] != OUTSIDE, run[1] - run[0]))
    return slice(start, stop)


def _runs(sources: Array) -> list[tuple[int, int]]:
    """Divide places into runs whose sources follow each other, or lie outside one by one."""
    outside = sources == OUTSIDE
    breaks = (np.flatnonzero((np.diff(sources) != 1) | outside[1:] | outside[:-1]) + 1).tolist()
    return list(zip([0, *breaks], [*breaks, len(sources)], strict=True))
