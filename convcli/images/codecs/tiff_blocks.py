"""Decode the strips and tiles of a TIFF one at a time.

This covers the lossless kinds that most large TIFFs are. A page whose strips or tiles cannot be decoded and converted
independently of each other is read whole.
"""

from __future__ import annotations  # NumPy is loaded while a picture is decoded

from math import prod
from typing import TYPE_CHECKING, Any, BinaryIO

from convcli.images.codecs.tiff import NoCodecError, load_tifffile
from convcli.images.codecs.tiff_claims import check_page
from convcli.images.header import FrameHeader
from convcli.images.metadata.names import ORIENTATION
from convcli.images.modes import channels_of, is_counted
from convcli.images.stored_pixels import BLOCK, MIN_BLOCKS, PlainPixels, SharedFile, StoredPixels

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

# TIFF 6.0: none, LZW, the two codes of deflate, PackBits; and libtiff's LZMA and Zstandard.
UNCOMPRESSED, LOSSLESS = 1, (1, 5, 8, 32946, 32773, 34925, 50000)
BLACK_IS_ZERO, RGB = 1, 2  # photometric interpretations
CONTIGUOUS, MSB_FIRST, UNASSOCIATED = 1, 1, 2


def stored_page(
    file: BinaryIO, name: str, number: int, header: FrameHeader, max_pixels: int
) -> tuple[StoredPixels, int] | None:
    """Return the pixels of a page and the offset of its directory; None if the page must be read whole.

    header : header of the frame that reading the whole page would return
    """
    file.seek(0)
    try:
        page = load_tifffile("").TiffFile(file).pages[number]
    except NoCodecError:
        return None
    if not _is_plain(page, header):
        return None
    check_page(name, page, max_pixels)
    shared = SharedFile(file, name)
    offsets, counts = tuple(page.dataoffsets), tuple(page.databytecounts)
    if page.compression == UNCOMPRESSED and not page.is_tiled and _is_one_run(page, offsets):
        if offsets[0] + page.nbytes > shared.size:
            raise shared.damaged("its samples extend past the end of the file")
        dtype = page.dtype.newbyteorder(page.parent.byteorder)
        return PlainPixels(shared, offsets[0], header.shape, dtype, _native), page.offset
    pixels = _Segments(shared, page, header, offsets, counts)
    if any(offset + count > shared.size for offset, count in zip(offsets, counts, strict=True)):
        raise shared.damaged("its strips or tiles extend past the end of the file")
    return pixels, page.offset


def _is_plain(page: Any, header: FrameHeader) -> bool:
    """Return whether each strip or tile can be decoded on its own, with the same pixels as reading the whole page."""
    height, width, *channels = header.shape
    samples = prod(channels)
    kind = channels_of(header.mode)
    extras = tuple(map(int, page.extrasamples))
    expected = {"L": (BLACK_IS_ZERO, ()), "RGB": (RGB, ())} | {
        "LA": (BLACK_IS_ZERO, (UNASSOCIATED,)),
        "RGBA": (RGB, (UNASSOCIATED,)),
    }
    is_known = (int(page.photometric), extras) == expected.get(kind) or (
        is_counted(header.mode) and int(page.photometric) == BLACK_IS_ZERO
    )
    across, down = (
        (-(-width // page.tilewidth), -(-height // page.tilelength))
        if page.is_tiled
        else (1, -(-height // page.rowsperstrip))
    )
    return (
        is_known
        and page.dtype is not None
        and page.dtype.newbyteorder("=").name == header.dtype
        and page.bitspersample == 8 * page.dtype.itemsize
        and int(page.compression) in LOSSLESS
        and (page.compression != UNCOMPRESSED or page.predictor == 1)
        and (page.imagelength, page.imagewidth, page.samplesperpixel) == (height, width, samples)
        and page.imagedepth == 1
        and (page.planarconfig == CONTIGUOUS or samples == 1)
        and page.fillorder == MSB_FIRST
        and page.tags.valueof(ORIENTATION, 1) == 1
        and len(page.dataoffsets) == len(page.databytecounts) == across * down
        and all(page.databytecounts)
    )


def _is_one_run(page: Any, offsets: Sequence[int]) -> bool:
    """Return whether the strips of an uncompressed page are contiguous."""
    strip = page.rowsperstrip * page.imagewidth * page.samplesperpixel * page.dtype.itemsize
    return all(offset == offsets[0] + number * strip for number, offset in enumerate(offsets))


def _native(samples: NDArray[Any]) -> NDArray[Any]:
    return samples.astype(samples.dtype.newbyteorder("="), copy=False)


class _Segments(StoredPixels):
    """Pixels in strips or tiles; a block has several strips if they are small."""

    def __init__(
        self,
        file: SharedFile,
        page: Any,
        header: FrameHeader,
        offsets: Sequence[int],
        counts: Sequence[int],
    ) -> None:
        self._file, self._page, self._offsets, self._counts = file, page, offsets, counts
        height, width, *channels = header.shape
        dtype: np.dtype[Any] = page.dtype.newbyteorder("=")
        rows, columns = (
            (page.tilelength, page.tilewidth) if page.is_tiled else (min(height, page.rowsperstrip), width)
        )
        size = rows * columns * prod(channels) * dtype.itemsize
        together = 1 if page.is_tiled else max(1, min(BLOCK // size, height // (MIN_BLOCKS * rows)))
        self._rows = rows
        most = max(counts)
        super().__init__(header.shape, dtype, (together * rows, columns), 2 * size + most)

    def block(self, down: int, across: int) -> NDArray[Any]:
        """Decode a block."""
        import numpy as np

        rows, columns = self.extent(down, across)
        pixels = np.empty((rows.stop - rows.start, columns.stop - columns.start, *self.shape[2:]), self.dtype)
        per_row = -(-self.shape[1] // self.block_size[1])
        for top in range(rows.start, rows.stop, self._rows):
            bottom = min(rows.stop, top + self._rows)
            segment = self._decoded(top // self._rows * per_row + across)
            part = segment[: bottom - top, : columns.stop - columns.start]
            pixels[top - rows.start : bottom - rows.start] = part.reshape(*part.shape[:2], *self.shape[2:])
        return pixels

    def _decoded(self, number: int) -> NDArray[Any]:
        """Return the samples of a strip or tile, (rows, columns, samples)."""
        data = self._file.read(self._offsets[number], self._counts[number])
        try:
            samples, *_ = self._page.decode(data, number)
        except Exception as error:  # codecs raise errors of many types
            raise self._file.damaged(error) from error
        found: NDArray[Any] = samples[0]
        return found
