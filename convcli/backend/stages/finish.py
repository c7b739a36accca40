"""From the values that stages give back to pixels: scale, range, opacity; sheets of maps; and what to tell of them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.backend.stages.run import Values
from convcli.backend.values import (
    GAP,
    Extent,
    Filtered,
    Range,
    Zero,
    full_scale,
    into_dtype,
    raw_dtype,
    sheet_columns,
    sheet_size,
)

Array = NDArray[Any]


@np.errstate(over="ignore")  # what is beyond a float is infinite
def to_pixels(
    values: Values,
    own: np.dtype[Any],
    dtype: np.dtype[Any],
    value_range: Range | None,
    extent: Extent | None = None,
    zero: Zero | None = None,
    *,
    as_sheet: bool,
) -> Filtered:
    """Return pixels (*spatial, C) of a dtype, and which share of the samples of colour was clipped.

    The values are in units of pixels of the dtype `own`, as is the `extent` that `minmax` stretches; where the new
    one is another, white becomes its white. Without a range they stay floats. `zero` has the sample of each channel
    that is to stand for 0. The opacity comes last; a sheet has none.
    """
    colour = np.moveaxis(values.colour, 0, -1)
    if value_range is None:
        into = Filtered(np.ascontiguousarray(colour, raw_dtype(own)), 0.0)
    else:
        if dtype != own and value_range != "minmax":
            colour = colour * colour.dtype.type(full_scale(dtype) / full_scale(own))
        into = into_dtype(colour, dtype, value_range, extent, zero, beside=True)
    if as_sheet:
        return replace(into, pixels=sheet(into.pixels))
    if values.opacity is None:
        return into
    if value_range is None:
        last = np.moveaxis(values.opacity, 0, -1) * full_scale(own)
        whole = np.concatenate([colour, last], axis=-1).astype(raw_dtype(own), copy=False)
        return replace(into, pixels=whole)
    last = into_dtype(
        np.moveaxis(values.opacity, 0, -1) * full_scale(dtype), dtype, "clip", beside=True
    ).pixels
    return replace(into, pixels=np.concatenate([into.pixels, last], axis=-1))


def sheet(maps: Array) -> Array:
    """Lay maps (*spatial, O) out as a grid, row by row, with black between them: (*spatial', 1)."""
    *lead, height, width, count = maps.shape
    columns = sheet_columns(count)
    drawn = np.zeros((*lead, *sheet_size(count, height, width), 1), maps.dtype)
    for number in range(count):
        top, left = number // columns * (height + GAP), number % columns * (width + GAP)
        drawn[..., top : top + height, left : left + width, 0] = maps[..., number]
    return drawn


def stacked(frames: Sequence[Array], dims: int) -> Array:
    """Return the only frame as (H, W, C), or for 3 axes all as (D, H, W, C)."""
    flat = [frame.reshape(*frame.shape[:2], -1) for frame in frames]
    return flat[0] if dims == 2 else np.stack(flat)
