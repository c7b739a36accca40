"""Samples whose float sums are too close to a half, collected over many tiles and then summed exactly in one call.

A tile has only some tens of them, so few that a call of NumPy per tile would cost more than the sums.
"""

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from convcli.backend.bands.strip import COLUMNS, ROWS, Strip
from convcli.backend.bands.units import ExactSums, Parts

Array = NDArray[Any]

MAX_DOUBTFUL = 1 << 12  # samples collected before they are summed, while their windows are still in cache


class DoubtfulSamples:
    """The doubtful samples of one thread whose windows lie inside the picture, so that no padding is needed.

    strip : the padded picture, with the tile that it currently holds
    exact : sums the windows of the samples exactly
    out : (rows, columns, channels), the whole result, C-contiguous
    """

    def __init__(self, strip: Strip, exact: ExactSums, out: Array) -> None:
        self.strip, self.exact, self.out = strip, exact, out.reshape(-1)
        self.row = out.shape[1] * out.shape[2]
        self.places: list[Array] = []
        self.before: list[Array] = []
        self.count = 0
        self.inside = [self._inside(axis) for axis in (ROWS, COLUMNS)]

    def _inside(self, axis: int) -> range:
        """Return the output positions along an axis whose windows lie inside the picture."""
        slide, before, n = self.strip.slide, self.strip.before[axis], self.strip.size[axis]
        stride, reach = slide.stride[axis], slide.spans[axis]
        stop = (n + before - reach) // stride + 1
        return range(-(-before // stride), max(0, min(stop, slide.output_size[axis])))

    def add(self, width: int, places: Array, values: Array) -> Array:
        """Collect the positions of a tile whose windows lie inside the picture; return the mask of the others.

        width : width of the tile, in samples
        places : flat indices of the samples in the tile
        values : the integers they were rounded to, before clipping
        """
        channels = self.strip.channels
        top = self.strip.vertical.start // self.strip.slide.stride[ROWS]
        left = self.strip.horizontal.start // self.strip.slide.stride[COLUMNS]
        rows, samples = np.divmod(places, width)
        rows += top
        samples += left * channels
        down, across = self.inside
        inside = (rows >= down.start) & (rows < down.stop)
        inside &= (samples >= across.start * channels) & (samples < across.stop * channels)
        found = rows * self.row + samples
        if not inside.all():
            found, values = found[inside], values[inside]
        self.places.append(found)
        self.before.append(values)
        self.count += len(found)
        return ~inside

    def take(self) -> tuple[Array, Array, Parts]:
        """Return the flat indices in the result, the rounded values and the exact sums, and clear the collection."""
        places, before = np.concatenate(self.places), np.concatenate(self.before)
        self.places, self.before, self.count = [], [], 0
        windows = self._windows()
        parts = []
        for some in self.exact.some(places):
            rows, samples = np.divmod(some, self.row)
            pixels, channels = np.divmod(samples, self.strip.channels)
            rows -= self.inside[ROWS].start
            pixels -= self.inside[COLUMNS].start
            parts.append(self.exact.of(windows[rows, pixels, channels]))
        return places, before, Parts(*(np.concatenate(part, axis=1) for part in zip(*parts, strict=True)))

    def _windows(self) -> Array:
        """Return a view of the windows of the picture: (rows, columns, channels, *kernel_size)."""
        slide, picture = self.strip.slide, self.strip.picture
        corner = tuple(
            slice(inside.start * stride - before, None)
            for inside, stride, before in zip(self.inside, slide.stride, self.strip.before, strict=True)
        )
        part = picture[corner]
        row, pixel, sample = part.strides
        (sy, sx), (dy, dx) = slide.stride, slide.dilation
        return as_strided(
            part,
            (*map(len, self.inside), self.strip.channels, *slide.kernel_size),
            (sy * row, sx * pixel, sample, dy * row, dx * pixel),
        )
