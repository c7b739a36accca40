"""The plan of a convolution: which algorithm, in what blocks; integers only, no arrays.

Costs are estimates in picoseconds, measured on one core of an x86-64 machine with 32-bit floats. Only their
order matters.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import ceil, log2, prod
from typing import Any

from convcli.layers.axes import Sizes
from convcli.layers.base import Window
from convcli.layers.padding import span

CACHE_BYTES = 1 << 18  # a block of this size stays in the second-level cache
COLUMN_BYTES = 1 << 21  # the columns of one matrix product
SPECTRUM_BYTES = 1 << 26  # the transformed weights that are held at once


Index = tuple[Any, ...]  # what an array is indexed with


def last_axes(places: Iterable[slice | int]) -> Index:
    """Index the last axes of an array, and keep the others whole."""
    return (..., *places)


@dataclass(frozen=True)
class Slide:
    """A kernel that slides over an input which is padded already: one number for each spatial axis."""

    kernel_size: Sizes
    stride: Sizes
    dilation: Sizes
    output_size: Sizes

    @classmethod
    def of(cls, layer: Window, input_size: Sizes) -> "Slide":
        """Return the walk of a layer's kernel over an input of `input_size`, which is padded before it."""
        return cls(layer.kernel_size, layer.stride, layer.dilation, layer.output_size(input_size))

    @property
    def spans(self) -> Sizes:
        """The elements from the kernel's first tap to its last, on each axis."""
        return tuple(span(k, d) for k, d in zip(self.kernel_size, self.dilation, strict=True))

    def only(self, axis: int, output_size: Sizes) -> "Slide":
        """Return the same walk along one axis alone, over an output of `output_size`."""
        kernel, stride, dilation = (
            tuple(number if other == axis else 1 for other, number in enumerate(numbers))
            for numbers in (self.kernel_size, self.stride, self.dilation)
        )
        return Slide(kernel, stride, dilation, output_size)

    @property
    def whole(self) -> tuple[slice, ...]:
        """All places of the output."""
        return tuple(slice(0, count) for count in self.output_size)

    def meets(self, tap: Sequence[int], box: Sequence[slice] | None = None) -> tuple[slice, ...]:
        """Return where the input lies that `tap` meets, for a box of the output or all of it."""
        return tuple(
            slice(t * d + place.start * s, t * d + (place.stop - 1) * s + 1, s)
            for t, d, s, place in zip(tap, self.dilation, self.stride, box or self.whole, strict=True)
        )

    def reach(self, box: Sequence[slice]) -> tuple[slice, ...]:
        """Return the input that a box of the output looks at."""
        return tuple(
            slice(place.start * s, (place.stop - 1) * s + reach)
            for place, s, reach in zip(box, self.stride, self.spans, strict=True)
        )


@dataclass(frozen=True)
class Work:
    """The sizes of one convolution: x (images, groups, inputs, ...) to (images, groups, outputs, ...)."""

    images: int
    groups: int
    inputs: int
    outputs: int
    slide: Slide


def blocks(images: int, sizes: Sizes, place_bytes: int, limit: int) -> Iterator[tuple[slice, ...]]:
    """Divide (images, *sizes) into runs of places, row by row, that take at most `limit` bytes each.

    A run is a box: one place on the first axes, some on the next, all on the last ones.
    """
    shape = (images, *sizes)
    axis, run_bytes = len(sizes), place_bytes
    while axis and run_bytes * shape[axis] <= limit:
        run_bytes *= shape[axis]
        axis -= 1
    at_once = max(1, limit // run_bytes)
    rest = tuple(slice(0, n) for n in shape[axis + 1 :])
    for lead in product(*map(range, shape[:axis])):
        for start in range(0, shape[axis], at_once):
            some = slice(start, min(shape[axis], start + at_once))
            yield (*(slice(place, place + 1) for place in lead), some, *rest)


def fast_length(n: int, exact: bool = False) -> int:
    """Return the least length of at least n that transforms are quick for: 2^a 3^b 5^c, or 2^a alone."""
    best: int = 1 << (n - 1).bit_length()
    if exact:
        return best
    five = 1
    while five < best:
        three = five
        while three < best:
            best = min(best, three << (-(-n // three) - 1).bit_length())
            three *= 3
        five *= 5
    return best


def fft_size(slide: Slide, exact: bool = False) -> Sizes:
    """Choose the transform's length on each axis: some multiple of the kernel, or the input where it is less.

    Of a tile of F elements F - span + 1 are outputs; more axes take smaller tiles, to bound the memory.
    """
    times = 1 << max(1, 5 - len(slide.kernel_size))
    sizes = []
    for reach, s, count in zip(slide.spans, slide.stride, slide.output_size, strict=True):
        whole = (count - 1) * s + reach
        tile = times * reach
        sizes.append(fast_length(whole if whole <= 2 * tile else tile, exact))
    return tuple(sizes)


def fft_tiles(slide: Slide, size: Sizes) -> Sizes:
    """Count the outputs of one tile on each axis."""
    return tuple(
        min(count, (length - reach) // s + 1)
        for length, reach, s, count in zip(size, slide.spans, slide.stride, slide.output_size, strict=True)
    )


def cost_direct(work: Work) -> int:
    """Estimate shift-and-add: a multiplication and an addition in cache for every product."""
    taps = work.inputs * prod(work.slide.kernel_size)
    elements = work.images * work.groups * work.outputs * prod(work.slide.output_size)
    turns = max(1, 4 * elements // CACHE_BYTES) * taps
    return elements * taps * 250 + turns * 3_000_000


def cost_gemm(work: Work) -> int:
    """Estimate columns and one matrix product: a copy of every column, then the arithmetic of BLAS."""
    taps = work.inputs * prod(work.slide.kernel_size)
    places = work.images * work.groups * prod(work.slide.output_size)
    copied = 0 if taps == work.inputs and set(work.slide.stride) == {1} else places * taps
    return copied * 400 + places * taps * (work.outputs * 25 + 100) + work.images * work.groups * 5_000_000


def cost_separable(work: Work) -> int:
    """Estimate one shift-and-add an axis, and the search for the factors."""
    if sum(k > 1 for k in work.slide.kernel_size) < 2:
        return cost_direct(work) * 2
    taps = work.inputs * sum(work.slide.kernel_size)
    elements = work.images * work.groups * work.outputs * prod(work.slide.output_size)
    stride = work.slide.stride[0]  # the first pass keeps the other axes whole
    kernels = work.groups * work.outputs * work.inputs
    turns = max(1, 4 * elements // CACHE_BYTES) * taps
    factors = kernels * prod(work.slide.kernel_size) * 20_000 + 200_000_000
    return elements * (taps * 350 * stride + 1000) + turns * 3_000_000 + factors


def cost_fft(work: Work) -> int:
    """Estimate overlapping tiles: transforms of inputs, outputs and weights, and a product a frequency."""
    size = fft_size(work.slide)
    tiles = prod(
        -(-count // tile)
        for count, tile in zip(work.slide.output_size, fft_tiles(work.slide, size), strict=True)
    )
    channels = work.inputs + work.outputs
    transforms = (work.images * tiles * channels + work.inputs * work.outputs) * work.groups
    products = work.images * tiles * work.groups * work.inputs * work.outputs
    one = ceil(prod(size) * log2(max(2, prod(size))))
    return transforms * (one * 300 + 25_000_000) + products * (prod(size) * 600 + 5_000_000)


METHODS = {"direct": cost_direct, "gemm": cost_gemm, "separable": cost_separable, "fft": cost_fft}


def ranking(work: Work) -> tuple[str, ...]:
    """Name the algorithms, the one that should be quickest first."""
    return tuple(sorted(METHODS, key=lambda method: METHODS[method](work)))
