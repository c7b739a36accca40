"""Run layers: each record of `convcli.layers` with the operator that computes it."""

from __future__ import annotations  # help() shows the annotations by name

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from convcli.backend.checks import Array, as_array, as_batch, check_shape
from convcli.backend.elements import activation
from convcli.backend.layer_operators import OPERATORS
from convcli.backend.parameters import parameter_shapes
from convcli.errors import ArgumentError
from convcli.layers import Activation, AdaptivePool, Branch, DeformConv, Dense, Layer, Resize, Window
from convcli.layers.tensor_layer import TensorLayer

Arguments = Mapping[str, Any]  # an operator's arguments besides its layer's fields, by its own names


def run_layer(layer: Layer, *inputs: ArrayLike, **arguments: Any) -> Any:
    """Run a layer on its inputs; return its output, or a tuple of outputs for a split.

    `arguments` are the layer's arrays, with the shapes that `parameter_shapes` returns (`weight`, and `bias` if there
    is one; `gamma`, `beta`, `mean` and `var`; `offset` and `mask`), and options of its operator. An input is (N, C,
    *spatial), or (C, *spatial) for a layer with a known number of axes.

    >>> import numpy as np
    >>> from convcli import Conv, backend
    >>> layer = Conv(in_channels=3, out_channels=8, kernel_size=3, stride=2, padding=1)
    >>> x, weight = np.zeros((1, 3, 32, 32)), np.zeros((8, 3, 3, 3))
    >>> backend.run_layer(layer, x, weight=weight, bias=np.ones(8)).shape
    (1, 8, 16, 16)
    """
    operator, fields = operator_of(layer)
    arrays = [as_array("x", each) for each in inputs]
    if isinstance(layer, TensorLayer | Activation) or len(arrays) != 1:
        layer.output_shapes(*(array.shape for array in arrays))
    else:
        layer.output_shape(_one_shape(layer, arrays[0]))
    _check_arguments(layer, arguments)
    with np.errstate(all="ignore"):
        made = operator(*arrays, **{name: getattr(layer, name) for name in fields}, **arguments)
    parts = tuple(_apart(part, arrays) for part in (made if isinstance(made, tuple) else (made,)))
    return parts if isinstance(made, tuple) else parts[0]


def operator_of(layer: Layer) -> tuple[Callable[..., Any], tuple[str, ...]]:
    """Return the operator that computes a layer, and the names of the layer's fields that are its arguments."""
    if type(layer) not in OPERATORS:
        raise ArgumentError(
            f"no operator runs the layer {type(layer).__name__}; these can be run: "
            f"{', '.join(known.__name__ for known in OPERATORS)}"
        )
    return OPERATORS[type(layer)]


def _apart(y: Array, inputs: Sequence[Array]) -> Array:
    """Return y, or a copy of it if it is a view of an input."""
    return np.array(y) if any(np.may_share_memory(y, x) for x in inputs) else y


def run_chain(layers: Sequence[Layer], arguments: Sequence[Arguments], x: ArrayLike) -> Array:
    """Run x through layers in order, such as those of a variant.

    `arguments` holds one mapping per layer, as for `run_layer`; x may be (C, *spatial) if the first layers have a
    known number of axes. The output of a Branch goes to the deformable convolution after it: as its offsets and,
    through a sigmoid, its mask, if it has one.

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
            f"{len(layers)} layers need {len(layers)} mappings of arguments, got {len(arguments)}; give an empty one "
            "for a layer without weights"
        )
    y = as_array("x", x)
    alone = y.ndim - 1 == next((axes for axes in map(_spatial_axes, layers) if axes is not None), None)
    branch: Array | None = None
    for layer, mine in zip(layers, arguments, strict=True):
        if branch is not None:
            mine = {**moves(layer, branch), **mine}
            branch = None
        widened = alone and _spatial_axes(layer) is None  # otherwise the channels would be taken for a batch
        found = run_layer(layer.inner, y[np.newaxis] if widened else y, **mine)
        found = found[0] if widened else found
        if isinstance(layer, Branch):
            branch = found
        else:
            y = found
    if branch is not None:
        raise ArgumentError(
            "the chain ends with a branch; a branch must be followed by the deformable convolution that uses it"
        )
    return y


def _spatial_axes(layer: Layer) -> int | None:
    """Return the number of spatial axes of a layer's input; None for a layer that accepts any number."""
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
        raise ArgumentError(f"x has shape {x.shape}; {name} needs (N, C, *spatial)")
    return x.shape if axes == 0 and x.ndim == 1 else x.shape[1:]


def _check_arguments(layer: Layer, arguments: Arguments) -> None:
    """Raise ArgumentError if an array is missing, does not fit the layer, or is not one of the layer's arrays."""
    name = f"the layer {type(layer).__name__}"
    fields = vars(layer)
    moved = [word for word in ("offset", "mask") if isinstance(layer, DeformConv) and fields.get(word, True)]
    shapes = parameter_shapes(layer)
    for word in (*shapes, *moved):
        if arguments.get(word) is None and word != "bias":
            raise ArgumentError(f"{name} needs {word}{f' of shape {shapes[word]}' if word in shapes else ''}")
    for word in ("bias", "mask"):
        if arguments.get(word) is not None and fields.get(word) is False:
            raise ArgumentError(f"{name} has no {word}, but one is given; make the layer with {word}=True")
    for word, shape in shapes.items():
        if arguments.get(word) is not None:
            check_shape(word, as_array(word, arguments[word]), shape, why="the layer")


def moves(layer: Layer, predicted: Array) -> Arguments:
    """Split the output of a branch into the offsets of a deformable convolution and its mask."""
    if not isinstance(layer, DeformConv):
        raise ArgumentError(
            f"a branch must be followed by the deformable convolution that uses it, not by {type(layer).__name__}"
        )
    if not layer.mask:
        return {"offset": predicted}
    count = layer.offset_groups * prod(layer.kernel_size) * layer.dims
    offset, mask = np.split(predicted, [count], axis=predicted.ndim - layer.dims - 1)
    return {"offset": offset, "mask": activation(mask, "sigmoid")}
