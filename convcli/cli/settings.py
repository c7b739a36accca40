"""Values of options from environment variables and from a file, used if the command line does not set them.

The variable CONVCLI_<COMMAND>_<OPTION> has priority over the one for all commands that some options have, such as
CONVCLI_JOBS, and both over the file: convcli.toml, or [tool.convcli] in pyproject.toml,
in the working directory or the nearest folder above it that has one. Each command has its own table, with options by
their names:

    [filter]
    padding-mode = "symmetric"
    jobs = 2
"""

import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import click

from convcli.errors import ArgumentError, ConvcliError, FileError, instead_of

OWN, SHARED = "convcli.toml", "pyproject.toml"
TABLE = b"convcli"  # occurs in every pyproject.toml with settings
FLAGS = {
    "true": True,
    "false": False,
    "1": True,
    "0": False,
    "yes": True,
    "no": False,
    "on": True,
    "off": False,
}

TYPED = (
    "--force",
    "--in-place",
)  # must be typed, so that a file from elsewhere cannot cause files to be overwritten

Tables = Mapping[str, Any]


class SettingsError(FileError):
    """A file of settings cannot be read, or is invalid."""


class Setting(NamedTuple):
    """The value of an option, and the file or the environment variable that sets it."""

    option: str
    value: str | bool | tuple[str, ...]
    file: Path | None = None
    variable: str = ""

    @property
    def source(self) -> str:
        """The file or the environment variable, for messages."""
        return f"environment variable {self.variable}" if self.variable else str(self.file)


def setting_in(message: str, found: Iterable[Setting]) -> Setting | None:
    """Return the setting that an error is about: its option, or a quoted part of its value, is in the message.

    >>> kernel = Setting("--kernel", ("sobl",), Path("convcli.toml"))
    >>> setting_in("unknown kernel 'sobl'; did you mean 'sobel'?", [kernel]) is kernel
    True
    """
    quoted = {word for word in re.findall(r"'([^']*)'", message) if re.search("[a-z]", word, re.IGNORECASE)}
    for setting in found:
        values = [setting.value] if isinstance(setting.value, str) else setting.value
        texts = values if isinstance(values, (list, tuple)) else ()
        if re.search(rf"(?<![\w-]){setting.option}(?![\w-])", message) or any(
            word in text for word in quoted for text in texts
        ):
            return setting
    return None


def settings(
    command: str, parameters: Iterable[click.Parameter], commands: Sequence[str]
) -> dict[str, Setting]:
    """Return the settings of a command by the names of its parameters.

    Raises SettingsError for a mistake in a file, and ArgumentError for one in an environment variable.
    """
    options = [each for each in parameters if isinstance(each, click.Option) and each.expose_value]
    names = {name.lstrip("-"): each for each in options for name in each.opts}
    found: dict[str, Setting] = {}
    file = settings_file()
    if file is not None:
        for key, value in _table(file, command, names, commands).items():
            option = names.get(key.replace("_", "-"))
            if option is None:
                known = [_longest(each).lstrip("-") for each in options]
                raise SettingsError(f"{file}: {command} has no option {key!r}; {instead_of(key, known)}")
            where = f"{file}: {command}: {key}"
            _check_typed(option, where, SettingsError)
            found[option.name or ""] = Setting(_longest(option), _read(where, value, option), file)
    for option in options:
        for variable in (each for each in shared_variables(option) if os.environ.get(each)):
            value = _read_variable(variable, os.environ[variable], option)
            found[option.name or ""] = Setting(_longest(option), value, variable=variable)
    for name, option in names.items():
        variable = f"CONVCLI_{command}_{name}".upper().replace("-", "_")
        if variable in os.environ:
            _check_typed(option, f"environment variable {variable}", ArgumentError)
            value = _read_variable(variable, os.environ[variable], option)
            found[option.name or ""] = Setting(_longest(option), value, variable=variable)
    return found


def shared_variables(option: click.Option) -> Sequence[str]:
    """Return the environment variables of an option that apply to all commands."""
    given = [option.envvar] if isinstance(option.envvar, str) else list(option.envvar or ())
    return given[-1:]


def _check_typed(option: click.Option, where: str, kind: type[ConvcliError]) -> None:
    """Raise an error of a kind for an option that is only allowed on the command line."""
    if _longest(option) in TYPED:
        raise kind(
            f"{where} replaces files and is only allowed on the command line; type {_longest(option)} there"
        )


def settings_file() -> Path | None:
    """Return the nearest file of settings, from the working directory upwards; None if there is none."""
    try:
        here = Path.cwd()
    except OSError:  # the working directory was removed
        return None
    for folder in (here, *here.parents):
        for name in (OWN, SHARED):
            file = folder / name
            if file.is_file() and (name == OWN or _holds_table(file)):
                return file
    return None


def _holds_table(file: Path) -> bool:
    """Return whether a pyproject.toml has a table for convcli; it is parsed only if it contains the name."""
    try:
        return TABLE in file.read_bytes() and "convcli" in _parsed(file).get("tool", {})
    except (OSError, SettingsError):  # a damaged pyproject.toml is not for convcli to report
        return False


def _parsed(file: Path) -> Tables:
    import tomllib

    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise SettingsError(f"cannot read {file}: {why}") from None


def _table(file: Path, command: str, options: Collection[str], commands: Sequence[str]) -> Tables:
    """Return the table of a command in a file; raise SettingsError if another table is not that of a command.

    options : the names of the options of the command
    """
    whole, header = _parsed(file), ""
    if file.name == SHARED:
        header = "tool.convcli."
        whole = whole["tool"]["convcli"]
    if not isinstance(whole, dict):
        raise SettingsError(f"{file}: tool.convcli is not a table; write [tool.convcli.filter]")
    for name, table in whole.items():
        if name not in commands and not isinstance(table, dict):
            below = command if name.replace("_", "-") in options else "filter"
            raise SettingsError(
                f"{file}: {name} is not in a table; put it below the name of its command, such as [{header}{below}]"
            )
        if name not in commands:
            raise SettingsError(f"{file}: there is no command {name!r}; {instead_of(name, commands)}")
        if not isinstance(table, dict):
            raise SettingsError(
                f"{file}: {name} is not a table; write [{header}{name}], and options below it"
            )
    found: Tables = whole.get(command, {})
    return found


def _read(where: str, value: object, option: click.Option) -> str | bool | tuple[str, ...]:
    """Return a value from a file in the form that the command line gives it."""
    if option.is_flag:
        if isinstance(value, bool):
            return value
        raise SettingsError(f"{where} must be true or false, got {_shown(value)}")
    if isinstance(value, list):
        if option.multiple:
            return tuple(_text(where, each) for each in value)
        raise SettingsError(f"{where} takes one value, got a list of {len(value)}")
    text = _text(where, value)
    return (text,) if option.multiple else text


def _read_variable(variable: str, text: str, option: click.Option) -> str | bool | tuple[str, ...]:
    """Return the value of an environment variable in the form that the command line gives it."""
    if not option.is_flag:
        return (text,) if option.multiple else text
    if text.lower() not in FLAGS:
        raise ArgumentError(f"environment variable {variable} must be {' or '.join(FLAGS)}, got {text!r}")
    return FLAGS[text.lower()]


def _text(where: str, value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise SettingsError(f"{where} takes text or a number, got {_shown(value)}")
    return str(value)


def _shown(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else repr(value)


def _longest(option: click.Option) -> str:
    return max(option.opts, key=len)


def setting_rows(found: Mapping[str, Setting]) -> Iterator[dict[str, Any]]:
    """Yield a row for each setting: the option, its value, and its source."""
    for setting in found.values():
        value = setting.value
        if isinstance(value, bool):
            value = str(value).lower()
        yield {
            "option": setting.option,
            "value": value if isinstance(value, str) else list(value),
            "source": setting.source,
        }
