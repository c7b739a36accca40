"""Two pictures of one shape beside each other: what is hidden in both, and their differences as a picture."""

from math import isfinite

import numpy as np

from convcli.backend.checks import Array
from convcli.backend.measures import BAND, difference
from convcli.backend.values import EIGHT_BITS


def without_hidden(a: Array, b: Array) -> tuple[Array, Array, int]:
    """Return two (H, W, C), whose last channel is alpha, as alike where both are transparent; and at how many pixels.

    Nobody sees the colours of such a pixel, and programs write there what they like.
    """
    hidden = (a[..., -1] == 0) & (b[..., -1] == 0)
    count = int(np.count_nonzero(hidden))
    if count:
        a, b = a.copy(), b.copy()
        a[hidden] = b[hidden] = 0
    return a, b, count


def drawn(a: Array, b: Array, largest: float, *, has_alpha: bool, in_colours: bool) -> Array:
    """Return |a - b|, (H, W, C), in 8 bits, (H, W) or (H, W, 3), so that `largest` is white.

    Without colours, a pixel is the largest of its channels; with them, a difference of alpha is one of all three.
    Where `largest` is infinite, what is so is white, and all else black.
    """
    height = len(a)
    lit = np.zeros((*a.shape[:2], 3) if in_colours else a.shape[:2], EIGHT_BITS)
    step = max(1, BAND * height // a.size)
    for top in range(0, height, step):
        apart = np.abs(difference(a[top : top + step], b[top : top + step]))
        if not isfinite(largest):
            apart = np.where(np.isfinite(apart), 0, 255)
        elif largest:
            apart *= 255 / largest
        if not in_colours:
            apart = apart.max(axis=2)
        elif has_alpha:
            apart = np.maximum(apart[..., :-1], apart[..., -1:])
        lit[top : top + step] = np.rint(apart)
    return lit
