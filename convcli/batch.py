"""Run one function over many jobs: a failure is recorded and the rest go on."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from convcli.errors import ConvcliError

Job = TypeVar("Job")


@dataclass
class Report(Generic[Job]):
    """What became of each job."""

    done: list[Job] = field(default_factory=list)
    failed: list[tuple[Job, ConvcliError]] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """1 if at least one job failed, else 0."""
        return 1 if self.failed else 0


def run(
    jobs: Iterable[Job], work: Callable[[Job], None], failed: Callable[[Job, ConvcliError], None]
) -> Report[Job]:
    """Do `work` on every job in order; tell `failed` of each expected failure and go on."""
    report: Report[Job] = Report()
    for job in jobs:
        try:
            work(job)
        except ConvcliError as error:
            report.failed.append((job, error))
            failed(job, error)
        else:
            report.done.append(job)
    return report
