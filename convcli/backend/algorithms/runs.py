"""The elements under the taps of a kernel, as views that are contiguous over as many outputs as possible."""

from collections.abc import Iterator
from functools import lru_cache
from itertools import product
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from convcli.backend.algorithms.slide import Index, Phases, Slide, Taps, last_axes
from convcli.backend.borders import inside
from convcli.layers.axes import Sizes
from convcli.layers.padding import Pads

Array = NDArray[Any]


class TapInputs(NamedTuple):
    """The elements under some taps: `elements` (N, G, C, *taps, *out)."""

    taps: tuple[slice, ...]
    elements: Array


class _Part(NamedTuple):
    """The layout of one phase of the padded input, and of the elements under its taps; integers only.

    taps : the taps of the phase
    size : shape of the copy, whose rows are adjacent in its last axis: `rows` of them from `front` on
    inner : the part of the last axis that the input fills if it fills whole rows; otherwise None
    there, here : for all axes, the elements of the rows, and the elements of the input they are copied from
    first, shape, strides : the view of the elements under the taps, (*taps, *out), counted in elements of the copy
    """

    taps: tuple[slice, ...]
    size: Sizes
    rows: Sizes
    front: int
    inner: slice | None
    there: Index
    here: Index
    first: int
    shape: Sizes
    strides: Sizes


class Plan(NamedTuple):
    """The phases, and for each tap along the last axis the offset of its element; integers only.

    held : number of elements of the copies, for one channel
    """

    parts: tuple[_Part, ...]
    lefts: tuple[tuple[int, int], ...]
    held: int


@lru_cache(maxsize=256)
def planned(size: Sizes, slide: Slide, pads: Pads) -> Plan | None:
    """Return the layout of an input; None if its rows do not match those of the output, or a copy is not worth it."""
    phases = Phases(slide)
    if len(size) < 2 or not phases.worth_copying:
        return None
    columns = slide.output_size[-1]
    across = phases.taps(-1, pads[-1][0])
    for taps in across:
        longer = len(range(taps.phase, size[-1], slide.stride[-1])) > columns
        if longer and max(left for _, left in _lefts(taps)) > 0:
            return None
    *lead, _ = (
        phases.taps(axis) for axis in range(len(size))
    )  # of a padded input, except for the ends of the rows
    parts = tuple(_part(several, size, slide, pads) for several in product(*lead, across))
    lefts = tuple(pair for taps in across for pair in _lefts(taps))
    return Plan(parts, lefts, sum(prod(part.size) for part in parts))


def _part(several: tuple[Taps, ...], size: Sizes, slide: Slide, pads: Pads) -> _Part:
    *lead, columns = slide.output_size
    *axes, across = several
    lefts = [left for _, left in _lefts(across)]
    front, back = max(0, -min(lefts)), max(0, max(lefts))
    sizes = [n + taps.first + (taps.count - 1) * taps.step for n, taps in zip(lead, axes, strict=True)]
    befores = (*(before for before, _ in pads[:-1]), 0)
    walks = zip(several, slide.stride, befores, (*sizes, columns), size, strict=True)
    places = [inside(taps.phase - before, s, count, n) for taps, s, before, count, n in walks]
    (down, _), (right, _) = places[-2:]
    run = sizes[-1] * columns
    held = (*sizes[:-1], front + run + back)
    outer = [
        prod(held[axis + 1 :]) for axis in range(len(lead) - 1)
    ]  # the strides of the axes before the rows
    jumps = (*outer, columns, 1)
    return _Part(
        taps=tuple(taps.taps for taps in several),
        size=held,
        rows=(sizes[-1], columns),
        front=front,
        inner=slice(front + down.start * columns, front + down.stop * columns)
        if len(lead) == 1 and right.stop == columns
        else None,
        there=last_axes(there for there, _ in places),
        here=last_axes(here for _, here in places),
        first=front + lefts[0] + sum(taps.first * jump for taps, jump in zip(axes, jumps, strict=False)),
        shape=(*(taps.count for taps in several), *lead[:-1], lead[-1] * columns),
        strides=(*(taps.step * jump for taps, jump in zip(several, jumps, strict=True)), *outer, 1),
    )


def _lefts(taps: Taps) -> Iterator[tuple[int, int]]:
    """Yield each tap, and the element of its phase under it at output 0."""
    for place in range(taps.count):
        yield taps.taps.start + place * (taps.taps.step or 1), taps.first + place * taps.step


class Runs:
    """The elements of x (N, G, C, *spatial) under each tap, if rows of the output are as long as those of x.

    If an output row is as long as a row of x, or as the elements of it that a stride visits, the elements under a tap
    for several rows are one shifted run of the input, except at the ends of its rows, where the border begins. The last
    two axes are then one, and NumPy copies few long runs in half the time of many short ones. x is padded with `value`;
    its phases are copied to `memory`, of N * G * C * plan.held elements.
    """

    def __init__(self, x: Array, slide: Slide, plan: Plan, value: Any, memory: Array) -> None:
        self._columns, self._lefts, self._value = slide.output_size[-1], plan.lefts, value
        self.tap_inputs, start = [], 0
        for part in plan.parts:
            shape = (*x.shape[:3], *part.size)
            stop = start + prod(shape)
            self.tap_inputs.append(
                TapInputs(part.taps, self._elements(x, part, memory[start:stop].reshape(shape)))
            )
            start = stop

    def _elements(self, x: Array, part: _Part, copy: Array) -> Array:
        """Copy a phase of x, and return the elements under its taps as a view of the copy."""
        if part.inner is None:
            copy[...] = self._value
        else:
            copy[..., : part.inner.start] = self._value
            copy[..., part.inner.stop :] = self._value
        rows = copy[..., part.front : part.front + prod(part.rows)]
        rows.reshape(*rows.shape[:-1], *part.rows)[part.there] = x[part.here]
        steps = (step * x.itemsize for step in part.strides)
        start = copy.reshape(*x.shape[:3], prod(part.size))[..., part.first :]
        strides = (*start.strides[:3], *steps)
        return as_strided(start, (*x.shape[:3], *part.shape), strides, writeable=False)

    def copy(self, out: Array, some: tuple[slice, slice], box: tuple[slice, ...]) -> None:
        """Copy the elements under all taps to `out` (N, G, C, *k, *box), which must be contiguous.

        The box of outputs is whole rows or part of a row; `some` selects images and groups.
        """
        *lead, down, right = box
        start = down.start * self._columns + right.start
        count = (down.stop - down.start) * (right.stop - right.start)
        flat = out.reshape(*out.shape[:-2], count)  # a view, as a box is a run
        for taps, elements in self.tap_inputs:
            target = flat[(slice(None),) * 3 + taps]
            np.copyto(target, elements[some][last_axes([*lead, slice(start, start + count)])])
        whole = (slice(None),) * (len(box) - 1)
        for tap, left in self._lefts:
            if left:  # the taps lie in the border at the ends of the rows
                before = slice(max(0, -left - right.start))
                behind = slice(max(0, self._columns - left - right.start), None)
                ends: Index = (..., tap, *whole, behind if left > 0 else before)
                out[ends] = self._value
