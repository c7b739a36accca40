"""Write a file so that its path holds, at every instant, the whole old file, the whole new one, or nothing."""

import errno
import fcntl
import os
import re
import stat
import time
import zlib
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from typing import BinaryIO

from convcli.errors import ConvcliError

PERMISSIONS = 0o777  # of a mode, what a picture may have
ABANDONED = 24 * 3600  # seconds after which an unlocked temporary file of another machine is surely nobody's

# Temporary files are told by their names, and by a lock whether somebody still writes them.
_HOST = f"{zlib.crc32(os.uname().nodename.encode()):08x}"
_TEMPORARY = re.compile(r"\.convcli-([0-9a-f]{8})-[0-9a-f]{16}\.tmp")
_swept: set[str] = set()  # the folders in which this process has looked for old ones
_unfinished: set[Path] = set()  # the temporary files that this process is writing
_OPEN = nullcontext()

Fill = Callable[[BinaryIO], None]  # writes a file, which is open for reading, too

_WAYS_OUT = {
    errno.ENOSPC: "make room there, or write elsewhere by `output`",
    errno.EDQUOT: "make room there, or write elsewhere by `output`",
    errno.EFBIG: "a limit on the size of files is set; raise it (ulimit -f)",
    errno.EACCES: "write into another folder by `output`",
    errno.EPERM: "write into another folder by `output`",
    errno.EROFS: "write into another folder by `output`",
    errno.ENAMETOOLONG: "choose a shorter name by `output`",
    errno.ENOENT: "its folder has been removed meanwhile; run it again",
}


class WriteError(ConvcliError):
    """A file could not be written: its path holds what it held, or, if that did not reach the disk, the new one."""


class ExistsError(WriteError):
    """A file that is there may not be replaced."""


def write_whole(
    path: Path,
    data: bytes | Fill,
    *,
    overwrite: bool,
    follow_links: bool = False,
    like: os.stat_result | None = None,
    placing: AbstractContextManager[None] = _OPEN,
) -> None:
    """Write `data`, or let it write a file, to `path` through a temporary file beside it; make missing folders.

    placing : entered while the file gets its name

    The data are on disk before the path changes, and the change is before this returns. A new file has the mode
    that the umask leaves, a replaced one keeps its own, and its owner where that is allowed; with `like`, it has
    that file's mode and times. A link is refused, or with `follow_links` stays, and what it points to is replaced.

    Raises WriteError, with nothing but folders left behind, where the path exists and `overwrite` is not set,
    where it is no regular file, or where the file system refuses. What a killed process has left in the folder is
    swept away.
    """
    check_target(path, overwrite=overwrite, follow_links=follow_links)
    place = Path(os.path.realpath(path)) if follow_links else path
    try:
        _make(place.parent)
    except OSError as error:
        raise WriteError(f"cannot write {path}: its folder cannot be made: {_why(error)}") from error
    try:
        sweep(place.parent)
        while not _written(place, data, overwrite, like, placing):
            pass
    except FileExistsError:
        raise ExistsError(_exists(path)) from None
    except OSError as error:
        raise WriteError(f"cannot write {path}: {_why(error)}") from error


def check_target(path: Path, *, overwrite: bool, follow_links: bool = False) -> None:
    """Raise WriteError where something stands at `path` that may not be replaced."""
    found = _status(path, follow_links=False)
    if found is None:
        return
    behind = _status(path, follow_links=True)
    if behind is not None and stat.S_ISDIR(behind.st_mode):
        raise WriteError(f"cannot write {path}: it is a folder; end it with / to write into it")
    if stat.S_ISLNK(found.st_mode):
        if not follow_links:
            raise WriteError(f"cannot write {path}: it is a link; name the file that it points to")
        if _status(Path(os.path.realpath(path)), follow_links=False) is None:  # there will be a file
            return
        if behind is None:
            raise WriteError(f"cannot write {path}: it is a link that leads to itself; remove it")
        found = behind
    if not stat.S_ISREG(found.st_mode):
        raise WriteError(f"cannot write {path}: it is a device or a pipe; write to - and redirect that")
    if not overwrite:
        raise ExistsError(_exists(path))


REPLACE = "; give `force=True` to replace it, or another `output`"  # the way out of an ExistsError


def _exists(path: Path) -> str:
    return f"{path} exists{REPLACE}"


def _why(error: OSError) -> str:
    """Return the system's word, and the way out."""
    way = _WAYS_OUT.get(error.errno or 0)
    return f"{error.strerror or error}" + (f"; {way}" if way else "")


def _status(path: Path, *, follow_links: bool) -> os.stat_result | None:
    """Return what stands at a path; None where nothing does, or nobody may look: writing will tell."""
    try:
        return path.stat(follow_symlinks=follow_links)
    except OSError:
        return None


def exists(path: Path) -> bool:
    """Tell whether something is there, like the three below without an error for a name that is too long."""
    return _status(path, follow_links=True) is not None


def is_file(path: Path) -> bool:
    """Tell whether there is a regular file, or a link to one."""
    found = _status(path, follow_links=True)
    return found is not None and stat.S_ISREG(found.st_mode)


def is_folder(path: Path) -> bool:
    """Tell whether there is a folder, or a link to one."""
    found = _status(path, follow_links=True)
    return found is not None and stat.S_ISDIR(found.st_mode)


def is_link(path: Path) -> bool:
    """Tell whether there is a link."""
    found = _status(path, follow_links=False)
    return found is not None and stat.S_ISLNK(found.st_mode)


def _make(folder: Path) -> None:
    """Make a folder, and those around it, to stay."""
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
    """Write a temporary file and give it its name; False where another process has swept it before it was locked."""
    old = _status(path, follow_links=True) if overwrite else None
    model = like or old
    # A short name of its own: the path's may already be as long as the file system allows.
    temporary = path.parent / f".convcli-{_HOST}-{os.urandom(8).hex()}.tmp"
    try:
        # Nobody reads it before it has the mode that it is to have.
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
        with suppress(OSError):  # it has its new name, or will be swept
            temporary.unlink()
        _unfinished.discard(temporary)
    _sync(path.parent)
    return True


def _fill(path: Path, handle: int, data: bytes | Fill) -> None:
    """Write all there is to an open file."""
    if callable(data):
        with open(path, "r+b", opener=lambda name, flags: os.dup(handle)) as file:
            data(file)
        return
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(handle, rest) :]


def remove_unfinished() -> None:
    """Remove the files that other threads have not finished, before the process ends and they with it."""
    for path in list(_unfinished):
        with suppress(OSError):
            path.unlink()


def _place_new(temporary: Path, path: Path) -> None:
    """Give the file its name only if nobody has taken it meanwhile."""
    try:
        path.hardlink_to(temporary)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        check_target(path, overwrite=False)
        temporary.replace(path)


def _sync(folder: Path) -> None:
    """Bring the names in a folder to the disk, where the file system can and the folder may be opened."""
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except PermissionError:  # names may be made in it, and not be listed
        return
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(handle)


# What killed processes leave behind


def _claimed(handle: int) -> bool:
    """Lock a temporary file as one that is being written; the lock ends with the process, however that ends.

    False where another process was about to sweep it. Where there are no locks it is swept when it is old.
    """
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return os.fstat(handle).st_nlink > 0


def sweep(folder: Path) -> None:
    """Remove the temporary files that nobody writes any more; once a process looks into each folder."""
    key = str(folder.absolute())
    if key in _swept:
        return
    _swept.add(key)
    with suppress(OSError), os.scandir(folder) as entries:  # a service; writing says what is wrong
        for entry in entries:
            if match := _TEMPORARY.fullmatch(entry.name):
                with suppress(OSError):
                    _sweep_one(Path(entry.path), match[1] == _HOST)


def _sweep_one(path: Path, ours: bool) -> None:
    """Remove a temporary file if its lock is free: on this machine that tells all, from elsewhere it must be old."""
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
        except OSError:  # no locks here
            ours = False
        if ours or old:
            path.unlink()
    finally:
        os.close(handle)
