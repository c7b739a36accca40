"""Reading and writing NumPy's .npy files; the header is checked against the file before memory is allocated."""

from __future__ import annotations  # NumPy is loaded when a file is read

from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from convcli.errors import ConvcliError
from convcli.remote_files import RemotePath
from convcli.thread_warnings import warnings_caught

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAGIC = b"\x93NUMPY"
ARCHIVES = (
    b"PK\x03\x04",
    b"PK\x05\x06",
)  # the first bytes of a .npz, which is a ZIP file, and of an empty one
MAX_AXES = 32  # which every version of NumPy supports
MAX_BYTES = 1 << 62  # NumPy refuses more, even of an empty array, whose other sides it multiplies


class NpyError(ConvcliError):
    """A file holds no array; the message follows the name of the file: `it is ...`."""


class Header(NamedTuple):
    """The header of a .npy file.

    fortran_order : whether the index of the first axis changes fastest
    start : the byte at which the values begin
    """

    shape: tuple[int, ...]
    fortran_order: bool
    dtype: np.dtype[Any]
    start: int


def read_header(file: BinaryIO) -> Header:
    """Return the header of a .npy file, or raise NpyError; objects are never unpickled."""
    from numpy.lib import format as npy

    file.seek(0)
    start = file.read(len(MAGIC))
    file.seek(0)
    if start.startswith(ARCHIVES):
        raise NpyError("it is an archive of arrays, written by numpy.savez; save one array with numpy.save")
    if start != MAGIC:
        raise NpyError(
            "it is not a .npy file; save the array with numpy.save (a pickle is never loaded, as it can run code)"
        )
    readers = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
    with warnings_caught():  # about headers that Python 2 wrote, or that are not valid Python
        try:
            version = npy.read_magic(file)
            header = Header(*readers[version](file), file.tell()) if version in readers else None
        except Exception:  # the header is a Python expression, and a damaged one can raise anything
            raise NpyError("its header is damaged or cut short; save it again with numpy.save") from None
    if header is None:
        number = ".".join(map(str, version))
        raise NpyError(
            f"it is a .npy file of version {number}, which is for arrays with named fields; save a plain array"
        )
    if header.dtype.hasobject:
        raise NpyError(
            "it holds Python objects, which are never unpickled because they can run code; save an array of numbers"
        )
    sides = header.shape
    plain = len(sides) <= MAX_AXES and all(type(side) is int and side >= 0 for side in sides)
    if not plain or (0 in sides and prod(filter(None, sides)) * header.dtype.itemsize > MAX_BYTES):
        raise NpyError(f"its shape {sides} is not a valid shape; save it again with numpy.save")
    return header


def read_values(file: BinaryIO, header: Header) -> NDArray[Any]:
    """Return the values in the dtype of the file, or raise NpyError if some are missing."""
    import numpy as np

    check_length(file, header)
    file.seek(header.start)
    values = np.empty(prod(header.shape), header.dtype)
    if values.size and read_into(file, values.view(np.uint8)) < values.nbytes:
        raise NpyError("the file was cut short while it was read; get a whole copy")
    return _shaped(values, header)


def read_into(file: BinaryIO, data: NDArray[np.uint8]) -> int:
    """Read bytes from the position of a file into an array; return their number."""
    reader: Any = file  # typeshed's BinaryIO has no `readinto`, which every binary file has
    return int(reader.readinto(data))


def map_values(path: Path, header: Header) -> NDArray[Any]:
    """Return the values as a memory map of the file, read on access; or raise NpyError."""
    import numpy as np

    with path.open("rb") as file:
        check_length(file, header)
        if isinstance(path, RemotePath):  # which is in memory already
            file.seek(header.start)
            return read_values(file, header)
    if not prod(header.shape):
        return np.empty(header.shape, header.dtype)
    count = (prod(header.shape),)
    return _shaped(np.memmap(path, header.dtype, "r", header.start, count), header)


def npy_bytes(array: NDArray[Any]) -> bytes:
    """Return an array as the bytes of a .npy file."""
    from io import BytesIO

    import numpy as np

    buffer = BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def _shaped(values: NDArray[Any], header: Header) -> NDArray[Any]:
    return values.reshape(header.shape, order="F" if header.fortran_order else "C")


def check_length(file: BinaryIO, header: Header) -> None:
    """Raise NpyError if the file is shorter than its header says."""
    wanted, there = prod(header.shape) * header.dtype.itemsize, file.seek(0, 2) - header.start
    if there < wanted:
        raise NpyError(
            f"the file is cut short: it has {there:,} of {wanted:,} bytes of values; get a whole copy"
        )
