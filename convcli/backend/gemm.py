"""Columns and one matrix product: every window becomes a column, in bands of rows that bound the memory."""

from math import prod
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from convcli.backend.plan import COLUMN_BYTES, Slide, blocks, last_axes


def windows(x: NDArray[Any], slide: Slide) -> NDArray[Any]:
    """Return every window of a padded x (..., *padded) as a view (..., *k, *out)."""
    dims = len(slide.kernel_size)
    axes = tuple(range(x.ndim - dims, x.ndim))
    view = sliding_window_view(x, slide.spans, axes)
    steps = tuple(
        slice(0, (count - 1) * s + 1, s) for count, s in zip(slide.output_size, slide.stride, strict=True)
    )
    taps = tuple(slice(None, None, d) for d in slide.dilation)
    view = view[last_axes(steps + taps)]
    return np.moveaxis(view, range(view.ndim - dims, view.ndim), axes)


def correlate(x: NDArray[Any], weight: NDArray[Any], slide: Slide) -> NDArray[Any]:
    """Return the correlation of a padded x (N, G, C, *padded) with weight (G, O, C, *k): (N, G, O, *out)."""
    images, groups = x.shape[:2]
    outputs = weight.shape[1]
    matrix = weight.reshape(groups, outputs, -1)
    depth, places = matrix.shape[2], prod(slide.output_size)
    out = np.empty((images, groups, outputs, *slide.output_size), x.dtype)
    flat = out.reshape(images, groups, outputs, places)
    for some, *box in blocks(images, slide.output_size, groups * depth * x.itemsize, COLUMN_BYTES):
        sizes = tuple(place.stop - place.start for place in box)
        band = Slide(slide.kernel_size, slide.stride, slide.dilation, sizes)
        view = windows(x[some][last_axes(slide.reach(box))], band)
        start = 0  # the place of the box among all, row by row: it is a run of them
        for place, count in zip(box, slide.output_size, strict=True):
            start = start * count + place.start
        columns = view.reshape(len(view), groups, depth, prod(sizes))
        np.matmul(matrix, columns, out=flat[some, :, :, start : start + prod(sizes)])
    return out
