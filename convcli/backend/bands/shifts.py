"""Shift and add: a window, or its factors down and across, as weighted sums of shifted strips."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.backend.bands.passes import Scratch, WeightedSum
from convcli.backend.plan import Slide

Array = NDArray[Any]


class ShiftedWindow:
    """Weighs a strip by a matrix, tap by tap."""

    def __init__(self, matrix: Array, slide: Slide, channels: int, dtype: str) -> None:
        self.window = WeightedSum(matrix.ravel().tolist(), dtype)
        self.columns, self.shift = matrix.shape[1], _Shift(slide.stride, slide.dilation, channels)

    def __call__(self, strip: Array, out: Array, scratch: Scratch) -> Array:
        """Weigh (rows, samples) into the smaller `out`."""
        target = self.shift.laid(out)
        self.window(lambda tap: self.shift(strip, divmod(tap, self.columns), target.shape), target, scratch)
        return out


class ShiftedFactors:
    """Weighs the rows of a strip below each other, as whole numbers of `first`, then neighbours along them."""

    def __init__(
        self, factors: tuple[list[int], list[int]], slide: Slide, channels: int, way: tuple[str, str]
    ) -> None:
        (down, across), (first, dtype) = factors, way
        self.down, self.across = WeightedSum(down, first), WeightedSum(across, dtype)
        (sy, sx), (dy, dx) = slide.stride, slide.dilation
        self.below, self.beside = _Shift((sy, 1), (dy, 1), channels), _Shift((1, sx), (1, dx), channels)

    def __call__(self, strip: Array, out: Array, scratch: Scratch) -> Array:
        """Weigh (rows, samples) into the smaller `out`."""
        held = scratch.get("down", (len(out), strip.shape[1]), strip.dtype)
        self.down(lambda tap: self.below(strip, (tap, 0), held.shape), held, scratch)
        if held.dtype != out.dtype:
            wide = scratch.get("wide", held.shape, out.dtype)
            np.copyto(wide, held)
            held = wide
        target = self.beside.laid(out)
        self.across(lambda tap: self.beside(held, (0, tap), target.shape), target, scratch)
        return out


class _Shift:
    """Where the taps of a kernel meet a strip."""

    def __init__(self, stride: tuple[int, ...], dilation: tuple[int, ...], channels: int) -> None:
        self.stride, self.dilation, self.channels = stride, dilation, channels

    def laid(self, out: Array) -> Array:
        """Return rows of samples; or of pixels, where a stride takes them apart."""
        return out if self.stride[1] == 1 else out.reshape(len(out), -1, self.channels)

    def __call__(self, strip: Array, tap: tuple[int, int], shape: tuple[int, ...]) -> Array:
        """Return what a tap, at a row and a column of the kernel, meets for an output that is laid out so."""
        (sy, sx), row = self.stride, tap[0] * self.dilation[0]
        rows, column = slice(row, row + (shape[0] - 1) * sy + 1, sy), tap[1] * self.dilation[1]
        if sx == 1:
            return strip[rows, column * self.channels : column * self.channels + shape[1]]
        return strip.reshape(len(strip), -1, self.channels)[rows, column : column + shape[1] * sx : sx]
