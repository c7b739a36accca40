"""Operators that gather, scatter, sort or select elements, and sums along axes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from convcli.backend.checks import Array
from convcli.errors import ArgumentError

REDUCTIONS = {"add": np.add, "mul": np.multiply, "max": np.maximum, "min": np.minimum}


def places(indices: Array, count: int, axis: int = 0) -> Array:
    """Return indices counted from 0; raise ArgumentError if one lies outside the axis."""
    found = indices.astype(np.intp)
    if found.size and not -count <= found.min() <= found.max() < count:
        wrong = int(found.min()) if found.min() < -count else int(found.max())
        raise ArgumentError(
            f"the index {wrong} lies outside axis {axis} of size {count}; it must be from {-count} to {count - 1}"
        )
    return np.where(found < 0, found + count, found)


def gather_elements(x: Array, indices: Array, axis: int) -> Array:
    """Return the element of x for each index, which gives the position along one axis (ONNX's GatherElements)."""
    axis %= x.ndim
    at = [np.arange(n).reshape(-1, *(1,) * (x.ndim - 1 - place)) for place, n in enumerate(indices.shape)]
    at[axis] = places(indices, x.shape[axis], axis)
    found: Array = x[tuple(at)]
    return found


def gather_nd(x: Array, indices: Array, batch: int) -> Array:
    """Return the slice of x for each row of indices; the first `batch` axes are shared (ONNX's GatherND)."""
    at = _rows(x, indices, batch)
    before = [
        np.arange(n).reshape(-1, *(1,) * (indices.ndim - 2 - place))
        for place, n in enumerate(x.shape[:batch])
    ]
    found: Array = x[(*before, *at)]
    return found


def scatter_elements(x: Array, indices: Array, updates: Array, axis: int, reduction: str) -> Array:
    """Return x with one element written per index, which gives the position along one axis (ScatterElements)."""
    axis %= x.ndim
    at = [np.arange(n).reshape(-1, *(1,) * (x.ndim - 1 - place)) for place, n in enumerate(indices.shape)]
    at[axis] = places(indices, x.shape[axis], axis)
    return _written(x, tuple(at), updates, reduction)


def scatter_nd(x: Array, indices: Array, updates: Array, reduction: str) -> Array:
    """Return x with one slice written per row of indices (ONNX's ScatterND)."""
    return _written(x, tuple(_rows(x, indices, 0)), updates, reduction)


def _rows(x: Array, indices: Array, batch: int) -> list[Array]:
    return [
        places(indices[..., number], x.shape[batch + number], batch + number)
        for number in range(indices.shape[-1])
    ]


def _written(x: Array, at: tuple[Array, ...], updates: Array, reduction: str) -> Array:
    y = x.copy()
    if reduction == "none":
        y[at] = updates
    else:
        REDUCTIONS[reduction].at(y, at, updates)
    return y


def top_k(x: Array, count: int, axis: int, largest: bool) -> tuple[Array, Array]:
    """Return the largest or smallest elements along an axis, in order, and their positions; ties in input order."""
    if largest:  # sort the reversed elements, so that equal elements stay in input order
        order = np.flip(x.shape[axis] - 1 - np.argsort(np.flip(x, axis), axis=axis, kind="stable"), axis)
    else:
        order = np.argsort(x, axis=axis, kind="stable")
    found = np.take(order, range(count), axis=axis)
    return np.take_along_axis(x, found, axis=axis), found.astype(np.int64)


def one_hot(indices: Array, *, depth: int, axis: int, values: Array) -> Array:
    """Return the second of two values at the index along a new axis, and the first one elsewhere."""
    given = indices.astype(np.int64)
    found = np.where(given < 0, given + depth, given)
    there = np.expand_dims(found, axis)
    column = np.arange(depth).reshape(-1, *(1,) * (indices.ndim - axis % (indices.ndim + 1)))
    made: Array = np.where(there == column, values[1], values[0])
    return made


def cumulated(x: Array, axis: int, exclusive: bool, reverse: bool) -> Array:
    """Return the cumulative sum along an axis, `exclusive` of each element itself, or from the end in `reverse`."""
    y = np.flip(x, axis) if reverse else x
    made: Array = np.cumsum(y, axis=axis, dtype=x.dtype)
    if exclusive:
        made = np.roll(made, 1, axis)
        first = [slice(None)] * x.ndim
        first[axis] = slice(0, 1)
        made[tuple(first)] = 0
    flipped: Array = np.ascontiguousarray(np.flip(made, axis)) if reverse else made
    return flipped


def triangle(x: Array, upper: bool, diagonal: int) -> Array:
    """Return the upper or lower triangle of the matrices in the last two axes."""
    rows, columns = x.shape[-2:]
    far = max(rows, columns) + 1
    k = max(-far, min(far, diagonal))
    return np.triu(x, k) if upper else np.tril(x, k)


def einsum(*inputs: Array, equation: str) -> Array:
    """Return the sums of products of an einsum equation."""
    made: Array = np.asarray(np.einsum(equation, *inputs, optimize=len(inputs) > 1))
    return made.copy() if any(np.may_share_memory(made, each) for each in inputs) else made


def non_zero(x: Array) -> Array:
    """Return the positions of the non-zero elements, one row per axis."""
    return np.array(np.nonzero(np.atleast_1d(x)), np.int64)


def compress(x: Array, truths: Array, *, axis: int | None) -> Array:
    """Return the slices along an axis for which the condition holds."""
    flat = x.reshape(-1) if axis is None else x
    along = 0 if axis is None else axis
    (kept,) = np.nonzero(truths[: flat.shape[along]])
    return np.take(flat, kept, axis=along)


def suppressed(
    boxes: Array,
    scores: Array,
    *,
    most: int,
    overlap: float,
    least: float | None,
    centred: bool,
) -> Array:
    """Return (item, class, box) of the boxes kept by non-maximum suppression, per class in order of their scores.

    Greedy suppression as in torchvision's nms and ONNX's NonMaxSuppression: the best box is kept, and boxes that
    overlap it by more than `overlap` (intersection over union) are removed; then the best of the rest, up to `most`
    boxes.

    boxes : (N, boxes, 4), two opposite corners, or if `centred` the centre, width and height
    scores : (N, classes, boxes); boxes with a score of at most `least` are ignored
    """
    if boxes.ndim != 3 or boxes.shape[2] != 4 or scores.ndim != 3 or scores.shape[::2] != boxes.shape[:2]:
        raise ArgumentError(
            f"the boxes {boxes.shape} and the scores {scores.shape} must be (N, boxes, 4) and (N, classes, boxes)"
        )
    found: list[tuple[int, int, int]] = []
    for item, (corners, of_classes) in enumerate(zip(_corners(boxes, centred), scores, strict=True)):
        sides = corners[:, 2:] - corners[:, :2]
        areas = sides[:, 0] * sides[:, 1]
        for number, of_boxes in enumerate(of_classes):
            order = np.argsort(-of_boxes, kind="stable")
            if least is not None:
                order = order[of_boxes[order] > least]
            kept = 0
            while order.size and kept < most:
                best, others = order[0], order[1:]
                found.append((item, number, int(best)))
                kept += 1
                low = np.maximum(corners[best, :2], corners[others, :2])
                high = np.minimum(corners[best, 2:], corners[others, 2:])
                shared = np.maximum(high - low, 0)
                common = shared[:, 0] * shared[:, 1]
                union = areas[best] + areas[others] - common
                share = np.divide(common, union, out=np.zeros_like(common), where=union > 0)
                order = others[share <= overlap]
    return np.array(found, np.int64).reshape(-1, 3)


def _corners(boxes: Array, centred: bool) -> Array:
    """Return boxes as their lower and upper corners."""
    first, second = boxes[..., :2], boxes[..., 2:]
    if centred:
        return np.concatenate([first - second / 2, first + second / 2], axis=-1)
    return np.concatenate([np.minimum(first, second), np.maximum(first, second)], axis=-1)


SELECTIONS: dict[str, Callable[..., Array]] = {
    "NonMaxSuppression": suppressed,
    "NonZero": non_zero,
    "Compress": compress,
}


def select(*inputs: Array, operator: str, **options: object) -> Array:
    """Run an operator whose output size depends on the data."""
    return SELECTIONS[operator](*inputs, **options)
