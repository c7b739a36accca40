"""Channels that become places, and places that become channels."""

from dataclasses import dataclass
from math import prod

from convcli.errors import ArgumentError
from convcli.layers.axes import AnyShape, OpenShape, Shape, by_axes, input_sizes, split_shape, whole
from convcli.layers.base import Layer, Reach, Seen
from convcli.layers.counts import Cost


class _PixelMover(Layer):
    """What both directions share: a whole factor for every axis, and no arithmetic."""

    factor: int

    def __init__(self, factor: int) -> None:
        self._set(factor=whole("factor", factor, 1))

    def cost(self, input_shape: AnyShape) -> Cost:
        """Count no arithmetic: data is only moved."""
        self.output_shape(input_shape)
        return Cost()

    def _open_shape(self, input_shape: OpenShape) -> OpenShape:
        sizes = (None,) * (len(input_shape) - 1)
        if input_shape[0] is None:
            return (None, *sizes)
        return (self.output_shape((input_shape[0], *(self.factor,) * len(sizes)))[0], *sizes)


@dataclass(frozen=True, init=False)
class PixelShuffle(_PixelMover):
    """r^2 channels become r x r places of one channel (Shi et al. 2016), ONNX's DepthToSpace.

    In any number of dimensions; which channel goes where makes no difference to sizes and counts.

    >>> PixelShuffle(2).output_shape((12, 8, 8))
    (3, 16, 16)
    """

    factor: int

    def __init__(self, factor: int) -> None:
        super().__init__(factor)

    def output_shape(self, input_shape: AnyShape) -> Shape:
        """Return (channels / r^dims, *size * r)."""
        channels, size = split_shape(input_shape)
        each = self.factor ** len(size)
        if channels % each:
            raise ArgumentError(
                f"the input's {channels} channels cannot be shuffled into {self.factor} places an axis: "
                f"they are not a multiple of {each}"
            )
        return (channels // each, *(n * self.factor for n in size))

    def sees(self, input_size: AnyShape) -> tuple[Seen, ...]:
        """Return the one place that each r outputs of an axis come from."""
        return tuple(Reach(1, self.factor, 0, 0) for _ in input_sizes(input_size))


@dataclass(frozen=True, init=False)
class PixelUnshuffle(_PixelMover):
    """r x r places of one channel become r^2 channels, ONNX's SpaceToDepth.

    >>> PixelUnshuffle(2).output_shape((3, 16, 16))
    (12, 8, 8)
    """

    factor: int

    def __init__(self, factor: int) -> None:
        super().__init__(factor)

    def output_shape(self, input_shape: AnyShape) -> Shape:
        """Return (channels * r^dims, *size / r)."""
        channels, size = split_shape(input_shape)
        if any(n % self.factor for n in size):
            raise ArgumentError(
                f"the input size {by_axes(size)} cannot be divided by {self.factor} on every axis"
            )
        return (channels * prod(self.factor for _ in size), *(n // self.factor for n in size))

    def sees(self, input_size: AnyShape) -> tuple[Seen, ...]:
        """Return the r places of an axis that an output comes from."""
        r = self.factor
        return tuple(Reach(r, 1, 0, r - 1) for _ in input_sizes(input_size))
