"""Shell completion of kernels with their arguments, pools, fields, layers of a chain, networks and files."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

Completed = Callable[[click.Context, click.Parameter, str], "list[CompletionItem]"]
Arguments = Mapping[str, Sequence[str]]  # the arguments of each name that an option accepts

# Characters at which bash splits words, so that it completes only the text after them; COMP_WORDBREAKS may lack some.
BREAKS = ":="

_BASH = """\
%(complete_func)s() {
    local IFS=$'\\n' line
    COMPREPLY=()
    for line in $(COMP_LINE="${COMP_LINE:0:COMP_POINT}" CONVCLI_BREAKS="$COMP_WORDBREAKS" \\
        %(complete_var)s=bash_complete "$1"); do
        [[ $line == plain,* ]] && COMPREPLY+=("${line#*,}")
    done
    [[ ${COMPREPLY[0]} == *[:=] ]] && compopt -o nospace 2> /dev/null
    return 0
}
complete -o nosort -o default -F %(complete_func)s %(prog_name)s 2> /dev/null ||
    complete -o default -F %(complete_func)s %(prog_name)s
"""


def complete_files(ctx: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    """Complete the name of a file, which the shell does."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type="file")]


def complete_networks(ctx: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    """Complete the name of a network, or a file."""
    from convcli.networks.zoo.index import ZOO

    return _beginning(incomplete, ZOO) or complete_files(ctx, param, incomplete)


def complete_kernels(ctx: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    """Complete the name of a kernel and its arguments, or a file."""
    from convcli.kernels.named import KERNELS, arguments_of

    found = {name: tuple(arguments_of(build)) for name, build in KERNELS.items()}
    return _called(incomplete, found) or _file_or_nothing(incomplete, found)


def complete_pools(ctx: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    """Complete a pool and its arguments."""
    from convcli.layers.text.pool_grammar import FIXED, WINDOWS, arguments_of_pool

    return _called(incomplete, {name: arguments_of_pool(name) for name in (*WINDOWS, *FIXED)})


def complete_offset_fields(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> "list[CompletionItem]":
    """Complete an offset field and its arguments, or a file."""
    from convcli.filters.stages.offsets import FIELDS

    found = _parameters(FIELDS)
    return _called(incomplete, found) or _file_or_nothing(incomplete, found)


def complete_blurs(ctx: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    """Complete a spatially varying blur and its arguments, or a file."""
    from convcli.filters.stages.blend import LOCALS

    found = _parameters(LOCALS)
    return _called(incomplete, found) or _file_or_nothing(incomplete, found)


def complete_mixings(ctx: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    """Complete a matrix that mixes channels, or a file."""
    from convcli.filters.stages.mixing import MIXINGS

    return _beginning(incomplete, MIXINGS) or complete_files(ctx, param, incomplete)


def complete_layers(ctx: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    """Complete a layer or a block of the network that is given before it."""
    from convcli.errors import ConvcliError
    from convcli.networks.load_network import load_network

    try:
        return _beginning(incomplete, load_network(ctx.params.get("network") or "").tensors)
    except (ConvcliError, OSError):
        return []


def complete_chains(ctx: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    """Complete the last layer of a chain; or a file, after an @."""
    from convcli.layers.text.operators import OPERATORS

    before, comma, last = incomplete.rpartition(",")
    blank = " " * (len(last) - len(last.lstrip())) or (" " if comma else "")
    return _beginning(last.lstrip(), OPERATORS, before + comma + blank)


def _parameters(functions: Mapping[str, Callable[..., object]]) -> Arguments:
    from inspect import signature

    return {name: tuple(signature(function).parameters) for name, function in functions.items()}


def _called(incomplete: str, known: Arguments) -> "list[CompletionItem]":
    """Complete name:argument=value,argument=..., without arguments that are already given."""
    name, colon, arguments = incomplete.partition(":")
    if not colon:
        return _beginning(name, [*known, *([f"{name}:"] if known.get(name) else [])])
    before, comma, begun = arguments.rpartition(",")
    given = {part.partition("=")[0].strip() for part in before.split(",")}
    left = [f"{each}=" for each in known.get(name, ()) if each not in given]
    return _beginning(begun, left, f"{name}:{before}{comma}")


def _file_or_nothing(incomplete: str, known: Arguments) -> "list[CompletionItem]":
    """Complete a file, unless the word is a known name with arguments."""
    from click.shell_completion import CompletionItem

    name, colon, _ = incomplete.partition(":")
    return [] if colon and name in known else [CompletionItem(incomplete, type="file")]


def _beginning(begun: str, names: Iterable[str], before: str = "") -> "list[CompletionItem]":
    """Return the names that begin with `begun`, each with the prefix `before`."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(before + name) for name in names if name.startswith(begun)]


def prepare_completion() -> None:
    """Register a completion class for bash that handles words with : and =, at which bash splits them."""
    from click.shell_completion import BashComplete, CompletionItem, add_completion_class, split_arg_string

    class Bash(BashComplete):
        source_template = _BASH

        def source(self) -> str:
            return self.source_template % self.source_vars()  # Click's method requires bash 4.4

        def get_completion_args(self) -> tuple[list[str], str]:
            self.line = os.environ.get("COMP_LINE", "")
            words = split_arg_string(self.line)
            incomplete = "" if not words or self.line[-1:].isspace() else words.pop()
            self.typed = incomplete
            return words[1:], incomplete

        def format_completion(self, item: CompletionItem) -> str:
            typed = self.typed
            if self.line.endswith((f"'{typed}", f'"{typed}')):  # bash does not split quoted words
                return f"{item.type},{item.value}"
            breaks = [sign for sign in BREAKS if sign in os.environ.get("CONVCLI_BREAKS", BREAKS)]
            option = ""
            if typed.startswith("--") and "=" in typed:
                option, equals, typed = typed.partition("=")
                option += equals
            places = [typed.rfind(sign) for sign in breaks]
            if option and "=" not in breaks and max(places, default=-1) < 0:  # bash completes the option, too
                return f"{item.type},{option}{item.value}"
            return f"{item.type},{item.value[1 + max(places, default=-1) :]}"

    add_completion_class(Bash, "bash")
