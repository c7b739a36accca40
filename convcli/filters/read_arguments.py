"""Read the arguments of a filter: from strings, as on the command line, or from Python values."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from os import PathLike, fspath
from typing import TYPE_CHECKING, Any

from convcli.backend.bands.band_plan import METHODS
from convcli.errors import ArgumentError, cut, instead_of
from convcli.filters.new_size import read_new_size
from convcli.filters.picture_depth import DEPTHS
from convcli.filters.request import ALONG, ALPHAS, FILTERING, NANS, RANGES
from convcli.kernels.kernel import Kernel, is_finite
from convcli.layers.activation import parse_activation
from convcli.layers.axes import PerAxis, is_sequence, whole
from convcli.layers.padding import AnyPadding, mode_of
from convcli.layers.resample import WIDTHS
from convcli.layers.text.notation import parse_padding, parse_size
from convcli.layers.variants import VARIANTS
from convcli.number_text import read_finite

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

MAX_REPEATS = 1000
MAX_DIMS = 3

_CROP = re.compile(r"(\d+)x(\d+)(?:\+(\d+)\+(\d+))?")


def read_variant(value: object) -> str:
    """Read a variant that runs on pictures."""
    if value in VARIANTS and value not in FILTERING:
        raise ArgumentError(
            f"{value} {VARIANTS[str(value)].too_much}: it cannot filter pictures; use another variant, or convcli cost "
            f"for the cost of {value}"
        )
    if not (isinstance(value, str) and value in FILTERING):
        from convcli.layers.text.foreign_layers import instead_of_variant

        way = instead_of_variant(str(value), FILTERING)
        raise ArgumentError(f"there is no variant {_shown(value)}; {way}")
    return value


def one_of(what: str, known: Iterable[str], value: object) -> str:
    """Return a name, or raise ArgumentError if it is unknown."""
    known = list(known)
    if not (isinstance(value, str) and value in known):
        raise ArgumentError(f"there is no {what} {_shown(value)}; {instead_of(str(value), known)}")
    return value


def read_number(value: object) -> float:
    """Read a finite number; integers stay integers, for exact sums."""
    number: Any = value
    if isinstance(value, str):
        return read_finite(value)
    if hasattr(value, "item") and not is_sequence(value):  # a NumPy scalar
        number = value.item()
    if isinstance(number, bool) or not hasattr(number, "__float__") or is_sequence(value):
        raise ArgumentError(f"{_shown(value)} is not a number")
    if not is_finite(number):
        raise ArgumentError(f"{_shown(value)} is not a finite number")
    finite: float = number
    return finite


def read_whole(least: int, most: int | None, value: object) -> int:
    """Read an integer within bounds."""
    try:
        number = whole("it", value, least)
        if most is None or number <= most:
            return number
    except ArgumentError:
        pass
    bounds = f"of at least {least}" if most is None else f"from {least} to {most}"
    raise ArgumentError(f"{_shown(value)} is not a whole number {bounds}")


def read_flag(value: object) -> bool:
    """Read a boolean."""
    if str(value) not in ("True", "False") or isinstance(value, str):
        raise ArgumentError(f"it must be True or False, got {_shown(value)}")
    return bool(value)


def read_size(value: Any) -> PerAxis:
    """Read one number for all axes, or one for each."""
    return parse_size(value) if isinstance(value, str) else _plain(value)


def read_padding(value: Any) -> AnyPadding:
    """Read a padding: a name, a number, or one item for each axis."""
    return parse_padding(value) if isinstance(value, str) else _plain(value)


def read_place(value: Any) -> tuple[int, ...]:
    """Read the position of a tap: Y,X."""
    words = value.split(",") if isinstance(value, str) else value if is_sequence(value) else [value]
    if not all(str(word).isascii() and str(word).isdigit() for word in words):
        raise ArgumentError(
            f"{_shown(value)} is not a position in a kernel; write Y,X from 0, such as 0,0 for the upper left tap"
        )
    return tuple(map(int, words))


def read_rectangle(value: Any) -> tuple[int, int, int, int]:
    """Read a rectangle of pixels: X,Y,WIDTH,HEIGHT."""
    words = value.split(",") if isinstance(value, str) else value if is_sequence(value) else [value]
    if isinstance(value, str) and (crop := _CROP.fullmatch(value)):
        suggested = "{2},{3},{0},{1}".format(*crop.groups("0"))
        raise ArgumentError(f"{_shown(value)} is ImageMagick's WIDTHxHEIGHT+X+Y; did you mean {suggested}?")
    texts = [str(word).strip() for word in words]
    numbers = [int(text) for text in texts if text.isascii() and text.isdigit()]
    if len(words) != 4 or len(numbers) != 4:
        if isinstance(value, str) and re.fullmatch(r"([0-9]+ +){3}[0-9]+", value.strip()):
            raise ArgumentError(
                f"{_shown(value)} is not a rectangle; did you mean {','.join(value.split())}?"
            )
        raise ArgumentError(
            f"{_shown(value)} is not a rectangle; write X,Y,WIDTH,HEIGHT in pixels from the top left of the "
            "upright picture, such as 10,20,64,48"
        )
    x, y, width, height = numbers
    if 0 in (width, height):
        side = "height" if width else "width"
        raise ArgumentError(
            f"{_shown(value)} is not a rectangle: its {side} is 0; write X,Y,WIDTH,HEIGHT, such as 10,20,64,48"
        )
    return x, y, width, height


def read_rectangles(value: Any) -> tuple[tuple[int, int, int, int], ...]:
    """Read one rectangle of pixels, or a sequence of them."""
    several = (
        is_sequence(value)
        and bool(value)
        and all(isinstance(each, str) or is_sequence(each) for each in value)
    )
    return tuple(map(read_rectangle, value)) if several else (read_rectangle(value),)


def read_tile(value: Any) -> tuple[int, int]:
    """Read the rows and columns of a tile of kernels."""
    size = read_size(value)
    if isinstance(size, int) or len(size) != 2 or not all(whole("it", n, 0) for n in size):
        raise ArgumentError(f"{_shown(value)} is not a tile; write ROWSxCOLUMNS, such as 2x2")
    return size[0], size[1]


def read_channels(value: Any) -> tuple[str, ...]:
    """Read the names of channels."""
    given = value.split(",") if isinstance(value, str) else value if is_sequence(value) else [value]
    names = tuple(str(name).strip().lower() for name in given)
    if not names or not all(names):
        raise ArgumentError(
            f"{_shown(value)} is not a list of channels; separate their names by commas, as r,g,b or a"
        )
    return names


def read_kernels(value: Any) -> tuple[str | Kernel, ...]:
    """Read a list of kernels that run one after the other, or one: a string, a Kernel, an array or nested lists."""
    if isinstance(value, str | PathLike | Kernel) or hasattr(value, "__array__"):
        return (_kernel(value),)
    if is_sequence(value) and any(
        isinstance(part, str | PathLike | Kernel) or getattr(part, "ndim", 0) for part in value
    ):
        return tuple(map(_kernel, value))
    return (_kernel(value),)


def _kernel(value: Any) -> str | Kernel:
    if isinstance(value, Kernel):
        return value
    if isinstance(value, str | PathLike):
        return str(fspath(value))
    from convcli.kernels.array_files import kernel_of

    return kernel_of(_array(value))


def read_array_or_text(value: Any) -> Array | str:
    """Read an array, or a string that names one."""
    return str(fspath(value)) if isinstance(value, str | PathLike) else _array(value)


def read_name(value: Any) -> str:
    """Read a name or a path."""
    return str(fspath(value)) if isinstance(value, PathLike) else read_text(value)


def read_depth(value: Any) -> str:
    """Read a depth; a number of bits may be an integer."""
    return one_of("depth", DEPTHS, str(value))


def read_numbers(value: Any) -> tuple[float, ...]:
    """Read one number, or several: F,F,F."""
    given = value.split(",") if isinstance(value, str) else value if is_sequence(value) else [value]
    return tuple(float(read_number(each)) for each in given)


def read_deviations(value: Any) -> tuple[float, ...]:
    """Read standard deviations, which values are divided by."""
    numbers = read_numbers(value)
    if 0 in numbers:
        raise ArgumentError(f"{_shown(value)} contains 0, and values are divided by it")
    return numbers


def read_text(value: Any) -> str:
    """Read a string."""
    if not isinstance(value, str):
        raise ArgumentError(f"it must be a string, such as 'max:2', got {_shown(value)}")
    return value


def _array(value: Any) -> Array:
    import numpy as np

    try:
        array = np.asarray(value)
    except ValueError:
        raise ArgumentError(f"{_shown(value)} is ragged; give every row the same number of values") from None
    if array.dtype.kind not in "biuf" or not array.size:
        raise ArgumentError(f"{_shown(value)} is not an array of real numbers")
    return array


def _plain(value: Any) -> Any:
    """Convert NumPy numbers to Python numbers, and lists to tuples."""
    if is_sequence(value):
        return tuple(map(_plain, value))
    return whole("it", value, 0) if hasattr(value, "__index__") and not isinstance(value, bool) else value


def _shown(value: object) -> str:
    return cut(repr(value), 80)


_CHOICES = {
    "value_range": RANGES,
    "alpha": ALPHAS,
    "method": METHODS,
    "along": ALONG,
    "resampling": tuple(WIDTHS),
    "nan": NANS,
}

READERS: Mapping[str, Callable[[Any], Any]] = {
    "kernel": read_kernels,
    **dict.fromkeys(("normalize", "flip", "feedback", "sheet", "gray", "linear"), read_flag),
    **dict.fromkeys(("scale", "shift", "padding_value"), read_number),
    **dict.fromkeys(("stride", "dilation", "output_padding"), read_size),
    **dict.fromkeys(("weights", "bias", "pointwise", "offsets", "local", "mask"), read_array_or_text),
    "only": read_rectangles,
    **dict.fromkeys(("pool", "pool_channels"), read_text),
    **dict.fromkeys(("groups", "rank", "max_kernel", "max_pixels", "threads"), partial(read_whole, 1, None)),
    **{name: partial(one_of, name.replace("_", " "), known) for name, known in _CHOICES.items()},
    "depth": read_depth,
    "padding": read_padding,
    "padding_mode": lambda value: mode_of(str(value)),
    "anchor": read_place,
    "activation": lambda value: parse_activation(str(value)),
    "repeat": partial(read_whole, 1, MAX_REPEATS),
    "variant": read_variant,
    "tile": read_tile,
    "dims": partial(read_whole, 1, MAX_DIMS),
    "channels": read_channels,
    "network": read_name,
    "layer": read_text,
    "mean": read_numbers,
    "std": read_deviations,
    "resize": read_new_size,
    "resize_after": partial(read_whole, 0, None),
    "seed": partial(read_whole, 0, None),
}


# Options of the command line whose arguments have another name.
OPTIONS = {
    "range": "value_range",
    "bias_file": "bias",
    "output": "filter_file, which writes a picture",
    "transposed": "variant='transposed'",
}


def read(kernel: object, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of the given arguments, those that are not None; errors name the argument."""
    found = {}
    for name, value in {"kernel": kernel, **options}.items():
        if name not in READERS:
            instead = f"use {OPTIONS[name]}" if name in OPTIONS else instead_of(name, READERS)
            raise TypeError(f"there is no argument {name!r}; {instead}")
        if value is None:
            continue
        try:
            found[name] = READERS[name](value)
        except ArgumentError as error:
            raise ArgumentError(f"`{name}`: {error}") from None
    return {"kernels": found.pop("kernel", ()), **found}
