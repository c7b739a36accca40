"""The costs and caches that plans use, which change no sample."""

import json
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

from convcli import filter_picture
from convcli.analysis.kernel_plans import kernel_plans
from convcli.backend import machine as machines
from convcli.backend import measure_costs as measure_costs_of
from convcli.backend.algorithms.costs import METHODS, Work
from convcli.backend.algorithms.slide import Slide
from convcli.backend.bands import band_plan, toeplitz
from convcli.backend.bands.band_plan import band_height
from convcli.backend.machine import (
    FAR_OFF,
    USUAL,
    USUAL_CACHE,
    Costs,
    Machine,
    costs_file,
    held_for,
    machine,
    record_of,
    sensible,
    stored_costs,
)
from convcli.backend.measure_costs import REFERENCE, measure_costs
from convcli.filters import single_kernel
from convcli.filters.tiles import weighing

OTHERS = Costs(*range(101, 108))
RNG = np.random.default_rng(3)


@pytest.fixture(autouse=True)
def fresh_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "cache"))
    machine.cache_clear()
    yield
    machine.cache_clear()


def file() -> Path:
    found = costs_file()
    assert found is not None
    return found


@pytest.mark.parametrize(
    "change",
    [
        {"format": 0},
        {"held_for": {"processor": "another"}},
        {"costs": {"pass16": 1}},
        {"costs": {**USUAL._asdict(), "more": 1}},
        {"costs": {**USUAL._asdict(), "pass16": 0}},
        {"costs": {**USUAL._asdict(), "pass16": 1.5}},
        {"costs": {**USUAL._asdict(), "pass16": True}},
        {"costs": [1]},
    ],
    ids=str,
)
def test_costs_of_another_machine_or_damaged_ones_are_not_used(change: dict[str, object]) -> None:
    file().parent.mkdir(parents=True)
    file().write_text(record_of(OTHERS))
    assert stored_costs(file()) == OTHERS
    file().write_text(json.dumps({**json.loads(record_of(OTHERS)), **change}))
    assert stored_costs(file()) is None


@pytest.mark.parametrize("text", ["", "[]", "{", "\0", "null", '"text"'])
def test_a_file_without_a_record_is_not_used(text: str) -> None:
    file().parent.mkdir(parents=True)
    file().write_text(text)
    assert stored_costs(file()) is None
    assert machine().costs == USUAL


def test_costs_hold_for_a_processor_and_the_versions_of_numpy_and_its_blas() -> None:
    assert held_for()["numpy"] == np.__version__
    assert set(held_for()) == {"processor", "cores", "numpy", "blas"}


def test_measured_costs_are_plausible() -> None:
    found = measure_costs(0.01)
    for name, value in found._asdict().items():
        assert USUAL._asdict()[name] // FAR_OFF <= value <= USUAL._asdict()[name] * FAR_OFF
    implausible = sensible(USUAL._replace(pass16=10**9, flop32=1))
    assert (implausible.pass16, implausible.flop32) == (USUAL.pass16 * FAR_OFF, USUAL.flop32 // FAR_OFF)


@pytest.mark.parametrize(
    ("reported", "cache"), [("512K", 512 << 10), ("2048K", 2 << 20), ("131072", 1 << 17), ("no number", None)]
)
def test_the_cache_size_is_read_from_the_system(reported: str, cache: int | None, tmp_path: Path) -> None:
    for level, size in ((1, "32K"), (2, reported), (3, "8192K")):
        index = tmp_path / f"index{level}"
        index.mkdir()
        (index / "level").write_text(f"{level}\n")
        (index / "size").write_text(f"{size}\n")
    with (
        mock.patch.object(machines, "CACHES", tmp_path),
        mock.patch("os.sysconf", side_effect=ValueError, create=True),
    ):
        assert machines.second_level_cache() == (cache or USUAL_CACHE)


def test_tiles_fit_the_cache_within_limits() -> None:
    fits = [Machine(cache=size).fitting for size in (1 << 12, 1 << 19, 1 << 20, 1 << 21, 1 << 30)]
    assert fits == [0.25, 0.5, 1, 2, 2]


COSTLY = [USUAL._replace(**{name: value * 7}) for name, value in USUAL._asdict().items()]


@pytest.mark.parametrize("costly", COSTLY, ids=list(USUAL._asdict()))
@pytest.mark.parametrize("cache", [1 << 18, 1 << 21])
def test_any_costs_and_any_cache_give_the_same_samples(costly: Costs, cache: int) -> None:
    picture = RNG.integers(0, 256, (150, 170, 3)).astype(np.uint8)
    for kernel in ("sharpen", "sobel", "gaussian:sigma=1.5", "box:9", RNG.random((9, 9)) / 81):
        with mock.patch.object(machines, "second_level_cache", return_value=USUAL_CACHE):
            machine.cache_clear()
            usual = filter_picture(picture, kernel)
        here = Machine(cache=cache, costs=costly)
        with (
            mock.patch.object(band_plan, "machine", return_value=here),
            mock.patch("convcli.filters.tiles.weighing.machine", return_value=here),
        ):
            assert (filter_picture(picture, kernel) == usual).all()


def test_layers_use_the_method_that_is_cheap_here() -> None:
    work = Work(1, 1, 64, 64, Slide((3, 3), (1, 1), (1, 1), (56, 56)))
    for method, like in (("direct", "pass32"), ("gemm", "flop32"), ("fft", "transform")):
        costs = []
        for times in (1, 4):
            here = Machine(costs=USUAL._replace(**{like: USUAL._asdict()[like] * times}))
            with mock.patch("convcli.backend.algorithms.costs.machine", return_value=here):
                costs.append(METHODS[method](work))
        assert costs[0] < costs[1] <= 4 * costs[0]


# Systems that report little


@pytest.mark.parametrize(("reported", "cache"), [(3 << 20, 3 << 20), (0, USUAL_CACHE), (-1, USUAL_CACHE)])
def test_the_cache_by_sysconf_where_there_are_no_files(reported: int, cache: int, tmp_path: Path) -> None:
    with (
        mock.patch.object(machines, "CACHES", tmp_path),
        mock.patch("os.sysconf", return_value=reported, create=True),
    ):
        assert machines.second_level_cache() == cache
        assert machine().cache == cache


@pytest.mark.parametrize(
    ("platform", "folder"),
    [("linux", ".cache"), ("darwin", "Library/Caches"), ("win32", "AppData/Local")],
)
@pytest.mark.parametrize("given", [None, "a/relative/folder"])
def test_costs_are_in_the_cache_folder_of_the_system(
    platform: str, folder: str, given: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
        if given is None:
            monkeypatch.delenv(name)
        else:
            monkeypatch.setenv(name, given)
    monkeypatch.setattr(machines.sys, "platform", platform)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert costs_file() == tmp_path / folder / "convcli" / "costs.json"


def test_the_system_identifies_the_processor_and_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 96)
    monkeypatch.setattr(Path, "read_text", lambda _: "processor\t: 0\nmodel name\t: A Core 9\n")
    dependencies = {"blas": {"name": "someblas", "version": "1.2"}}
    monkeypatch.setattr(np, "show_config", lambda mode: {"Build Dependencies": dependencies})
    assert held_for() == {
        "processor": "A Core 9", "cores": "96", "numpy": np.__version__, "blas": "someblas 1.2",
    }  # fmt: skip
    monkeypatch.setattr(Path, "read_text", mock.Mock(side_effect=OSError))
    monkeypatch.setattr("platform.processor", lambda: "arm")
    monkeypatch.setattr(np, "show_config", lambda mode: {})
    assert held_for() == {"processor": "arm", "cores": "96", "numpy": np.__version__, "blas": ""}


# How costs are measured


def test_costs_are_the_usual_ones_in_proportion_to_what_is_measured() -> None:
    units, given = 1000, []

    def least(name: str, seconds: float) -> float:
        given.append(seconds)
        return 3 * units * REFERENCE._asdict()[name] / 1e12

    works = {name: (name, units) for name in USUAL._fields}
    with (
        mock.patch.object(measure_costs_of, "_works", return_value=works),
        mock.patch.object(measure_costs_of, "_least_seconds", least),
    ):
        assert measure_costs(0.7) == Costs(*(3 * cost for cost in USUAL))
        assert given == [pytest.approx(0.1)] * 7
    with (
        mock.patch.object(measure_costs_of, "_works", return_value=works),
        mock.patch.object(measure_costs_of, "_least_seconds", lambda *_: 1.0),
    ):
        assert measure_costs() == Costs(*(FAR_OFF * cost for cost in USUAL))


def test_each_cost_is_measured_by_its_own_work() -> None:
    works = measure_costs_of._works()
    assert list(works) == list(USUAL._fields)
    for name, dtype in (("pass16", "int16"), ("pass32", "float32"), ("pass64", "float64")):
        work, units = works[name]
        assert {part.dtype.name for part in work.args} == {dtype}
        assert units == work().size
    for name, dtype in (("flop32", "float32"), ("flop64", "float64")):
        work, units = works[name]
        weights, rows = work.args
        assert weights.dtype == rows.dtype == dtype
        assert units == 2 * weights.size * rows.shape[1], "a multiplication and an addition each"
    work, units = works["gather"]
    assert units == work().size
    work, units = works["transform"]
    plane = work.args[0].copy()
    with mock.patch("numpy.fft.irfft", wraps=np.fft.irfft) as back:
        work()
    assert back.call_count == 1
    assert np.allclose(work.args[0], plane, atol=1e-5), "there and back"
    assert units == plane.size


def test_the_least_time_counts_and_the_first_call_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    now, taken = 0.0, iter([0.5, 5.0, 3.0, 4.0, 0.1])

    def work() -> None:
        nonlocal now
        now += next(taken)

    monkeypatch.setattr(measure_costs_of.time, "perf_counter", lambda: now)
    assert measure_costs_of._least_seconds(work, 12.0) == 3.0
    assert list(taken) == [0.1]


# Effects on plans


def plans(here: Machine) -> dict[str, dict]:
    """Return the plans that kernels get on a machine."""
    single_kernel._planned.cache_clear()
    with (
        mock.patch.object(band_plan, "machine", return_value=here),
        mock.patch.object(weighing, "machine", return_value=here),
    ):
        return {row["kernel"]: row for row in kernel_plans(["random:9", "random:31", "sharpen"])}


def test_kernels_use_the_method_that_is_cheap_here() -> None:
    costly = USUAL._replace(flop32=USUAL.flop32 * 50, gather=USUAL.gather * 50)
    usual, others = plans(Machine()), plans(Machine(costs=costly))
    assert usual["random:9"]["method"] == "gemm" != others["random:9"]["method"]
    assert plans(Machine(costs=costly._replace(transform=1)))["random:31"]["method"] == "fft"
    assert plans(Machine(costs=USUAL._replace(transform=10**9)))["random:31"]["method"] == "gemm"


def test_tiles_follow_the_cache() -> None:
    small, large = (plans(Machine(cache=size))["random:9"]["tile"][0] for size in (1 << 18, 1 << 21))
    assert small < large


def test_separable_kernels_of_a_pipeline_are_shifted_where_that_is_cheap_here() -> None:
    slide = Slide((9, 9), (1, 1), (1, 1), (500, 500))
    facts = band_plan.Facts(
        whole=False, most=1, passes=81, factor_passes=(9, 9), box_most=None, down_most=1, transforms=0
    )
    for pass64, shifted in ((1, True), (10**6, False)):
        here = Machine(costs=USUAL._replace(pass64=pass64))
        with mock.patch.object(weighing, "machine", return_value=here):
            assert (weighing._quickest(facts, slide, 3, True, "auto") == weighing.SHIFTED) is shifted


@pytest.mark.parametrize(
    ("features", "height"), [({"AVX512_SKX": True}, 4), ({"AVX512_SKX": False}, 8), ({}, 8)]
)
def test_the_height_of_products_follows_the_processor(
    features: dict[str, bool], height: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machines, "import_module", lambda _: mock.Mock(__cpu_features__=features))
    machines.machine.cache_clear()
    try:
        assert band_height() == height
        matrix = toeplitz.WeightedRows(np.ones((3, 1)), 1, 0, "float32").matrices[0]
        assert matrix.shape == (height, height + 2)
    finally:
        machines.machine.cache_clear()
