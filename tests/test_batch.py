"""A failure is recorded and the rest go on."""

import pytest

from convcli.batch import run
from convcli.errors import ConvcliError


def test_a_bad_job_never_stops_the_others() -> None:
    told = []

    def work(job: int) -> None:
        if job % 2:
            raise ConvcliError(f"{job} is odd")

    report = run(range(5), work, lambda job, error: told.append((job, str(error))))
    assert report.done == [0, 2, 4]
    assert told == [(1, "1 is odd"), (3, "3 is odd")] == [(job, str(error)) for job, error in report.failed]
    assert report.exit_code == 1


def test_all_done_is_success() -> None:
    assert run([1, 2], lambda job: None, lambda job, error: None).exit_code == 0


def test_a_bug_stays_a_bug() -> None:
    with pytest.raises(ZeroDivisionError):
        run([0], lambda job: 1 // job, lambda job, error: None)
