"""The types of options that are paths of files, on this machine or behind a URL."""

from pathlib import Path

from convcli.cli.options.option_types import Parsed
from convcli.errors import ArgumentError
from convcli.remote_files import file_path, is_url, target_path


def _local_path(text: str) -> Path:
    """Return the path of a file to which lines are added, which no store can."""
    if is_url(text):
        raise ArgumentError(
            f"{text}: lines are added to it as pictures are done, so it must be a file of this machine"
        )
    return Path(text)


READ = Parsed("FILE", file_path)  # that is read, a path or a URL
TARGET = Parsed("FILE", target_path)  # that is written
LOCAL = Parsed("FILE", _local_path)  # that lines are added to
