"""Between colours, grey and light: arrays of any depth in and out."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

# ITU-R BT.601-7, 2.5.1: how much red, green and blue count to the brightness of a colour. In whole parts of 65536, as
# Pillow has them for its mode L (libImaging/Convert.c).
LUMA = (0.299, 0.587, 0.114)
LUMA_PARTS = (19595, 38470, 7471)

ROWS = 64  # at a time: what is computed on the way stays small


def as_floats(pixels: Array) -> Array:
    """Return samples as the floats they are filtered in: float32 for those of 8 bits and float32, else float64."""
    return pixels.astype(np.float32 if pixels.dtype.name in ("uint8", "float32") else np.float64)


def luma(colours: Array) -> Array:
    """Return the brightness of colours, (H, W, 3), as (H, W) of the same dtype.

    Whole numbers are weighted by LUMA_PARTS in exact sums and rounded half up, as Pillow has it for 8 bits; floats
    are weighted by LUMA in float64.
    """
    if colours.dtype.kind == "f":
        brightness: Array = (colours @ np.array(LUMA)).astype(colours.dtype)
        return brightness
    wide = np.int64 if colours.dtype.itemsize > 2 else np.uint32  # 65535 * 65536 + 32768 is below 2**32
    total = np.full(colours.shape[:2], 1 << 15, wide)
    for channel, parts in enumerate(LUMA_PARTS):
        total += colours[..., channel] * wide(parts)
    return (total >> wide(16)).astype(colours.dtype)


def to_light(pixels: Array, has_alpha: bool = False) -> Array:
    """Return how much light sRGB pixels of 8 or 16 bits stand for, 0 to 1, as float32.

    IEC 61966-2-1: v / 12.92 up to 0.04045, else ((v + 0.055) / 1.055) ** 2.4. Alpha, the last channel, is only
    scaled. What float32 leaves out is below 0.005 of a level of 16 bits.
    """
    highest = np.iinfo(pixels.dtype).max
    values = np.arange(highest + 1) / highest
    table = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    light: Array = table.astype(np.float32)[pixels]
    if has_alpha:
        light[..., -1] = pixels[..., -1] / np.float32(highest)
    return light


def from_light(light: Array, dtype: np.dtype[Any], has_alpha: bool = False) -> tuple[Array, float]:
    """Return light, 0 to 1, as sRGB pixels of a dtype, rounded half to even, and the share of samples it had to clip.

    The inverse of `to_light`: 12.92 v up to 0.0031308, else 1.055 v ** (1 / 2.4) - 0.055.
    """
    highest, clipped = np.iinfo(dtype).max, 0.0
    pixels = np.empty(light.shape, dtype)
    for start in range(0, len(light), ROWS):
        part = light[start : start + ROWS]
        inside = part.clip(0, 1)
        clipped += float(np.count_nonzero(inside != part))
        values = np.where(inside <= 0.0031308, 12.92 * inside, 1.055 * inside ** (1 / 2.4) - 0.055)
        if has_alpha:
            values[..., -1] = inside[..., -1]
        pixels[start : start + ROWS] = np.rint(values * highest)
    return pixels, clipped / light.size
