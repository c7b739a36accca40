"""Apply the weights of a layer to the values of a tile, which already include the border."""

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from math import inf, isfinite, prod
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from convcli.backend.algorithms.slide import Slide
from convcli.backend.bands.band_plan import Facts, candidates, transform_length
from convcli.backend.bands.passes import Scratch
from convcli.backend.bands.shifts import ShiftedFactors, ShiftedWindow
from convcli.backend.bands.spectrum import GuardedSpectrum, Spectrum
from convcli.backend.bands.toeplitz import WeightedFactors, WeightedRows
from convcli.backend.bands.weights import Weights
from convcli.backend.machine import machine
from convcli.layers.axes import Sizes

Array = NDArray[Any]
Sum = Callable[[Array, Array, Scratch], Array]  # applies weights to a strip (rows, columns * channels)

PLAIN_SUMS = "sums"  # the fastest method except transforms, which spread NaN and huge values over a tile
SMALL_ENOUGH = 2.0**24  # larger values would cost smaller ones their precision in transforms of float64
SHIFTED = "separable by shifts"  # faster than matrix products for factors with few taps


class WeightedSums(Protocol):
    """Weights that slide over values.

    slide : the walk of the kernel, which may be smaller than the layer's
    first : number of zero taps on each axis that were trimmed before the kernel
    outputs : number of output channels
    """

    slide: Slide
    first: Sizes
    outputs: int

    def __call__(self, values: Array) -> Array:
        """Apply the weights to values (*spatial, C), at each position where the kernel fits inside them."""


def weighted_sums(
    weight: Array, groups: int, channels: int, slide: Slide, method: str, dtype: np.dtype[Any]
) -> WeightedSums:
    """Return the fastest way to apply weights (O, C / groups, *kernel_size) to values with `channels` channels.

    A weight with one channel is applied to every channel.
    """
    alike = weight.shape[:2] == (1, 1) or (
        groups == channels == len(weight) and bool((weight == weight[:1]).all())
    )
    flat = len(slide.kernel_size) == 2
    if alike and flat and dtype.kind == "f":
        matrix, first = _trimmed(np.asarray(weight[0, 0], np.float64))
        walk, weights = replace(slide, kernel_size=matrix.shape), Weights.of(matrix)
        facts = weights.facts(1.0)._replace(transforms=2 if dtype == np.float32 else 0)
        if way := _quickest(facts, walk, channels, dtype != np.float32, method):
            return SameWeights(weights, first, channels, walk, way, dtype)
    if alike:
        weight, groups = np.broadcast_to(weight[:1], (channels, 1, *weight.shape[2:])), channels
    if groups == 1 and prod(slide.kernel_size) == 1:
        return Mixed(weight, slide, dtype)
    return General(weight, groups, slide, method, dtype)


class SameWeights:
    """One matrix for every channel, applied to strips in which horizontal neighbours are `channels` samples apart."""

    def __init__(
        self, weights: Weights, first: Sizes, channels: int, slide: Slide, way: str, dtype: np.dtype[Any]
    ) -> None:
        """Initialise with a matrix, and with a method from `_quickest`."""
        self.outputs = self.channels = channels
        self.slide, self.first, self.dtype, self.scratch = slide, first, dtype, Scratch()
        self.only = float(weights.matrix[0, 0]) if weights.matrix.size == 1 else None
        self.most: Sizes | None = None  # most outputs per axis that can be computed at a time
        self.sum = self._sum(weights, way)

    def _sum(self, weights: Weights, name: str) -> Sum:
        """Return the function that sums; methods that spread NaN beyond the kernel have a plain fallback."""
        floats = self.dtype == np.float32
        vertical, horizontal = self.slide.dilation[0], self.slide.dilation[1] * self.channels
        factors, dtype = (weights.down, weights.across), self.dtype.name
        if name == SHIFTED:
            return ShiftedFactors(factors, self.slide, self.channels, (dtype, dtype))
        plain = ShiftedWindow(weights.matrix, self.slide, self.channels, dtype)
        if name == "separable":
            return FiniteSums(WeightedFactors(factors, vertical, horizontal, dtype), plain)
        if name == "gemm":
            return FiniteSums(WeightedRows(weights.matrix, vertical, horizontal, dtype), plain)
        if name != "fft":
            return plain
        length = transform_length(self.slide)
        sizes = zip(self.slide.spans, self.slide.stride, strict=True)
        self.most = tuple((length - span) // s + 1 for span, s in sizes)
        spectrum = Spectrum(weights.matrix, self.slide, self.channels, length, dtype)
        if not floats:
            return FiniteSums(spectrum, plain, SMALL_ENOUGH)
        magnitudes = Spectrum(np.abs(weights.matrix), self.slide, self.channels, length, dtype)
        return GuardedSpectrum(spectrum, magnitudes, plain)

    def __call__(self, values: Array) -> Array:
        """Apply the matrix to values (rows, columns, C)."""
        steps = zip(values.shape, self.slide.spans, self.slide.stride, strict=False)
        counts = [(n - span) // s + 1 for n, span, s in steps]
        if self.only is not None:
            selected = values[
                tuple(slice(0, (n - 1) * s + 1, s) for n, s in zip(counts, self.slide.stride, strict=True))
            ]
            return selected if self.only == 1 else selected * values.dtype.type(self.only)
        out = np.empty((*counts, self.channels), values.dtype)
        if self.most is None or all(n <= most for n, most in zip(counts, self.most, strict=True)):
            self._weigh(values, out)
            return out
        for places in product(*(_steps(n, most) for n, most in zip(counts, self.most, strict=True))):
            part = np.empty((*(place.stop - place.start for place in places), self.channels), values.dtype)
            self._weigh(np.ascontiguousarray(values[self.slide.reach(places)]), part)
            out[places] = part
        return out

    def _weigh(self, values: Array, out: Array) -> None:
        self.sum(values.reshape(len(values), -1), out.reshape(len(out), -1), self.scratch)


class FiniteSums:
    """A fast method for finite values, and a plain one for values that the fast one would spread over the tile.

    Matrix products and transforms multiply values outside the kernel by 0, which gives NaN for NaN and infinity.
    """

    def __init__(self, quick: Sum, plain: Sum, most: float = inf) -> None:
        """Initialise with both methods; values above `most` are summed by the plain one."""
        self.quick, self.plain, self.most = quick, plain, most

    def __call__(self, strip: Array, out: Array, scratch: Scratch) -> Array:
        """Sum a strip (rows, samples) into the smaller `out`."""
        least, most = float(strip.min()), float(strip.max())
        finite = -self.most <= least <= most <= self.most and isfinite(least) and isfinite(most)
        return (self.quick if finite else self.plain)(strip, out, scratch)


class Mixed:
    """A matrix that mixes the channels of each pixel."""

    def __init__(self, weight: Array, slide: Slide, dtype: np.dtype[Any]) -> None:
        self.matrix = np.ascontiguousarray(weight.reshape(weight.shape[:2]).T, dtype)
        self.outputs, self.slide, self.first = len(weight), slide, (0,) * len(slide.kernel_size)

    def __call__(self, values: Array) -> Array:
        """Mix the channels of values (*spatial, C)."""
        if set(self.slide.stride) != {1}:
            values = np.ascontiguousarray(values[tuple(slice(None, None, s) for s in self.slide.stride)])
        mixed: Array = values.reshape(-1, values.shape[-1]) @ self.matrix
        return mixed.reshape(*values.shape[:-1], self.outputs)


class General:
    """A kernel for each pair of an output channel and an input channel of its group."""

    def __init__(self, weight: Array, groups: int, slide: Slide, method: str, dtype: np.dtype[Any]) -> None:
        from convcli.backend.convolution import conv

        self._conv = conv
        self.weight, self.groups, self.method = np.asarray(weight, dtype), groups, method
        if method == PLAIN_SUMS:
            self.method = "auto"  # guards against NaN and huge values
        self.outputs, self.slide, self.first = len(weight), slide, (0,) * len(slide.kernel_size)

    def __call__(self, values: Array) -> Array:
        """Convolve values (*spatial, C)."""
        found = self._conv(
            np.moveaxis(values, -1, 0),
            self.weight,
            stride=self.slide.stride,
            dilation=self.slide.dilation,
            groups=self.groups,
            method=self.method,
        )
        return np.moveaxis(found, 0, -1).copy()


def _quickest(facts: Facts, slide: Slide, channels: int, wide: bool, method: str) -> str:
    """Return the implementation of a method with the least cost; an empty string if none works on strips."""
    found = [(cost, name) for name, _, cost in candidates(facts, slide, channels, wide)]
    if facts.factor_passes:
        costs = machine().costs
        found.append((sum(facts.factor_passes) * (costs.pass64 if wide else costs.pass32), SHIFTED))
    if method == PLAIN_SUMS:
        found, method = [each for each in found if each[1] != "fft"], "auto"
    suited = [each for each in found if method in ("auto", each[1].split()[0])]
    return min(suited)[1] if suited else ""


def _trimmed(matrix: Array) -> tuple[Array, Sizes]:
    """Trim outer rows and columns of zeros; return the rest, and the number trimmed before it on each axis."""
    places, first = [], []
    for axis in range(matrix.ndim):
        used = np.flatnonzero(matrix.any(axis=tuple(other for other in range(matrix.ndim) if other != axis)))
        start, stop = (int(used[0]), int(used[-1]) + 1) if len(used) else (0, 1)
        places.append(slice(start, stop))
        first.append(start)
    return np.ascontiguousarray(matrix[tuple(places)]), tuple(first)


def _steps(count: int, most: int) -> list[slice]:
    return [slice(start, min(count, start + most)) for start in range(0, count, most)]
