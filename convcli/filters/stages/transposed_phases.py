"""The phases of a transposed convolution: the sum of weights at each, and checkerboard patterns from unequal sums."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.filters.stages.linear_map import ROUNDING
from convcli.layers import ConvTranspose, Layer
from convcli.layers.axes import axis_names, by_axes
from convcli.layers.checkerboard import is_uneven, remedy

Array = NDArray[Any]


def even_total(layers: tuple[Layer, ...], matrices: list[Array]) -> float | None:
    """Return the sum of the weights of every output; None if outputs differ."""
    if not isinstance(layers[0], ConvTranspose):
        return float(matrices[0].sum())
    sums = _phase_sums(layers[0], matrices[0])
    even = sums.min() > 0 and np.ptp(sums) <= ROUNDING * sums.max()
    return float(sums.flat[0]) if even else None


def _phase_sums(layer: ConvTranspose, matrix: Array) -> Array:
    """Return the sum of the weights that contribute to an output, for each phase of the stride.

    On each axis, all phases that no tap reaches are counted as one.
    """
    axes = list(zip(matrix.shape, layer.dilation, layer.stride, strict=True))
    phases = [list(dict.fromkeys(t * d % s for t in range(k))) for k, d, s in axes]
    sums = np.zeros([min(s, len(reached) + 1) for reached, (_, _, s) in zip(phases, axes, strict=True)])
    for tap in np.ndindex(*matrix.shape):
        place = (reached.index(t * d % s) for t, reached, (_, d, s) in zip(tap, phases, axes, strict=True))
        sums[tuple(place)] += matrix[tap]
    return sums


def _even(layer: ConvTranspose) -> str:
    """Return the argument for a kernel that enlarges evenly by the stride, if there is one for equal strides."""
    if len(set(layer.stride)) > 1 or layer.stride[0] < 2:
        return ""
    return f"`kernel='bilinear:factor={layer.stride[0]}'`, or "


def checkerboard(layer: Layer, matrix: Array, divisor: float) -> tuple[str, ...]:
    """Return warnings about a checkerboard pattern in uniform areas, or about a change of their brightness."""
    assert isinstance(layer, ConvTranspose)
    sums = _phase_sums(layer, matrix) / divisor
    scale = np.abs(sums).max()
    if np.ptp(sums) > ROUNDING * scale:
        sides = zip(axis_names(layer.dims), layer.kernel_size, layer.stride, layer.dilation, strict=True)
        remedies = {remedy(k, s, d) for _, k, s, d in sides if is_uneven(k, s, d)}
        hint = "; ".join(sorted(remedies)) or f"take {_even(layer)}`variant='resize-conv'`"
        return (
            f"checkerboard: uniform areas get {sums.min():.3g} to {sums.max():.3g} of their brightness; {hint}",
        )
    if scale and abs(sums.flat[0] - 1) > 1e-3 and sums.flat[0] > 0:
        return (
            f"uniform areas get {sums.flat[0]:.3g} of their brightness, as each pixel is spread over "
            f"{by_axes(layer.stride)}; `scale={1 / sums.flat[0]:.4g}` keeps it",
        )
    return ()
