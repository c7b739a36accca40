"""Run layers: each record of `convcli.layers` through the operator that computes it."""

from __future__ import annotations  # help() shows the annotations by name

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from convcli.backend.adaptive import adaptive_avg_pool, adaptive_max_pool
from convcli.backend.checks import Array, as_array, as_batch, check_shape
from convcli.backend.convolution import conv
from convcli.backend.deformable import deform_conv
from convcli.backend.elements import activation, batch_norm
from convcli.backend.interpolation import resize
from convcli.backend.linear import dense
from convcli.backend.parameters import parameter_shapes
from convcli.backend.pooling import avg_pool, lp_pool, max_pool
from convcli.backend.rearrange import channel_shuffle
from convcli.backend.transposed_conv import conv_transpose
from convcli.backend.unshared_conv import local_conv, tiled_conv
from convcli.errors import ArgumentError
from convcli.layers import (
    Activation,
    AdaptivePool,
    AvgPool,
    BatchNorm,
    Branch,
    ChannelShuffle,
    Conv,
    ConvTranspose,
    DeformConv,
    Dense,
    Flatten,
    GlobalPool,
    Layer,
    LocalConv,
    LpPool,
    MaxPool,
    Resize,
    TiledConv,
    Window,
)

Arguments = Mapping[str, Any]  # what an operator takes beyond its layer's fields, by the operator's own names


def run_layer(layer: Layer, x: ArrayLike, **arguments: Any) -> Array:
    """Run x through one layer.

    `arguments` are its arrays, of the shapes that `parameter_shapes` tells (`weight`, and `bias` where there is
    one; `gamma`, `beta`, `mean` and `var`; `offset` and `mask`), and its operator's options. x is (N, C,
    *spatial), or (C, *spatial) for a layer that knows how many axes it has.

    >>> import numpy as np
    >>> from convcli import Conv, backend
    >>> layer = Conv(in_channels=3, out_channels=8, kernel_size=3, stride=2, padding=1)
    >>> x, weight = np.zeros((1, 3, 32, 32)), np.zeros((8, 3, 3, 3))
    >>> backend.run_layer(layer, x, weight=weight, bias=np.ones(8)).shape
    (1, 8, 16, 16)
    """
    if type(layer) not in OPERATORS:
        raise ArgumentError(
            f"no operator runs the layer {type(layer).__name__}; these can be run: "
            f"{', '.join(known.__name__ for known in OPERATORS)}"
        )
    if isinstance(layer, Resize) and not layer.usual:
        raise ArgumentError(
            f"no operator resizes with coordinates {layer.coordinates} and rounding {layer.rounding} by {layer.mode}; "
            "only with those that the mode has by itself"
        )
    operator, fields = OPERATORS[type(layer)]
    x = as_array("x", x)
    layer.output_shape(_one_shape(layer, x))
    _check_arguments(layer, arguments)
    return operator(x, **{name: getattr(layer, name) for name in fields}, **arguments)


def run_chain(layers: Sequence[Layer], arguments: Sequence[Arguments], x: ArrayLike) -> Array:
    """Run x through layers one after the other, such as those of a variant.

    `arguments` holds one mapping for each layer, as `run_layer` takes them; x may be (C, *spatial) where the
    first layers know how many axes it has. What a Branch computes goes to the deformable convolution behind
    it: its offsets, and through a sigmoid its mask, if it has one.

    >>> import numpy as np
    >>> from convcli import VARIANTS, Conv, backend
    >>> layer = Conv(in_channels=3, out_channels=8, kernel_size=3, bias=False)
    >>> layers = VARIANTS["depthwise-separable"](layer)
    >>> weights = [{"weight": np.zeros((3, 1, 3, 3)), "method": "direct"}, {"weight": np.zeros((8, 3, 1, 1))}]
    >>> backend.run_chain(layers, weights, np.zeros((1, 3, 32, 32))).shape
    (1, 8, 30, 30)
    """
    if len(layers) != len(arguments):
        raise ArgumentError(
            f"{len(layers)} layers need {len(layers)} mappings of arguments, got {len(arguments)}; a layer "
            "without weights takes an empty one"
        )
    y = as_array("x", x)
    alone = y.ndim - 1 == next((axes for axes in map(_spatial_axes, layers) if axes is not None), None)
    beside: Array | None = None
    for layer, mine in zip(layers, arguments, strict=True):
        if beside is not None:
            mine = {**_moves(layer, beside), **mine}
            beside = None
        widened = alone and _spatial_axes(layer) is None  # it would take the channels for a batch
        found = run_layer(layer.inner, y[np.newaxis] if widened else y, **mine)
        found = found[0] if widened else found
        if isinstance(layer, Branch):
            beside = found
        else:
            y = found
    if beside is not None:
        raise ArgumentError(
            "a branch ends the chain; behind it stands the deformable convolution that it moves"
        )
    return y


def _spatial_axes(layer: Layer) -> int | None:
    """Return how many spatial axes a layer's input has; None for a layer that takes any number."""
    layer = layer.inner
    if isinstance(layer, Window):
        return layer.dims
    if isinstance(layer, Resize):
        return len(layer.scale or layer.size or ())
    if isinstance(layer, AdaptivePool):
        return len(layer.output_size)
    return 0 if isinstance(layer, Dense) else None


def _one_shape(layer: Layer, x: Array) -> tuple[int, ...]:
    """Return the shape (C, *spatial) of one input of the layer."""
    name = f"the layer {type(layer).__name__}"
    axes = _spatial_axes(layer)
    if axes:
        return as_batch(x, axes, name)[0].shape[1:]
    if x.ndim < (2 if axes is None else 1):
        raise ArgumentError(f"x has shape {x.shape}; {name} takes (N, C, *spatial)")
    return x.shape if axes == 0 and x.ndim == 1 else x.shape[1:]


def _check_arguments(layer: Layer, arguments: Arguments) -> None:
    """Refuse arrays that are missing, that do not fit the layer, or that it has none of."""
    name = f"the layer {type(layer).__name__}"
    fields = vars(layer)
    moved = [word for word in ("offset", "mask") if isinstance(layer, DeformConv) and fields.get(word, True)]
    shapes = parameter_shapes(layer)
    for word in (*shapes, *moved):
        if arguments.get(word) is None and word != "bias":
            raise ArgumentError(f"{name} needs {word}{f' of shape {shapes[word]}' if word in shapes else ''}")
    for word in ("bias", "mask"):
        if arguments.get(word) is not None and fields.get(word) is False:
            raise ArgumentError(f"{name} has no {word}, and one is given; make it with {word}=True")
    for word, shape in shapes.items():
        if arguments.get(word) is not None:
            check_shape(word, as_array(word, arguments[word]), shape, why="the layer")


def _moves(layer: Layer, predicted: Array) -> Arguments:
    """Divide what a branch predicted into the offsets of a deformable convolution and its mask."""
    if not isinstance(layer, DeformConv):
        raise ArgumentError(
            f"behind a branch stands the deformable convolution that it moves, not {type(layer).__name__}"
        )
    if not layer.mask:
        return {"offset": predicted}
    count = layer.offset_groups * prod(layer.kernel_size) * layer.dims
    offset, mask = np.split(predicted, [count], axis=predicted.ndim - layer.dims - 1)
    return {"offset": offset, "mask": activation(mask, "sigmoid")}


def _lp_pool(x: Array, norm_type: float, **options: Any) -> Array:
    return lp_pool(x, norm_type, **options)


def _conv_transpose(x: Array, weight: Array, *, out_size: Sequence[int] | None, **options: Any) -> Array:
    return conv_transpose(x, weight, **{"output_size": out_size, **options})


def _adaptive_pool(x: Array, kind: str, output_size: Sequence[int]) -> Array:
    return (adaptive_max_pool if kind == "max" else adaptive_avg_pool)(x, output_size)


def _global_pool(x: Array, kind: str) -> Array:
    y = _adaptive_pool(x.reshape(*x.shape[:2], prod(x.shape[2:])), kind, (1,))
    return y.reshape(*x.shape[:2], *(1 for _ in x.shape[2:]))


def _flatten(x: Array) -> Array:
    return x.reshape(len(x), prod(x.shape[1:])).copy()


_WINDOW = ("stride", "padding", "dilation")
_POOL = ("kernel_size", *_WINDOW, "ceil_mode")

# Each layer's operator, and which of the layer's fields it takes.
OPERATORS: dict[type[Layer], tuple[Callable[..., Array], tuple[str, ...]]] = {
    Conv: (conv, (*_WINDOW, "groups")),
    ConvTranspose: (_conv_transpose, (*_WINDOW, "output_padding", "groups", "out_size")),
    DeformConv: (deform_conv, (*_WINDOW, "groups", "offset_groups")),
    LocalConv: (local_conv, _WINDOW),
    TiledConv: (tiled_conv, _WINDOW),
    MaxPool: (max_pool, _POOL),
    AvgPool: (avg_pool, (*_POOL, "count_include_pad")),
    LpPool: (_lp_pool, (*_POOL, "norm_type")),
    AdaptivePool: (_adaptive_pool, ("output_size", "kind")),
    GlobalPool: (_global_pool, ("kind",)),
    Dense: (dense, ()),
    Activation: (activation, ("name",)),
    BatchNorm: (batch_norm, ()),
    ChannelShuffle: (channel_shuffle, ("groups",)),
    Resize: (resize, ("scale", "size", "mode")),
    Flatten: (_flatten, ()),
}
