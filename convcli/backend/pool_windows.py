"""The windows of a pool: how far they reach, and how they are reduced, one axis after the other."""

from typing import Any

import numpy as np

from convcli.backend.algorithms.slide import Slide
from convcli.backend.borders import OUTSIDE, pad
from convcli.backend.checks import Array
from convcli.layers.axes import Sizes
from convcli.layers.padding import Pads, span
from convcli.layers.pool import Pool


def reach_of(pool: Pool, size: Sizes) -> Pads:
    """Return the pads, with as much after as the last window needs: ceil_mode reaches beyond the padding."""
    ends = zip(
        size,
        pool.pads(size),
        pool.output_size(size),
        pool.kernel_size,
        pool.stride,
        pool.dilation,
        strict=True,
    )
    return tuple(
        (before, max(after, (count - 1) * s + span(k, d) - n - before))
        for n, (before, after), count, k, s, d in ends
    )


def least_of(dtype: np.dtype[Any]) -> float:
    """Return the number that is below every other of a dtype."""
    if dtype.kind == "f":
        return -np.inf
    return int(np.iinfo(dtype).min) if dtype.kind in "iu" else 0


def _meets(pool: Pool, axis: int, tap: int, count: int) -> tuple[Any, ...]:
    """Return where the elements lie that one tap meets along one spatial axis."""
    start, s = tap * pool.dilation[axis], pool.stride[axis]
    return (*(slice(None),) * (axis + 2), slice(start, start + (count - 1) * s + 1, s))


def reduced(operation: np.ufunc, x: Array, pool: Pool, axis: int, count: int) -> Array:
    """Reduce the windows of a padded x along one axis: tap by tap, or window by window if these are fewer."""
    if count < pool.kernel_size[axis]:
        windows = (x[_window(pool, axis, place)] for place in range(count))
        return np.concatenate(
            [operation.reduce(window, axis=axis + 2, keepdims=True, dtype=x.dtype) for window in windows],
            axis + 2,
        )
    y: Array = x[_meets(pool, axis, 0, count)].copy()
    for tap in range(1, pool.kernel_size[axis]):
        operation(y, x[_meets(pool, axis, tap, count)], out=y)
    return y


def _window(pool: Pool, axis: int, place: int) -> tuple[Any, ...]:
    """Return where the elements of one window lie along one spatial axis."""
    start, d = place * pool.stride[axis], pool.dilation[axis]
    return (*(slice(None),) * (axis + 2), slice(start, start + span(pool.kernel_size[axis], d), d))


def reduced_with_places(x: Array, at: Array, pool: Pool, axis: int, count: int) -> tuple[Array, Array]:
    """Find the largest elements of the windows along one axis, and where each came from."""
    if count < pool.kernel_size[axis]:
        windows = [_window(pool, axis, place) for place in range(count)]
        found = [_largest(x[window], at[window], axis + 2) for window in windows]
        return np.concatenate([part for part, _ in found], axis + 2), np.concatenate(
            [part for _, part in found], axis + 2
        )
    first = _meets(pool, axis, 0, count)
    best, place = x[first].copy(), at[first].copy()
    for tap in range(1, pool.kernel_size[axis]):
        here = _meets(pool, axis, tap, count)
        better = (x[here] > best) | (place == OUTSIDE)
        if x.dtype.kind == "f":
            better = (better & ~np.isnan(best)) | np.isnan(x[here])
        np.copyto(best, x[here], where=better)
        np.copyto(place, at[here], where=better)
    return best, place


def _largest(x: Array, at: Array, axis: int) -> tuple[Array, Array]:
    """Return the largest element along an axis, and where it came from: the first of equal ones, the last of NaN."""
    most = x.max(axis=axis, keepdims=True)
    chosen = ((x == most) & (at != OUTSIDE)).argmax(axis=axis, keepdims=True)
    if x.dtype.kind == "f":
        last = x.shape[axis] - 1 - np.isnan(np.flip(x, axis)).argmax(axis=axis, keepdims=True)
        chosen = np.where(np.isnan(most), last, chosen)
    return np.take_along_axis(x, chosen, axis), np.take_along_axis(at, chosen, axis)


def summed(x: Array, pool: Pool, output: Sizes) -> Array:
    """Sum every window, with zeros around x."""
    y = pad(x, reach_of(pool, x.shape[2:]), range(2, x.ndim))
    for axis, count in enumerate(output):
        y = reduced(np.add, y, pool, axis, count)
    return y


def window_counts(pool: Pool, size: Sizes, output: Sizes, include_pad: bool) -> list[Array]:
    """Count, for each axis, the elements that the windows average over."""
    counts, slide = [], Slide.of(pool, size)
    for axis, ((before, after), n) in enumerate(zip(pool.pads(size), size, strict=True)):
        starts = np.arange(output[axis]) * slide.stride[axis] - before
        places = starts[:, np.newaxis] + np.arange(pool.kernel_size[axis]) * slide.dilation[axis]
        inside = places < n + after if include_pad else (places >= 0) & (places < n)
        counts.append(inside.sum(axis=1))
    return counts
