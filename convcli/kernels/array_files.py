"""Arrays given as arguments or read from files: weights, biases, matrices and offsets; pickles are never loaded."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convcli.errors import ArgumentError, content_of_file
from convcli.kernels.change import MAX_SUM
from convcli.kernels.kernel import MAX_AXES, Kernel, check_sides, nested
from convcli.kernels.matrices import checked as finite
from convcli.npy import NpyError, map_values, read_header, read_values
from convcli.number_text import read_finite, split, without_brackets
from convcli.remote_files import file_path

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]
CHUNK = 1 << 24  # number of values that are checked at once
MAX_TEXT = 1 << 24  # largest size in bytes of a matrix file in text form


def load_array(text: str, argument: str, *, mapped: bool = False) -> Array:
    """Return the array in a .npy file, or raise FileError; with `mapped` it is memory-mapped, not read."""
    path = file_path(text)
    if path.suffix.lower() != ".npy":
        raise ArgumentError(f"`{argument}` {text}: an array must be in a .npy file, as numpy.save writes it")
    with content_of_file():
        return _loaded(path, text, argument, mapped=mapped)


def _loaded(path: Path, text: str, argument: str, *, mapped: bool) -> Array:
    try:
        _check_regular(path, text, argument)
        with path.open("rb") as file:
            header = read_header(file)
            if header.dtype.kind not in "iuf" or header.dtype.itemsize > 8 or 0 in header.shape:
                raise ArgumentError(
                    f"`{argument}`: {text} holds {header.dtype} of shape {header.shape}; save a non-empty array of "
                    "real numbers, such as float32"
                )
            array = map_values(path, header) if mapped else read_values(file, header)
    except OSError as error:
        raise ArgumentError(f"`{argument}`: cannot read {text}: {error.strerror or error}") from None
    except NpyError as error:
        raise ArgumentError(f"`{argument}`: cannot read {text}: {error}") from None
    return checked(array, text, argument)


def given_array(value: str | Array, argument: str, *, mapped: bool = False) -> Array:
    """Return an array of finite numbers: the given one, or the one in the .npy file that a string names."""
    if isinstance(value, str):
        return load_array(value, argument, mapped=mapped)
    return checked(value, "the array", argument)


def kernel_of(array: Array, what: str = "the kernel") -> Kernel:
    """Return a kernel with the weights of an array; integers stay integers. `what` is its name in errors.

    >>> import numpy as np
    >>> kernel_of(np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]])).weights
    ((0, -1, 0), (-1, 5, -1), (0, -1, 0))
    """
    if not 1 <= array.ndim <= MAX_AXES or not array.size:
        raise ArgumentError(
            f"an array of shape {array.shape} is not a kernel; a kernel has 1 to {MAX_AXES} axes and is not empty"
        )
    check_sides(*array.shape)
    weights = array.astype(float if array.dtype.kind == "f" else array.dtype).ravel().tolist()
    return Kernel("kernel", (nested([finite(+weight, what) for weight in weights], array.shape),))


def _check_regular(path: Path, text: str, argument: str) -> None:
    """Raise ArgumentError if a path exists but is not a regular file; reading a pipe might never end."""
    if path.exists() and not path.is_file():
        raise ArgumentError(
            f"`{argument}`: cannot read {text}: it is a folder, a device or a pipe; name a file"
        )


def checked(array: Array, name: str, argument: str) -> Array:
    """Return the array; raise ArgumentError with the first value that is not finite or is too large for sums."""
    import numpy as np

    flat = array.reshape(-1)
    for start in range(0, flat.size, CHUNK):
        bad = ~(np.abs(flat[start : start + CHUNK].astype(np.float64, copy=False)) <= MAX_SUM)
        if bad.any():
            place = tuple(map(int, np.unravel_index(start + int(bad.argmax()), array.shape)))
            raise ArgumentError(
                f"`{argument}`: {name} holds {array[place]} at {place}; every number must be finite and at most "
                f"{MAX_SUM:g} in magnitude"
            )
    return array


def _json_rows(lines: Sequence[str], name: str, argument: str) -> list[list[str]]:
    """Return the numbers in JSON as words, row by row; a fraction is a text, as in kernels."""
    import json

    try:
        value = json.loads("\n".join(lines))
    except (ValueError, RecursionError) as error:
        raise ArgumentError(f"`{argument}`: {name} is not JSON ({error})") from None
    is_matrix = isinstance(value, list) and all(
        isinstance(row, list) and all(type(each) in (int, float, str) for each in row) for row in value
    )
    if not is_matrix:
        raise ArgumentError(
            f"`{argument}`: {name} holds no matrix; write a list of rows, such as [[1, 0, 0], [0, 1, 0]]"
        )
    return [list(map(str, row)) for row in value]


def load_matrix(text: str | Array | Sequence[Sequence[float]], argument: str) -> Array:
    """Return a matrix: rows of numbers in a .npy, .csv, .txt or .json file, or typed as '1 0 0; 0 1 0'."""
    import numpy as np

    if not isinstance(text, str | np.ndarray):
        return np.array(text, float)
    path = file_path(text if isinstance(text, str) else "")
    if not isinstance(text, str) or path.suffix.lower() == ".npy":
        array = given_array(text, argument)
        if array.ndim == 4 and array.shape[2:] == (1, 1):
            array = array[:, :, 0, 0]
        if array.ndim != 2:
            name = text if isinstance(text, str) else "the array"
            raise ArgumentError(
                f"`{argument}`: {name} has shape {array.shape}; a matrix (outputs, inputs) is needed"
            )
        return array
    if path.suffix.lower() in (".csv", ".txt", ".json"):
        with content_of_file():
            return _matrix_of(_lines_of(path, text, argument), path.suffix.lower(), text, argument)
    return _matrix_of([without_brackets(text)], "", text, argument)


def _lines_of(path: Path, text: str, argument: str) -> list[str]:
    """Return the lines of a text file without comments."""
    try:
        _check_regular(path, text, argument)
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(0)
            data = file.read() if size <= MAX_TEXT else b""
        if size > MAX_TEXT:
            raise ArgumentError(
                f"`{argument}`: {text} has {size:,} bytes, more than the {MAX_TEXT:,} that are read as text; save "
                "it as .npy"
            )
        lines = data.decode("utf-8-sig").splitlines()
    except OSError as error:
        raise ArgumentError(f"`{argument}`: cannot read {text}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ArgumentError(f"`{argument}`: {text} is not text; save it as rows of numbers") from None
    return lines if path.suffix.lower() == ".json" else [line.partition("#")[0] for line in lines]


def _matrix_of(lines: Sequence[str], ending: str, text: str, argument: str) -> Array:
    """Return the matrix in the lines of a file with an ending, or in a text without one."""
    import numpy as np

    if ending not in (".csv", ".json"):
        lines = [row for line in lines for row in line.split(";")]
    rows = (
        _json_rows(lines, text, argument)
        if ending == ".json"
        else [split(line, ",;") for line in lines if line.strip()]
    )
    try:
        numbers = [[float(read_finite(word)) for word in row] for row in rows]
    except ArgumentError as error:
        raise ArgumentError(
            f"`{argument}`: {text!r} is not a matrix ({error}); give luma, sepia, swap-rb, rows of numbers such as "
            "'1 0 0; 0 1 0; 0 0 1', or a file (.npy .csv .txt .json)"
        ) from None
    if not numbers or len({len(row) for row in numbers}) > 1:
        raise ArgumentError(
            f"`{argument}`: {text!r} is ragged or empty; give every row the same number of values"
        )
    return checked(np.array(numbers), repr(text), argument)
