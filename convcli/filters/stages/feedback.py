"""Recurrent convolution: the input of each repeat is the picture together with the previous output."""

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
class WithZeros(Stage):
    """The picture with channels of zeros appended, which stand for the output before the first repeat."""

    answers: int

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Return no layers."""
        return ()

    def output_shape(self, shape: Shape) -> Shape:
        """Return the shape with the appended channels."""
        return (shape[0] + self.answers, *shape[1:])

    def held(self, shape: Shape, tile: Sizes) -> Held:
        """Count the numbers of the picture without and with the appended channels."""
        return Held((2 * shape[0] + self.answers) * prod(tile), tile)

    def through(self, source: Source) -> Source:
        """Return the source with zeros appended."""
        return Mapped(self._widened, source, channels=source.shape[0] + self.answers)

    def _widened(self, values: Array) -> Array:
        return np.concatenate([values, np.zeros((*values.shape[:-1], self.answers), values.dtype)], axis=-1)


@dataclass(frozen=True)
class Recurred(Stage):
    """One repeat: from the picture and the previous output, C + O channels, to the picture and the next output.

    stages : the layer and its activation
    carried : channels of the picture that are passed on; 0 in the last repeat
    """

    stages: tuple[Stage, ...]
    carried: int

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Return the layers of all stages."""
        return tuple(layer for stage in self.stages for layer in stage.layers)

    @property
    def notes(self) -> tuple[str, ...]:
        """The notes of the stages."""
        return tuple(note for stage in self.stages for note in stage.notes)

    def output_shape(self, shape: Shape) -> Shape:
        """Return the shape of the output, including the channels that are passed on."""
        for stage in self.stages:
            shape = stage.output_shape(shape)
        return (shape[0] + self.carried, *shape[1:])

    def passes(self, shape: Shape) -> Iterator[Pass]:
        """Yield the passes of all stages."""
        for stage in self.stages:
            yield from stage.passes(shape)
            shape = stage.output_shape(shape)

    def held(self, shape: Shape, tile: Sizes) -> Held:
        """Count the numbers that all stages hold, and those of the picture with the output."""
        shapes = [shape]
        for stage in self.stages:
            shapes.append(stage.output_shape(shapes[-1]))
        numbers = (2 * self.carried + shapes[-1][0]) * prod(tile)
        for stage, before in zip(reversed(self.stages), reversed(shapes[:-1]), strict=True):
            found = stage.held(before, tile)
            numbers, tile = numbers + found.numbers, found.tile
        return Held(numbers, tile)

    def through(self, source: Source) -> Source:
        """Return the output, after the channels of the picture if those are passed on."""
        source = Kept(source)
        answer: Source = source
        for stage in self.stages:
            answer = stage.through(answer)
        if not self.carried:
            return answer
        return Mapped(self._with_channels, source, answer, channels=self.carried + answer.shape[0])

    def _with_channels(self, given: Array, answer: Array) -> Array:
        return np.concatenate([given[..., : self.carried], answer], axis=-1)
