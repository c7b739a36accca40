"""What a job on one picture comes to, whatever it does with it: its time, its facts, and what was made already."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from convcli.batch import Outcome
from convcli.cli.targets import Job
from convcli.errors import ConvcliError
from convcli.files import ExistsError

Facts = dict[str, Any]  # of a report


def outcome_of(work: Callable[[Job, Facts], Outcome], job: Job, *, skip_existing: bool) -> Outcome:
    """Do a job and time it; `work` notes facts on the way, so that those of a failure are known, too."""
    started, facts = time.perf_counter(), Facts()
    try:
        outcome = work(job, facts)
    except ConvcliError as error:
        outcome = Outcome(error=error)
        if skip_existing and isinstance(error, ExistsError):  # another run has made it meanwhile
            outcome = skipped(job)
    seconds = time.perf_counter() - started
    details = outcome.details
    if not outcome.skipped:
        details = tuple(f"{detail}, {seconds:.2f} s" for detail in details)
    return replace(outcome, details=details, facts={**facts, "seconds": round(seconds, 4)})


def skipped(job: Job, *, aloud: bool = False) -> Outcome:
    """Return the outcome of a job whose output is there already; `aloud` says so without -v."""
    said = (f"skipped, {job.target} exists",)
    return Outcome(skipped=True, notes=said if aloud else (), details=() if aloud else said)
