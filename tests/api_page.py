"""The reference of the public names in Python, written from their docstrings."""

import inspect
import re
from collections.abc import Callable, Iterator
from textwrap import wrap
from types import ModuleType

import convcli

WIDTH = 120
SECTIONS = ("Parameters", "Returns", "Raises")  # examples are run as doctests, where they are written

_HEADER = re.compile(r"^(\w[\w ]*)\n-+\n", re.MULTILINE)
_FIELD = re.compile(r"^(\w+(?:, \w+)*) +: +", re.MULTILINE)  # of a record: `name : what it is`
_SPECIAL = re.compile(r"`[^`]*`|[\\*_<|]")


def api() -> str:
    """Return the reference: functions, records, errors, then the contents of modules."""
    things = {name: getattr(convcli, name) for name in convcli.__all__ if name != "__version__"}
    parts = ["## Functions"]
    for name, thing in things.items():
        if inspect.isfunction(thing):
            parts += [f"### convcli.{name}", _signature(name, thing), *_described(thing)]
    parts.append("## Classes")
    for name, thing in things.items():
        if inspect.isclass(thing) and not issubclass(thing, Exception):
            parts += [f"### convcli.{name}", _signature(name, thing), *_described(thing), *_members(thing)]
    parts.append("## Errors")
    parts.append(
        "\n".join(
            _item(f"convcli.{name}", _first(thing)) for name, thing in things.items() if _is_error(thing)
        )
    )
    for name, thing in things.items():
        if isinstance(thing, ModuleType):
            parts += [f"## convcli.{name}", prose(_first(thing)), "\n".join(_names(thing))]
    return "\n\n".join(parts)


def sections(text: str) -> dict[str, str]:
    r"""Return the sections of a docstring in NumPy's format by their headers; the text before them has the header "".

    >>> sections("Do it.\n\nReturns\n-------\nint\n    A number.\n")
    {'': 'Do it.', 'Returns': 'int\n    A number.'}
    """
    first, *rest = _HEADER.split(inspect.cleandoc(text))
    return {
        "": first.strip(),
        **{header: body.strip("\n") for header, body in zip(rest[::2], rest[1::2], strict=True)},
    }


def entries(body: str) -> Iterator[tuple[str, str]]:
    r"""Yield the entries of a section: the name and the description.

    >>> list(entries("a : int\n    One.\nb, c\n    Two\n    lines."))
    [('a : int', 'One.'), ('b, c', 'Two lines.')]
    """
    for entry in re.split(r"\n(?=\S)", body):
        what, _, text = entry.partition("\n")
        yield what, " ".join(text.split())


def prose(text: str) -> str:
    r"""Return a paragraph of a docstring as Markdown; text between backticks stays code.

    >>> prose("`a_b` times c_d, **options")
    '`a_b` times c\\_d, \\*\\*options'
    """
    return _SPECIAL.sub(
        lambda found: found[0] if found[0].startswith("`") else f"\\{found[0]}", " ".join(text.split())
    )


def _arguments(thing: Callable[..., object]) -> str:
    """Return the arguments without types, which are in the descriptions, and without `self`."""
    found = inspect.signature(thing)
    bare = [
        each.replace(annotation=inspect.Parameter.empty)
        for each in found.parameters.values()
        if each.name != "self"
    ]
    text = str(found.replace(parameters=bare, return_annotation=inspect.Signature.empty))
    return text.replace("<factory>", "...")


def _signature(name: str, thing: Callable[..., object]) -> str:
    lines = wrap(f"convcli.{name}{_arguments(thing)}", 100, subsequent_indent="    ", break_on_hyphens=False)
    return "\n".join(["```text", *lines, "```"])


def _described(thing: object) -> Iterator[str]:
    """Yield the paragraphs and the sections of a docstring."""
    found = sections(inspect.getdoc(thing) or "")
    for paragraph in found[""].split("\n\n"):
        if _FIELD.match(paragraph):
            yield "\n".join(_item(*each) for each in _fields(paragraph))
        elif not paragraph.startswith(">>>"):
            yield _wrapped(prose(paragraph))
    for header in SECTIONS:
        if header in found:
            yield f"**{header}**"
            yield "\n".join(_entry(what, text) for what, text in entries(found[header]))


def _fields(paragraph: str) -> Iterator[tuple[str, str]]:
    _, *found = _FIELD.split(paragraph)
    yield from zip(found[::2], found[1::2], strict=True)


def _entry(what: str, text: str) -> str:
    names, colon, kind = what.partition(" : ")
    return _wrapped(f"- `{names}`{f' ({prose(kind)})' if colon else ''}: {prose(text)}", "  ")


def _item(name: str, text: str) -> str:
    return _wrapped(f"- `{name}`: {prose(text)}", "  ")


def _wrapped(text: str, indent: str = "") -> str:
    return "\n".join(
        wrap(text, WIDTH, subsequent_indent=indent, break_on_hyphens=False, break_long_words=False)
    )


def _members(thing: type) -> Iterator[str]:
    """Yield the list of the public methods and properties of a class and its parents."""
    found = {
        name: value
        for parent in reversed(thing.__mro__)
        if parent.__module__.startswith("convcli.")
        for name, value in vars(parent).items()
        if not name.startswith("_")
        and (inspect.isfunction(value) or isinstance(value, property | classmethod))
    }
    if found:
        yield "**Methods and properties**"
        yield "\n".join(
            _item(
                name + (_arguments(value) if inspect.isfunction(value) else ""), _first(getattr(thing, name))
            )
            for name, value in sorted(found.items())
        )


def _names(module: ModuleType) -> Iterator[str]:
    """Yield one line for each public name of a module."""
    for name in module.__all__:
        thing = getattr(module, name)
        if inspect.isfunction(thing):
            yield _item(name + _arguments(thing), _first(thing))
        elif inspect.isclass(thing):
            yield _item(name, _first(thing))
        elif isinstance(thing, dict):
            yield _item(name, f"A dict by name: {', '.join(map(str, thing))}.")
        else:
            yield _item(name, repr(thing))


def _is_error(thing: object) -> bool:
    return inspect.isclass(thing) and issubclass(thing, Exception)


def _first(thing: object) -> str:
    """Return the first paragraph of a docstring."""
    return (inspect.getdoc(thing) or "").partition("\n\n")[0]
