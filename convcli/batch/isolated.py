"""An executor with worker processes: a crash, or a job that takes too long, does not affect other jobs."""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from typing import Any, ParamSpec, TypeVar

from convcli.batch.budget import GIVE, MEMORY, TAKE
from convcli.batch.gate import ENTER, LEAVE, WRITES, Closed
from convcli.batch.outcome import annotate
from convcli.batch.stop import SIGNALS

P = ParamSpec("P")
R = TypeVar("R")

READY, DONE, RAISED = "ready", "done", "raised"
HOUR = 3600.0
PATIENCE = 10.0  # seconds after the time limit of a job for a write to finish

_STARTING = threading.Lock()  # processes are started one at a time


class DiedError(BrokenExecutor):
    """The worker process ended before its job was done."""


class LostError(Exception):
    """The worker process ended after its job had begun to write, so the job is not retried."""


class OverdueError(Exception):
    """A job took longer than its time limit, and its process was killed."""


class Isolated(Executor):
    """An executor with one thread per worker, each of which sends its jobs to a spawned process.

    width : the number of workers
    limit : seconds after which a job is stopped by killing its process; the start of the process does not count

    A process runs one job at a time, and is replaced if it dies. Functions and arguments must be picklable.
    """

    def __init__(self, width: int, limit: float | None = None) -> None:
        self._limit = limit
        self._threads = ThreadPoolExecutor(width, initializer=_block_signals)
        self._own = threading.local()
        self._workers: set[_Worker] = set()
        self._ended = False

    def submit(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Call the function in a worker process, to which the same function is sent only once."""
        return self._threads.submit(self._call, fn, args, kwargs)

    def _call(self, fn: Callable[..., R], args: Any, kwargs: Any) -> R:
        worker: _Worker | None = getattr(self._own, "worker", None)
        if worker is None:
            worker = self._own.worker = _Worker()
            self._workers.add(worker)
        if self._ended:
            worker.kill()
        try:
            found: R = worker.call(fn, args, kwargs, self._limit)
            return found
        # Closed: the run ends while the job waits for memory.
        except (DiedError, LostError, OverdueError, Closed):
            self._own.worker = None
            worker.kill()
            self._workers.discard(worker)
            raise

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes: with `wait` when their jobs are done, otherwise at once."""
        if not wait:
            self._ended = True
            for worker in tuple(self._workers):
                worker.kill()
        self._threads.shutdown(wait=True, cancel_futures=cancel_futures or not wait)
        for worker in tuple(self._workers):
            worker.end()


class _Worker:
    """A worker process, and this end of the connection to it."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs,), name="convcli worker")
        with _STARTING:
            # Starting the resource tracker unblocks the signals of this thread, and the process would inherit that.
            resource_tracker.ensure_running()
            _block_signals()
            self._process.start()
        theirs.close()
        self._known: Any = None

    def call(self, fn: Callable[..., Any], args: Any, kwargs: Any, limit: float | None) -> Any:
        """Call a function in the process; return its result, or raise its exception."""
        inside, begun, due, overtime, held = False, False, None, False, 0
        try:
            self._connection.send((None if fn is self._known else fn, args, kwargs))
            self._known = fn
            while True:
                if due is not None and not self._has_message_by(due):
                    if inside and not overtime:  # let it finish its write
                        due, overtime = due + PATIENCE, True
                        continue
                    raise OverdueError(
                        f"it took longer than {limit:g} s and was stopped; allow more time, or use a smaller picture"
                    )
                word, *rest = self._connection.recv()
                if word == READY:
                    due = None if limit is None else time.monotonic() + limit
                elif word == ENTER:
                    inside = begun = WRITES.enter()
                    self._connection.send(inside)
                elif word == LEAVE:
                    WRITES.leave()
                    inside = False
                elif word == TAKE:
                    wanted, most = rest
                    requested = time.monotonic()
                    MEMORY.take(wanted, most)
                    held = wanted
                    if due is not None:  # waiting for memory does not count
                        due += time.monotonic() - requested
                    self._connection.send(True)
                elif word == GIVE:
                    MEMORY.give(held)
                    held = 0
                elif word == DONE:
                    return rest[0]
                else:
                    raise rest[0]
        except (EOFError, OSError):
            self._process.join(PATIENCE)
            if begun:
                raise LostError(
                    f"its worker process {self._end()} after it had begun to write: the output may be the old file or "
                    "the new one; check it before you run it again"
                ) from None
            raise DiedError(f"its worker process, which ran no other job, {self._end()}") from None
        finally:
            if inside:
                WRITES.leave()
            if held:
                MEMORY.give(held)

    def _has_message_by(self, due: float) -> bool:
        """Wait for a message of the process until `due`; an hour at a time, because systems limit the timeout."""
        while not self._connection.poll(max(0.0, min(HOUR, due - time.monotonic()))):
            if time.monotonic() >= due:
                return False
        return True

    def _end(self) -> str:
        """Return how the process ended."""
        code = self._process.exitcode
        if code is None:
            return "has ended"
        if code < 0:
            name = signal.Signals(-code).name
            return f"was killed by {name}" + (
                ", as happens when memory runs out" if name == "SIGKILL" else ""
            )
        return f"ended with exit code {code}"

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()
        self._process.join(PATIENCE)

    def end(self) -> None:
        """Close the connection, on which the process waits for a job and then ends."""
        self._connection.close()
        self._process.join(PATIENCE)


def _block_signals() -> None:
    """Leave SIGINT and SIGTERM to the main thread; processes that this thread starts inherit the mask."""
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)


def _serve(connection: Connection) -> None:
    """Run jobs until the connection is closed: the main function of a worker process."""
    for number in SIGNALS:  # the main process decides when this one ends
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    WRITES.keeper = MEMORY.keeper = connection
    fn: Callable[..., Any] | None = None
    while True:
        try:
            sent, args, kwargs = connection.recv()
        except EOFError:
            return
        fn = sent or fn
        assert fn is not None
        connection.send((READY,))
        try:
            answer = DONE, fn(*args, **kwargs)
        except Closed:
            return
        except BaseException as error:
            annotate(error)
            answer = RAISED, error
        connection.send(answer)


def _end_with_parent() -> None:
    """End this process at once when its parent process has ended."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
