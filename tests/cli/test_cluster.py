"""Runs on a Dask cluster."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT, SAMPLES, Call, one_error
from tests.runs import Program, draw, filtered


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a scheduler with two workers in separate processes."""
    pytest.importorskip("distributed", reason="the extra convcli[cluster] is not installed")
    folder = tmp_path_factory.mktemp("cluster")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    dask = [sys.executable, "-m", "dask"]
    written = folder / "scheduler.json"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder, "env": environment}
    words = ["scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--no-show"]
    processes = [subprocess.Popen([*dask, *words, "--scheduler-file", str(written)], **quiet)]
    try:
        until = time.monotonic() + 30
        while not (written.exists() and written.read_text().endswith("}")):
            assert time.monotonic() < until, "the scheduler does not start"
            time.sleep(0.1)
        address = json.loads(written.read_text())["address"]
        words = ["worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory"]
        processes += [subprocess.Popen([*dask, *words, str(folder / name)], **quiet) for name in "ab"]
        yield address
    finally:
        for process in processes:  # their results are not needed, and closing a worker takes long
            process.kill()
            process.wait()


def test_a_cluster_writes_the_same_bytes(
    program: Program, tmp_path: Path, cluster: str, serial: tuple[bytes, list[str], dict[str, bytes]]
) -> None:
    out, err, made = filtered(program, tmp_path, f"--cluster {cluster}")
    assert made == serial[2]
    assert out == serial[0]
    assert err[:-1] == serial[1][:-1]


def test_a_cluster_takes_relative_names_and_standard_input(
    program: Program, tmp_path: Path, cluster: str
) -> None:
    draw(tmp_path, "a.png", "b.png")
    run = program("filter", "a.png", "b.png", "--kernel", "box", "-o", "out/", "--cluster", cluster)
    assert run.stdout.decode().splitlines() == [f"{tmp_path}/out/a.png", f"{tmp_path}/out/b.png"]
    data = (tmp_path / "a.png").read_bytes()
    runs = [
        program("filter", "-", "--kernel", "box", *options, input=data)
        for options in ([], ["--cluster", cluster])
    ]
    assert runs[0].stdout == runs[1].stdout


def test_a_cluster_that_does_not_answer_is_one_line(tmp_path: Path) -> None:
    pytest.importorskip("distributed", reason="the extra convcli[cluster] is not installed")
    draw(tmp_path, "a.png")
    with socket.socket() as unanswered:  # the port is bound, but not listening
        unanswered.bind(("127.0.0.1", 0))
        address = "tcp://{}:{}".format(*unanswered.getsockname())
        impatient = (
            "import convcli.batch.cluster as c; c.PATIENCE = 0.5; from convcli.__main__ import run; run()"
        )
        run = subprocess.run(
            [sys.executable, "-c", impatient, "filter", "a.png", "--kernel", "box", "--cluster", address],
            cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
    assert run.returncode == 1
    assert run.stderr == (
        f"convcli: error: --cluster {address}: no scheduler answers within 0.5 s; start one: dask scheduler\n"
    )


def test_a_cluster_needs_its_extra(call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    result = call(
        "filter", SAMPLES / "house.png", "--kernel", "box", "-o", tmp_path / "x.png", "--cluster", "tcp://x:1"
    )
    assert result.code == 1
    assert (
        "--cluster needs Dask, which is not installed; install the extra: pip install 'convcli[cluster]'"
        in one_error(result)
    )
