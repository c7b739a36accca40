"""The picture that stages run on: its samples as sources of colours and opacity, and the type they are summed in."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.backend.bands.sums_to_pixels import EXACT32
from convcli.backend.colour import light_of
from convcli.backend.values import Zero, full_scale, is_small, working_dtype
from convcli.filters.stages.stage import Stage
from convcli.filters.tiles.sources import Mapped, Pixels, Samples, Source

Array = NDArray[Any]
Sources = tuple[Source, Source | None]  # colours, and their opacity

MOST_FLOAT, MOST_INTEGER = 2.0**53, 2.0**63  # whole numbers below are float64, and int64, exactly


@dataclass(frozen=True)
class Given:
    """A picture that is to be filtered.

    pixels : (*spatial, C); the last channel is opacity where `has_alpha`
    zero : the sample of each channel that stands for 0, by default 0
    light : whether the samples stand for light, which is filtered instead; opacity does not, the last channel where
        `ends_in_alpha`, even if it is filtered as any other
    wide : whether floats are summed in float64, whatever they are
    """

    pixels: Samples
    has_alpha: bool = False
    zero: Zero | None = None
    light: bool = False
    ends_in_alpha: bool = False
    wide: bool = False

    @property
    def dtype(self) -> np.dtype[Any]:
        """The float that stages compute in.

        What is weighed by opacity and divided by it again is float64, so that it comes back as it was.
        """
        wide = self.has_alpha or self.light or self.wide
        return np.dtype("float64") if wide else working_dtype(self.pixels.dtype)

    def shortest(self, stages: Sequence[Stage]) -> np.dtype[Any]:
        """Return the float whose values round to the right samples."""
        bare = not (self.has_alpha or self.light or self.wide) and self.zero is None
        return shortest(self.pixels.dtype, stages) if bare else self.dtype

    def in_integers(self, stages: Sequence[Stage]) -> bool:
        """Return whether the sums of a stage alone are whole numbers that fit 64 bits, and may not fit floats."""
        own = self.pixels.dtype
        if self.has_alpha or self.zero is not None or len(stages) > 1 or own.kind == "f" or is_small(own):
            return False
        limits = np.iinfo(own)
        most = stages[0].most_whole(float(max(limits.max, -int(limits.min))))
        if most is None or most < MOST_FLOAT:
            return False
        if most >= MOST_INTEGER and isinstance(self.pixels, np.ndarray):
            largest = max(int(self.pixels.max()), -int(self.pixels.min()))
            most = stages[0].most_whole(float(largest))
        return most is not None and most < MOST_INTEGER

    def sources(self, dtype: np.dtype[Any]) -> tuple[Source, Source | None]:
        """Return the colours, in the picture's own units or as light, and the opacity, 0 to 1."""
        pixels = self.pixels
        table = light_of(pixels.dtype) if self.light else None
        if not self.has_alpha and not (self.light and self.ends_in_alpha):
            return Pixels(pixels, dtype, zero=self.zero, table=table), None
        colour = Pixels(pixels, dtype, slice(0, -1), zero=self.zero, table=table)
        opacity = Pixels(pixels, dtype, slice(-1, None), scale=full_scale(pixels.dtype))
        if self.has_alpha:
            return colour, opacity
        return Mapped(_joined, colour, opacity, channels=pixels.shape[-1]), None


def shortest(own: np.dtype[Any], stages: Sequence[Stage]) -> np.dtype[Any]:
    """Return the float that rounds to the right samples of a dtype: float32, where it holds all whole sums of bytes."""
    if own == np.uint8 and stages and all(stage.selects for stage in stages[1:]):
        most = stages[0].whole_sums(np.iinfo(own).max)
        if most is not None and most < EXACT32:
            return np.dtype("float32")
    return working_dtype(own)


def stacked(frames: Sequence[Array], dims: int) -> Array:
    """Return the only frame as (H, W, C), or for 3 axes all as (D, H, W, C)."""
    flat = [frame.reshape(*frame.shape[:2], -1) for frame in frames]
    return flat[0] if dims == 2 else np.stack(flat)


def _joined(colour: Array, opacity: Array) -> Array:
    """Return colours and opacity as channels of one picture."""
    return np.concatenate([colour, opacity], axis=-1)
