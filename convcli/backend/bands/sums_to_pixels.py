"""Conversion of sums to pixels within a tile: combine, divide, shift, round half to even, clip."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from convcli.backend.bands.passes import Scratch

Array = NDArray[Any]

EXACT32 = 1 << 24  # integers below this are exact in float32
# Below this divisor an 8-bit quotient is closer to its float32 than to the next half, so it is rounded correctly.
DIVISOR32 = 1 << 13


class Finish(NamedTuple):
    """The conversion of the responses of one kernel to pixels.

    most : upper bound of the sums of any matrix; combine, divisor, offset : as in the kernel;
    value_range : clip, abs or offset; dtype : dtype of the picture; can_clip : whether values may leave its range
    half : half the divisor if it is already included in the sums, so that truncation rounds them
    """

    combine: str
    divisor: float
    offset: float
    value_range: str
    dtype: np.dtype[Any]
    most: float
    can_clip: bool
    half: float = 0

    def __call__(self, sums: list[Array], out: Array, scratch: Scratch) -> int:
        """Write pixels to `out`, (rows, columns, channels); return how many samples were clipped."""
        values = self._combined(sums, scratch)
        if self.divisor != 1 or self.offset:
            values = self._float(values, scratch, self.most, self.divisor)
        if self.divisor != 1:
            self._divide(values)
        if self.offset:
            np.add(values, values.dtype.type(self.offset), out=values)
        if self.value_range == "abs":
            np.abs(values, out=values)
        elif self.value_range == "offset":
            middle = 0.5 if self.dtype.kind == "f" else middle_of(self.dtype)
            np.add(values, values.dtype.type(middle), out=values)
        if self.dtype.kind == "f":
            np.copyto(out, values.reshape(out.shape), casting="unsafe")
            return 0
        if values.dtype.kind == "f" and not self.half:
            np.rint(values, out=values)
        clipped = 0
        if self.can_clip:
            values = self._short(values, len(sums), scratch)
            clipped = clip(values, self.dtype, scratch)
        np.copyto(out, values.reshape(out.shape), casting="unsafe")
        return clipped

    def _combined(self, sums: list[Array], scratch: Scratch) -> Array:
        """Return the combined response; the buffers of the sums may be reused for it."""
        if self.combine == "magnitude":
            # A root of 12 bits may round to half of an odd divisor; one of 11 never does.
            most = len(sums) * self.most**2 * (1 if self.divisor == 1 else 4)
            sums = [
                self._float(part, scratch, most, 1, f"square{number}") for number, part in enumerate(sums)
            ]
        return combine(self.combine, sums)

    def by_cutting_off(self) -> "Finish":
        """Return a copy that needs half the divisor in the sums and rounds by truncation, if the result is the same."""
        odd = isinstance(self.divisor, int) and self.divisor % 2 == 1 and self.divisor < DIVISOR32
        narrow = self.dtype == np.uint8 and self.most + self.divisor < EXACT32 // 2  # a half is exact as well
        return self._replace(half=self.divisor / 2) if odd and narrow and not self.can_clip else self

    def _divide(self, values: Array) -> None:
        """Divide in place; sums by an odd number by multiplication, as no quotient of such integers is a half."""
        divisor = values.dtype.type(self.divisor)
        odd = isinstance(self.divisor, int) and self.divisor % 2
        if odd and self.combine == "none" and self.dtype.kind == "u":
            np.multiply(values, 1 / divisor, out=values)
        else:
            np.divide(values, divisor, out=values)

    def _float(
        self, values: Array, scratch: Scratch, most: float, divisor: float, name: str = "float"
    ) -> Array:
        """Return sums in the smallest float dtype that holds integers, their quotients, and these with an offset."""
        short = not self.offset and 0 < divisor < DIVISOR32 and float(divisor).is_integer()
        narrow = most < EXACT32 and short and self.dtype.itemsize == 1
        dtype = np.dtype(np.float32 if narrow else np.float64)
        if values.dtype.kind == "f" and values.itemsize >= dtype.itemsize:
            return values
        floats = scratch.get(name, values.shape, dtype)
        np.copyto(floats, values)
        return floats

    def _short(self, values: Array, count: int, scratch: Scratch) -> Array:
        """Return integer-valued floats as integers of twice the picture's size, if they fit."""
        reach = count * self.most / abs(self.divisor) + abs(self.offset) + np.iinfo(self.dtype).max
        short = shortest(self.dtype, reach)
        if values.dtype.kind != "f" or short.kind == "f":
            return values
        held = scratch.get("short", values.shape, short)
        np.copyto(held, values, casting="unsafe")
        return held


def combine(how: str, sums: list[Array]) -> Array:
    """Combine all sums into one response, in place: the root of the sum of squares, or the maximum."""
    if how != "magnitude":
        for more in sums[1:]:
            np.maximum(sums[0], more, out=sums[0])
        return sums[0]
    for part in sums:
        np.multiply(part, part, out=part)
    for part in sums[1:]:
        np.add(sums[0], part, out=sums[0])
    return np.sqrt(sums[0], out=sums[0])


def middle_of(dtype: np.dtype[Any]) -> int:
    """Return the middle of the range of an integer dtype, which `offset` adds."""
    limits = np.iinfo(dtype)
    return (int(limits.min) + int(limits.max) + 1) // 2


def shortest(dtype: np.dtype[Any], reach: float) -> np.dtype[Any]:
    """Return the integer dtype of twice a dtype's size if it holds values up to `reach`; otherwise float64."""
    short = np.dtype(f"int{16 * dtype.itemsize}")
    return short if reach < np.iinfo(short).max else np.dtype(np.float64)


def clip(values: Array, dtype: np.dtype[Any], scratch: Scratch) -> int:
    """Clip values into the range of a dtype, in place; return how many were clipped."""
    limits = np.iinfo(dtype)
    beyond = scratch.get("beyond", values.shape, np.bool_)
    if values.dtype.kind == "i" and not limits.min:
        # Read as unsigned, negative values are large, so that one comparison finds both ends.
        np.greater(values.view(f"u{values.itemsize}"), limits.max, out=beyond)
    else:
        np.logical_or(values < limits.min, values > limits.max, out=beyond)
    clipped = int(np.count_nonzero(beyond))
    if clipped:
        np.clip(values, limits.min, limits.max, out=values)
    return clipped
