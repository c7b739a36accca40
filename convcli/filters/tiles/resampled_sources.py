"""Resampling as a source: regions are computed from the input rows and columns around them, in chunks of rows."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.backend.resampling import PreparedWeights, axis_weights
from convcli.filters.tiles.reach import Held
from convcli.filters.tiles.sources import Region, Source
from convcli.layers.axes import Shape, Sizes
from convcli.layers.resample import Resample

Array = NDArray[Any]

SAMPLES = 1 << 18  # input samples per chunk, roughly


class Resampled(Source):
    """A resampled source; axes are resampled one after the other, the last one first."""

    def __init__(self, layer: Resample, source: Source) -> None:
        super().__init__(layer.output_shape(source.shape), source.dtype)
        self.layer, self.source = layer, source

    def read(self, region: Region) -> Array:
        """Compute a region."""
        if self.layer.method == "nearest":
            return self._copied(region)
        *lead, rows, columns = region
        down, across = (self._weighing(axis, region) for axis in (-2, -1))
        inputs = columns if across is None else across.axis.inputs
        if down is None:
            return _along(self.source.read((*lead, rows, inputs)), across)
        counts = [places.stop - places.start for places in (rows, *lead, columns)]
        out = np.zeros((*counts, self.shape[0]), self.dtype)
        step = rows_at_once(self.shape[0], inputs.stop - inputs.start)
        for top in range(down.axis.inputs.start, down.axis.inputs.stop, step):
            bottom = min(down.axis.inputs.stop, top + step)
            values = _along(self.source.read((*lead, slice(top, bottom), inputs)), across)
            by_rows = np.ascontiguousarray(np.moveaxis(values, -3, 0))
            down.add(by_rows.reshape(bottom - top, -1), top, out.reshape(len(out), -1))
        return np.ascontiguousarray(np.moveaxis(out, 0, -3))

    def _weighing(self, axis: int, region: Region) -> PreparedWeights | None:
        """Return the weights of an axis, None if it keeps its size."""
        n, made, places = self.source.size[axis], self.size[axis], region[axis]
        if n == made:
            return None
        return PreparedWeights.of(n, made, self.layer.method, places.start, places.stop, self.dtype)

    def _copied(self, region: Region) -> Array:
        index = [
            axis_weights(n, made, "nearest", places.start, places.stop).first
            if n != made
            else np.arange(places.start, places.stop)
            for places, n, made in zip(region, self.source.size, self.size, strict=True)
        ]
        values = self.source.read(tuple(slice(int(each[0]), int(each[-1]) + 1) for each in index))
        for axis, each in enumerate(index):
            if len(each) != values.shape[axis] or (np.diff(each) != 1).any():
                values = values.take(each - each[0], axis=axis)
        return values


def _along(values: Array, across: PreparedWeights | None) -> Array:
    """Resample the columns of values (*spatial, C)."""
    if across is None:
        return values
    by_columns = np.ascontiguousarray(np.moveaxis(values, -2, 0))
    out = np.zeros((len(across.axis.first), *by_columns.shape[1:]), values.dtype)
    across.add(by_columns.reshape(len(by_columns), -1), across.axis.inputs.start, out.reshape(len(out), -1))
    return np.ascontiguousarray(np.moveaxis(out, 0, -2))


def rows_at_once(channels: int, columns: int) -> int:
    """Return the number of input rows in a chunk."""
    return max(1, SAMPLES // (channels * columns))


def seen_size(layer: Resample, tile: Sizes) -> Sizes:
    """Return the size of the input that a tile of the output is computed from."""
    axes = zip(layer.input_size, layer.size, tile, map(layer.taps, range(len(tile))), strict=True)
    return tuple(
        each if n == made else min(n, -(-(each - 1) * n // made) + taps + 1) for n, made, each, taps in axes
    )


def held_by(layer: Resample, shape: Shape, tile: Sizes) -> Held:
    """Count the numbers held for a tile: a chunk of input rows with two copies, and the output."""
    *lead, rows, columns = seen_size(layer, tile)
    if layer.method != "nearest":
        rows = min(rows, rows_at_once(shape[0], columns))
    numbers = shape[0]
    for n in lead:
        numbers *= n
    return Held(
        numbers * (3 * rows * columns + 3 * tile[-2] * tile[-1] + rows * tile[-1]), (*lead, rows, columns)
    )
