"""Messages of the library name arguments; on the command line they name the options of the command that runs."""

import ast
import re
import shlex
from collections.abc import Collection, Iterable
from typing import Any

import click

# Arguments whose options are spelled in another way, or known by a shorter name.
SPELLED = {"output": "-o", "input_shape": "--n"}

# `argument` or `argument=value`; what stands inside a word or a path is none.
_ARGUMENT = r"(?<![^\s(])`(?P<argument>[a-z]\w*)(?:=(?P<value>[^`]+))?`(?![^\s.,;:)])"
_QUOTED = r"""(?<!\w)(?P<quote>['"])(?:\\.|(?!(?P=quote)(?!\w))[^\\])*(?P=quote)"""  # as repr writes a value


def with_options(message: str, parameters: Iterable[click.Parameter], verbatim: Collection[str] = ()) -> str:
    """Replace each argument between backticks by the option that gives it, where there is one.

    Quoted values stay as they are, and so do the texts of `verbatim`, such as names of files.

    >>> one = click.Option(["--range", "value_range"]), click.Option(["-k", "--kernel", "kernels"])
    >>> with_options("`value_range` has no use beside `kernel='box:3'`; leave out `sheet=True`", one)
    '--range has no use beside --kernel box:3; leave out `sheet=True`'
    """
    options = [each for each in parameters if isinstance(each, click.Option)]

    def spelled(match: re.Match[str]) -> str:
        option = None if match["argument"] is None else option_of(match["argument"], options)
        return match[0] if option is None else f"{option} {_value(match['value'])}".rstrip()

    kept = map(re.escape, sorted(filter(None, verbatim), key=len, reverse=True))
    return re.sub("|".join([*kept, _QUOTED, _ARGUMENT]), spelled, message, flags=re.DOTALL)


def typed_options(context: click.Context) -> dict[str, str]:
    """Return the options that were typed, not those that an environment variable gives: their values' names, and they.

    >>> with click.Command("c", params=[click.Option(["--in", "channels"]), click.Option(["--out"])]).make_context(
    ...     "c", ["--in", "3"]
    ... ) as context:
    ...     typed_options(context)
    {'channels': '--in'}
    """
    options = [each for each in context.command.params if isinstance(each, click.Option)]
    names = (each.name or "" for each in options)
    given = click.core.ParameterSource.COMMANDLINE
    return {
        name: str(option_of(name, options)) for name in names if context.get_parameter_source(name) == given
    }


def option_of(argument: str, options: Iterable[click.Option]) -> str | None:
    """Return the option that gives an argument: the one whose value has its name, or that is spelled like it."""
    options = list(options)
    for option in options:
        if SPELLED.get(argument) in option.opts:
            return SPELLED[argument]
    long = f"--{argument.replace('_', '-')}"
    for option in options:
        if option.name == argument:
            return long if long in option.opts else max(option.opts, key=len)
    return next((long for option in options if long in option.opts), None)


def _value(text: str | None) -> str:
    """Return a value in Python as a word of the command line."""
    if text is None:
        return ""
    try:
        value: Any = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
    if value is True:
        return ""
    if isinstance(value, tuple):
        return ("x" if all(isinstance(part, int) for part in value) else ",").join(map(str, value))
    return shlex.quote(value) if isinstance(value, str) else text
