"""Columns and one matrix product: every window becomes a column, in bands of rows that bound the memory."""

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
    height, *rest = slide.output_size
    width = int(np.prod(rest, dtype=int))
    out = np.empty((images, groups, outputs, *slide.output_size), x.dtype)
    flat = out.reshape(images, groups, outputs, height * width)
    row_bytes = groups * matrix.shape[2] * width * x.itemsize
    for some, rows in blocks(images, height, row_bytes, COLUMN_BYTES):
        band = Slide(slide.kernel_size, slide.stride, slide.dilation, (rows.stop - rows.start, *rest))
        view = windows(x[some, :, :, slide.reach(rows)], band)
        columns = view.reshape(len(view), groups, matrix.shape[2], -1)
        np.matmul(matrix, columns, out=flat[some, :, :, rows.start * width : rows.stop * width])
    return out
