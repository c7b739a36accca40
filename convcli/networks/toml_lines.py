"""Find the line numbers of a TOML file's strings, which tomllib does not report."""

import re
from typing import Any

# Strings of TOML, and comments, because comments may contain quotes.
_STRINGS = re.compile(
    r'"""((?:\\.|[^\\])*?)"""|\'\'\'(.*?)\'\'\'|"((?:\\.|[^"\\\n])*)"|\'([^\'\n]*)\'|#[^\n]*', re.DOTALL
)


class StringWithLine(str):
    """A string of the file with its line number; 0 if unknown."""

    __slots__ = ("line",)
    line: int


def _strings(text: str) -> list[StringWithLine]:
    """Return the strings of a file in order, with their line numbers."""
    found, line, end = [], 1, 0
    for match in _STRINGS.finditer(text):
        line += text.count("\n", end, match.start())
        end = match.start()
        if match.lastindex is not None:
            string = StringWithLine(match[match.lastindex])
            string.line = line
            found.append(string)
    return found


def with_lines(document: Any, text: str) -> Any:
    """Return a TOML document whose strings carry the line numbers of the same strings in its text, in order."""
    places: dict[str, list[StringWithLine]] = {}
    for string in reversed(_strings(text)):
        places.setdefault(str(string), []).append(string)

    def walk(value: Any) -> Any:
        if isinstance(value, str):
            if places.get(value):
                return places[value].pop()
            string = StringWithLine(value)
            string.line = 0
            return string
        if isinstance(value, list):
            return [walk(each) for each in value]
        if isinstance(value, dict):
            return {key: walk(each) for key, each in value.items()}
        return value

    return walk(document)
