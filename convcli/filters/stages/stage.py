"""Stages: the steps of a filter, applied to pictures (C, *spatial) with or without alpha."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.backend.bands.sums_to_pixels import DIVISOR32, combine
from convcli.backend.values import LEVEL_PARTS
from convcli.errors import ArgumentError
from convcli.filters.stages.linear_map import Map, Pass
from convcli.filters.tiles.alpha_rule import FAINT, hidden_share
from convcli.filters.tiles.alpha_sources import MeanOfVisible, Shown, WithOwn, in_channel
from convcli.filters.tiles.missing_sources import MeanOfPresent, parted, presence, where_present
from convcli.filters.tiles.reach import Held, held
from convcli.filters.tiles.sources import Kept, Mapped, Source, evaluated, of_array, own
from convcli.kernels.kernel import Combine
from convcli.layers import Layer
from convcli.layers.axes import Shape, Sizes
from convcli.layers.chain import shapes
from convcli.layers.counts import Cost
from convcli.layers.text.format_layer import format_layer

Array = NDArray[Any]


class Stage(ABC):
    """One step of a filter: its layers, for shapes and costs, and its computation on sources.

    layers : the layers of an input (C, *spatial)
    """

    @property
    def notes(self) -> tuple[str, ...]:
        """Notes for the user."""
        return ()

    @property
    @abstractmethod
    def layers(self) -> tuple[Layer, ...]:
        """Return the layers."""

    def output_shape(self, shape: Shape) -> Shape:
        """Return the output shape for an input of `shape`."""
        return shapes(self.layers, shape)[-1]

    def passes(self, shape: Shape) -> Iterator[Pass]:
        """Yield the passes for an input of `shape`."""
        for layer, after in zip(self.layers, shapes(self.layers, shape), strict=True):
            yield Pass(layer, layer.cost(shape), prod(after))
            shape = after

    def cost(self, shape: Shape) -> Cost:
        """Return the cost for an input of `shape`."""
        return sum((each.cost for each in self.passes(shape)), Cost())

    def held(self, shape: Shape, tile: Sizes) -> Held:
        """Count the numbers held for a tile of the output."""
        return held(self.layers, shape, tile)

    def seen(self, shape: Shape, tile: Sizes) -> Sizes:
        """Return the size of the input that a tile of the output is computed from."""
        return self.held(shape, tile).tile

    def layer_texts(self) -> list[str]:
        """Return the layers in the notation of chains."""
        return [format_layer(layer) for layer in self.layers]

    @property
    def is_mean(self) -> bool:
        """Whether every output is a weighted mean of its channel, so that colours can be premultiplied."""
        return False

    def whole_sums(self, largest: float) -> float | None:
        """Return an upper bound of all sums for integer values up to `largest`; None unless all sums are integers.

        The outputs are such sums, or roots or quotients of them that round like the exact ones.
        """
        return None

    def most_whole(self, largest: float) -> float | None:
        """Return an upper bound of all sums plus the shift for integer values up to `largest`, or None."""
        return None

    @property
    def selects(self) -> bool:
        """Whether the absolute value of every output is that of an input, or 0."""
        return False

    def check_premultiplying(self) -> None:
        """Raise ArgumentError if premultiplication was requested and the stage does not support it."""
        return

    @abstractmethod
    def through(self, source: Source) -> Source:
        """Return the output source; it may request the same region of `source` several times."""

    def with_opacity(
        self, colour: Source, opacity: Source, premultiply: bool | None
    ) -> tuple[Source, Source]:
        """Return the outputs for colours and their opacity (0 to 1), such that transparent colours never bleed.

        `premultiply` says whether to premultiply colours by alpha; None leaves the choice to the stage.
        """
        return self.through(colour), opacity

    def skipping(self, source: Source) -> Source:
        """Return the output for a source in which NaN is missing data; NaN where all values are missing."""
        return self.through(source)

    def __call__(self, x: Array) -> Array:
        """Run the stage on x, floats of shape (C, *spatial)."""
        return evaluated(self.through(Kept(of_array(x))))


@dataclass(frozen=True)
class Weighted(Stage):
    """A convolution of any kind, or several whose outputs are combined, divided and shifted.

    maps : one map for each matrix of the kernel
    single : the same maps for one channel, if all channels are filtered separately with the same weights
    total : sum of the weights of every output, if the stage is a mean
    faint : opacity up to which colours count as invisible in a mean
    """

    maps: tuple[Map, ...]
    single: tuple[Map, ...] = ()
    total: float | None = None
    combine: Combine = "none"
    divisor: float = 1
    shift: float = 0
    notes: tuple[str, ...] = ()
    faint: float = FAINT
    threshold: float = 0.0

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Return the layers of the first matrix."""
        return self.maps[0].layers

    @property
    def is_mean(self) -> bool:
        """Whether no weight is negative and the weights of all outputs have the same sum."""
        return self.total is not None

    def output_shape(self, shape: Shape) -> Shape:
        """Return the output shape of each map for an input of `shape`."""
        return self.maps[0].output_shape(shape)

    def whole_sums(self, largest: float) -> float | None:
        """Bound the sums by the weights of all maps and by what is computed from the sums."""
        most = self._whole_sum(largest)
        if most is None or self.shift or not 0 < self.divisor < DIVISOR32 or self.divisor % 1:
            return None
        # A 12-bit root may round to a half after an odd divisor; an 11-bit one never does.
        return (
            most
            if self.combine != "magnitude"
            else len(self.maps) * most**2 * (1 if self.divisor == 1 else 4)
        )

    def _whole_sum(self, largest: float) -> float | None:
        """Return an upper bound of the sums of all maps; None unless all sums are integers."""
        if self.threshold:
            return None
        sums = [each.whole_sum(largest) for each in self.maps]
        return None if any(each is None for each in sums) else max(filter(None, sums), default=0.0)

    def most_whole(self, largest: float) -> float | None:
        """Bound the sums plus the shift."""
        most = self._whole_sum(largest)
        return None if most is None else most + abs(self.shift)

    def passes(self, shape: Shape) -> Iterator[Pass]:
        """Yield the passes of all maps."""
        for each in self.maps:
            yield from each.passes(shape)

    def held(self, shape: Shape, tile: Sizes) -> Held:
        """Count the numbers that all maps hold."""
        each = [one.held(shape, tile) for one in self.maps]
        return Held(sum(one.numbers for one in each), each[0].tile)

    def through(self, source: Source) -> Source:
        """Return the combined output of all maps."""
        return Mapped(self._answer, *(each(source) for each in self.maps))

    def _answer(self, *parts: Array) -> Array:
        sums = [own(part) for part in parts]
        if self.combine == "magnitude":  # squares may overflow integers
            sums = [part.astype(np.float64) if part.dtype.kind == "i" else part for part in sums]
        # Without a threshold the product is no number where the divisor is infinite.
        limit = self.threshold * abs(self.divisor) if self.threshold else 0.0
        y = _thresholded(sums, limit) if limit else combine(self.combine, sums)
        if y.dtype.kind == "i" and (self.divisor != 1 or self.shift % 1):
            y = y.astype(np.float64)
        if self.divisor != 1:
            np.divide(y, y.dtype.type(self.divisor), out=y)
        return np.add(y, y.dtype.type(self.shift), out=y) if self.shift else y

    def skipping(self, source: Source) -> Source:
        """Take the mean of the present values; unless it is a mean, missing neighbours have the pixel's own value."""
        kept, filled = parted(source)
        if self.total is None:
            there = Kept(presence(kept, joint=not self.single))
            return where_present(*self._keeping(Kept(filled), there))
        (whole,) = self.maps
        weights = _among_ones(whole)(presence(kept))
        return Mapped(self._answer, MeanOfPresent(whole(Kept(filled)), filled, weights, self.total))

    def with_opacity(
        self, colour: Source, opacity: Source, premultiply: bool | None
    ) -> tuple[Source, Source]:
        """Premultiply colours if the stage is a mean; otherwise hidden neighbours count as the pixel's own colour."""
        if premultiply is None:
            premultiply = self.is_mean
        if not premultiply:
            return self._keeping(colour, opacity)
        self.check_premultiplying()
        return self._premultiplied(colour, opacity)

    def check_premultiplying(self) -> None:
        """Raise ArgumentError unless the stage is a mean."""
        if not self.is_mean:
            raise ArgumentError(
                "`alpha='premultiply'` needs a weighted mean, and a stage is none: its weights must be >= 0 and have "
                "the same sum, above 0, for every output; use `alpha='keep'` or filter"
            )

    def _premultiplied(self, colour: Source, opacity: Source) -> tuple[Source, Source]:
        """Divide the mean of colour * alpha by that of alpha; where nothing is visible, average the bare colours.

        The padding of `constant` is opaque, that of `zeros` is transparent.
        """
        (whole,), (one,), total = self.maps, self.single, self.total
        assert total is not None
        weight = Kept(one(opacity, outside=1))
        weighed = whole(Kept(Mapped(np.multiply, colour, opacity)))
        share = Mapped(lambda weight: (weight / weight.dtype.type(total)).clip(0, 1), weight)
        linear = total / self.divisor, self.shift
        return MeanOfVisible(weighed, whole(colour), weight, total, linear, self.faint), share

    def _keeping(self, colour: Source, opacity: Source) -> tuple[Source, Source]:
        """Filter the colours and keep alpha; hidden neighbours count as having the colour of the pixel itself.

        sum(w * (v*c + (1-v)*own)) = sum(w * v * c) + own * sum(w * (1-v)), with v = 1 where visible, else 0.
        """
        first = self.maps[0]
        middles = Kept(first.carry(colour, first.padding_value))
        missing = Mapped(hidden_share, opacity)
        seen = Shown(colour, opacity)
        shown = Kept(seen)
        parts: list[Source] = []
        for number, each in enumerate(self.maps):
            if self.single:  # also if every channel has its own opacity
                hidden = [self.single[number](missing, outside=0, bias=False)]
            else:  # the weight of each input channel in outputs that mix channels
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


def _thresholded(sums: list[Array], threshold: float) -> Array:
    """Add the second sum to the first where its absolute value exceeds a threshold by more than rounding errors."""
    y, detail = sums
    exceeds = np.abs(detail) > threshold * (1 + 1 / LEVEL_PARTS)
    sharpened: Array = np.add(y, detail, where=exceeds, out=y)
    return sharpened


def _among_ones(linear: Map) -> Map:
    """Return a map for presence weights: with constant padding, values beyond the border are present."""
    given: Any = linear
    mode = "constant" if given.padding_mode == "zeros" else given.padding_mode
    among_ones: Map = replace(given, padding_mode=mode, padding_value=1.0)
    return among_ones
