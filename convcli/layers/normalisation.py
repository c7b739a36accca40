"""Normalisation by statistics of the data itself: over neighbouring channels, groups, channels alone, or features.

What an output sees leaves the statistics out: they depend on every place that they are taken over.
"""

from dataclasses import dataclass
from math import prod

from convcli.errors import ArgumentError
from convcli.layers.axes import AnyShape, Shape, Sizes, as_shape, by_axes, is_sequence, split_shape, whole
from convcli.layers.base import Layer
from convcli.layers.counts import Cost, normalisations, plain


@dataclass(frozen=True, init=False)
class LRN(Layer):
    """Local response normalisation: x / (k + alpha / size * (sum of x^2 over `size` channels around it))^beta.

    Krizhevsky et al. (2012), AlexNet, section 3.3; alpha is divided by the size in PyTorch and ONNX, not in the paper.
    """

    size: int

    def __init__(self, size: int = 5) -> None:
        self._set(size=whole("size", size, 1))

    def output_shape(self, input_shape: AnyShape) -> Shape:
        """Return the input shape."""
        return as_shape(input_shape)

    def cost(self, input_shape: AnyShape) -> Cost:
        """Count for each element its square, size - 1 additions, the scale, k, the power, and the division.

        Channels beyond the first and the last count as if they were real.
        """
        each = plain(multiplications=3, additions=self.size, transcendentals=1)
        return each * prod(self.output_shape(input_shape))


class _Normalisation(Layer):
    """(x - mean) / sqrt(variance + eps) over groups of elements, then gamma and beta where they are learned."""

    affine: bool

    def _groups(self, shape: Shape) -> int:
        """Return how many means there are in an input."""
        raise NotImplementedError

    def cost(self, input_shape: AnyShape) -> Cost:
        """Count the mean, the variance, and what is done to each element."""
        shape = self.output_shape(input_shape)
        return normalisations(prod(shape), self._groups(shape), self.weights() > 0, self.biases() > 0)


@dataclass(frozen=True, init=False)
class GroupNorm(_Normalisation):
    """Statistics over the places and channels of each group (Wu & He 2018); gamma and beta for each channel."""

    groups: int
    channels: int
    affine: bool

    def __init__(self, groups: int, channels: int, *, affine: bool = True) -> None:
        self._set(
            groups=whole("groups", groups, 1), channels=whole("channels", channels, 1), affine=bool(affine)
        )
        if self.channels % self.groups:
            raise ArgumentError(f"the {channels} channels cannot be normalised in {groups} groups")

    def output_shape(self, input_shape: AnyShape) -> Shape:
        """Return the input shape."""
        channels, size = split_shape(input_shape, self.channels)
        return (channels, *size)

    def weights(self) -> int:
        """Count gamma: one for each channel."""
        return self.channels if self.affine else 0

    def biases(self) -> int:
        """Count beta: one for each channel."""
        return self.channels if self.affine else 0

    def _groups(self, shape: Shape) -> int:
        return self.groups


@dataclass(frozen=True, init=False)
class InstanceNorm(GroupNorm):
    """Statistics over the places of each channel (Ulyanov et al. 2016); as in PyTorch nothing is learned by default."""

    def __init__(self, channels: int, *, affine: bool = False) -> None:
        super().__init__(channels, channels, affine=affine)


@dataclass(frozen=True, init=False)
class LayerNorm(_Normalisation):
    """Statistics over the last axes of each item (Ba et al. 2016), whose sizes are `shape`; PyTorch's LayerNorm.

    gamma and beta are learned for each element of the shape, beta only with a bias. A shape of one number normalises
    the last axis: the features of each token. `channels` normalises the first axis instead, at each place, as
    ConvNeXt's LayerNorm2d.

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
                f"the channels are one axis, and the shape {by_axes(self.shape)} has {len(self.shape)}"
            )

    def output_shape(self, input_shape: AnyShape) -> Shape:
        """Return the input shape."""
        shape = as_shape(input_shape)
        found = shape[:1] if self.channels else shape[-len(self.shape) :]
        if found != self.shape:
            where = "first" if self.channels else "last"
            raise ArgumentError(
                f"the input {by_axes(shape)} does not have {by_axes(self.shape)} {where}, which is normalised"
            )
        return shape

    def weights(self) -> int:
        """Count gamma: one for each normalised element."""
        return prod(self.shape) if self.affine else 0

    def biases(self) -> int:
        """Count beta: one for each normalised element."""
        return prod(self.shape) if self.bias else 0

    def _groups(self, shape: Shape) -> int:
        return prod(shape) // prod(self.shape)
