"""NumPy's .npy files: what the header claims is checked against the file before any memory is taken."""

from __future__ import annotations  # NumPy is loaded when a file is read

from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from convcli.errors import ConvcliError
from convcli.warned import warnings_caught

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAGIC = b"\x93NUMPY"
ARCHIVES = (b"PK\x03\x04", b"PK\x05\x06")  # how a .npz begins, which is a ZIP file, and an empty one
MOST_AXES = 32  # that every version of NumPy has
MOST_BYTES = 1 << 62  # which it refuses of an array that is empty, too


class NpyError(ConvcliError):
    """A file holds no array; the message goes on after the file's name: `it is ...`."""


class Header(NamedTuple):
    """What a .npy file claims: its values begin at byte `start`, the first axis turning fastest if `fortran_order`."""

    shape: tuple[int, ...]
    fortran_order: bool
    dtype: np.dtype[Any]
    start: int


def read_header(file: BinaryIO) -> Header:
    """Return the header of a .npy file, or raise NpyError; no object in it is ever unpickled."""
    from numpy.lib import format as npy

    file.seek(0)
    start = file.read(len(MAGIC))
    file.seek(0)
    if start.startswith(ARCHIVES):
        raise NpyError(
            "it is an archive of arrays, as numpy.savez writes it; save one array, with numpy.save"
        )
    if start != MAGIC:
        raise NpyError(
            "it is not a .npy file, as numpy.save writes it; pickled objects are never loaded, as they can run programs"
        )
    readers = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
    with warnings_caught():  # of headers that Python 2 wrote, or that are no Python at all
        try:
            version = npy.read_magic(file)
            header = Header(*readers[version](file), file.tell()) if version in readers else None
        except Exception:  # the header is an expression of Python, and what is wrong with it can be anything
            raise NpyError("its header is damaged or cut short; write it anew, with numpy.save") from None
    if header is None:
        number = ".".join(map(str, version))
        raise NpyError(
            f"it is a .npy file of version {number}, made for records with names; save a plain array"
        )
    if header.dtype.hasobject:
        raise NpyError(
            "it holds Python objects, which are never unpickled, as they can run programs; save plain numbers"
        )
    sides = header.shape
    plain = len(sides) <= MOST_AXES and all(type(side) is int and side >= 0 for side in sides)
    if not plain or (0 in sides and prod(filter(None, sides)) * header.dtype.itemsize > MOST_BYTES):
        raise NpyError(f"its shape {sides} is that of no array; write it anew, with numpy.save")
    return header


def read_values(file: BinaryIO, header: Header) -> NDArray[Any]:
    """Return the values in the dtype of the file, or raise NpyError where some are missing."""
    import numpy as np

    check_length(file, header)
    file.seek(header.start)
    values = np.empty(prod(header.shape), header.dtype)
    if values.size and read_into(file, values.view(np.uint8)) < values.nbytes:
        raise NpyError("the file was cut short while it was read; get a whole copy")
    return _shaped(values, header)


def read_into(file: BinaryIO, data: NDArray[np.uint8]) -> int:
    """Read bytes from where a file is into an array; return how many there were."""
    reader: Any = file  # typeshed's BinaryIO leaves out what every binary file has
    return int(reader.readinto(data))


def map_values(path: Path, header: Header) -> NDArray[Any]:
    """Return the values as they stand in the file, read when they are used; or raise NpyError."""
    import numpy as np

    with path.open("rb") as file:
        check_length(file, header)
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
    """Refuse a file that is shorter than it claims, by NpyError."""
    wanted, there = prod(header.shape) * header.dtype.itemsize, file.seek(0, 2) - header.start
    if there < wanted:
        raise NpyError(
            f"the file is cut short: it has {there:,} of {wanted:,} bytes of values; get a whole copy"
        )
