"""Read pictures in threads, while what will filter or compare them is imported, or another is read."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from threading import Event, Thread
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from convcli.images.read_stored import FORMATS_IN_BLOCKS

if TYPE_CHECKING:
    from convcli.images.header import Header
    from convcli.images.picture import Picture

T = TypeVar("T")
MOST_IN_BLOCKS = 1 << 27  # bytes of a picture that could be left in its file
TICK = 0.1  # seconds: a signal that comes just before a wait is answered after it


class Readable(Protocol):
    """A picture that is opened: its header, and the rest where it is asked for."""

    @property
    def header(self) -> "Header":
        """What is known before a pixel is decoded."""

    def read(self) -> "Picture":
        """Return the picture, or raise ImageError."""


class Ahead(Generic[T]):
    """What a function returns that runs in a thread; what it raises, `result` raises."""

    def __init__(self, function: Callable[[], T]) -> None:
        self._function = function
        self._found: list[T] = []
        self._error: BaseException | None = None
        # Nobody waits for it where the run ends before it is asked for.
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def ended(self) -> bool:
        """Whether it has returned, or raised."""
        return not self._thread.is_alive()

    def result(self) -> T:
        """Wait for the answer, and hand it over: it is not kept."""
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
    """A picture that is opened ahead, and decoded ahead where that takes no more than `freely` bytes.

    Otherwise it is decoded when `read` asks for it.
    """

    def __init__(self, opening: Callable[[], AbstractContextManager[Readable]], freely: int) -> None:
        self._opening, self._freely = opening, freely
        self._header: Header | None = None
        self._known, self._decided = Event(), Event()
        self._wanted = False
        self._ahead = Ahead(self._read)

    def __enter__(self) -> "OpenedAhead":
        """Begin to look at it."""
        return self

    def __exit__(self, *error: object) -> None:
        """Let it go."""
        self._decided.set()

    @property
    def header(self) -> "Header":
        """What its header tells; or raise ImageError."""
        while not (self._known.wait(TICK) or self._ahead.ended):
            pass
        if self._header is None:
            self._ahead.result()
        assert self._header is not None
        return self._header

    @property
    def decodes(self) -> bool:
        """Whether it is decoded before `read` asks for it; a large one that could be left in its file is not."""
        header = self.header
        most = self._freely if header.format not in FORMATS_IN_BLOCKS else min(self._freely, MOST_IN_BLOCKS)
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
