"""What to type instead of a command, an option, a value or a topic that does not exist."""

import re
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from itertools import zip_longest

import click

from convcli.cli.advised_values import (
    WORDS,
    example,
    filled,
    kernel_of_option,
    kernel_with,
    typed_kernel,
    typed_kernel_takes,
    typed_value,
    without_size,
)
from convcli.cli.foreign_words import COMMANDS, CONVERSIONS, NOT_HERE, OPTIONS, SIZED, VALUES, Hint
from convcli.errors import instead_of
from convcli.layers.activation import ACTIVATIONS


def value_instead(option: click.Option, message: str, ctx: click.Context) -> str:
    """Return what to type instead of a value that an option refused, which its message quotes first; or ""."""
    quoted = re.match(r"'([^']*)'", message)
    return "" if quoted is None else _value_advice(max(option.opts, key=len), quoted[1], ctx)


def _value_advice(option: str, value: str, ctx: click.Context) -> str:
    """Return the advice for a value as another program has it; empty if it is unknown."""
    for pattern, advice in VALUES.get(option, {}).items():
        named = re.findall(r"--[a-z-]+", advice)
        if re.fullmatch(pattern, value, re.IGNORECASE) and set(named) <= _options(ctx.command, ctx).keys():
            return advice.format(value)
    return ""


def command_instead(word: str, known: Iterable[str]) -> str:
    """Return what to type instead of an unknown command: a command, or an option of filter.

    >>> command_instead("blur", ["filter"]), command_instead("macs", ["match"])
    ('use convcli filter PICTURE --kernel gaussian', 'use convcli cost NETWORK')
    """
    from convcli.kernels.foreign_kernels import NOT_CONVOLUTIONS, kernel_for_name

    name = word.lower().replace("_", "-")
    if hint := COMMANDS.get(name):
        return f"use {hint}"
    if kernel := kernel_for_name(name):
        return f"use convcli filter PICTURE --kernel {kernel}"
    if why := NOT_CONVOLUTIONS.get(name):
        return f"it is not a convolution: {why}"
    if "." in word.strip(".") or "/" in word:
        return f"a command comes before files: convcli filter {shlex.quote(word)} --kernel sobel"
    return instead_of(word, known)


def option_instead(word: str, ctx: click.Context) -> str:
    """Return what to type instead of an unknown option of a command; empty if nothing is similar."""
    options = _options(ctx.command, ctx)
    name = word.replace("_", "-") if word.startswith("--") else word
    spellings = (name.lower(), *([f"-{name.lower()}"] if len(name) > 2 and name[1] != "-" else []))
    value = typed_value((word, name), ctx.meta.get(WORDS, ()))
    bare = name.lstrip("-").lower()
    if typed_kernel_takes(bare, ctx) and (advice := _kernel_for(bare, value, ctx)):
        return advice
    if advice := _hint_for(spellings, value, ctx):
        return advice
    for spelling in spellings:
        if spelling in options:
            return f"did you mean {spelling!r}?"
    if why := NOT_HERE.get(spellings[-1], ""):
        return why
    if advice := _kernel_for(bare, value, ctx):
        return advice
    if bare in ACTIVATIONS and "--activation" in options:
        return f"use --activation {bare}"
    names = {each.lstrip("-"): each for each in options if each.startswith("--")}
    close = get_close_matches(bare, names, n=2, cutoff=0.65)
    if close:
        return f"did you mean {' or '.join(repr(names[each]) for each in close)}?"
    return option_elsewhere(name, ctx)


def _hint_for(spellings: Sequence[str], value: str | None, ctx: click.Context) -> str:
    """Return the advice of the table of options; empty if no hint applies to the command."""
    options = _options(ctx.command, ctx)
    hints = [hint for each in spellings for hint in OPTIONS.get(each, ()) if _applies(hint, options, ctx)]
    if SIZED in hints and (why := without_size(ctx)):
        return why
    if not hints:
        return ""
    if hints[0].words[0].isupper():
        return f"use {hints[0].words} without an option"
    if value and (convert := next(filter(None, map(CONVERSIONS.get, spellings)), None)):
        value = _converted(value, convert)
    for hint in hints:
        option = hint.words.partition(" {")[0].rpartition(" ")[2]
        if value and "{" in hint.words and (advice := _value_advice(option, value, ctx)):
            return advice
        if words := filled(hint.words, value, options, ctx):
            return f"use {words}"
    return f"use {example(hints[0].words)}"


def _applies(hint: Hint, options: Mapping[str, click.Option], ctx: click.Context) -> bool:
    """Return whether a command has the options of a hint, which accept their values, or the argument."""
    if hint.commands and ctx.info_name not in hint.commands:
        return False
    words = shlex.split(example(hint.words))
    if words[0] == "convcli":
        return True
    if words[0].isupper():
        arguments = (each for each in ctx.command.params if isinstance(each, click.Argument))
        return any(words[0] in (each.metavar or "") for each in arguments)
    return all(
        word in options
        and (
            not isinstance(kind := options[word].type, click.Choice) or value is None or value in kind.choices
        )
        for word, value in zip_longest(words, words[1:])
        if word.startswith("-")
    )


def _converted(value: str, convert: Callable[[float], float]) -> str | None:
    """Return a typed number after a conversion; None if it is not a number."""
    try:
        return f"{convert(float(value)):g}"
    except (ValueError, ArithmeticError):
        return None


def option_elsewhere(word: str, ctx: click.Context) -> str:
    """Return the commands that have an option, as advice for one that has not; empty if there is none."""
    group = ctx.find_root().command
    if not isinstance(group, click.Group) or not word.startswith("--"):
        return ""
    having = [
        name
        for name in group.list_commands(ctx)
        if (command := group.get_command(ctx, name)) is not None and word in _options(command, ctx)
    ]
    return f"it is an option of convcli {', '.join(having)}" if having else ""


def help_instead(word: str, ctx: click.Context) -> str:
    """Return what explains a word that is no topic and no command: another command, or a topic that has it."""
    from convcli.cli.topics import TOPICS
    from convcli.images.formats import ENDINGS
    from convcli.kernels.foreign_kernels import NOT_CONVOLUTIONS, kernel_for_name
    from convcli.layers.padding import MODE_ALIASES, MODES
    from convcli.layers.text.foreign_layers import VARIANTS_ELSEWHERE
    from convcli.layers.text.operators import ALIASES, OPERATORS
    from convcli.layers.variants import VARIANTS
    from convcli.networks.zoo.index import beginning

    name = word.lstrip("-").lower().replace("_", "-")
    if kernel := kernel_for_name(name):
        return f"convcli kernels {kernel} shows it, and convcli filter PICTURE --kernel {kernel} runs it"
    if why := NOT_CONVOLUTIONS.get(name):
        return f"it is not a convolution: {why}"
    if name not in VARIANTS and beginning(name):
        return f"convcli networks {word} lists networks of that name"
    if name in {**VARIANTS, **VARIANTS_ELSEWHERE}:
        return "see convcli help variants"
    if name in {**MODES, **MODE_ALIASES}:
        return "see convcli help padding"
    if hint := COMMANDS.get(name):
        return f"use {hint}"
    if name in ACTIVATIONS or name in map(str.lower, (*OPERATORS, *ALIASES)):
        return "see convcli help layers"
    if f".{name.lstrip('.')}" in ENDINGS:
        return "see convcli help formats"
    close = get_close_matches(name, [*TOPICS, *_commands(ctx)], n=1)
    if not close and (where := option_elsewhere(f"--{name}", ctx)):
        return f"{where}, whose --help-all or --help explains it".replace("it is", f"--{name} is", 1)
    if not close:
        return _explaining(OPTIONS.get(f"--{name}", ()), ctx) or "convcli help lists all topics"
    return f"did you mean {close[0]!r}?"


def _explaining(hints: Sequence[Hint], ctx: click.Context) -> str:
    """Return the command whose help explains the option of a hint; empty if there is none."""
    group = ctx.find_root().command
    for hint in (hint for hint in hints if hint.words.startswith("--")):
        for name in hint.commands or _commands(ctx):
            command = group.get_command(ctx, name) if isinstance(group, click.Group) else None
            options = _options(command, ctx) if command is not None else {}
            if hint.words.split()[0] in options:
                help_option = "--help-all" if "--help-all" in options else "--help"
                return f"see {example(hint.words)} in convcli {name} {help_option}"
    return ""


def _commands(ctx: click.Context) -> list[str]:
    group = ctx.find_root().command
    return group.list_commands(ctx) if isinstance(group, click.Group) else []


def _options(command: click.Command, ctx: click.Context) -> dict[str, click.Option]:
    """Return the options of a command by all their names."""
    return {
        name: parameter
        for parameter in command.get_params(ctx)
        if isinstance(parameter, click.Option) and not parameter.hidden
        for name in (*parameter.opts, *parameter.secondary_opts)
    }


def _kernel_for(name: str, value: str | None, ctx: click.Context) -> str:
    """Return the advice for an option that is the name of a kernel, of an argument of one, or of another filter."""
    from convcli.kernels.foreign_kernels import NOT_CONVOLUTIONS

    arguments = (each for each in ctx.command.params if isinstance(each, click.Argument))
    if any("SPEC" in (each.metavar or "") for each in arguments):
        before = f"convcli {ctx.info_name}"
    elif "--kernel" in _options(ctx.command, ctx):
        before = "--kernel"
    else:
        return ""
    if name == "size" and (why := without_size(ctx)):
        return why
    if kernel := _suggested_kernel(name, value, ctx):
        return f"use {before} {kernel}"
    why = NOT_CONVOLUTIONS.get(name, "") if ctx.info_name == "filter" else ""  # it names options of filter
    return f"it is not a convolution: {why}" if why else ""


def _suggested_kernel(name: str, value: str | None, ctx: click.Context) -> str | None:
    """Return the kernel of a name, or one that takes an argument of this name: if it does, the typed kernel."""
    from convcli.kernels.foreign_kernels import NOT_CONVOLUTIONS, kernel_for_name
    from convcli.kernels.named import KERNELS, arguments_of

    if kernel := kernel_for_name(name):
        return (value and kernel_of_option(name, value)) or kernel
    takers = [kernel for kernel, build in KERNELS.items() if name in arguments_of(build)]
    typed = typed_kernel(ctx) or ""
    if not takers or (name in NOT_CONVOLUTIONS and typed.partition(":")[0] not in takers):
        return None
    takers.sort(key=lambda kernel: (kernel != typed.partition(":")[0], kernel != "gaussian"))
    taker = typed if typed.partition(":")[0] == takers[0] else takers[0]
    return (value and kernel_with(taker, name, value)) or f"{takers[0]}:{name}=VALUE"
