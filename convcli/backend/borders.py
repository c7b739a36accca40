"""Borders: what extends an array beyond its border, as indices into the array."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.backend.checks import check_room
from convcli.layers.padding import Pads

OUTSIDE = -1  # the index of a padded element without a source, for zeros and constant


def source_indices(mode: str, n: int, before: int, after: int) -> NDArray[np.intp]:
    """Return, for each position of a padded axis of length n, the index of the element that fills it.

    Reflections and repetitions continue as far as the padding is wide, as in OpenCV and SciPy; an axis of length 1
    reflects onto itself. The modes are drawn in `layers.padding.MODES`.
    """
    place = np.arange(-before, n + after)
    if mode in ("zeros", "constant"):
        return np.where((place >= 0) & (place < n), place, OUTSIDE)
    if mode == "replicate":
        return place.clip(0, n - 1)
    if mode == "circular":
        return place % n
    if mode == "symmetric":
        place %= 2 * n
        return np.minimum(place, 2 * n - 1 - place)
    if mode == "reflect":
        period = max(1, 2 * (n - 1))
        place %= period
        return np.minimum(place, period - place) if n > 1 else place
    raise ValueError(mode)


def pad(
    x: NDArray[Any], pads: Pads, axes: Sequence[int], mode: str = "zeros", value: complex = 0
) -> NDArray[Any]:
    """Return `x` with `pads[i]` elements added before and after along `axes[i]`."""
    if any(map(any, pads)):
        sides = dict(zip(axes, map(sum, pads), strict=True))
        check_room("the padded x", [n + sides.get(axis, 0) for axis, n in enumerate(x.shape)], x.dtype)
    for (before, after), axis in zip(pads, axes, strict=True):
        if not before and not after:
            continue
        source = source_indices(mode, x.shape[axis], before, after)
        x = x.take(source, axis=axis)
        if mode in ("zeros", "constant"):
            outside: list[Any] = [slice(None)] * x.ndim
            outside[axis] = source == OUTSIDE
            x[tuple(outside)] = 0 if mode == "zeros" else value
    return x


def padded(x: NDArray[Any], pads: Pads, value: complex = 0) -> NDArray[Any]:
    """Return x (..., *spatial) padded with one value; x itself if there is no padding."""
    if not any(map(any, pads)):
        return x
    first = x.ndim - len(pads)
    size = tuple(n + sum(pair) for n, pair in zip(x.shape[first:], pads, strict=True))
    wide = np.full((*x.shape[:first], *size), value, x.dtype)
    places = (slice(pair[0], pair[0] + n) for n, pair in zip(x.shape[first:], pads, strict=True))
    inner: tuple[Any, ...] = (..., *places)
    wide[inner] = x
    return wide


def inside(offset: int, step: int, count: int, n: int) -> tuple[slice, slice]:
    """Return which of the `count` positions offset, offset + step, ... lie on an axis of length n.

    The first slice selects positions by their number, the second the elements at them.
    """
    low = max(0, -(offset // step))
    high = max(low, min(count, (n - 1 - offset) // step + 1))
    return slice(low, high), slice(low * step + offset, high * step + offset, step)
