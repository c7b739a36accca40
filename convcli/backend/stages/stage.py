"""Stages: what one step of a filter does to a picture as an array (C, *spatial), alpha or not."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.backend.stages.linear import Map, Pass
from convcli.errors import ArgumentError
from convcli.kernels.kernel import Combine
from convcli.layers import Layer
from convcli.layers.axes import Shape
from convcli.layers.chain import shapes
from convcli.layers.counts import Cost
from convcli.layers.spelling import spell

Array = NDArray[Any]

FAINT = 1e-6  # of opaque: below it no alpha of 16 bits is left, and no colour to divide out


class Stage(ABC):
    """One step: the layers that it runs, what they make of a shape, and what it does to an array.

    layers : as records, for shapes and costs; (C, *spatial) goes in
    notes : what the user should know of it
    """

    notes: tuple[str, ...] = ()

    @property
    @abstractmethod
    def layers(self) -> tuple[Layer, ...]:
        """Return what is computed."""

    def output_shape(self, shape: Shape) -> Shape:
        """Return the shape that the stage makes of `shape`."""
        return shapes(self.layers, shape)[-1]

    def passes(self, shape: Shape) -> Iterator[Pass]:
        """Yield what is done to an input of `shape`."""
        for layer, after in zip(self.layers, shapes(self.layers, shape), strict=True):
            yield Pass(layer, layer.cost(shape), prod(after))
            shape = after

    def cost(self, shape: Shape) -> Cost:
        """Return the work for an input of `shape`."""
        return sum((each.cost for each in self.passes(shape)), Cost())

    def memory(self, shape: Shape) -> int:
        """Count the numbers that are held at once."""
        return 2 * prod(shape) + 2 * prod(self.output_shape(shape))

    def spelled(self) -> list[str]:
        """Return the layers as a chain spells them."""
        return [spell(layer) for layer in self.layers]

    @property
    def is_mean(self) -> bool:
        """Whether every output is a weighted mean of its own channel: colours may be weighed by alpha."""
        return False

    def check_premultiplying(self) -> None:
        """Raise ArgumentError where colours weighed by alpha were asked for and the stage cannot weigh them."""
        return

    @abstractmethod
    def __call__(self, x: Array) -> Array:
        """Run on x, (C, *spatial) of floats."""

    def with_alpha(self, colour: Array, opacity: Array, premultiply: bool | None) -> tuple[Array, Array]:
        """Run on colours beside their opacity, (1, *spatial) of 0 to 1, so that hidden colours never bleed.

        `premultiply` asks for colours weighed by alpha, or against it; None leaves it to the stage.
        """
        return self(colour), opacity


@dataclass(frozen=True)
class Weighted(Stage):
    """A convolution of any kind, or several whose answers are combined, divided and shifted.

    maps : one for each matrix of the kernel
    single : the same on one channel, where every channel is filtered alike and on its own
    total : what the weights of every output sum to, where the stage is a mean
    """

    maps: tuple[Map, ...]
    single: tuple[Map, ...] = ()
    total: float | None = None
    combine: Combine = "none"
    divisor: float = 1
    shift: float = 0
    notes: tuple[str, ...] = ()

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Return the layers of one matrix."""
        return self.maps[0].layers

    @property
    def is_mean(self) -> bool:
        """Whether no weight is negative and all outputs have the same sum of them."""
        return self.total is not None

    def output_shape(self, shape: Shape) -> Shape:
        """Return the shape that each map makes of `shape`."""
        return self.maps[0].output_shape(shape)

    def passes(self, shape: Shape) -> Iterator[Pass]:
        """Yield what all maps do."""
        for each in self.maps:
            yield from each.passes(shape)

    def memory(self, shape: Shape) -> int:
        """Count the numbers of the largest map, and the answers that wait for it."""
        waiting = (len(self.maps) - 1) * prod(self.output_shape(shape))
        return max(each.memory(shape) for each in self.maps) + waiting

    def __call__(self, x: Array) -> Array:
        """Run on x, (C, *spatial) of floats."""
        return self._answer([each(x) for each in self.maps])

    def _answer(self, parts: list[Array]) -> Array:
        y = combined(parts, self.combine)
        if self.divisor != 1:
            y = y / y.dtype.type(self.divisor)
        return y + y.dtype.type(self.shift) if self.shift else y

    def with_alpha(self, colour: Array, opacity: Array, premultiply: bool | None) -> tuple[Array, Array]:
        """Weigh colours by alpha where the stage is a mean; else a hidden neighbour has the pixel's own colour."""
        if premultiply is None:
            premultiply = self.is_mean
        if not premultiply:
            return self._kept(colour, opacity)
        self.check_premultiplying()
        return self._premultiplied(colour, opacity)

    def check_premultiplying(self) -> None:
        """Refuse what is no mean."""
        if not self.is_mean:
            raise ArgumentError(
                "`alpha='premultiply'` takes means, and a stage here is none: it needs weights >= 0 that sum to "
                "the same everywhere, above 0; use `alpha='keep'` or filter"
            )

    def _premultiplied(self, colour: Array, opacity: Array) -> tuple[Array, Array]:
        """Divide the mean of colour * alpha by that of alpha; where nothing is visible, colours are as they are.

        `constant` surrounds the picture with an opaque colour, `zeros` with nothing.
        """
        (whole,), (one,), total = self.maps, self.single, self.total
        assert total is not None
        weight = one(opacity, outside=1)
        weighed, hidden = whole(colour * opacity), whole(colour)
        seen = np.broadcast_to(weight > FAINT * total, weighed.shape)
        with np.errstate(all="ignore"):
            mean = np.divide(weighed, weight, where=seen, out=hidden / weight.dtype.type(total))
        mean *= mean.dtype.type(total / self.divisor)
        mean += mean.dtype.type(self.shift)
        return mean, (weight / weight.dtype.type(total)).clip(0, 1)

    def _kept(self, colour: Array, opacity: Array) -> tuple[Array, Array]:
        """Filter the colours and carry alpha along; a hidden neighbour has the colour of the pixel itself.

        sum(w * (v*c + (1-v)*own)) = sum(w * v * c) + own * sum(w * (1-v)), with v = 1 where visible, else 0.
        """
        outside = getattr(self.maps[0], "padding_value", 0.0)
        carried = self.maps[0].carry(opacity, 1.0)
        visible = opacity > 0
        if visible.all():
            return self(colour), carried
        own = self.maps[0].carry(colour, outside)
        missing = (~visible[0]).astype(colour.dtype)
        shown = colour * visible
        parts = [each(shown) for each in self.maps]
        for part, each in zip(parts, self.maps, strict=True):
            if self.single:
                part += own * each(np.broadcast_to(missing, colour.shape), outside=0, bias=False)
                continue
            for channel in range(len(colour)):  # the share of each in outputs that mix channels
                alone = np.zeros_like(colour)
                alone[channel] = missing
                part += own[channel] * each(alone, outside=0, bias=False)
        return self._answer(parts), carried


def combined(parts: list[Array], combine: Combine) -> Array:
    """Make one answer of those of a kernel's matrices."""
    if combine == "magnitude":
        total: Array = np.sqrt(sum(np.square(part) for part in parts))
        return total
    if combine == "largest":
        largest: Array = np.maximum.reduce(parts)
        return largest
    (only,) = parts
    return only
