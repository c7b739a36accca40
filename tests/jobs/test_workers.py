"""How many jobs run at once, and where; equal results are tested with the command line."""

import pytest

from convcli.jobs import workers
from convcli.jobs.workers import Workers


@pytest.mark.parametrize(
    ("cores", "count", "jobs", "threads", "width", "share"),
    [
        (8, 1, None, None, 1, None),
        (8, 100, None, None, 8, 1),
        (8, 3, None, None, 3, 2),
        (8, 100, 3, None, 3, 2),
        (8, 100, 1, None, 1, None),
        (8, 100, 20, None, 20, 1),
        (8, 100, None, 3, 2, 3),
        (8, 100, 4, 3, 4, 3),
        (2, 100, None, 9, 1, 9),
    ],
)
def test_jobs_times_threads_are_no_more_than_the_cores(
    monkeypatch: pytest.MonkeyPatch,
    cores: int,
    count: int,
    jobs: int | None,
    threads: int | None,
    width: int,
    share: int | None,
) -> None:
    monkeypatch.setattr(workers, "cores", lambda: cores)
    pool = workers.Workers(jobs=jobs)
    assert pool.width(count, threads) == width
    assert pool.share(count, threads) == share


def test_a_worker_of_a_cluster_has_a_thread_a_job() -> None:
    assert Workers(cluster="tcp://here:8786").share(100, None) == 1
    assert Workers(cluster="tcp://here:8786").share(100, 3) == 3


def test_only_processes_can_be_stopped() -> None:
    assert [Workers(timeout=1.0).isolated, Workers(isolate=True).isolated, Workers(4).isolated] == [
        True,
        True,
        False,
    ]
    assert Workers(cluster="tcp://here:8786").elsewhere
    assert not Workers(cluster="tcp://here:8786").isolated
