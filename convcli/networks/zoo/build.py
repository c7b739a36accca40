"""Build a published network from its name, its options and its input shape."""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any

from convcli.errors import ArgumentError
from convcli.layers.text.arguments import apart
from convcli.networks.bind_shapes import as_item
from convcli.networks.builder import INPUT, Builder
from convcli.networks.network import Network
from convcli.networks.zoo.index import ZOO, Entry, find, network_instead
from convcli.number_text import read_float

MAX_VALUE = 1_000_000  # largest value of an option
EXAMPLES = {"classes": 10, "width": 0.5}  # values of options in errors; of others, the default


def build(text: str, input_shape: Sequence[int] | None = None, **options: Any) -> Network:
    """Build the network named in `text`, whose options follow a colon: mobilenet-v1:width=0.5.

    >>> build("resnet-18").params()
    11689512
    """
    name_text, typed = apart(text)
    name = find(name_text)
    if name is None:
        raise ArgumentError(f"there is no network {name_text!r}; {network_instead(name_text)}")
    entry = ZOO[name]
    takes = options_of_entry(entry)
    for key, value in typed:
        if key and key in options:
            raise ArgumentError(f"{name}: {key} is given twice; give it once")
        options[key or value] = value
    chosen = {key: _value(name, key, value, takes) for key, value in options.items()}
    behind = ",".join(f"{key}={value}" for key, value in chosen.items())
    g = Builder(
        f"{name}:{behind}" if behind else name,
        entry.input if input_shape is None else as_item(INPUT, input_shape, entry.input),
        source=entry.source,
    )
    return _builder_of(entry)(g, **entry.fixed, **chosen)


def _builder_of(entry: Entry) -> Callable[..., Network]:
    """Return the function that builds a network; only the module of its family is imported."""
    function: Callable[..., Network] = getattr(
        import_module(f"convcli.networks.zoo.{entry.family}"), entry.function
    )
    return function


def options_of_entry(entry: Entry) -> dict[str, float]:
    """Return the options of a network with their defaults: the optional parameters of its function."""
    from inspect import Parameter, signature

    parameters = signature(_builder_of(entry)).parameters.values()
    return {
        each.name: each.default
        for each in parameters
        if each.default is not Parameter.empty and each.name not in entry.fixed
    }


def _value(name: str, key: str, value: Any, takes: Mapping[str, float]) -> float:
    """Return the value of an option, as an int if its default is one."""
    if key not in takes:
        example = next(
            (f", as in {name}:{key}={EXAMPLES.get(key, value):g}" for key, value in takes.items()), ""
        )
        raise ArgumentError(f"{name} has no option {key!r}; it takes {', '.join(takes) or 'none'}{example}")
    try:
        number = float(read_float(value) if isinstance(value, str) else value)
    except ArgumentError as error:
        raise ArgumentError(f"{name}: {key}: {error}") from None
    except (TypeError, ValueError, OverflowError):
        raise ArgumentError(f"{name}: {key} must be a number, got {value!r}") from None
    if not 0 < number <= MAX_VALUE:
        raise ArgumentError(f"{name}: {key} must be above 0 and at most {MAX_VALUE:,}, got {value!r}")
    if isinstance(takes[key], float):
        return number
    if not number.is_integer():
        raise ArgumentError(f"{name}: {key} must be a whole number, got {value!r}")
    return int(number)
