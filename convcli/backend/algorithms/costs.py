"""The choice of a convolution's algorithm, and the block sizes; integers only, no arrays.

Costs are estimates in picoseconds for 32-bit floats, measured on one core of an x86-64 machine, and scaled by the costs
of sums on this machine. Only their order matters.
"""

from collections.abc import Iterator
from functools import lru_cache
from itertools import product
from math import ceil, gcd, log2, prod
from typing import NamedTuple

from convcli.backend.algorithms.slide import Slide
from convcli.backend.machine import machine
from convcli.layers.axes import Sizes

CACHE_BYTES = 1 << 18  # size of a block that fits in the second-level cache
COLUMN_BYTES = 1 << 20  # size of the columns of one matrix product, which fit in that cache
WINOGRAD_BYTES = 1 << 22  # size of the transformed tiles of one band, input and output
SMALL = 10**6  # multiplications up to which OpenBLAS does not pack the operands of a matrix product
MIN_COLUMNS = 200  # columns of such a product, below which the calls cost more
RUN = 1 << 16  # elements transformed at once
ROW = 128  # tiles of a row, above which the row is divided
TILES = 400  # smallest number of transformed tiles in one product, if there are that many
BAND_BYTES = 1 << 20  # size of the stacked rows of one batch of banded products, which fit in that cache
BAND_COLUMNS = 512  # columns of one banded product: BLAS does not pack small operands
BAND_ROWS = 4  # outputs of one band matrix; with more rows, more zeros are multiplied; with fewer, there are more calls
ROWS_BYTES = 1 << 22  # size of one block of rows: the copied input and the products
SPECTRUM_BYTES = 1 << 26  # size of the transformed weights held at once


class Work(NamedTuple):
    """The sizes of one convolution: x (images, groups, inputs, ...) to (images, groups, outputs, ...)."""

    images: int
    groups: int
    inputs: int
    outputs: int
    slide: Slide


def blocks(
    images: int, sizes: Sizes, place_bytes: int, limit: int, align: int = 1
) -> Iterator[tuple[slice, ...]]:
    """Divide (images, *sizes) into runs of positions in row-major order, of at most `limit` bytes each.

    A run is a box: one position on the first axes, some on the next, all on the last ones. If possible, its length is a
    multiple of `align`: BLAS is 10 % faster on whole vectors.
    """
    shape = (images, *sizes)
    axis, run_bytes = len(sizes), place_bytes
    while axis and run_bytes * shape[axis] <= limit:
        run_bytes *= shape[axis]
        axis -= 1
    at_once = max(1, limit // run_bytes)
    even = align // gcd(align, prod(shape[axis + 1 :]))
    at_once -= at_once % even if even < at_once < shape[axis] else 0
    rest = tuple(slice(0, n) for n in shape[axis + 1 :])
    for lead in product(*map(range, shape[:axis])):
        for start in range(0, shape[axis], at_once):
            some = slice(start, min(shape[axis], start + at_once))
            yield (*(slice(place, place + 1) for place in lead), some, *rest)


def fast_length(n: int, exact: bool = False) -> int:
    """Return the smallest length of at least n with fast transforms: 2^a 3^b 5^c, or 2^a if `exact`."""
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
    """Return the transform length on each axis: about a multiple of the kernel, or the input if that is smaller.

    Of a tile of F elements, F - span + 1 are outputs. With more axes, tiles are smaller, to limit the memory.
    """
    times = 1 << max(1, 5 - len(slide.kernel_size))
    sizes = []
    for reach, s, count in zip(slide.spans, slide.stride, slide.output_size, strict=True):
        whole = (count - 1) * s + reach
        tile = times * reach
        sizes.append(fast_length(whole if whole <= 2 * tile else tile, exact))
    return tuple(sizes)


def fft_tiles(slide: Slide, size: Sizes) -> Sizes:
    """Return the number of outputs of one tile on each axis."""
    return tuple(
        min(count, (length - reach) // s + 1)
        for length, reach, s, count in zip(size, slide.spans, slide.stride, slide.output_size, strict=True)
    )


def cost_direct(work: Work) -> int:
    """Estimate shift-and-add: a multiplication and an addition in cache for every product.

    Every row has a constant cost, and elements that are not adjacent cost three times as much.
    """
    taps = work.inputs * prod(work.slide.kernel_size)
    elements = work.images * work.groups * work.outputs * prod(work.slide.output_size)
    passes = max(1, 4 * elements // CACHE_BYTES) * taps
    each = (400 + 14_000 // (work.slide.output_size[-1] + 6)) * (3 if work.slide.stride[-1] > 1 else 1)
    return machine().scaled(elements * taps * each, "pass32") + passes * 3_000_000


def column_bytes(place_bytes: int) -> int:
    """Return the memory for columns: enough for BLAS to be fast, and limited."""
    return max(COLUMN_BYTES, min(448 * place_bytes, 8 * COLUMN_BYTES))


def cost_gemm(work: Work) -> int:
    """Estimate columns and one matrix product: a copy of every column, then the arithmetic in BLAS."""
    slide = work.slide
    taps = work.inputs * prod(slide.kernel_size)
    places = work.images * work.groups * prod(slide.output_size)
    copied = 0 if taps == work.inputs and set(slide.stride) == {1} else 1_500 // slide.output_size[-1] + 90
    alone = 200 // work.outputs  # reading a matrix of few rows takes as long as multiplying it
    product = machine().scaled(work.outputs * 20 + 30, "flop32")
    visited = prod(slide.stride)  # elements of the input that are divided into phases, per output
    divided = work.inputs * visited * 400 if visited > 1 else 0
    calls = work.images * work.groups * 150_000 + 5_000_000
    return places * (taps * (product + copied + alone) + divided) + calls


def takes_winograd(slide: Slide) -> bool:
    """Return whether F(2, 3) supports the kernel: three adjacent taps on every axis, with stride 1."""
    return all(
        (k, s, d) == (3, 1, 1)
        for k, s, d in zip(slide.kernel_size, slide.stride, slide.dilation, strict=True)
    )


def winograd_box(work: Work, itemsize: int = 4) -> Sizes:
    """Return the number of tiles along each axis of a box that is transformed at once.

    Products of at most SMALL multiplications are the fastest, unless the box is too small for its border.
    """
    tiles = tuple(-(-count // 2) for count in work.slide.output_size)
    dims, pairs = len(tiles), work.inputs * work.outputs
    each = (itemsize << 2 * dims) * (work.inputs + work.outputs)
    most = SMALL // pairs if SMALL // pairs >= MIN_COLUMNS else max(TILES, WINOGRAD_BYTES // each)
    side = ROW if dims == 2 else max(1, int(most ** (1 / dims)))
    rest = tuple(_even(count, side) for count in tiles[1:])
    return (_even(tiles[0], max(1, most // prod(count + 1 for count in rest))), *rest)


def _even(count: int, most: int) -> int:
    """Divide `count` into as few equal parts as possible of at most `most` each; return the size of the largest."""
    return -(-count // -(-count // most))


def cost_winograd(work: Work) -> int:
    """Estimate tiles of 4 elements for 2 outputs per axis: additions before and after 4^axes matrix products."""
    tiles = tuple(-(-count // 2) for count in work.slide.output_size)
    dims, flat = len(tiles), tiles[0] * prod(count + 1 for count in tiles[1:])
    additions = sum(1 << 2 * dims - axis for axis in range(dims)) + (1 << dims)
    pairs = work.inputs * work.outputs
    bands = prod(-(-n // b) for n, b in zip(tiles, winograd_box(work), strict=True))
    here = machine()
    products = here.scaled((pairs << 2 * dims) * 18, "flop32")
    sums = here.scaled((work.inputs + work.outputs) * additions * 330, "pass32")
    image = flat * (products + sums) + bands * 60_000_000
    return work.groups * (work.images * image + (pairs << 2 * dims) * 1000)


def takes_bands(slide: Slide) -> bool:
    """Return whether there is an axis for the rows of the kernel besides the last axis."""
    return len(slide.kernel_size) > 1


def band_rows(slide: Slide) -> int:
    """Return the number of outputs of one band along the second-to-last axis: more if the rows are short."""
    return _even(slide.output_size[-2], max(BAND_ROWS, 128 // slide.output_size[-1]))


def cost_banded(work: Work) -> int:
    """Estimate a copy of the rows for each tap, and a small product per band, including its zeros."""
    rows, slide = band_rows(work.slide), work.slide
    reach = (rows - 1) * slide.stride[-2] + slide.spans[-2]
    taps = work.inputs * prod(slide.kernel_size) // slide.kernel_size[-2]
    lines = work.images * work.groups * work.outputs * prod(slide.output_size[:-1])
    calls = lines // rows * (taps // slide.kernel_size[-1]) * 150_000
    elements = lines * slide.output_size[-1]
    copied = 450 * slide.stride[-2] + 6_000 // slide.output_size[-1]
    product = machine().scaled(reach * 25, "flop32")
    return elements * (taps * (product + copied) + 300) + calls + work.inputs * work.outputs * 20_000_000


def cost_rows(work: Work) -> int:
    """Estimate a copy of the rows per horizontal tap, one product for all rows of the kernel, and their sums."""
    slide, taps = work.slide, work.slide.kernel_size[-1]
    lines = prod(slide.kernel_size) // taps
    walks = zip(slide.output_size, slide.stride, slide.spans, strict=True)
    rows = [(count - 1) * s + reach for count, s, reach in walks][:-1]  # of the input, with its border
    looked_at, places = prod(rows) * slide.output_size[-1], prod(slide.output_size)
    copied = work.inputs * taps * (600 if slide.stride[-1] > 1 else 400)
    product = machine().scaled(work.outputs * 20 + 25, "flop32") * work.inputs * lines * taps
    summed = work.outputs * lines * (330 if max(slide.stride[:-1]) > 1 else 220)
    group = looked_at * (copied + product) + places * summed
    if 4 * looked_at * (work.inputs * taps + work.outputs * lines) > BAND_BYTES:
        group += group // 2  # the data does not fit in the second-level cache between the steps
    return work.images * work.groups * (group + 300_000) + 30_000_000


def cost_separable(work: Work) -> int:
    """Estimate one shift-and-add per axis, and the search for the factors."""
    if sum(k > 1 for k in work.slide.kernel_size) < 2:
        return cost_direct(work) * 2
    taps = work.inputs * sum(work.slide.kernel_size)
    elements = work.images * work.groups * work.outputs * prod(work.slide.output_size)
    stride = work.slide.stride[0]  # the first pass does not reduce the other axes
    kernels = work.groups * work.outputs * work.inputs
    passes = max(1, 4 * elements // CACHE_BYTES) * taps
    factors = kernels * prod(work.slide.kernel_size) * 20_000 + 200_000_000
    sums = machine().scaled(taps * 1400 * stride, "pass32")
    return elements * (sums + 1000) + passes * 3_000_000 + factors


def cost_fft(work: Work) -> int:
    """Estimate overlapping tiles: transforms of inputs, outputs and weights, and one product per frequency."""
    size = fft_size(work.slide)
    tiles = prod(
        -(-count // tile)
        for count, tile in zip(work.slide.output_size, fft_tiles(work.slide, size), strict=True)
    )
    channels = work.inputs + work.outputs
    transforms = (work.images * tiles * channels + work.inputs * work.outputs) * work.groups
    products = work.images * tiles * work.groups * work.inputs * work.outputs
    one = ceil(prod(size) * log2(max(2, prod(size))))
    here = machine()
    transform = here.scaled(one * 300, "transform") + 25_000_000
    return transforms * transform + products * (here.scaled(prod(size) * 600, "pass32") + 5_000_000)


METHODS = {
    "direct": cost_direct,
    "banded": cost_banded,
    "gemm": cost_gemm,
    "rows": cost_rows,
    "winograd": cost_winograd,
    "separable": cost_separable,
    "fft": cost_fft,
}
ONLY_FOR = {
    "banded": takes_bands,
    "rows": takes_bands,
    "winograd": takes_winograd,
}  # the others support any kernel


@lru_cache(maxsize=256)
def ranking(work: Work) -> tuple[str, ...]:
    """Return the names of the algorithms that support the kernel, the fastest by estimate first."""
    able = [name for name in METHODS if name not in ONLY_FOR or ONLY_FOR[name](work.slide)]
    return tuple(sorted(able, key=lambda name: METHODS[name](work)))
