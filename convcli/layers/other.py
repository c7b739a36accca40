"""Dense, Flatten, ChannelShuffle and BatchNorm, and the layers that join branches: Add and Concat."""

from dataclasses import dataclass
from math import prod

from convcli.errors import ArgumentError
from convcli.layers.axes import (
    AnyShape,
    OpenShape,
    Shape,
    as_shape,
    by_axes,
    split_shape,
    whole,
)
from convcli.layers.base import Layer, Seen
from convcli.layers.counts import Cost, plain, scalings, weighted_sums


@dataclass(frozen=True, init=False)
class Dense(Layer):
    """A fully connected layer, PyTorch's Linear: each output is a weighted sum of all inputs.

    >>> Dense(in_features=25088, out_features=4096).params()
    102764544
    """

    in_features: int
    out_features: int
    bias: bool
    mixes_all = True

    def __init__(self, in_features: int, out_features: int, *, bias: bool = True) -> None:
        self._set(
            in_features=whole("in_features", in_features, 1),
            out_features=whole("out_features", out_features, 1),
            bias=bool(bias),
        )

    def output_shape(self, input_shape: AnyShape) -> Shape:
        """Return (out_features,)."""
        features, size = split_shape(input_shape)
        if size:
            raise ArgumentError(
                f"a dense layer takes a vector, the input is {by_axes(input_shape)}; flatten it first"
            )
        if features != self.in_features:
            raise ArgumentError(f"the input has {features} features, the layer takes {self.in_features}")
        return (self.out_features,)

    def _open_shape(self, input_shape: OpenShape) -> OpenShape:
        return (self.out_features,)

    def weights(self) -> int:
        """Count the weights: out_features * in_features."""
        return self.out_features * self.in_features

    def biases(self) -> int:
        """Count the biases: one per output."""
        return self.out_features if self.bias else 0

    def cost(self, input_shape: AnyShape) -> Cost:
        """Count the work: each output is a sum of in_features products."""
        return weighted_sums(prod(self.output_shape(input_shape)), self.in_features, self.bias)


class _Mover(Layer):
    """The base of layers that only move data."""

    def cost(self, input_shape: AnyShape) -> Cost:
        """Count no arithmetic: data is only moved."""
        self.output_shape(input_shape)
        return Cost()


@dataclass(frozen=True)
class Flatten(_Mover):
    """All channels and positions as one vector."""

    def output_shape(self, input_shape: AnyShape) -> Shape:
        """Return (channels * prod(size),)."""
        channels, size = split_shape(input_shape)
        return (channels * prod(size),)

    def _open_shape(self, input_shape: OpenShape) -> OpenShape:
        return (None,)

    def sees(self, input_size: AnyShape) -> tuple[Seen, ...]:
        """Return nothing: the vector has no axes."""
        return ()


@dataclass(frozen=True, init=False)
class ChannelShuffle(_Mover):
    """Channel j of group i becomes channel i of group j (Zhang et al. 2018, ShuffleNet)."""

    groups: int

    def __init__(self, groups: int) -> None:
        self._set(groups=whole("groups", groups, 1))

    def output_shape(self, input_shape: AnyShape) -> Shape:
        """Return the input shape."""
        channels, size = split_shape(input_shape)
        if channels % self.groups:
            raise ArgumentError(
                f"the input's {channels} channels cannot be divided into {self.groups} equal groups; groups must "
                "divide the channels"
            )
        return (channels, *size)

    def _open_shape(self, input_shape: OpenShape) -> OpenShape:
        if (channels := input_shape[0]) is not None:
            self.output_shape((channels,))  # raises if the groups do not divide the channels
        return input_shape


@dataclass(frozen=True, init=False)
class BatchNorm(Layer):
    """Batch normalisation at inference: gamma and beta are learned, mean and variance are stored."""

    channels: int

    def __init__(self, channels: int) -> None:
        self._set(channels=whole("channels", channels, 1))

    def output_shape(self, input_shape: AnyShape) -> Shape:
        """Return the input shape."""
        channels, size = split_shape(input_shape, self.channels)
        return (channels, *size)

    def weights(self) -> int:
        """Count gamma: one per channel."""
        return self.channels

    def biases(self) -> int:
        """Count beta: one per channel."""
        return self.channels

    def buffers(self) -> int:
        """Count the running mean and variance of each channel."""
        return 2 * self.channels

    def cost(self, input_shape: AnyShape) -> Cost:
        """Count one multiplication and one addition per element."""
        return scalings(prod(self.output_shape(input_shape)))


@dataclass(frozen=True)
class Add(Layer):
    """The sum of two or more inputs of the same shape: a residual connection."""

    fewest_inputs = 2
    most_inputs = None

    def output_shape(self, input_shape: AnyShape, *others: AnyShape) -> Shape:
        """Return the common shape of the inputs."""
        first, *rest = _several("add", input_shape, others)
        for other in rest:
            if other != first:
                raise ArgumentError(
                    f"add takes inputs of the same shape, got {by_axes(first)} and {by_axes(other)}"
                )
        return first

    def cost(self, input_shape: AnyShape, *others: AnyShape) -> Cost:
        """Count one addition per element of each input after the first."""
        return plain(additions=len(others) * prod(self.output_shape(input_shape, *others)))

    def activations(self, input_shape: AnyShape, *others: AnyShape) -> int:
        """Count the elements of all inputs and of the output."""
        return (len(others) + 2) * prod(self.output_shape(input_shape, *others))


@dataclass(frozen=True)
class Concat(Layer):
    """Concatenation of the channels of two or more inputs of the same spatial size."""

    fewest_inputs = 2
    most_inputs = None

    def output_shape(self, input_shape: AnyShape, *others: AnyShape) -> Shape:
        """Return (sum of the channels, *size)."""
        shapes = _several("concat", input_shape, others)
        for other in shapes[1:]:
            if other[1:] != shapes[0][1:]:
                raise ArgumentError(
                    f"concat takes inputs of the same size, got {by_axes(shapes[0])} and {by_axes(other)}"
                )
        return (sum(shape[0] for shape in shapes), *shapes[0][1:])

    def cost(self, input_shape: AnyShape, *others: AnyShape) -> Cost:
        """Count no arithmetic: data is only moved."""
        self.output_shape(input_shape, *others)
        return Cost()

    def activations(self, input_shape: AnyShape, *others: AnyShape) -> int:
        """Count the elements of all inputs and of the output."""
        return 2 * prod(self.output_shape(input_shape, *others))


def _several(name: str, input_shape: AnyShape, others: tuple[AnyShape, ...]) -> list[Shape]:
    """Return the shapes of two or more inputs."""
    if not others:
        raise ArgumentError(f"{name} takes two or more inputs, but in a chain it gets one")
    return [as_shape(shape) for shape in (input_shape, *others)]
