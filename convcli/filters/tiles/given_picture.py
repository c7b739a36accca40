"""The input picture of stages: its samples as sources of colours and opacity, and the dtype of the sums."""

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

MAX_FLOAT, MAX_INTEGER = 2.0**53, 2.0**63  # smaller integers are exact in float64 and int64


@dataclass(frozen=True)
class Given:
    """A picture to be filtered.

    pixels : (*spatial, C); the last channel is opacity if `has_alpha`
    zero : the sample that represents 0 in each channel, by default 0
    light : whether samples are sRGB and are filtered in linear light, except for opacity
    ends_in_alpha : whether the last channel is opacity, even if it is filtered like the others
    wide : whether floats are always summed in float64
    skips_nan : whether NaN is missing data; sums are then float64 as well
    """

    pixels: Samples
    has_alpha: bool = False
    zero: Zero | None = None
    light: bool = False
    ends_in_alpha: bool = False
    wide: bool = False
    skips_nan: bool = False

    @property
    def dtype(self) -> np.dtype[Any]:
        """The floating-point dtype that stages compute in.

        Colours that are multiplied by opacity and divided by it again are float64, so that they do not change.
        """
        wide = self.has_alpha or self.light or self.wide or self.skips_nan
        return np.dtype("float64") if wide else working_dtype(self.pixels.dtype)

    def shortest(self, stages: Sequence[Stage]) -> np.dtype[Any]:
        """Return the smallest float dtype whose values round to the right samples."""
        bare = not (self.has_alpha or self.light or self.wide or self.skips_nan) and self.zero is None
        return shortest(self.pixels.dtype, stages) if bare else self.dtype

    def in_integers(self, stages: Sequence[Stage]) -> bool:
        """Return whether the only stage sums integers that fit 64 bits but may not be exact in floats."""
        own = self.pixels.dtype
        if self.has_alpha or self.zero is not None or len(stages) > 1 or own.kind == "f" or is_small(own):
            return False
        limits = np.iinfo(own)
        most = stages[0].most_whole(float(max(limits.max, -int(limits.min))))
        if most is None or most < MAX_FLOAT:
            return False
        if most >= MAX_INTEGER and isinstance(self.pixels, np.ndarray):
            largest = max(int(self.pixels.max()), -int(self.pixels.min()))
            most = stages[0].most_whole(float(largest))
        return most is not None and most < MAX_INTEGER

    def sources(self, dtype: np.dtype[Any]) -> tuple[Source, Source | None]:
        """Return sources of the colours, in the picture's units or as linear light, and of the opacity, 0 to 1."""
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
    """Return the smallest float dtype that rounds to the right samples: float32 if it holds all sums of bytes."""
    if own == np.uint8 and stages and all(stage.selects for stage in stages[1:]):
        most = stages[0].whole_sums(np.iinfo(own).max)
        if most is not None and most < EXACT32:
            return np.dtype("float32")
    return working_dtype(own)


def stacked(frames: Sequence[Array], dims: int) -> Array:
    """Return the only frame as (H, W, C), or with 3 spatial axes all frames as (D, H, W, C)."""
    flat = [frame.reshape(*frame.shape[:2], -1) for frame in frames]
    return flat[0] if dims == 2 else np.stack(flat)


def _joined(colour: Array, opacity: Array) -> Array:
    """Concatenate colours and opacity as channels."""
    return np.concatenate([colour, opacity], axis=-1)
