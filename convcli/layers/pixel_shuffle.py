"""PixelShuffle and PixelUnshuffle, which move data between channels and spatial positions."""

from dataclasses import dataclass
from math import prod

from convcli.errors import ArgumentError
from convcli.layers.axes import AnyShape, OpenShape, Shape, by_axes, input_sizes, split_shape, whole
from convcli.layers.base import Layer, Reach, Seen
from convcli.layers.counts import Cost


class _PixelMover(Layer):
    """The base of both directions: one integer factor for all axes, and no arithmetic."""

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
    """Rearrange r^2 channels into r x r positions of one channel (Shi et al. 2016), ONNX's DepthToSpace.

    It works in any number of dimensions; the order of the channels does not affect sizes and counts.

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
                f"the input's {channels} channels cannot be shuffled by the factor {self.factor}: "
                f"they must be a multiple of {each}"
            )
        return (channels // each, *(n * self.factor for n in size))

    def sees(self, input_size: AnyShape) -> tuple[Seen, ...]:
        """Return the one position that r outputs of each axis come from."""
        return tuple(Reach(1, self.factor, 0, 0) for _ in input_sizes(input_size))


@dataclass(frozen=True, init=False)
class PixelUnshuffle(_PixelMover):
    """Rearrange r x r positions of one channel into r^2 channels, ONNX's SpaceToDepth.

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
                f"the input size {by_axes(size)} must be a multiple of the factor {self.factor} on every axis"
            )
        return (channels * prod(self.factor for _ in size), *(n // self.factor for n in size))

    def sees(self, input_size: AnyShape) -> tuple[Seen, ...]:
        """Return the r positions of an axis that an output comes from."""
        r = self.factor
        return tuple(Reach(r, 1, 0, r - 1) for _ in input_sizes(input_size))
