"""Parse kernels: `sobel`, `gaussian:sigma=2`, `'0 -1 0; -1 5 -1; 0 -1 0'`, `'3x3: 0,-1,0 ...'`, `mean.npy`."""

import re
from dataclasses import replace
from inspect import Parameter, signature
from math import isqrt

from convcli.errors import ArgumentError, ConvcliError, instead_of
from convcli.kernels.foreign_kernels import NOT_CONVOLUTIONS, OTHER_NAMES, Suggestion, spellings
from convcli.kernels.kernel import (
    Kernel,
    Matrix,
    Number,
    PerAxis,
    PerSide,
    by_axes,
    check_side,
    nested,
    shape_of,
)
from convcli.kernels.kernel_files import READERS, has_ending, is_file, read_kernel
from convcli.kernels.matrices import ReadPicture, common, fitted, grid, number
from convcli.kernels.named import KERNELS, MAX_SIDE, arguments_of, build_kernel
from convcli.number_text import read_float, split, text_rows, without_brackets, words_of_arguments
from convcli.remote_files import file_path

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*(?=:|$)")
_SIZED = re.compile(  # ImageMagick's WxH+X+Y:
    r"(?P<columns>\d{1,9})(x(?P<rows>\d{1,9}))?((?P<x>[+-]\d{1,9})(?P<y>[+-]\d{1,9}))?\s*:"
)
_NUMERIC = re.compile(r"[-+\d\s.,;|eE/]*")
OUTSIDE = ("-", "nan")  # how ImageMagick writes a position that is not part of the kernel
HINT = "; give a name such as 'sobel', rows of numbers separated by ';' as in '0 -1 0; -1 5 -1; 0 -1 0', or a file"


def parse_kernel(
    text: str, limit: int = MAX_SIDE, dims: int = 2, *, read_picture: ReadPicture | None = None
) -> Kernel:
    """Return the single kernel that `text` describes, in the grammar of `parse_kernels`.

    >>> parse_kernel("box:size=5").shape
    (5, 5)
    >>> parse_kernel("1 0 -1; 2 0 -2").matrices
    (((1, 0, -1), (2, 0, -2)),)
    """
    kernels = parse_kernels(text, limit, dims, read_picture=read_picture)
    if len(kernels) > 1:
        raise ArgumentError(f"kernel {text!r} is a list of {len(kernels)} kernels; give a single kernel here")
    return kernels[0]


def parse_kernels(
    text: str, limit: int = MAX_SIDE, dims: int = 2, *, read_picture: ReadPicture | None = None
) -> tuple[Kernel, ...]:
    """Return the kernels that `text` describes, to be applied one after the other, or raise ArgumentError.

    A named kernel may have arguments, by name or by position: `gaussian:sigma=2`, `gaussian:2,7`. A matrix has rows
    separated by `;` or line breaks, and numbers separated by spaces or commas, as in a .txt file; `|` separates the
    slices of a matrix with 3 axes. ImageMagick's form starts with the size, `3x3: 0,-1,0 ...`, or with the size and
    the origin, `3x3+1+1: ...`; by default the origin is the middle, for even sides the tap before it. A cell `-` or
    `nan` is not part of the kernel. Names, files and ImageMagick's form may be listed, separated by `;`. A file is
    recognised by its ending: see `kernel_files.read_kernel`.

    Parameters
    ----------
    limit : int
        The largest number of taps on a side.
    dims : int
        The number of axes of the kernels: 1, 2 or 3. Leading axes of length 1 are added or dropped.
    read_picture : callable, optional
        Function that reads a picture from a path as rows of grey values; without it pictures are rejected.

    >>> [kernel.name for kernel in parse_kernels("gaussian:2; laplacian")]
    ['gaussian', 'laplacian']
    """
    text = one_line(text)
    try:
        return _parsed(text, limit, dims, read_picture=read_picture)
    except ArgumentError:
        plain = _NAME.match(text)
        if (plain and plain.group() == text) or has_ending(text):
            raise
        if (suggested := suggested_kernel(text)) is None:
            raise
        raise ArgumentError(f"kernel {text!r}: {suggested.rule}; did you mean {suggested.spec!r}?") from None


def one_line(text: str) -> str:
    r"""Return the text of a kernel without brackets, and with ; for the line breaks between its rows of numbers.

    >>> one_line("0 -1 0\n-1 5 -1\n0 -1 0"), one_line("[[1, 2],\n [3, 4]]"), one_line("3x1: 1,\n2, 3")
    ('0 -1 0; -1 5 -1; 0 -1 0', '1, 2; 3, 4', '3x1: 1,\n2, 3')
    """
    text = text.strip()
    if text[:1] in ("[", "(", "{"):
        return without_brackets(" ".join(text.splitlines()))
    rows = text_rows(text)
    if len(text.splitlines()) < 2 or not all(map(_NUMERIC.fullmatch, rows)):
        return text
    return re.sub(r"[\s;]*\|[\s;]*", " | ", "; ".join(row.strip() for row in rows))


def suggested_kernel(text: str) -> Suggestion | None:
    """Return what is meant by a kernel that is written as in another program; None if that is not known.

    >>> [suggested_kernel(text).spec for text in ("gaussian(2)", "unsharp,sigma=2", "sobel,gaussian")]
    ['gaussian:2', 'unsharp:sigma=2', 'sobel; gaussian']
    >>> [suggested_kernel(text).spec for text in ("cv2.GaussianBlur", "3x3", "0 -1 0 / -1 5 -1 / 0 -1 0")]
    ['gaussian', 'box:3x3', '0 -1 0; -1 5 -1; 0 -1 0']
    """
    for suggested in spellings(text):
        try:
            _parsed(suggested.spec)
        except ConvcliError:
            continue
        if suggested.spec != text:
            return suggested
    return None


def _parsed(
    text: str, limit: int = MAX_SIDE, dims: int = 2, *, read_picture: ReadPicture | None = None
) -> tuple[Kernel, ...]:
    """Return the kernels that `text` describes, without a guess at what a mistake means."""
    items = [item.strip() for item in text.split(";")]
    if len(items) == 1 or is_file(text):
        return (_item(text, limit, dims, read_picture),)
    if not _begins_list(items[0]):
        return (_of_dims(_inline(text, limit), text, dims),)
    if not items[-1]:
        items.pop()  # ImageMagick allows ; at the end of a list
    return tuple(_item(item, limit, dims, read_picture) for item in items)


def _item(text: str, limit: int, dims: int, read_picture: ReadPicture | None) -> Kernel:
    """Return the kernel of one item of a list."""
    name = _NAME.match(text)
    if name and not has_ending(text):
        return _named(name.group(), text[name.end() + 1 :], limit, dims)
    if has_ending(text) or (_looks_like_a_path(text) and not _SIZED.match(text)):
        kernel = read_kernel(file_path(text), limit, read_picture)
    else:
        kernel = sized(text, limit) or _inline(text, limit)
    return _of_dims(kernel, text, dims)


def _begins_list(first: str) -> bool:
    """Return whether the text is a list of kernels rather than the rows of one."""
    return bool(_SIZED.match(first) or _NAME.match(first) or has_ending(first) or _looks_like_a_path(first))


def _looks_like_a_path(text: str) -> bool:
    """Return whether text that is not a name can only be a path."""
    return not _NUMERIC.fullmatch(text) and ("/" in text or bool(re.search(r"\.[A-Za-z]\w*$", text)))


def _of_dims(kernel: Kernel, text: str, dims: int) -> Kernel:
    """Return a kernel with `dims` axes, adding or dropping leading axes of length 1."""
    missing = dims - kernel.dims
    if not missing:
        return kernel
    if any(side > 1 for side in kernel.shape[: max(0, -missing)]):
        raise ArgumentError(
            f"kernel {text!r} has {kernel.dims} axes, {by_axes(kernel.shape)}, but {dims} are needed; "
            "give a kernel with fewer axes"
        )
    anchor = kernel.anchor and ((0,) * missing + kernel.anchor)[max(0, -missing) :]
    return replace(
        kernel, matrices=tuple(fitted(matrix, missing) for matrix in kernel.matrices), anchor=anchor
    )


# Names


def _named(name: str, arguments: str, limit: int, dims: int) -> Kernel:
    if name not in KERNELS:
        if why := NOT_CONVOLUTIONS.get(name.lower().replace("_", "-")):
            raise ArgumentError(f"kernel {name!r} is not a convolution: {why}")
        raise ArgumentError(f"unknown kernel {name!r}; {_instead_of(name)}")
    build = KERNELS[name]
    values: dict[str, Number | PerAxis] = {}
    accepted = arguments_of(build)
    for place, item in enumerate(words_of_arguments(arguments)):
        key, given, value = (part.strip() for part in item.partition("="))
        if not given:
            key, value = (list(accepted)[place] if place < len(accepted) else item), item
        if key not in accepted:
            takes = f"it takes {', '.join(accepted)}" if accepted else "it takes no arguments"
            raise ArgumentError(f"kernel {name!r} has no argument {key!r}; {takes}")
        if key in values:
            raise ArgumentError(f"kernel {name!r}: {key} is given twice")
        values[key] = _argument(f"kernel {name!r}: {key}", value, accepted[key])
    if not has_form(name, dims):
        able = [other for other in KERNELS if has_form(other, dims)]
        axes = "1-D" if dims == 1 else f"{dims}-D"
        raise ArgumentError(f"kernel {name!r} has no {axes} form; use one of {', '.join(able)}")
    return build_kernel(name, values, limit=limit, dims=dims)


def has_form(name: str, dims: int) -> bool:
    """Return whether a named kernel exists in `dims` dimensions."""
    if dims == 1 and name.endswith("-y"):
        return False  # there is no vertical axis
    return dims == 2 or "dims" in signature(KERNELS[name]).parameters


def _argument(what: str, text: str, parameter: Parameter) -> Number | PerAxis:
    whole = parameter.annotation in (int, int | None, PerSide, PerSide | None)
    read = int if whole else read_float
    try:
        if parameter.annotation in (PerSide, PerSide | None, PerAxis) and "x" in text:
            return tuple(map(read, text.split("x")))
        return read(text)
    except ArgumentError as error:
        raise ArgumentError(f"{what}: {error}") from None
    except ValueError:
        raise ArgumentError(f"{what} must be a whole number, got {text!r}") from None


def _instead_of(name: str) -> str:
    if is_file(name):
        return f"there is a file of that name, but its ending must give its format: {' '.join(READERS)}"
    known = name.lower().replace("_", "-")
    if others := OTHER_NAMES.get(known):
        return f"did you mean {' or '.join(map(repr, others))}?"
    return instead_of(name, KERNELS)


def suggested_square(text: str) -> str | None:
    """Return the square matrix for which a single row of numbers may have been mistyped, or None.

    >>> suggested_square("0 -1 0 -1 5 -1 0 -1 0")
    '0 -1 0; -1 5 -1; 0 -1 0'
    """
    text = one_line(text)
    words = split(text)
    side = isqrt(len(words))
    if (
        not _NUMERIC.fullmatch(text)
        or ";" in text
        or "|" in text
        or side < 3
        or side % 2 == 0
        or side**2 != len(words)
    ):
        return None
    return "; ".join(" ".join(words[start : start + side]) for start in range(0, len(words), side))


# Matrices


def _inline(text: str, limit: int) -> Kernel:
    """Parse rows of numbers, and slices of rows."""
    what = f"kernel {text!r}"
    parts = [[split(row) for row in part.split(";")] for part in text.split("|")]
    words, divisor = common([row for part in parts for row in part])
    left = iter(words)
    slices = [grid([[number(word, what, HINT) for word in next(left)] for _ in part], what) for part in parts]
    for place, part in enumerate(slices, start=1):
        if shape_of(part) != shape_of(slices[0]):
            raise ArgumentError(
                f"{what} is ragged: slice 1 is {by_axes(shape_of(slices[0]))}, slice {place} is "
                f"{by_axes(shape_of(part))}; give every slice the same rows and columns"
            )
    matrix: Matrix = slices[0] if len(slices) == 1 else tuple(slices)
    check_side(max(shape_of(matrix)), limit)
    return Kernel("kernel", (matrix,), divisor=divisor, source="given inline")


def sized(text: str, limit: int) -> Kernel | None:
    """Parse ImageMagick's form; return None if the text does not have that form.

    >>> sized("3x1: 1, -, 2", 255).matrices
    (((1, 0, 2),),)
    """
    head = _SIZED.match(text)
    if not head:
        return None
    what = f"kernel {text!r}"
    columns, rows = int(head["columns"]), int(head["rows"] or head["columns"])
    check_side(min(columns, rows), limit)
    check_side(max(columns, rows), limit)
    words = split(text[head.end() :])
    if len(words) != columns * rows:
        given = 0 if words == [""] else len(words)
        raise ArgumentError(
            f"{what}: {columns}x{rows} needs {columns * rows} values, but {given} are given; "
            "list them row by row, with - or nan for positions that are not part of the kernel"
        )
    (words,), divisor = common([["0" if word.lower() in OUTSIDE else word for word in words]])
    weights = [number(word, what) for word in words]
    # ImageMagick's origin, which is flipped together with the kernel; for odd sides it is the middle in any case.
    anchor = None if rows % 2 and columns % 2 else ((rows - 1) // 2, (columns - 1) // 2)
    if head["x"]:
        anchor = int(head["y"]), int(head["x"])
        if not (0 <= anchor[0] < rows and 0 <= anchor[1] < columns):
            raise ArgumentError(
                f"{what}: the origin {head['x']}{head['y']} lies outside {columns}x{rows}; "
                f"it must be between +0+0 and +{columns - 1}+{rows - 1}"
            )
    matrix = nested(weights, (rows, columns))
    source = "given inline, in ImageMagick's form"
    return Kernel("kernel", (matrix,), divisor=divisor, source=source, anchor=anchor)
