"""Padding: its names and forms, and their conversion to (before, after) pairs."""

from collections.abc import Sequence
from typing import Literal, TypeGuard, cast

from convcli.errors import ArgumentError, instead_of
from convcli.layers.axes import Sizes, is_sequence, whole

Pair = tuple[int, int]  # (before, after) on one axis
Pads = tuple[Pair, ...]
SameName = Literal["same", "same-lower"]
Padding = Pads | SameName  # what a layer stores; `same` is resolved when the input size is known
AnyPadding = int | str | Sequence[int | Sequence[int]]  # what callers may pass

NAMES = ("valid", "same", "same-lower", "full")
SAME: tuple[SameName, ...] = ("same", "same-lower")  # the names whose padding depends on the input size

NO_OUTPUT_PADDING = (
    "`output_padding` cannot be combined with `padding='same'`, whose output size is the stride times the input size; "
    "leave it out, or give the padding as numbers"
)

# What extends an input beyond its border; a, b, c, d are the elements of the input.
MODES = {
    "zeros": "0000|abcd|0000",
    "constant": "vvvv|abcd|vvvv",
    "reflect": "dcb|abcd|cba",
    "symmetric": "dcba|abcd|dcba",
    "replicate": "aaaa|abcd|dddd",
    "circular": "abcd|abcd|abcd",
}

# Their names in other libraries. SciPy's and OpenCV's `reflect` is `symmetric` here; OpenCV's names are recognised by
# their prefix.
MODES_ELSEWHERE = {
    "NumPy": {"edge": "replicate", "wrap": "circular"},
    "SciPy": {
        "mirror": "reflect",
        "nearest": "replicate",
        "grid-mirror": "symmetric",
        "grid-wrap": "circular",
        "grid-constant": "constant",
    },
    "OpenCV": {
        "reflect101": "reflect",
        "border_constant": "constant",
        "border_replicate": "replicate",
        "border_reflect": "symmetric",
        "border_reflect_101": "reflect",
        "border_reflect101": "reflect",
        "border_default": "reflect",
        "border_wrap": "circular",
    },
}
MODE_ALIASES = {alias: mode for names in MODES_ELSEWHERE.values() for alias, mode in names.items()}


def span(kernel: int, dilation: int) -> int:
    """Return the number of input elements from a kernel's first tap to its last: d*(k-1) + 1."""
    return dilation * (kernel - 1) + 1


def normalise_padding(padding: AnyPadding, kernel_size: Sizes, dilation: Sizes) -> Padding:
    """Convert any form of padding to pairs; `same` and `same-lower`, which need the input size, are kept.

    An int pads every side. A sequence has an int or a (before, after) pair per axis; a single pair ((before, after),)
    is used for all axes. `valid` is no padding; `full` is d*(k-1) on both sides, so each tap covers every element.
    """
    if isinstance(padding, str):
        if padding not in NAMES:
            raise ArgumentError(f"there is no padding {padding!r}; give numbers or one of {', '.join(NAMES)}")
        if padding == "valid":
            return ((0, 0),) * len(kernel_size)
        if padding == "full":
            return tuple((span(k, d) - 1,) * 2 for k, d in zip(kernel_size, dilation, strict=True))
        return cast(SameName, padding)
    if not is_sequence(padding):
        return (_pair(padding),) * len(kernel_size)
    if is_lone_pair(padding):
        return (_pair(padding[0]),) * len(kernel_size)
    if len(padding) != len(kernel_size):
        raise ArgumentError(
            f"padding {padding!r} has {len(padding)} axes where {len(kernel_size)} are needed"
        )
    return tuple(_pair(item) for item in padding)


def is_lone_pair(padding: AnyPadding) -> TypeGuard[Sequence[Sequence[int]]]:
    """Return whether the padding is a single (before, after) pair for all axes."""
    return is_sequence(padding) and len(padding) == 1 and is_sequence(padding[0])


def one_for_all(padding: AnyPadding) -> AnyPadding | None:
    """Return the padding, or None if it is a single pair for all axes, which does not determine their number."""
    return None if is_lone_pair(padding) else padding


def _pair(item: object) -> Pair:
    sides = item if is_sequence(item) else (item, item)
    if len(sides) != 2 or isinstance(item, str):
        raise ArgumentError(f"padding {item!r} must be a number or a (before, after) pair")
    return whole("padding", sides[0], 0), whole("padding", sides[1], 0)


def resolve_padding(
    padding: Padding, input_size: Sizes, kernel_size: Sizes, stride: Sizes, dilation: Sizes
) -> Pads:
    """Return the (before, after) pairs for an input of this size.

    `same` gives ceil(n / s) outputs with the odd element at the end (TensorFlow's SAME, ONNX's SAME_UPPER; PyTorch's
    `same` for s = 1); `same-lower` puts it at the start (SAME_LOWER):
    total = max(0, (ceil(n / s) - 1)*s + d*(k-1) + 1 - n).
    """
    if not isinstance(padding, str):
        return padding
    pads = []
    for n, k, s, d in zip(input_size, kernel_size, stride, dilation, strict=True):
        total = max(0, (-(-n // s) - 1) * s + span(k, d) - n)
        pads.append(halves(total, padding))
    return tuple(pads)


def halves(total: int, padding: SameName) -> Pair:
    """Split the total padding in two; the odd element goes to the end for `same`, to the start for `same-lower`."""
    less, more = total // 2, total - total // 2
    return (less, more) if padding == "same" else (more, less)


def border_source(mode: str, n: int, place: int) -> int | None:
    """Return the index of the element that fills a position on or beyond an axis of length n; None for a constant.

    >>> [border_source("reflect", 4, place) for place in range(-3, 7)]
    [3, 2, 1, 0, 1, 2, 3, 2, 1, 0]
    """
    if 0 <= place < n:
        return place
    if mode in ("zeros", "constant"):
        return None
    if mode == "replicate":
        return 0 if place < 0 else n - 1
    if mode == "circular":
        return place % n
    if mode == "symmetric":
        place %= 2 * n
        return min(place, 2 * n - 1 - place)
    period = max(1, 2 * (n - 1))
    place %= period
    return min(place, period - place)


def mode_of(name: str) -> str:
    """Return the mode for its name here or in another library; raise ArgumentError if it is unknown."""
    known = name.lower()
    if known in MODES:
        return known
    if known in MODE_ALIASES:
        return MODE_ALIASES[known]
    if known in NAMES:
        raise ArgumentError(
            f"{name!r} is a padding, which is set by `padding={known!r}`; the padding mode is one of {', '.join(MODES)}"
        )
    raise ArgumentError(f"there is no padding mode {name!r}; {instead_of(name, (*MODES, *MODE_ALIASES))}")
