"""Sources: pictures that are computed region by region, each from the regions of another that it needs.

A source is asked for a region of its places and returns the values there; what it computes them from it asks of
the source before it. Stages put sources one behind the other, so that no whole picture but the first and the last
is ever in memory.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from threading import local
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from convcli.layers.axes import Shape, Sizes

Array = NDArray[Any]
# Places along each spatial axis, from a start to a stop that lie within the source.
Region = tuple[slice, ...]


class Source(ABC):
    """Values of a picture that can be asked for by regions.

    shape : (C, *spatial); dtype : of the values, a float
    """

    def __init__(self, shape: Shape, dtype: np.dtype[Any]) -> None:
        self.shape, self.dtype = shape, dtype

    @property
    def size(self) -> Sizes:
        """The spatial axes."""
        return self.shape[1:]

    @property
    def whole(self) -> Region:
        """All places."""
        return tuple(slice(0, n) for n in self.size)

    @abstractmethod
    def __call__(self, region: Region) -> Array:
        """Return the values of a region, (*spatial, C); they may be changed where they are writeable."""


class Samples(Protocol):
    """A picture's samples (*spatial, C): an array, or what gives one for a region."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The axes."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of a sample."""

    def __getitem__(self, region: Region, /) -> Array:
        """Return the samples of a region, which are not to be changed."""


class Pixels(Source):
    """Some channels of a picture's samples as floats."""

    def __init__(
        self,
        pixels: Samples,
        dtype: np.dtype[Any],
        channels: slice = slice(None),
        *,
        zero: Sequence[int] | None = None,
        table: Array | None = None,
        scale: float = 1.0,
    ) -> None:
        """Take pixels (*spatial, C).

        zero : the sample of each channel that stands for 0; table : the value of each sample, where it is another
        scale : what the values are divided by
        """
        count = len(range(pixels.shape[-1])[channels])
        super().__init__((count, *pixels.shape[:-1]), dtype)
        self.pixels, self.channels, self.table, self.scale = pixels, channels, table, scale
        self.zero = None if zero is None else np.array(zero, dtype)

    def __call__(self, region: Region) -> Array:
        """Convert a region of the samples."""
        samples = self.pixels[region][..., self.channels]
        values = samples.astype(self.dtype, order="C") if self.table is None else self.table.take(samples)
        if self.zero is not None:
            values -= self.zero
        if self.scale != 1:
            values /= self.dtype.type(self.scale)
        return values


class Mapped(Source):
    """A function of the values at each place of some sources of one size."""

    def __init__(self, function: Callable[..., Array], *sources: Source, channels: int | None = None) -> None:
        """Take a function of as many arrays (*spatial, C) as there are sources; it returns so many channels."""
        first = sources[0]
        shape = first.shape if channels is None else (channels, *first.size)
        super().__init__(shape, first.dtype)
        self.function, self.sources = function, sources

    def __call__(self, region: Region) -> Array:
        """Compute a region."""
        return self.function(*(source(region) for source in self.sources))


class _Tile(local):
    """Which tile a thread is at."""

    number = 0


_TILE = _Tile()


def begin_tile() -> None:
    """Forget what was kept for the last tile: floats do not depend on which tiles a thread has done before."""
    _TILE.number += 1


class Kept(Source):
    """A source whose last region is kept: it is asked for again, or for rows that overlap it, within a tile."""

    def __init__(self, source: Source) -> None:
        super().__init__(source.shape, source.dtype)
        self.source, self.tile = source, _TILE.number
        self.region: Region = ()
        self.held = self.values = np.empty(0)

    def __call__(self, region: Region) -> Array:
        """Return values that are not to be changed; rows that were there before are computed only once."""
        if self.tile != _TILE.number:
            self.region, self.tile = (), _TILE.number
        if region == self.region:
            return self.values
        if self.region and all(map(_lies_in, region, self.region)):
            firsts = (places.start - held.start for places, held in zip(region, self.region, strict=True))
            sizes = (places.stop - places.start for places in region)
            inside: Array = self.values[tuple(slice(a, a + n) for a, n in zip(firsts, sizes, strict=True))]
            return inside
        self._take(region)
        return self.values

    def _take(self, region: Region) -> None:
        kept = self._overlap(region)
        shape = (*(places.stop - places.start for places in region), self.shape[0])
        if not kept:
            self.values = self.source(region)
        else:
            rows = region[0]
            values = np.empty(shape, self.dtype)
            first = rows.start - self.region[0].start
            values[:kept] = self.values[first : first + kept]
            if rows.start + kept < rows.stop:
                values[kept:] = self.source((slice(rows.start + kept, rows.stop), *region[1:]))
            self.values = values
        self.region = region
        self.values = self.values.view()
        self.values.flags.writeable = False

    def _overlap(self, region: Region) -> int:
        """Return how many of the first rows of a region are there."""
        if not self.region or region[1:] != self.region[1:]:
            return 0
        rows, before = region[0], self.region[0]
        if not before.start <= rows.start < before.stop:
            return 0
        return int(min(rows.stop, before.stop) - rows.start)


def _lies_in(places: slice, held: slice) -> bool:
    return bool(held.start <= places.start and places.stop <= held.stop)


def evaluated(source: Source) -> Array:
    """Return all values of a source, (C, *spatial)."""
    return np.ascontiguousarray(np.moveaxis(source(source.whole), -1, 0))


def of_array(x: Array) -> Source:
    """Return a source of an array (C, *spatial) of floats."""
    return Pixels(np.moveaxis(x, 0, -1), x.dtype)


def own(values: Array) -> Array:
    """Return values that may be changed."""
    return values if values.flags.writeable else values.copy()
