"""Collection of the warnings that libraries issue, separately for each thread."""

import threading
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

_lock = threading.Lock()
_readers = 0
_shared = ExitStack()  # restores Python's handling of warnings when the last reader leaves
_own = threading.local()


@contextmanager
def warnings_caught() -> Iterator[list[str]]:
    """Collect the warnings of this thread in a list.

    `warnings.catch_warnings` changes the state of the whole process, and threads that enter and leave at different
    times would undo each other's changes. So the first thread to enter sets it up, the last to leave restores it,
    and each message is appended to the list of the thread that caused it.
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

    def collect(message: Warning | str, *where: Any, **more: Any) -> None:
        caught = getattr(_own, "caught", None)
        if caught is None:  # a thread that does not collect warnings
            others(message, *where, **more)
        else:
            caught.append(str(message))

    warnings.showwarning = collect
