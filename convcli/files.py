"""Atomic writing of files: at every instant a path has the complete old file, the complete new one, or none."""

import errno
import fcntl
import os
import re
import stat
import time
import zlib
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from typing import BinaryIO

from convcli.errors import ConvcliError
from convcli.remote_files import RemotePath

PERMISSIONS = 0o777  # the bits of a mode that a picture keeps: no set-user-ID, set-group-ID or sticky bit
ABANDONED = 24 * 3600  # age in seconds at which an unlocked temporary file of another machine is removed

# Temporary files are recognised by their names; a lock shows that a process is still writing one.
_HOST = f"{zlib.crc32(os.uname().nodename.encode()):08x}"
_TEMPORARY = re.compile(r"\.convcli-([0-9a-f]{8})-[0-9a-f]{16}\.tmp")
_swept: set[str] = set()  # the folders in which this process has already removed abandoned ones
_unfinished: set[Path] = set()  # the temporary files that this process is writing
_OPEN = nullcontext()

Fill = Callable[[BinaryIO], None]  # writes the content to a file that is open for reading and writing

_HINTS = {
    errno.ENOSPC: "free some space there, or write elsewhere with `output`",
    errno.EDQUOT: "free some space there, or write elsewhere with `output`",
    errno.EFBIG: "the size of files is limited here; raise the limit (ulimit -f)",
    errno.EACCES: "write into another folder with `output`",
    errno.EPERM: "write into another folder with `output`",
    errno.EROFS: "write into another folder with `output`",
    errno.ENAMETOOLONG: "choose a shorter name with `output`",
    errno.ENOENT: "its folder was removed during the run; run it again",
}


class WriteError(ConvcliError):
    """A file could not be written.

    Its path has the old content, or the complete new one if only the final flush to the disk failed.
    """


class ExistsError(WriteError):
    """The file exists and may not be replaced."""


def write_whole(
    path: Path,
    data: bytes | Fill,
    *,
    overwrite: bool,
    follow_links: bool = False,
    like: os.stat_result | None = None,
    placing: AbstractContextManager[None] = _OPEN,
    flush_name: bool = True,
) -> None:
    """Write a file atomically: write a temporary file in the same folder, then rename it to `path`.

    path : its missing parent folders are created
    data : the content, or a function that writes it to an open file
    overwrite : whether an existing file may be replaced
    follow_links : whether to replace the target of a symbolic link; otherwise a link is an error
    like : the status of a file whose mode and times the new file gets
    placing : a context manager that is entered during the rename
    flush_name : whether to flush the folder as well; without it the caller uses `flush_folders`

    The data are flushed to the disk before the rename, and the rename is flushed before this function returns. A new
    file gets the mode that the umask allows. A replaced file keeps its mode, and its owner if the process may set it.

    Raises WriteError if the path exists and `overwrite` is not set, if it is not a regular file, or if the file
    system reports an error; nothing is left behind except created folders. Temporary files that killed processes
    left in the folder are removed.
    """
    check_target(path, overwrite=overwrite, follow_links=follow_links)
    if isinstance(path, RemotePath):
        try:
            with placing:
                path.write(data, overwrite=overwrite)
        except FileExistsError:
            raise ExistsError(_exists(path)) from None
        except OSError as error:
            raise WriteError(f"cannot write {path}: {_why(error)}") from error
        return
    place = Path(os.path.realpath(path)) if follow_links else path
    try:
        _make(place.parent)
    except OSError as error:
        raise WriteError(f"cannot write {path}: its folder cannot be created: {_why(error)}") from error
    try:
        sweep(place.parent)
        while not _written(place, data, overwrite, like, placing):
            pass
        if flush_name:
            _sync(place.parent)
    except FileExistsError:
        raise ExistsError(_exists(path)) from None
    except OSError as error:
        raise WriteError(f"cannot write {path}: {_why(error)}") from error


def flush_folders(folders: Iterable[Path]) -> None:
    """Flush the names of files that `write_whole` wrote without `flush_name`, once for each folder.

    Raises WriteError if the file system reports an error; the files are complete even then.
    """
    for folder in dict.fromkeys(folders):
        if isinstance(folder, RemotePath):
            continue
        try:
            _sync(folder)
        except FileNotFoundError:  # nothing was written into it, or somebody has removed it
            pass
        except OSError as error:
            raise WriteError(
                f"cannot flush the names of the files in {folder} to the disk: {_why(error)}; the files are complete, "
                "but may be missing after a power failure"
            ) from error


def check_target(path: Path, *, overwrite: bool, follow_links: bool = False) -> None:
    """Raise WriteError if `path` exists and may not be replaced."""
    found = _status(path, follow_links=False)
    if found is None:
        return
    behind = _status(path, follow_links=True)
    if behind is not None and stat.S_ISDIR(behind.st_mode):
        raise WriteError(f"cannot write {path}: it is a folder; end it with / to write into it")
    if stat.S_ISLNK(found.st_mode):
        if not follow_links:
            raise WriteError(f"cannot write {path}: it is a link; name the file that it points to")
        if _status(Path(os.path.realpath(path)), follow_links=False) is None:  # the link's target is created
            return
        if behind is None:
            raise WriteError(f"cannot write {path}: it is a link that leads to itself; remove it")
        found = behind
    if not stat.S_ISREG(found.st_mode):
        raise WriteError(f"cannot write {path}: it is a device or a pipe; write to - and redirect that")
    if not overwrite:
        raise ExistsError(_exists(path))


REPLACE = "; give `force=True` to replace it, or another `output`"  # the advice of an ExistsError


def _exists(path: Path) -> str:
    return f"{path} exists{REPLACE}"


def _why(error: OSError) -> str:
    """Return the system's error message, followed by advice if there is some."""
    hint = _HINTS.get(error.errno or 0)
    return f"{error.strerror or error}" + (f"; {hint}" if hint else "")


def _status(path: Path, *, follow_links: bool) -> os.stat_result | None:
    """Return the status of a path; None if it does not exist or cannot be examined (writing then reports why)."""
    try:
        return path.stat(follow_symlinks=follow_links)
    except OSError:
        return None


def exists(path: Path) -> bool:
    """Return whether a path exists; unlike `Path.exists`, without an error for a name that is too long."""
    return _status(path, follow_links=True) is not None


def is_file(path: Path) -> bool:
    """Return whether a path is a regular file or a link to one, without an error for a name that is too long."""
    found = _status(path, follow_links=True)
    return found is not None and stat.S_ISREG(found.st_mode)


def is_folder(path: Path) -> bool:
    """Return whether a path is a folder or a link to one, without an error for a name that is too long."""
    found = _status(path, follow_links=True)
    return found is not None and stat.S_ISDIR(found.st_mode)


def is_link(path: Path) -> bool:
    """Return whether a path is a symbolic link, without an error for a name that is too long."""
    found = _status(path, follow_links=False)
    return found is not None and stat.S_ISLNK(found.st_mode)


def _make(folder: Path) -> None:
    """Create a folder and its parents, and flush their names to the disk."""
    missing = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for each in reversed(missing):
        each.mkdir(exist_ok=True)
        _sync(each.parent)


def _written(
    path: Path,
    data: bytes | Fill,
    overwrite: bool,
    like: os.stat_result | None,
    placing: AbstractContextManager[None],
) -> bool:
    """Write a temporary file and rename it; return False if another process removed it before it was locked."""
    old = _status(path, follow_links=True) if overwrite else None
    model = like or old
    # A short name, not derived from the path's: that may already be as long as the file system allows.
    temporary = path.parent / f".convcli-{_HOST}-{os.urandom(8).hex()}.tmp"
    try:
        # Nobody else may read the file before it gets the mode of the file that it replaces.
        mode = 0o666 if model is None else 0o600
        _unfinished.add(temporary)
        handle = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        try:
            if not _claimed(handle):
                return False
            _fill(temporary, handle, data)
            if old is not None and (old.st_uid, old.st_gid) != (os.geteuid(), os.getegid()):
                with suppress(OSError):  # only root may give files away
                    os.fchown(handle, old.st_uid, old.st_gid)
            if model is not None:
                os.fchmod(handle, stat.S_IMODE(model.st_mode) & PERMISSIONS)
            if like is not None:
                os.utime(handle, ns=(like.st_atime_ns, like.st_mtime_ns))
            os.fsync(handle)
            with placing:
                if overwrite:
                    temporary.replace(path)
                else:
                    _place_new(temporary, path)
        finally:
            os.close(handle)
    finally:
        with suppress(OSError):  # it was renamed, or a later run removes it
            temporary.unlink()
        _unfinished.discard(temporary)
    return True


def _fill(path: Path, handle: int, data: bytes | Fill) -> None:
    """Write the whole content to an open file."""
    if callable(data):
        with open(path, "r+b", opener=lambda name, flags: os.dup(handle)) as file:
            data(file)
        return
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(handle, rest) :]


def remove_unfinished() -> None:
    """Remove the temporary files of other threads, before the process ends and they cannot finish them."""
    for path in list(_unfinished):
        with suppress(OSError):
            path.unlink()


def _place_new(temporary: Path, path: Path) -> None:
    """Rename the file only if `path` still does not exist."""
    try:
        path.hardlink_to(temporary)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        check_target(path, overwrite=False)
        temporary.replace(path)


def _sync(folder: Path) -> None:
    """Flush the names in a folder to the disk, if the file system supports it and the folder may be opened."""
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except PermissionError:  # a folder that may be written, but not read
        return
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(handle)


# Temporary files of killed processes


def _claimed(handle: int) -> bool:
    """Lock a temporary file while it is written; the system releases the lock when the process ends, even if killed.

    Return False if another process was about to remove the file. On a file system without locks, return True;
    abandoned files are then removed by their age.
    """
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return os.fstat(handle).st_nlink > 0


def sweep(folder: Path) -> None:
    """Remove the abandoned temporary files of a folder; each process does so once for each folder."""
    if isinstance(folder, RemotePath):
        return
    key = str(folder.absolute())
    if key in _swept:
        return
    _swept.add(key)
    with suppress(OSError), os.scandir(folder) as entries:  # optional; writing reports what is wrong
        for entry in entries:
            if match := _TEMPORARY.fullmatch(entry.name):
                with suppress(OSError):
                    _sweep_one(Path(entry.path), match[1] == _HOST)


def _sweep_one(path: Path, ours: bool) -> None:
    """Remove a temporary file that no process locks; one from another machine, or without locks, must also be old."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            return
        old = time.time() - found.st_mtime > ABANDONED
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        except OSError:  # a file system without locks
            ours = False
        if ours or old:
            path.unlink()
    finally:
        os.close(handle)
