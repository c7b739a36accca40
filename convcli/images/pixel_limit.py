"""Pillow's limit on pixels as that of the thread that reads: some decoders take memory while they open a file."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf

from PIL import Image

_own = threading.local()


class _OfThread:
    """What Pillow compares with, which has one limit for the process, warns above it and refuses above its double.

    Nothing is above this, and its double is the limit of the thread that asks: none, but where it reads a picture.
    """

    def __lt__(self, pixels: int) -> bool:
        return False

    def __rmul__(self, times: int) -> float:
        limit: float = getattr(_own, "limit", inf)
        return limit


# Declared as a number; Pillow asks no more of it than this answers.
Image.MAX_IMAGE_PIXELS = _OfThread()  # type: ignore[assignment]


@contextmanager
def at_most(pixels: int) -> Iterator[None]:
    """Let Pillow refuse larger pictures and parts of pictures in this thread, by Image.DecompressionBombError."""
    before = getattr(_own, "limit", inf)
    _own.limit = pixels
    try:
        yield
    finally:
        _own.limit = before
