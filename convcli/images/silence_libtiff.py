"""Silence the messages that libraries used by Pillow write to stderr."""

from contextlib import suppress
from functools import cache
from pathlib import Path

MAPS = Path("/proc/self/maps")


@cache
def silence_libtiff() -> None:
    """Turn off libtiff's messages about damaged files, for which Pillow raises exceptions anyway.

    This is done once per process. If the library cannot be found, its messages still appear.
    """
    import ctypes

    with suppress(OSError):
        mapped = {
            line.split(maxsplit=5)[5].strip() for line in MAPS.read_text().splitlines() if "libtiff" in line
        }
        for path in mapped:
            with suppress(OSError, AttributeError):
                library = ctypes.CDLL(path)
                library.TIFFSetErrorHandler.argtypes = [ctypes.c_void_p]
                library.TIFFSetErrorHandler(None)
                library.TIFFSetWarningHandler.argtypes = [ctypes.c_void_p]
                library.TIFFSetWarningHandler(None)
