"""Conversions between colour and grey, and between sRGB and linear light."""

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.backend.values import LEVEL_PARTS

Array = NDArray[Any]

# ITU-R BT.601-7, 2.5.1: the weights of red, green and blue in the luma of a colour, and the same in units of 1/65536,
# as Pillow uses them for its mode L (libImaging/Convert.c).
LUMA = (0.299, 0.587, 0.114)
LUMA_PARTS = (19595, 38470, 7471)

LIGHT = 2.0**40  # linear light is rounded to multiples of 1 / LIGHT
# Limits between levels are moved by 1 / NEAR, so that values on a limit are rounded consistently.
NEAR = 2.0**36
ROWS = 64  # rows that are converted at once, to limit the memory of intermediate results


@np.errstate(invalid="ignore")  # NaN and infinity follow IEEE 754
def luma(colours: Array) -> Array:
    """Return the luma of colours, (H, W, 3), as (H, W) of the same dtype.

    Integers are weighted by LUMA_PARTS with exact sums, rounded half up, as in Pillow for 8 bits; floats are weighted
    by LUMA in float64.
    """
    brightness = np.empty(colours.shape[:2], colours.dtype)
    # Sums of 16-bit values fit 32 bits: 65535 * 65536 + 32768 is below 2**32, and 32767 * 65536 + 32768 below 2**31.
    wide = np.int64 if colours.dtype.itemsize > 2 else np.int32 if colours.dtype.kind == "i" else np.uint32
    for start in range(0, len(colours), ROWS):
        part, out = colours[start : start + ROWS], brightness[start : start + ROWS]
        if colours.dtype.kind == "f":
            out[...] = part @ np.array(LUMA)
            continue
        total = np.full(part.shape[:2], 1 << 15, wide)
        for channel, parts in enumerate(LUMA_PARTS):
            total += part[..., channel] * wide(parts)
        out[...] = total >> wide(16)
    return brightness


def to_light(pixels: Array, has_alpha: bool = False) -> Array:
    """Return the linear light of sRGB pixels of 8 or 16 bits, 0 to 1, as float64.

    IEC 61966-2-1: v / 12.92 up to 0.04045, else ((v + 0.055) / 1.055) ** 2.4. Alpha, the last channel, is only scaled.
    """
    light: Array = light_of(pixels.dtype)[pixels]
    if has_alpha:
        light[..., -1] = pixels[..., -1] / np.iinfo(pixels.dtype).max
    return light


@lru_cache(maxsize=2)
def light_of(dtype: np.dtype[Any]) -> Array:
    """Return the linear light of every sample of a dtype, rounded to multiples of 2^-40."""
    highest = np.iinfo(dtype).max
    return _decoded(np.arange(highest + 1) / highest)


def _decoded(values: Array) -> Array:
    """Return the linear light of sRGB values, rounded to 2^-40 because the last digits of powers depend on the CPU."""
    light = np.where(values <= 0.04045, values / 12.92, ((values.clip(0) + 0.055) / 1.055) ** 2.4)
    decoded: Array = np.rint(light * LIGHT) / LIGHT
    return decoded


def from_light(light: Array, dtype: np.dtype[Any], has_alpha: bool = False) -> tuple[Array, float]:
    """Return linear light, 0 to 1, as sRGB pixels of a dtype, and the share of samples that were clipped.

    The inverse of `to_light`: light is encoded as 12.92 v up to 0.0031308, else 1.055 v ** (1 / 2.4) - 0.055, and
    rounded to the nearest sample.
    """
    pixels, clipped, levels = np.empty(light.shape, dtype), 0, levels_of(dtype)
    highest = np.iinfo(dtype).max
    for start in range(0, len(light), ROWS):
        part, out = light[start : start + ROWS], pixels[start : start + ROWS]
        colours = part[..., :-1] if has_alpha else part
        clipped += levels(colours, out[..., :-1] if has_alpha else out)
        if has_alpha:
            scaled = part[..., -1] * float(highest)
            # Values this close to a half are treated as halves, because sums have rounding errors.
            whole = np.rint(np.rint(scaled * LEVEL_PARTS) / LEVEL_PARTS)
            clipped += int(np.count_nonzero(~((whole >= 0) & (whole <= highest))))
            out[..., -1] = _within(whole, highest)
    return pixels, clipped / light.size


class Levels:
    """Finds the sample of a dtype nearest to linear light, from the limits between neighbouring levels."""

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self.dtype, highest = dtype, int(np.iinfo(dtype).max)
        # Enough cells that no cell contains two limits, which are at least 1 / 12.92 of a level apart.
        self.cells = 1 << (16 if dtype.itemsize == 1 else 20)
        ends = _decoded((np.arange(highest + 1) + 0.5) / highest)
        # The mean of two neighbouring levels may lie on such a limit: values close to it are rounded to the even level.
        ends += np.where(np.arange(highest + 1) % 2, -1, 1) / NEAR
        self.least, self.most = -0.5 / highest / 12.92, float(ends[-1])
        self.ends = np.append(ends[:-1], np.inf)
        self.first = np.searchsorted(ends[:-1], np.arange(self.cells + 1) / self.cells, side="right").astype(
            dtype
        )

    def __call__(self, light: Array, out: Array) -> int:
        """Write the samples of float64 light to `out`, NaN as 0; return the number of samples that were clipped."""
        inside = _within(light, 1)
        below = self.first[(inside * self.cells).astype(np.int32)]
        out[...] = below
        out += inside >= self.ends[below]
        return int(np.count_nonzero(~((light >= self.least) & (light < self.most))))


def _within(values: Array, most: float) -> Array:
    """Clip floats to the range from 0 to `most`; NaN becomes 0."""
    inside: Array = np.clip(values, 0.0, float(most))
    if np.isnan(inside.min(initial=0.0)):
        inside[np.isnan(inside)] = 0
    return inside


@lru_cache(maxsize=2)
def levels_of(dtype: np.dtype[Any]) -> Levels:
    """Return the encoder of linear light to a dtype."""
    return Levels(dtype)
