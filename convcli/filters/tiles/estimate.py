"""Estimate the time and memory of a run of stages from shapes."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from convcli.cores import cores
from convcli.filters.stages.linear_map import Pass
from convcli.filters.stages.stage import Stage
from convcli.filters.tiles.given_picture import shortest
from convcli.filters.tiles.tile_plan import Tiles, legs
from convcli.layers import Conv, ConvTranspose, DeformConv
from convcli.layers.axes import Shape

# Rough speeds of one core, per second.
MACS = 3e9  # multiply-adds and other sums
SAMPLES = 6e6  # interpolated samples
WRITTEN = 1.5e8  # values that a layer writes
CODEC = 7e7  # samples of a picture that are read or written

WEIGHTED_FACTOR = 2  # factor of memory for weighted values
TAPS = 32  # taps that cost as much as larger kernels do with their fastest method


@dataclass(frozen=True)
class Estimate:
    """Rough cost of a run: seconds on one core, and bytes of peak memory."""

    seconds: float
    memory: int


def estimate(
    stages: Sequence[Stage],
    shape: Shape,
    dtype: np.dtype[Any],
    weighed: bool = False,
    threads: int | None = None,
) -> Estimate:
    """Estimate the cost of stages for pixels of a dtype and of `shape` (C, *spatial), without opacity.

    weighed : whether values are weighted by opacity, or by whether they are present

    The memory is that of the tiles that threads work on, without the picture and the result.
    """
    itemsize = 8 if weighed else shortest(dtype, stages).itemsize
    seconds, shapes = prod(shape) / CODEC, [shape]
    for stage in stages:
        times = (
            (4 if stage.is_mean else 3) if weighed else 1
        )  # values, weights and their products, in float64
        seconds += times * sum(_seconds(each) for each in stage.passes(shapes[-1]))
        shapes.append(stage.output_shape(shapes[-1]))
    most, kept = 0, 0
    for leg in legs(stages, shape, itemsize):
        tiles = Tiles.of(leg, shape)
        width = min(threads or cores(), tiles.count)
        most = max(most, kept + width * tiles.numbers * itemsize)
        shape, kept = tiles.shape, itemsize * prod(tiles.shape)
        most = max(most, 2 * kept if len(leg) < len(stages) else 0)
    return Estimate(seconds + prod(shape) / CODEC, most * (WEIGHTED_FACTOR if weighed else 1))


def _seconds(taken: Pass) -> float:
    """Estimate the seconds of one pass."""
    layer, cost = taken.layer, taken.cost
    others = cost.flops - 2 * cost.macs + cost.comparisons
    seconds = taken.outputs / WRITTEN + others / MACS
    if isinstance(layer, DeformConv):
        seconds += taken.outputs * prod(layer.kernel_size) / SAMPLES
    if isinstance(layer, Conv | ConvTranspose):
        return seconds + cost.macs / MACS * min(1.0, TAPS / prod(layer.kernel_size))
    return seconds + cost.macs / MACS
