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
    is not set, where it is no regular file, or where the file system refuses.
    """
    check_target(path, overwrite=overwrite)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(f"cannot write {path}: its folder cannot be made: {error.strerror}") from error
    try:
        _write(path, data, overwrite)
    except FileExistsError:
        raise WriteError(_exists(path)) from None
    except OSError as error:
        raise WriteError(f"cannot write {path}: {error.strerror or error}") from error


def check_target(path: Path, *, overwrite: bool) -> None:
    """Raise WriteError where something stands at `path` that may not be replaced."""
    if not os.path.lexists(path):
        return
    if path.is_dir():
        raise WriteError(f"cannot write {path}: it is a folder; end it with / to write into it")
    if path.is_symlink():
        raise WriteError(f"cannot write {path}: it is a link; name the file that it points to")
    if not path.is_file():
        raise WriteError(f"cannot write {path}: it is a device or a pipe; write to - and redirect that")
    if not overwrite:
        raise WriteError(_exists(path))


def _exists(path: Path) -> str:
    return f"{path} exists; give --force to replace it, or another -o"


def _write(path: Path, data: bytes, overwrite: bool) -> None:
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
        check_target(path, overwrite=False)
        temporary.replace(path)
