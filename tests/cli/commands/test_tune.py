"""convcli tune: costs are measured, kept, shown and forgotten."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from convcli.analysis.kernel_plans import SPECS
from convcli.backend.machine import machine
from convcli.cli import file_run
from tests.conftest import SAMPLES, Call, one_error


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "cache"))
    machine.cache_clear()
    yield tmp_path / "cache" / "convcli" / "costs.json"
    machine.cache_clear()


def told(call: Call, *options: str) -> dict:
    code, out, err = call("tune", "--format", "json", *options)
    assert (code, err) == (0, "")
    return json.loads(out)


def test_costs_are_measured_kept_shown_and_forgotten(call: Call, cache: Path) -> None:
    assert told(call, "--show")["totals"]["measured"] is False
    assert not cache.exists()
    measured = told(call)["totals"]
    assert measured["measured"] is True
    assert cache.exists()
    assert told(call, "--show")["totals"] == measured
    assert told(call, "--forget")["totals"]["measured"] is False
    assert not cache.exists()


def test_each_kernel_has_its_plan(call: Call) -> None:
    rows = told(call, "--show")["rows"]
    assert [row["kernel"] for row in rows] == list(SPECS)
    plans = {row["kernel"]: row for row in rows}
    assert plans["sharpen"]["method"] == "direct"
    assert plans["sharpen"]["numbers"] == "int16"
    assert plans["box:31"]["method"] == "separable by running sums"
    assert plans["random:63"]["method"] == "fft"
    code, out, _ = call("tune", "--show")
    assert code == 0
    assert "the usual ones, not measured" in out
    assert "convcli tune measures them" in out


def test_show_and_forget_do_not_go_together(call: Call) -> None:
    result = call("tune", "--show", "--forget")
    assert result.code == 2
    assert one_error(result) == "--show and --forget do not go together; take one of them"


@pytest.mark.parametrize(("long", "kept"), [(-1.0, True), (1e9, False)])
def test_a_long_run_measures_once_by_itself(
    long: float, kept: bool, call: Call, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_run, "LONG", long)
    code, _, _ = call("filter", SAMPLES / "logo.png", "-k", "box", "-o", tmp_path / "out.png", "-q")
    assert code == 0
    assert cache.exists() is kept
