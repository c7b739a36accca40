"""Chains: sequences of layers, each of which takes the output of the one before it."""

from collections.abc import Iterable

from convcli.layers.axes import AnyShape, Shape
from convcli.layers.base import Layer
from convcli.layers.counts import Cost


def shapes(layers: Iterable[Layer], input_shape: AnyShape) -> list[Shape]:
    """Return the shape after each layer."""
    found = []
    for layer in layers:
        input_shape = layer.output_shape(input_shape)
        found.append(input_shape)
    return found


def total_cost(layers: Iterable[Layer], input_shape: AnyShape) -> Cost:
    """Return the total work of a chain for one input."""
    total = Cost()
    for layer in layers:
        total += layer.cost(input_shape)
        input_shape = layer.output_shape(input_shape)
    return total
