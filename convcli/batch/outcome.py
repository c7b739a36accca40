"""The outcome of a job, as plain data that can be sent from another process."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from convcli.errors import ConvcliError


class Named(Protocol):
    """A job: anything with a name for messages."""

    @property
    def name(self) -> str:
        """What messages call it."""


Job = TypeVar("Job", bound=Named)


@dataclass(frozen=True)
class Outcome:
    """What one job did, and the messages about it; the job itself prints nothing.

    answer : what goes to standard output
    written : the line that names the file which was written, also for standard output; left out by -q
    notes, details : messages that are printed by default, and those that only -v asks for
    skipped : whether its output was there already; its details say so
    facts : what a report holds of it, as JSON has it
    pixels : how many were read
    error : why it failed, if it did
    """

    answer: bytes = b""
    written: bytes = b""
    notes: tuple[str, ...] = ()
    details: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    pixels: int = 0
    skipped: bool = False
    error: ConvcliError | None = None

    @property
    def status(self) -> str:
        """In a word: done, skipped or failed."""
        return "failed" if self.error is not None else "skipped" if self.skipped else "done"


def attempt(work: Callable[[Job], Outcome], job: Job) -> Outcome:
    """Run a job; an expected failure is an outcome, too, and any other exception is raised."""
    try:
        return work(job)
    except ConvcliError as error:
        return Outcome(error=error)
    except MemoryError:
        return Outcome(
            error=ConvcliError(
                f"{job.name}: there is not enough memory for it; run fewer at a time with `jobs=1`"
            )
        )


def attempt_afar(work: Callable[[Job], Outcome], job: Job) -> Outcome:
    """Run a job in another process; the traceback of an error, which cannot be pickled, is sent along as text."""
    outcome = attempt(work, job)
    if outcome.error is not None:
        annotate(outcome.error)
    return outcome


def annotate(error: BaseException) -> None:
    """Write the traceback of an error into its notes."""
    import traceback

    error.add_note("In another process:\n" + "".join(traceback.format_tb(error.__traceback__)))
