"""Read kernels from files: .npy arrays, rows of text, JSON, libvips matrices, and pictures as templates."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from convcli.errors import ArgumentError, FileError, content_of_file, cut, instead_of
from convcli.kernels.array_files import kernel_of
from convcli.kernels.kernel import (
    MAX_AXES,
    Kernel,
    Matrix,
    Number,
    by_axes,
    check_side,
    flat,
    nested,
    shape_of,
)
from convcli.kernels.matrices import ReadPicture, checked, common, grid, number
from convcli.npy import NpyError, read_header, read_values
from convcli.number_text import split, text_rows
from convcli.remote_files import file_path

PICTURES = (
    *(".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".tif", ".tiff", ".bmp", ".gif"),
    *(".pbm", ".pgm", ".ppm", ".pnm", ".pam"),
)
LONGEST = 32  # average number of characters that a weight and its separator may have in a file

SMALLEST = 1 << 16  # size in bytes that any kernel file may have, to allow for comments

SETTINGS = ("weights", "divisor", "offset", "anchor")  # keys of a JSON object

NO_FILE = "there is no such file; check the spelling and the folder"

Read = Callable[[Path, int], Kernel]


def has_ending(text: str) -> bool:
    """Return whether text has the ending of a format that kernels are read from."""
    return file_path(text).suffix.lower() in (*READERS, *PICTURES)


def is_file(text: str) -> bool:
    """Return whether text is the path of an existing file; a text that is too long for a path is not."""
    try:
        return file_path(text).is_file()
    except OSError:
        return False


def files_in(text: str) -> list[Path]:
    """Return the existing files among the kernels that `text` lists, separated by semicolons."""
    words = dict.fromkeys(word.strip() for word in (text, *text.split(";")))
    return [file_path(word) for word in words if has_ending(word) and is_file(word)]


def read_kernel(path: Path, limit: int, read_picture: ReadPicture | None = None) -> Kernel:
    """Return the kernel in a file, whose ending gives the format; raise FileError if that is not possible.

    `.npy`   : an array of 1 to 3 axes; pickled objects are rejected, never loaded
    `.csv`   : one row per line, values separated by commas, semicolons, tabs or spaces; # starts a comment
    `.txt`   : rows separated by line ends or semicolons, values separated by spaces or commas
    `.json`  : nested lists, or an object of weights, divisor, offset and anchor; a fraction is a string, "1/9"; or the
               answer of `convcli kernels NAME` or `convcli learn`
    `.mat`   : libvips' matrix format: width, height, scale and offset in the first line, then the rows
    pictures : their grey values, read by `read_picture`
    """
    ending = path.suffix.lower()
    if ending not in READERS and ending not in PICTURES:
        raise ArgumentError(
            f"kernel file {str(path)!r} must end in {' '.join(READERS)} or in the ending of a picture file"
            + ("" if is_file(str(path)) else ", and there is no such file")
        )
    if not is_file(str(path)):
        why = "it is a folder, a device or a pipe" if os.path.lexists(path) else NO_FILE
        raise FileError(f"cannot read kernel {str(path)!r}: {why}")
    if ending in PICTURES and read_picture is None:
        raise ArgumentError(f"{_what(path)} is a picture, which cannot be a kernel here; give its numbers")
    try:
        with content_of_file():
            kernel = (
                _template(path, limit, read_picture)
                if read_picture and ending in PICTURES
                else READERS[ending](path, limit)
            )
            check_side(max(kernel.shape), limit)
    except OSError as error:
        raise FileError(f"cannot read kernel {str(path)!r}: {error.strerror or error}") from None
    return replace(kernel, name=path.stem, source=f"file {path.name}")


def _kernel(matrix: Matrix, **settings: Any) -> Kernel:
    return Kernel("kernel", (matrix,), **settings)


def _what(path: Path) -> str:
    return f"kernel file {str(path)!r}"


def _text(path: Path, limit: int, axes: int = 2) -> str:
    """Return the text of a file; raise ArgumentError if it is larger than any kernel within the limit."""
    most = max(SMALLEST, LONGEST * limit**axes)
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        text = file.read() if size <= most else b""
    if size > most:
        raise ArgumentError(
            f"{_what(path)} has {size:,} bytes, more than a kernel with {limit} taps on a side "
            "can have; raise the limit with `max_kernel`"
        )
    try:
        return text.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ArgumentError(f"{_what(path)} is not text, as its ending {path.suffix!r} requires") from None


def _csv(path: Path, limit: int) -> Kernel:
    lines = [line.partition("#")[0].strip() for line in _text(path, limit).splitlines()]
    return _rows([line for line in lines if line], path, ",;")


def _txt(path: Path, limit: int) -> Kernel:
    return _rows(text_rows(_text(path, limit)), path)


def _rows(rows: Sequence[str], path: Path, commas: str = ",") -> Kernel:
    if not rows:
        raise ArgumentError(f"{_what(path)} holds no numbers; write one row per line")
    what = _what(path)
    words, divisor = common([split(row, commas) for row in rows])
    return _kernel(grid([[number(word, what) for word in row] for row in words], what), divisor=divisor)


def _mat(path: Path, limit: int) -> Kernel:
    with path.open("rb") as file:
        start = file.read(6)
    if start == b"MATLAB":
        raise ArgumentError(
            f"{_what(path)} is a MATLAB file; here .mat is libvips' text format: save the kernel as .csv or .npy"
        )
    what = _what(path)
    head, *lines = [line.strip() for line in _text(path, limit).splitlines() if line.strip()] or [""]
    first = [number(word, what) for word in split(head, ",;")] if head else []
    sides = [side for side in first[:2] if isinstance(side, int) and side > 0]
    if len(sides) != 2 or len(first) > 4:
        raise ArgumentError(
            f"{what} begins with {head[:60]!r}; its first line must be width, height and optionally scale and offset"
        )
    columns, rows = sides
    scale = first[2] if len(first) > 2 else 1
    offset = first[3] if len(first) > 3 else 0
    weights = [number(word, what) for line in lines for word in split(line, ",;")]
    if len(weights) != columns * rows:
        raise ArgumentError(
            f"{what}: {columns}x{rows} needs {columns * rows} values, but {len(weights)} are given"
        )
    if not scale:
        raise ArgumentError(
            f"{what} has the scale 0 in its first line, {head!r}; a scale is a divisor, not 0"
        )
    # In libvips the anchor of an even side is the tap after the middle.
    anchor = None if rows % 2 and columns % 2 else (rows // 2, columns // 2)
    return _kernel(nested(weights, (rows, columns)), divisor=scale, offset=offset, anchor=anchor)


def _json(path: Path, limit: int) -> Kernel:
    import json

    what = _what(path)
    text = _text(path, limit, MAX_AXES)
    if text.count(",") > limit**MAX_AXES + SMALLEST:
        raise ArgumentError(
            f"{what} has {text.count(',') + 1:,} values, more than a kernel with {limit} taps on a side can have; "
            "raise the limit with `max_kernel`"
        )
    try:
        value = json.loads(text)
    except ValueError as error:
        raise ArgumentError(f"{what} is not JSON: {error}") from None
    except RecursionError:
        raise ArgumentError(f"{what} is nested too deeply; a kernel has 1 to {MAX_AXES} axes") from None
    if not isinstance(value, Mapping):
        matrix, divisor = _matrix(value, what)
        return _kernel(matrix, divisor=divisor)
    if "rows" in value and "command" in value:
        value = _of_answer(value["rows"], what)
    for key in value:
        if key not in SETTINGS:
            raise ArgumentError(f"{what} has the unknown key {key!r}; {instead_of(key, SETTINGS)}")
    if "weights" not in value:
        raise ArgumentError(f"{what} has no key 'weights'; add it, with nested lists of numbers")
    matrix, divisor = _matrix(value["weights"], what)
    settings: dict[str, Any] = {
        key: _number(value[key], f"{what}, {key}") for key in ("divisor", "offset") if key in value
    }
    settings["divisor"] = divisor * settings.get("divisor", 1)
    if value.get("anchor") is not None:
        anchor = value["anchor"]
        if not isinstance(anchor, list) or not all(type(place) is int for place in anchor):
            raise ArgumentError(f"{what}: anchor must be a list of whole numbers, got {cut(repr(anchor))}")
        settings["anchor"] = tuple(anchor)
    return _kernel(matrix, **settings)


def _of_answer(rows: object, what: str) -> Mapping[str, Any]:
    """Return the settings of the kernel in an answer of `convcli kernels NAME` or `convcli learn` in JSON."""
    found = (
        [row for row in rows if isinstance(row, Mapping) and "weights" in row]
        if isinstance(rows, list)
        else []
    )
    if any(row.get("combine", "none") != "none" or row.get("threshold") for row in found):
        raise ArgumentError(
            f"{what} is an answer about a kernel whose results are combined; give its name instead"
        )
    if len(found) != 1:
        raise ArgumentError(f"{what} is an answer with {len(found)} kernels; give a file with one")
    (row,) = found
    settings = {key: row[key] for key in SETTINGS if key in row}
    return {**settings, "offset": row["bias"]} if "bias" in row else settings


def _matrix(value: object, what: str) -> tuple[Matrix, int]:
    """Return nested lists as a matrix, and its divisor; fractions are strings such as "1/9"."""
    matrix = _lists(value, what)
    weights = list(flat(matrix))
    if not any(isinstance(weight, str) for weight in weights):
        return matrix, 1
    (words,), divisor = common([[str(weight) for weight in weights]])
    return nested([number(word, what) for word in words], shape_of(matrix)), divisor


def _lists(value: object, what: str, depth: int = 0) -> Matrix:
    """Return nested lists as a matrix in which strings are kept."""
    if not isinstance(value, list) or not value:
        raise ArgumentError(
            f"{what}: expected a list of weights, as in [[1, 2], [3, 4]], got {cut(repr(value))}"
        )
    if depth == MAX_AXES:
        raise ArgumentError(f"{what} is nested too deeply; a kernel has 1 to {MAX_AXES} axes")
    if not any(isinstance(part, list) for part in value):
        line: Any = tuple(part if isinstance(part, str) else _number(part, what) for part in value)
        return line  # type: ignore[no-any-return]  # some of its numbers are strings
    parts = [_lists(part, what, depth + 1) for part in value]
    for place, part in enumerate(parts, start=1):
        if shape_of(part) != shape_of(parts[0]):
            raise ArgumentError(
                f"{what} is ragged: part 1 is {by_axes(shape_of(parts[0]))}, part {place} is "
                f"{by_axes(shape_of(part))}; make all parts the same"
            )
    return tuple(parts)


def _number(value: object, what: str) -> Number:
    if isinstance(value, str):
        return number(value, what)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ArgumentError(f"{what}: {cut(repr(value))} is not a number")
    return checked(value, what)


def _npy(path: Path, limit: int) -> Kernel:
    what = _what(path)
    try:
        with path.open("rb") as file:
            header = read_header(file)
            if header.dtype.kind not in "biuf":
                raise ArgumentError(f"{what} holds {header.dtype}; a kernel is an array of real numbers")
            shape = header.shape
            if not 1 <= len(shape) <= MAX_AXES or 0 in shape:
                is_layer = len(shape) in (MAX_AXES + 1, MAX_AXES + 2) and 0 not in shape
                raise ArgumentError(
                    f"{what} has the shape {shape}; a kernel has 1 to {MAX_AXES} axes and is not empty"
                    + ("; give the weights of a layer as `weights`" if is_layer else "")
                )
            check_side(max(shape), limit)
            array = read_values(file, header)
    except NpyError as error:
        raise ArgumentError(f"cannot read {what}: {error}") from None
    return kernel_of(array, what)


def _template(path: Path, limit: int, read_picture: ReadPicture) -> Kernel:
    """Return the grey values of a picture as a kernel."""
    rows = read_picture(path, limit)
    check_side(max(len(rows), len(rows[0])), limit)
    return _kernel(grid([[checked(value, _what(path)) for value in row] for row in rows], _what(path)))


READERS: dict[str, Read] = {".npy": _npy, ".csv": _csv, ".txt": _txt, ".json": _json, ".mat": _mat}
