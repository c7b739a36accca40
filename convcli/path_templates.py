"""Templates of paths: names of files with fields that are replaced for each input, such as out/{stem}.{kernel}{ext}."""

import re
from collections.abc import Callable

from convcli.errors import ArgumentError

FIELDS = ("stem", "ext", "name", "parent", "below", "kernel")
FIELD = re.compile(r"\{(\w*)\}")


def is_template(text: str) -> bool:
    """Return whether a path has a field.

    >>> is_template("masks/{stem}.png"), is_template("masks/a.png")
    (True, False)
    """
    return FIELD.search(text) is not None


def filled(argument: str, template: str, value_of: Callable[[str], str]) -> str:
    """Replace the fields of a template by their values, or raise ArgumentError, which names the `argument`, for others.

    >>> filled("output", "out/{stem}.jpg", {"stem": "a"}.__getitem__)
    'out/a.jpg'
    """

    def value(match: re.Match[str]) -> str:
        if match[1] not in FIELDS:
            fields = " ".join(f"{{{field}}}" for field in FIELDS)
            raise ArgumentError(f"`{argument}` {template}: there is no field {match[0]}; use {fields}")
        return value_of(match[1])

    return FIELD.sub(value, template)
