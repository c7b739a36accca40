"""Inputs that belong to an option: the output, a network, a list of names."""

from __future__ import annotations

import shlex
from collections.abc import Collection
from typing import TYPE_CHECKING

from convcli.errors import ArgumentError
from convcli.files import exists, is_file, is_folder
from convcli.images.formats import ENDINGS, TEXT_ENDINGS
from convcli.jobs.search import is_pattern
from convcli.remote_files import file_path

if TYPE_CHECKING:
    from convcli.cli.options.output_options import OutputOptions

START = 4096  # bytes of a text file in which its first line is looked for


def check_inputs(names: Collection[str], output: OutputOptions, options: Collection[str]) -> None:
    """Raise ArgumentError for an input that belongs to an option.

    options : the names of the options of the command
    """
    _check_output(list(names), output)
    for name in names:
        if name == "-" or is_pattern(name):
            continue
        if "--files-from" in options and (listed := _list(name)):
            raise ArgumentError(
                f"{name} is a list of names, not a picture; give it as --files-from {shlex.quote(listed)}"
            )
        if "--network" in options and _is_network(name):
            raise ArgumentError(
                f"{name} is a network, not a picture; give it as --network {shlex.quote(name)}"
            )


def _check_output(names: list[str], output: OutputOptions) -> None:
    """Refuse INPUT OUTPUT, as other programs have it, before the input is filtered to somewhere else."""
    if len(names) != 2 or output.output is not None or output.in_place:
        return
    first, last = names
    if is_pattern(last) or exists(file_path(last)) or not (first == "-" or exists(file_path(first))):
        return
    is_picture = last.lower().endswith(ENDINGS) and not is_folder(file_path(first))
    if is_picture or last.endswith("/"):
        raise ArgumentError(
            f"there is no {last}, and all words are inputs; if it is the output of {first}, give -o "
            f"{shlex.quote(last)}"
        )


def _list(name: str) -> str:
    """Return the file of a list of names that is given as an input, also as @FILE; empty if it is none."""
    path = file_path(name)
    if name.startswith("@") and not exists(path):
        return name[1:] if is_file(file_path(name[1:])) else ""
    if path.suffix.lower() not in TEXT_ENDINGS or not is_file(path):
        return ""
    try:
        with path.open("rb") as file:
            start = file.read(START).decode(errors="replace")
    except OSError:  # reading it as a picture will report the error
        return ""
    first = next((line.strip() for line in start.replace("\0", "\n").splitlines() if line.strip()), "")
    is_named = first.lower().endswith(ENDINGS) or ("," not in first and is_file(file_path(first)))
    return name if is_named else ""


def _is_network(name: str) -> bool:
    """Return whether an input is a network: the file of one, or a published one of which no file has the name."""
    if name.lower().endswith((*ENDINGS, *TEXT_ENDINGS)) or is_folder(file_path(name)):
        return False
    from convcli.networks.load_network import is_network

    return is_network(name)
