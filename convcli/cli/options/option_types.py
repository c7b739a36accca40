"""The types of option values: parsing and shell completion."""

from collections.abc import Callable, Sequence
from math import inf
from typing import TYPE_CHECKING, Generic, TypeVar

import click

from convcli.errors import ArgumentError
from convcli.number_text import read_finite, without_brackets

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

T = TypeVar("T")


class Parsed(click.ParamType, Generic[T]):  # type: ignore[type-arg]  # a generic one since Click 8.5
    """A value that is parsed by a function, whose ArgumentError becomes Click's message.

    names : the names for shell completion, if the value is one of several names or a list of them
    """

    def __init__(self, name: str, parse: Callable[[str], T], names: Sequence[str] = ()) -> None:
        self.name = name
        self.parse = parse
        self.names = names

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> "list[CompletionItem]":
        """Return the names that begin with the last word of a list, each with the words before it."""
        from click.shell_completion import CompletionItem

        before, comma, begun = incomplete.rpartition(",")
        return [CompletionItem(before + comma + name) for name in self.names if name.startswith(begun)]

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> T:
        """Parse one word of the command line."""
        try:
            return self.parse(value)
        except ArgumentError as error:
            self.fail(str(error), param, ctx)


def at_least(least: int, most: int | None = None) -> Parsed[int]:
    """Return the type of an integer within bounds, which the help does not show, unlike those of click.IntRange."""

    def parse(text: str) -> int:
        if (
            not (text.isascii() and text.isdigit())
            or int(text) < least
            or (most is not None and int(text) > most)
        ):
            bounds = f"of at least {least}" if most is None else f"from {least} to {most}"
            raise ArgumentError(f"{text!r} is not a whole number {bounds}")
        return int(text)

    return Parsed("N", parse)


def seconds(least: float = 0, most: float = inf) -> Parsed[float]:
    """Return the type of a number of seconds within bounds, which is always finite and above 0."""

    def parse(text: str) -> float:
        try:
            number = float(read_finite(text))
        except ArgumentError:
            number = 0.0
        if not (number > 0 and least <= number <= most):
            bounds = f"from {least} to {most}" if most < inf else f"above {least}"
            raise ArgumentError(f"{text!r} is not a number of seconds {bounds}; write 30 or 0.5")
        return number

    return Parsed("SECONDS", parse)


def factor(most: float) -> Parsed[float]:
    """Return the type of a factor above 0."""

    def parse(text: str) -> float:
        try:
            value = float(read_finite(text))
        except ArgumentError:
            value = 0.0
        if not 0 < value <= most:
            raise ArgumentError(f"{text!r} is not a factor above 0 and at most {most:g}; write 2 or 0.5")
        return value

    return Parsed("F", parse)


def output_place(text: str) -> tuple[int, ...]:
    """Return the place of an output, a number for each axis; or raise ArgumentError."""
    words = text.split(",")
    if not all(word.isascii() and word.isdigit() for word in words):
        raise ArgumentError(
            f"{text!r} is not a place; write ROW,COLUMN, counted from 0, such as 0,0 for the upper left output"
        )
    return tuple(map(int, words))


def swept(parse: Callable[[str], T]) -> Callable[[str], tuple[T, ...]]:
    """Return a function that parses several values separated by commas, each of which makes a row."""

    def parsed(text: str) -> tuple[T, ...]:
        plain = without_brackets(text)
        items = [item.strip() for item in plain.split(",")]
        by_axes = "x".join(filter(None, items))
        if plain != text:
            raise ArgumentError(f"{text!r} has brackets; a number for each axis is written as {by_axes}")
        if len(set(items)) < len(items):
            raise ArgumentError(
                f"{text!r} has a value twice, and each makes a row; a number for each axis is written as {by_axes}"
            )
        return tuple(map(parse, items))

    return parsed


def several(parse: Callable[[str], T]) -> Callable[[str], tuple[T, ...]]:
    """Return a function that parses several values separated by commas."""
    return lambda text: tuple(parse(item) for item in text.split(","))
