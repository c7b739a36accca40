"""Sampling between the elements of an array: at the points of a grid, or in boxes (RoIAlign)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np

from convcli.backend.checks import Array
from convcli.backend.interpolation import CUBIC, keys_weights
from convcli.errors import ArgumentError

MAX_PLACES = 1 << 16  # largest side of a box, in elements

Neighbour = tuple[Array, Array]  # the integer positions along an axis, and their weights


def grid_sample(x: Array, grid: Array, mode: str, beyond: str, align_corners: bool) -> Array:
    """Sample x at the points of a grid, with coordinates in [-1, 1] along every axis: PyTorch's grid_sample.

    x : (N, C, *spatial), floats
    grid : (N, *output, axes), with the coordinates in the order width, height
    """
    sizes, dims = x.shape[2:], x.ndim - 2
    axes: list[list[Neighbour]] = []
    for axis, n in enumerate(sizes):
        given = grid[..., dims - 1 - axis].reshape(len(grid), -1)
        place = (given + 1) * ((n - 1) / 2) if align_corners else ((given + 1) * n - 1) / 2
        axes.append(_neighbours(place.astype(np.float32), n, mode, beyond, align_corners))
    flat = x.reshape(*x.shape[:2], -1)
    y = np.zeros((*x.shape[:2], axes[0][0][0].shape[1]), x.dtype)
    for corner in product(*axes):
        index = np.zeros(corner[0][0].shape, np.intp)
        weight = np.ones(corner[0][1].shape, x.dtype)
        for (place, share), n in zip(corner, sizes, strict=True):
            index = index * n + place.clip(0, n - 1)
            weight = weight * np.where((place >= 0) & (place < n), share, 0).astype(x.dtype)
        y += np.take_along_axis(flat, index[:, np.newaxis], axis=2) * weight[:, np.newaxis]
    return y.reshape(*x.shape[:2], *grid.shape[1:-1])


def _neighbours(place: Array, n: int, mode: str, beyond: str, align_corners: bool) -> list[Neighbour]:
    """Return the integer positions along one axis that contribute to each sample, and their weights."""
    low, high = (0.0, n - 1.0) if align_corners else (-0.5, n - 0.5)
    if mode != "bicubic":
        place = _inside(place, n, low, high, beyond)
    place = np.nan_to_num(place, nan=-2.0).clip(-(1 << 30), 1 << 30)
    if mode == "nearest":
        return [(np.rint(place).astype(np.intp), np.ones_like(place))]
    first = np.floor(place)
    share = place - first
    whole = first.astype(np.intp)
    if mode == "bilinear":
        return [(whole, 1 - share), (whole + 1, share)]
    return [
        (np.rint(_inside(whole + offset, n, low, high, beyond)).astype(np.intp), weight)
        for offset, weight in keys_weights(share, CUBIC)
    ]


def _inside(place: Array, n: int, low: float, high: float, beyond: str) -> Array:
    """Map positions into an axis: clipped to its range, or reflected at its ends; unchanged for `zeros`."""
    if beyond == "zeros":
        return place
    if beyond == "reflection":
        length = high - low
        if length <= 0:
            return np.zeros_like(place)
        far = np.mod(place - low, 2 * length)
        place = low + np.minimum(far, 2 * length - far)
    return place.clip(0, n - 1)


def roi_align(
    x: Array,
    boxes: Array,
    items: Array,
    size: Sequence[int],
    scale: float,
    samples: int,
    aligned: bool,
    kind: str,
) -> Array:
    """Resample each box of a feature map to one size: the mean or the maximum of bilinear samples per cell (RoIAlign).

    x : (N, C, H, W), floats
    boxes : (R, 4), x1, y1, x2, y2; `items` are the batch indices of the boxes
    """
    found = items.astype(np.intp)
    if found.size and not 0 <= found.min() <= found.max() < len(x):
        raise ArgumentError(
            f"a box belongs to batch item {int(found.max())}, but the batch has {len(x)} item(s); the index must be at "
            f"most {len(x) - 1}"
        )
    y = np.zeros((len(boxes), x.shape[1], *size), x.dtype)
    for number, (box, item) in enumerate(zip(boxes * scale, found, strict=True)):
        start = box[[1, 0]] - (0.5 if aligned else 0)
        length = box[[3, 2]] - box[[1, 0]]
        if not aligned:
            length = np.maximum(length, 1)
        if not np.isfinite([*start, *length]).all() or length.max() > MAX_PLACES:
            raise ArgumentError(
                f"box {number} has the sides {length.tolist()}; they must be finite and at most {MAX_PLACES}"
            )
        part = x[item]
        rows, columns = (
            _Samples(float(first), float(much), cells, samples, n)
            for first, much, cells, n in zip(start, length, size, part.shape[1:], strict=True)
        )
        if rows.count and columns.count:
            y[number] = _means(part, rows, columns) if kind == "avg" else _largest(part, rows, columns)
    return y


class _Samples:
    """The sampling points of each cell along one axis of n elements: two neighbours each, with their weights.

    low, high : (cells * count,), integer positions
    shares : their weights, 0 for samples outside
    """

    def __init__(self, first: float, length: float, cells: int, samples: int, n: int) -> None:
        self.cells, self.n = cells, n
        self.count = samples or max(0, int(np.ceil(length / cells)))
        each = length / cells
        offsets = (np.arange(self.count) + 0.5) * (each / max(1, self.count))
        place = (first + np.arange(cells)[:, np.newaxis] * each + offsets).reshape(-1)
        there = (place >= -1) & (place <= n)
        place = place.clip(0, n - 1)
        self.low = np.floor(place).astype(np.intp)
        self.high = np.minimum(self.low + 1, n - 1)
        share = np.where(there, place - self.low, 0)
        self.shares = (np.where(there, 1 - share, 0).astype(np.float32), share.astype(np.float32))

    @property
    def parts(self) -> tuple[Neighbour, Neighbour]:
        """Return both neighbours of all samples with their weights."""
        return (self.low, self.shares[0]), (self.high, self.shares[1])


def _means(x: Array, rows: _Samples, columns: _Samples) -> Array:
    """Return the mean of the samples of each cell, as a product with the mean weights of both axes."""
    for axis, samples in ((1, rows), (2, columns)):
        weights = np.zeros((samples.cells * samples.count, samples.n), np.float32)
        for place, share in samples.parts:
            weights[np.arange(len(place)), place] += share
        mean = weights.reshape(samples.cells, samples.count, samples.n).mean(axis=1)
        selected = np.flatnonzero(mean.any(axis=0))
        x = np.moveaxis(np.tensordot(mean[:, selected], x.take(selected, axis=axis), (1, axis)), 0, axis)
    return x


def _largest(x: Array, rows: _Samples, columns: _Samples) -> Array:
    """Return the largest weighted neighbour over all samples of each cell, as ONNX defines it."""
    y: Array | None = None
    for (row, down), (column, right) in product(rows.parts, columns.parts):
        part = x[:, row[:, np.newaxis], column] * (down[:, np.newaxis] * right)
        y = part if y is None else np.maximum(y, part)
    assert y is not None
    made: Array = y.reshape(len(x), rows.cells, rows.count, columns.cells, columns.count).max(axis=(2, 4))
    return made
