"""Write a TIFF from bands of rows, strip by strip, with tifffile and imagecodecs: `convcli[codecs]`."""

from __future__ import annotations  # NumPy is loaded while a picture is decoded

from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from math import prod
from typing import TYPE_CHECKING, Any, BinaryIO

from convcli.cores import cores
from convcli.images.codecs.tiff import load_tifffile, settings_of
from convcli.images.coding import USUAL_COMPRESSION
from convcli.images.formats import FORMATS
from convcli.images.picture import Frame
from convcli.images.samples import stored

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from convcli.images.metadata.entries import Directory

STRIP = 1 << 18  # bytes of pixels in a strip
AHEAD = 16  # strips in flight per compressing thread
LEVEL = 6  # of deflate; zlib's default
NO_PREDICTOR, DIFFERENCES, FLOATS = 1, 2, 3  # TIFF 6.0, section 14, and Adobe's technical note 3
LARGEST = (1 << 32) - (1 << 26)  # bytes of pixels in a classic TIFF, which leaves room for metadata


def write_tiff(
    file: BinaryIO,
    frame: Frame,
    rows: Iterable[NDArray[Any]],
    tags: Directory,
    threads: int | None,
    compression: str = USUAL_COMPRESSION,
) -> None:
    """Write a still TIFF whose pixels are given as bands of rows; as BigTIFF if it may be too large otherwise.

    frame : a black frame of the shape, dtype and mode
    compression : a key of COMPRESSIONS
    """
    tifffile = load_tifffile("writing TIFF by rows needs an extra")
    shape, dtype = frame.pixels.shape, frame.pixels.dtype
    high = strip_rows(shape, dtype.itemsize)
    settings = settings_of(frame, compression)
    predictor = NO_PREDICTOR  # as Pillow writes its modes
    if settings.get("predictor") and frame.mode not in FORMATS["TIFF"].modes:
        predictor = FLOATS if dtype.kind == "f" else DIFFERENCES
    if compression != "none":
        settings["predictor"] = predictor
    strips = (stored(replace(frame, pixels=strip)) for strip in _strips(rows, high))
    size = prod(shape) * dtype.itemsize
    encoded = _encoded(strips, compression, predictor, threads or cores())
    with closing(encoded), tifffile.TiffWriter(file, bigtiff=size + size // 64 > LARGEST) as writer:
        writer.write(encoded, shape=shape, dtype=dtype, rowsperstrip=high, **settings)
    if tags:
        from convcli.images.metadata.entries import add_tags

        add_tags(file, [tags])


def _encoded(
    strips: Iterable[NDArray[Any]], compression: str, predictor: int, threads: int
) -> Generator[bytes, None, None]:
    """Yield compressed strips in order; threads compress some strips ahead."""
    from collections import deque
    from concurrent.futures import Future, ThreadPoolExecutor

    import imagecodecs
    import numpy as np

    def encode(strip: NDArray[Any]) -> bytes:
        if predictor == DIFFERENCES:
            strip = imagecodecs.delta_encode(strip, axis=1)
        elif predictor == FLOATS:
            strip = imagecodecs.floatpred_encode(strip, axis=1)
        if compression == "deflate":
            return bytes(imagecodecs.deflate_encode(strip.tobytes(), LEVEL))
        if compression == "lzw":
            return bytes(imagecodecs.lzw_encode(strip.tobytes()))
        if compression == "packbits":
            return b"".join(bytes(imagecodecs.packbits_encode(row.tobytes())) for row in strip)
        return strip.tobytes()

    with ThreadPoolExecutor(threads) as pool:
        ahead: deque[Future[bytes]] = deque()
        for strip in strips:
            ahead.append(pool.submit(encode, np.ascontiguousarray(strip)))
            if len(ahead) > AHEAD * threads:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


def strip_rows(shape: tuple[int, ...], itemsize: int) -> int:
    """Return the rows per strip of a TIFF that is written by rows."""
    return max(1, min(shape[0], STRIP // (prod(shape[1:]) * itemsize)))


def _strips(rows: Iterable[NDArray[Any]], high: int) -> Iterator[NDArray[Any]]:
    """Yield `high` rows at a time, then the rest; the strips are copies, so bands can be freed."""
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
