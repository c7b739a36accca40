"""The layers between convolutions and pools: dense, normalised, shuffled, and those that join branches."""

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
    """Every output sums over every input: a fully connected layer, PyTorch's Linear.

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
        """Count the biases: one for each output."""
        return self.out_features if self.bias else 0

    def cost(self, input_shape: AnyShape) -> Cost:
        """Count the work: every output is a sum of in_features products."""
        return weighted_sums(prod(self.output_shape(input_shape)), self.in_features, self.bias)


class _Mover(Layer):
    """A layer that moves data, and computes nothing."""

    def cost(self, input_shape: AnyShape) -> Cost:
        """Count no arithmetic: data is only moved."""
        self.output_shape(input_shape)
        return Cost()


@dataclass(frozen=True)
class Flatten(_Mover):
    """All channels and places as one vector."""

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
            raise ArgumentError(f"the input's {channels} channels cannot be shuffled in {self.groups} groups")
        return (channels, *size)

    def _open_shape(self, input_shape: OpenShape) -> OpenShape:
        if (channels := input_shape[0]) is not None:
            self.output_shape((channels,))  # which refuses channels that do not divide
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
        """Count gamma: one for each channel."""
        return self.channels

    def biases(self) -> int:
        """Count beta: one for each channel."""
        return self.channels

    def buffers(self) -> int:
        """Count the moving mean and variance of each channel."""
        return 2 * self.channels

    def cost(self, input_shape: AnyShape) -> Cost:
        """Count one multiplication and one addition for each element."""
        return scalings(prod(self.output_shape(input_shape)))


@dataclass(frozen=True)
class Add(Layer):
    """The sum of several inputs of one shape: a residual connection."""

    fewest_inputs = 2
    most_inputs = None

    def output_shape(self, input_shape: AnyShape, *others: AnyShape) -> Shape:
        """Return the shape that all inputs have."""
        first, *rest = _several("add", input_shape, others)
        for other in rest:
            if other != first:
                raise ArgumentError(
                    f"add takes inputs of one shape, got {by_axes(first)} and {by_axes(other)}"
                )
        return first

    def cost(self, input_shape: AnyShape, *others: AnyShape) -> Cost:
        """Count one addition for each element of each input after the first."""
        return plain(additions=len(others) * prod(self.output_shape(input_shape, *others)))

    def activations(self, input_shape: AnyShape, *others: AnyShape) -> int:
        """Count the elements of all inputs and of the output."""
        return (len(others) + 2) * prod(self.output_shape(input_shape, *others))


@dataclass(frozen=True)
class Concat(Layer):
    """Several inputs of one size, their channels one after the other."""

    fewest_inputs = 2
    most_inputs = None

    def output_shape(self, input_shape: AnyShape, *others: AnyShape) -> Shape:
        """Return (the sum of the channels, *size)."""
        shapes = _several("concat", input_shape, others)
        for other in shapes[1:]:
            if other[1:] != shapes[0][1:]:
                raise ArgumentError(
                    f"concat takes inputs of one size, got {by_axes(shapes[0])} and {by_axes(other)}"
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
    """Return the shapes of two inputs or more."""
    if not others:
        raise ArgumentError(f"{name} takes two inputs or more, a chain gives it one")
    return [as_shape(shape) for shape in (input_shape, *others)]
