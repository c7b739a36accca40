"""Write still PNG pictures in parallel: filters in NumPy, deflate in the standard library's zlib.

The rows are split into bands of a megabyte, each filtered and deflated independently, which releases the GIL. A band
ends with a sync flush, so that all bands form one deflate stream (RFC 1951); their Adler-32 checksums are combined
(RFC 1950). A band depends only on its pixels: the file is the same for any number of threads.
"""

import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from convcli.cores import cores
from convcli.images.metadata.pixel_chunks import SIGNATURE
from convcli.images.metadata.pixel_chunks import chunk_bytes as chunk

Bytes = NDArray[np.uint8]

COLOUR_TYPES = {"L": 0, "LA": 4, "RGB": 2, "RGBA": 6}  # PNG, third edition, 11.2.1
COLOUR_TYPES |= {"I;16": 0} | {f"{mode};16": colour for mode, colour in COLOUR_TYPES.items() if mode != "L"}

BAND = 1 << 20  # bytes per unit of work of a thread
TILE = 1 << 17  # bytes filtered at a time: with the intermediate arrays they fit in the L2 cache
MAX_THREADS = 8  # default maximum

_ADLER_BASE = 65521
_ZLIB_HEADER = b"\x78\x5e"  # deflate, a window of 32 KiB, "fast"


def encode_png(
    pixels: NDArray[Any],
    mode: str,
    before: bytes = b"",
    after: bytes = b"",
    threads: int | None = None,
    level: int | None = None,
) -> bytes:
    """Return the PNG file of one picture.

    pixels : ndarray, (H, W) or (H, W, C), H and W > 0; uint8, or uint16 if the mode ends in 16
    mode : a key of COLOUR_TYPES
    before, after : complete chunks to write before and after the pixels
    threads : number of threads; by default one per core, at most MAX_THREADS
    level : zlib compression level, 0 to 9; by default the best of several fast methods for each band
    """
    compression = None if level is None else Compression("paeth", zlib.Z_DEFAULT_STRATEGY, level)
    rows = np.ascontiguousarray(pixels).reshape(len(pixels), -1)
    pixel = rows.shape[1] // pixels.shape[1] * pixels.itemsize
    height = max(1, BAND // _width(rows))
    starts = range(0, len(rows), height)
    threads = min(threads or min(cores(), MAX_THREADS), len(starts))
    file, adler = BytesIO(), 1
    depth = 8 * pixels.itemsize
    header = struct.pack(">IIBBBBB", pixels.shape[1], len(rows), depth, COLOUR_TYPES[mode], 0, 0, 0)
    file.write(SIGNATURE + chunk(b"IHDR", header) + before)
    with _mapping(threads) as each:
        for band in each(lambda start: _band(rows, pixel, start, start + height, compression), starts):
            file.write(band.chunk)
            adler = combined_adler(adler, band.adler, band.length)
    file.write(chunk(b"IDAT", adler.to_bytes(4, "big")) + after + chunk(b"IEND", b""))
    return file.getvalue()


def combined_adler(first: int, second: int, length: int) -> int:
    """Return the Adler-32 of two concatenated byte strings from theirs; `length` is that of the second.

    >>> combined_adler(zlib.adler32(b"con"), zlib.adler32(b"volve"), 5) == zlib.adler32(b"convolve")
    True
    """
    low = (
        first & 0xFFFF
    ) - 1  # the first byte sum, which each byte of the second string adds to the high half
    high = (first >> 16) + (second >> 16) + length * low
    return high % _ADLER_BASE << 16 | (low + (second & 0xFFFF)) % _ADLER_BASE


@contextmanager
def _mapping(threads: int) -> Iterator[Callable[..., Iterator[Any]]]:
    """Yield the built-in `map`, or that of a thread pool."""
    if threads == 1:
        yield map
        return
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(threads) as pool:
        yield pool.map


def _width(rows: NDArray[Any]) -> int:
    """Return the number of bytes in a row."""
    return int(rows.shape[1]) * rows.itemsize


def _bytes(rows: NDArray[Any]) -> Bytes:
    """Return rows as PNG stores them: 16-bit samples are big-endian."""
    return rows.astype(rows.dtype.newbyteorder(">"), copy=False).view(np.uint8)


# Filters: PNG, third edition, 9.2. Each takes rows from `_padded` and writes the residuals to `out`.


def _none(rows: Bytes, pixel: int, out: Bytes) -> None:
    np.copyto(out, rows[1:, pixel:])


def _average(rows: Bytes, pixel: int, out: Bytes) -> None:
    """Subtract the mean of left and above, rounded down, in 8-bit arithmetic."""
    left, above = rows[1:, :-pixel], rows[:-1, pixel:]
    np.bitwise_xor(left, above, out=out)
    np.right_shift(out, 1, out=out)
    np.add(out, left & above, out=out)
    np.subtract(rows[1:, pixel:], out, out=out)


def _paeth(rows: Bytes, pixel: int, out: Bytes) -> None:
    """Subtract whichever of left, above and corner is nearest to left + above - corner.

    That is the corner if it lies between the other two and far enough from both, else the smaller or the larger of
    them; ties are broken as in the standard. All arithmetic is in 8 bits.
    """
    left, above = rows[1:, :-pixel], rows[:-1, pixel:]
    low, high = np.minimum(left, above), np.maximum(left, above)
    corner = np.maximum(rows[:-1, :-pixel], low)
    np.minimum(corner, high, out=corner)
    np.subtract(high, corner, out=high)  # now the distance from the corner up to the larger
    np.subtract(corner, low, out=low)  # and down to the smaller
    up, down = low <= high >> 1, high <= low >> 1
    np.multiply(high, up.view(np.uint8), out=high)
    np.multiply(low, down.view(np.uint8), out=low)
    np.subtract(rows[1:, pixel:], corner, out=out)
    np.subtract(out, high, out=out)
    np.add(out, low, out=out)


_FILTERS = {"none": (0, _none), "average": (3, _average), "paeth": (4, _paeth)}


class Compression(NamedTuple):
    """How a band is filtered and deflated; its size is multiplied by `handicap` to account for slower methods."""

    filter: str
    strategy: int
    level: int = 1
    handicap: float = 1.0


# Photographs are noisy and have few repeated strings, so Huffman coding or run lengths suffice; a string search takes
# three times as long, and only pays off for a few alternating colours, as in a dithered picture. Graphics repeat
# themselves, and searching them is fast.
PHOTOGRAPH: tuple[Compression, ...] = (
    Compression("average", zlib.Z_HUFFMAN_ONLY),
    Compression("paeth", zlib.Z_HUFFMAN_ONLY),
    Compression("paeth", zlib.Z_RLE, handicap=1.01),
    Compression("none", zlib.Z_DEFAULT_STRATEGY, 4, handicap=1.1),
)
GRAPHICS: tuple[Compression, ...] = (
    Compression("paeth", zlib.Z_RLE),
    Compression("paeth", zlib.Z_DEFAULT_STRATEGY, 4, handicap=1.02),
    Compression("none", zlib.Z_DEFAULT_STRATEGY, 4, handicap=1.02),
)
FLAT = 0.4  # least share of bytes in runs of 8 zeros, after the Paeth filter, for a band to count as graphics

# The sample of a band to try the methods on: its bytes and groups of rows; for a photograph, pieces and their bytes.
SAMPLE, GROUPS = 1 << 16, 6
PIECES, PIECE = 32, 256


class Band(NamedTuple):
    """A deflated band: its IDAT chunk, and the Adler-32 and length of the uncompressed data."""

    chunk: bytes
    adler: int
    length: int


def _band(rows: NDArray[Any], pixel: int, start: int, stop: int, compression: Compression | None) -> Band:
    """Filter and deflate the rows from `start` to `stop`, tile by tile."""
    stop = min(stop, len(rows))
    compression = compression or _best_compression(rows, pixel, start, stop)
    deflater = _deflater(compression)
    pieces, adler = [] if start else [_ZLIB_HEADER], 1
    height = max(1, TILE // _width(rows))
    for top in range(start, stop, height):
        tile = _filtered(_padded(rows, pixel, top, min(top + height, stop)), pixel, compression.filter)
        adler = zlib.adler32(tile, adler)
        pieces.append(deflater.compress(tile))
    pieces.append(deflater.flush(zlib.Z_SYNC_FLUSH if stop < len(rows) else zlib.Z_FINISH))
    return Band(chunk(b"IDAT", b"".join(pieces)), adler, (stop - start) * (_width(rows) + 1))


def _best_compression(rows: NDArray[Any], pixel: int, start: int, stop: int) -> Compression:
    """Try the methods on a few groups of rows spread over a band; for a photograph, on pieces of those."""
    height = min(stop - start, max(1, SAMPLE // GROUPS // _width(rows)))
    tops = range(start, stop - height + 1, max(height, (stop - start) // GROUPS))
    sample = np.concatenate([_padded(rows, pixel, top, top + height) for top in tops], axis=1)
    flat, compressions = _filtered(sample, pixel, "paeth").tobytes(), GRAPHICS
    if 8 * flat.count(bytes(8)) < FLAT * len(flat):
        starts, compressions = range(0, sample.shape[1], max(PIECE, sample.shape[1] // PIECES)), PHOTOGRAPH
        sample = np.concatenate([sample[:9, at : at + PIECE] for at in starts], axis=1)
    tiles = {
        name: _filtered(sample, pixel, name) for name in {compression.filter for compression in compressions}
    }

    def cost(compression: Compression) -> float:
        deflater = _deflater(compression)
        size = len(deflater.compress(tiles[compression.filter])) + len(deflater.flush())
        return size * compression.handicap

    return min(compressions, key=cost)


def _deflater(compression: Compression) -> "zlib._Compress":
    return zlib.compressobj(
        compression.level, zlib.DEFLATED, -zlib.MAX_WBITS, zlib.DEF_MEM_LEVEL, compression.strategy
    )


def _padded(rows: NDArray[Any], pixel: int, top: int, bottom: int) -> Bytes:
    """Return rows with the row above them and one pixel to their left, zero outside the picture."""
    padded = np.zeros((bottom - top + 1, _width(rows) + pixel), np.uint8)
    above = max(0, top - 1)
    padded[above - top + 1 :, pixel:] = _bytes(rows[above:bottom])
    return padded


def _filtered(padded: Bytes, pixel: int, name: str) -> memoryview:
    """Return the filtered rows: each starts with the number of its filter, followed by the residuals."""
    number, work = _FILTERS[name]
    out = np.empty((len(padded) - 1, padded.shape[1] - pixel + 1), np.uint8)
    out[:, 0] = number
    work(padded, pixel, out[:, 1:])
    return out.data
