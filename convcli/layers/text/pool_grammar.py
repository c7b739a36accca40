"""Parse a pooling layer: max:2, avg:3,stride=2, lp:2,p=3, global-avg, adaptive-max:7x7."""

import re
from collections.abc import Callable
from functools import partial
from typing import Any

from convcli.errors import ArgumentError, instead_of
from convcli.layers.pool import AdaptivePool, AvgPool, GlobalPool, LpPool, MaxPool
from convcli.layers.text.arguments import apart
from convcli.layers.text.notation import parse_padding, parse_size
from convcli.number_text import read_float

Pool = MaxPool | AvgPool | LpPool | AdaptivePool | GlobalPool
Kind = Callable[..., Pool]


def _average(**options: Any) -> AvgPool:
    return AvgPool(count_include_pad=False, **options)  # averages real pixels only, at the border too


WINDOWS: dict[str, Kind] = {"max": MaxPool, "avg": _average, "lp": LpPool}
FIXED: dict[str, tuple[type[AdaptivePool] | type[GlobalPool], str]] = {
    "global-avg": (GlobalPool, "avg"),
    "global-max": (GlobalPool, "max"),
    "adaptive-avg": (AdaptivePool, "avg"),
    "adaptive-max": (AdaptivePool, "max"),
}
READERS: dict[str, Callable[[str], Any]] = {
    "size": parse_size,
    "stride": parse_size,
    "padding": parse_padding,
    "dilation": parse_size,
    "p": read_float,
    "ceil": lambda text: {"yes": True, "no": False, "1": True, "0": False}[text],
}


def parse_pool(text: str) -> Callable[[int], Pool]:
    """Parse a pool; return a function that makes it for a number of axes. Raise ArgumentError if it is malformed."""
    name, arguments = apart(text)
    known = (*WINDOWS, *FIXED)
    if name not in known:
        suggested = _suggested_pool(text)
        hint = f"did you mean {suggested!r}?" if suggested else instead_of(name, known)
        raise ArgumentError(f"`pool`: there is no {name!r}; {hint}")
    takes = arguments_of_pool(name)
    options: dict[str, Any] = {}
    for place, (key, value) in enumerate(arguments):
        key = key or ("size" if place == 0 and takes else value)
        if key not in takes:
            raise ArgumentError(
                f"`pool` {name} has no argument {key!r}; it takes {', '.join(takes) if takes else 'none'}"
            )
        if key in options:
            raise ArgumentError(f"`pool` {name}: {key} is given twice")
        try:
            options[key] = READERS[key](value)
        except (ValueError, KeyError) as error:
            why = error if isinstance(error, ArgumentError) else f"{value!r} is not one of yes, no, 1, 0"
            raise ArgumentError(f"`pool` {name}: {key}: {why}") from None
    if takes and "size" not in options:
        raise ArgumentError(f"`pool` {name} needs a size, for example {name}:{7 if name in FIXED else 2}")
    return _maker(name, options)


def _suggested_pool(text: str) -> str:
    """Return a pool that is written as PyTorch or Keras write it: maxpool:2, MaxPool2d(2), max(2), 2."""
    call = re.fullmatch(
        r"(?:nn\.)?([a-z_-]*?)(?:_?pool(?:ing)?)?_?(?:[123]d)?\s*(?:[:(=,\s]\s*(.*?)\)?|(\d.*))?",
        text.lower(),
    )
    if call is None:
        return ""
    plain = call[1].replace("_", "-").strip("-")
    name = {"": "max", "average": "avg", "mean": "avg", "gap": "global-avg", "l2": "lp"}.get(plain, plain)
    for word in ("adaptive", "global"):
        name = re.sub(rf"^{word}-?(?=avg|max)", f"{word}-", name.replace("average", "avg"))
    if name not in (*WINDOWS, *FIXED):
        return ""
    given = (call[2] or call[3] or "").replace("kernel_size", "size")
    arguments = [word for word in re.split(r"[,\s]+", given) if word]
    if len(arguments) > 1 and "=" not in arguments[1]:
        arguments[1] = f"stride={arguments[1]}"
    suggested = f"{name}:{','.join(arguments)}" if arguments else name
    try:
        parse_pool(suggested)
    except ArgumentError:
        return f"{name}:2" if name in WINDOWS else f"{name}:7" if name.startswith("adaptive") else name
    return suggested


def arguments_of_pool(name: str) -> tuple[str, ...]:
    """Return the arguments that the pool `name` takes."""
    if name in FIXED:
        return ("size",) if name.startswith("adaptive") else ()
    return ("size", "stride", "padding", "dilation", "ceil", *(("p",) if name == "lp" else ()))


def _maker(name: str, options: dict[str, Any]) -> Callable[[int], Pool]:
    given = dict(options)
    if name.startswith("global"):
        kind: Any = FIXED[name][1]
        return partial(_pool, GlobalPool, kind=kind)
    if name in FIXED:
        kind = FIXED[name][1]
        return partial(_pool, AdaptivePool, output_size=given["size"], kind=kind)
    fields = {"size": "kernel_size", "ceil": "ceil_mode", "p": "norm_type"}
    named = {fields.get(key, key): value for key, value in given.items()}
    if name == "lp":
        named.setdefault("norm_type", 2.0)
    return partial(_pool, WINDOWS[name], **named)


def _pool(pool: Kind, dims: int, /, **fields: Any) -> Pool:
    """Make a pool for a number of axes; defined at module level so that it can be pickled for another process."""
    return pool(**fields) if pool is GlobalPool else pool(**fields, dims=dims)
