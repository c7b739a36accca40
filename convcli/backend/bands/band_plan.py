"""The plan of a picture filter: the algorithm, the tile size and the number of threads; integers only, no arrays.

Costs are picoseconds per output sample, computed from the costs of sums on this machine. Only their order matters.
"""

from collections.abc import Callable
from math import prod
from typing import NamedTuple

from convcli.backend.algorithms.slide import Slide
from convcli.backend.machine import machine

METHODS = ("auto", "direct", "separable", "gemm", "fft")
RUNNING = "separable by running sums"  # the fastest way to compute a box filter

# Outputs of one vertical matrix product, also with AVX-512, and of one horizontal. OpenBLAS does not pack the operands
# of products of up to a million multiplications if the weights are stored by row; these are the fastest sizes below.
DOWN, DOWN_AVX512, ACROSS = 8, 4, 16
WASTE = 6  # factor of the kernel size from which longer transforms save less than they cost in memory
# Of a tile: rows are long, as each pass over a row costs a call, and many, so that threads seldom wait for the
# interpreter's lock; more threads wait more often.
ROWS, WIDE_SAMPLES = 48, 16384
MANY, MANY_ROWS = 4, 96  # number of threads, and the rows of a tile from this number on
PRODUCT_ROWS, PRODUCT_SAMPLES = 256, 2048  # of a tile for matrix products
# Of a tile for running sums: the elements of the rows in memory, and the smallest number of samples per row.
RUNNING_HELD, RUNNING_SAMPLES = 1 << 21, 3072
TRANSFORMS = (256, 512, 1024)  # the lengths for which NumPy is fast


# The cost of a method in addition to its sums, in picoseconds per sample, from its name, dtype and transform length.
CorrectionCost = Callable[[str, str, int], int]


class Facts(NamedTuple):
    """The properties of a kernel's matrix that the plan depends on.

    whole : all weights are integers; most : upper bound of all sums, down_most : of the vertical sums of the factor
    box_most : for a box, whose weights are all 1, an upper bound of the horizontal sums; None for other kernels
    passes : the passes over the samples that shift-and-add makes: for the window, and for the vertical and the
        horizontal factor, None if the matrix has no factors
    transforms : for floats, the number of transformed sums needed to bound their error; 0 if the error is known
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
    length: int = 0  # length of the transform
    transforms: int = 0  # number of transforms used to bound the error of floats

    def __str__(self) -> str:
        """Return a description of the plan for the output of -v."""
        return f"{self.method} in {self.dtype}, tiles of {self.rows}x{self.columns}, {self.threads} thread(s)"


def plan(
    facts: Facts,
    slide: Slide,
    channels: int,
    wide: bool,
    method: str,
    threads: int,
    correction_cost: CorrectionCost | None = None,
) -> BandPlan | None:
    """Return the fastest plan, or None if only exact sums without bands are possible.

    `wide` requests float64, where float32 has too few digits. With `correction_cost` both are considered; it returns
    the cost of a method in addition to its sums, per sample.
    """
    options = candidates(facts, slide, channels, wide)
    if correction_cost is not None and not wide:
        options += candidates(facts, slide, channels, True)
    least: tuple[int, str, str] | None = None
    for cost, name, dtype in sorted((cost, name, dtype) for name, dtype, cost in options):
        if method not in ("auto", name.split()[0]) or (least is not None and least[0] <= cost):
            continue
        if correction_cost is not None:
            cost += correction_cost(name, dtype, transform_length(slide) if name == "fft" else 0)
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
    """Return every way that computes correct sums: its name, its dtype and its cost."""
    float_dtype = "float64" if wide else "float32"
    costs = machine().costs
    float_pass, flop = (costs.pass64, costs.flop64) if wide else (costs.pass32, costs.flop32)
    strided = prod(slide.stride) > 1
    # Integers are exact in floats up to the precision of the dtype.
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
            if facts.transforms:  # in float64, whose errors are small compared with most sums
                found.append(("fft", "float64", 2 * cost * facts.transforms))
            else:
                found.append(("fft", float_dtype, 2 * cost if wide else cost))
    return found


def band_height() -> int:
    """Return the number of output rows of one vertical matrix product."""
    return DOWN_AVX512 if machine().avx512 else DOWN


def transform_length(slide: Slide) -> int:
    """Return the shortest transform length that covers the picture, or loses little of a tile to the kernel."""
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
    if name == RUNNING:  # as tall as possible, because each tile starts from scratch
        least = -(-slide.output_size[0] // threads)
        held = int(RUNNING_HELD * fitting)
        samples = min(WIDE_SAMPLES, max(RUNNING_SAMPLES, held // slide.spans[0]))
    elif dtype.startswith("float") and name != "direct":
        least, samples = PRODUCT_ROWS, PRODUCT_SAMPLES
        height = band_height()
        least = max(height, int(least * fitting) // height * height)
    else:  # more rows for a narrow picture
        least, samples = (MANY_ROWS if threads >= MANY else int(ROWS * fitting)), WIDE_SAMPLES
        least *= max(1, samples // (pixel * slide.output_size[1]))
    input_rows = least if name == RUNNING else max(least, 2 * slide.spans[0])  # in rows of the input
    rows = min(slide.output_size[0], max(1, input_rows // slide.stride[0]))
    return rows, min(slide.output_size[1], max(1, samples // pixel))
