"""Amounts of memory: how they are written and read, how what was freed is given back, and pixels that take none."""

from __future__ import annotations  # NumPy is loaded where there are pixels

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from convcli.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import DTypeLike, NDArray

_UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def memory_size(text: str) -> int:
    """Read a number of bytes: 500M, 4G."""
    digits, unit = text[:-1], text[-1:].upper()
    if unit not in _UNITS or not (digits.isascii() and digits.isdigit()):
        raise ArgumentError(f"{text!r} is not an amount of memory; write 500M or 4G")
    return int(digits) * _UNITS[unit]


def size_name(count: int) -> str:
    """Spell a number of bytes as `memory_size` reads it, no less than it is.

    >>> size_name(4 << 30), size_name(1536 << 20), size_name((3 << 20) + 1), size_name(5)
    ('4G', '1536M', '4M', '1K')
    """
    for unit, size in reversed(_UNITS.items()):
        if count % size == 0 and count:
            return f"{count // size}{unit}"
    unit = "M" if count > _UNITS["M"] else "K"
    return f"{-(-count // _UNITS[unit])}{unit}"


def return_freed() -> None:
    """Give the system back what was freed: of arrays below some megabytes, glibc keeps up to 64 MiB for each thread."""
    import ctypes

    with suppress(OSError, AttributeError):  # of other libraries
        ctypes.CDLL(None).malloc_trim(0)


def black_pixels(shape: Sequence[int], dtype: DTypeLike) -> NDArray[Any]:
    """Return pixels that are 0 and take no memory."""
    import numpy as np

    return np.broadcast_to(np.zeros((), dtype), tuple(shape))
