"""Make Pillow's pixel limit a limit per thread, because some decoders allocate memory while they open a file."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf

from PIL import Image

_own = threading.local()


class _OfThread:
    """A replacement for Pillow's limit, which applies to the process; Pillow warns above it and refuses above twice it.

    Comparing with it never warns, and twice its value is the limit of the current thread, which is infinite unless the
    thread is reading a picture.
    """

    def __lt__(self, pixels: int) -> bool:
        return False

    def __rmul__(self, times: int) -> float:
        limit: float = getattr(_own, "limit", inf)
        return limit


# Declared as an int in Pillow, which only compares with it and multiplies it.
Image.MAX_IMAGE_PIXELS = _OfThread()  # type: ignore[assignment]


@contextmanager
def at_most(pixels: int) -> Iterator[None]:
    """Let Pillow refuse larger pictures in this thread with Image.DecompressionBombError."""
    before = getattr(_own, "limit", inf)
    _own.limit = pixels
    try:
        yield
    finally:
        _own.limit = before
