"""Write a TIFF from bands of rows, strip by strip, through tifffile and imagecodecs: `convcli[codecs]`."""

from __future__ import annotations  # NumPy is loaded while a picture is decoded

from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from math import prod
from typing import TYPE_CHECKING, Any, BinaryIO

from convcli.cores import cores
from convcli.images.codecs.tiff import load_tifffile, settings_of
from convcli.images.formats import FORMATS
from convcli.images.picture import Frame
from convcli.images.samples import stored

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from convcli.images.metadata.entries import Directory

STRIP = 1 << 18  # bytes of pixels of a strip that is written
AHEAD = 16  # strips for each thread that compresses them
LEVEL = 6  # of deflate, as of zlib by default
NO_PREDICTOR, DIFFERENCES, FLOATS = 1, 2, 3  # TIFF 6.0, section 14, and Adobe's technical note 3
LARGEST = (1 << 32) - (1 << 26)  # bytes of a TIFF that is not a BigTIFF, with room for its metadata


def write_tiff(
    file: BinaryIO,
    frame: Frame,
    rows: Iterable[NDArray[Any]],
    tags: Directory,
    threads: int | None,
) -> None:
    """Write a still TIFF whose pixels come as bands of rows; as BigTIFF where it may be too large for another.

    frame : black
    """
    tifffile = load_tifffile("TIFF is written by rows through an extra")
    shape, dtype = frame.pixels.shape, frame.pixels.dtype
    high = strip_rows(shape, dtype.itemsize)
    settings = settings_of(frame)
    predicted = frame.mode not in FORMATS["TIFF"].modes  # those are as Pillow writes them
    settings["predictor"] = (FLOATS if dtype.kind == "f" else DIFFERENCES) if predicted else NO_PREDICTOR
    strips = (stored(replace(frame, pixels=strip)) for strip in _strips(rows, high))
    size = prod(shape) * dtype.itemsize
    encoded = _encoded(strips, settings["predictor"], threads or cores())
    with closing(encoded), tifffile.TiffWriter(file, bigtiff=size + size // 64 > LARGEST) as writer:
        writer.write(encoded, shape=shape, dtype=dtype, rowsperstrip=high, **settings)
    if tags:
        from convcli.images.metadata.entries import add_tags

        add_tags(file, [tags])


def _encoded(strips: Iterable[NDArray[Any]], predictor: int, threads: int) -> Generator[bytes, None, None]:
    """Yield strips as they are compressed by threads, which are some strips ahead."""
    from collections import deque
    from concurrent.futures import Future, ThreadPoolExecutor

    import imagecodecs
    import numpy as np

    def encode(strip: NDArray[Any]) -> bytes:
        if predictor == DIFFERENCES:
            strip = imagecodecs.delta_encode(strip, axis=1)
        elif predictor == FLOATS:
            strip = imagecodecs.floatpred_encode(strip, axis=1)
        return bytes(imagecodecs.deflate_encode(strip.tobytes(), LEVEL))

    with ThreadPoolExecutor(threads) as pool:
        ahead: deque[Future[bytes]] = deque()
        for strip in strips:
            ahead.append(pool.submit(encode, np.ascontiguousarray(strip)))
            if len(ahead) > AHEAD * threads:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


def strip_rows(shape: tuple[int, ...], itemsize: int) -> int:
    """Return the rows of a strip of what is written by rows."""
    return max(1, min(shape[0], STRIP // (prod(shape[1:]) * itemsize)))


def _strips(rows: Iterable[NDArray[Any]], high: int) -> Iterator[NDArray[Any]]:
    """Yield so many rows at a time, and what is left at the end; no band is kept by them."""
    import numpy as np

    left: NDArray[Any] | None = None
    for band in rows:
        top = 0
        if left is not None:
            top = high - len(left)
            left = np.concatenate([left, band[:top]])
            if len(left) < high:
                continue
            yield left
        whole = top + (len(band) - top) // high * high
        for first in range(top, whole, high):
            yield band[first : first + high].copy()
        left = band[whole:].copy() if whole < len(band) else None
    if left is not None:
        yield left
