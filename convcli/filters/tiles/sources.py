"""Sources: pictures that are computed region by region from other sources.

`read` returns the values of a region; the source reads the regions that it needs from the previous one. Stages chain
sources, so that no intermediate picture is ever in memory as a whole. A chain may have hundreds of sources, and Python
3.12 limits nested calls through C, such as `__call__` and generators, to a few hundred: `read` is a plain method.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from threading import local
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from convcli.layers.axes import Shape, Sizes

Array = NDArray[Any]
# A slice along each spatial axis, within the source.
Region = tuple[slice, ...]


class Source(ABC):
    """Values of a picture that are computed by region.

    shape : (C, *spatial)
    dtype : floating-point dtype of the values
    """

    def __init__(self, shape: Shape, dtype: np.dtype[Any]) -> None:
        self.shape, self.dtype = shape, dtype

    @property
    def size(self) -> Sizes:
        """The sizes of the spatial axes."""
        return self.shape[1:]

    @property
    def whole(self) -> Region:
        """The region of all positions."""
        return tuple(slice(0, n) for n in self.size)

    @abstractmethod
    def read(self, region: Region) -> Array:
        """Return the values of a region, (*spatial, C); the caller may modify them if they are writeable."""


class Samples(Protocol):
    """A picture's samples (*spatial, C): an array, or an object that returns arrays for regions."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of a sample."""

    def __getitem__(self, region: Region, /) -> Array:
        """Return the samples of a region, which must not be modified."""


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
        """Initialise with pixels (*spatial, C).

        zero : the sample that represents 0 in each channel
        table : lookup table of the value of each sample
        scale : divisor of the values
        """
        count = len(range(pixels.shape[-1])[channels])
        super().__init__((count, *pixels.shape[:-1]), dtype)
        self.pixels, self.channels, self.table, self.scale = pixels, channels, table, scale
        self.zero = None if zero is None else np.array(zero, dtype)

    def read(self, region: Region) -> Array:
        """Convert a region of the samples."""
        samples = self.pixels[region][..., self.channels]
        values = samples.astype(self.dtype, order="C") if self.table is None else self.table.take(samples)
        if self.zero is not None:
            values -= self.zero
        if self.scale != 1:
            values /= self.dtype.type(self.scale)
        return values


class Mapped(Source):
    """A function of the values of several sources of the same size."""

    def __init__(self, function: Callable[..., Array], *sources: Source, channels: int | None = None) -> None:
        """Initialise with a function of the sources' arrays (*spatial, C), which returns `channels` channels."""
        first = sources[0]
        shape = first.shape if channels is None else (channels, *first.size)
        super().__init__(shape, first.dtype)
        self.function, self.sources = function, sources

    def read(self, region: Region) -> Array:
        """Compute a region."""
        return self.function(*[source.read(region) for source in self.sources])


class _Tile(local):
    """The number of the current tile in a thread."""

    number = 0


_TILE = _Tile()


def begin_tile() -> None:
    """Invalidate what was kept for the last tile, so that results do not depend on the order of tiles."""
    _TILE.number += 1


class Kept(Source):
    """A source that caches its last region, for repeated or overlapping requests within a tile."""

    def __init__(self, source: Source) -> None:
        super().__init__(source.shape, source.dtype)
        self.source, self.tile = source, _TILE.number
        self.region: Region = ()
        self.held = self.values = np.empty(0)

    def read(self, region: Region) -> Array:
        """Return values that must not be modified; rows that are in the cache are not computed again."""
        if self.tile != _TILE.number:
            self.region, self.tile = (), _TILE.number
        if region == self.region:
            return self.values
        if self.region and all(map(_is_inside, region, self.region)):
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
            self.values = self.source.read(region)
        else:
            rows = region[0]
            values = np.empty(shape, self.dtype)
            first = rows.start - self.region[0].start
            values[:kept] = self.values[first : first + kept]
            if rows.start + kept < rows.stop:
                values[kept:] = self.source.read((slice(rows.start + kept, rows.stop), *region[1:]))
            self.values = values
        self.region = region
        self.values = self.values.view()
        self.values.flags.writeable = False

    def _overlap(self, region: Region) -> int:
        """Return the number of first rows of a region that are cached."""
        if not self.region or region[1:] != self.region[1:]:
            return 0
        rows, before = region[0], self.region[0]
        if not before.start <= rows.start < before.stop:
            return 0
        return int(min(rows.stop, before.stop) - rows.start)


def _is_inside(places: slice, held: slice) -> bool:
    return bool(held.start <= places.start and places.stop <= held.stop)


def evaluated(source: Source) -> Array:
    """Return all values of a source, (C, *spatial)."""
    return np.ascontiguousarray(np.moveaxis(source.read(source.whole), -1, 0))


def of_array(x: Array) -> Source:
    """Return a source of an array (C, *spatial) of floats."""
    return Pixels(np.moveaxis(x, 0, -1), x.dtype)


def own(values: Array) -> Array:
    """Return values that may be modified: a copy unless they are writeable."""
    return values if values.flags.writeable else values.copy()
