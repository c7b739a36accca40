"""convcli tune: costs are measured, stored, shown and removed."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

from convcli.analysis.kernel_plans import SPECS
from convcli.backend.machine import USUAL, Costs, Machine, held_for, machine
from convcli.cli import file_run
from convcli.filters.recipe import Recipe
from convcli.filters.single_kernel import SingleKernel
from convcli.jobs.keep_costs import store_costs
from convcli.kernels import parse_kernel
from tests.conftest import SAMPLES, Call, one_error


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "cache"))
    machine.cache_clear()
    yield tmp_path / "cache" / "convcli" / "costs.json"
    machine.cache_clear()


def reported(call: Call, *options: str) -> dict:
    code, out, err = call("tune", "--format", "json", *options)
    assert (code, err) == (0, "")
    return json.loads(out)


def test_costs_are_measured_stored_shown_and_removed(call: Call, cache: Path) -> None:
    assert reported(call, "--show")["totals"]["measured"] is False
    assert not cache.exists()
    measured = reported(call)["totals"]
    assert measured["measured"] is True
    assert cache.exists()
    assert reported(call, "--show")["totals"] == measured
    assert reported(call, "--forget")["totals"]["measured"] is False
    assert not cache.exists()


def test_each_kernel_has_its_plan(call: Call) -> None:
    rows = reported(call, "--show")["rows"]
    assert [row["kernel"] for row in rows] == list(SPECS)
    plans = {row["kernel"]: row for row in rows}
    assert plans["sharpen"]["method"] == "direct"
    assert plans["sharpen"]["numbers"] == "int16"
    assert plans["box:31"]["method"] == "separable by running sums"
    assert plans["random:63"]["method"] == "fft"
    code, out, _ = call("tune", "--show")
    assert code == 0
    assert "the defaults, not measured" in out
    assert "run convcli tune to measure them" in out


def test_the_answer_has_the_machine_that_plans_are_made_for(call: Call, cache: Path) -> None:
    here = Machine(cache=3 << 20, costs=Costs(*range(1, 8)), measured=True)
    with mock.patch("convcli.backend.machine.second_level_cache", return_value=here.cache):
        store_costs(here.costs, cache)
        code, out, _ = call("tune", "--show")
        totals = reported(call, "--show")["totals"]
    assert code == 0
    assert "plans for 8-bit RGB pictures of 3000x4000; " in out and ", 3072 KiB of second-level cache" in out
    assert "costs in picoseconds, measured on this machine: pass16 1, pass32 2, pass64 3, flop32 4, " in out
    assert f"stored in {cache}\n" in out
    assert totals == {"measured": True, "cache": 3 << 20, **held_for(), **here.costs._asdict()}


def test_a_plan_is_that_of_a_filter(call: Call) -> None:
    rows = {row["kernel"]: row for row in reported(call, "--show")["rows"]}
    assert rows["box:31"]["kernel_size"] == [31, 31]
    recipe = Recipe(kernels=(parse_kernel("random:15"),), padding="same")
    single = SingleKernel.of(recipe, np.dtype("uint8"), None, "clip", None, False, None)
    plan = single.band_plan((3000, 4000, 3))
    assert plan is not None
    row = rows["random:15"]
    assert (row["method"], row["numbers"], row["tile"], row["threads"]) == (
        plan.method, plan.dtype, [plan.rows, plan.columns], plan.threads,
    )  # fmt: skip


def test_measuring_limits_blas_to_one_thread(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "4")
    seen = []

    def measured() -> Costs:
        seen.append(os.environ["OPENBLAS_NUM_THREADS"])
        return USUAL

    monkeypatch.setattr("convcli.backend.measure_costs.measure_costs", measured)
    reported(call)
    assert seen == ["1"]


def test_without_a_home_folder_costs_are_shown_and_not_measured(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("convcli.backend.machine.costs_file", lambda: None)
    assert reported(call, "--show")["totals"]["measured"] is False
    for words in (["tune"], ["tune", "--forget"]):
        result = call(*words)
        assert result.code == 2
        assert (
            one_error(result) == "there is no home folder to store costs in; set XDG_CACHE_HOME to a folder"
        )


def test_show_and_forget_do_not_go_together(call: Call) -> None:
    result = call("tune", "--show", "--forget")
    assert result.code == 2
    assert one_error(result) == "--show and --forget contradict each other; give one of them"


@pytest.mark.parametrize(("long", "kept"), [(-1.0, True), (1e9, False)])
def test_a_long_run_measures_once_by_itself(
    long: float, kept: bool, call: Call, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_run, "LONG", long)
    code, _, _ = call("filter", SAMPLES / "logo.png", "-k", "box", "-o", tmp_path / "out.png", "-q")
    assert code == 0
    assert cache.exists() is kept
