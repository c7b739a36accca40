"""The stages that can follow a convolution: activations, spatial pools and pools over channels."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli import backend
from convcli.errors import ArgumentError
from convcli.filters.stages.linear_map import Pass
from convcli.filters.stages.stage import Stage
from convcli.filters.tiles.alpha_rule import NOISE, is_visible
from convcli.filters.tiles.alpha_sources import MeanOfVisible
from convcli.filters.tiles.missing_sources import Filled, presence, where_present
from convcli.filters.tiles.pool_sources import AnyPool, pooled
from convcli.filters.tiles.sources import Kept, Mapped, Source
from convcli.layers import Activation, AvgPool, Layer, LpPool, MaxPool
from convcli.layers.axes import Shape

Array = NDArray[Any]


@dataclass(frozen=True)
class Activated(Stage):
    """An activation of each value; values are scaled so that white is 1, and scaled back afterwards."""

    layer: Activation
    full_scale: float

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Return the activation."""
        return (self.layer,)

    @property
    def selects(self) -> bool:
        """Whether each output is its input, 0, or the absolute value of its input."""
        return self.layer.name in ("identity", "relu", "abs")

    def through(self, source: Source) -> Source:
        """Return the activation of a source, elementwise or over the channels of each pixel."""
        return Mapped(self._activated, source)

    def _activated(self, values: Array) -> Array:
        if self.selects:  # independent of the scale
            return backend.activation(values, self.layer.name)
        scale = values.dtype.type(self.full_scale)
        y: Array = backend.run_layer(self.layer, np.moveaxis(values / scale, -1, 0)[np.newaxis])[0]
        y *= scale
        return np.moveaxis(y, 0, -1)


@dataclass(frozen=True)
class Pooled(Stage):
    """A spatial pool; colours of fully transparent pixels are ignored."""

    layer: AnyPool

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
        """Whether the pool averages."""
        return self._kind == "avg"

    @property
    def selects(self) -> bool:
        """Whether the pool takes the maximum of each window."""
        return self._kind == "max"

    def through(self, source: Source) -> Source:
        """Return the pool of each channel."""
        return pooled(self.layer, source)

    def skipping(self, source: Source) -> Source:
        """Pool the present values."""
        kept = Kept(source)
        if self._kind == "avg":
            missing = Mapped(_missing, kept)
            return Mapped(_of_present, self.through(Filled(kept)), self.through(missing))
        least = -np.inf if self._kind == "max" else 0.0
        there = pooled(_largest(self.layer), presence(kept))
        return where_present(self.through(Filled(kept, least)), there)

    def with_opacity(
        self, colour: Source, opacity: Source, premultiply: bool | None
    ) -> tuple[Source, Source]:
        """Average colours weighted by alpha; other pools take the largest alpha, and only colours of visible pixels."""
        bare = self.through(colour)
        if self._kind == "avg":
            weight = Kept(self.through(opacity))
            weighed = self.through(Mapped(np.multiply, colour, opacity))
            return MeanOfVisible(weighed, bare, weight, 1.0), weight
        least = -np.inf if self._kind == "max" else 0.0
        shown = Mapped(partial(_only_visible, least), colour, opacity)
        visible = Mapped(lambda opacity: is_visible(opacity).astype(opacity.dtype), opacity)
        found = Mapped(_where_seen, self.through(shown), self.through(visible), bare)
        return found, pooled(_largest(self.layer), opacity)


def _missing(values: Array) -> Array:
    missing: Array = np.isnan(values).astype(values.dtype)
    return missing


def _of_present(mean: Array, missing: Array) -> Array:
    """Rescale means to those of the present values, given the fraction of missing ones; NaN if all are missing."""
    there = 1 - missing
    mean_of_present: Array = np.divide(mean, there, where=there > NOISE, out=np.full_like(mean, np.nan))
    return mean_of_present


def _only_visible(least: float, colour: Array, opacity: Array) -> Array:
    """Replace the colours of transparent pixels by `least`."""
    return np.where(is_visible(opacity), colour, colour.dtype.type(least))


def _where_seen(shown: Array, visible: Array, bare: Array) -> Array:
    """Return the pool of the visible colours, or of all colours if nothing is visible."""
    return np.where(visible > 0, shown, bare)


def _largest(layer: AnyPool) -> AnyPool:
    """Return the max pool with the same windows."""
    if not isinstance(layer, LpPool):
        return layer
    window = {name: value for name, value in vars(layer).items() if name != "norm_type"}
    return MaxPool(**window)


@dataclass(frozen=True)
class ChannelPooled(Stage):
    """A pool over the channels of each pixel: over all of them, or over groups of `size` adjacent ones."""

    kind: str  # max, avg or lp
    size: int | None = None
    norm_type: float = 2

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Return no layers: there is no layer that slides over channels."""
        return ()

    def layer_texts(self) -> list[str]:
        """Return a description of the pool, as there is no such layer."""
        return [f"{self.kind}pool of {self.size or 'all'} channels"]

    def output_shape(self, shape: Shape) -> Shape:
        """Return the output shape, (groups, *spatial)."""
        channels, *size = shape
        each = self.size or channels
        if channels % each:
            raise ArgumentError(
                f"`pool_channels` cannot pool {channels} channels by {each}; take a number that divides "
                f"{channels}, or none for all of them"
            )
        return (channels // each, *size)

    def passes(self, shape: Shape) -> Iterator[Pass]:
        """Yield the cost of the pool as a pool with the channels as a spatial axis."""
        layer = self._layer(shape)
        yield Pass(layer, layer.cost((1, shape[0], prod(shape[1:]))), prod(self.output_shape(shape)))

    def _layer(self, shape: Shape, along: int = 0) -> Layer:
        """Return the 2-D pool layer that has the channels as axis `along`."""
        each = self.size or shape[0]
        window = (1, each) if along else (each, 1)
        if self.kind == "lp":
            return LpPool(norm_type=self.norm_type, kernel_size=window)
        return (MaxPool if self.kind == "max" else AvgPool)(kernel_size=window)

    def through(self, source: Source) -> Source:
        """Return the source of the pooled channels."""
        channels, *_ = self.output_shape(source.shape)
        return Mapped(self._pooled, source, channels=channels)

    def skipping(self, source: Source) -> Source:
        """Pool the present channels."""
        kept = Kept(source)
        channels, *_ = self.output_shape(source.shape)
        if self.kind == "avg":
            means = (self.through(each) for each in (Filled(kept), Mapped(_missing, kept)))
            return Mapped(_of_present, *means, channels=channels)
        there = ChannelPooled("max", self.size).through(presence(kept))
        return where_present(self.through(Filled(kept, -np.inf if self.kind == "max" else 0.0)), there)

    def _pooled(self, values: Array) -> Array:
        *size, channels = values.shape
        flat = values.reshape(1, 1, prod(size), channels)
        layer = self._layer((channels,), along=1)
        pooled: Array = backend.run_layer(layer, flat)
        return pooled.reshape(*size, -1)
