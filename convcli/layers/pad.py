"""Padding as a separate layer."""

from collections.abc import Sequence
from dataclasses import dataclass

from convcli.errors import ArgumentError
from convcli.layers.axes import (
    AnyShape,
    OpenShape,
    Shape,
    axis_names,
    by_axes,
    infer_dims,
    input_sizes,
    is_sequence,
    split_shape,
    whole,
)
from convcli.layers.base import Layer, Reach, Seen, Trace
from convcli.layers.counts import Cost
from convcli.layers.padding import MODES, Pads
from convcli.layers.tensor_layer import TensorLayer

Pair = tuple[int, int]


@dataclass(frozen=True, init=False)
class Pad(Layer):
    """Pad each spatial axis, and the channels, before and after; a negative number crops.

    padding : one number for all axes, one per axis, or (before, after) per axis
    channels : (before, after), channels filled with the value, as in a ResNet's shortcut for CIFAR (He et al. 2016,
               option A)
    mode : the padding mode, as for convolutions; it does not change sizes

    >>> Pad(((1, 0), (2, 2))).output_shape((3, 8, 8))
    (3, 9, 12)
    """

    padding: Pads
    channels: Pair
    mode: str
    value: float

    def __init__(
        self,
        padding: int | Sequence[int | Sequence[int]] = 0,
        *,
        channels: Sequence[int] = (0, 0),
        mode: str = "zeros",
        value: float = 0.0,
        dims: int | None = None,
    ) -> None:
        if mode not in MODES:
            raise ArgumentError(f"there is no padding mode {mode!r}; choose one of {', '.join(MODES)}")
        dims = infer_dims(padding) if dims is None else whole("dims", dims, 1)
        given = tuple(padding) if is_sequence(padding) else (padding,)
        if len(given) == 1:
            given *= dims
        if len(given) != dims:
            raise ArgumentError(f"padding {by_axes(given)} has {len(given)} axes where {dims} are needed")
        self._set(
            padding=tuple(_pair("padding", each) for each in given),
            channels=_pair("channels", channels),
            mode=mode,
            value=float(value),
        )

    def output_shape(self, input_shape: AnyShape) -> Shape:
        """Return (before + channels + after, *before + size + after)."""
        channels, size = split_shape(input_shape)
        self._check_axes(len(size))
        names = ("channels", *axis_names(len(size)))
        made = []
        for name, n, (before, after) in zip(
            names, (channels, *size), (self.channels, *self.padding), strict=True
        ):
            made.append(n + before + after)
            if made[-1] < 1:
                raise ArgumentError(
                    f"the output would be empty: along the {name} {n} + {before} + {after} = {made[-1]}"
                )
        return tuple(made)

    def _check_axes(self, axes: int) -> None:
        if axes != len(self.padding):
            raise ArgumentError(f"the input has {axes} axes but the padding has {len(self.padding)}")

    def _open_shape(self, input_shape: OpenShape) -> OpenShape:
        self._check_axes(len(input_shape) - 1)
        pairs = (self.channels, *self.padding)
        return tuple(None if n is None else n + sum(pair) for n, pair in zip(input_shape, pairs, strict=True))

    def cost(self, input_shape: AnyShape) -> Cost:
        """Count no arithmetic: data is only moved."""
        self.output_shape(input_shape)
        return Cost()

    def sees(self, input_size: AnyShape) -> tuple[Seen, ...]:
        """Return the position, shifted by the padding, that each output comes from."""
        return tuple(
            Reach(1, 1, -before, -before)
            for _, (before, _) in zip(input_sizes(input_size), self.padding, strict=True)
        )


@dataclass(frozen=True, init=False)
class PadAxes(TensorLayer):
    """Pad every axis of a whole tensor, including the batch axis, before and after; a negative number crops.

    >>> PadAxes(((0, 0), (1, 1), (0, 2))).output_shapes((8, 7, 7))
    ((8, 9, 9),)
    """

    pairs: Pads
    mode: str
    value: float

    def __init__(self, pairs: Sequence[Sequence[int]], *, mode: str = "zeros", value: float = 0.0) -> None:
        if mode not in MODES:
            raise ArgumentError(f"there is no padding mode {mode!r}; choose one of {', '.join(MODES)}")
        self._set(pairs=tuple(_pair("pairs", each) for each in pairs), mode=mode, value=float(value))

    def output_shapes(self, *shapes: Shape) -> tuple[Shape, ...]:
        """Return before + size + after on each axis."""
        (given,) = shapes
        if len(given) != len(self.pairs):
            raise ArgumentError(f"the input has {len(given)} axes but the padding has {len(self.pairs)}")
        made = tuple(n + sum(pair) for n, pair in zip(given, self.pairs, strict=True))
        if min(made, default=1) < 1:
            raise ArgumentError(f"the output would be empty: {by_axes(given)} becomes {by_axes(made)}")
        return (made,)

    def traces(self, output: int, *shapes: Shape) -> tuple[tuple[Trace, ...], ...]:
        """Return the position, shifted by the padding, that each output comes from."""
        return (tuple(Trace(axis, Reach(1, 1, -pair[0], -pair[0])) for axis, pair in enumerate(self.pairs)),)


def _pair(name: str, value: int | Sequence[int]) -> Pair:
    """Return (before, after); a single number is used for both."""
    pair = tuple(value) if is_sequence(value) else (value, value)
    if len(pair) != 2:
        raise ArgumentError(f"{name} takes (before, after) for each axis, got {pair!r}")
    before, after = (whole(name, each, -(1 << 62)) for each in pair)
    return before, after
