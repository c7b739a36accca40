"""Pixels that stay in their file: decoded block by block, when they are asked for."""

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

BLOCK = 1 << 20  # bytes of pixels that are decoded at a time, or more where a file has larger parts
LONG = 1 << 10  # samples that are read at once where columns stand in a file one behind the other
LEAST_BLOCKS = 4  # down a picture that is worth reading by blocks


class StoredPixels(ABC):
    """The pixels of one frame, in place of their array in `Frame`; the file stays open as long as they are used.

    shape : (H, W) or (H, W, C); dtype : of the samples
    block_size : the rows and the columns of a block; those at the ends may have fewer
    working : bytes that decoding a block takes beside it
    """

    def __init__(
        self, shape: tuple[int, ...], dtype: np.dtype[Any], block_size: tuple[int, int], working: int = 0
    ) -> None:
        self.shape, self.dtype, self.block_size, self.working = shape, dtype, block_size, working

    @property
    def ndim(self) -> int:
        """2, or 3 where there are channels."""
        return len(self.shape)

    @property
    def nbytes(self) -> int:
        """The bytes of all pixels."""
        return prod(self.shape) * self.dtype.itemsize

    @property
    def worthwhile(self) -> bool:
        """Whether a block is a small part of the picture."""
        return LEAST_BLOCKS * self.block_size[0] <= self.shape[0]

    def extent(self, down: int, across: int) -> tuple[slice, slice]:
        """Return which rows and columns a block has, of those that there are."""
        starts = (number * side for number, side in zip((down, across), self.block_size, strict=True))
        rows, columns = (
            slice(start, min(n, start + side))
            for start, side, n in zip(starts, self.block_size, self.shape, strict=False)
        )
        return rows, columns

    @abstractmethod
    def block(self, down: int, across: int) -> NDArray[Any]:
        """Return the pixels of the block that is so many below and beside the first, or raise ImageError.

        Several threads may ask at a time.
        """

    def __iter__(self) -> Iterator[NDArray[Any]]:
        """Yield one row after the other."""
        import numpy as np

        down, across = (-(-n // side) for n, side in zip(self.shape, self.block_size, strict=False))
        for number in range(down):
            yield from np.concatenate([self.block(number, beside) for beside in range(across)], axis=1)


class ChangedPixels(StoredPixels):
    """A function of each pixel of others."""

    def __init__(
        self, pixels: StoredPixels, change: Callable[[NDArray[Any]], NDArray[Any]], like: NDArray[Any]
    ) -> None:
        """Take what is done to the pixels of a block, and one pixel of what it makes."""
        shape = (*pixels.shape[:2], *like.shape[2:])
        working = pixels.working + prod(pixels.block_size) * prod(pixels.shape[2:]) * pixels.dtype.itemsize
        super().__init__(shape, like.dtype, pixels.block_size, working)
        self._pixels, self._change = pixels, change

    def block(self, down: int, across: int) -> NDArray[Any]:
        """Return the changed pixels of a block."""
        return self._change(self._pixels.block(down, across))


class SharedFile:
    """A file that several threads read parts of."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file, self.name, self._lock = file, name, Lock()
        self.size = file.seek(0, 2)

    def read(self, start: int, size: int) -> bytes:
        """Return so many bytes from a place, or raise ImageError where they cannot be read."""
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
        """Return what is said of a file whose pixels cannot be decoded."""
        return damaged(self.name, why)


class PlainPixels(StoredPixels):
    """Pixels that stand in a file as they are, one sample behind the other."""

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
        """Take where the first sample stands.

        dtype : of the file, in whichever byte order; convert : makes samples of it that can be filtered
        fortran_order : whether the first axis turns fastest, as rows of a transposed picture
        """
        import numpy as np

        self._file, self._start, self._stored, self._convert = file, start, dtype, convert
        self._fortran_order = fortran_order
        height, width = shape[:2]
        row = width * prod(shape[2:]) * dtype.itemsize
        if fortran_order:  # columns are read one by one: long ones
            rows = max(1, min(LONG, height // LEAST_BLOCKS))
            columns = max(1, BLOCK // (rows * dtype.itemsize * prod(shape[2:])))
        else:
            rows, columns = max(1, min(BLOCK // row, height // LEAST_BLOCKS)), width
        made = convert(np.zeros((1, 1), dtype)).dtype
        block = rows, min(columns, width)
        working = prod(block) * prod(shape[2:]) * dtype.itemsize
        super().__init__(shape, made, block, working)

    def block(self, down: int, across: int) -> NDArray[Any]:
        """Read a block."""
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
        turned = parts.transpose(2, 1, 0)
        return self._convert(np.ascontiguousarray(turned.reshape(*turned.shape[:2], *channels)))
