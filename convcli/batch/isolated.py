"""An executor whose workers are processes: a crash, or a job that takes too long, costs one job."""

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
PATIENCE = 10.0  # seconds that a write may take beyond the limit of its job

_STARTING = threading.Lock()  # processes are started one at a time


class DiedError(BrokenExecutor):
    """The process that worked on a job ended before the job did."""


class LostError(Exception):
    """The process that worked on a job ended after it had begun to write, so the job is not tried again."""


class OverdueError(Exception):
    """A job took longer than it may; its process was killed."""


class Isolated(Executor):
    """As many threads as workers, each with a spawned process that does its jobs; a new one follows one that died.

    A process runs one job at a time. What is submitted must be picklable. A process that takes longer than `limit`
    seconds over a job is killed; its start does not count.
    """

    def __init__(self, width: int, limit: float | None = None) -> None:
        self._limit = limit
        self._threads = ThreadPoolExecutor(width, initializer=_block_signals)
        self._own = threading.local()
        self._workers: set[_Worker] = set()
        self._ended = False

    def submit(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Have a worker call the function; its process is sent a function only once."""
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
        except (
            DiedError,
            LostError,
            OverdueError,
            Closed,
        ):  # Closed: it waits for memory that it will not get
            self._own.worker = None
            worker.kill()
            self._workers.discard(worker)
            raise

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes, when their jobs are done or, without `wait`, at once."""
        if not wait:
            self._ended = True
            for worker in tuple(self._workers):
                worker.kill()
        self._threads.shutdown(wait=True, cancel_futures=cancel_futures or not wait)
        for worker in tuple(self._workers):
            worker.end()


class _Worker:
    """A process, and this end of the connection to it."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._line, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs,), name="convcli worker")
        with _STARTING:
            # Its start unblocks the signals of this thread, and the process would inherit that.
            resource_tracker.ensure_running()
            _block_signals()
            self._process.start()
        theirs.close()
        self._known: Any = None

    def call(self, fn: Callable[..., Any], args: Any, kwargs: Any, limit: float | None) -> Any:
        """Return what the function returns there, or raise what it raises."""
        inside, begun, due, overtime, held = False, False, None, False, 0
        try:
            self._line.send((None if fn is self._known else fn, args, kwargs))
            self._known = fn
            while True:
                if due is not None and not self._heard_by(due):
                    if inside and not overtime:  # let it finish what it writes
                        due, overtime = due + PATIENCE, True
                        continue
                    raise OverdueError(
                        f"it took longer than {limit:g} s and was stopped; give it more time, or a smaller picture"
                    )
                word, *rest = self._line.recv()
                if word == READY:
                    due = None if limit is None else time.monotonic() + limit
                elif word == ENTER:
                    inside = begun = WRITES.enter()
                    self._line.send(inside)
                elif word == LEAVE:
                    WRITES.leave()
                    inside = False
                elif word == TAKE:
                    wanted, most = rest
                    asked = time.monotonic()
                    MEMORY.take(wanted, most)
                    held = wanted
                    if due is not None:  # waiting for memory does not count
                        due += time.monotonic() - asked
                    self._line.send(True)
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
                    f"the process that worked on it {self._end()} when it had begun to write: its output is the old "
                    "or the new; look at it before you run it again"
                ) from None
            raise DiedError(f"the process that worked on it, and on nothing else, {self._end()}") from None
        finally:
            if inside:
                WRITES.leave()
            if held:
                MEMORY.give(held)

    def _heard_by(self, due: float) -> bool:
        """Wait until the process sends something or is due; an hour at a time, as systems limit the wait."""
        while not self._line.poll(max(0.0, min(HOUR, due - time.monotonic()))):
            if time.monotonic() >= due:
                return False
        return True

    def _end(self) -> str:
        """Say how the process ended."""
        code = self._process.exitcode
        if code is None:
            return "has ended"
        if code < 0:
            name = signal.Signals(-code).name
            return f"was killed by {name}" + (", as when memory runs out" if name == "SIGKILL" else "")
        return f"ended with exit code {code}"

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()
        self._process.join(PATIENCE)

    def end(self) -> None:
        """Let the process end, which waits for a job."""
        self._line.close()
        self._process.join(PATIENCE)


def _block_signals() -> None:
    """Leave SIGINT and SIGTERM to the main thread; processes that this thread starts inherit the mask."""
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)


def _serve(line: Connection) -> None:
    """Do jobs until the line is closed: the whole life of a worker process."""
    for number in SIGNALS:  # the run decides when it ends
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    WRITES.keeper = MEMORY.keeper = line
    fn: Callable[..., Any] | None = None
    while True:
        try:
            sent, args, kwargs = line.recv()
        except EOFError:
            return
        fn = sent or fn
        assert fn is not None
        line.send((READY,))
        try:
            answer = DONE, fn(*args, **kwargs)
        except Closed:
            return
        except BaseException as error:
            annotate(error)
            answer = RAISED, error
        line.send(answer)


def _end_with_parent() -> None:
    """End this process when its parent has ended, whatever it is doing then."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
