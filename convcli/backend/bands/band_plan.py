"""The plan of a picture filter: which algorithm, in what tiles, on how many threads; integers only, no arrays.

Costs are picoseconds for one sample of the output, by what sums cost on this machine. Only their order matters.
"""

from collections.abc import Callable
from math import prod
from typing import NamedTuple

from convcli.backend.algorithms.slide import Slide
from convcli.backend.machine import machine

METHODS = ("auto", "direct", "separable", "gemm", "fft")
RUNNING = "separable by running sums"  # the quickest way to run a box

# Outputs of one matrix product down, also with AVX-512, and across. OpenBLAS does up to a million multiplications
# without packing its operands first, if the weights lie row by row; these are the quickest below that.
DOWN, DOWN_AVX512, ACROSS = 8, 4, 16
WASTE = 6  # times the kernel, from which on longer transforms save less than they cost in memory
# Of a tile: long rows, as each pass over one costs a call, and so many that threads seldom take turns with the
# interpreter; more threads take more turns.
ROWS, WIDE_SAMPLES = 48, 16384
MANY, MANY_ROWS = 4, 96  # threads, and the rows for them
PRODUCT_ROWS, PRODUCT_SAMPLES = 256, 2048  # of a tile for products of matrices
# Of a tile for sums that run: what the rows that are still to go may take, and yet so many columns.
RUNNING_HELD, RUNNING_SAMPLES = 1 << 21, 3072
TRANSFORMS = (256, 512, 1024)  # the lengths that NumPy is quick for


# What a way costs beside its sums: its name, its dtype and the length of its transform become picoseconds for a sample.
Settling = Callable[[str, str, int], int]


class Facts(NamedTuple):
    """What the plan has to know of a kernel's matrix.

    whole : all weights are whole numbers; most : no sum exceeds it, down_most : nor one down the factor
    box_most : of a box, whose weights are all 1, what no sum across exceeds; None for others
    passes : shift-and-add's passes over the samples: of the window, and of the factors down and across,
        None where the matrix has no factors
    transforms : of floats, how many sums are transformed to tell how far off they are; 0 where that is known
    """

    whole: bool
    most: int
    down_most: int
    box_most: int | None
    passes: int
    factor_passes: tuple[int, int] | None
    transforms: int = 0


class BandPlan(NamedTuple):
    """The algorithm and its dtype, the outputs of one tile, and the threads that share the tiles.

    `method` is one of METHODS or RUNNING; `first` is the dtype of the pixels and of the first sums, where those
    fit a shorter one.
    """

    method: str
    dtype: str
    first: str
    rows: int
    columns: int
    threads: int
    length: int = 0  # of the transform
    transforms: int = 0  # that tell how far off floats are

    def __str__(self) -> str:
        """Say what will run, in words for -v."""
        return f"{self.method} in {self.dtype}, tiles of {self.rows}x{self.columns}, {self.threads} thread(s)"


def plan(
    facts: Facts,
    slide: Slide,
    channels: int,
    wide: bool,
    method: str,
    threads: int,
    settling: Settling | None = None,
) -> BandPlan | None:
    """Return the quickest plan, or None if only the plain exact sums will do.

    `wide` asks for float64, where float32 has too few digits. With `settling` either may be taken: it tells what a
    way costs, for one sample, beside its sums.
    """
    ways = candidates(facts, slide, channels, wide)
    if settling is not None and not wide:
        ways += candidates(facts, slide, channels, True)
    least: tuple[int, str, str] | None = None
    for cost, name, dtype in sorted((cost, name, dtype) for name, dtype, cost in ways):
        if method not in ("auto", name.split()[0]) or (least is not None and least[0] <= cost):
            continue
        if settling is not None:
            cost += settling(name, dtype, transform_length(slide) if name == "fft" else 0)
        least = min(least or (cost, name, dtype), (cost, name, dtype))
    if least is None:
        return None
    _, name, dtype = least
    first, length = dtype, 0
    if name == RUNNING:
        first = "int16" if (facts.box_most or 0) < 1 << 15 else "int32"
    elif (name, dtype) == ("separable", "int32") and facts.down_most < 1 << 15:
        first = "int16"
    elif name == "fft":
        length = transform_length(slide)
    rows, columns = _tile(name, dtype, slide, channels, length, threads)
    tiles = prod(-(-n // step) for n, step in zip(slide.output_size, (rows, columns), strict=True))
    return BandPlan(name, dtype, first, rows, columns, max(1, min(threads, tiles)), length, facts.transforms)


def candidates(facts: Facts, slide: Slide, channels: int, wide: bool) -> list[tuple[str, str, int]]:
    """Return every way that gives the right sums: its name, its dtype and its cost."""
    float_dtype = "float64" if wide else "float32"
    costs = machine().costs
    float_pass, flop = (costs.pass64, costs.flop64) if wide else (costs.pass32, costs.flop32)
    strided = prod(slide.stride) > 1
    # Whole numbers are exact in floats up to the digits of these.
    exact_float = facts.most < (1 << (53 if wide else 24))
    found: list[tuple[str, str, int]] = []
    if facts.whole and facts.most < 1 << 31:
        dtype, each = ("int16", costs.pass16) if facts.most < 1 << 15 else ("int32", costs.pass32)
        found.append(("direct", dtype, facts.passes * each))
        if facts.factor_passes:
            found.append(("separable", dtype, sum(facts.factor_passes) * each))
        if facts.box_most is not None and not strided and prod(slide.dilation) == 1:
            floats = exact_float and not wide
            across = costs.pass16 if facts.box_most < 1 << 15 else costs.pass32
            passes = 2 + slide.kernel_size[1].bit_length()
            found.append((RUNNING, "float32" if floats else "int32", passes * across + 2 * costs.pass32))
    elif not facts.whole:
        found.append(("direct", float_dtype, facts.passes * float_pass))
    if not facts.whole or exact_float:
        kh, kw = slide.kernel_size
        (dh, dw), pixel = slide.dilation, channels
        down = 2 * (band_height() + (kh - 1) * dh) * flop
        if not strided:
            found.append(("gemm", float_dtype, kw * (down + costs.gather)))
        if facts.factor_passes and not strided:
            across = 2 * (ACROSS + (kw - 1) * dw * pixel) * flop
            found.append(("separable", float_dtype, down + across))
    if not facts.whole:
        length = transform_length(slide)
        if all(length >= 2 * span for span in slide.spans):
            usable = prod(length - span + 1 for span in slide.spans)
            share = prod(slide.stride) * length * length / usable
            cost = int(costs.transform * share)
            if facts.transforms:  # in float64, whose errors are small beside most sums
                found.append(("fft", "float64", 2 * cost * facts.transforms))
            else:
                found.append(("fft", float_dtype, 2 * cost if wide else cost))
    return found


def band_height() -> int:
    """Return the number of output rows that one matrix product down makes."""
    return DOWN_AVX512 if machine().avx512 else DOWN


def transform_length(slide: Slide) -> int:
    """Choose the shortest transform that holds the picture, or wastes little of a tile on the kernel."""
    whole = max(
        (n - 1) * s + span for n, s, span in zip(slide.output_size, slide.stride, slide.spans, strict=True)
    )
    for length in TRANSFORMS[:-1]:
        if length >= whole or length >= WASTE * max(slide.spans):
            return length
    return TRANSFORMS[-1]


def _tile(name: str, dtype: str, slide: Slide, channels: int, length: int, threads: int) -> tuple[int, int]:
    """Return the rows and columns of one tile of the output."""
    if length:
        sizes = zip(slide.spans, slide.stride, slide.output_size, strict=True)
        rows, columns = (min(n, (length - span) // s + 1) for span, s, n in sizes)
        return rows, columns
    pixel, fitting = channels * slide.stride[1], machine().fitting
    if name == RUNNING:  # as tall as can be: each tile starts anew
        least = -(-slide.output_size[0] // threads)
        held = int(RUNNING_HELD * fitting)
        samples = min(WIDE_SAMPLES, max(RUNNING_SAMPLES, held // slide.spans[0]))
    elif dtype.startswith("float") and name != "direct":
        least, samples = PRODUCT_ROWS, PRODUCT_SAMPLES
        height = band_height()
        least = max(height, int(least * fitting) // height * height)
    else:  # of a narrow picture, more rows
        least, samples = (MANY_ROWS if threads >= MANY else int(ROWS * fitting)), WIDE_SAMPLES
        least *= max(1, samples // (pixel * slide.output_size[1]))
    below = least if name == RUNNING else max(least, 2 * slide.spans[0])  # rows of the input
    rows = min(slide.output_size[0], max(1, below // slide.stride[0]))
    return rows, min(slide.output_size[1], max(1, samples // pixel))
