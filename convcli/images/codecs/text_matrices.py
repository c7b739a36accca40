"""Read and write small matrices as text: rows in .csv and .txt, nested lists in .json; never clipped or rounded."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from math import isfinite, nan
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from convcli.errors import ArgumentError, cut
from convcli.images.codecs.array_layout import restored
from convcli.images.codecs.npy_pictures import picture_of
from convcli.images.header import FrameHeader, Header
from convcli.images.picture import ImageError, Picture
from convcli.number_text import read_finite, split, text_rows, without_brackets

Array = NDArray[Any]

MAX_BYTES = 1 << 24  # of a text file
MAX_NUMBERS = 1_000_000  # in a text file; .npy is better for more
_COMMAS = {"CSV": ",;", "TXT": ","}  # separators of numbers, besides spaces

Choose = Callable[[int], Sequence[int]]


def read_text(
    file: BinaryIO, form: str, name: str, choose: Choose, max_pixels: int, layout: str = "hwc"
) -> Picture:
    """Return the numbers in a text file as a picture of float64, or raise ImageError.

    Each line of a CSV or TXT file is a row; in TXT, semicolons also separate rows. Numbers are separated by commas or
    spaces, in CSV also by semicolons, and # starts a comment. JSON has a list of rows; an inner list holds the channels
    of a pixel. Numbers are integers, decimals, or fractions such as 1/9; missing ones are nan, in JSON null.
    """
    array = _json(file, name) if form == "JSON" else _rows(file, form, name)
    picture = picture_of(array, name, max_pixels, layout if array.ndim > 2 else "hwc")
    frames = tuple(picture.frames[number] for number in choose(len(picture.frames)))
    return Picture(frames, form, notes=picture.notes)


def text_header(picture: Picture) -> Header:
    """Return the header of a picture that was read from text."""
    return Header(tuple(map(FrameHeader.of, picture.frames)), picture.format)


def _text(file: BinaryIO, name: str) -> str:
    data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise ImageError(
            f"cannot read {name}: it is over the limit of {MAX_BYTES:,} bytes for text; save it as .npy"
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ImageError(f"cannot read {name}: it is not text; save it as rows of numbers") from None


def _rows(file: BinaryIO, form: str, name: str) -> Array:
    """Read rows of numbers."""
    lines = [line.partition("#")[0].strip() for line in _text(file, name).splitlines()]
    if form == "TXT":
        lines = [row.strip() for row in text_rows(without_brackets("\n".join(lines).strip()))]
    rows = [[_number(word, name) for word in split(row, _COMMAS[form])] for row in lines if row]
    if not rows:
        raise ImageError(f"cannot read {name}: it holds no numbers; write one row per line, such as 0 1 2")
    for place, row in enumerate(rows, start=1):
        if len(row) != len(rows[0]):
            raise ImageError(
                f"cannot read {name}: it is ragged: row 1 has {len(rows[0])} values, row {place} has {len(row)}; give "
                "every row the same number"
            )
    _check_count(sum(map(len, rows)), name)
    return np.array(rows, np.float64)


def _json(file: BinaryIO, name: str) -> Array:
    """Read nested lists of numbers."""
    text = _text(file, name)
    _check_count(text.count(",") + 1, name)
    try:
        value = json.loads(text)
    except ValueError as error:
        raise ImageError(f"cannot read {name}: it is not JSON: {error}") from None
    except RecursionError:
        raise ImageError(
            f"cannot read {name}: its lists are nested too deeply; give rows of numbers"
        ) from None
    if not isinstance(value, list):
        raise ImageError(
            f"cannot read {name}: it holds {cut(repr(value))}; write lists of numbers, such as [[1, 2]]"
        )
    return np.array(_lists(value, name), np.float64)


def _lists(value: Any, name: str, depth: int = 0) -> Any:
    """Return nested lists of numbers; raise ImageError unless all are numbers and lists have equal lengths."""
    if not isinstance(value, list):
        return _number(value, name)
    if depth == 4:
        raise ImageError(f"cannot read {name}: its lists are nested too deeply; give rows of numbers")
    parts = [_lists(part, name, depth + 1) for part in value]
    lengths = {_shape(part) for part in parts}
    if len(lengths) > 1 or not parts:
        raise ImageError(f"cannot read {name}: its lists are ragged or empty; give all the same length")
    return parts


def _shape(part: Any) -> tuple[int, ...]:
    return (len(part), *_shape(part[0])) if isinstance(part, list) else ()


def _number(word: Any, name: str) -> float:
    """Return a finite number or NaN, which is `nan` or, in JSON, `null`; else raise ImageError."""
    if word is None or str(word).lower() == "nan":
        return nan
    if isinstance(word, bool) or not isinstance(word, str | int | float):
        raise ImageError(f"cannot read {name}: {cut(repr(word))} is not a number")
    try:
        return float(read_finite(str(word)))
    except ArgumentError as error:
        raise ImageError(f"cannot read {name}: {error}") from None


def _check_count(count: int, name: str) -> None:
    if count > MAX_NUMBERS:
        raise ImageError(
            f"cannot read {name}: its {count:,} numbers are over the limit of {MAX_NUMBERS:,} for text; save them as "
            ".npy"
        )


def encode_text(picture: Picture, form: str) -> bytes:
    """Return a picture as text at full precision: rows of numbers, or lists in JSON."""
    arrays = [frame.pixels for frame in picture.frames]
    if form == "JSON":
        whole = restored(arrays[0] if len(arrays) == 1 else np.stack(arrays), picture.layout)
        rows = [json.dumps(_plain(row)) for row in whole]
        return ("[" + ",\n ".join(rows) + "]\n").encode()
    (pixels,) = arrays
    between = "," if form == "CSV" else " "
    lines = [between.join(map(_word, row)) for row in pixels.reshape(pixels.shape[:2])]
    return "".join(f"{line}\n" for line in lines).encode()


def _plain(values: Array) -> Any:
    """Return an array as nested lists: integers without a decimal point, and None for NaN and infinities."""
    if values.ndim:
        return [_plain(value) for value in values]
    number = values.item()
    if isinstance(number, float) and not isfinite(number):
        return None
    return int(number) if _is_whole(number) else float(str(values))


def _word(value: Any) -> str:
    """Write a number with the digits that its dtype needs, and integers without a decimal point."""
    number = value.item()
    return str(int(number)) if _is_whole(number) else str(value)


def _is_whole(number: float) -> bool:
    return isfinite(number) and float(number).is_integer() and abs(number) < 2**53
