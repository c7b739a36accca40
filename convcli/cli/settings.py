"""Values of options that stand in the environment or in a file, where the command line gives none.

CONVCLI_<COMMAND>_<OPTION> comes before the file: convcli.toml, or [tool.convcli] in pyproject.toml, in the working
directory or the nearest folder above it that has one. Each command has a table of its own, with options by their names:

    [filter]
    padding-mode = "symmetric"
    jobs = 2
"""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import click

from convcli.errors import ArgumentError, instead_of

OWN, SHARED = "convcli.toml", "pyproject.toml"
TABLE = b"convcli"  # is in every file that has settings for us
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

TYPED = ("--force", "--in-place")  # a file that somebody else has written must not overwrite ours

Tables = Mapping[str, Any]


class SettingsError(ArgumentError):
    """A file of settings that cannot be used."""


class Setting(NamedTuple):
    """The value of an option, and where it stands: in a file, or in a variable of the environment."""

    option: str
    value: str | bool | tuple[str, ...]
    file: Path | None = None
    variable: str = ""

    @property
    def source(self) -> str:
        """The file, or the variable."""
        return f"environment variable {self.variable}" if self.variable else str(self.file)


def settings(
    command: str, parameters: Iterable[click.Parameter], commands: Sequence[str]
) -> dict[str, Setting]:
    """Return what holds for a command, by the names of its values; or raise SettingsError."""
    options = [each for each in parameters if isinstance(each, click.Option) and each.expose_value]
    names = {name.lstrip("-"): each for each in options for name in each.opts}
    found: dict[str, Setting] = {}
    file = settings_file()
    if file is not None:
        for key, value in _table(file, command, commands).items():
            option = names.get(key.replace("_", "-"))
            if option is None:
                known = [_longest(each).lstrip("-") for each in options]
                raise SettingsError(f"{file}: {command} has no option {key!r}; {instead_of(key, known)}")
            where = f"{file}: {command}: {key}"
            _check_typed(option, where)
            found[option.name or ""] = Setting(_longest(option), _read(where, value, option), file)
    for name, option in names.items():
        variable = f"CONVCLI_{command}_{name}".upper().replace("-", "_")
        if variable in os.environ:
            _check_typed(option, f"environment variable {variable}")
            value = _read_variable(variable, os.environ[variable], option)
            found[option.name or ""] = Setting(_longest(option), value, variable=variable)
    return found


def _check_typed(option: click.Option, where: str) -> None:
    """Refuse an option that is only good on the command line."""
    if _longest(option) in TYPED:
        raise SettingsError(
            f"{where} replaces files, which only the command line may ask for; type {_longest(option)}"
        )


def settings_file() -> Path | None:
    """Return the nearest file of settings, from the working directory upwards; None where there is none."""
    try:
        here = Path.cwd()
    except OSError:  # it has been removed
        return None
    for folder in (here, *here.parents):
        for name in (OWN, SHARED):
            file = folder / name
            if file.is_file() and (name == OWN or _holds_table(file)):
                return file
    return None


def _holds_table(file: Path) -> bool:
    """Whether a pyproject.toml has a table for us; it is not parsed where it does not even name us."""
    try:
        return TABLE in file.read_bytes() and "convcli" in _parsed(file).get("tool", {})
    except (OSError, SettingsError):  # others complain about a damaged pyproject.toml
        return False


def _parsed(file: Path) -> Tables:
    import tomllib

    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise SettingsError(f"cannot read {file}: {why}") from None


def _table(file: Path, command: str, commands: Sequence[str]) -> Tables:
    """Return the table of a command in a file, all of whose tables are those of commands."""
    whole = _parsed(file)
    if file.name == SHARED:
        whole = whole["tool"]["convcli"]
    if not isinstance(whole, dict):
        raise SettingsError(f"{file}: tool.convcli is no table; write [tool.convcli.filter]")
    for name, table in whole.items():
        if name not in commands:
            raise SettingsError(f"{file}: there is no command {name!r}; {instead_of(name, commands)}")
        if not isinstance(table, dict):
            raise SettingsError(f"{file}: {name} is no table; write [{name}], and options below it")
    found: Tables = whole.get(command, {})
    return found


def _read(where: str, value: object, option: click.Option) -> str | bool | tuple[str, ...]:
    """Return a value of a file as the command line would have it."""
    if option.is_flag:
        if isinstance(value, bool):
            return value
        raise SettingsError(f"{where} is true or false, got {_shown(value)}")
    if isinstance(value, list):
        if option.multiple:
            return tuple(_text(where, each) for each in value)
        raise SettingsError(f"{where} takes one value, got a list of {len(value)}")
    text = _text(where, value)
    return (text,) if option.multiple else text


def _read_variable(variable: str, text: str, option: click.Option) -> str | bool | tuple[str, ...]:
    """Return the value of an environment variable as the command line would have it."""
    if not option.is_flag:
        return (text,) if option.multiple else text
    if text.lower() not in FLAGS:
        raise SettingsError(f"environment variable {variable} is {' or '.join(FLAGS)}, got {text!r}")
    return FLAGS[text.lower()]


def _text(where: str, value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise SettingsError(f"{where} takes a text or a number, got {_shown(value)}")
    return str(value)


def _shown(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else repr(value)


def _longest(option: click.Option) -> str:
    return max(option.opts, key=len)


def told(found: Mapping[str, Setting]) -> Iterator[dict[str, Any]]:
    """Yield a row for each setting: the option, its value, and where it stands."""
    for setting in found.values():
        value = setting.value
        if isinstance(value, bool):
            value = str(value).lower()
        yield {
            "option": setting.option,
            "value": value if isinstance(value, str) else list(value),
            "source": setting.source,
        }
