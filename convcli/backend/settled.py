"""Values that are known to within an error, and exactly where somebody asks: the way back into whole samples.

Sums in float64 depend in their last digits on the order in which a library adds. Whether a value is rounded up or
down must not: those too near to a half are settled by exact sums, in whole numbers of Python.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.backend.values import Extent, Filtered, Range, Zero, into_dtype

Array = NDArray[Any]
Exactly = Callable[
    [Array], Array
]  # from places, counted over all values, to the exact values at them as float64

# Of float64, relative to what is computed: more than the roundings between a value and its whole number.
ROUNDINGS = 2.0**-48
# What stands for any smaller distance from a half: float64 holds it beside every sample.
BESIDE = 2.0**-30
AT_ONCE = 1 << 16  # places: what is computed on the way stays small


@dataclass(frozen=True)
class Response:
    """What a kernel answers.

    values : ndarray, (H, W, ...), int64 or float64
    error : by less than this a value differs from the exact one, which `exactly` tells for some places; one number,
        or one for each value; None where the values are what they are
    """

    values: Array
    error: Array | float | None = None
    exactly: Exactly | None = None

    def extent(self) -> Extent | None:
        """Return the smallest and the largest value, as exact as they can be told."""
        if self.error is None:
            return Extent.of(self.values)
        values, ends = self.values.reshape(-1), []
        error = np.broadcast_to(self.error, self.values.shape).reshape(-1)
        for sign in (1, -1):
            signed = sign * values
            near = np.flatnonzero(signed - error <= (signed + error).min())
            ends.append(sign * float((sign * self._exact(near)).min()))
        return Extent(*ends)

    def near_halves(self, factor: float = 1.0, less: float = 0.0) -> "Response":
        """Return it with exact values wherever (value - less) * factor may round to either side."""
        if self.error is None:
            return self
        stretched = (self.values - less) * factor
        reach = self.error * abs(factor) + ROUNDINGS * (np.abs(stretched) + abs(less * factor) + 1)
        doubtful = np.flatnonzero(np.abs(stretched - np.floor(stretched) - 0.5) <= reach)
        values = self.values.copy()
        values.reshape(-1)[doubtful] = self._exact(doubtful)
        return replace(self, values=values, error=None)

    def _exact(self, places: Array) -> Array:
        """Return the exact values at some places, a few at a time."""
        assert self.exactly is not None, "asked only of responses that can tell"
        steps = range(0, len(places), AT_ONCE)
        return np.concatenate([[], *(self.exactly(places[start : start + AT_ONCE]) for start in steps)])


def fitted(
    response: Response,
    dtype: np.dtype[Any],
    value_range: Range,
    extent: Extent | None = None,
    zero: Zero | None = None,
) -> Filtered:
    """Bring a response back into a picture's dtype, as `into_dtype` does with values that are exact."""
    if response.error is not None and dtype.kind != "f":
        if value_range == "minmax":
            extent = extent or response.extent()
            least, most = extent or (0.0, 0.0)
            response = response.near_halves(np.iinfo(dtype).max / ((most - least) or 1.0), least)
        else:
            response = response.near_halves()
    return into_dtype(response.values, dtype, value_range, extent, zero)


def nearest(over: Array, under: Array | int) -> Array:
    """Return the float64 nearest to each quotient of whole numbers of Python, arrays of dtype object.

    One beside a half stays on its side: it is BESIDE away at the least.
    """
    below = over // under
    beside = 2 * (over - below * under) - under  # 0 at a half, negative below it
    values = (over / under).astype(np.float64)
    halves = below.astype(np.float64) + 0.5
    side = np.sign(beside).astype(np.float64)
    close = np.abs(values - halves) < BESIDE
    return np.where(close, halves + BESIDE * side, values)
