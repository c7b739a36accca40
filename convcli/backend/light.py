"""A picture in linear light through one kernel: sRGB is decoded before, and encoded after."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.backend.bands.picture import encoded
from convcli.backend.colour import from_light, to_light
from convcli.backend.opacity import kept, premultiplied
from convcli.backend.settled import Response, fitted
from convcli.backend.sliding import Sliding, response
from convcli.backend.values import Extent, Filtered, Range, into_dtype
from convcli.kernels import Kernel

Array = NDArray[Any]


def in_light(
    sliding: Sliding,
    pixels: Array,
    kernel: Kernel,
    alpha: str | None,
    value_range: Range,
    extent: Extent | None,
) -> Filtered:
    """Filter the light of sRGB samples; alpha is no light."""
    if alpha is None:
        banded = encoded(sliding, pixels, kernel, value_range) if value_range != "minmax" else None
        if banded is not None:
            return banded
        of_colour = response(sliding, to_light(pixels), kernel)
        return _as_srgb(of_colour, pixels.dtype, value_range, extent, sliding.plan)
    colour, opacity = pixels[..., :-1], pixels[..., -1:]
    opaque = float(np.iinfo(pixels.dtype).max)
    beside = replace(sliding, padding_value=float(np.rint(sliding.padding_value * opaque)))
    if alpha == "filter":
        result = in_light(sliding, colour, kernel, None, value_range, extent)
        like_light = replace(kernel, offset=kernel.offset * opaque)
        of_alpha = fitted(response(beside, opacity, like_light), pixels.dtype, value_range, None)
    else:
        through = premultiplied if alpha == "premultiply" else kept
        of_colour, _ = through(sliding, to_light(colour), opacity / opaque, kernel)
        result = _as_srgb(of_colour, pixels.dtype, value_range, extent, sliding.plan)
        _, settled = through(beside, opacity, opacity, kernel)
        of_alpha = fitted(settled, pixels.dtype, "clip", None)
    return replace(result, pixels=np.concatenate([result.pixels, of_alpha.pixels], axis=-1))


def _as_srgb(
    light: Response, dtype: np.dtype[Any], value_range: Range, extent: Extent | None, plan: str
) -> Filtered:
    values = into_dtype(light.values, np.dtype(np.float64), value_range, extent)
    pixels, clipped = from_light(values.pixels, dtype)
    return replace(values, pixels=pixels, clipped=clipped, plan=plan)
