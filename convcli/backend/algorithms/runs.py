"""What the taps of a kernel meet, as views whose elements are neighbours over as many outputs as possible."""

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


class Met(NamedTuple):
    """What some taps meet: `elements` (N, G, C, *taps, *out)."""

    taps: tuple[slice, ...]
    elements: Array


class _Part(NamedTuple):
    """A phase of the input with its border, and what taps meet in it; the integers alone.

    taps : which
    size : of the copy, whose rows lie behind each other in its last axis, and are `rows` from `front` on
    inner : the part of the last axis that the input fills where it is whole; None where the input does not
    there, here : which elements of the rows, of all axes, stand where in the input
    first, shape, strides : the view of what the taps meet, (*taps, *out), counted in elements of the copy
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
    """The phases, and for each tap along the last axis how far from its place it looks; the integers alone.

    held : the elements of the copies, for one channel
    """

    parts: tuple[_Part, ...]
    lefts: tuple[tuple[int, int], ...]
    held: int


@lru_cache(maxsize=256)
def planned(size: Sizes, slide: Slide, pads: Pads) -> Plan | None:
    """Return how an input of a size is laid; None where its rows do not lie as the output's, or it does not pay."""
    phases = Phases(slide)
    if len(size) < 2 or not phases.pay:
        return None
    columns = slide.output_size[-1]
    across = phases.taps(-1, pads[-1][0])
    for taps in across:
        longer = len(range(taps.phase, size[-1], slide.stride[-1])) > columns
        if longer and max(left for _, left in _lefts(taps)) > 0:
            return None
    *lead, _ = (
        phases.taps(axis) for axis in range(len(size))
    )  # of an input with its border, but for the rows' ends
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
    """Yield each tap, and the element of its phase that it meets at output 0."""
    for place in range(taps.count):
        yield taps.taps.start + place * (taps.taps.step or 1), taps.first + place * taps.step


class Runs:
    """The elements of x (N, G, C, *spatial) that each tap meets where rows of the output follow each other as x's do.

    Where an output row is as long as a row of x, or as what a stride visits of it, what a tap meets at several rows is
    one run of the input, shifted, but for the ends of its rows, where the border begins: the last two axes are one, and
    NumPy copies few long runs in half the time of many short ones. `value` stands around x; the copies of its phases
    are made in `memory`, of N * G * C * plan.held elements.
    """

    def __init__(self, x: Array, slide: Slide, plan: Plan, value: Any, memory: Array) -> None:
        self._columns, self._lefts, self._value = slide.output_size[-1], plan.lefts, value
        self.met, start = [], 0
        for part in plan.parts:
            shape = (*x.shape[:3], *part.size)
            stop = start + prod(shape)
            self.met.append(Met(part.taps, self._elements(x, part, memory[start:stop].reshape(shape))))
            start = stop

    def _elements(self, x: Array, part: _Part, copy: Array) -> Array:
        """Copy a phase of x, and return what taps meet in it, as a view."""
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
        """Copy what all taps meet at a box of outputs, some rows or a part of a row, of some images and groups.

        It goes to `out` (N, G, C, *k, *box), which is contiguous.
        """
        *lead, down, right = box
        start = down.start * self._columns + right.start
        count = (down.stop - down.start) * (right.stop - right.start)
        flat = out.reshape(*out.shape[:-2], count)  # a view, as a box is a run
        for taps, elements in self.met:
            target = flat[(slice(None),) * 3 + taps]
            np.copyto(target, elements[some][last_axes([*lead, slice(start, start + count)])])
        whole = (slice(None),) * (len(box) - 1)
        for tap, left in self._lefts:
            if left:  # the ends of the rows meet the border
                before = slice(max(0, -left - right.start))
                behind = slice(max(0, self._columns - left - right.start), None)
                ends: Index = (..., tap, *whole, behind if left > 0 else before)
                out[ends] = self._value
