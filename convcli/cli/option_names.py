"""Translation of argument names in messages of the library to the options of the command that runs."""

import ast
import re
import shlex
from collections.abc import Collection, Iterable
from typing import Any

import click

# Arguments whose options have another name, or a shorter one that is better known.
NAMES = {"output": "-o", "input_shape": "--n"}

# `argument` or `argument=value`, but not inside a word or a path.
_ARGUMENT = r"(?<![^\s(])`(?P<argument>[a-z]\w*)(?:=(?P<value>[^`]+))?`(?![^\s.,;:)])"
_QUOTED = r"""(?<!\w)(?P<quote>['"])(?:\\.|(?!(?P=quote)(?!\w))[^\\])*(?P=quote)"""  # as repr writes a value


def with_options(
    message: str,
    parameters: Iterable[click.Parameter],
    verbatim: Collection[str] = (),
    elsewhere: Iterable[click.Parameter] = (),
) -> str:
    """Replace each argument in backticks by the option that sets it, if there is one.

    Quoted values and the texts in `verbatim`, such as file names, stay unchanged.

    elsewhere : the parameters of convcli filter, if messages may name its options with the command

    >>> one = click.Option(["--range", "value_range"]), click.Option(["-k", "--kernel", "kernels"])
    >>> with_options("`value_range` has no use with `kernel='box:3'`; leave out `sheet=True`", one)
    '--range has no use with --kernel box:3; leave out `sheet=True`'
    """
    options = [each for each in parameters if isinstance(each, click.Option)]
    others = [each for each in elsewhere if isinstance(each, click.Option)]

    def replaced(match: re.Match[str]) -> str:
        if match["argument"] is None:
            return match[0]
        if option := option_of(match["argument"], options):
            return f"{option} {_value(match['value'])}".rstrip()
        if option := option_of(match["argument"], others):
            return f"{option} {_value(match['value'])}".rstrip() + " of convcli filter"
        return match[0]

    kept = map(re.escape, sorted(filter(None, verbatim), key=len, reverse=True))
    return re.sub("|".join([*kept, _QUOTED, _ARGUMENT]), replaced, message, flags=re.DOTALL)


def typed_options(context: click.Context) -> dict[str, str]:
    """Return the options on the command line by the names of their parameters, without those set elsewhere.

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
    """Return the option that sets an argument: its parameter or the option itself has the argument's name."""
    options = list(options)
    for option in options:
        if NAMES.get(argument) in option.opts:
            return NAMES[argument]
    long = f"--{argument.replace('_', '-')}"
    for option in options:
        if option.name == argument:
            return long if long in option.opts else max(option.opts, key=len)
    return next((long for option in options if long in option.opts), None)


def _value(text: str | None) -> str:
    """Return a Python value in the syntax of the command line."""
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
