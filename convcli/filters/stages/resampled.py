"""A picture that gets another size: the stage of `resize`."""

from dataclasses import dataclass, replace

import numpy as np

from convcli.filters.stages.stage import Stage
from convcli.filters.tiles.alpha_rule import NOISE, hidden_share
from convcli.filters.tiles.alpha_sources import MeanOfVisible, Shown, WithOwn
from convcli.filters.tiles.missing_sources import MeanOfPresent, parted, presence
from convcli.filters.tiles.reach import Held
from convcli.filters.tiles.resampled_sources import Resampled, held_by, seen_size
from convcli.filters.tiles.sources import Kept, Mapped, Source
from convcli.layers import Layer
from convcli.layers.axes import Shape, Sizes, by_axes
from convcli.layers.resample import Resample

SIGNED = ("lanczos", "cubic")  # the kernels with weights below 0
MOST = 0.5  # of the weights: below, what is known may weigh nothing, or less


@dataclass(frozen=True)
class Resizing(Stage):
    """Another number of rows and columns, by a resampling kernel; colours are weighed by alpha."""

    layer: Resample

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Return the resampling."""
        return (self.layer,)

    def spelled(self) -> list[str]:
        """Return the size and the kernel in words."""
        return [f"resize {by_axes(self.layer.size)} {self.layer.method}"]

    def held(self, shape: Shape, tile: Sizes) -> Held:
        """Count what is held for a tile of the output."""
        return held_by(self.layer, shape, tile)

    def seen(self, shape: Shape, tile: Sizes) -> Sizes:
        """Return all that is looked at for a tile, some rows of it at a time."""
        return seen_size(self.layer, tile)

    @property
    def selects(self) -> bool:
        """Whether samples are copied."""
        return self.layer.method == "nearest"

    @property
    def is_mean(self) -> bool:
        """Whether every output is a weighted mean of its own channel, of weights that sum to 1."""
        return True

    def whole_sums(self, largest: float) -> float | None:
        """Return the largest value, where values are copied."""
        return largest if self.selects else None

    def most_whole(self, largest: float) -> float | None:
        """Return the largest value, where values are copied."""
        return largest if self.selects else None

    def through(self, source: Source) -> Source:
        """Return each channel in the other size."""
        return Resampled(self.layer, source)

    def skipping(self, source: Source) -> Source:
        """Take the mean of what is there; by weights of both signs, where they add up to more than half of all."""
        if self.selects:
            return self.through(source)
        kept, filled = parted(source)
        least = MOST if self.layer.method in SIGNED else NOISE
        return MeanOfPresent(self.through(Kept(filled)), filled, self.through(presence(kept)), 1.0, least)

    def beside(self, colour: Source, opacity: Source, premultiply: bool | None) -> tuple[Source, Source]:
        """Divide the mean of colour * alpha by that of alpha; or, not to premultiply, take the nearest alpha.

        Then a hidden neighbour counts as having the colour of the nearest pixel.
        """
        if self.selects:
            return self.through(colour), self.through(opacity)
        if premultiply is not False:
            weight = Kept(self.through(opacity))
            weighed = self.through(Mapped(np.multiply, colour, opacity))
            share = Mapped(lambda weight: weight.clip(0, 1), weight)
            return MeanOfVisible(weighed, self.through(colour), weight, 1.0), share
        nearest = Resizing(replace(self.layer, method="nearest"))
        shown = Shown(colour, opacity)
        hidden = self.through(Mapped(hidden_share, opacity))
        kept = WithOwn(self.through(Kept(shown)), nearest.through(colour), [hidden], shown)
        return kept, nearest.through(opacity)
