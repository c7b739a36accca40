"""Shift and add: every tap of the kernel multiplies one shifted view of the input."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.backend.algorithms.costs import CACHE_BYTES, blocks
from convcli.backend.algorithms.slide import Slide


def correlate(x: NDArray[Any], weight: NDArray[Any], slide: Slide) -> NDArray[Any]:
    """Return the correlation of a padded x (N, G, C, *padded) with weight (G, O, C, *k): (N, G, O, *out)."""
    groups, outputs, inputs = weight.shape[:3]
    out = np.empty((len(x), groups, outputs, *slide.output_size), x.dtype)
    each = (groups, outputs) + (1,) * len(slide.kernel_size)  # one weight per output channel
    for images, *box in blocks(len(x), slide.output_size, groups * outputs * x.itemsize, CACHE_BYTES):
        target = out[(images, slice(None), slice(None), *box)]
        product = np.empty_like(target)
        for channel in range(inputs):
            for tap in np.ndindex(*slide.kernel_size):
                shifted = x[(images, slice(None), slice(channel, channel + 1), *slide.tap_slices(tap, box))]
                weights = weight[(slice(None), slice(None), channel, *tap)].reshape(each)
                if channel or any(tap):
                    np.multiply(shifted, weights, out=product)
                    target += product
                else:
                    np.multiply(shifted, weights, out=target)
    return out
