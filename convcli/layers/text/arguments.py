"""Parse a name with arguments, such as swirl:strength=3 or avg:3,stride=2."""

from collections.abc import Callable, Mapping
from inspect import signature
from typing import Any, TypeVar

from convcli.errors import ArgumentError, instead_of
from convcli.number_text import read_finite, words_of_arguments

T = TypeVar("T")


def called(argument: str, text: str, known: Mapping[str, Callable[..., T]], also: str = "") -> T:
    """Call the function named in `text` with the arguments given there, by name or by position.

    Arguments are numbers, and integers if the function's annotation is int. `also` is appended to the error for an
    unknown name; it lists what else the argument accepts.
    """
    name, arguments = apart(text)
    if name not in known:
        raise ArgumentError(f"`{argument}`: there is no {name!r}; {instead_of(name, known)}{also}")
    takes = {
        key: int if parameter.annotation in (int, "int") else float
        for key, parameter in signature(known[name]).parameters.items()
    }
    values: dict[str, Any] = {}
    for place, (key, value) in enumerate(arguments):
        key = key or (list(takes)[place] if place < len(takes) else value)
        if key not in takes:
            raise ArgumentError(f"`{argument}` {name} has no argument {key!r}; it takes {', '.join(takes)}")
        if key in values:
            raise ArgumentError(f"`{argument}` {name}: {key} is given twice")
        values[key] = _number(f"`{argument}` {name}: {key}", value, takes[key])
    return known[name](**values)


def apart(text: str) -> tuple[str, list[tuple[str, str]]]:
    """Split name:a,key=b into the name and its (key, value) pairs; the key is empty for a positional argument.

    >>> apart("avg:3,stride=2")
    ('avg', [('', '3'), ('stride', '2')])
    """
    name, _, rest = text.partition(":")
    pairs = [item.partition("=") for item in words_of_arguments(rest)]
    return name, [(key.strip(), value.strip()) if sign else ("", key.strip()) for key, sign, value in pairs]


def _number(what: str, text: str, kind: type) -> float:
    try:
        return int(text) if kind is int else float(read_finite(text))
    except ArgumentError as error:
        raise ArgumentError(f"{what}: {error}") from None
    except ValueError:
        raise ArgumentError(f"{what} must be a whole number, got {text!r}") from None
