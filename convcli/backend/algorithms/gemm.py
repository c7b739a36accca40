"""Columns and one matrix product: every window becomes a column, in blocks that limit the memory."""

from itertools import product
from math import prod
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided, sliding_window_view
from numpy.typing import NDArray

from convcli.backend.algorithms.costs import blocks, column_bytes
from convcli.backend.algorithms.runs import Runs, TapInputs, planned
from convcli.backend.algorithms.slide import Phases, Slide, last_axes
from convcli.backend.borders import padded
from convcli.backend.working_memory import Borrowed
from convcli.layers.padding import Pads

Array = NDArray[Any]


def windows(x: Array, slide: Slide) -> Array:
    """Return a view of every window of a padded x (..., *padded): (..., *k, *out)."""
    dims = len(slide.kernel_size)
    axes = tuple(range(x.ndim - dims, x.ndim))
    view = sliding_window_view(x, slide.spans, axes)
    steps = tuple(
        slice(0, (count - 1) * s + 1, s) for count, s in zip(slide.output_size, slide.stride, strict=True)
    )
    taps = tuple(slice(None, None, d) for d in slide.dilation)
    view = view[last_axes(steps + taps)]
    return np.moveaxis(view, range(view.ndim - dims, view.ndim), axes)


def correlate(x: Array, weight: Array, slide: Slide, pads: Pads, value: Any = 0) -> Array:
    """Return the correlation of x (N, G, C, *spatial) with weight (G, O, C, *k): (N, G, O, *out).

    x is padded with `value`, as wide as `pads`.
    """
    images, groups, inputs = x.shape[:3]
    outputs, places = weight.shape[1], prod(slide.output_size)
    matrix = weight.reshape(groups, outputs, -1)
    out = np.empty((images, groups, outputs, *slide.output_size), x.dtype)
    flat = out.reshape(images, groups, outputs, places)
    if matrix.shape[2] == inputs:  # one tap: the elements under it are the columns
        selected = padded(x, pads, value)[last_axes(slide.tap_slices((0,) * len(slide.kernel_size)))]
        np.matmul(matrix, selected.reshape(images, groups, inputs, places), out=flat)
        return out
    plan = planned(x.shape[3:], slide, pads)
    sources = [] if plan else _tap_inputs(padded(x, pads, value), slide)
    place_bytes = matrix.shape[2] * x.itemsize
    walk = list(
        blocks(images, (groups, *slide.output_size), place_bytes, column_bytes(place_bytes), align=16)
    )
    most = max(prod(place.stop - place.start for place in block) for block in walk) if walk else 0
    held = prod(x.shape[:3]) * plan.held if plan else 0
    with Borrowed(x.dtype, [most * matrix.shape[2], held]) as (room, parts):
        runs = Runs(x, slide, plan, value, parts) if plan else None
        for some, mine, *box in walk:
            sizes = tuple(place.stop - place.start for place in box)
            start = 0  # the flat position of the box, which is a run of positions
            for place, count in zip(box, slide.output_size, strict=True):
                start = start * count + place.start
            shape = (some.stop - some.start, mine.stop - mine.start, inputs, *slide.kernel_size, *sizes)
            columns = room[: prod(shape)].reshape(shape)
            if runs:
                runs.copy(columns, (some, mine), tuple(box))
            else:
                for taps, elements in sources:
                    np.copyto(columns[(slice(None),) * 3 + taps], elements[some, mine][last_axes(box)])
            columns = columns.reshape(*shape[:2], -1, prod(sizes))
            np.matmul(matrix[mine], columns, out=flat[some, mine, :, start : start + prod(sizes)])
    return out


def _tap_inputs(x: Array, slide: Slide) -> list[TapInputs]:
    """Return the elements under the taps in a padded x, as views of its phases, in which neighbours stay neighbours."""
    phases = Phases(slide)
    if not phases.worth_copying:
        return [TapInputs((slice(None),), windows(x, slide))]
    found = []
    for several in product(*(phases.taps(axis) for axis in range(len(slide.stride)))):
        part = x
        if set(slide.stride) != {1}:
            selected = (slice(taps.phase, None, s) for taps, s in zip(several, slide.stride, strict=True))
            part = np.ascontiguousarray(x[last_axes(selected)])
        steps = part.strides[3:]
        jumps = (taps.step * step for taps, step in zip(several, steps, strict=True))
        view = as_strided(
            part[last_axes(slice(taps.first, None) for taps in several)],
            (*x.shape[:3], *(taps.count for taps in several), *slide.output_size),
            (*part.strides[:3], *jumps, *steps),
            writeable=False,
        )
        found.append(TapInputs(tuple(taps.taps for taps in several), view))
    return found
