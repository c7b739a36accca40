"""Activation functions and the arithmetic that each takes per element."""

import re
from dataclasses import dataclass
from math import prod

from convcli.errors import ArgumentError, instead_of
from convcli.layers.axes import AnyShape, OpenShape, Shape, as_shape, whole
from convcli.layers.base import ITSELF, Layer, Trace
from convcli.layers.counts import Cost, plain

# Arithmetic per element, counted from the formula in the comment; max and min are comparisons.
ACTIVATIONS: dict[str, Cost] = {
    "relu": plain(comparisons=1),  # max(x, 0)
    "relu6": plain(comparisons=2),  # min(max(x, 0), 6)
    "leaky-relu": plain(comparisons=1, multiplications=1),  # x if x > 0 else slope * x
    "elu": plain(comparisons=1, multiplications=1, additions=1, transcendentals=1),  # alpha * (exp(x) - 1)
    "sigmoid": plain(multiplications=1, additions=1, transcendentals=1),  # 1 / (1 + exp(-x))
    "tanh": plain(transcendentals=1),
    "silu": plain(multiplications=1, additions=1, transcendentals=1),  # x / (1 + exp(-x))
    "gelu": plain(multiplications=3, additions=1, transcendentals=1),  # 0.5 * x * (1 + erf(x * sqrt(1/2)))
    "softplus": plain(additions=1, transcendentals=2),  # log(1 + exp(x))
    "mish": plain(multiplications=1, additions=1, transcendentals=3),  # x * tanh(softplus(x))
    "hard-sigmoid": plain(comparisons=2, multiplications=1, additions=1),  # relu6(x + 3) / 6
    "hard-swish": plain(comparisons=2, multiplications=2, additions=1),  # x * relu6(x + 3) / 6
    "abs": plain(),  # clears the sign bit
    "identity": plain(),
}
# Names in other libraries.
_ELSEWHERE = {
    **dict.fromkeys(("lrelu", "leakyrelu"), "leaky-relu"),
    **dict.fromkeys(("hardswish", "hswish", "h-swish"), "hard-swish"),
    **dict.fromkeys(("hardsigmoid", "hsigmoid"), "hard-sigmoid"),
    **dict.fromkeys(("swish", "swish-1"), "silu"),
    **dict.fromkeys(("none", "linear"), "identity"),
    **dict.fromkeys(("logistic", "sigm"), "sigmoid"),
}
SOFTMAX = "softmax"  # the only activation that is not elementwise: it sums over the channels


def parse_activation(text: str) -> str:
    """Return the name of an activation; raise ArgumentError if there is none of that name."""
    known = (*ACTIVATIONS, SOFTMAX)
    if text not in known:
        name = re.sub(r"(nn\.)?(\w+).*", r"\2", text.lower()).replace("_", "-")
        suggested = _ELSEWHERE.get(name, name)
        hint = f"did you mean {suggested!r}?" if suggested in known else instead_of(name, known)
        raise ArgumentError(f"there is no activation {text!r}; {hint}")
    return text


@dataclass(frozen=True, init=False)
class Activation(Layer):
    """An elementwise activation, given by its name; `softmax` normalises over the channels at each position."""

    name: str

    def __init__(self, name: str) -> None:
        if name not in ACTIVATIONS and name != SOFTMAX:
            raise ArgumentError(
                f"there is no activation {name!r}; choose one of {', '.join([*ACTIVATIONS, SOFTMAX])}"
            )
        self._set(name=name)

    def output_shape(self, input_shape: AnyShape) -> Shape:
        """Return the input shape."""
        return as_shape(input_shape)

    def cost(self, input_shape: AnyShape) -> Cost:
        """Count the formula once per element.

        Softmax over c channels takes at each position c - 1 comparisons to find the maximum, c subtractions of it,
        c exponentials, c - 1 additions and c divisions.
        """
        channels, *size = self.output_shape(input_shape)
        if self.name != SOFTMAX:
            return ACTIVATIONS[self.name] * (channels * prod(size))
        softmax = plain(
            multiplications=channels,
            additions=2 * channels - 1,
            comparisons=channels - 1,
            transcendentals=channels,
        )
        return softmax * prod(size)

    def output_shapes(self, *shapes: Shape) -> tuple[Shape, ...]:
        """Return the shape of the input, which may have any number of axes."""
        return shapes if self.name != SOFTMAX else super().output_shapes(*shapes)

    def work(self, *shapes: Shape) -> Cost:
        """Count the formula once per element."""
        return super().work(*shapes) if self.name == SOFTMAX else ACTIVATIONS[self.name] * prod(shapes[0])

    def elements(self, *shapes: Shape) -> int:
        """Count the elements of the input and the output."""
        return 2 * prod(shapes[0])

    def traces(self, output: int, *shapes: Shape) -> tuple[tuple[Trace, ...], ...]:
        """Return every axis unchanged; softmax sees all channels."""
        along = 1 if self.name == SOFTMAX else None
        return (tuple(Trace(axis, "whole" if axis == along else ITSELF) for axis in range(len(shapes[0]))),)


@dataclass(frozen=True, init=False)
class PReLU(Layer):
    """PReLU: x if x > 0, else slope * x, with one learned slope for all channels or one per channel.

    He et al. (2015), "Delving Deep into Rectifiers". The default is one slope, as in PyTorch's PReLU.
    """

    slopes: int

    def __init__(self, slopes: int = 1) -> None:
        self._set(slopes=whole("slopes", slopes, 1))

    def output_shape(self, input_shape: AnyShape) -> Shape:
        """Return the input shape."""
        shape = as_shape(input_shape)
        if self.slopes not in (1, shape[0]):
            raise ArgumentError(
                f"a prelu has one slope or one per channel, here 1 or {shape[0]}, not {self.slopes}"
            )
        return shape

    def _open_shape(self, input_shape: OpenShape) -> OpenShape:
        return input_shape

    def weights(self) -> int:
        """Count the slopes."""
        return self.slopes

    def cost(self, input_shape: AnyShape) -> Cost:
        """Count one comparison and one multiplication per element."""
        return plain(comparisons=1, multiplications=1) * prod(self.output_shape(input_shape))
