"""Reading of pictures in threads, while modules are imported or another picture is read."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from threading import Event, Thread
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from convcli.images.read_stored import FORMATS_IN_BLOCKS

if TYPE_CHECKING:
    from convcli.images.header import Header
    from convcli.images.picture import Picture

T = TypeVar("T")
MAX_IN_BLOCKS = 1 << 27  # bytes of a picture that is decoded ahead, if it could also be read block by block
TICK = 0.1  # seconds of one wait, because a signal that comes just before is handled only after it


class Readable(Protocol):
    """An opened picture: its header, and its pixels when they are requested."""

    @property
    def header(self) -> "Header":
        """The header, known before a pixel is decoded."""

    def read(self) -> "Picture":
        """Return the picture, or raise ImageError."""


class Ahead(Generic[T]):
    """The result of a function that runs in a thread; `result` raises what the function raises."""

    def __init__(self, function: Callable[[], T]) -> None:
        self._function = function
        self._found: list[T] = []
        self._error: BaseException | None = None
        # A daemon thread does not delay the end of the process if the result is not needed.
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def ended(self) -> bool:
        """Whether the function has returned or raised."""
        return not self._thread.is_alive()

    def result(self) -> T:
        """Wait for the result and return it; it is not kept, so this may be called once."""
        while not self.ended:
            self._thread.join(TICK)
        if self._error is not None:
            raise self._error
        return self._found.pop()

    def _run(self) -> None:
        try:
            self._found.append(self._function())
        except BaseException as error:
            self._error = error


class OpenedAhead:
    """A picture that is opened in a thread, and decoded there if that needs no more than `freely` bytes.

    Otherwise it is decoded when `read` is called.
    """

    def __init__(self, opening: Callable[[], AbstractContextManager[Readable]], freely: int) -> None:
        self._opening, self._freely = opening, freely
        self._header: Header | None = None
        self._known, self._decided = Event(), Event()
        self._wanted = False
        self._ahead = Ahead(self._read)

    def __enter__(self) -> "OpenedAhead":
        """Return the picture, whose thread has already started."""
        return self

    def __exit__(self, *error: object) -> None:
        """Tell the thread that the pixels are no longer needed."""
        self._decided.set()

    @property
    def header(self) -> "Header":
        """The header; or raise ImageError."""
        while not (self._known.wait(TICK) or self._ahead.ended):
            pass
        if self._header is None:
            self._ahead.result()
        assert self._header is not None
        return self._header

    @property
    def decodes(self) -> bool:
        """Whether it is decoded before `read` is called; large pictures that can be read block by block are not."""
        header = self.header
        most = self._freely if header.format not in FORMATS_IN_BLOCKS else min(self._freely, MAX_IN_BLOCKS)
        return header.memory <= most

    def read(self) -> "Picture":
        """Return the picture, or raise ImageError."""
        self._wanted = True
        self._decided.set()
        picture = self._ahead.result()
        assert picture is not None
        return picture

    def _read(self) -> "Picture | None":
        with self._opening() as opened:
            self._header = opened.header
            self._known.set()
            if not self.decodes:
                self._decided.wait()
                if not self._wanted:
                    return None
            return opened.read()
