"""Amounts of memory: reading and writing them, returning freed memory to the system, and arrays that need none."""

from __future__ import annotations  # NumPy is loaded only when an array is made

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from convcli.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import DTypeLike, NDArray

# Parameters of mallopt, as <malloc.h> of glibc numbers them.
_TRIM_THRESHOLD, _MMAP_MAX, _ARENA_MAX = -1, -4, -8
_NEVER = (1 << 31) - 1  # bytes that are free at the end of the heap before they are returned

_UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def memory_size(text: str) -> int:
    """Return the number of bytes that a text like 500M or 4G stands for.

    >>> memory_size("4G")
    4294967296
    """
    digits, unit = text[:-1], text[-1:].upper()
    if unit not in _UNITS or not (digits.isascii() and digits.isdigit()):
        raise ArgumentError(f"{text!r} is not an amount of memory; write 500M or 4G")
    return int(digits) * _UNITS[unit]


def size_name(count: int) -> str:
    """Return a number of bytes as `memory_size` reads it, rounded up.

    >>> size_name(4 << 30), size_name(1536 << 20), size_name((3 << 20) + 1), size_name(5)
    ('4G', '1536M', '4M', '1K')
    """
    for unit, size in reversed(_UNITS.items()):
        if count % size == 0 and count:
            return f"{count // size}{unit}"
    unit = "M" if count > _UNITS["M"] else "K"
    return f"{-(-count // _UNITS[unit])}{unit}"


def return_freed() -> None:
    """Return freed memory to the system.

    Of arrays below a few megabytes, glibc keeps up to 64 MiB for each thread after they are freed.
    """
    import ctypes

    with suppress(OSError, AttributeError):  # C libraries other than glibc
        ctypes.CDLL(None).malloc_trim(0)


def keep_freed() -> None:
    """Keep freed memory for the next arrays, instead of returning it to the system and requesting it again.

    By default glibc maps new pages for each large array, and the system fills them with zeros: a tenth of the time
    of a folder of photographs. What is kept is a few arrays as large as the largest picture; `return_freed` still
    returns it.
    """
    import ctypes

    with suppress(OSError, AttributeError):  # C libraries other than glibc
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_MMAP_MAX, 0)
        mallopt(_ARENA_MAX, 1)  # that of a thread is returned as soon as it is empty, and is no use to others
        mallopt(_TRIM_THRESHOLD, _NEVER)


def black_pixels(shape: Sequence[int], dtype: DTypeLike) -> NDArray[Any]:
    """Return a read-only array of zeros that takes no memory: its elements share one number."""
    import numpy as np

    return np.broadcast_to(np.zeros((), dtype), tuple(shape))
