"""The plan of a convolution: which algorithm, in what blocks; integers only, no arrays.

Costs are estimates in picoseconds, measured on one core of an x86-64 machine with 32-bit floats. Only their
order matters.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil, log2, prod
from typing import Any

from convcli.layers.axes import Sizes
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

    def meets(self, tap: Sequence[int], rows: slice | None = None) -> tuple[slice, ...]:
        """Return where the input lies that `tap` meets, for all outputs or some rows of the first axis."""
        starts = [t * d for t, d in zip(tap, self.dilation, strict=True)]
        counts = list(self.output_size)
        if rows is not None:
            starts[0] += rows.start * self.stride[0]
            counts[0] = rows.stop - rows.start
        return tuple(
            slice(start, start + (count - 1) * s + 1, s)
            for start, count, s in zip(starts, counts, self.stride, strict=True)
        )

    def reach(self, rows: slice) -> slice:
        """Return the rows of the input that these rows of the output look at."""
        start = rows.start * self.stride[0]
        return slice(start, start + (rows.stop - rows.start - 1) * self.stride[0] + self.spans[0])


@dataclass(frozen=True)
class Work:
    """The sizes of one convolution: x (images, groups, inputs, ...) to (images, groups, outputs, ...)."""

    images: int
    groups: int
    inputs: int
    outputs: int
    slide: Slide


def blocks(images: int, rows: int, row_bytes: int, limit: int) -> Iterator[tuple[slice, slice]]:
    """Divide images of `rows` rows into blocks of at most `limit` bytes: whole images, or rows of one."""
    at_once = max(1, limit // max(1, rows * row_bytes))
    height = rows if at_once > 1 else min(rows, max(1, limit // row_bytes))
    for first in range(0, images, at_once):
        for top in range(0, rows, height):
            yield slice(first, min(images, first + at_once)), slice(top, min(rows, top + height))


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
    return elements * taps * 250 * stride + turns * 3_000_000 + factors


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
    return transforms * (one * 500 + 50_000_000) + products * (prod(size) * 600 + 5_000_000)


METHODS = {"direct": cost_direct, "gemm": cost_gemm, "separable": cost_separable, "fft": cost_fft}


def ranking(work: Work) -> tuple[str, ...]:
    """Name the algorithms, the one that should be quickest first."""
    return tuple(sorted(METHODS, key=lambda method: METHODS[method](work)))
