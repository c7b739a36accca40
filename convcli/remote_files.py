"""Remote files at URLs (https, s3, gs, memory) as paths; the only module that imports fsspec, on first use."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO, TextIOWrapper
from os import PathLike, fspath
from pathlib import Path, PosixPath
from typing import IO, Any, BinaryIO, NamedTuple, Protocol

from convcli.errors import ArgumentError, ConvcliError, install_extra

MAX_BYTES = 1 << 31  # the largest size in bytes of a remote file, which is kept in memory while it is read
BLOCK = 1 << 20
CONNECTED, ANSWERED = (
    30,
    60,
)  # timeouts in seconds for an HTTP server to accept a connection, and to send more data

_URL = re.compile(r"([a-z][a-z0-9+.-]*)://", re.IGNORECASE)
_COLLAPSED = re.compile(
    r"([a-z][a-z0-9+.-]*):/+(?=[^/])", re.IGNORECASE
)  # as pathlib writes the beginning of a URL


class Store(NamedTuple):
    """The storage behind a URL scheme.

    packages : the packages that must be installed
    writable : whether files can be written
    """

    packages: tuple[str, ...]
    writable: bool = True


STORES = {
    "http": Store(("fsspec", "aiohttp"), writable=False),
    "https": Store(("fsspec", "aiohttp"), writable=False),
    "s3": Store(("fsspec", "s3fs")),
    "gs": Store(("fsspec", "gcsfs")),
    "memory": Store(("fsspec",)),  # in the memory of this process, for tests
}


class Entry(Protocol):
    """An entry of a folder, with the interface of `os.DirEntry`."""

    @property
    def name(self) -> str:
        """The name in the folder."""

    def is_dir(self, *, follow_symlinks: bool = True) -> bool:
        """Whether it is a folder."""

    def is_file(self, *, follow_symlinks: bool = True) -> bool:
        """Whether it is a regular file."""

    def is_symlink(self) -> bool:
        """Whether it is a link."""


class _RemoteEntry(NamedTuple):
    name: str
    kind: str

    def is_dir(self, *, follow_symlinks: bool = True) -> bool:
        return self.kind == "directory"

    def is_file(self, *, follow_symlinks: bool = True) -> bool:
        return self.kind == "file"

    def is_symlink(self) -> bool:
        return False


def file_path(text: str | PathLike[str]) -> Path:
    """Return the path of a local file or of a remote file at a URL; raise ArgumentError if the URL cannot be used.

    >>> file_path("in/a.png"), file_path("memory://in/a.png").with_name("b.png")
    (PosixPath('in/a.png'), RemotePath('memory://in/b.png'))
    """
    if isinstance(text, Path):
        return text
    text = fspath(text)
    match = _URL.match(text)
    if match is None or os.path.lexists(text):
        return Path(text)
    scheme = match[1].lower()
    if scheme not in STORES:
        known = " ".join(f"{each}://" for each in STORES)
        raise ArgumentError(f"{text}: the URL scheme {scheme}:// is not supported; use {known}or a path")
    from importlib.util import find_spec

    missing = [package for package in STORES[scheme].packages if find_spec(package) is None]
    if missing:
        raise ArgumentError(
            f"{text} is a remote file, which needs {' and '.join(missing)}; run {install_extra('remote')}"
        )
    path = RemotePath(re.split("[?#]", text)[0] if scheme.startswith("http") else text)
    path.given = text
    return path


def target_path(text: str | PathLike[str]) -> Path:
    """Return the path of a file to be written, or raise ArgumentError if its storage is read-only."""
    path = file_path(text)
    check_writable(path)
    return path


def check_writable(path: Path) -> None:
    """Raise ArgumentError for a URL to which nothing can be written."""
    if isinstance(path, RemotePath) and not path.store.writable:
        writable = " ".join(f"{each}://" for each, store in STORES.items() if store.writable)
        raise ArgumentError(
            f"cannot write {path}: HTTP is read-only; choose an `output` on this machine, or at {writable}"
        )


def fetched(path: Path) -> Path:
    """Return a path from which a remote file can be read many times, but is fetched once; or raise OSError.

    A local path is returned unchanged.
    """
    if not isinstance(path, RemotePath):
        return path
    data = BytesIO()
    path._fetch(data)
    copy = RemotePath(path)
    copy.given, copy.content = path.given, data.getvalue()
    return copy


def is_url(text: str) -> bool:
    """Return whether a text is the URL of a remote file, and not the path of an existing local file."""
    return isinstance(file_path(text), RemotePath)


class RemotePath(PosixPath):
    """The path of a remote file at a URL; failures raise OSError, as for local files.

    given : the URL as it was typed, with its query; None for a path that was derived from another
    content : the bytes of the file, if it was fetched already
    """

    given: str | None = None
    content: bytes | None = None

    def __str__(self) -> str:
        """Return the URL."""
        return self.given or _COLLAPSED.sub(lambda match: f"{match[1]}://", super().__str__(), count=1)

    def __fspath__(self) -> str:
        """Return the URL, which is not the path of a local file."""
        return str(self)

    def __repr__(self) -> str:
        """Return the representation in Python."""
        return f"RemotePath({str(self)!r})"

    def __reduce__(self) -> tuple[Callable[[str], Path], tuple[str]]:
        """Unpickle as the same path in every process."""
        return (file_path, (str(self),))

    @property
    def scheme(self) -> str:
        """The URL scheme, before ://."""
        return str(self).partition(":")[0].lower()

    @property
    def store(self) -> Store:
        """The storage of the file."""
        return STORES[self.scheme]

    @property
    def below_scheme(self) -> str:
        """The path without the scheme and ://."""
        return str(self).partition("://")[2]

    def absolute(self) -> RemotePath:
        """Return the path itself, which is always absolute."""
        return self

    def exists(self, *, follow_symlinks: bool = True) -> bool:
        """Return whether the path exists; always True over HTTP, where only reading can find out."""
        return self._found() is not None

    def is_file(self, *, follow_symlinks: bool = True) -> bool:
        """Return whether the path is a file."""
        found = self._found()
        return found is not None and stat.S_ISREG(found.st_mode)

    def is_dir(self, *, follow_symlinks: bool = True) -> bool:
        """Return whether the path is a folder."""
        found = self._found()
        return found is not None and stat.S_ISDIR(found.st_mode)

    def is_symlink(self) -> bool:
        """Return False, because remote storage has no links."""
        return False

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
        """Return the status: file or folder, and the size if the storage knows it; or raise OSError."""
        if not self.store.writable:
            return _status(stat.S_IFREG, 0)
        with _explained(self):
            system, inside = self._system()
            found = system.info(inside)
        kind = stat.S_IFDIR if found["type"] == "directory" else stat.S_IFREG
        return _status(kind, found.get("size") or 0)

    def open(self, mode: str = "r", *arguments: Any, **options: Any) -> IO[Any]:  # type: ignore[override]
        """Read the whole file into memory, and return it as an open file; or raise OSError."""
        data = BytesIO(b"" if self.content is None else self.content)
        if self.content is None:
            self._fetch(data)
        return data if "b" in mode else TextIOWrapper(data, *arguments[1:], **options)

    def _fetch(self, data: BytesIO) -> None:
        """Write the content of the file to `data`, and rewind it; or raise OSError."""
        # A single request, without asking for the size first, because some servers do not support that.
        streamed = {} if self.store.writable else {"block_size": 0, "size": 1}
        with _explained(self):
            system, inside = self._system()
            with system.open(inside, "rb", **streamed) as file:
                while block := file.read(BLOCK):
                    data.write(block)
                    if data.tell() > MAX_BYTES:
                        raise OSError(
                            errno.EFBIG, f"it has more than {MAX_BYTES:,} bytes; copy it here first"
                        )
        data.seek(0)

    def entries(self) -> list[_RemoteEntry]:
        """Return the entries of a folder, or raise OSError."""
        with _explained(self):
            system, inside = self._system()
            listed = system.ls(inside, detail=True, refresh=True)
        names = {each["name"].rstrip("/").rpartition("/")[2]: each["type"] for each in listed}
        own = inside.rstrip("/").rpartition("/")[2]
        folder = {each["name"].strip("/") for each in listed} == {
            inside.strip("/")
        }  # a key that ends in /, alone
        return [] if folder else [_RemoteEntry(*each) for each in names.items() if each[0] or each[0] != own]

    def write(self, data: bytes | Callable[[BinaryIO], None], *, overwrite: bool) -> None:
        """Write the file atomically, if its storage supports that; or raise OSError.

        S3 and Google Cloud Storage show an object only when it has been sent completely; without `overwrite`, they do
        not replace one that was created in the meantime. `data` may be a function that writes to an open file, which is
        then a local temporary file.
        """
        mode = "overwrite" if overwrite else "create"
        if callable(data):
            import tempfile

            with tempfile.NamedTemporaryFile(prefix="convcli-") as file:
                data(file)  # type: ignore[arg-type]
                file.flush()
                self._sent("put_file", file.name, mode)
        else:
            self._sent("pipe_file", data, mode)

    def _sent(self, method: str, content: bytes | str, mode: str) -> None:
        with _explained(self):
            system, inside = self._system()
            order = (content, inside) if method == "put_file" else (inside, content)
            try:
                getattr(system, method)(*order, mode=mode)
            except FileNotFoundError:
                raise OSError(errno.EIO, "there is no such bucket; check the spelling") from None

    def _found(self) -> os.stat_result | None:
        try:
            return self.stat()
        except OSError:
            return None

    def _system(self) -> tuple[Any, str]:
        """Return the fsspec file system, and the path of the file in it."""
        from fsspec.core import url_to_fs

        system, inside = url_to_fs(str(self), **_options(self.scheme))
        return system, inside


def entries(folder: str) -> Sequence[Entry]:
    """Return the entries of a local folder or of one at a URL, or raise OSError."""
    path = file_path(folder or ".")
    if isinstance(path, RemotePath):
        return path.entries()
    with os.scandir(folder or ".") as listing:
        return list(listing)


def _status(kind: int, size: int) -> os.stat_result:
    return os.stat_result((kind | 0o644, 0, 0, 1, 0, 0, size, 0, 0, 0))


def _options(scheme: str) -> dict[str, Any]:
    """Return the options of the fsspec file system for a scheme."""
    if STORES[scheme].writable:
        return {"use_listings_cache": False} if scheme == "s3" else {}
    from aiohttp import ClientTimeout

    timeout = ClientTimeout(total=None, sock_connect=CONNECTED, sock_read=ANSWERED)
    return {"client_kwargs": {"timeout": timeout, "trust_env": True}}


@contextmanager
def _explained(path: RemotePath) -> Iterator[None]:
    """Convert the exceptions of fsspec and its packages to an OSError with a message of one line."""
    try:
        yield
    except (FileExistsError, ConvcliError):
        raise
    except FileNotFoundError as error:  # those of fsspec have no text
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path)) from error
    except TimeoutError as error:
        raise OSError(errno.ETIMEDOUT, f"{path.scheme} did not answer in time; try again") from error
    except OSError as error:
        if error.errno is not None and error.strerror:
            raise
        raise OSError(error.errno or errno.EIO, _message(error)) from error
    except Exception as error:  # each package has its own exceptions
        raise OSError(errno.EIO, _message(error)) from error


def _message(error: Exception) -> str:
    """Return the message of an exception in one line."""
    status, message = getattr(error, "status", None), getattr(error, "message", "")
    if isinstance(status, int):
        return f"the server answers {status} {message}".rstrip()
    return " ".join(str(error).split()) or type(error).__name__
