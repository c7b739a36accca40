"""Band matrices: each channel's rows times a small matrix that holds a column of the kernel on its diagonals."""

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from convcli.backend.plan import BAND_BYTES, Slide, band_rows

Array = NDArray[Any]


def correlate(x: Array, weight: Array, slide: Slide) -> Array:
    """Return the correlation of a padded x (N, G, C, *padded) with weight (G, O, C, *k): (N, G, O, *out).

    Along the last axis but one, a band matrix (rows, reach) takes the rows of the input that `rows` rows of
    the output look at; along the other axes a tap is a shift of the input, and the products are added.
    Most of what is multiplied is zeros, and still BLAS is quicker than a multiplication and an addition
    of whole arrays for every tap. The zeros spread NaN and infinity over a band.
    """
    groups, outputs, inputs = weight.shape[:3]
    out = np.empty((len(x), groups, outputs, *slide.output_size), x.dtype)
    columns = [x[..., phase :: slide.stride[-1]] for phase in range(slide.stride[-1])]
    if len(columns) > 1:
        columns = [np.ascontiguousarray(column) for column in columns]
    each = (x[0, 0, 0].nbytes + 2 * out[0, 0, 0].nbytes) if len(x) else 1
    at_once = min(groups, max(1, BAND_BYTES // each))
    room = np.empty((at_once, *slide.output_size), x.dtype)
    for output in range(outputs):
        for channel in range(inputs):
            bands = _bands(weight[:, output, channel], slide)
            for image in range(len(x)):
                for first in range(0, groups, at_once):
                    some = slice(first, first + at_once)
                    sources = [column[image, some, channel] for column in columns]
                    target, started = out[image, some, output], channel > 0
                    _add(target, room[: len(target)], sources, bands[..., some, :, :], slide, started)
    return out


def _bands(kernels: Array, slide: Slide) -> Array:
    """Return the band matrices of kernels (G, *k): (*k without the last axis but one, G, rows, reach)."""
    rows, step = band_rows(slide), slide.stride[-2]
    reach = (rows - 1) * step + slide.spans[-2]
    kernels = np.moveaxis(kernels, (-2, 0), (0, -1))[..., np.newaxis]
    bands = np.zeros((*kernels.shape[1:-1], rows, reach), kernels.dtype)
    row = np.arange(rows)
    for tap, weights in enumerate(kernels):
        bands[..., row, row * step + tap * slide.dilation[-2]] = weights
    return bands


def _add(out: Array, room: Array, sources: list[Array], bands: Array, slide: Slide, started: bool) -> None:
    """Add the products of the sources (G, *padded), one for each phase of the last axis, up in out (G, *out).

    `room` is as large as out; what out holds counts where it is `started`.
    """
    rows, count = bands.shape[-2], slide.output_size[-2]
    most = count - count % rows
    for start, stop in ((0, most), (most, count)):
        high = min(rows, stop - start)
        if not high:
            continue
        reach = (high - 1) * slide.stride[-2] + slide.spans[-2]
        target, spare = (_split(array[..., start:stop, :], high) for array in (out, room))
        views = [_overlapping(source, slide, start, target.shape[-3:-1], reach) for source in sources]
        shape = (len(out), *(1,) * (target.ndim - 3), high, reach)
        for place, tap in enumerate(np.ndindex(bands.shape[:-3])):
            shift, phase = divmod(tap[-1] * slide.dilation[-1], slide.stride[-1])
            meets = slide.meets((*tap[:-1], 0, 0))[: len(tap) - 1]
            columns = slice(shift, shift + slide.output_size[-1])
            met = views[phase][(slice(None), *meets, ..., columns)]
            matrix = bands[tap][:, :high, :reach].reshape(shape)
            if place or started:
                np.matmul(matrix, met, out=spare)
                target += spare
            else:
                np.matmul(matrix, met, out=target)


def _split(array: Array, high: int) -> Array:
    """Return a view (..., bands, high, columns) of (..., rows, columns): to divide an axis takes no copy."""
    return array.reshape(*array.shape[:-2], -1, high, array.shape[-1])


def _overlapping(source: Array, slide: Slide, start: int, bands: tuple[int, ...], reach: int) -> Array:
    """Return the rows that each band looks at, as a view (..., bands, reach, columns) of a source."""
    source = source[..., start * slide.stride[-2] :, :]
    step = source.strides[-2]
    return as_strided(
        source,
        (*source.shape[:-2], bands[0], reach, source.shape[-1]),
        (*source.strides[:-2], bands[1] * slide.stride[-2] * step, step, source.strides[-1]),
        writeable=False,
    )
