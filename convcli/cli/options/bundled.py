"""Bundling of several options in one record."""

import functools
from collections.abc import Callable
from typing import Any

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def bundled(name: str, record: Any, *options: Decorator) -> Decorator:
    """Return a decorator that adds options to a command and passes their values as one argument.

    name : the name of the argument
    record : the NamedTuple that holds the values
    """

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        def unbundled(**values: Any) -> Any:
            bundle = record(**{name: values.pop(name) for name in record._fields if name in values})
            return command(**values, **{name: bundle})

        call: Callable[..., Any] = functools.update_wrapper(unbundled, command)

        for option in reversed(options):
            call = option(call)
        return call

    return decorate
