"""Kernels that depend on the position: tiled kernels, local weights, and spatially varying blurs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from convcli.errors import ArgumentError
from convcli.filters.stages.blend import Blend
from convcli.filters.stages.linear_map import ROUNDING
from convcli.filters.stages.stage import Weighted
from convcli.layers import LocalConv
from convcli.layers.axes import Shape, Sizes, by_axes
from convcli.layers.padding import SAME

if TYPE_CHECKING:
    from convcli.filters.recipe import Recipe

Array = NDArray[Any]


def tiled(recipe: Recipe, shape: Shape) -> Weighted:
    """Return the stage of kernels that alternate between output positions."""
    for kernel in recipe.kernels:
        recipe.check_axes(kernel, shape)
        kernel.check_linear(f"`variant={recipe.variant!r}`")
        if kernel.combine != "none":
            raise ArgumentError(
                f"`variant={recipe.variant!r}` takes kernels of one matrix, {kernel.name!r} has "
                f"{len(kernel.matrices)}; take one of its directions, such as {kernel.name}-x"
            )
        if kernel.anchor is not None and recipe.padding in SAME and recipe.stride not in (1, (1, 1)):
            raise ArgumentError(
                f"`variant={recipe.variant!r}` with `stride` cannot follow `anchor` with same padding; give `padding` "
                "as numbers"
            )
    arrays = [recipe.centred(kernel)[0] / kernel.divisor for kernel in recipe.kernels]
    size = tuple(max(array.shape[axis] for array in arrays) for axis in (0, 1))
    tile = recipe.tile or (1, len(arrays))
    on_picture = [_embedded(array, size, recipe.padding == "same-lower") for array in arrays]
    shifts = np.array([kernel.offset for kernel in recipe.kernels], float)
    layer: Any = recipe.layers(recipe.conv(1, 1, on_picture[0].shape), (1, *shape[1:]))[0]
    given: dict[str, Array] = {"weight": np.stack(on_picture).reshape(*tile, 1, 1, *on_picture[0].shape)}
    if shifts.any():
        given["bias"] = shifts.reshape(*tile, 1)
    layer = replace(layer, tile=tile, bias=bool(shifts.any()))
    sums = [float(array.sum()) for array in arrays]
    smoothing = all(kernel.is_smoothing for kernel in recipe.kernels) and np.ptp(sums) <= ROUNDING * sums[0]
    smoothing = smoothing and not shifts.any()
    linear = recipe.linear((layer,), [(given,)], each=True)
    return Weighted((linear,), (linear,), sums[0] if smoothing else None)


def _embedded(array: Array, size: Sizes, behind: bool) -> Array:
    """Pad a kernel with zeros to `size`, with its centre where padding `same` has it."""
    pads = []
    for n, side in zip(array.shape, size, strict=True):
        before = side // 2 - n // 2 if behind else (side - 1) // 2 - (n - 1) // 2
        pads.append((before, side - n - before))
    return np.pad(array, pads)


def local(recipe: Recipe, weight: Array, shape: Shape) -> Weighted:
    """Return the stage of local weights: (H', W', kh, kw) for every channel, or (O, H', W', C, kh, kw)."""
    given = weight.shape
    if weight.ndim == 4:
        weight = weight[np.newaxis, :, :, np.newaxis]
    each = weight.ndim == 6 and weight.shape[0] == weight.shape[3] == 1
    if weight.ndim != 6:
        raise ArgumentError(
            f"{recipe.weights_name} has shape {given}; local weights are "
            "(H', W', kh, kw), the same for every channel, or (O, H', W', C, kh, kw)"
        )
    outputs, inputs = (1, 1) if each else (len(weight), weight.shape[3])
    conv = recipe.conv(inputs, outputs, weight.shape[4:])
    seen = (1, *shape[1:]) if each else shape
    if inputs != seen[0]:
        raise ArgumentError(f"{recipe.weights_name} takes {inputs} channels, and the picture has {seen[0]}")
    layer = recipe.layers(conv, seen)[0]
    assert isinstance(layer, LocalConv)
    output = layer.output_size(shape[1:])
    if weight.shape[1:3] != output:
        raise ArgumentError(
            f"{recipe.weights_name} has weights for {by_axes(weight.shape[1:3])} positions, and the output has "
            f"{by_axes(output)}; local weights fit one size only"
        )
    if recipe.flip:
        weight = weight[..., ::-1, ::-1]
    linear = recipe.linear((layer,), [({"weight": weight},)], each)
    return Weighted((linear,), (linear,) if each else ())


def blended(recipe: Recipe, shape: Shape) -> Weighted:
    """Return the stage of a spatially varying blur."""
    assert recipe.widths is not None
    sigma, widths = recipe.widths
    blend = Blend.of(
        recipe.conv(1, 1, (1, 1)),
        shape[1:],
        sigma,
        widths,
        recipe.padding_mode,
        recipe.padding_value,
        recipe.limit,
    )
    return Weighted((blend,), (blend,), 1.0)
