"""Several options that a command gets as one record."""

import functools
from collections.abc import Callable
from typing import Any

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def bundled(name: str, record: Any, *options: Decorator) -> Decorator:
    """Give a command the options, and their values as one argument called `name`, of the NamedTuple `record`."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        def unbundled(**values: Any) -> Any:
            bundle = record(**{name: values.pop(name) for name in record._fields if name in values})
            return command(**values, **{name: bundle})

        call: Callable[..., Any] = functools.update_wrapper(unbundled, command)

        for option in reversed(options):
            call = option(call)
        return call

    return decorate
