"""Variants on pictures: the layers of `VARIANTS` with the arrays that kernels, weights and fields give them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.backend.stages.blend import Blend
from convcli.backend.stages.factored import Factored, factored, rank_of
from convcli.backend.stages.linear import Arrays, Linear
from convcli.backend.stages.offsets import Moves
from convcli.backend.stages.recipe import Recipe
from convcli.backend.stages.stage import Weighted
from convcli.errors import ArgumentError
from convcli.kernels import Kernel
from convcli.layers import (
    VARIANTS,
    Branch,
    Conv,
    ConvTranspose,
    DeformConv,
    Layer,
    LocalConv,
)
from convcli.layers.axes import Shape, Sizes, axis_names, by_axes, per_axis
from convcli.layers.checkerboard import is_uneven, remedy

Array = NDArray[Any]

# Variants that filter each channel on its own by a kernel: their channels are as many groups.
OWN_CHANNELS = ("depthwise", "separable", "dilated", "transposed", "resize-conv", "deformable")
ROUNDING = 1e-6  # of the largest: weights that differ by less are the same


def from_kernel(recipe: Recipe, kernel: Kernel, shape: Shape) -> Weighted:
    """Return the stage that a kernel is, as the recipe's variant has it, on an input (C, *spatial)."""
    _check_axes(kernel, shape)
    matrices = recipe.matrices(kernel)
    if recipe.variant == "separable":
        return _separable(recipe, kernel, matrices, shape)
    linear = {
        "standard": _summing,
        "grouped": _grouped,
        "shuffled-grouped": _grouped,
        "depthwise-separable": _depthwise_separable,
    }.get(recipe.variant, _own_channels)
    channels = shape[0]
    maps = tuple(linear(recipe, matrix, shape) for matrix in matrices)
    single: tuple[Linear, ...] = ()
    total: float | None = None
    notes: tuple[str, ...] = ()
    if recipe.variant in OWN_CHANNELS:
        one = (1, *shape[1:])
        single = maps if channels == 1 else tuple(linear(recipe, matrix, one) for matrix in matrices)
        total = _total(maps[0].layers, matrices) if kernel.is_smoothing else None
        if recipe.variant == "transposed":
            notes = _checkerboard(maps[0].layers[0], matrices[0], kernel.divisor)
    return Weighted(maps, single, total, kernel.combine, kernel.divisor, kernel.offset, notes)


def from_weights(recipe: Recipe, shape: Shape) -> Weighted:
    """Return the stage that an array of weights is, in the layout of its variant's layer."""
    assert recipe.weights is not None
    weight, channels = recipe.weights, shape[0]
    if recipe.variant == "local":
        return _local(recipe, weight, shape)
    dims = len(shape) - 1
    if weight.ndim != dims + 2:
        layout = "(C, O / groups, " if recipe.variant == "transposed" else "(O, C / groups, "
        raise ArgumentError(
            f"{recipe.weights_name} has shape {weight.shape}; --weights needs {dims + 2} axes, "
            f"{layout}{', '.join(('depth', 'height', 'width')[-dims:])})"
        )
    if recipe.variant == "depthwise" and weight.shape[:2] != (channels, 1):
        raise ArgumentError(
            f"{recipe.weights_name} has shape {weight.shape}; --variant depthwise has a kernel for each of the "
            f"{channels} channels: {(channels, 1, *weight.shape[2:])}"
        )
    turned = np.flip(weight, tuple(range(2, weight.ndim))) if recipe.flip else weight
    groups = channels if recipe.variant == "depthwise" else recipe.groups
    taken, made = (len(weight), weight.shape[1] * groups)
    if recipe.variant != "transposed":
        taken, made = made, taken
    if taken != channels or made % groups or channels % groups:
        axis = 0 if recipe.variant == "transposed" else 1
        needed = channels if axis == 0 else channels // groups if channels % groups == 0 else "?"
        among = f" in {groups} groups" if groups > 1 else ""
        raise ArgumentError(
            f"{recipe.weights_name} has shape {weight.shape}; on {channels} channels{among} "
            f"--variant {recipe.variant} needs {needed} on its {('first', 'second')[axis]} axis"
            + (f", and a first one that {groups} divides" if groups > 1 else "")
        )
    if recipe.bias is not None and recipe.bias.shape != (made,):
        raise ArgumentError(f"--bias-file has shape {recipe.bias.shape}; {made} maps need {(made,)}")
    conv = recipe.conv(channels, made, weight.shape[2:], groups)
    layers = _layers(recipe, conv, shape)
    arrays = _with_offsets(recipe, layers, turned, shape)
    if recipe.bias is not None:
        arrays = tuple({**given, "bias": recipe.bias} if given else given for given in arrays)
    return Weighted((_linear(recipe, layers, (arrays,)),))


def from_kernels(recipe: Recipe, shape: Shape) -> Weighted:
    """Return the stage of a variant that is not made of one kernel."""
    make = {"pointwise": _pointwise, "tiled": _tiled, "local": _blended}[recipe.variant]
    return make(recipe, shape)


def _check_axes(kernel: Kernel, shape: Shape) -> None:
    axes, dims = len(np.shape(kernel.matrices[0])), len(shape) - 1
    if axes != dims:
        raise ArgumentError(f"kernel {kernel.name!r} has {axes} axes, and the picture {dims}; see --dims")


def _linear(
    recipe: Recipe, layers: tuple[Layer, ...], terms: Sequence[tuple[Arrays, ...]], each: bool = False
) -> Linear:
    return Linear(layers, tuple(terms), recipe.padding_mode, recipe.padding_value, recipe.method, each)


def _layers(recipe: Recipe, conv: Conv, shape: Shape) -> tuple[Layer, ...]:
    """Return the variant's layers that run: without the branch that would predict offsets, which are given."""
    layers = tuple(layer for layer in VARIANTS[recipe.variant](conv, shape) if not isinstance(layer, Branch))
    if recipe.output_padding:
        layers = tuple(
            replace(layer, output_padding=per_axis("output_padding", recipe.output_padding, conv.dims, 0))
            if isinstance(layer, ConvTranspose)
            else layer
            for layer in layers
        )
    return layers


def _with_offsets(
    recipe: Recipe, layers: tuple[Layer, ...], weight: Array, shape: Shape
) -> tuple[Arrays, ...]:
    """Give the layer that has weights its own, and a deformable one its offsets."""
    found: list[Arrays] = []
    for layer in layers:
        if isinstance(layer, DeformConv):
            assert recipe.offsets is not None
            found.append({"weight": weight, "offset": Moves.of(layer, recipe.offsets, shape[1:])})
        else:
            found.append({"weight": weight} if layer.weights() else {})
    return tuple(found)


def _own_channels(recipe: Recipe, matrix: Array, shape: Shape) -> Linear:
    """Filter each channel on its own, by the same matrix."""
    channels = shape[0]
    conv = recipe.conv(channels, channels, matrix.shape, channels)
    layers = _layers(recipe, conv, shape)
    weight = np.broadcast_to(matrix, (channels, 1, *matrix.shape))
    return _linear(recipe, layers, [_with_offsets(recipe, layers, weight, shape)])


def _summing(recipe: Recipe, matrix: Array, shape: Shape) -> Linear:
    """Sum all channels, each filtered by the same matrix, into one map."""
    layers = _layers(recipe, recipe.conv(shape[0], 1, matrix.shape), shape)
    return _linear(recipe, layers, [({"weight": np.broadcast_to(matrix, (1, shape[0], *matrix.shape))},)])


def _grouped(recipe: Recipe, matrix: Array, shape: Shape) -> Linear:
    """Sum the channels of each group, and give each of its outputs that sum."""
    channels = shape[0]
    layers = _layers(recipe, recipe.conv(channels, channels, matrix.shape, recipe.groups), shape)
    first = layers[0]
    assert isinstance(first, Conv)
    weight = np.broadcast_to(matrix, (channels, channels // first.groups, *matrix.shape))
    return _linear(recipe, layers, [tuple({"weight": weight} if layer.weights() else {} for layer in layers)])


def _mixing(recipe: Recipe, shape: Shape) -> Array:
    """Return the matrix that mixes the channels, or raise ArgumentError where it takes others."""
    assert recipe.mixing is not None
    if recipe.mixing.shape[1] != shape[0]:
        raise ArgumentError(
            f"--pointwise has a matrix of {by_axes(recipe.mixing.shape)}, outputs x inputs, and the picture has "
            f"{shape[0]} channels; give one with {shape[0]} columns"
        )
    if recipe.bias is not None and recipe.bias.shape != (len(recipe.mixing),):
        raise ArgumentError(
            f"--bias-file has shape {recipe.bias.shape}; {len(recipe.mixing)} maps need {(len(recipe.mixing),)}"
        )
    return recipe.mixing


def _pointwise(recipe: Recipe, shape: Shape) -> Weighted:
    mixing = _mixing(recipe, shape)
    ones = (1,) * (len(shape) - 1)
    layers = _layers(recipe, recipe.conv(shape[0], len(mixing), ones), shape)
    return Weighted((_linear(recipe, layers, [(_mixed(recipe, mixing, ones),)]),))


def _mixed(recipe: Recipe, mixing: Array, ones: Sizes) -> Arrays:
    arrays = {"weight": mixing.reshape(*mixing.shape, *ones)}
    return arrays if recipe.bias is None else {**arrays, "bias": recipe.bias}


def _depthwise_separable(recipe: Recipe, matrix: Array, shape: Shape) -> Linear:
    """Filter each channel by the matrix, then mix them."""
    mixing = _mixing(recipe, shape)
    layers = _layers(recipe, recipe.conv(shape[0], len(mixing), matrix.shape), shape)
    weight = np.broadcast_to(matrix, (shape[0], 1, *matrix.shape))
    return _linear(recipe, layers, [({"weight": weight}, _mixed(recipe, mixing, (1,) * matrix.ndim))])


def _separable(recipe: Recipe, kernel: Kernel, matrices: list[Array], shape: Shape) -> Weighted:
    """Take one pass down and one across for each term of each matrix."""
    if matrices[0].ndim != 2:
        raise ArgumentError("--variant separable takes kernels of rows and columns; leave --dims at 2")
    ranks = [rank_of(matrix) for matrix in matrices]
    if recipe.rank is not None and recipe.rank > max(ranks):
        raise ArgumentError(
            f"--rank {recipe.rank} is more than the kernel {kernel.name!r} has; its rank is {max(ranks)}, give at "
            "most that"
        )
    found = [factored(matrix, recipe.rank, kernel.name) for matrix in matrices]

    def linear(part: Factored, channels: int) -> Linear:
        size = (len(part.terms[0][0]), len(part.terms[0][1]))
        layers = _layers(recipe, recipe.conv(channels, channels, size, channels), shape)
        terms = [
            (
                {"weight": np.broadcast_to(down.reshape(-1, 1), (channels, 1, len(down), 1))},
                {"weight": np.broadcast_to(across, (channels, 1, 1, len(across)))},
            )
            for down, across in part.terms
        ]
        return _linear(recipe, layers, terms)

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
    )


def _approximation(part: Factored, divisor: float, full_scale: float) -> str:
    worst = part.worst / abs(divisor) * full_scale
    return (
        f"rank {len(part.terms)} of {part.rank}: a relative error of {part.relative:.2g} (Frobenius), at most "
        f"{worst:.3g} of {full_scale:g} in a sample"
    )


def _total(layers: tuple[Layer, ...], matrices: list[Array]) -> float | None:
    """Return what the weights of every output sum to; None where outputs differ."""
    if not isinstance(layers[0], ConvTranspose):
        return float(matrices[0].sum())
    sums = _phase_sums(layers[0], matrices[0])
    even = sums.min() > 0 and np.ptp(sums) <= ROUNDING * sums.max()
    return float(sums.flat[0]) if even else None


def _phase_sums(layer: ConvTranspose, matrix: Array) -> Array:
    """Return the sum of the weights that meet in an output, for each of the outputs that take turns."""
    sums = np.zeros(layer.stride)
    for tap in np.ndindex(*matrix.shape):
        place = tuple(t * d % s for t, d, s in zip(tap, layer.dilation, layer.stride, strict=True))
        sums[place] += matrix[tap]
    return sums


def _checkerboard(layer: Layer, matrix: Array, divisor: float) -> tuple[str, ...]:
    """Warn of a pattern that a transposed convolution paints on plain areas, and of another brightness."""
    assert isinstance(layer, ConvTranspose)
    sums = _phase_sums(layer, matrix) / divisor
    scale = np.abs(sums).max()
    if np.ptp(sums) > ROUNDING * scale:
        sides = zip(axis_names(layer.dims), layer.kernel_size, layer.stride, layer.dilation, strict=True)
        ways = {remedy(k, s, d) for _, k, s, d in sides if is_uneven(k, s, d)}
        way = "; ".join(sorted(ways)) or "take --kernel bilinear or nearest, or --variant resize-conv"
        return (
            f"checkerboard: plain areas get {sums.min():.3g} to {sums.max():.3g} of their brightness; {way}",
        )
    if scale and abs(sums.flat[0] - 1) > 1e-3 and sums.flat[0] > 0:
        return (
            f"plain areas get {sums.flat[0]:.3g} of their brightness, as each pixel is spread over "
            f"{by_axes(layer.stride)}; --scale {1 / sums.flat[0]:.4g} keeps it",
        )
    return ()


def _tiled(recipe: Recipe, shape: Shape) -> Weighted:
    """Let several kernels take turns from place to place."""
    if len(shape) != 3:
        raise ArgumentError("--variant tiled lays its kernels over rows and columns; leave --dims at 2")
    for kernel in recipe.kernels:
        _check_axes(kernel, shape)
        if kernel.combine != "none":
            raise ArgumentError(
                f"--variant tiled takes kernels of one matrix, {kernel.name!r} has {len(kernel.matrices)}; take "
                f"one of its directions, such as {kernel.name}-x"
            )
    arrays = [recipe.matrices(kernel)[0] / kernel.divisor for kernel in recipe.kernels]
    size = tuple(max(array.shape[axis] for array in arrays) for axis in (0, 1))
    tile = recipe.tile or (1, len(arrays))
    laid = [_embedded(array, size, recipe.padding == "same-lower") for array in arrays]
    shifts = np.array([kernel.offset for kernel in recipe.kernels], float)
    layer: Any = _layers(recipe, recipe.conv(1, 1, laid[0].shape), (1, *shape[1:]))[0]
    given: dict[str, Array] = {"weight": np.stack(laid).reshape(*tile, 1, 1, *laid[0].shape)}
    if shifts.any():
        given["bias"] = shifts.reshape(*tile, 1)
    layer = replace(layer, tile=tile, bias=bool(shifts.any()))
    sums = [float(array.sum()) for array in arrays]
    smoothing = all(kernel.is_smoothing for kernel in recipe.kernels) and np.ptp(sums) <= ROUNDING * sums[0]
    smoothing = smoothing and not shifts.any()
    linear = _linear(recipe, (layer,), [(given,)], each=True)
    return Weighted((linear,), (linear,), sums[0] if smoothing else None)


def _embedded(array: Array, size: Sizes, behind: bool) -> Array:
    """Put zeros around a kernel so that it is of `size`, its middle where padding `same` has it."""
    pads = []
    for n, side in zip(array.shape, size, strict=True):
        before = side // 2 - n // 2 if behind else (side - 1) // 2 - (n - 1) // 2
        pads.append((before, side - n - before))
    return np.pad(array, pads)


def _local(recipe: Recipe, weight: Array, shape: Shape) -> Weighted:
    """Give each place its own weights: (H', W', kh, kw) for every channel, or (O, H', W', C, kh, kw)."""
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
    layer = _layers(recipe, conv, seen)[0]
    assert isinstance(layer, LocalConv)
    output = layer.output_size(shape[1:])
    if weight.shape[1:3] != output:
        raise ArgumentError(
            f"{recipe.weights_name} has weights for {by_axes(weight.shape[1:3])} places, and the output has "
            f"{by_axes(output)}; local weights fit one size only"
        )
    if recipe.flip:
        weight = weight[..., ::-1, ::-1]
    linear = _linear(recipe, (layer,), [({"weight": weight},)], each)
    return Weighted((linear,), (linear,) if each else ())


def _blended(recipe: Recipe, shape: Shape) -> Weighted:
    """Blur each place by its own width."""
    if len(shape) != 3:
        raise ArgumentError("--variant local varies over rows and columns; leave --dims at 2")
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
