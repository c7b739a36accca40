"""Recurrent convolution: a layer sees the picture again, and beside it what it has answered before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.filters.stages.linear_map import Pass
from convcli.filters.stages.stage import Stage
from convcli.filters.tiles.reach import Held
from convcli.filters.tiles.sources import Kept, Mapped, Source
from convcli.layers import Layer
from convcli.layers.axes import Shape, Sizes

Array = NDArray[Any]


@dataclass(frozen=True)
class BesideZeros(Stage):
    """The picture with as many channels of zeros behind it as the layer has answers: those before the first."""

    answers: int

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Return nothing: it computes nothing."""
        return ()

    def output_shape(self, shape: Shape) -> Shape:
        """Return the shape with the channels of the answers."""
        return (shape[0] + self.answers, *shape[1:])

    def held(self, shape: Shape, tile: Sizes) -> Held:
        """Count the picture, and the picture beside zeros."""
        return Held((2 * shape[0] + self.answers) * prod(tile), tile)

    def through(self, source: Source) -> Source:
        """Return the source beside zeros."""
        return Mapped(self._widened, source, channels=source.shape[0] + self.answers)

    def _widened(self, values: Array) -> Array:
        return np.concatenate([values, np.zeros((*values.shape[:-1], self.answers), values.dtype)], axis=-1)


@dataclass(frozen=True)
class Recurred(Stage):
    """A layer on the picture and its last answer, (C + O): makes the next answer, (O), beside the picture or alone.

    stages : the layer, and the activation behind it
    carried : channels of the picture that are handed on; 0 of the last answer
    """

    stages: tuple[Stage, ...]
    carried: int

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Return the layers of all stages."""
        return tuple(layer for stage in self.stages for layer in stage.layers)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the stages have to say."""
        return tuple(note for stage in self.stages for note in stage.notes)

    def output_shape(self, shape: Shape) -> Shape:
        """Return the shape of the answer, with the channels that are handed on."""
        for stage in self.stages:
            shape = stage.output_shape(shape)
        return (shape[0] + self.carried, *shape[1:])

    def passes(self, shape: Shape) -> Iterator[Pass]:
        """Yield what all stages do."""
        for stage in self.stages:
            yield from stage.passes(shape)
            shape = stage.output_shape(shape)

    def held(self, shape: Shape, tile: Sizes) -> Held:
        """Count what all stages hold, and the answer beside the picture."""
        shapes = [shape]
        for stage in self.stages:
            shapes.append(stage.output_shape(shapes[-1]))
        numbers = (2 * self.carried + shapes[-1][0]) * prod(tile)
        for stage, before in zip(reversed(self.stages), reversed(shapes[:-1]), strict=True):
            found = stage.held(before, tile)
            numbers, tile = numbers + found.numbers, found.tile
        return Held(numbers, tile)

    def through(self, source: Source) -> Source:
        """Return the answer, beside the picture where that is handed on."""
        source = Kept(source)
        answer: Source = source
        for stage in self.stages:
            answer = stage.through(answer)
        if not self.carried:
            return answer
        return Mapped(self._beside, source, answer, channels=self.carried + answer.shape[0])

    def _beside(self, given: Array, answer: Array) -> Array:
        return np.concatenate([given[..., : self.carried], answer], axis=-1)
