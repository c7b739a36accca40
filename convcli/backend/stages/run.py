"""Run stages on pixels: into floats once, through all stages, with alpha beside them; and what that will take."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.backend.stages.stage import Stage
from convcli.backend.values import full_scale, working_dtype
from convcli.layers import DeformConv
from convcli.layers.axes import Shape

Array = NDArray[Any]

# Rough speeds of one core, for estimates.
MACS = 3e9  # multiply-adds a second
SAMPLES = 6e6  # interpolated a second
VALUES = 1e8  # read and written again a second, with their codec


@dataclass(frozen=True)
class Values:
    """Pixels as floats: colours (C, *spatial) in the picture's own units, opacity (1, *spatial) of 0 to 1."""

    colour: Array
    opacity: Array | None = None

    @classmethod
    def of(cls, pixels: Array, has_alpha: bool) -> "Values":
        """Take pixels (*spatial, C) apart; the last channel is opacity where `has_alpha`.

        What is weighed by opacity and divided by it again is float64, so that it comes back as it was.
        """
        dtype = np.dtype("float64") if has_alpha else working_dtype(pixels.dtype)
        first = np.moveaxis(pixels, -1, 0)
        if not has_alpha:
            return cls(first.astype(dtype, order="C"))
        colour, opacity = first[:-1].astype(dtype, order="C"), first[-1:].astype(dtype, order="C")
        opacity /= dtype.type(full_scale(pixels.dtype))
        return cls(colour, opacity)

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
    seconds = prod(shape) / VALUES
    most = 2 * prod(shape) * itemsize
    for stage in stages:
        cost = stage.cost(shape)
        taken = cost.macs / MACS + (cost.flops - 2 * cost.macs + cost.comparisons) / MACS
        output = stage.output_shape(shape)
        for layer in stage.layers:
            if isinstance(layer, DeformConv):
                taken += prod(output) * prod(layer.kernel_size) / SAMPLES
        times = (2 if has_alpha and not stage.is_mean else 3) if has_alpha else 1
        seconds += taken * times + prod(output) / VALUES
        held = stage.memory(shape) * itemsize
        most = max(most, held + (2 * held if has_alpha else 0))
        shape = output
    return Estimate(seconds, most + prod(shape) * itemsize)
