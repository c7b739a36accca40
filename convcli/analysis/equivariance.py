"""Measurement of equivariance and invariance.

A filter f is equivariant to a motion g, such as a shift, a rotation or a scaling, if f(g(x)) = g(f(x)): filtering the
moved picture gives the moved result. It is invariant to g if f(g(x)) = f(x).
"""

from collections.abc import Callable, Iterable, Sequence
from math import gcd
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from convcli.layers import AdaptivePool, ConvTranspose, GlobalPool, Layer, Resize, Window
from convcli.layers.axes import Sizes
from convcli.layers.padding import span

Array = NDArray[Any]
Filter = Callable[[Array], Array]  # takes (C, H, W) with any H and W

MARGIN = (
    4  # outputs that are left out next to those that see the border, as the border moves with the picture
)


class Motion(NamedTuple):
    """How the outputs of layers move when their input moves.

    reach : the outputs closer to an edge than this may depend on the padding
    steps : for each axis, the smallest shift of the input that shifts the output by an integer, and that integer
    """

    reach: int
    steps: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, layers: Iterable[Layer]) -> "Motion | None":
        """Return the motion of a chain of layers; None if the windows of one depend on the size of the input."""
        reach, steps = 0, [(1, 1), (1, 1)]
        for layer in layers:
            if isinstance(layer, AdaptivePool | GlobalPool):
                return None
            strides = (
                (1, 1) if not isinstance(layer, Window) or isinstance(layer, ConvTranspose) else layer.stride
            )
            times = _times(layer)
            reach *= max(times)
            if isinstance(layer, Window):
                reach += max(span(k, d) for k, d in zip(layer.kernel_size, layer.dilation, strict=True))
            reach = -(-reach // min(strides))
            steps = [_after(*each) for each in zip(steps, strides, times, strict=True)]
        return cls(reach + MARGIN, tuple(steps))

    @property
    def pixels(self) -> int:
        """The reach in input pixels."""
        return max(-(-self.reach * inputs // outputs) for inputs, outputs in self.steps)


def _times(layer: Layer) -> Sizes:
    """Return the factor by which a layer enlarges each axis."""
    if isinstance(layer, ConvTranspose):
        return layer.stride
    return tuple(map(int, layer.scale)) if isinstance(layer, Resize) and layer.scale is not None else (1, 1)


def _after(step: tuple[int, int], stride: int, times: int) -> tuple[int, int]:
    """Return the step after one more layer: the input shift is multiplied until the stride divides the output shift."""
    inputs, moved = step
    often = stride // gcd(moved, stride)
    return inputs * often, moved * often // stride * times


def shift_difference(
    run: Filter, x: Array, reach: int, steps: Sequence[tuple[int, int]] = ((1, 1), (1, 1))
) -> float | None:
    """Return the largest difference between filtering the shifted x and shifting the filtered x.

    It is 0 for every convolution, and for every pool whose windows are one stride apart: Goodfellow, Bengio &
    Courville, "Deep Learning" (2016), section 9.2.

    x : (C, H, W)
    reach : outputs closer to an edge than this, which depend on the padding, are left out
    steps : for each axis, the shift of x and the resulting shift of the output

    Return None if no outputs remain.
    """
    (down, after_down), (across, after_across) = steps
    y = run(x[:, :-down, :-across])
    moved = run(x[:, down:, across:])
    return _largest(y[:, after_down:, after_across:], moved[:, :-after_down, :-after_across], reach)


def rotation_difference(run: Filter, x: Array, reach: int) -> float | None:
    """Return the largest difference between filtering x rotated by 90 degrees and rotating the filtered x.

    It is 0 if the kernel does not change when it is rotated by 90 degrees, such as a Gaussian. Parameters and None as
    in `shift_difference`.
    """
    return _largest(np.rot90(run(x), axes=(1, 2)), run(np.rot90(x, axes=(1, 2)).copy()), reach)


def scaling_difference(run: Filter, x: Array, reach: int) -> float | None:
    """Return the largest difference between filtering x enlarged twice and enlarging the filtered x twice.

    It is 0 for kernels of one weight, and rarely for others: the size of the kernel in pixels stays the same.
    Enlarging repeats each pixel. Parameters and None as in `shift_difference`.
    """
    return _largest(_doubled(run(x)), run(_doubled(x)), 2 * reach)


def change_by_a_pixel(run: Filter, x: Array, reach: int) -> float | None:
    """Return the change of the outputs when x is shifted by one column, relative to their variation.

    This is the mean of |f(shifted x) - f(x)| divided by the mean of |f(x) - mean f(x)|. 0 is invariance; the change
    decreases with the width of a pool (Goodfellow, Bengio & Courville, "Deep Learning" (2016), section 9.3, figure
    9.8). Parameters and None as in `shift_difference`.
    """
    y, moved = run(x[:, :, :-1]), run(x[:, :, 1:])
    inside = tuple(slice(reach, n - reach) for n in y.shape[1:])
    if any(n <= 2 * reach for n in y.shape[1:]):
        return None
    y, moved = y[:, *inside], moved[:, *inside]
    variation = float(np.abs(y - y.mean(axis=(1, 2), keepdims=True)).mean())
    change = float(np.abs(moved - y).mean())
    return change / variation if variation else 0.0


def _doubled(x: Array) -> Array:
    return x.repeat(2, axis=1).repeat(2, axis=2)


def _largest(a: Array, b: Array, reach: int) -> float | None:
    inside = tuple(slice(reach, n - reach) for n in a.shape[1:])
    if a.shape != b.shape or any(n <= 2 * reach for n in a.shape[1:]):
        return None
    return float(np.abs(a[:, *inside] - b[:, *inside]).max())
