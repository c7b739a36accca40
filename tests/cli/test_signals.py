"""Runs that are stopped: running jobs are finished, and nothing is left behind."""

import os
import signal
import time
from pathlib import Path

import pytest
from PIL import Image

from tests.runs import draw, family, gone, soon, started

# The program with a grace period after the first signal that is longer than any test.
PATIENT = (
    "import convcli.batch.parallel_jobs as jobs; jobs.GRACE = 600; from convcli.__main__ import run; run()"
)


ENDINGS = pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
PLACES = pytest.mark.parametrize("options", [["--jobs", "1"], ["--jobs", "3"], ["--jobs", "3", "--isolate"]])


@ENDINGS
@PLACES
def test_a_signal_finishes_running_jobs(
    tmp_path: Path, faults: dict[str, str], options: list[str], number: signal.Signals, code: int
) -> None:
    names = draw(tmp_path, *(f"slow{number:03}.png" for number in range(200)))
    process = started(tmp_path, faults, *names, *options)
    assert process.stdout is not None
    assert process.stdout.readline() == b"out/slow000.png\n"
    os.killpg(process.pid, number)  # the whole process group, as a terminal does
    out, err = process.communicate(timeout=60)
    assert process.returncode == code
    printed = ["slow000.png", *(Path(line).name for line in out.decode().splitlines())]
    assert len(printed) < 100
    assert (
        sorted(os.listdir(tmp_path / "out")) == printed
    )  # exactly the finished files, none partially written
    assert all(Image.open(tmp_path / "out" / name).load() for name in printed)
    assert b"Traceback" not in err
    last = err.decode().splitlines()[-1]
    assert last.startswith(f"convcli: stopped by {number.name}, {len(printed)} done, ")
    assert f"{200 - len(printed)} not started or not finished" in last
    assert gone(process.pid)


@PLACES
def test_a_signal_does_not_wait_for_a_stuck_job(
    tmp_path: Path, faults: dict[str, str], options: list[str]
) -> None:
    names = draw(tmp_path, "a.png", "log-stuck1.png", "log-stuck2.png", "log-stuck3.png", "b.png")
    process = started(tmp_path, faults, *names, *options)
    assert process.stdout is not None
    assert process.stdout.readline() == b"out/a.png\n"
    assert soon((tmp_path / "log").exists)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"stopped by SIGINT, 1 done, 4 not started or not finished" in err
    assert os.listdir(tmp_path / "out") == ["a.png"]
    assert gone(process.pid)


@PLACES
def test_a_second_signal_does_not_wait(tmp_path: Path, faults: dict[str, str], options: list[str]) -> None:
    names = draw(tmp_path, "a.png", "log-stuck1.png", "log-stuck2.png", "log-stuck3.png", "b.png")
    process = started(tmp_path, faults, *names, *options, program=("-c", PATIENT))
    assert process.stdout is not None
    assert process.stdout.readline() == b"out/a.png\n"
    assert soon((tmp_path / "log").exists)
    process.send_signal(signal.SIGINT)
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    # A signal while Python shuts down ends it before it can exit, which is also 130 for a shell.
    assert process.wait(60) in (130, -signal.SIGINT)
    process.communicate()
    assert os.listdir(tmp_path / "out") == ["a.png"]
    assert gone(process.pid)


def test_processes_end_when_the_run_is_killed(tmp_path: Path, faults: dict[str, str]) -> None:
    names = draw(tmp_path, "a.png", "loop.png", "stuck.png", "b.png")
    process = started(tmp_path, faults, *names, "--jobs", "3", "--isolate")
    assert process.stdout is not None
    assert process.stdout.readline() == b"out/a.png\n"
    assert soon(lambda: len(family(process.pid)) >= 3)
    process.kill()
    process.wait()
    assert gone(process.pid)
    process.communicate()


@PLACES
def test_a_broken_pipe_ends_quietly(tmp_path: Path, faults: dict[str, str], options: list[str]) -> None:
    names = draw(tmp_path, *(f"slow{number:03}.png" for number in range(100)))
    process = started(tmp_path, faults, *names, *options)
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(60) == 141
    assert process.stderr is not None
    err = process.stderr.read().decode().splitlines()
    assert not [line for line in err if "clipped" not in line]
    process.stderr.close()
    assert len(os.listdir(tmp_path / "out")) < 50
    assert gone(process.pid)
