"""The types of options that are paths of files, local or at a URL."""

from collections.abc import Iterable
from pathlib import Path

import click

from convcli.cli.options.option_types import Parsed
from convcli.errors import ArgumentError
from convcli.remote_files import file_path, is_url, target_path


def _local_path(text: str) -> Path:
    """Return the path of a file to which lines are appended; raise ArgumentError for a URL."""
    if is_url(text):
        raise ArgumentError(
            f"{text}: lines are appended to it during the run, which needs a local file; name one"
        )
    return Path(text)


READ = Parsed("FILE", file_path)  # a file to be read, local or at a URL
TARGET = Parsed("FILE", target_path)  # a file to be written, local or at a URL
LOCAL = Parsed("FILE", _local_path)  # a file to which lines are appended, which must be local


def written_paths(parameters: Iterable[click.Parameter]) -> list[str]:
    """Return the names of the options for paths that are written: -o, and those of the types of such paths."""
    return [
        name
        for each in parameters
        if isinstance(each, click.Option) and ("-o" in each.opts or each.type in (TARGET, LOCAL))
        for name in each.opts
    ]
