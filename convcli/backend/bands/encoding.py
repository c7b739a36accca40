"""Conversion of sums of linear light to sRGB samples, within a tile."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from convcli.backend.bands.passes import Scratch
from convcli.backend.bands.sums_to_pixels import combine
from convcli.backend.colour import levels_of, light_of

Array = NDArray[Any]


class Encoding(NamedTuple):
    """The conversion of sums of linear light, float64, to sRGB samples of 8 or 16 bits.

    combine, offset, value_range : as in the kernel and the filter, in units of linear light, 0 to 1
    dtype : dtype of the picture
    """

    combine: str
    offset: float
    value_range: str
    dtype: np.dtype[Any]

    @property
    def table(self) -> Array:
        """The linear light of every sample value."""
        return light_of(self.dtype)

    def __call__(self, sums: list[Array], out: Array, _: Scratch) -> int:
        """Write samples to `out`, (rows, columns, channels); return how many were clipped."""
        light = combine(self.combine, sums)
        if self.offset:
            np.add(light, self.offset, out=light)
        if self.value_range == "abs":
            np.abs(light, out=light)
        elif self.value_range == "offset":
            np.add(light, 0.5, out=light)
        return levels_of(self.dtype)(light.reshape(out.shape), out)
