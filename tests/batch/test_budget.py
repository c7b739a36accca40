"""Jobs together stay within the memory limit; requests are served in their order, also between processes."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest

from convcli.batch import isolated
from convcli.batch.budget import MEMORY, Budget
from convcli.batch.gate import WRITES, Closed
from convcli.batch.isolated import DiedError, Isolated, OverdueError


@pytest.fixture
def budget() -> Iterator[Budget]:
    WRITES.closed = False
    yield Budget()
    WRITES.closed = False


def test_shares_together_are_within_the_limit(budget: Budget) -> None:
    held, most, lock = [], [], threading.Lock()

    def job(wanted: int) -> None:
        with budget.share(wanted, 100):
            with lock:
                held.append(wanted)
                most.append(sum(held))
            time.sleep(0.002)
            with lock:
                held.remove(wanted)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(job, [10, 60, 50, 100, 1, 30, 70, 20] * 4))
    assert max(most) <= 100
    assert len(most) == 32  # all of them were served
    assert max(map(len, [held])) == 0
    assert budget.taken == 0


def test_several_fit_at_once(budget: Budget) -> None:
    barrier = threading.Barrier(3, timeout=30)

    def job(_: int) -> None:
        with budget.share(33, 100):
            barrier.wait()  # none continues before all three are running

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(job, range(3)))


def test_requests_are_served_in_order(budget: Budget) -> None:
    order: list[str] = []

    def job(name: str, wanted: int) -> None:
        with budget.share(wanted, 100):
            order.append(name)

    budget.take(60, 100)
    threads = []
    for name, wanted in (("large", 90), ("small", 10)):  # the small one would fit at once
        threads.append(threading.Thread(target=job, args=(name, wanted)))
        threads[-1].start()
        while len(budget._waiting) < len(threads):
            time.sleep(0.001)
    assert order == []
    budget.give(60)
    for thread in threads:
        thread.join(30)
    assert order == ["large", "small"]


def test_a_single_job_gets_any_amount(budget: Budget) -> None:
    with budget.share(200, 100):
        assert budget.taken == 200


def test_a_job_that_fails_gives_its_share_back(budget: Budget) -> None:
    with pytest.raises(ZeroDivisionError), budget.share(100, 100):
        1 / 0  # noqa: B018
    assert budget.taken == 0


def test_no_job_waits_after_the_end_of_the_run(budget: Budget) -> None:
    budget.take(100, 100)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(budget.take, 1, 100)
        while not budget._waiting:
            time.sleep(0.001)
        WRITES.closed = True
        with pytest.raises(Closed):
            waiting.result(30)
    assert not budget._waiting
    assert budget.taken == 100


# In separate processes, which share the memory of one run


def _logged(path: Path, wanted: int, seconds: float) -> None:
    with MEMORY.share(wanted, 100):
        with path.open("a") as file:
            file.write(f"+{wanted}\n")
        time.sleep(seconds)
        with path.open("a") as file:
            file.write(f"-{wanted}\n")


def _killed(path: Path) -> None:
    with MEMORY.share(100, 100):
        path.touch()
        os.kill(os.getpid(), signal.SIGKILL)


def test_processes_share_the_memory_of_their_run(tmp_path: Path) -> None:
    executor = Isolated(3)
    jobs = [executor.submit(_logged, tmp_path / "log", wanted, 0.05) for wanted in (60, 60, 30, 60)]
    for job in jobs:
        job.result(60)
    executor.shutdown()
    held = most = 0
    for line in (tmp_path / "log").read_text().split():
        held += int(line)
        most = max(most, held)
    assert held == 0
    assert 60 <= most <= 100
    assert MEMORY.taken == 0


def test_a_process_that_dies_leaves_its_share_to_the_others(tmp_path: Path) -> None:
    executor = Isolated(2)
    dead = executor.submit(_killed, tmp_path / "began")
    while not (tmp_path / "began").exists() and not dead.done():
        time.sleep(0.01)
    executor.submit(_logged, tmp_path / "log", 100, 0).result(60)
    with pytest.raises(DiedError):
        dead.result(60)
    executor.shutdown()
    assert MEMORY.taken == 0


@pytest.fixture
def memory() -> Iterator[Budget]:
    """The budget of this process, all of which is taken, while the gate is open."""
    WRITES.closed = False
    MEMORY.take(100, 100)
    yield MEMORY
    MEMORY.give(MEMORY.taken)
    WRITES.closed = False


def _until_it_waits(job: Future[None]) -> None:
    while not MEMORY._waiting and not job.done():
        time.sleep(0.01)
    assert MEMORY._waiting, job.exception()


def test_waiting_for_memory_does_not_count_as_work(
    memory: Budget, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An hour passes while a job, which may take a minute, waits for the memory that this process has taken."""
    passed = 0.0
    clock = SimpleNamespace(monotonic=lambda: time.monotonic() + passed)
    monkeypatch.setattr(isolated, "time", clock)
    executor = Isolated(1, 60)
    job = executor.submit(_logged, tmp_path / "log", 100, 0)
    _until_it_waits(job)
    passed = 3600.0
    memory.give(100)
    job.result(60)
    executor.shutdown()
    assert memory.taken == 0


def test_a_job_that_takes_too_long_gives_its_share_back(tmp_path: Path) -> None:
    executor = Isolated(1, 0.5)
    with pytest.raises(OverdueError):
        executor.submit(_logged, tmp_path / "log", 100, 600).result(60)
    executor.shutdown()
    assert MEMORY.taken == 0


def test_a_process_that_waits_for_memory_ends_quietly_with_the_run(
    memory: Budget, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    executor = Isolated(1)
    job = executor.submit(_logged, tmp_path / "log", 100, 0)
    _until_it_waits(job)
    WRITES.closed = True
    with pytest.raises(Closed):
        job.result(60)
    executor.shutdown()
    assert not (tmp_path / "log").exists()
    assert capfd.readouterr().err == ""
