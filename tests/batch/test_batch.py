"""A failure is recorded and the other jobs continue, wherever they run; results are reported in order."""

import os
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, NamedTuple

import pytest

from convcli.batch.gate import WRITES, Closed, Gate
from convcli.batch.isolated import Isolated, OverdueError
from convcli.batch.outcome import Outcome, attempt, attempt_remotely
from convcli.batch.run_jobs import Batch
from convcli.batch.stop import Stop, Stopped
from convcli.errors import ConvcliError


class Job(NamedTuple):
    number: int

    @property
    def name(self) -> str:
        return f"job {self.number}"


class Recorder:
    """Records everything that a run reports."""

    def __init__(self) -> None:
        self.recorded: list[tuple[int, Job, Outcome]] = []
        self.shown: list[tuple[Job, Outcome]] = []

    def record(self, number: int, job: Job, outcome: Outcome) -> None:
        self.recorded.append((number, job, outcome))

    def show(self, job: Job, outcome: Outcome) -> None:
        self.shown.append((job, outcome))

    def tick(self) -> None:
        pass

    @property
    def statuses(self) -> list[tuple[int, str]]:
        return [(job.number, outcome.status) for job, outcome in self.shown]

    @property
    def errors(self) -> dict[int, str]:
        return {job.number: str(outcome.error) for job, outcome in self.shown if outcome.error is not None}


def run(
    jobs: Iterator[Job] | list[Job],
    work: Callable[[Job], Outcome],
    executor: Executor | None = None,
    width: int = 3,
    **options: bool,
) -> Recorder:
    recorder = Recorder()
    with Stop() as stop:
        batch = Batch(jobs, recorder, stop, fail_fast=options.get("fail_fast", False))
        if executor is None:
            batch.run_here(work)
        else:
            attempted = attempt_remotely if isinstance(executor, Isolated) else attempt
            with executor:
                assert batch.run_on(
                    lambda job: executor.submit(attempted, work, job), width, (OverdueError, OSError)
                )
    return recorder


def jobs(count: int) -> list[Job]:
    return [Job(number) for number in range(1, count + 1)]


def refuse_odd(job: Job) -> Outcome:
    if job.number % 2:
        raise ConvcliError(f"{job.number} is odd")
    return Outcome(answer=b"x")


@pytest.mark.parametrize("executor", [None, ThreadPoolExecutor, Isolated])
def test_a_bad_job_never_stops_the_others(executor: Callable[[int], Executor] | None) -> None:
    recorder = run(jobs(5), refuse_odd, executor and executor(3))
    assert recorder.statuses == [(1, "failed"), (2, "done"), (3, "failed"), (4, "done"), (5, "failed")]
    assert recorder.errors == {1: "1 is odd", 3: "3 is odd", 5: "5 is odd"}
    assert sorted(number for number, _, _ in recorder.recorded) == [1, 2, 3, 4, 5]


def skip_even(job: Job) -> Outcome:
    if job.number % 2 == 0:
        return Outcome(skipped=True, details=("skipped, it is even",))
    return Outcome()


@pytest.mark.parametrize("executor", [None, ThreadPoolExecutor, Isolated])
def test_finished_jobs_are_skipped(executor: Callable[[int], Executor] | None) -> None:
    recorder = run(jobs(3), skip_even, executor and executor(2))
    assert recorder.statuses == [(1, "done"), (2, "skipped"), (3, "done")]
    assert recorder.shown[1][1].details == ("skipped, it is even",)


def divide_by_zero(job: Job) -> Outcome:
    if job.number == 2:
        raise OSError(24, "Too many open files", "a.png")
    return Outcome(pixels=1 // (job.number - 3))


@pytest.mark.parametrize("executor", [None, ThreadPoolExecutor, Isolated])
def test_a_fault_in_the_program_fails_one_job(executor: Callable[[int], Executor] | None) -> None:
    recorder = run(jobs(5), divide_by_zero, executor and executor(2))
    assert recorder.statuses == [(1, "done"), (2, "failed"), (3, "failed"), (4, "done"), (5, "done")]
    (_, cause), _ = recorder.shown[1:3][::-1]
    assert recorder.errors == {
        2: "job 2: cannot use a.png: Too many open files",
        3: "job 3: internal error (ZeroDivisionError: integer division or modulo by zero); `debug` shows the "
        "traceback; please report it",
    }
    text = "".join(traceback.format_exception(cause.error))
    assert "return Outcome(pixels=1 // (job.number - 3))" in text


def test_a_memory_error_is_an_expected_failure() -> None:
    def work(job: Job) -> Outcome:
        raise MemoryError

    assert run(jobs(1), work).errors == {
        1: "job 1: there is not enough memory; run fewer jobs at a time, such as `jobs=1`"
    }


def test_results_are_reported_in_order_and_recorded_at_once() -> None:
    def work(job: Job) -> Outcome:
        time.sleep(0.02 * (job.number % 2))  # every second job is done long before the one ahead of it
        return Outcome()

    recorder = run(jobs(60), work, ThreadPoolExecutor(8), 8)
    assert [job.number for job, _ in recorder.shown] == list(range(1, 61))
    numbers = [number for number, _, _ in recorder.recorded]
    assert numbers != sorted(numbers) == list(range(1, 61))


@pytest.mark.parametrize("width", [1, 3])
def test_jobs_are_taken_on_demand(width: int) -> None:
    taken = over = most = 0

    def lazily() -> Iterator[Job]:
        nonlocal taken, most
        for job in jobs(200):
            taken += 1
            most = max(most, taken - over)
            yield job

    lock = threading.Lock()

    def work(job: Job) -> Outcome:
        nonlocal over
        with lock:
            over += 1
        return Outcome()

    assert len(run(lazily(), work, ThreadPoolExecutor(width), width).shown) == 200
    assert most <= 2 * width + 1


def test_answers_that_wait_for_an_earlier_one_are_bounded() -> None:
    begun: list[int] = []
    at_end_of_first: list[int] = []

    def work(job: Job) -> Outcome:
        begun.append(job.number)
        if job.number == 1:
            time.sleep(0.5)
            at_end_of_first.append(len(begun))
        return Outcome(answer=bytes(1 << 24))

    recorder = run(jobs(30), work, ThreadPoolExecutor(2), 2)
    assert [job.number for job, _ in recorder.shown] == list(range(1, 31))
    assert (
        4 <= at_end_of_first[0] <= 8
    )  # four waiting answers of 16 MiB reach the limit; four jobs are running


@pytest.mark.parametrize("executor", [None, ThreadPoolExecutor])
def test_fail_fast_starts_no_more(executor: Callable[[int], Executor] | None) -> None:
    recorder = run(jobs(100), refuse_odd, executor and executor(2), 2, fail_fast=True)
    assert recorder.statuses[0] == (1, "failed")
    assert len(recorder.shown) <= 4


# Processes


def die_of_two(job: Job) -> Outcome:
    if job.number == 2:
        os._exit(3)
    if job.number == 4:
        os.kill(os.getpid(), signal.SIGKILL)
    return Outcome(answer=b"%d" % os.getpid())


def test_a_process_that_dies_costs_its_own_job_only() -> None:
    recorder = run(jobs(9), die_of_two, Isolated(2), 2)
    assert recorder.errors == {
        2: "job 2: its worker process, which ran no other job, ended with exit code 3",
        4: "job 4: its worker process, which ran no other job, was killed by SIGKILL, as happens when memory runs out",
    }
    assert [number for number, status in recorder.statuses if status == "done"] == [1, 3, 5, 6, 7, 8, 9]


def die_once(job: Job) -> Outcome:
    import pathlib

    mark = pathlib.Path(os.environ["MARK"]) / str(job.number)
    if job.number % 3 == 0 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGSEGV)
    return Outcome()


def test_a_suspect_is_repeated(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MARK", str(tmp_path))
    recorder = run(jobs(10), die_once, Isolated(3), 3)
    assert recorder.statuses == [(number, "done") for number in range(1, 11)]


def test_suspects_run_alone() -> None:
    """An executor that fails all its jobs together, as the standard library's ProcessPoolExecutor does."""
    running: set[int] = set()
    tries: list[int] = []
    beside_second_try: set[int] = set()

    class Fragile(Executor):
        def submit(self, fn: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
            future: Future[Outcome] = Future()
            job = arguments[1]
            running.add(job.number)
            tries.append(job.number)
            if tries.count(2) == 2 and 2 in running:
                beside_second_try.update(running - {2})

            def settle() -> None:
                time.sleep(0.01)
                broken = 2 in running
                running.discard(job.number)
                if broken:
                    future.set_exception(BrokenProcessPool("it broke"))
                else:
                    future.set_result(fn(*arguments))

            threading.Thread(target=settle).start()
            return future

    assert issubclass(BrokenProcessPool, BrokenExecutor)
    recorder = run(jobs(40), lambda job: Outcome(), Fragile(), 2)
    assert 2 in tries[tries.index(2) + 1 : tries.index(20)]  # at once, not at the end
    assert (tries.count(2), beside_second_try) == (2, set())
    assert recorder.errors == {2: "job 2: it broke"}
    assert [job.number for job, _ in recorder.shown] == list(range(1, 41))


def loop_at_two(job: Job) -> Outcome:
    while job.number == 2:
        pass
    return Outcome()


def test_jobs_over_their_time_are_stopped() -> None:
    recorder = run(jobs(5), loop_at_two, Isolated(2, 0.5), 2)
    assert recorder.errors == {
        2: "job 2: it took longer than 0.5 s and was stopped; allow more time, or use a smaller picture"
    }
    assert len(recorder.shown) == 5


def test_processes_end_with_the_executor() -> None:
    with Isolated(2) as executor:
        first = executor.submit(os.getpid).result()
        assert executor.submit(os.getppid).result() == os.getpid() != first
    with pytest.raises(ProcessLookupError):
        os.kill(first, 0)


def give_up(job: Job) -> Outcome:
    raise OSError(f"lost {job.number}")


def test_cancelled_jobs_are_failures() -> None:
    assert run(jobs(2), give_up, ThreadPoolExecutor(1), 1).errors == {1: "job 1: lost 1", 2: "job 2: lost 2"}


def test_the_run_ends_if_its_workers_are_gone() -> None:
    class Lost(Executor):
        def submit(self, fn: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
            future: Future[Outcome] = Future()
            future.cancel()
            return future

    with pytest.raises(ConvcliError, match="job 1: the cluster has lost its workers"):
        run(jobs(5), refuse_odd, Lost(), 2)


# The gate and the signals


def test_a_closed_gate_blocks_and_waits_for_those_inside() -> None:
    gate, left = Gate(), []

    def write() -> None:
        with gate:
            time.sleep(0.2)
            left.append(time.monotonic())

    thread = threading.Thread(target=write)
    thread.start()
    while not gate.occupied:
        time.sleep(0.001)
    gate.close(10)
    assert left
    with pytest.raises(Closed), gate:
        pass
    assert not gate.occupied
    thread.join()


def test_a_gate_waits_until_its_limit() -> None:
    gate = Gate()
    with gate:
        started = time.monotonic()
        gate.close(0.1)
        assert time.monotonic() - started >= 0.1


def test_a_signal_ends_a_job_but_not_a_write() -> None:
    from convcli.batch.gate import WRITES

    written = []

    def work(job: Job) -> Outcome:
        with WRITES:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(0.01)
            written.append(job.number)
        return Outcome()

    with Stop() as stop:
        Batch(jobs(3), Recorder(), stop, fail_fast=False).run_here(work)
    assert (written, stop.code) == ([1], 143)

    with Stop() as stop:
        with pytest.raises(Stopped):
            Batch(jobs(3), Recorder(), stop, fail_fast=False).run_here(
                lambda job: os.kill(os.getpid(), signal.SIGINT) or Outcome()
            )
        assert stop.code == 130
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_results_after_the_end_of_reporting_are_recorded() -> None:
    class Unreachable(Recorder):
        def show(self, job: Job, outcome: Outcome) -> None:
            raise BrokenPipeError

    def work(job: Job) -> Outcome:
        if job.number == 2:
            with WRITES:
                begun.set()
                time.sleep(0.1)
        else:
            assert begun.wait(5)
        return Outcome()

    begun, recorder = threading.Event(), Unreachable()
    with Stop() as stop, ThreadPoolExecutor(2) as executor, pytest.raises(BrokenPipeError):
        Batch(jobs(2), recorder, stop, fail_fast=False).run_on(
            lambda job: executor.submit(attempt, work, job), 2
        )
    assert [number for number, _, _ in recorder.recorded] == [1, 2]


def test_outputs_written_during_a_signal_are_recorded() -> None:
    def work(job: Job) -> Outcome:
        with WRITES:
            pass
        if job.number == 2:
            os.kill(os.getpid(), signal.SIGTERM)
        return Outcome(answer=b"written")

    recorder = run(jobs(3), work)
    assert recorder.statuses == [(1, "done"), (2, "done")]
    assert [number for number, _, _ in recorder.recorded] == [1, 2]


def test_a_signal_gives_running_jobs_a_grace_period() -> None:
    def work(job: Job) -> Outcome:
        if job.number == 2:
            os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.2)
        return Outcome()

    recorder = Recorder()
    with Stop() as stop, ThreadPoolExecutor(2) as executor:
        batch = Batch(jobs(50), recorder, stop, fail_fast=False)
        assert batch.run_on(lambda job: executor.submit(attempt, work, job), 2)
    assert stop.code == 130
    assert [number for number, _ in recorder.statuses][:2] == [1, 2]
    assert len(recorder.shown) <= 4
