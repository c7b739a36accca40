"""What alpha does to colours: the rule, which `alpha_sources` follows in floats and `exact_values` in whole numbers.

Of an output with weights w, on colours c of opacities a from 0 to 1:

premultiplied
    The mean of what is visible, sum(w * a * c) / sum(w * a), takes the place of the mean of the colours,
    sum(w * c) / sum(w). Where sum(w * a) is 0 nothing is visible, and the colours count as they are. Either mean is
    multiplied by sum(w) / divisor and shifted as the answer of the kernel is. The opacity becomes sum(w * a) / sum(w).
kept
    The answer is that of the kernel, sum(w * c) / divisor and the shift, where a hidden neighbour counts as having the
    colour of the pixel itself. The opacity is that of the pixel.

Floats are never sure of a sum of 0: what is `FAINT` or less of opaque is taken for none, and for a kernel alone, whose
opacities are those of samples, `NOISE`.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

FAINT = 1e-6  # of opaque: below it no alpha of 16 bits is left, and no colour to divide out
NOISE = 1e-12  # of opaque: what transforms may leave of nothing where alpha is that of samples


def is_visible(opacity: Array) -> Array:
    """Return which pixels are visible; those are hidden whose opacity is 0, or no number."""
    return np.greater(opacity, 0)


def hidden_share(opacity: Array) -> Array:
    """Return 1 where a pixel is hidden and 0 where it is visible, to be weighed as opacity is."""
    hidden = np.logical_not(is_visible(opacity))
    return hidden.astype(opacity.dtype)
