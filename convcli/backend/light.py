"""A picture in linear light through one kernel: sRGB is decoded before, and encoded after."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.backend.answers import Answer
from convcli.backend.colour import to_light
from convcli.backend.opacity import kept, premultiplied
from convcli.backend.sliding import Sliding, response
from convcli.backend.values import Range
from convcli.kernels import Kernel

Array = NDArray[Any]


def answers_in_light(
    sliding: Sliding, pixels: Array, kernel: Kernel, alpha: str | None, value_range: Range | None
) -> list[Answer]:
    """Return what a kernel answers to the light of sRGB samples; alpha is no light."""
    if alpha is None:
        return [Answer(response(sliding, to_light(pixels), kernel), value_range, is_light=True)]
    colour, opacity = pixels[..., :-1], pixels[..., -1:]
    opaque = float(np.iinfo(pixels.dtype).max)
    beside = replace(sliding, padding_value=float(np.rint(sliding.padding_value * opaque)))
    if alpha == "filter":
        of_colour = response(sliding, to_light(colour), kernel)
        like_light = replace(kernel, offset=kernel.offset * opaque)
        of_alpha = Answer(response(beside, opacity, like_light), value_range)
    else:
        through = premultiplied if alpha == "premultiply" else kept
        of_colour, _ = through(sliding, to_light(colour), opacity / opaque, kernel)
        _, settled = through(beside, opacity, opacity, kernel)
        of_alpha = Answer(settled, "clip")
    return [Answer(of_colour, value_range, is_light=True), of_alpha]
