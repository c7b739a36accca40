"""Weights in whole units of 2^-40, and the exact sums that they give at single places of a tile.

A sum of whole samples and such weights is a whole number of units. The weights are taken apart into an upper
and a lower part of so few bits that every product, and every sum of products, is a whole number below 2^53:
BLAS then sums them exactly in float64, in whatever order and with or without fused multiply-adds.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from convcli.backend.algorithms.slide import Slide
from convcli.backend.bands.passes import Scratch
from convcli.backend.bands.toeplitz import WeighedRows

Array = NDArray[Any]

UNIT = 40  # bits behind the point of a weight
PART = 20  # bits of the lower part of a weight
SAMPLE = 8  # bits behind the point of a sample: a border may have a value that is no whole number
REST = UNIT + SAMPLE - PART  # bits behind the point of a sum of upper parts
# Of the summed magnitudes of weights: with 16 bits of a sample, or 24 of which 8 lie behind the point, and the 20
# of a part they make 52.
MOST, MOST_BESIDE = 2.0**16, 2.0**8
MOST_FLOAT = 2.0**12  # of a sum: with the bits of a unit they make 52
GATHERED = 1 << 17  # samples that are weighed in one product: they stay in cache
ONE = 2.0**-UNIT  # a unit
DENSE = 16  # where one in so many places is asked for, all of them are summed


def to_sample_units(value: float) -> float:
    """Return what beyond a border stands for a sample, to the nearest 2^-8."""
    return float(np.rint(value * 2.0**SAMPLE) / 2.0**SAMPLE)


class Units(NamedTuple):
    """The matrices of a kernel, (M, rows, columns), and its offset, as whole numbers of 2^-40."""

    matrices: Array
    offset: int

    @classmethod
    def of(cls, weights: Sequence[Array], offset: float, value: float) -> "Units | None":
        """Take weights to the nearest unit, half to even; None if they are too large for exact sums.

        `value` is a sample beyond the border.
        """
        largest = max(float(np.abs(matrix).sum()) for matrix in weights)
        most = MOST if value.is_integer() else MOST_BESIDE
        if not largest < most or not abs(offset) < 2.0**20 or not abs(value) <= 2.0**16:
            return None
        return cls(np.rint(np.array(weights) * 2.0**UNIT).astype(np.int64), round(offset * 2**UNIT))

    @property
    def weights(self) -> Array:
        """The weights as floats, which hold them exactly: (M, rows, columns)."""
        weights: Array = self.matrices * ONE
        return weights

    @property
    def parts(self) -> Array:
        """The upper and the lower part of each matrix as float64, (2 * M, rows, columns)."""
        halves = [part for matrix in self.matrices for part in (matrix >> PART, matrix & ((1 << PART) - 1))]
        return np.array(halves, np.float64)


class Parts(NamedTuple):
    """The exact sums of the upper and the lower parts of the weights, as float64: (M, places) each."""

    upper: Array
    lower: Array

    @property
    def floats(self) -> Array:
        """The sums as float64: exactly, where samples are whole and no sum exceeds MOST_FLOAT."""
        floats: Array = self.upper * 2.0 ** (PART - UNIT)
        floats += self.lower * 2.0**-UNIT
        return floats


class Sums:
    """Exact sums, divided into the whole number below and what is left, in units of 2^-48: (M, places) each."""

    def __init__(self, parts: Parts) -> None:
        """Put the sums of the upper and the lower parts of the weights together."""
        # Samples may have 8 bits behind the point.
        high, low = (np.rint(part * 2.0**SAMPLE).astype(np.int64) for part in parts)
        high += low >> PART
        self.whole = high >> REST
        self.left = ((high & ((1 << REST) - 1)) << PART) | (low & ((1 << PART) - 1))

    def add(self, units: Sequence[int]) -> None:
        """Add so many units of 2^-40 to the sums of each matrix."""
        more = np.array(units, np.int64)[:, np.newaxis]
        self.left += (more & ((1 << UNIT) - 1)) << SAMPLE
        self.whole += (more >> UNIT) + (self.left >> (UNIT + SAMPLE))
        self.left &= (1 << (UNIT + SAMPLE)) - 1

    @property
    def integers(self) -> Array:
        """The sums as whole numbers of Python, in units of 2^-48."""
        whole: Array = self.whole.astype(object) * (1 << (UNIT + SAMPLE)) + self.left
        return whole

    @property
    def floats(self) -> Array:
        """The nearest float64 of each sum."""
        floats: Array = self.whole + self.left * 2.0 ** -(UNIT + SAMPLE)
        return floats

    @property
    def rounded(self) -> Array:
        """The nearest whole number, half to even."""
        half = 1 << (UNIT + SAMPLE - 1)
        rounded: Array = self.whole + ((self.left > half) | ((self.left == half) & (self.whole & 1 == 1)))
        return rounded


class ExactSums:
    """Sums a strip exactly at chosen places of a tile."""

    def __init__(self, units: Units, slide: Slide, channels: int) -> None:
        self.units, self.slide, self.channels = units, slide, channels
        self.parts = units.parts
        self.columns = np.ascontiguousarray(self.parts.reshape(len(self.parts), -1).T)

    def __call__(self, strip: Array, shape: tuple[int, int], places: Array) -> Parts:
        """Return the sums at `places`, counted over the samples of a tile of `shape`, of its padded input.

        Where so many are asked for, those of the whole tile are taken.
        """
        if len(places) * DENSE > shape[0] * shape[1] and set(self.slide.stride) == {1}:
            found = self._everywhere(strip, shape)[:, places]
            return Parts(found[::2], found[1::2])
        return self.at(strip, shape, places)

    def at(self, strip: Array, shape: tuple[int, int], places: Array) -> Parts:
        """Return the sums at `places`, one by one."""
        windows = windows_of(strip, self.slide, self.channels, shape)
        parts = []
        for some in self.some(places):
            rows, samples = np.divmod(some, shape[1])
            parts.append(self.of(windows[rows, *np.divmod(samples, self.channels)]))
        return Parts(*(np.concatenate(part, axis=1) for part in zip(*parts, strict=True)))

    def some(self, places: Array) -> Iterator[Array]:
        """Yield as many places at a time as stay in cache with what their windows look at."""
        step = max(1, GATHERED // len(self.columns))
        return (places[start : start + step] for start in range(0, len(places), step))

    def of(self, met: Array) -> Parts:
        """Return the sums of the samples (places, rows, columns) that lie under a kernel."""
        found = (met.reshape(len(met), len(self.columns)).astype(np.float64) @ self.columns).T
        return Parts(found[::2], found[1::2])

    def _everywhere(self, strip: Array, shape: tuple[int, int]) -> Array:
        """Return the sums of all places, (2 * M, places)."""
        wide, scratch = strip.astype(np.float64), Scratch()
        below, beside = self.slide.dilation[0], self.slide.dilation[1] * self.channels
        out = np.empty((len(self.parts), *shape))
        for part, target in zip(self.parts, out, strict=True):
            WeighedRows(part, below, beside, np.float64)(wide, target, scratch)
        return out.reshape(len(out), -1)


def windows_of(strip: Array, slide: Slide, channels: int, shape: tuple[int, int]) -> Array:
    """Return a view of what a kernel lies on in a strip (rows, samples), for a tile of `shape`.

    It is (rows, pixels, channels, *kernel_size).
    """
    (sy, sx), (dy, dx) = slide.stride, slide.dilation
    row, sample = strip.strides
    pixel = channels * sample
    return as_strided(
        strip,
        (shape[0], shape[1] // channels, channels, *slide.kernel_size),
        (sy * row, sx * pixel, sample, dy * row, dx * pixel),
    )
