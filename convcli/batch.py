"""Run one function over many jobs: a failure is recorded and the rest go on."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from convcli.errors import ConvcliError

Job = TypeVar("Job")


class Skipped(Exception):  # noqa: N818  # it is no failure
    """What a job raises that finds its work done already."""


@dataclass
class Report(Generic[Job]):
    """What became of each job."""

    done: list[Job] = field(default_factory=list)
    failed: list[tuple[Job, ConvcliError]] = field(default_factory=list)
    skipped: list[Job] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """1 if at least one job failed, else 0."""
        return 1 if self.failed else 0


def run(
    jobs: Iterable[Job],
    work: Callable[[Job], None],
    failed: Callable[[Job, ConvcliError], None],
    skipped: Callable[[Skipped], None] = lambda skip: None,
) -> Report[Job]:
    """Do `work` on every job in order; tell `failed` of each expected failure and go on.

    `skipped` is told of each job whose work was found done.
    """
    report: Report[Job] = Report()
    for job in jobs:
        try:
            work(job)
        except Skipped as skip:
            report.skipped.append(job)
            skipped(skip)
        except ConvcliError as error:
            report.failed.append((job, error))
            failed(job, error)
        else:
            report.done.append(job)
    return report
