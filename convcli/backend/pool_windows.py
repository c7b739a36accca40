"""The windows of pooling layers: how far they extend, and their reduction along each axis."""

from math import prod
from typing import Any

import numpy as np

from convcli.backend.algorithms.slide import Slide
from convcli.backend.borders import OUTSIDE, inside
from convcli.backend.checks import Array
from convcli.backend.working_memory import Borrowed
from convcli.layers.axes import Sizes
from convcli.layers.padding import Pads, span
from convcli.layers.pool import Pool


def reach_of(pool: Pool, size: Sizes) -> Pads:
    """Return the padding, extended after each axis as far as the last window needs with ceil_mode."""
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
    """Return the smallest value of a dtype."""
    if dtype.kind == "f":
        return -np.inf
    return int(np.iinfo(dtype).min) if dtype.kind in "iu" else 0


def _tap_index(pool: Pool, axis: int, tap: int, count: int) -> tuple[Any, ...]:
    """Return the index of the elements under one tap along one spatial axis."""
    start, s = tap * pool.dilation[axis], pool.stride[axis]
    return (*(slice(None),) * (axis + 2), slice(start, start + (count - 1) * s + 1, s))


def reduced(operation: np.ufunc, x: Array, pool: Pool, outside: float) -> Array:
    """Reduce the windows of x (N, C, *spatial), one axis after the other; `outside` stands around x."""
    output, pads = pool.output_size(x.shape[2:]), pool.pads(x.shape[2:])
    dims = len(output)
    shapes = [(*x.shape[:2], *output[: axis + 1], *x.shape[axis + 3 :]) for axis in range(dims)]
    y = x
    with Borrowed(x.dtype, [prod(shape) for shape in shapes[:-1]]) as rooms:
        for axis, shape in enumerate(shapes):
            before = pads[axis][0]
            if (pool.kernel_size[axis], pool.stride[axis], before, shape) == (1, 1, 0, y.shape):
                continue  # every window is one element
            target = rooms[axis].reshape(shape) if axis < dims - 1 else np.empty(shape, x.dtype)
            by = _by_windows if shape[axis + 2] < pool.kernel_size[axis] else _by_taps
            by(operation, y, target, pool, axis, before, outside)
            y = target
        return y if y.base is None and y is not x else y.copy()


def _by_taps(
    operation: np.ufunc, x: Array, y: Array, pool: Pool, axis: int, before: int, outside: float
) -> None:
    """Reduce the windows along one spatial axis to y: each tap covers some of the positions."""
    n, count, s, d = x.shape[axis + 2], y.shape[axis + 2], pool.stride[axis], pool.dilation[axis]
    whole = (slice(None),) * (axis + 2)
    (there, here), *others = (inside(tap * d - before, s, count, n) for tap in range(pool.kernel_size[axis]))
    y[(*whole, slice(there.start))] = outside
    y[(*whole, slice(there.stop, None))] = outside
    y[(*whole, there)] = x[(*whole, here)]
    for there, here in others:
        part = y[(*whole, there)]
        operation(part, x[(*whole, here)], out=part)


def _by_windows(
    operation: np.ufunc, x: Array, y: Array, pool: Pool, axis: int, before: int, outside: float
) -> None:
    """Reduce the windows along one spatial axis to y: window by window, where these are fewer than the taps."""
    n, s, d, k = x.shape[axis + 2], pool.stride[axis], pool.dilation[axis], pool.kernel_size[axis]
    whole: tuple[Any, ...] = (slice(None),) * (axis + 2)
    for place in range(y.shape[axis + 2]):
        _, here = inside(place * s - before, d, k, n)
        part = y[(*whole, place)]
        if here.stop > here.start:
            operation.reduce(x[(*whole, here)], axis=axis + 2, dtype=x.dtype, out=part)
        else:
            part[...] = outside


def _window(pool: Pool, axis: int, place: int) -> tuple[Any, ...]:
    """Return the index of the elements of one window along one spatial axis."""
    start, d = place * pool.stride[axis], pool.dilation[axis]
    return (*(slice(None),) * (axis + 2), slice(start, start + span(pool.kernel_size[axis], d), d))


def reduced_with_places(x: Array, at: Array, pool: Pool, axis: int, count: int) -> tuple[Array, Array]:
    """Find the largest elements of the windows along one axis, and the positions that they came from."""
    if count < pool.kernel_size[axis]:
        windows = [_window(pool, axis, place) for place in range(count)]
        found = [_largest(x[window], at[window], axis + 2) for window in windows]
        return np.concatenate([part for part, _ in found], axis + 2), np.concatenate(
            [part for _, part in found], axis + 2
        )
    first = _tap_index(pool, axis, 0, count)
    best, place = x[first].copy(), at[first].copy()
    for tap in range(1, pool.kernel_size[axis]):
        here = _tap_index(pool, axis, tap, count)
        better = (x[here] > best) | (place == OUTSIDE)
        if x.dtype.kind == "f":
            better = (better & ~np.isnan(best)) | np.isnan(x[here])
        np.copyto(best, x[here], where=better)
        np.copyto(place, at[here], where=better)
    return best, place


def _largest(x: Array, at: Array, axis: int) -> tuple[Array, Array]:
    """Return the largest element along an axis, and its position: the first of equal ones, the last of NaN."""
    most = x.max(axis=axis, keepdims=True)
    chosen = ((x == most) & (at != OUTSIDE)).argmax(axis=axis, keepdims=True)
    if x.dtype.kind == "f":
        last = x.shape[axis] - 1 - np.isnan(np.flip(x, axis)).argmax(axis=axis, keepdims=True)
        chosen = np.where(np.isnan(most), last, chosen)
    return np.take_along_axis(x, chosen, axis), np.take_along_axis(at, chosen, axis)


def summed(x: Array, pool: Pool) -> Array:
    """Sum every window of x with zero padding."""
    return reduced(np.add, x, pool, 0)


def window_counts(pool: Pool, size: Sizes, output: Sizes, include_pad: bool) -> list[Array]:
    """Return, for each axis, the number of elements that each window averages over."""
    counts, slide = [], Slide.of(pool, size)
    for axis, ((before, after), n) in enumerate(zip(pool.pads(size), size, strict=True)):
        starts = np.arange(output[axis]) * slide.stride[axis] - before
        places = starts[:, np.newaxis] + np.arange(pool.kernel_size[axis]) * slide.dilation[axis]
        inside = places < n + after if include_pad else (places >= 0) & (places < n)
        counts.append(inside.sum(axis=1))
    return counts
