"""Filtering of a region only: a single kernel runs on the pixels that its rectangles or its mask depend on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from convcli.backend.values import Filtered, is_small
from convcli.filters.region import Part, Region
from convcli.filters.single_kernel import SingleKernel
from convcli.layers import Conv

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]


def parts_of(region: Region, single: SingleKernel, layer: Conv, pixels: Array) -> list[Part]:
    """Return the parts of a picture to which it is enough to apply a kernel; none if it runs on all of it.

    They are only returned if the result is the same: for integer samples, which are rounded exactly, with padding that
    depends on the nearest pixels and with a range that depends on none.
    """
    if single.light or single.value_range in (None, "minmax") or not is_small(pixels.dtype):
        return []
    if single.recipe.padding_mode == "circular":
        return []
    spans = [gap * (taps - 1) for taps, gap in zip(layer.kernel_size, layer.dilation, strict=True)]
    return region.parts(pixels.shape[:2], spans)


def filtered_parts(single: SingleKernel, pixels: Array, parts: Sequence[Part]) -> Filtered:
    """Apply a kernel to parts of a picture; the other pixels of the result are undefined.

    The share of clipped samples is that of the pixels that were read.
    """
    import numpy as np

    made = np.empty_like(pixels)
    clipped = 0.0
    for part in parts:
        found = single.filtered(np.ascontiguousarray(pixels[part.seen]))
        made[part.kept] = found.pixels[part.inner]
        clipped += found.clipped * part.pixels
    return found._replace(pixels=made, clipped=clipped / sum(part.pixels for part in parts))
