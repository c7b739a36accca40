"""Run layers: each record of `convcli.layers` through the operator that computes it."""

from __future__ import annotations  # help() shows the annotations by name

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from numpy.typing import ArrayLike

from convcli.backend.checks import Array, as_array, check_shape
from convcli.backend.convolution import conv
from convcli.errors import ArgumentError
from convcli.layers import Conv, Layer

Arguments = Mapping[str, Any]  # what an operator takes beyond its layer's fields, by the operator's own names


def run_layer(layer: Layer, x: ArrayLike, **arguments: Any) -> Array:
    """Run x through one layer; `arguments` are its arrays (`weight`, `bias`) and its operator's options.

    >>> import numpy as np
    >>> from convcli import Conv, backend
    >>> layer = Conv(in_channels=3, out_channels=8, kernel_size=3, stride=2, padding=1)
    >>> x, weight = np.zeros((1, 3, 32, 32)), np.zeros((8, 3, 3, 3))
    >>> backend.run_layer(layer, x, weight=weight, bias=np.ones(8)).shape
    (1, 8, 16, 16)
    """
    run = RUN.get(type(layer))
    if run is None:
        raise ArgumentError(
            f"no operator runs the layer {type(layer).__name__}; these can be run: "
            f"{', '.join(known.__name__ for known in RUN)}"
        )
    return run(layer, x, **arguments)


def run_chain(layers: Sequence[Layer], arguments: Sequence[Arguments], x: ArrayLike) -> Array:
    """Run x through layers one after the other, such as those of a variant.

    `arguments` holds one mapping for each layer, as `run_layer` takes them.

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
    for layer, mine in zip(layers, arguments, strict=True):
        y = run_layer(layer, y, **mine)
    return y


def _conv(layer: Conv, x: ArrayLike, *, weight: ArrayLike, **others: Any) -> Array:
    weight = as_array("weight", weight)
    shape = (layer.out_channels, layer.in_channels // layer.groups, *layer.kernel_size)
    check_shape("weight", weight, shape, why="the layer")
    return conv(
        x,
        weight,
        stride=layer.stride,
        padding=layer.padding,
        dilation=layer.dilation,
        groups=layer.groups,
        **others,
    )


RUN: dict[type[Layer], Callable[..., Array]] = {Conv: _conv}
