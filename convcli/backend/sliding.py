"""A window sliding over a whole picture: its geometry and borders, and the exact sums that it takes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.backend.algorithms.slide import Slide
from convcli.backend.bands.band_loop import plan_all, run
from convcli.backend.bands.sums_to_pixels import Finish
from convcli.backend.bands.units import SAMPLE, UNIT, ExactSums, Sums, Units
from convcli.backend.bands.weights import Weights
from convcli.backend.borders import pad
from convcli.backend.convolution import conv
from convcli.backend.settled import Response, nearest
from convcli.backend.values import EXACT
from convcli.errors import ArgumentError
from convcli.kernels import Kernel
from convcli.kernels.kernel import Matrix
from convcli.layers import Conv
from convcli.layers.padding import Pads

Array = NDArray[Any]

MOST_WHOLE = 2.0**31  # of a weight that bands take
SMALLEST = 2.0**-100  # of a sum that float32 holds, with all that leads to it
EXACT_BY_FLOATS = 2.0**40  # whole sums up to here come out of a transform in float64 less than half a one off
MOST = 2.0**500  # of a sum, so that its square, for a magnitude, is a float still
PLAIN = ("auto", "direct")  # the methods that are plain sums where no bands are
ONE = 1 << (UNIT + SAMPLE)  # in the units of exact sums
HALF = 16  # bits of one half of a sample
# Roundings of sums in float64, but for those of plain ones: more than those of a transform, or of factors.
TRANSFORMED = 128
SPATIAL = (0, 1)  # the axes of a picture that are not its channels: rows and columns


@dataclass(frozen=True)
class Sliding:
    """A window sliding over a picture of `size`: its geometry and borders, and the sums that it takes.

    anchor : the tap that lies on the pixel, where it is not the middle one
    """

    layer: Conv
    size: tuple[int, ...]
    padding_mode: str
    padding_value: float
    flip: bool
    anchor: tuple[int, ...] | None = None
    method: str = "auto"
    threads: int | None = None

    @property
    def pads(self) -> Pads:
        """The pixels before and after each axis; fewer than none are cut off.

        The padding `same` follows an anchor, so that each output stays where it is and the window moves;
        any other is as it was asked for.
        """
        pads = self.layer.pads(self.size)
        if self.anchor is None or not isinstance(self.layer.padding, str):
            return pads
        moves = [new - old for new, old in zip(self._places, self._middles, strict=True)]
        return tuple((before + move, after - move) for (before, after), move in zip(pads, moves, strict=True))

    @property
    def _middles(self) -> list[int]:
        """Where in the window its middle lies; of an even one before it, or behind it as `same-lower` leans."""
        behind = self.layer.padding == "same-lower"
        return [reach // 2 if behind else (reach - 1) // 2 for reach in self.slide.spans]

    @property
    def _places(self) -> list[int]:
        """Where in the window its own pixel lies."""
        if self.anchor is None:
            return self._middles
        return [place * d for place, d in zip(self.anchor, self.slide.dilation, strict=True)]

    @property
    def slide(self) -> Slide:
        """The walk of the window over the padded picture."""
        return Slide.of(self.layer, self.size)

    def sums(self, x: Array, matrix: Matrix, outside: float | None = None) -> Array:
        """Return the sum of weight * pixel at every place of the window: (H', W', C), int64 or float64.

        `outside` is what `constant` pads this array with, where that is not the padding value itself.
        """
        weights = np.array(matrix, dtype=object)
        if self.flip:
            weights = weights[::-1, ::-1]
        outside = self.padding_value if outside is None else outside
        if self.method == "auto" and (found := self._in_bands(x, weights, outside)) is not None:
            return found
        x = self._padded(_exact(x, weights, outside), outside)
        if self.method not in PLAIN:
            found = self._by_method(x, weights)
            if found is not None:
                return found
        slide = self.slide
        total = np.zeros((*slide.output_size, *x.shape[2:]), dtype=x.dtype)
        for tap in zip(*weights.nonzero(), strict=True):
            with np.errstate(invalid="ignore", over="ignore"):  # NaN and infinity pass, as IEEE 754 has it
                total += x[slide.meets(tap)] * x.dtype.type(weights[tap])
        return total

    @property
    def plan(self) -> str:
        """How sums are taken, in words for -v."""
        return EXACT if self.method in PLAIN else f"{self.method} in float64, of whole pictures"

    def in_order(self, kernel: Kernel, dtype: np.dtype[Any]) -> "Sliding":
        """Return it with sums that are added up in one order, where they would depend on that and must not."""
        return self if kernel.is_whole or not is_small(dtype) else replace(self, method="direct")

    def turned(self, matrix: Matrix) -> Array:
        """Return a matrix as floats, turned by 180 degrees where the window is."""
        weights = np.array(matrix, np.float64)
        return weights[::-1, ::-1] if self.flip else weights

    def largest(self, dtype: np.dtype[Any]) -> float:
        """Return what no sample of an integer dtype, or beyond the border, exceeds."""
        limits = np.iinfo(dtype)
        return float(max(limits.max, -int(limits.min), abs(self.padding_value)))

    def _in_bands(self, x: Array, weights: Array, outside: float) -> Array | None:
        """Return the sums of bands as float64, whole ones exact; None where floats are not sure of them."""
        value = outside if self.padding_mode == "constant" else 0.0
        # NaN and infinity make the largest sample one, which fails the comparison below.
        reach = max(float(x.max()), -float(x.min()), abs(value), 1.0)
        whole = x.dtype.kind in "biu" and all(isinstance(weight, int) for weight in weights.flat)
        whole = whole and float(value).is_integer()
        most = float(np.abs(weights.astype(float)).sum()) * reach
        if not SMALLEST < most < (EXACT_BY_FLOATS if whole else MOST_WHOLE) or reach > MOST_WHOLE:
            return None
        picture = x.reshape(*x.shape[:2], -1)
        turned = [Weights.of(weights.astype(np.int64 if whole else np.float64))]
        facts = turned, reach, self.slide, picture.shape[2], True
        way = plan_all(*facts, "auto", self.threads)
        # The errors of a transform spread, and what divides them is not known here.
        if way is not None and way.method == "fft":
            way = plan_all(*facts, "gemm", self.threads)
        if way is None:
            return None
        finish = Finish("none", 1, 0, "clip", np.dtype(np.float64), most, False)
        made, _ = run(picture, turned, self.slide, self.pads, self.padding_mode, value, way, finish)
        return made.reshape(*made.shape[:2], *x.shape[2:])

    def _by_method(self, x: Array, weights: Array) -> Array | None:
        """Return the sums of the method that is asked for, whole ones exact; None where floats are not sure of them."""
        whole = x.dtype.kind == "i"
        floats = x.astype(np.float64)
        most = float(np.abs(floats).max()) * float(np.abs(weights.astype(float)).sum())
        if not most < (EXACT_BY_FLOATS if whole else MOST):
            return None
        weight = weights.astype(np.float64)[np.newaxis, np.newaxis]
        flat = np.moveaxis(floats.reshape(*x.shape[:2], -1), -1, 0)[:, np.newaxis]
        layer = self.layer
        sums = conv(flat, weight, stride=layer.stride, dilation=layer.dilation, method=self.method)
        sums = np.moveaxis(sums[:, 0], 0, -1)
        made = sums.reshape(*sums.shape[:2], *x.shape[2:])
        return np.rint(made).astype(np.int64) if whole else made

    def centres(self, x: Array, outside: float) -> Array:
        """Return the pixel under the anchor at every place of the window: under `same`, the pixel itself."""
        axes = zip(self._places, self.slide.stride, self.slide.output_size, strict=True)
        if x.dtype.kind in "iu" and self.padding_mode == "constant" and not float(outside).is_integer():
            x = x.astype(np.float64)
        return self._padded(x, outside)[tuple(slice(a, a + (n - 1) * s + 1, s) for a, s, n in axes)]

    def exactly(self, x: Array, units: Units, outside: float | None = None) -> Callable[[Array], Array]:
        """Return what tells the exact sums of whole samples, below 2^32, at some places of the output.

        The places are counted over (H', W', C); the sums are whole numbers of Python in units of 2^-48, (M, places).
        """
        padded = self._padded(x.astype(np.float64), self.padding_value if outside is None else outside)
        channels = prod(padded.shape[2:])
        upper = np.floor(padded / (1 << HALF))
        strips = [padded - upper * (1 << HALF), upper]
        exact = ExactSums(units, self.slide, channels)
        shape = (self.slide.output_size[0], self.slide.output_size[1] * channels)

        def at(places: Array) -> Array:
            flat = [strip.reshape(len(strip), -1) for strip in strips]
            sums = [Sums(exact.at(strip, shape, places)).integers for strip in flat]
            total: Array = sums[0] + sums[1] * (1 << HALF)
            return total

        return at

    def error(self, weights: Sequence[Array], units: Units) -> float:
        """Return a bound on how far sums in float64 by any method are from the exact ones, for samples up to 1."""
        apart = max(
            float(np.abs(used - exact).sum()) for used, exact in zip(weights, units.weights, strict=True)
        )
        most = max(float(np.abs(matrix).sum()) for matrix in units.weights)
        return apart + (prod(self.slide.kernel_size) + TRANSFORMED) * 2.0**-53 * (most + apart)

    def _padded(self, x: Array, outside: float) -> Array:
        return pad(x, self.pads, SPATIAL, self.padding_mode, outside)


def _exact(x: Array, weights: Array, outside: float) -> Array:
    """Return `x` as int64 where every sum of products is a whole number that fits, else as float64."""
    largest = max(x.max(initial=0).item(), -x.min(initial=0).item(), abs(outside), 1)
    most = largest * sum(map(abs, weights.flat))
    if np.isfinite(largest) and most > MOST:
        raise ArgumentError(f"the kernel's weights are too large: sums could reach {most:.3g}")
    whole = x.dtype.kind in "biu" and all(isinstance(weight, int) for weight in weights.flat)
    if whole and float(outside).is_integer() and max(most, largest) < 2**63:
        return x.astype(np.int64)
    return x.astype(np.float64)


def response(sliding: Sliding, x: Array, kernel: Kernel, dtype: np.dtype[Any] | None = None) -> Response:
    """Return what the kernel answers to samples of a dtype, by default that of x, before it is fitted into one."""
    dtype = dtype or x.dtype
    units = units_of(sliding, kernel, dtype)
    if units is None:
        sliding = sliding.in_order(kernel, dtype)
    values = combined([sliding.sums(x, matrix) for matrix in kernel.matrices], kernel)
    if units is None:
        return Response(values)
    weights = [sliding.turned(matrix) / kernel.divisor for matrix in kernel.matrices]
    error = sliding.largest(dtype) * sliding.error(weights, units)
    return response_of(values, sliding.exactly(x, units), kernel, units, error)


def response_of(
    values: Array, sums_at: Callable[[Array], Array], kernel: Kernel, units: Units, error: float
) -> Response:
    """Return a response of sums that `sums_at` tells exactly, and that are off by less than `error`."""

    def at(places: Array) -> Array:
        sums = sums_at(places)
        if kernel.combine == "magnitude":
            floats = (sums / ONE).astype(np.float64)
            roots: Array = np.sqrt(np.square(floats).sum(axis=0)) + float(kernel.offset)
            return roots
        return nearest(sums.max(axis=0) + (units.offset << SAMPLE), ONE)

    spread = len(units.matrices) if kernel.combine == "magnitude" else 1
    return Response(values, spread * error, at)


def units_of(sliding: Sliding, kernel: Kernel, dtype: np.dtype[Any]) -> Units | None:
    """Return the weights in units, where sums are not exact without; None where they are, or never will be."""
    if kernel.is_whole or not is_small(dtype):
        return None
    weights = [sliding.turned(matrix) / kernel.divisor for matrix in kernel.matrices]
    return Units.of(weights, kernel.offset, sliding.padding_value)


def is_small(dtype: np.dtype[Any]) -> bool:
    """Whether samples of a dtype are whole numbers of 8 or 16 bits."""
    return dtype.kind in "iu" and dtype.itemsize <= 2


def _plus(x: Array, offset: float) -> Array:
    """Return x + offset, exact where both are whole and the sum fits, else as float64."""
    if x.dtype.kind == "i" and isinstance(offset, int):
        most = max(abs(int(x.max())), abs(int(x.min()))) + abs(offset)
        if most < 2**63:
            return x + offset
    return x.astype(np.float64) + float(offset)


def combined(sums: list[Array], kernel: Kernel) -> Array:
    """Return one response of the sums of all matrices: combined, divided, and the offset added."""
    if kernel.combine == "magnitude":
        total = np.sqrt(sum(np.square(part, dtype=np.float64) for part in sums))
    else:
        total = reduce(np.maximum, sums)
    if kernel.divisor != 1:
        total = total / float(kernel.divisor)
    return _plus(total, kernel.offset) if kernel.offset else total
