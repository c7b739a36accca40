"""The kernel grammar: `sobel`, `gaussian:sigma=2`, `'0 -1 0; -1 5 -1; 0 -1 0'`."""

import re
import sys
from collections.abc import Callable
from inspect import Parameter, signature

from convcli.errors import ArgumentError, instead_of
from convcli.kernels.kernel import Kernel, Matrix, Number, check_side
from convcli.kernels.named import KERNELS, MAX_SIDE

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*(?=:|$)")


def parse_kernel(text: str, limit: int = MAX_SIDE) -> Kernel:
    """Return the kernel that `text` spells, with at most `limit` taps on a side, or raise ArgumentError.

    A name may have arguments, by name or in order: `gaussian:sigma=2`, `gaussian:2,7`. A matrix has rows
    divided by `;` and numbers divided by spaces or commas.

    >>> parse_kernel("box:size=5").shape
    (5, 5)
    >>> parse_kernel("1 0 -1; 2 0 -2").matrices
    (((1, 0, -1), (2, 0, -2)),)
    """
    name = _NAME.match(text.strip())
    if name:
        return _named(name.group(), text.strip()[name.end() + 1 :], limit)
    return Kernel("kernel", (_matrix(text, limit),), source="given inline")


def _named(name: str, arguments: str, limit: int) -> Kernel:
    if name not in KERNELS:
        raise ArgumentError(f"unknown kernel {name!r}; {instead_of(name, KERNELS)}")
    build = KERNELS[name]
    values: dict[str, Number] = {}
    accepted = _accepted(build)
    for place, item in enumerate(filter(None, arguments.split(","))):
        key, given, value = item.partition("=")
        if not given:
            key, value = (list(accepted)[place] if place < len(accepted) else item), item
        if key not in accepted:
            takes = f"it takes {', '.join(accepted)}" if accepted else "it takes none"
            raise ArgumentError(f"kernel {name!r} has no argument {key!r}; {takes}")
        if key in values:
            raise ArgumentError(f"kernel {name!r}: {key} is given twice")
        values[key] = accepted[key](f"kernel {name!r}: {key}", value)
    if "limit" in signature(build).parameters:
        return build(**values, limit=limit)
    return build(**values)


def _accepted(build: Callable[..., Kernel]) -> dict[str, Callable[[str, str], Number]]:
    """Return the arguments of a named kernel, each with the function that reads it."""
    parameters = signature(build).parameters.values()
    return {
        p.name: _real if p.annotation is float else _whole
        for p in parameters
        if p.kind is not Parameter.KEYWORD_ONLY
    }


def _real(what: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ArgumentError(f"{what} must be a number, got {text!r}") from None


def _whole(what: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ArgumentError(f"{what} must be a whole number, got {text!r}") from None


def _matrix(text: str, limit: int) -> Matrix:
    rows = [
        [_weight(item, text) for item in re.split(r"[\s,]+", row.strip(" \t\n,"))] for row in text.split(";")
    ]
    for number, row in enumerate(rows, start=1):
        if len(row) != len(rows[0]):
            raise ArgumentError(
                f"kernel {text!r} is ragged: row 1 has {len(rows[0])} values, row {number} has {len(row)}; "
                "give every row the same number"
            )
    check_side(max(len(rows), len(rows[0])), limit)
    return tuple(map(tuple, rows))


def _weight(item: str, text: str) -> Number:
    """Read one weight; whole numbers stay exact."""
    try:
        value: Number = int(item)
    except ValueError:
        try:
            value = float(item)
        except ValueError:
            raise ArgumentError(
                f"kernel {text!r}: {item!r} is not a number; give a name such as 'sobel', or rows of numbers "
                "divided by ';' as in '0 -1 0; -1 5 -1; 0 -1 0'"
            ) from None
    if not abs(value) <= sys.float_info.max:
        raise ArgumentError(f"kernel {text!r}: {item!r} is not a finite number; every weight must be one")
    return value
