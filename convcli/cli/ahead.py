"""Read a picture in a thread, while what will filter it is imported."""

from collections.abc import Callable
from threading import Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from convcli.images.picture import Picture


class Ahead:
    """A picture that is being read; what reading it raises, `result` raises."""

    def __init__(self, read: Callable[[], "Picture"]) -> None:
        self._read = read
        self._picture: Picture | None = None
        self._error: BaseException | None = None
        # Nobody waits for it where the run ends before the picture is asked for.
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def result(self) -> "Picture":
        """Wait for the picture, and hand it over: it is not kept."""
        while self._thread.is_alive():  # a signal that comes just before a wait is answered after it
            self._thread.join(0.1)
        if self._error is not None:
            raise self._error
        picture, self._picture = self._picture, None
        assert picture is not None, "a picture is handed over once"
        return picture

    def _run(self) -> None:
        try:
            self._picture = self._read()
        except BaseException as error:
            self._error = error
