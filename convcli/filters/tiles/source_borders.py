"""Extend sources beyond their edges by the padding mode."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from convcli.backend.borders import OUTSIDE, source_indices
from convcli.filters.tiles.sources import Region, Source

Array = NDArray[Any]

# The period with which an axis of n elements repeats beyond its ends.
PERIODS: dict[str, Callable[[int], int]] = {
    "circular": lambda n: n,
    "symmetric": lambda n: 2 * n,
    "reflect": lambda n: max(1, 2 * (n - 1)),
}
FARTHEST = 1 << 40  # distance from an axis beyond which positions are moved closer by whole periods
FAR = 64  # gap between two needed runs above which they are requested separately


class Border(NamedTuple):
    """How a source is extended beyond its edges.

    mode : one of `layers.padding.MODES`
    outside : padding value of `constant`
    """

    mode: str = "zeros"
    outside: float = 0.0

    @property
    def is_plain(self) -> bool:
        """Whether all values beyond the edge are the same constant."""
        return self.mode in ("zeros", "constant")

    @property
    def value(self) -> float:
        """The value beyond the edge, for modes with one value."""
        return self.outside if self.mode == "constant" else 0.0


def bordered(source: Source, reach: Region, border: Border) -> Array:
    """Return the values of a region that may extend beyond the edge of a source."""
    if all(places.start >= 0 and places.stop <= n for places, n in zip(reach, source.size, strict=True)):
        return source.read(reach)
    axes = [
        _Axis.of(border.mode, n, places.start, places.stop)
        for places, n in zip(reach, source.size, strict=True)
    ]
    values = _assembled(source, [axis.runs for axis in axes])
    for number, axis in enumerate(axes):
        values = axis.extended(values, number, border.value)
    return values


@dataclass(frozen=True)
class _Axis:
    """One axis of a region that extends beyond the edge: the source of the value at each position.

    runs : the positions of the source that are needed, as slices
    take : for each position of the region, its index in the concatenated runs; OUTSIDE if it has no source
    inner : the positions of the region that equal the only run in order; None if there is no such part
    """

    runs: tuple[slice, ...]
    take: Array
    inner: slice | None = None

    @classmethod
    @lru_cache(maxsize=64)  # each step requests the same columns
    def of(cls, mode: str, n: int, start: int, stop: int) -> "_Axis":
        """Find the sources of the positions from start to stop."""
        start, stop = _nearer(mode, n, start, stop)
        index = source_indices(mode, n, -start, stop - n)
        needed = np.sort(index[index != OUTSIDE])
        needed = needed[np.diff(needed, prepend=OUTSIDE) > 0]
        if not len(needed):
            return cls((slice(0, 1),), index)
        ends = np.flatnonzero(np.diff(needed) > FAR)
        firsts, lasts = needed[[0, *(ends + 1)]], needed[[*ends, -1]]
        take, offset, runs = np.full(len(index), OUTSIDE), 0, []
        for first, last in zip(firsts.tolist(), lasts.tolist(), strict=True):
            within = (index >= first) & (index <= last)
            take[within] = index[within] - first + offset
            offset += last + 1 - first
            runs.append(slice(first, last + 1))
        inner = slice(max(0, -start), max(0, -start) + offset)
        alone = len(runs) == 1 and np.array_equal(take[inner], np.arange(offset))
        return cls(tuple(runs), take, inner if alone else None)

    def extended(self, values: Array, number: int, outside: float) -> Array:
        """Extend the values of the runs along axis `number` to all positions; `outside` is used without a source."""
        if self.inner is not None and self.inner == slice(0, len(self.take)):
            return values
        if self.inner is None:
            return self._taken(values, number, self.take, outside)
        around = (self.take[: self.inner.start], self.take[self.inner.stop :])
        before, after = (self._taken(values, number, take, outside) for take in around)
        return np.concatenate([before, values, after], axis=number)

    @staticmethod
    def _taken(values: Array, number: int, take: Array, outside: float) -> Array:
        taken = values.take(take, axis=number, mode="clip")
        beyond = take == OUTSIDE
        if beyond.any():
            taken[(*(slice(None),) * number, beyond)] = outside
        return taken


def _nearer(mode: str, n: int, start: int, stop: int) -> tuple[int, int]:
    """Return positions with the same sources as start to stop, but closer to an axis of n elements."""
    count = stop - start
    if start > -FARTHEST and stop < FARTHEST:
        return start, stop
    if mode in PERIODS:
        start %= PERIODS[mode](n)
    else:
        start = max(-count, min(start, n))
    return start, start + count


def _assembled(source: Source, runs: Sequence[tuple[slice, ...]]) -> Array:
    """Return the values of the source at the runs of each axis, concatenated."""
    if all(len(each) == 1 for each in runs):
        return source.read(tuple(each[0] for each in runs))
    lengths = [sum(run.stop - run.start for run in each) for each in runs]
    values = np.empty((*lengths, source.shape[0]), source.dtype)
    for places in product(*map(_numbered, runs)):
        values[tuple(target for target, _ in places)] = source.read(tuple(run for _, run in places))
    return values


def _numbered(runs: tuple[slice, ...]) -> Iterator[tuple[slice, slice]]:
    """Yield the slice of each run in the concatenation, and the run."""
    start = 0
    for run in runs:
        stop = start + run.stop - run.start
        yield slice(start, stop), run
        start = stop
