"""How much of its input a tile of a stage's output is computed from. Integers only."""

from collections.abc import Sequence
from math import ceil, prod
from typing import NamedTuple

from convcli.layers import AdaptivePool, ConvTranspose, GlobalPool, Layer, Resize, Window
from convcli.layers.axes import Shape, Sizes
from convcli.layers.chain import shapes
from convcli.layers.padding import span


class Held(NamedTuple):
    """What is held for a tile of the output: how many numbers, and the size of the input that it is computed from."""

    numbers: int
    tile: Sizes


def held(layers: Sequence[Layer], shape: Shape, tile: Sizes, moved: int = 0) -> Held:
    """Count what layers hold for a tile: twice what each looks at, as it may be padded, and what it makes."""
    sizes = seen(layers, shape, tile, moved)
    channels = [shape[0], *(each[0] for each in shapes(layers, shape))]
    numbers = sum(2 * count * prod(size) for count, size in zip(channels, sizes, strict=True))
    return Held(numbers, sizes[0])


def seen(layers: Sequence[Layer], shape: Shape, tile: Sizes, moved: int = 0) -> list[Sizes]:
    """Return the sizes of what is looked at for a tile of the output: of the input first, then after each layer.

    shape : (C, *spatial) of the input; moved : how far from its place a tap may look, in pixels
    """
    found = [tile]
    sizes = [each[1:] for each in shapes(layers, shape)]
    before = [shape[1:], *sizes][:-1]
    for layer, size in zip(reversed(layers), reversed(before), strict=True):
        needed = _needed(layer, size, found[0])
        found.insert(0, tuple(min(n, each + 2 * moved) for n, each in zip(size, needed, strict=True)))
    return found


def _needed(layer: Layer, size: Sizes, tile: Sizes) -> Sizes:
    """Return how much of an input of `size` one layer looks at; no more than there is."""
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
