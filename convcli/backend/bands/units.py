"""Weights in integer multiples of 2^-40, and the exact sums that they give at single positions of a tile.

A sum of integer samples with such weights is an integer number of units. The weights are split into an upper and a
lower part of so few bits that every product, and every sum of products, is an integer below 2^53: BLAS then sums them
exactly in float64, in any order and with or without fused multiply-adds.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from convcli.backend.algorithms.slide import Slide
from convcli.backend.bands.passes import Scratch
from convcli.backend.bands.toeplitz import WeightedRows

Array = NDArray[Any]

UNIT = 40  # fractional bits of a weight
PART = 20  # bits of the lower part of a weight
SAMPLE = 8  # fractional bits of a sample: a border value may have a fraction
REST = UNIT + SAMPLE - PART  # fractional bits of a sum of upper parts
# Limits of the sum of absolute weights: with 16 bits of a sample, or 24 including 8 fractional bits, and the 20 bits
# of a part, a sum has 52 bits.
MAX_INTEGER, MAX_FRACTIONAL = 2.0**16, 2.0**8
MAX_FLOAT = 2.0**12  # limit of a sum: 52 bits including those of a unit
GATHERED = 1 << 17  # samples in one matrix product, which stay in cache
ONE = 2.0**-UNIT  # value of one unit
DENSE = 16  # if more than one in this number of positions is needed, all are summed


def to_sample_units(value: float) -> float:
    """Round the value of samples beyond the border to the nearest 2^-8."""
    return float(np.rint(value * 2.0**SAMPLE) / 2.0**SAMPLE)


class Units(NamedTuple):
    """The matrices of a kernel, (M, rows, columns), and its offset, as integer multiples of 2^-40."""

    matrices: Array
    offset: int

    @classmethod
    def of(cls, weights: Sequence[Array], offset: float, value: float) -> "Units | None":
        """Round weights to the nearest unit, half to even; return None if they are too large for exact sums.

        `value` is the value of samples beyond the border.
        """
        largest = max(float(np.abs(matrix).sum()) for matrix in weights)
        most = MAX_INTEGER if value.is_integer() else MAX_FRACTIONAL
        if not largest < most or not abs(offset) < 2.0**20 or not abs(value) <= 2.0**16:
            return None
        return cls(np.rint(np.array(weights) * 2.0**UNIT).astype(np.int64), round(offset * 2**UNIT))

    @property
    def weights(self) -> Array:
        """The weights as floats, which represent them exactly: (M, rows, columns)."""
        weights: Array = self.matrices * ONE
        return weights

    @property
    def parts(self) -> Array:
        """The upper and the lower part of each matrix as float64, (2 * M, rows, columns)."""
        halves = [part for matrix in self.matrices for part in (matrix >> PART, matrix & ((1 << PART) - 1))]
        return np.array(halves, np.float64)


class Parts(NamedTuple):
    """The exact sums of the upper and the lower parts of the weights, as float64: (M, positions) each."""

    upper: Array
    lower: Array

    @property
    def floats(self) -> Array:
        """The sums as float64: exact, if samples are integers and no sum exceeds MAX_FLOAT."""
        floats: Array = self.upper * 2.0 ** (PART - UNIT)
        floats += self.lower * 2.0**-UNIT
        return floats


class Sums:
    """Exact sums, split into the integer below and the remainder in units of 2^-48: (M, positions) each."""

    def __init__(self, parts: Parts) -> None:
        """Add the sums of the upper and the lower parts of the weights."""
        # Samples may have 8 fractional bits.
        high, low = (np.rint(part * 2.0**SAMPLE).astype(np.int64) for part in parts)
        high += low >> PART
        self.whole = high >> REST
        self.left = ((high & ((1 << REST) - 1)) << PART) | (low & ((1 << PART) - 1))

    def add(self, units: Sequence[int]) -> None:
        """Add a number of units of 2^-40 to the sums of each matrix."""
        more = np.array(units, np.int64)[:, np.newaxis]
        self.left += (more & ((1 << UNIT) - 1)) << SAMPLE
        self.whole += (more >> UNIT) + (self.left >> (UNIT + SAMPLE))
        self.left &= (1 << (UNIT + SAMPLE)) - 1

    @property
    def integers(self) -> Array:
        """The sums as Python integers, in units of 2^-48."""
        whole: Array = self.whole.astype(object) * (1 << (UNIT + SAMPLE)) + self.left
        return whole

    @property
    def floats(self) -> Array:
        """The nearest float64 of each sum."""
        floats: Array = self.whole + self.left * 2.0 ** -(UNIT + SAMPLE)
        return floats

    @property
    def rounded(self) -> Array:
        """The nearest integer of each sum, half to even."""
        half = 1 << (UNIT + SAMPLE - 1)
        rounded: Array = self.whole + ((self.left > half) | ((self.left == half) & (self.whole & 1 == 1)))
        return rounded


class ExactSums:
    """Exact sums of a strip at chosen positions of a tile."""

    def __init__(self, units: Units, slide: Slide, channels: int) -> None:
        self.units, self.slide, self.channels = units, slide, channels
        self.parts = units.parts
        self.columns = np.ascontiguousarray(self.parts.reshape(len(self.parts), -1).T)

    def __call__(self, strip: Array, shape: tuple[int, int], places: Array) -> Parts:
        """Return the sums at `places`, flat indices into a tile of `shape`, from the tile's padded input.

        If many positions are needed, the sums of the whole tile are computed.
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
        """Yield groups of positions whose windows fit in cache."""
        step = max(1, GATHERED // len(self.columns))
        return (places[start : start + step] for start in range(0, len(places), step))

    def of(self, samples: Array) -> Parts:
        """Return the weighted sums of windows of samples (positions, rows, columns)."""
        found = (samples.reshape(len(samples), len(self.columns)).astype(np.float64) @ self.columns).T
        return Parts(found[::2], found[1::2])

    def _everywhere(self, strip: Array, shape: tuple[int, int]) -> Array:
        """Return the sums of all positions, (2 * M, positions)."""
        wide, scratch = strip.astype(np.float64), Scratch()
        vertical, horizontal = self.slide.dilation[0], self.slide.dilation[1] * self.channels
        out = np.empty((len(self.parts), *shape))
        for part, target in zip(self.parts, out, strict=True):
            WeightedRows(part, vertical, horizontal, np.float64)(wide, target, scratch)
        return out.reshape(len(out), -1)


def windows_of(strip: Array, slide: Slide, channels: int, shape: tuple[int, int]) -> Array:
    """Return a view of the windows of a strip (rows, samples), for a tile of `shape`.

    Its shape is (rows, pixels, channels, *kernel_size).
    """
    (sy, sx), (dy, dx) = slide.stride, slide.dilation
    row, sample = strip.strides
    pixel = channels * sample
    return as_strided(
        strip,
        (shape[0], shape[1] // channels, channels, *slide.kernel_size),
        (sy * row, sx * pixel, sample, dy * row, dx * pixel),
    )
