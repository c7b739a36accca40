"""What libraries warn of while something is read, for each thread on its own."""

import threading
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

_lock = threading.Lock()
_readers = 0
_shared = ExitStack()  # what is undone when the last reader leaves
_own = threading.local()


@contextmanager
def warnings_caught() -> Iterator[list[str]]:
    """Collect the warnings of this thread, whatever others do meanwhile.

    `warnings.catch_warnings` is for the whole process: threads that come and go would undo each other's. So
    the first to enter sets it up, the last to leave undoes it, and each message goes to its own thread's list.
    """
    global _readers
    with _lock:
        if not _readers:
            _set_up()
        _readers += 1
    before, caught = getattr(_own, "caught", None), list[str]()
    _own.caught = caught
    try:
        yield caught
    finally:
        _own.caught = before
        with _lock:
            _readers -= 1
            if not _readers:
                _shared.close()


def _set_up() -> None:
    _shared.enter_context(warnings.catch_warnings())
    others = warnings.showwarning
    warnings.simplefilter("always")

    def heard(message: Warning | str, *where: Any, **more: Any) -> None:
        caught = getattr(_own, "caught", None)
        if caught is None:  # a thread that reads no picture
            others(message, *where, **more)
        else:
            caught.append(str(message))

    warnings.showwarning = heard
