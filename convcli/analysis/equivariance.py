"""Equivariance: whether filtering a picture that was moved, turned or enlarged is moving the filtered one so.

And invariance: whether it changes the filtered one at all.
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
Filter = Callable[[Array], Array]  # of (C, H, W), any H and W

MARGIN = 4  # outputs more than see the border: what is doubled, or moved, has it elsewhere


class Motion(NamedTuple):
    """How the outputs of layers move with their input.

    reach : how many outputs from an edge may see what lies beyond it
    steps : for each axis how many inputs it takes to move the outputs by a whole number, and by how many they move
    """

    reach: int
    steps: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, layers: Iterable[Layer]) -> "Motion | None":
        """Return the motion of layers one after the other, None where their windows follow the size of the input."""
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
        """How many inputs from an edge the outputs lie that may see what lies beyond it."""
        return max(-(-self.reach * inputs // outputs) for inputs, outputs in self.steps)


def _times(layer: Layer) -> Sizes:
    """Return how many times as large a layer makes each axis."""
    if isinstance(layer, ConvTranspose):
        return layer.stride
    return tuple(map(int, layer.scale)) if isinstance(layer, Resize) and layer.scale is not None else (1, 1)


def _after(step: tuple[int, int], stride: int, times: int) -> tuple[int, int]:
    """Return the step after one more layer: as often as its stride divides how far the outputs before it move."""
    inputs, moved = step
    often = stride // gcd(moved, stride)
    return inputs * often, moved * often // stride * times


def shift_difference(
    run: Filter, x: Array, reach: int, steps: Sequence[tuple[int, int]] = ((1, 1), (1, 1))
) -> float | None:
    """Return the largest difference between the filter of x moved along rows and columns, and x filtered and moved.

    It is 0 for every convolution, and every pool whose windows lie a stride apart: Goodfellow, Bengio & Courville,
    "Deep Learning" (2016), section 9.2. `steps` tells for each axis by how many inputs x is moved, and by how many
    outputs that moves what is made of it. Outputs nearer than `reach` to an edge, which see the border, are left out,
    here and below; None where no others are left.
    """
    (down, after_down), (across, after_across) = steps
    y = run(x[:, :-down, :-across])
    moved = run(x[:, down:, across:])
    return _largest(y[:, after_down:, after_across:], moved[:, :-after_down, :-after_across], reach)


def rotation_difference(run: Filter, x: Array, reach: int) -> float | None:
    """Return the largest difference between the filter of x turned by 90 degrees, and x filtered and turned.

    It is 0 where the kernel turned by 90 degrees is itself, such as a Gaussian, and not in general.
    """
    return _largest(np.rot90(run(x), axes=(1, 2)), run(np.rot90(x, axes=(1, 2)).copy()), reach)


def scaling_difference(run: Filter, x: Array, reach: int) -> float | None:
    """Return the largest difference between the filter of x with every pixel doubled, and x filtered and doubled.

    It is 0 for kernels of one tap, and hardly for others: their reach in pixels stays the same.
    """
    return _largest(_doubled(run(x)), run(_doubled(x)), 2 * reach)


def change_by_a_pixel(run: Filter, x: Array, reach: int) -> float | None:
    """Return how much the outputs change when x moves by a pixel across, as a share of how much they vary.

    The mean of |f(moved x) - f(x)| over the mean of |f(x) - its mean|: 0 is invariance, and it falls with the width of
    a pool (Goodfellow, Bengio & Courville, "Deep Learning" (2016), section 9.3, figure 9.8).
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
