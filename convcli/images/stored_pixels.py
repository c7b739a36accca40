"""Pixels that stay in their file and are decoded block by block on demand."""

from __future__ import annotations  # NumPy is loaded while a picture is decoded

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from math import prod
from threading import Lock
from typing import TYPE_CHECKING, Any, BinaryIO

from convcli.images.picture import ImageError, damaged

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BLOCK = 1 << 20  # bytes of pixels decoded at a time, or more if a file has larger strips or tiles
LONG = 1 << 10  # samples read at once from a file in column order
MIN_BLOCKS = 4  # a picture with fewer blocks along its height is read whole


class StoredPixels(ABC):
    """The pixels of one frame, in place of the array in `Frame`; the file must stay open while they are used.

    shape : (H, W) or (H, W, C)
    dtype : dtype of the samples
    block_size : rows and columns of a block; the last blocks may have fewer
    working : bytes needed to decode a block, in addition to the block
    """

    def __init__(
        self, shape: tuple[int, ...], dtype: np.dtype[Any], block_size: tuple[int, int], working: int = 0
    ) -> None:
        self.shape, self.dtype, self.block_size, self.working = shape, dtype, block_size, working

    @property
    def ndim(self) -> int:
        """Number of dimensions: 2, or 3 with channels."""
        return len(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes of all pixels."""
        return prod(self.shape) * self.dtype.itemsize

    @property
    def worthwhile(self) -> bool:
        """Whether reading by blocks saves memory, because a block is a small part of the picture."""
        return MIN_BLOCKS * self.block_size[0] <= self.shape[0]

    def extent(self, down: int, across: int) -> tuple[slice, slice]:
        """Return the rows and columns of a block, without those beyond the picture."""
        starts = (number * side for number, side in zip((down, across), self.block_size, strict=True))
        rows, columns = (
            slice(start, min(n, start + side))
            for start, side, n in zip(starts, self.block_size, self.shape, strict=False)
        )
        return rows, columns

    @abstractmethod
    def block(self, down: int, across: int) -> NDArray[Any]:
        """Return the pixels of the block at row `down` and column `across` of the grid of blocks, or raise ImageError.

        Several threads may call this at the same time.
        """

    def __iter__(self) -> Iterator[NDArray[Any]]:
        """Yield the rows."""
        import numpy as np

        down, across = (-(-n // side) for n, side in zip(self.shape, self.block_size, strict=False))
        for number in range(down):
            yield from np.concatenate([self.block(number, column) for column in range(across)], axis=1)


class ChangedPixels(StoredPixels):
    """Stored pixels with a function applied to each pixel."""

    def __init__(
        self, pixels: StoredPixels, change: Callable[[NDArray[Any]], NDArray[Any]], like: NDArray[Any]
    ) -> None:
        """Initialise with the function of a block, `change`, and an example of its result, `like`."""
        shape = (*pixels.shape[:2], *like.shape[2:])
        working = pixels.working + prod(pixels.block_size) * prod(pixels.shape[2:]) * pixels.dtype.itemsize
        super().__init__(shape, like.dtype, pixels.block_size, working)
        self._pixels, self._change = pixels, change

    def block(self, down: int, across: int) -> NDArray[Any]:
        """Return the changed pixels of a block."""
        return self._change(self._pixels.block(down, across))


class SharedFile:
    """A file from which several threads read."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file, self.name, self._lock = file, name, Lock()
        self.size = file.seek(0, 2)

    def read(self, start: int, size: int) -> bytes:
        """Return `size` bytes from offset `start`, or raise ImageError if they cannot be read."""
        try:
            with self._lock:
                self._file.seek(start)
                data = self._file.read(size)
        except OSError as error:
            raise ImageError(f"cannot read {self.name}: {error.strerror or error}") from error
        if len(data) < size:
            raise self.damaged(f"it ends after {start + len(data):,} bytes")
        return data

    def damaged(self, why: object) -> ImageError:
        """Return the error for a file whose pixels cannot be decoded."""
        return damaged(self.name, why)


class PlainPixels(StoredPixels):
    """Pixels that are stored uncompressed and contiguously."""

    def __init__(
        self,
        file: SharedFile,
        start: int,
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        convert: Callable[[NDArray[Any]], NDArray[Any]],
        *,
        fortran_order: bool = False,
    ) -> None:
        """Initialise with the offset of the first sample, `start`.

        dtype : dtype in the file, in either byte order
        convert : converts stored samples to those that are filtered
        fortran_order : whether samples are in column-major order
        """
        import numpy as np

        self._file, self._start, self._stored, self._convert = file, start, dtype, convert
        self._fortran_order = fortran_order
        height, width = shape[:2]
        row = width * prod(shape[2:]) * dtype.itemsize
        if fortran_order:  # columns are read one at a time, so blocks are tall
            rows = max(1, min(LONG, height // MIN_BLOCKS))
            columns = max(1, BLOCK // (rows * dtype.itemsize * prod(shape[2:])))
        else:
            rows, columns = max(1, min(BLOCK // row, height // MIN_BLOCKS)), width
        made = convert(np.zeros((1, 1), dtype)).dtype
        block = rows, min(columns, width)
        working = prod(block) * prod(shape[2:]) * dtype.itemsize
        super().__init__(shape, made, block, working)

    def block(self, down: int, across: int) -> NDArray[Any]:
        """Read a block from the file."""
        import numpy as np

        rows, columns = self.extent(down, across)
        height, width, *channels = self.shape
        itemsize = self._stored.itemsize
        if not self._fortran_order:
            row = width * prod(channels) * itemsize
            data = self._file.read(self._start + rows.start * row, (rows.stop - rows.start) * row)
            samples = np.frombuffer(data, self._stored).reshape(-1, width, *channels)
            return self._convert(samples)
        count = rows.stop - rows.start
        parts = np.empty((prod(channels), columns.stop - columns.start, count), self._stored)
        for channel in range(parts.shape[0]):
            for place, column in enumerate(range(columns.start, columns.stop)):
                first = (channel * width + column) * height + rows.start
                data = self._file.read(self._start + first * itemsize, count * itemsize)
                parts[channel, place] = np.frombuffer(data, self._stored)
        transposed = parts.transpose(2, 1, 0)
        return self._convert(np.ascontiguousarray(transposed.reshape(*transposed.shape[:2], *channels)))
