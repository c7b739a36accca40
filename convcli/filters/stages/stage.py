"""Stages: what one step of a filter does to a picture as an array (C, *spatial), alpha or not."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.backend.bands.sums_to_pixels import DIVISOR32, combine
from convcli.errors import ArgumentError
from convcli.filters.stages.linear_map import Map, Pass
from convcli.filters.tiles.alpha_rule import FAINT, hidden_share
from convcli.filters.tiles.alpha_sources import MeanOfVisible, Shown, WithOwn, in_channel
from convcli.filters.tiles.reach import Held, held
from convcli.filters.tiles.sources import Kept, Mapped, Source, evaluated, of_array, own
from convcli.kernels.kernel import Combine
from convcli.layers import Layer
from convcli.layers.axes import Shape, Sizes
from convcli.layers.chain import shapes
from convcli.layers.counts import Cost
from convcli.layers.text.spelling import spell

Array = NDArray[Any]


class Stage(ABC):
    """One step: the layers that it runs, what they make of a shape, and what it does to an array.

    layers : as records, for shapes and costs; (C, *spatial) goes in
    """

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know of it."""
        return ()

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

    def held(self, shape: Shape, tile: Sizes) -> Held:
        """Count what is held for a tile of the output."""
        return held(self.layers, shape, tile)

    def seen(self, shape: Shape, tile: Sizes) -> Sizes:
        """Return how much of the input is looked at for a tile of the output."""
        return self.held(shape, tile).tile

    def spelled(self) -> list[str]:
        """Return the layers as a chain spells them."""
        return [spell(layer) for layer in self.layers]

    @property
    def is_mean(self) -> bool:
        """Whether every output is a weighted mean of its own channel: colours may be weighed by alpha."""
        return False

    def whole_sums(self, largest: float) -> float | None:
        """Return what no sum exceeds for whole values up to `largest`, where all sums are whole; else None.

        The values that come out are such sums, or roots or quotients of them that are rounded as the exact ones.
        """
        return None

    def most_whole(self, largest: float) -> float | None:
        """Return what no sum of whole values up to `largest` exceeds, which a shift is part of; else None."""
        return None

    @property
    def selects(self) -> bool:
        """Whether every value that comes out is one that went in, or 0, but for its sign."""
        return False

    def check_premultiplying(self) -> None:
        """Raise ArgumentError where colours weighed by alpha were asked for and the stage cannot weigh them."""
        return

    @abstractmethod
    def through(self, source: Source) -> Source:
        """Return what the stage makes of a source, which it may ask for the same region several times."""

    def beside(self, colour: Source, opacity: Source, premultiply: bool | None) -> tuple[Source, Source]:
        """Return what it makes of colours beside their opacity, of 0 to 1, so that hidden colours never bleed.

        `premultiply` asks for colours weighed by alpha, or against it; None leaves it to the stage.
        """
        return self.through(colour), opacity

    def __call__(self, x: Array) -> Array:
        """Run on x, (C, *spatial) of floats."""
        return evaluated(self.through(Kept(of_array(x))))


@dataclass(frozen=True)
class Weighted(Stage):
    """A convolution of any kind, or several whose answers are combined, divided and shifted.

    maps : one for each matrix of the kernel
    single : the same on one channel, where every channel is filtered alike and on its own
    total : what the weights of every output sum to, where the stage is a mean
    faint : the opacity up to which a mean of colours sees none of them
    """

    maps: tuple[Map, ...]
    single: tuple[Map, ...] = ()
    total: float | None = None
    combine: Combine = "none"
    divisor: float = 1
    shift: float = 0
    notes: tuple[str, ...] = ()
    faint: float = FAINT

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

    def whole_sums(self, largest: float) -> float | None:
        """Look at the weights of every map, and at what is made of their sums."""
        most = self._whole_sum(largest)
        if most is None or self.shift or not 0 < self.divisor < DIVISOR32 or self.divisor % 1:
            return None
        # A root of 12 bits may round to an odd divisor's half; one of 11 never does.
        return (
            most
            if self.combine != "magnitude"
            else len(self.maps) * most**2 * (1 if self.divisor == 1 else 4)
        )

    def _whole_sum(self, largest: float) -> float | None:
        """Return what no sum of a map exceeds, where all sums of whole values up to `largest` are whole."""
        sums = [each.whole_sum(largest) for each in self.maps]
        return None if any(each is None for each in sums) else max(filter(None, sums), default=0.0)

    def most_whole(self, largest: float) -> float | None:
        """Add to the sums what answers are shifted by."""
        most = self._whole_sum(largest)
        return None if most is None else most + abs(self.shift)

    def passes(self, shape: Shape) -> Iterator[Pass]:
        """Yield what all maps do."""
        for each in self.maps:
            yield from each.passes(shape)

    def held(self, shape: Shape, tile: Sizes) -> Held:
        """Count what all maps hold."""
        each = [one.held(shape, tile) for one in self.maps]
        return Held(sum(one.numbers for one in each), each[0].tile)

    def through(self, source: Source) -> Source:
        """Return the combined answer of all maps."""
        return Mapped(self._answer, *(each(source) for each in self.maps))

    def _answer(self, *parts: Array) -> Array:
        sums = [own(part) for part in parts]
        if self.combine == "magnitude":  # whose squares may not fit whole numbers
            sums = [part.astype(np.float64) if part.dtype.kind == "i" else part for part in sums]
        y = combine(self.combine, sums)
        if y.dtype.kind == "i" and (self.divisor != 1 or self.shift % 1):
            y = y.astype(np.float64)
        if self.divisor != 1:
            np.divide(y, y.dtype.type(self.divisor), out=y)
        return np.add(y, y.dtype.type(self.shift), out=y) if self.shift else y

    def beside(self, colour: Source, opacity: Source, premultiply: bool | None) -> tuple[Source, Source]:
        """Weigh colours by alpha where the stage is a mean; else a hidden neighbour has the pixel's own colour."""
        if premultiply is None:
            premultiply = self.is_mean
        if not premultiply:
            return self._keeping(colour, opacity)
        self.check_premultiplying()
        return self._premultiplied(colour, opacity)

    def check_premultiplying(self) -> None:
        """Refuse what is no mean."""
        if not self.is_mean:
            raise ArgumentError(
                "`alpha='premultiply'` takes means, and a stage here is none: it needs weights >= 0 that sum to "
                "the same everywhere, above 0; use `alpha='keep'` or filter"
            )

    def _premultiplied(self, colour: Source, opacity: Source) -> tuple[Source, Source]:
        """Divide the mean of colour * alpha by that of alpha; where nothing is visible, colours are as they are.

        `constant` surrounds the picture with an opaque colour, `zeros` with nothing.
        """
        (whole,), (one,), total = self.maps, self.single, self.total
        assert total is not None
        weight = Kept(one(opacity, outside=1))
        weighed = whole(Kept(Mapped(np.multiply, colour, opacity)))
        share = Mapped(lambda weight: (weight / weight.dtype.type(total)).clip(0, 1), weight)
        linear = total / self.divisor, self.shift
        return MeanOfVisible(weighed, whole(colour), weight, total, linear, self.faint), share

    def _keeping(self, colour: Source, opacity: Source) -> tuple[Source, Source]:
        """Filter the colours and carry alpha along; a hidden neighbour has the colour of the pixel itself.

        sum(w * (v*c + (1-v)*own)) = sum(w * v * c) + own * sum(w * (1-v)), with v = 1 where visible, else 0.
        """
        first = self.maps[0]
        middles = Kept(first.carry(colour, first.padding_value))
        missing = Mapped(hidden_share, opacity)
        seen = Shown(colour, opacity)
        shown = Kept(seen)
        parts: list[Source] = []
        for number, each in enumerate(self.maps):
            if self.single:
                hidden = [self.single[number](missing, outside=0, bias=False)]
            else:  # the share of each channel in outputs that mix them
                hidden = [
                    each(
                        Mapped(
                            partial(in_channel, channel, colour.shape[0]), missing, channels=colour.shape[0]
                        ),
                        outside=0,
                        bias=False,
                    )
                    for channel in range(colour.shape[0])
                ]
            parts.append(WithOwn(each(shown), middles, hidden, seen))
        return Mapped(self._answer, *parts), first.carry(opacity, 1.0)
