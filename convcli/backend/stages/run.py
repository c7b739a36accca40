"""Run stages on pixels: into floats once, through all stages, with alpha beside them; and what that will take."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.backend.stages.linear import Pass
from convcli.backend.stages.stage import Stage
from convcli.backend.values import Zero, full_scale, signed, working_dtype
from convcli.layers import Conv, ConvTranspose, DeformConv
from convcli.layers.axes import Shape

Array = NDArray[Any]

# Rough speeds of one core, for estimates: so many a second.
MACS = 3e9  # multiply-adds and other sums
SAMPLES = 6e6  # interpolated
WRITTEN = 1.5e8  # numbers that a layer writes
CODEC = 7e7  # samples of a picture that are read, or written
PLAIN = 2e8  # multiply-adds of exact sums beside alpha
TAPS = 32  # of a kernel, as much work as larger ones are by their quickest method


@dataclass(frozen=True)
class Values:
    """Pixels as floats: colours (C, *spatial) in the picture's own units, opacity (1, *spatial) of 0 to 1."""

    colour: Array
    opacity: Array | None = None

    @classmethod
    def of(cls, pixels: Array, has_alpha: bool, zero: Zero | None = None) -> "Values":
        """Take pixels (*spatial, C) apart; the last channel is opacity where `has_alpha`.

        `zero` has the sample of each channel that stands for 0, by default 0.

        What is weighed by opacity and divided by it again is float64, so that it comes back as it was.
        """
        dtype = np.dtype("float64") if has_alpha else working_dtype(pixels.dtype)
        first = np.moveaxis(signed(pixels, zero), -1, 0)
        if not has_alpha:
            return cls(first.astype(dtype, order="C"))
        colour, opacity = first[:-1].astype(dtype, order="C"), first[-1:].astype(dtype, order="C")
        opacity /= dtype.type(full_scale(pixels.dtype))
        return cls(colour, opacity)

    @np.errstate(all="ignore")  # NaN and infinity pass, as IEEE 754 has it
    def through(self, stages: Iterable[Stage], premultiply: bool | None = None) -> "Values":
        """Run the stages one after the other, without rounding between them."""
        colour, opacity = self.colour, self.opacity
        for stage in stages:
            if opacity is None:
                colour = stage(colour)
            else:
                colour, opacity = stage.with_alpha(colour, opacity, premultiply)
        return Values(colour, opacity)


@dataclass(frozen=True)
class Estimate:
    """What a run will take, roughly: seconds on one core, and bytes at its peak."""

    seconds: float
    memory: int


def estimate(
    stages: Sequence[Stage], shape: Shape, dtype: np.dtype[Any], has_alpha: bool = False
) -> Estimate:
    """Foretell what stages take on pixels of `shape` (C, *spatial), the opacity not counted, of a dtype."""
    itemsize = 8 if has_alpha else working_dtype(dtype).itemsize
    seconds = prod(shape) / CODEC
    most = 2 * prod(shape) * itemsize
    for stage in stages:
        times = (4 if stage.is_mean else 3) if has_alpha else 1  # colours, alpha, both; in float64
        seconds += times * sum(_seconds(each) for each in stage.passes(shape))
        held = stage.memory(shape) * itemsize
        most = max(most, 2 * held if has_alpha else held)
        shape = stage.output_shape(shape)
    return Estimate(seconds + prod(shape) / CODEC, most + prod(shape) * itemsize)


def plain_seconds(
    stages: Sequence[Stage], shape: Shape, dtype: np.dtype[Any], has_alpha: bool = False
) -> float:
    """Foretell how long `filter_image` takes: what the stages do, and beside alpha exact sums."""
    seconds = estimate(stages, shape, dtype, has_alpha).seconds
    if has_alpha:
        seconds += 2 * sum(stage.cost(shape).macs for stage in stages) / PLAIN
    return seconds


def _seconds(taken: Pass) -> float:
    """Foretell what one pass takes."""
    layer, cost = taken.layer, taken.cost
    others = cost.flops - 2 * cost.macs + cost.comparisons
    seconds = taken.outputs / WRITTEN + others / MACS
    if isinstance(layer, DeformConv):
        seconds += taken.outputs * prod(layer.kernel_size) / SAMPLES
    if isinstance(layer, Conv | ConvTranspose):
        return seconds + cost.macs / MACS * min(1.0, TAPS / prod(layer.kernel_size))
    return seconds + cost.macs / MACS
