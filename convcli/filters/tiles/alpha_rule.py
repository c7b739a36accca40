"""The rule of how alpha affects colours, which `alpha_sources` computes in floats and `exact_values` in integers.

For an output with weights w, colours c and opacities a from 0 to 1:

premultiplied
    The mean of the visible colours, sum(w * a * c) / sum(w * a), replaces the mean of the colours,
    sum(w * c) / sum(w). If sum(w * a) is 0, nothing is visible and the mean of the colours is used. The mean is then
    multiplied by sum(w) / divisor and shifted like the output of the kernel. The opacity is sum(w * a) / sum(w).
kept
    The output is that of the kernel, sum(w * c) / divisor plus the shift, in which hidden neighbours count as having
    the colour of the pixel itself. The opacity is that of the pixel.

A sum of floats is seldom exactly 0: opacities up to `FAINT` count as 0; for a single kernel, whose opacities come
directly from samples, those up to `NOISE`.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

FAINT = 1e-6  # opacity that counts as 0: less than 16-bit alpha can represent
NOISE = 1e-12  # opacity that counts as 0 for a single kernel: rounding errors of transforms


def is_visible(opacity: Array) -> Array:
    """Return a mask of visible pixels; those with opacity 0 or NaN are hidden."""
    return np.greater(opacity, 0)


def hidden_share(opacity: Array) -> Array:
    """Return 1 for hidden pixels and 0 for visible ones, as floats that can be filtered like opacity."""
    hidden = np.logical_not(is_visible(opacity))
    return hidden.astype(opacity.dtype)
