"""The input size that a tile of a stage's output is computed from; integers only."""

from collections.abc import Sequence
from math import ceil, prod
from typing import NamedTuple

from convcli.layers import AdaptivePool, ConvTranspose, GlobalPool, Layer, Resize, Window
from convcli.layers.axes import Shape, Sizes
from convcli.layers.chain import shapes
from convcli.layers.padding import span


class Held(NamedTuple):
    """The count of numbers held for a tile of the output, and the input size that the tile is computed from."""

    numbers: int
    tile: Sizes


def held(layers: Sequence[Layer], shape: Shape, tile: Sizes, moved: int = 0) -> Held:
    """Count the numbers that layers hold for a tile: twice each array, as an input may be copied for padding."""
    sizes = seen(layers, shape, tile, moved)
    channels = [shape[0], *(each[0] for each in shapes(layers, shape))]
    numbers = sum(2 * count * prod(size) for count, size in zip(channels, sizes, strict=True))
    return Held(numbers, sizes[0])


def seen(layers: Sequence[Layer], shape: Shape, tile: Sizes, moved: int = 0) -> list[Sizes]:
    """Return the sizes that a tile of the output is computed from: of the input, then of the output of each layer.

    shape : shape of the input, (C, *spatial)
    moved : largest offset of a deformable tap in pixels
    """
    found = [tile]
    sizes = [each[1:] for each in shapes(layers, shape)]
    before = [shape[1:], *sizes][:-1]
    for layer, size in zip(reversed(layers), reversed(before), strict=True):
        needed = _needed(layer, size, found[0])
        found.insert(0, tuple(min(n, each + 2 * moved) for n, each in zip(size, needed, strict=True)))
    return found


def _needed(layer: Layer, size: Sizes, tile: Sizes) -> Sizes:
    """Return the part of an input of `size` that one layer needs for a tile."""
    if isinstance(layer, AdaptivePool | GlobalPool):
        return size
    if isinstance(layer, Resize):
        scale = [after / n for n, after in zip(size, layer.output_shape((1, *size))[1:], strict=True)]
        return tuple(min(n, ceil(each / s) + 1) for n, each, s in zip(size, tile, scale, strict=True))
    if not isinstance(layer, Window):
        return tile
    axes = zip(size, tile, layer.kernel_size, layer.stride, layer.dilation, strict=True)
    if isinstance(layer, ConvTranspose):
        return tuple(min(n, (each - 1 + span(k, d)) // s + 1) for n, each, k, s, d in axes)
    return tuple(min(n, (each - 1) * s + span(k, d)) for n, each, k, s, d in axes)
