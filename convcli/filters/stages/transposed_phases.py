"""The outputs of a transposed convolution that take turns: what each gets, and the pattern that paints."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.filters.stages.linear_map import ROUNDING
from convcli.layers import ConvTranspose, Layer
from convcli.layers.axes import axis_names, by_axes
from convcli.layers.checkerboard import is_uneven, remedy

Array = NDArray[Any]


def even_total(layers: tuple[Layer, ...], matrices: list[Array]) -> float | None:
    """Return what the weights of every output sum to; None where outputs differ."""
    if not isinstance(layers[0], ConvTranspose):
        return float(matrices[0].sum())
    sums = _phase_sums(layers[0], matrices[0])
    even = sums.min() > 0 and np.ptp(sums) <= ROUNDING * sums.max()
    return float(sums.flat[0]) if even else None


def _phase_sums(layer: ConvTranspose, matrix: Array) -> Array:
    """Return the sum of the weights that meet in an output, for each of the outputs that take turns.

    On each axis those that no tap reaches are one, however many they are.
    """
    axes = list(zip(matrix.shape, layer.dilation, layer.stride, strict=True))
    turns = [list(dict.fromkeys(t * d % s for t in range(k))) for k, d, s in axes]
    sums = np.zeros([min(s, len(reached) + 1) for reached, (_, _, s) in zip(turns, axes, strict=True)])
    for tap in np.ndindex(*matrix.shape):
        place = (reached.index(t * d % s) for t, reached, (_, d, s) in zip(tap, turns, axes, strict=True))
        sums[tuple(place)] += matrix[tap]
    return sums


def _even(layer: ConvTranspose) -> str:
    """Name a kernel that enlarges evenly by the stride, where there is one: the same on both axes."""
    if len(set(layer.stride)) > 1 or layer.stride[0] < 2:
        return ""
    return f"`kernel='bilinear:factor={layer.stride[0]}'`, or "


def checkerboard(layer: Layer, matrix: Array, divisor: float) -> tuple[str, ...]:
    """Warn of a pattern that a transposed convolution paints on plain areas, and of another brightness."""
    assert isinstance(layer, ConvTranspose)
    sums = _phase_sums(layer, matrix) / divisor
    scale = np.abs(sums).max()
    if np.ptp(sums) > ROUNDING * scale:
        sides = zip(axis_names(layer.dims), layer.kernel_size, layer.stride, layer.dilation, strict=True)
        ways = {remedy(k, s, d) for _, k, s, d in sides if is_uneven(k, s, d)}
        way = "; ".join(sorted(ways)) or f"take {_even(layer)}`variant='resize-conv'`"
        return (
            f"checkerboard: plain areas get {sums.min():.3g} to {sums.max():.3g} of their brightness; {way}",
        )
    if scale and abs(sums.flat[0] - 1) > 1e-3 and sums.flat[0] > 0:
        return (
            f"plain areas get {sums.flat[0]:.3g} of their brightness, as each pixel is spread over "
            f"{by_axes(layer.stride)}; `scale={1 / sums.flat[0]:.4g}` keeps it",
        )
    return ()
