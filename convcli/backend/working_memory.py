"""Memory for the duration of one call, reused by the next."""

from collections.abc import Sequence
from math import prod
from threading import local
from types import TracebackType
from typing import Any

import numpy as np

from convcli.backend.checks import Array

LINE = 64  # bytes of the cache: elements that straddle two lines are slow
KEPT = 8 << 20  # bytes that a thread keeps from one call to the next


class Room(local):
    """Memory that operators use for the duration of one call; each thread has its own."""

    def __init__(self) -> None:
        super().__init__()
        self._floats = np.empty(0, np.float32)

    def __call__(self, *shape: int) -> Array:
        """Return an array of the given shape, which holds values of previous calls."""
        size = prod(shape)
        if self._floats.size < size:
            self._floats = np.zeros(size, np.float32)  # uninitialised memory could hold NaN
        return self._floats[:size].reshape(shape)


class _Kept(local):
    """What each thread keeps."""

    memory = np.empty(0, np.uint8)


_kept = _Kept()


class Borrowed:
    """Arrays of one dtype and some sizes, for the time of a `with`: memory that the thread has used before.

    Memory that each call allocates has to be provided by the system page by page, which takes time.
    """

    def __init__(self, dtype: np.dtype[Any], sizes: Sequence[int]) -> None:
        self._dtype, self._sizes = dtype, sizes

    def __enter__(self) -> list[Array]:
        """Return the arrays, with values of calls before."""
        if self._dtype.hasobject:
            self._memory = np.empty(0, np.uint8)
            return [np.empty(size, self._dtype) for size in self._sizes]
        ends = [0]
        for size in self._sizes:
            ends.append(ends[-1] + -(-size * self._dtype.itemsize // LINE) * LINE)
        memory, _kept.memory = _kept.memory, _Kept.memory  # who asks meanwhile gets other memory
        if memory.size < ends[-1] + LINE:
            memory = np.empty(ends[-1] + LINE, np.uint8)
        self._memory = memory
        start = -memory.ctypes.data % LINE
        return [
            memory[start + end : start + end + size * self._dtype.itemsize].view(self._dtype)
            for end, size in zip(ends, self._sizes, strict=False)
        ]

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._memory.size <= KEPT + LINE:
            _kept.memory = self._memory
