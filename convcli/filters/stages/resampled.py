"""The stage that resizes a picture."""

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

SIGNED = ("lanczos", "cubic")  # the kernels with negative weights
MIN_SIGNED_SUM = 0.5  # least sum of the weights of present values for signed kernels, as these may cancel


@dataclass(frozen=True)
class Resizing(Stage):
    """Resize a picture by a resampling kernel; colours are weighted by alpha."""

    layer: Resample

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Return the resampling layer."""
        return (self.layer,)

    def layer_texts(self) -> list[str]:
        """Return a description of the size and the kernel."""
        return [f"resize {by_axes(self.layer.size)} {self.layer.method}"]

    def held(self, shape: Shape, tile: Sizes) -> Held:
        """Count the numbers held for a tile of the output."""
        return held_by(self.layer, shape, tile)

    def seen(self, shape: Shape, tile: Sizes) -> Sizes:
        """Return the input size of a tile, which is read in chunks of rows."""
        return seen_size(self.layer, tile)

    @property
    def selects(self) -> bool:
        """Whether samples are copied without interpolation."""
        return self.layer.method == "nearest"

    @property
    def is_mean(self) -> bool:
        """Whether every output is a weighted mean of its channel: the weights sum to 1."""
        return True

    def whole_sums(self, largest: float) -> float | None:
        """Return the largest value if values are copied, otherwise None."""
        return largest if self.selects else None

    def most_whole(self, largest: float) -> float | None:
        """Return the largest value if values are copied, otherwise None."""
        return largest if self.selects else None

    def through(self, source: Source) -> Source:
        """Return the resized source."""
        return Resampled(self.layer, source)

    def skipping(self, source: Source) -> Source:
        """Take the mean of the present values; for signed weights, if these sum to more than half of all weights."""
        if self.selects:
            return self.through(source)
        kept, filled = parted(source)
        least = MIN_SIGNED_SUM if self.layer.method in SIGNED else NOISE
        return MeanOfPresent(self.through(Kept(filled)), filled, self.through(presence(kept)), 1.0, least)

    def with_opacity(
        self, colour: Source, opacity: Source, premultiply: bool | None
    ) -> tuple[Source, Source]:
        """Divide the mean of colour * alpha by that of alpha, or without premultiplication use the nearest alpha.

        Without premultiplication, hidden neighbours count as having the colour of the nearest pixel.
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
