"""Sizes and paddings as they are typed on a command line, read and written."""

from collections.abc import Sequence

from convcli.errors import ArgumentError
from convcli.layers.axes import by_axes
from convcli.layers.padding import NAMES, AnyPadding, Pads


def parse_size(text: str) -> int | tuple[int, ...]:
    """Read `7` as 7, for every axis, and `224x112` as (224, 112), one number an axis.

    >>> parse_size("7"), parse_size("16x112x112")
    (7, (16, 112, 112))
    """
    numbers = tuple(_number(part, text) for part in text.lower().split("x"))
    return numbers if len(numbers) > 1 else numbers[0]


def parse_padding(text: str) -> AnyPadding:
    """Read a name, a size, or before:after pairs; a single pair stands for every axis.

    >>> parse_padding("same"), parse_padding("1"), parse_padding("1:2"), parse_padding("1:2x0:0")
    ('same', 1, ((1, 2),), ((1, 2), (0, 0)))
    """
    if text in NAMES:
        return text
    if ":" not in text and "x" not in text.lower() and not text.lstrip("-+").isdigit():
        raise ArgumentError(
            f"{text!r} is not a padding; give {', '.join(NAMES)}, or numbers such as 1, 2x1 or 1:2"
        )
    axes = []
    for axis in text.lower().split("x"):
        sides = tuple(_number(side, text) for side in axis.split(":"))
        if len(sides) > 2:
            raise ArgumentError(f"{axis!r} in {text!r} is not one number or a before:after pair")
        axes.append(sides if len(sides) == 2 else sides[0])
    return axes[0] if len(axes) == 1 and isinstance(axes[0], int) else tuple(axes)


def format_size(sizes: int | Sequence[int]) -> str:
    """Write 7 as `7` and (224, 112) as `224x112`."""
    return by_axes(sizes) if isinstance(sizes, Sequence) else str(sizes)


def format_pads(pads: Pads) -> str:
    """Write pairs as briefly as `parse_padding` reads them.

    >>> format_pads(((1, 1), (1, 1))), format_pads(((0, 1), (0, 1))), format_pads(((1, 2), (0, 0)))
    ('1', '0:1', '1:2x0:0')
    """
    written = [str(before) if before == after else f"{before}:{after}" for before, after in pads]
    if len(set(written)) == 1:
        return written[0]
    return "x".join(f"{before}:{after}" for before, after in pads)


def _number(part: str, text: str) -> int:
    try:
        return int(part)
    except ValueError:
        raise ArgumentError(
            f"{text!r} is not a size; give one number, or one for each axis as in 3x5"
        ) from None
