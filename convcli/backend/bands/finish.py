"""From sums back to pixels, inside the tile: combine, divide, shift, round half to even, clip."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.backend.bands.passes import Scratch

Array = NDArray[Any]

EXACT32 = 1 << 24  # whole numbers below are float32 exactly
# Below this divisor a quotient of 8 bits is nearer to its float32 than to the next half, so it rounds as it should.
DIVISOR32 = 1 << 13


@dataclass(frozen=True)
class Finish:
    """How the responses of one kernel become pixels.

    most : what no sum of any matrix exceeds, or a little more; combine and divisor : as of the kernel;
    value_range : clip, abs or offset; dtype : the picture's; can_clip : whether values may leave its range
    """

    combine: str
    divisor: float
    value_range: str
    dtype: np.dtype[Any]
    most: float
    can_clip: bool

    def __call__(self, sums: list[Array], out: Array, scratch: Scratch) -> int:
        """Write pixels to `out`, (rows, columns, channels), and return how many samples were clipped."""
        values = self._magnitude(sums, scratch) if self.combine == "magnitude" else sums[0]
        if self.divisor != 1:
            values = self._float(values, scratch, self.most, self.divisor)
            np.divide(values, values.dtype.type(self.divisor), out=values)
        if self.value_range == "abs":
            np.abs(values, out=values)
        elif self.value_range == "offset":
            middle = 0.5 if self.dtype.kind == "f" else (int(np.iinfo(self.dtype).max) + 1) // 2
            np.add(values, values.dtype.type(middle), out=values)
        if self.dtype.kind == "f":
            np.copyto(out, values.reshape(out.shape), casting="unsafe")
            return 0
        if values.dtype.kind == "f":
            np.rint(values, out=values)
        clipped = 0
        if self.can_clip:
            values, clipped = self._clip(values, scratch)
        np.copyto(out, values.reshape(out.shape), casting="unsafe")
        return clipped

    def _magnitude(self, sums: list[Array], scratch: Scratch) -> Array:
        """Return the root of the summed squares, exact before the root."""
        # A root of 12 bits may round to an odd divisor's half; one of 11 never does.
        most = len(sums) * self.most**2 * (1 if self.divisor == 1 else 4)
        squares = [self._float(part, scratch, most, 1, f"square{number}") for number, part in enumerate(sums)]
        for square in squares:
            np.multiply(square, square, out=square)
        for square in squares[1:]:
            np.add(squares[0], square, out=squares[0])
        return np.sqrt(squares[0], out=squares[0])

    def _float(
        self, values: Array, scratch: Scratch, most: float, divisor: float, name: str = "float"
    ) -> Array:
        """Return sums as the shortest float that holds whole ones and their quotients."""
        short = 0 < divisor < DIVISOR32 and float(divisor).is_integer()
        narrow = most < EXACT32 and short and self.dtype.itemsize == 1
        dtype = np.dtype(np.float32 if narrow else np.float64)
        if values.dtype.kind == "f" and values.itemsize >= dtype.itemsize:
            return values
        floats = scratch.get(name, values.shape, dtype)
        np.copyto(floats, values)
        return floats

    def _clip(self, values: Array, scratch: Scratch) -> tuple[Array, int]:
        """Return the values clipped into the dtype's range, and how many that changed."""
        limits = np.iinfo(self.dtype)
        fitted = np.clip(
            values, limits.min, limits.max, out=scratch.get("fitted", values.shape, values.dtype)
        )
        changed = np.not_equal(values, fitted, out=scratch.get("changed", values.shape, np.bool_))
        return fitted, int(np.count_nonzero(changed))
