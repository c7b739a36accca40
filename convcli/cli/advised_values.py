"""Advice on options that carries what the user typed: a value, and the kernel that it belongs to."""

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence

import click

WORDS = "convcli.words"  # the key in a context's `meta` of the words of the command line

_PLACEHOLDER = re.compile(r"\{(.*?)\}")  # an example in advice, which a typed value replaces
_VALUE = re.compile(r"[^-]|-[\d.]")  # the beginning of a word that is a value, not an option


def typed_value(names: Sequence[str], words: Sequence[str]) -> str | None:
    """Return the value that follows one of the options in the words of a command line; None if there is none.

    >>> typed_value(["--size"], ["a.png", "--size=5"]), typed_value(["-b", "--blur"], ["--blur", "2"])
    ('5', '2')
    """
    for place, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name in names:
            following = words[place + 1] if place + 1 < len(words) else ""
            return (value if equals else following if _VALUE.match(following) else "") or None
    return None


def example(hint: str) -> str:
    """Return advice with its example as it is.

    >>> example("--kernel gaussian:sigma={2}")
    '--kernel gaussian:sigma=2'
    """
    return _PLACEHOLDER.sub(r"\1", hint)


def filled(
    hint: str, value: str | None, options: Mapping[str, click.Option], ctx: click.Context
) -> str | None:
    """Return advice with its example, in braces, replaced by the typed value; None if the option does not accept it.

    hint : words of a command line, such as "--kernel gaussian:sigma={2}"
    options : the options of the command by their names
    """
    if (found := _PLACEHOLDER.search(hint)) is None:
        return None
    if not hint.startswith("-"):  # a command
        return _PLACEHOLDER.sub(lambda _: shlex.quote(value), hint) if value else None
    before, _, start = hint[: found.start()].rpartition(" ")
    option = before.rpartition(" ")[2]
    if option == "--kernel":
        typed = typed_kernel(ctx)
        values = [value, found[1]] if typed else [value]
        given = next((spec for each in values if each for spec in _kernels(start, each, typed)), None)
    else:
        given = _accepted(options[option], f"{start}{value}", ctx) if value else None
    return None if given is None else f"{before} {shlex.quote(given)}"


def typed_kernel(ctx: click.Context) -> str | None:
    """Return the named kernel on the command line with its arguments; None if there is none."""
    from convcli.kernels.named import KERNELS

    words: Sequence[str] = ctx.meta.get(WORDS, ())
    options = [each for each in ctx.command.params if "--kernel" in each.opts]
    spec = typed_value(options[0].opts, words) if options else next(iter(words), None)
    return spec if spec is not None and spec.partition(":")[0] in KERNELS and ";" not in spec else None


def typed_kernel_takes(argument: str, ctx: click.Context) -> bool:
    """Return whether there is a named kernel on the command line that takes an argument."""
    from convcli.kernels.named import KERNELS, arguments_of

    name = (typed_kernel(ctx) or "").partition(":")[0]
    return bool(name) and argument in arguments_of(KERNELS[name])


def without_size(ctx: click.Context) -> str:
    """Return why the typed kernel takes no size; empty if it takes one, or if none was typed."""
    from convcli.kernels.named import KERNELS, arguments_of

    name = (typed_kernel(ctx) or "").partition(":")[0]
    if not name or "size" in (accepted := arguments_of(KERNELS[name])):
        return ""
    others = f"it takes {', '.join(accepted)}" if accepted else "it takes no arguments"
    return f"the kernel {name} has no argument size; {others}"


def kernel_with(spec: str, argument: str, value: str) -> str | None:
    """Return a named kernel with one more argument; None if the kernel does not take it or the value is invalid.

    >>> kernel_with("gaussian:2", "size", "9"), kernel_with("sobel", "size", "5"), kernel_with("sobel", "size", "4")
    ('gaussian:2,size=9', 'sobel:5', None)
    """
    from convcli.kernels.named import KERNELS, arguments_of

    name, _, arguments = spec.partition(":")
    accepted = list(arguments_of(KERNELS[name]))
    if argument not in accepted:
        return None
    kept = [
        each
        for place, each in enumerate(filter(None, arguments.split(",")))
        if (each.partition("=")[0].strip() if "=" in each else accepted[min(place, len(accepted) - 1)])
        != argument
    ]
    added = value if not kept and accepted[0] == argument == "size" else f"{argument}={value}"
    made = f"{name}:{','.join([*kept, added])}"
    return made if _is_kernel(made) else None


def kernel_of_option(name: str, value: str) -> str | None:
    """Return the kernel for an option of another program that is named after it; None if its value is something else.

    >>> kernel_of_option("unsharp", "0x2+1+0.02"), kernel_of_option("boxblur", "2"), kernel_of_option("sobel", "a.png")
    ('unsharp:sigma=2,amount=1,threshold=2.55', 'box:size=5', 'sobel')
    """
    from convcli.kernels import parse_kernels
    from convcli.kernels.foreign_kernels import spellings

    specs = [f"{name}:{value}", *(each.spec for each in spellings(f"{name}({value})"))]
    # ImageMagick's -edge 1 is a radius; here a size of 1 is a single weight.
    return next((spec for spec in filter(_is_kernel, specs) if max(parse_kernels(spec)[0].shape) > 1), None)


def _kernels(start: str, value: str, typed: str | None) -> Iterator[str]:
    """Yield the kernels that a value may mean: in the typed kernel, in the kernel of the advice, or on its own.

    start : the beginning of the kernel of the advice, such as "gaussian:sigma=", "box:" or nothing
    """
    from convcli.kernels.foreign_arguments import GEOMETRY
    from convcli.kernels.foreign_kernels import spellings
    from convcli.kernels.named import KERNELS, arguments_of

    name, _, arguments = start.partition(":")
    if name not in KERNELS:
        written = [value]
    else:
        argument = arguments.rstrip("=") or next(iter(arguments_of(KERNELS[name])))
        takes = typed is not None and argument in arguments_of(KERNELS[typed.partition(":")[0]])
        if argument == "sigma" and not takes and GEOMETRY.fullmatch(value):  # radius x sigma
            yield from filter(_is_kernel, (each.spec for each in spellings(f"{name}({value})")))
        if made := kernel_with(typed if typed and takes else name, argument, value):
            yield made
        if takes:
            return
        written = [each.spec for each in spellings(f"{name}({value})") if ":" in each.spec]
    yield from filter(_is_kernel, [*written, *(each.spec for each in spellings(value))])


def _is_kernel(spec: str) -> bool:
    from convcli.errors import ConvcliError
    from convcli.kernels.kernel_grammar import parse_kernels

    try:
        parse_kernels(spec)
    except ConvcliError:
        return False
    return True


def _accepted(option: click.Option, value: str, ctx: click.Context) -> str | None:
    """Return a value if an option accepts it, or else the value that the option suggests, if any."""
    try:
        option.type.convert(value, option, ctx)
    except click.UsageError as error:
        suggested = re.search(r"did you mean '?([^\s']+)'?\?$", error.message)
        return suggested[1] if suggested else None
    return value
