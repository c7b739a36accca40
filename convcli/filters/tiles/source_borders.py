"""Beyond the edge of a source: what extends it, and the values of regions that reach over the edge."""

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
FARTHEST = 1 << 40  # places from an axis; those that are farther are moved nearer by whole periods
FAR = 64  # places between two runs that are needed, from which on they are asked for separately


class Border(NamedTuple):
    """What extends a source beyond its edge.

    mode : one of `layers.padding.MODES`; outside : what `constant` surrounds it with
    """

    mode: str = "zeros"
    outside: float = 0.0

    @property
    def is_plain(self) -> bool:
        """Whether all that lies beyond the edge is one value."""
        return self.mode in ("zeros", "constant")

    @property
    def value(self) -> float:
        """What lies beyond the edge, where that is one value."""
        return self.outside if self.mode == "constant" else 0.0


def bordered(source: Source, reach: Region, border: Border) -> Array:
    """Return the values of a region that may reach beyond the edge of a source."""
    if all(places.start >= 0 and places.stop <= n for places, n in zip(reach, source.size, strict=True)):
        return source(reach)
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
    """One axis of a region, some of whose places lie beyond the edge: where the value of each place comes from.

    runs : the places of the source that are needed, as ranges
    take : for each place of the region its index among the places of all runs; OUTSIDE where it has no source
    inner : the places of the region that are those of the only run, in order; None where there is no such part
    """

    runs: tuple[slice, ...]
    take: Array
    inner: slice | None = None

    @classmethod
    @lru_cache(maxsize=64)  # the same columns are asked for in each step
    def of(cls, mode: str, n: int, start: int, stop: int) -> "_Axis":
        """Find where the values of the places from start to stop come from."""
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
        """Return the values of all places along axis `number`, of those of the runs; `outside` where there is none."""
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
    """Return places with the same sources as those from start to stop, which may be very far from an axis of n."""
    count = stop - start
    if start > -FARTHEST and stop < FARTHEST:
        return start, stop
    if mode in PERIODS:
        start %= PERIODS[mode](n)
    else:
        start = max(-count, min(start, n))
    return start, start + count


def _assembled(source: Source, runs: Sequence[tuple[slice, ...]]) -> Array:
    """Return the values of the source at all runs of each axis, put side by side."""
    if all(len(each) == 1 for each in runs):
        return source(tuple(each[0] for each in runs))
    lengths = [sum(run.stop - run.start for run in each) for each in runs]
    values = np.empty((*lengths, source.shape[0]), source.dtype)
    for places in product(*map(_numbered, runs)):
        values[tuple(target for target, _ in places)] = source(tuple(run for _, run in places))
    return values


def _numbered(runs: tuple[slice, ...]) -> Iterator[tuple[slice, slice]]:
    """Yield each run behind its place among all of them."""
    start = 0
    for run in runs:
        stop = start + run.stop - run.start
        yield slice(start, stop), run
        start = stop
