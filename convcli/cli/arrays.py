"""Arrays from files that options name: weights, biases, matrices and offsets; never unpickled."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convcli.errors import ArgumentError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]
CHUNK = 1 << 24  # numbers that are looked at at once


def load_array(text: str, option: str, *, mapped: bool = False) -> Array:
    """Return the numbers in a .npy file, or raise ArgumentError; `mapped` ones stay in the file until they are used."""
    import numpy as np

    path = Path(text)
    if path.suffix.lower() != ".npy":
        raise ArgumentError(f"{option} {text}: it takes an array in a .npy file, as numpy.save writes it")
    try:
        array = np.load(path, allow_pickle=False, mmap_mode="r" if mapped else None)
    except OSError as error:
        raise ArgumentError(f"{option}: cannot read {text}: {error.strerror or error}") from None
    except (ValueError, EOFError) as error:
        if "pickle" in str(error):
            raise ArgumentError(
                f"{option}: {text} holds Python objects or is no .npy file; such files are never unpickled, as they "
                "can run programs; save plain numbers"
            ) from None
        raise ArgumentError(f"{option}: cannot read {text}: it is no whole .npy file ({error})") from None
    if array.dtype.kind not in "iuf" or array.dtype.itemsize > 8 or not array.size:
        raise ArgumentError(
            f"{option}: {text} holds {array.dtype} of shape {array.shape}; real numbers are needed, as float32"
        )
    return checked(array, text, option)


def checked(array: Array, name: str, option: str) -> Array:
    """Refuse numbers that are not finite, and say where the first stands."""
    import numpy as np

    flat = array.reshape(-1)
    for start in range(0, flat.size, CHUNK):
        bad = ~np.isfinite(flat[start : start + CHUNK])
        if bad.any():
            place = tuple(map(int, np.unravel_index(start + int(bad.argmax()), array.shape)))
            raise ArgumentError(
                f"{option}: {name} holds {array[place]} at {place}; every number must be finite"
            )
    return array


def load_matrix(text: str | Sequence[Sequence[float]], option: str) -> Array:
    """Return a matrix: rows of numbers in a .npy, .csv or .txt file, or typed as '1 0 0; 0 1 0'."""
    import numpy as np

    if not isinstance(text, str):
        return np.array(text, float)
    path = Path(text)
    if path.suffix.lower() == ".npy":
        array = load_array(text, option)
        if array.ndim == 4 and array.shape[2:] == (1, 1):
            array = array[:, :, 0, 0]
        if array.ndim != 2:
            raise ArgumentError(
                f"{option}: {text} has shape {array.shape}; a matrix (outputs, inputs) is needed"
            )
        return array
    if path.suffix.lower() in (".csv", ".txt"):
        try:
            lines = path.read_text().splitlines()
        except OSError as error:
            raise ArgumentError(f"{option}: cannot read {text}: {error.strerror}") from None
        except UnicodeDecodeError:
            raise ArgumentError(f"{option}: {text} is no text; save it as numbers in rows") from None
    else:
        lines = text.split(";")
    rows = [
        line.replace(",", " ").split() for line in lines if line.strip() and not line.lstrip().startswith("#")
    ]
    try:
        numbers = [[float(word) for word in row] for row in rows]
    except ValueError as error:
        raise ArgumentError(
            f"{option}: {text!r} is no matrix ({error}); give luma, sepia, swap-rb, rows of numbers as "
            "'1 0 0; 0 1 0; 0 0 1', or a file (.npy .csv .txt)"
        ) from None
    if not numbers or len({len(row) for row in numbers}) > 1:
        raise ArgumentError(f"{option}: {text!r} is ragged or empty; every row needs as many numbers")
    return checked(np.array(numbers), repr(text), option)
