"""Layers that normalise by statistics of their input: LRN, GroupNorm, InstanceNorm and LayerNorm.

Receptive fields ignore the statistics, which depend on every position that they are computed over.
"""

from dataclasses import dataclass
from math import prod

from convcli.errors import ArgumentError
from convcli.layers.axes import AnyShape, Shape, Sizes, as_shape, by_axes, is_sequence, split_shape, whole
from convcli.layers.base import Layer
from convcli.layers.counts import Cost, normalisations, plain


@dataclass(frozen=True, init=False)
class LRN(Layer):
    """Local response normalisation: x / (k + alpha / size * (sum of x^2 over `size` neighbouring channels))^beta.

    Krizhevsky et al. (2012), AlexNet, section 3.3. PyTorch and ONNX divide alpha by the size, the paper does not.
    """

    size: int

    def __init__(self, size: int = 5) -> None:
        self._set(size=whole("size", size, 1))

    def output_shape(self, input_shape: AnyShape) -> Shape:
        """Return the input shape."""
        return as_shape(input_shape)

    def cost(self, input_shape: AnyShape) -> Cost:
        """Count per element its square, size - 1 additions, the scale, adding k, the power and the division.

        Channels beyond the first and the last count as real ones.
        """
        each = plain(multiplications=3, additions=self.size, transcendentals=1)
        return each * prod(self.output_shape(input_shape))


class _Normalisation(Layer):
    """The base of (x - mean) / sqrt(variance + eps) over groups of elements, times gamma plus beta if learned."""

    affine: bool

    def _groups(self, shape: Shape) -> int:
        """Return the number of groups that statistics are computed over in one input."""
        raise NotImplementedError

    def cost(self, input_shape: AnyShape) -> Cost:
        """Count the mean, the variance and the arithmetic per element."""
        shape = self.output_shape(input_shape)
        return normalisations(prod(shape), self._groups(shape), self.weights() > 0, self.biases() > 0)


@dataclass(frozen=True, init=False)
class GroupNorm(_Normalisation):
    """Group normalisation (Wu & He 2018): statistics per group of channels; gamma and beta per channel."""

    groups: int
    channels: int
    affine: bool

    def __init__(self, groups: int, channels: int, *, affine: bool = True) -> None:
        self._set(
            groups=whole("groups", groups, 1), channels=whole("channels", channels, 1), affine=bool(affine)
        )
        if self.channels % self.groups:
            raise ArgumentError(
                f"{channels} channels cannot be divided into {groups} equal groups; groups must divide the channels"
            )

    def output_shape(self, input_shape: AnyShape) -> Shape:
        """Return the input shape."""
        channels, size = split_shape(input_shape, self.channels)
        return (channels, *size)

    def weights(self) -> int:
        """Count gamma: one per channel."""
        return self.channels if self.affine else 0

    def biases(self) -> int:
        """Count beta: one per channel."""
        return self.channels if self.affine else 0

    def _groups(self, shape: Shape) -> int:
        return self.groups


@dataclass(frozen=True, init=False)
class InstanceNorm(GroupNorm):
    """Instance normalisation (Ulyanov et al. 2016): statistics per channel; not affine by default, as in PyTorch."""

    def __init__(self, channels: int, *, affine: bool = False) -> None:
        super().__init__(channels, channels, affine=affine)


@dataclass(frozen=True, init=False)
class LayerNorm(_Normalisation):
    """Layer normalisation (Ba et al. 2016): statistics over the last axes of each item, whose sizes are `shape`.

    gamma and, if `bias`, beta are learned per element of the shape, as in PyTorch's LayerNorm. A shape of one number
    normalises the last axis: the features of each token. With `channels` the first axis is normalised instead, at each
    position, as in ConvNeXt's LayerNorm2d.

    >>> LayerNorm(768).params(), LayerNorm((64, 7, 7)).params()
    (1536, 6272)
    """

    shape: Sizes
    affine: bool
    bias: bool
    channels: bool

    def __init__(
        self, shape: int | Sizes, *, affine: bool = True, bias: bool = True, channels: bool = False
    ) -> None:
        sizes = tuple(shape) if is_sequence(shape) else (shape,)
        self._set(
            shape=tuple(whole("shape", each, 1) for each in sizes),
            affine=bool(affine),
            bias=bool(affine and bias),
            channels=bool(channels),
        )
        if self.channels and len(self.shape) != 1:
            raise ArgumentError(
                f"with `channels` the shape must be one number, the channels; {by_axes(self.shape)} has "
                f"{len(self.shape)}"
            )

    def output_shape(self, input_shape: AnyShape) -> Shape:
        """Return the input shape."""
        shape = as_shape(input_shape)
        found = shape[:1] if self.channels else shape[-len(self.shape) :]
        if found != self.shape:
            where = "first" if self.channels else "last"
            raise ArgumentError(
                f"the {where} axes of the input {by_axes(shape)} must be {by_axes(self.shape)}, the normalised shape"
            )
        return shape

    def weights(self) -> int:
        """Count gamma: one per normalised element."""
        return prod(self.shape) if self.affine else 0

    def biases(self) -> int:
        """Count beta: one per normalised element."""
        return prod(self.shape) if self.bias else 0

    def _groups(self, shape: Shape) -> int:
        return prod(shape) // prod(self.shape)
