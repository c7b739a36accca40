"""Shift and add: a window, or its vertical and horizontal factors, as weighted sums of shifted strips."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.backend.algorithms.slide import Slide
from convcli.backend.bands.passes import Scratch, WeightedSum

Array = NDArray[Any]


class ShiftedWindow:
    """Computes the weighted sums of a strip with a matrix, tap by tap."""

    def __init__(self, matrix: Array, slide: Slide, channels: int, dtype: str) -> None:
        self.window = WeightedSum(matrix.ravel().tolist(), dtype)
        self.columns, self.shift = matrix.shape[1], _Shift(slide.stride, slide.dilation, channels)

    def __call__(self, strip: Array, out: Array, scratch: Scratch) -> Array:
        """Write the weighted sums of `strip`, (rows, samples), into the smaller `out`."""
        view = self.shift.over(strip, out.shape)
        self.window(lambda tap: view(divmod(tap, self.columns)), out, scratch)
        return out


class ShiftedFactors:
    """Computes the weighted sums with two factors: vertically in integers of `first`, then horizontally."""

    def __init__(
        self, factors: tuple[list[int], list[int]], slide: Slide, channels: int, dtypes: tuple[str, str]
    ) -> None:
        (down, across), (first, dtype) = factors, dtypes
        self.down, self.across = WeightedSum(down, first), WeightedSum(across, dtype)
        (sy, sx), (dy, dx) = slide.stride, slide.dilation
        self.vertical, self.horizontal = (
            _Shift((sy, 1), (dy, 1), channels),
            _Shift((1, sx), (1, dx), channels),
        )

    def __call__(self, strip: Array, out: Array, scratch: Scratch) -> Array:
        """Write the weighted sums of `strip`, (rows, samples), into the smaller `out`."""
        held = scratch.get("down", (len(out), strip.shape[1]), strip.dtype)
        vertical = self.vertical.over(strip, held.shape)
        self.down(lambda tap: vertical((tap, 0)), held, scratch)
        if held.dtype != out.dtype:
            wide = scratch.get("wide", held.shape, out.dtype)
            np.copyto(wide, held)
            held = wide
        horizontal = self.horizontal.over(held, out.shape)
        self.across(lambda tap: horizontal((0, tap)), out, scratch)
        return out


class _Shift:
    """The positions of a kernel's taps in a strip."""

    def __init__(self, stride: tuple[int, ...], dilation: tuple[int, ...], channels: int) -> None:
        self.stride, self.dilation, self.channels = stride, dilation, channels

    def over(self, strip: Array, shape: tuple[int, ...]) -> Callable[[tuple[int, int]], Array]:
        """Return a function that returns the samples of a strip under a tap, (rows, samples) of the given shape.

        With a stride, the pixels under a tap are first copied next to each other, once for all taps on the same pixels.
        """
        (sy, sx), phases = self.stride, dict[int, Array]()

        def view(tap: tuple[int, int]) -> Array:
            row, (places, phase) = tap[0] * self.dilation[0], divmod(tap[1] * self.dilation[1], sx)
            if phase not in phases:
                phases[phase] = strip if sx == 1 else every(sx, strip, phase, self.channels)
            first = places * self.channels
            return phases[phase][row : row + (shape[0] - 1) * sy + 1 : sy, first : first + shape[1]]

        return view


def every(step: int, strip: Array, first: int, channels: int) -> Array:
    """Return a copy of every `step`-th pixel of a strip, (rows, samples), from `first` on."""
    pixels = as_items(strip.reshape(len(strip), -1, channels))[:, first::step]
    return np.ascontiguousarray(pixels).view(strip.dtype).reshape(len(strip), -1)


def as_items(pixels: Array) -> Array:
    """Return pixels (..., C) as one item each, which NumPy copies in one piece even with strides."""
    return pixels.view(np.dtype((np.void, pixels.shape[-1] * pixels.itemsize)))[..., 0]
