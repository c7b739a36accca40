"""The number of cores: those that the process may run on, and a container's quota."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from convcli import cores as module
from convcli.cores import cores


@pytest.fixture(autouse=True)
def _fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Simulate 8 cores without a quota, and clear the cached number before and after the test."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    monkeypatch.setattr(module, "_QUOTA", tmp_path / "cpu.max")
    monkeypatch.setattr(module, "_QUOTAS", (tmp_path / "quota", tmp_path / "period"))
    cores.cache_clear()
    yield
    cores.cache_clear()


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("max 100000", 8),
        ("200000 100000", 2),
        ("150000 100000", 2),
        ("10000 100000", 1),
        ("9900000 100000", 8),
        ("100000 0", 8),
        ("100000", 8),
    ],
)
def test_a_quota_limits_the_cores(text: str, count: int, tmp_path: Path) -> None:
    (tmp_path / "cpu.max").write_text(f"{text}\n")
    assert cores() == count


@pytest.mark.parametrize(("quota", "count"), [("-1", 8), ("300000", 3), ("what", 8)])
def test_the_first_version_has_two_files(quota: str, count: int, tmp_path: Path) -> None:
    (tmp_path / "quota").write_text(quota)
    (tmp_path / "period").write_text("100000")
    assert cores() == count


def test_without_affinity_all_cores_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 5)
    assert cores() == 5


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no affinity")
def test_a_process_limited_to_one_core_counts_one() -> None:
    code = "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}); from convcli.cores import cores; print(cores())"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "1\n"
