"""The pictures for measurements: drawn from a seed, and as hard to encode as a photograph."""

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Array = NDArray[Any]
Size = tuple[int, int]  # rows, columns

SEED = 5
CONTRAST = 300.0  # of the coarsest clouds; each octave has half of the one before, as photographs have
GRAIN = 2.0  # levels, the noise of a camera's sensor


def size_of(megapixels: float) -> Size:
    """Return the rows and columns of a 4:3 picture of the given megapixels.

    >>> size_of(12)
    (3000, 4000)
    """
    rows = round((megapixels * 1e6 * 3 / 4) ** 0.5)
    return rows, round(rows * 4 / 3)


@lru_cache(maxsize=1)  # the largest are 300 MB
def photograph(size: Size) -> Array:
    """Return an RGB picture, (H, W, 3) uint8: clouds of all sizes, amplitude 1/f, and grain. Not to be changed."""
    rng = np.random.default_rng(SEED)
    pixels = np.empty((*size, 3), np.uint8)
    for channel in range(3):
        pixels[..., channel] = _clouds(rng, size)
    pixels.flags.writeable = False
    return pixels


def _clouds(rng: np.random.Generator, size: Size) -> Array:
    height, width = size
    total = rng.standard_normal(size, np.float32) * np.float32(GRAIN) + np.float32(128)
    for octave in range(2, 10):
        cells = 2**octave
        coarse = Image.fromarray(rng.standard_normal((cells, cells), np.float32))
        total += np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC)) * (CONTRAST / cells)
    return total.clip(0, 255).astype(np.uint8)
