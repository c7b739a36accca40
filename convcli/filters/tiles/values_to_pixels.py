"""Convert the values of stages to pixels: scale, range and opacity; and count clipped samples."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.backend.colour import LIGHT, from_light
from convcli.backend.values import (
    LEVEL_PARTS,
    Extent,
    Range,
    Zero,
    full_scale,
    in_parts,
    into_dtype,
    round_into,
)
from convcli.filters.tiles.sources import Region, own
from convcli.layers.axes import Shape

Array = NDArray[Any]


@dataclass(frozen=True)
class Finish:
    """How the values of tiles become pixels.

    own : dtype of the input picture, in whose units the values are
    dtype : dtype of the output; if it differs, white is scaled to the new white
    value_range : None for values that stay floats
    extent : the range that `minmax` stretches
    stretched : the range that is reported
    zero : the sample that represents 0 in each channel
    light : whether the values are linear light, 0 to 1, to be encoded as sRGB
    ends_in_alpha : whether the last channel is opacity, which is not encoded
    """

    own: np.dtype[Any]
    dtype: np.dtype[Any]
    value_range: Range | None = "clip"
    extent: Extent | None = None
    stretched: Extent | None = None
    zero: Zero | None = None
    light: bool = False
    ends_in_alpha: bool = False

    def blank(self, shape: Shape, has_alpha: bool) -> Array:
        """Return uninitialised pixels for maps (C, *spatial)."""
        count, *size = shape
        return np.empty((*size, count + has_alpha), self.dtype)

    def __call__(self, colour: Array, opacity: Array | None, out: Array, region: Region) -> int:
        """Write a region of the pixels; return the number of clipped samples of colour."""
        clipped = self._fit(colour, out[(*region, slice(0, colour.shape[-1]))])
        if opacity is not None:
            self._fit_opacity(own(opacity), out[(*region, slice(-1, None))])
        return clipped

    @np.errstate(over="ignore")  # values too large for the dtype become infinite
    def _fit(self, colour: Array, out: Array) -> int:
        """Write values, which are modified, as samples; return the number of clipped samples."""
        if self.value_range is None:
            # Adding 0.0 turns -0.0 into 0.0 for integer samples, which have no negative zero.
            np.add(colour, 0.0 if self.own.kind != "f" else -0.0, out=out, casting="unsafe")
            return 0
        if self.value_range == "minmax":
            colour = self.settled(colour)
        if self.light:
            light = into_dtype(colour, colour.dtype, self.value_range, self.extent).pixels
            out[...], share = from_light(light, self.dtype, self.ends_in_alpha)
            return round(share * out.size)
        if self.dtype != self.own and self.value_range != "minmax":
            colour *= colour.dtype.type(full_scale(self.dtype) / full_scale(self.own))
        if self.dtype.kind != "f" and self.value_range != "minmax":
            return round_into(colour, out, self.value_range, self.zero)
        if self.dtype.kind != "f" and self.zero is None:
            stretched = (self.extent or Extent(0, 0)).stretched(colour, full_scale(self.dtype))
            return round_into(stretched, out, "clip")
        fitted = into_dtype(colour, self.dtype, self.value_range, self.extent, self.zero, round_parts=True)
        out[...] = fitted.pixels
        return round(fitted.clipped * out.size)

    def extent_of(self, values: Array) -> Extent | None:
        """Return the smallest and the largest finite value, for `minmax`; None if no value is finite."""
        found = Extent.of(values)
        if found is None or values.dtype.kind != "f":
            return found
        ends = self.settled(np.array(found, values.dtype))  # `settled` keeps the order of values
        return Extent(*map(float, ends)) if np.isfinite(ends).all() else Extent.of(self.settled(own(values)))

    def settled(self, values: Array) -> Array:
        """Round the values of integer samples or light to small fractions, so that `minmax` does not stretch noise."""
        if values.dtype.kind == "f" and (self.light or self.own.kind != "f"):
            return in_parts(values, LIGHT if self.light else LEVEL_PARTS)
        return values

    def _fit_opacity(self, opacity: Array, out: Array) -> None:
        """Write opacity (0 to 1), which is modified, as samples."""
        raw = self.value_range is None
        opacity *= opacity.dtype.type(full_scale(self.own if raw else self.dtype))
        if raw or self.dtype.kind == "f":
            np.copyto(out, opacity, casting="unsafe")
        else:
            round_into(opacity, out, "clip")
