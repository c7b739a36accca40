"""The stages behind a convolution: activations, pools over places, and pools over channels."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli import backend
from convcli.backend.stages.linear import Pass
from convcli.backend.stages.stage import FAINT, Stage
from convcli.errors import ArgumentError
from convcli.layers import Activation, AdaptivePool, AvgPool, GlobalPool, Layer, LpPool, MaxPool
from convcli.layers.axes import Shape

Array = NDArray[Any]
Pool = MaxPool | AvgPool | LpPool | AdaptivePool | GlobalPool


@dataclass(frozen=True)
class Activated(Stage):
    """A function of each value, which sees white as 1: values are divided by the full scale, and come back."""

    layer: Activation
    full_scale: float

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Return the activation."""
        return (self.layer,)

    def __call__(self, x: Array) -> Array:
        """Run on x, (C, *spatial) of floats."""
        scale = x.dtype.type(self.full_scale)
        y: Array = backend.run_layer(self.layer, (x / scale)[np.newaxis])[0]
        y *= scale
        return y


@dataclass(frozen=True)
class Pooled(Stage):
    """A pool over places; a hidden colour counts for nothing."""

    layer: Pool

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Return the pool."""
        return (self.layer,)

    @property
    def _kind(self) -> str:
        if isinstance(self.layer, LpPool):
            return "lp"
        if isinstance(self.layer, MaxPool):
            return "max"
        return "avg" if isinstance(self.layer, AvgPool) else self.layer.kind

    @property
    def is_mean(self) -> bool:
        """Whether it averages."""
        return self._kind == "avg"

    def __call__(self, x: Array) -> Array:
        """Run on x, (C, *spatial) of floats."""
        y: Array = backend.run_layer(self.layer, x[np.newaxis])[0]
        return y

    def with_alpha(self, colour: Array, opacity: Array, premultiply: bool | None) -> tuple[Array, Array]:
        """Average colours weighed by alpha; else take the largest alpha, and colours of what is visible alone."""
        hidden = self(colour)
        if self._kind == "avg":
            weight = self(opacity)
            seen = np.broadcast_to(weight > FAINT, hidden.shape)
            np.divide(self(colour * opacity), weight, where=seen, out=hidden)
            return hidden, weight
        visible = opacity > 0
        if not visible.all():
            least = -np.inf if self._kind == "max" else 0
            seen = np.broadcast_to(self(visible.astype(colour.dtype)) > 0, hidden.shape)
            np.copyto(hidden, self(np.where(visible, colour, colour.dtype.type(least))), where=seen)
        return hidden, backend.run_layer(_largest(self.layer), opacity[np.newaxis])[0]


def _largest(layer: Layer) -> Layer:
    """Return the pool that takes the largest of the same windows."""
    if not isinstance(layer, LpPool):
        return layer
    window = {name: value for name, value in vars(layer).items() if name != "norm_type"}
    return MaxPool(**window)


@dataclass(frozen=True)
class ChannelPooled(Stage):
    """A pool over the channels of each place: over all of them, or over groups of `size` neighbours."""

    kind: str  # max, avg or lp
    size: int | None = None
    norm_type: float = 2

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Return nothing: channels are no axis that a layer slides over."""
        return ()

    def spelled(self) -> list[str]:
        """Return the pool in words, as there is no such layer."""
        return [f"{self.kind}pool of {self.size or 'all'} channels"]

    def output_shape(self, shape: Shape) -> Shape:
        """Return (groups, *spatial)."""
        channels, *size = shape
        each = self.size or channels
        if channels % each:
            raise ArgumentError(
                f"`pool_channels` cannot pool {channels} channels by {each}; take a number that divides "
                f"{channels}, or none for all of them"
            )
        return (channels // each, *size)

    def passes(self, shape: Shape) -> Iterator[Pass]:
        """Yield the pool, with the channels as an axis."""
        layer = self._layer(shape)
        yield Pass(layer, layer.cost((1, shape[0], prod(shape[1:]))), prod(self.output_shape(shape)))

    def _layer(self, shape: Shape) -> Layer:
        window = (self.size or shape[0], 1)
        if self.kind == "lp":
            return LpPool(norm_type=self.norm_type, kernel_size=window)
        return (MaxPool if self.kind == "max" else AvgPool)(kernel_size=window)

    def __call__(self, x: Array) -> Array:
        """Run on x, (C, *spatial) of floats."""
        flat = x.reshape(1, 1, len(x), prod(x.shape[1:]))
        return backend.run_layer(self._layer(x.shape), flat).reshape(self.output_shape(x.shape))
