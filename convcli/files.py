"""Write a file so that its path holds, at every instant, the whole old file, the whole new one, or nothing."""

import os
import stat
from contextlib import suppress
from pathlib import Path
from secrets import token_hex

from convcli.errors import ConvcliError


class WriteError(ConvcliError):
    """A file could not be written; nothing was changed."""


def write_whole(path: Path, data: bytes, *, overwrite: bool) -> None:
    """Write `data` to `path` through a temporary file beside it; make missing folders.

    The data are on disk before the path changes. A new file has the mode that the umask leaves, a replaced
    one keeps its own. Raises WriteError, with nothing left behind, where the path exists and `overwrite`
    is not set, or where the file system refuses.
    """
    if not overwrite:
        refuse_existing(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(path, data, overwrite)
    except FileExistsError:
        refuse_existing(path)
        raise
    except OSError as error:
        raise WriteError(f"cannot write {path}: {error.strerror or error}") from error


def refuse_existing(path: Path) -> None:
    """Raise WriteError where something stands at `path`, be it a broken link."""
    if os.path.lexists(path):
        raise WriteError(f"{path} exists; give --force to replace it, or another -o")


def _write(path: Path, data: bytes, overwrite: bool) -> None:
    if path.is_dir():
        raise IsADirectoryError(None, "it is a folder; end it with / to write into it")
    # A short name of its own: the path's may already be as long as the file system allows.
    temporary = path.parent / f".convcli-{token_hex(8)}.tmp"
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            if overwrite and path.exists():
                temporary.chmod(stat.S_IMODE(path.stat().st_mode))
            os.fsync(file.fileno())
        if overwrite:
            temporary.replace(path)
        else:
            _place_new(temporary, path)
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()


def _place_new(temporary: Path, path: Path) -> None:
    """Give the file its name only if nobody has taken it meanwhile."""
    try:
        path.hardlink_to(temporary)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        refuse_existing(path)
        temporary.replace(path)
