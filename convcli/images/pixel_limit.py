"""Make Pillow's pixel limit a limit per thread, because some decoders allocate memory while they open a file."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf

from PIL import Image

from convcli.images.picture import ImageError

PASSES = 50  # the pixels decoded to reach one frame may be at most this many times the limit

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


def check_pixels(name: str, count: int, left: int, limit: int) -> None:
    """Raise ImageError if frames exceed the pixel limit: if `left`, the limit minus their pixels, is negative."""
    if left < 0:
        found = limit - left
        what = f"its {found:,} pixels are" if count == 1 else f"its frames have at least {found:,} pixels,"
        raise ImageError(
            f"cannot read {name}: {what} over the limit of {limit:,}; raise it with `max_pixels={found * count}`"
        )


def check_decoded_frames(name: str, count: int, pixels: int, limit: int) -> None:
    """Refuse a frame that requires too many previous frames to be decoded, as each is drawn on the last."""
    if count * pixels > PASSES * limit:
        raise ImageError(
            f"cannot read {name}: frame {count - 1} requires decoding {count:,} frames of {pixels:,} pixels; choose an "
            f"earlier one, or raise the limit with `max_pixels={-(-count * pixels // PASSES)}`"
        )
