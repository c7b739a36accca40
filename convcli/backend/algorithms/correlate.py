"""The engine of every convolution: choose an algorithm, run it, and add the bias."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from convcli.backend.algorithms import banded, direct, fft, gemm, kernel_rows, separable, winograd
from convcli.backend.algorithms.costs import METHODS, ONLY_FOR, Work, ranking
from convcli.backend.algorithms.guard import corrected
from convcli.backend.algorithms.slide import Slide
from convcli.backend.borders import pad, padded
from convcli.backend.checks import one_of
from convcli.backend.dtypes import Numbers, cast
from convcli.errors import ArgumentError
from convcli.layers.axes import by_axes
from convcli.layers.padding import Pads

Array = NDArray[Any]

PADDING = {  # algorithms that pad with one value themselves
    "banded": banded.correlate,
    "gemm": gemm.correlate,
    "rows": kernel_rows.correlate,
    "winograd": winograd.correlate,
}
PRODUCTS = ("banded", "gemm", "rows", "winograd")  # computed by BLAS
TRANSFORMS = (
    "fft",
    "winograd",
)  # the error of a large element spreads to all elements that are transformed with it
FOR_FINITE = ("banded", "winograd")  # NaN and infinity differ from those of plain sums


@dataclass(frozen=True)
class Border:
    """The width of the border around x, and what fills it."""

    pads: Pads
    mode: str
    value: Array  # 0-dimensional

    def around(self, x: Array) -> Array:
        """Return x (N, C, *spatial) with its border."""
        if self.mode in ("zeros", "constant"):
            return padded(x, self.pads, self.value.item())
        return pad(x, self.pads, range(2, x.ndim), self.mode)

    def but_constant(self, x: Array) -> tuple[Array, Pads]:
        """Return x with its border and no pads, or x itself and the pads if the border is constant."""
        if self.mode in ("zeros", "constant"):
            return x, self.pads
        return self.around(x), ((0, 0),) * len(self.pads)


def as_method(method: str) -> tuple[str, int | None]:
    """Split `separable:2` into the method and its rank; raise ArgumentError for an unknown method."""
    name, colon, rank = str(method).partition(":")
    if not colon:
        return one_of("method", name, ("auto", *METHODS)), None
    if name != "separable" or not rank.isdecimal() or int(rank) < 1:
        raise ArgumentError(f"method {method!r}: only 'separable' takes a rank, such as 'separable:2'")
    return name, int(rank)


class _Task(NamedTuple):
    """A correlation of x (N, C, *spatial) with kernels (G, O, C / G, *k).

    rank : number of terms of a kernel for `separable`; None if the kernels must have rank 1
    """

    x: Array
    kernels: Array
    slide: Slide
    border: Border
    numbers: Numbers
    rank: int | None = None


def correlate(
    x: Array,
    weight: Array,
    groups: int,
    slide: Slide,
    border: Border,
    numbers: Numbers,
    method: str = "auto",
    rank: int | None = None,
) -> Array:
    """Correlate x (N, C, *spatial) with weight (O, C / groups, *k): (N, O, *output)."""
    kernels = weight.reshape(groups, -1, *weight.shape[1:])
    task = _Task(x, kernels, slide, border, numbers, rank)
    if method != "auto":
        _check_method(method, task)
        return _run(method, task)
    for name in ranking(Work(len(x), groups, kernels.shape[2], kernels.shape[1], slide)):
        if _suits(name, task):
            y = _trusted(name, task)
            # y is not finite if x or an intermediate value is not; overflow of the squares only costs a second attempt.
            if name not in FOR_FINITE or numbers.peak is not None or np.isfinite(np.vdot(y, y)):
                return y
    raise AssertionError("direct accepts everything")


def _trusted(method: str, task: _Task) -> Array:
    """Run an algorithm chosen by `auto`; floats that a transform makes inaccurate are summed directly."""
    numbers, border = task.numbers, task.border
    if method not in TRANSFORMS or numbers.peak is not None:
        return _run(method, task)
    wide = Numbers(np.result_type(numbers.result, np.float64)) if method == "fft" else numbers
    bare = Border(((0, 0),) * len(border.pads), "zeros", np.zeros((), wide.summing))

    def again(name: str, part: Array, kernels: Array, walk: Slide) -> Array:
        return _run(name, _Task(part, kernels, walk, bare, wide))

    y = _run(method, task._replace(numbers=wide))
    y = corrected(method, y, border.around(cast(task.x, wide.summing)), task.kernels, task.slide, again)
    return cast(y, numbers.summing)


def _run(method: str, task: _Task) -> Array:
    """Run one algorithm: (N, G * O, *output)."""
    x, kernels, slide, border, numbers, rank = task
    groups = len(kernels)
    if method in ("direct", "separable"):
        dtype = numbers.adding
    elif method in PRODUCTS:
        dtype = numbers.multiplying
    else:
        dtype = np.dtype("float64") if numbers.peak is not None else numbers.summing
    x = cast(x, dtype)
    x, pads = border.but_constant(x) if method in PADDING else (border.around(x), ())
    wide = x.reshape(len(x), groups, kernels.shape[2], *x.shape[2:])
    if method == "separable":
        kernels = kernels if numbers.peak is not None else cast(kernels, dtype)
        factors = separable.factors_of_rank(kernels, len(slide.spans), rank)
        y = separable.correlate(wide, tuple(cast(factor, dtype) for factor in factors), slide)
    elif method == "fft":
        y = fft.correlate(wide, cast(kernels, dtype), slide, exact=numbers.peak is not None)
    elif method in PADDING:
        y = PADDING[method](wide, cast(kernels, dtype), slide, pads, border.value.item())
    else:
        y = direct.correlate(wide, cast(kernels, dtype), slide)
    return cast(y.reshape(len(x), groups * kernels.shape[1], *slide.output_size), numbers.summing)


def add_bias(y: Array, bias: Array, numbers: Numbers) -> Array:
    """Add a bias (O,) or (O, *output) to y (N, O, *output), in place, and return y in the result's dtype."""
    if bias.any():
        y += cast(bias, y.dtype).reshape(*bias.shape, *(1,) * (y.ndim - 1 - bias.ndim))
    return numbers.finish(y)


def _check_method(method: str, task: _Task) -> None:
    """Raise ArgumentError if a requested algorithm does not support this kernel or these numbers."""
    slide, numbers = task.slide, task.numbers
    if method == "fft" and not _fft_rounds_right(task):
        raise ArgumentError(
            "method 'fft' computes in floats, which may round integers incorrectly for sums as large as "
            f"{numbers.peak}; use another method, or convert x to float64"
        )
    if method == "winograd" and numbers.peak is not None:
        raise ArgumentError(
            "method 'winograd' needs fractions, but integers are computed exactly; use another method, or "
            "convert x to float64"
        )
    if method in ONLY_FOR and not ONLY_FOR[method](slide):
        wants = {
            "winograd": "3 taps on every axis, with stride 1 and dilation 1",
            "banded": "at least 2 spatial axes",
            "rows": "at least 2 spatial axes",
        }
        raise ArgumentError(
            f"method {method!r} needs {wants[method]}, but the kernel is {by_axes(slide.kernel_size)}, with stride "
            f"{by_axes(slide.stride)} and dilation {by_axes(slide.dilation)}; use another method"
        )


def _suits(name: str, task: _Task) -> bool:
    """Return whether `auto` may choose the algorithm, which must give the same numbers as plain sums."""
    x, kernels, slide, border, numbers, _ = task
    if name in ("direct", "gemm"):
        return True
    if name == "winograd":
        return numbers.peak is None
    if name in ("banded", "rows"):
        return numbers.multiplying.kind in "fc"
    if numbers.peak is None and not fft.is_finite(x, border.value, kernels, slide, numbers.summing):
        return False
    if name == "fft":
        return _fft_rounds_right(task)
    kernels = kernels if numbers.peak is not None else cast(kernels, numbers.adding)
    return separable.factors(kernels, len(slide.spans)) is not None


def _fft_rounds_right(task: _Task) -> bool:
    peak = task.numbers.peak
    return peak is None or fft.is_exact(peak, task.kernels.shape[2], task.slide)
