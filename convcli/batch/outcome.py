"""The outcome of a job, as plain data that can be sent from another process."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from convcli.errors import ConvcliError


class Named(Protocol):
    """A job: anything with a name for messages."""

    @property
    def name(self) -> str:
        """The name of the job in messages."""


Job = TypeVar("Job", bound=Named)


@dataclass(frozen=True)
class Outcome:
    """The result of a job and the messages about it; the job itself prints nothing.

    answer : the bytes for standard output
    written : the line for standard output with the path of the written file, which -q leaves out
    shown : the bytes that show the picture on a terminal
    notes, details : the messages that are printed by default, and those that are printed with -v; a note may end with
        advice after a semicolon, which is printed once per run
    skipped : whether the job was skipped because its output exists
    facts : the fields of its line in the report
    pixels : the number of pixels that were read
    error : the error, if it failed
    """

    answer: bytes = b""
    written: bytes = b""
    shown: bytes = b""
    notes: tuple[str, ...] = ()
    details: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    pixels: int = 0
    skipped: bool = False
    error: ConvcliError | None = None

    @property
    def status(self) -> str:
        """The status of the job: done, skipped or failed."""
        return "failed" if self.error is not None else "skipped" if self.skipped else "done"


def attempt(work: Callable[[Job], Outcome], job: Job) -> Outcome:
    """Run a job; return its failure as an outcome, also one that comes from a fault in convcli."""
    try:
        return work(job)
    except ConvcliError as error:
        return Outcome(error=error)
    except MemoryError:
        return Outcome(
            error=ConvcliError(
                f"{job.name}: there is not enough memory; run fewer jobs at a time, such as `jobs=1`"
            )
        )
    except OSError as error:
        where = "" if error.filename is None else f"cannot use {os.fsdecode(error.filename)}: "
        return _caused(ConvcliError(f"{job.name}: {where}{error.strerror or error}"), error)
    except Exception as error:
        text = " ".join(f"{type(error).__name__}: {error}".split())
        message = f"{job.name}: internal error ({text}); `debug` shows the traceback; please report it"
        return _caused(ConvcliError(message), error)


def _caused(error: ConvcliError, cause: Exception) -> Outcome:
    """Return a failure with its cause, whose traceback is printed with `debug`."""
    error.__cause__ = cause
    return Outcome(error=error)


def attempt_remotely(work: Callable[[Job], Outcome], job: Job) -> Outcome:
    """Run a job in a worker process; the traceback of an error, which cannot be pickled, is attached as text."""
    outcome = attempt(work, job)
    if outcome.error is not None:
        annotate(outcome.error)
    return outcome


def annotate(error: BaseException) -> None:
    """Add the traceback of an error to its notes."""
    import traceback

    cause = error.__cause__ or error
    error.add_note("In another process:\n" + "".join(traceback.format_exception(cause)))
