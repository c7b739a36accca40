"""Build the stages of each variant: the layers of `VARIANTS` with the arrays of kernels, weights and fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from convcli.backend.algorithms.separable import rank_of
from convcli.backend.conv_layer import rotated
from convcli.errors import ArgumentError
from convcli.filters.stages.linear_map import ROUNDING, Linear
from convcli.filters.stages.offsets import Moves
from convcli.filters.stages.stage import Weighted
from convcli.filters.stages.transposed_phases import checkerboard, even_total
from convcli.filters.tiles.layer_sources import Arrays
from convcli.kernels import Kernel
from convcli.layers import (
    Conv,
    DeformConv,
    Layer,
)
from convcli.layers.axes import Shape, Sizes, by_axes
from convcli.layers.variant_spec import Weighing

if TYPE_CHECKING:
    from convcli.filters.recipe import Recipe
    from convcli.filters.stages.factored import Factored

Array = NDArray[Any]

LEVELS = 255  # of 8 bits, in which thresholds are given


def from_kernel(recipe: Recipe, kernel: Kernel, shape: Shape) -> Weighted:
    """Return the stage of one kernel in the recipe's variant, for an input (C, *spatial)."""
    recipe.check_axes(kernel, shape)
    recipe, matrices, anchor = recipe.anchored(kernel, shape)
    weighing = recipe.spec.weighing
    if weighing == "factors":
        return _separable(recipe, kernel, matrices, shape, anchor)
    assert weighing is not None
    linear, channels = OF_KERNEL[weighing], shape[0]
    maps = tuple(replace(linear(recipe, matrix, shape), anchor=anchor) for matrix in matrices)
    single: tuple[Linear, ...] = ()
    total: float | None = None
    notes: tuple[str, ...] = ()
    if weighing == "each":
        one = (1, *shape[1:])
        single = maps if channels == 1 else tuple(linear(recipe, matrix, one) for matrix in matrices)
        total = even_total(maps[0].layers, matrices) if kernel.is_smoothing else None
        if recipe.spec.sizes == "transposed":
            notes = checkerboard(maps[0].layers[0], matrices[0], kernel.divisor)
    threshold = _threshold(recipe, kernel)
    return Weighted(
        maps, single, total, kernel.combine, kernel.divisor, kernel.offset, notes, threshold=threshold
    )


def _threshold(recipe: Recipe, kernel: Kernel) -> float:
    """Return a kernel's threshold in the units of the picture, in which white is `full_scale`."""
    return kernel.gain * kernel.threshold / LEVELS * recipe.full_scale if kernel.threshold else 0.0


def from_weights(recipe: Recipe, shape: Shape) -> Weighted:
    """Return the stage of an array of weights, in the layout of the variant's layer."""
    assert recipe.weights is not None
    weight, channels = recipe.weights, shape[0]
    recipe = recipe.on_channels(channels)
    if recipe.spec.weighing == "places":
        from convcli.filters.stages.kernels_by_place import local

        return local(recipe, weight, shape)
    dims, is_transposed = len(shape) - 1, recipe.spec.sizes == "transposed"
    if weight.ndim != dims + 2:
        layout = "(C, O / groups, " if is_transposed else "(O, C / groups, "
        raise ArgumentError(
            f"{recipe.weights_name} has shape {weight.shape}; `weights` needs {dims + 2} axes, "
            f"{layout}{', '.join(('depth', 'height', 'width')[-dims:])})"
            + ("; run one kernel with `kernel`" if weight.ndim == dims else "")
        )
    if recipe.spec.per_channel and weight.shape[:2] != (channels, 1):
        raise ArgumentError(
            f"{recipe.weights_name} has shape {weight.shape}; `variant={recipe.variant!r}` has a kernel for each of "
            f"the {channels} channels: {(channels, 1, *weight.shape[2:])}"
        )
    groups = channels if recipe.spec.per_channel else recipe.groups
    taken, made = (len(weight), weight.shape[1] * groups)
    if not is_transposed:
        taken, made = made, taken
    if channels % groups:
        raise ArgumentError(f"{channels} channels cannot be divided into `groups={groups}` equal groups")
    if taken != channels or made % groups:
        axis = 0 if is_transposed else 1
        needed = channels if axis == 0 else channels // groups
        among = f" in {groups} groups" if groups > 1 else ""
        raise ArgumentError(
            f"{recipe.weights_name} has shape {weight.shape}; on {channels} channels{among} "
            f"`variant={recipe.variant!r}` needs {needed} on its {('first', 'second')[axis]} axis"
            + (f", and a first axis that is a multiple of {groups}" if groups > 1 else "")
            + _way_out(recipe, weight.shape[:2], channels)
        )
    if recipe.bias is not None and recipe.bias.shape != (made,):
        raise ArgumentError(f"`bias` has shape {recipe.bias.shape}; {made} maps need {(made,)}")
    conv = recipe.conv(channels, made, weight.shape[2:], groups)
    layers = recipe.layers(conv, shape)
    arrays = _with_offsets(recipe, layers, rotated(weight) if recipe.flip else weight, shape)
    if recipe.bias is not None:
        arrays = tuple({**given, "bias": recipe.bias} if given else given for given in arrays)
    return Weighted((recipe.linear(layers, (arrays,)),))


def _way_out(recipe: Recipe, axes: Sequence[int], channels: int) -> str:
    """Return the end of an error about the first axes of a layer's weights: what these weights run on, if anything."""
    if recipe.groups > 1 or recipe.spec.sizes == "transposed":
        return ""
    made, taken = axes
    if (made, taken) == (channels, 1):
        return "; leave out `variant` to run a kernel on each channel"
    groups = channels // taken
    ways = ["convert the picture to grey with `gray=True`"] if taken == 1 else []
    if recipe.infers_variant and groups * taken == channels and made % groups == 0:
        ways.append(f"run {groups} groups of channels with `groups={groups}`")
    return f"; {', or '.join(ways)}" if ways else ""


def from_kernels(recipe: Recipe, shape: Shape) -> Weighted:
    """Return the stage of a variant that takes all kernels at once, or none."""
    weighing = recipe.spec.weighing
    assert weighing is not None
    return OF_KERNELS[weighing](recipe, shape)


def _with_offsets(
    recipe: Recipe, layers: tuple[Layer, ...], weight: Array, shape: Shape
) -> tuple[Arrays, ...]:
    """Return the arrays of each layer: its weights, and the offsets of a deformable layer."""
    found: list[Arrays] = []
    for layer in layers:
        if isinstance(layer, DeformConv):
            assert recipe.offsets is not None
            found.append({"weight": weight, "offset": Moves.of(layer, recipe.offsets, shape[1:])})
        else:
            found.append({"weight": weight} if layer.weights() else {})
    return tuple(found)


def _own_channels(recipe: Recipe, matrix: Array, shape: Shape) -> Linear:
    """Filter each channel separately with the same matrix."""
    channels = shape[0]
    conv = recipe.conv(channels, channels, matrix.shape, channels)
    layers = recipe.layers(conv, shape)
    if sum(layer.weights() > 0 for layer in layers) != 1:
        raise ValueError(
            f"a kernel gives the weights of one layer, but {recipe.variant} has several with weights: {layers}"
        )
    weight = np.broadcast_to(matrix, (channels, 1, *matrix.shape))
    return recipe.linear(layers, [_with_offsets(recipe, layers, weight, shape)])


def _summing(recipe: Recipe, matrix: Array, shape: Shape) -> Linear:
    """Sum all channels, each filtered with the same matrix, into one map."""
    layers = recipe.layers(recipe.conv(shape[0], 1, matrix.shape), shape)
    return recipe.linear(layers, [({"weight": np.broadcast_to(matrix, (1, shape[0], *matrix.shape))},)])


def _grouped(recipe: Recipe, matrix: Array, shape: Shape) -> Linear:
    """Sum the filtered channels of each group; each output of the group is that sum."""
    channels = shape[0]
    layers = recipe.layers(recipe.conv(channels, channels, matrix.shape, recipe.groups), shape)
    first = layers[0]
    assert isinstance(first, Conv)
    weight = np.broadcast_to(matrix, (channels, channels // first.groups, *matrix.shape))
    return recipe.linear(layers, [tuple({"weight": weight} if layer.weights() else {} for layer in layers)])


def _mixing(recipe: Recipe, shape: Shape) -> Array:
    """Return the matrix that mixes the channels, or raise ArgumentError if it has another number of columns."""
    assert recipe.mixing is not None
    if recipe.mixing.shape[1] != shape[0]:
        raise ArgumentError(
            f"`pointwise` has a matrix of {by_axes(recipe.mixing.shape)}, outputs x inputs, and the picture has "
            f"{shape[0]} channels; give one with {shape[0]} columns"
        )
    if recipe.bias is not None and recipe.bias.shape != (len(recipe.mixing),):
        raise ArgumentError(
            f"`bias` has shape {recipe.bias.shape}; {len(recipe.mixing)} maps need {(len(recipe.mixing),)}"
        )
    return recipe.mixing


def _pointwise(recipe: Recipe, shape: Shape) -> Weighted:
    mixing = _mixing(recipe, shape)
    ones = (1,) * (len(shape) - 1)
    layers = recipe.layers(recipe.conv(shape[0], len(mixing), ones), shape)
    return Weighted((recipe.linear(layers, [(_mixed(recipe, mixing, ones),)]),))


def _mixed(recipe: Recipe, mixing: Array, ones: Sizes) -> Arrays:
    arrays = {"weight": mixing.reshape(*mixing.shape, *ones)}
    return arrays if recipe.bias is None else {**arrays, "bias": recipe.bias}


def _depthwise_separable(recipe: Recipe, matrix: Array, shape: Shape) -> Linear:
    """Filter each channel with the matrix, then mix the channels."""
    mixing = _mixing(recipe, shape)
    layers = recipe.layers(recipe.conv(shape[0], len(mixing), matrix.shape), shape)
    weight = np.broadcast_to(matrix, (shape[0], 1, *matrix.shape))
    return recipe.linear(layers, [({"weight": weight}, _mixed(recipe, mixing, (1,) * matrix.ndim))])


def _tiled(recipe: Recipe, shape: Shape) -> Weighted:
    from convcli.filters.stages.kernels_by_place import tiled

    return tiled(recipe, shape)


def _blended(recipe: Recipe, shape: Shape) -> Weighted:
    from convcli.filters.stages.kernels_by_place import blended

    return blended(recipe, shape)


# How the layers and arrays of a variant are built: from one matrix of a kernel, or from all kernels at once.
OF_KERNEL: Mapping[Weighing, Callable[[Recipe, Array, Shape], Linear]] = {
    "each": _own_channels,
    "sum": _summing,
    "groups": _grouped,
    "each-then-mix": _depthwise_separable,
}
OF_KERNELS: Mapping[Weighing, Callable[[Recipe, Shape], Weighted]] = {
    "mix": _pointwise,
    "turns": _tiled,
    "places": _blended,
}


def _separable(
    recipe: Recipe, kernel: Kernel, matrices: list[Array], shape: Shape, anchor: Sizes | None
) -> Weighted:
    """Build one vertical and one horizontal pass for each term of each matrix."""
    from convcli.filters.stages.factored import factored

    most = max(1, *map(rank_of, matrices))
    if recipe.rank is not None and recipe.rank > most:
        raise ArgumentError(
            f"`rank={recipe.rank}` is above the rank of the kernel {kernel.name!r}, {most}; give at most {most}"
        )
    found = [factored(matrix, recipe.rank, kernel.name) for matrix in matrices]

    def linear(part: Factored, channels: int) -> Linear:
        size = (len(part.terms[0][0]), len(part.terms[0][1]))
        layers = recipe.layers(recipe.conv(channels, channels, size, channels), shape)
        terms = [
            (
                {"weight": np.broadcast_to(down.reshape(-1, 1), (channels, 1, len(down), 1))},
                {"weight": np.broadcast_to(across, (channels, 1, 1, len(across)))},
            )
            for down, across in part.terms
        ]
        return replace(recipe.linear(layers, terms), anchor=anchor)

    maps = tuple(linear(part, shape[0]) for part in found)
    made = [matrix - part.residual for matrix, part in zip(matrices, found, strict=True)]
    smoothing = kernel.is_smoothing and float(made[0].min()) >= -ROUNDING * float(made[0].max())
    notes = tuple(_approximation(part, kernel.divisor, recipe.full_scale) for part in found if part.relative)
    return Weighted(
        maps,
        tuple(linear(part, 1) for part in found),
        float(made[0].sum()) if smoothing else None,
        kernel.combine,
        kernel.divisor,
        kernel.offset,
        tuple(dict.fromkeys(notes)),
        threshold=_threshold(recipe, kernel),
    )


def _approximation(part: Factored, divisor: float, full_scale: float) -> str:
    worst = part.worst / abs(divisor) * full_scale
    return (
        f"rank {len(part.terms)} of {part.rank}: a relative error of {part.relative:.2g} (Frobenius), at most "
        f"{worst:.3g} of {full_scale:g} in a sample"
    )
