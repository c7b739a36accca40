"""The benchmarks run: on a tiny picture, against what is always installed. Nothing here looks at a time."""

import json
import re
from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from convcli.filters.filter_image import filter_image
from tests.benchmarks import folders, timing
from tests.benchmarks.__main__ import BRIEF
from tests.benchmarks.commands import COMMAND_MAKERS, convcli
from tests.benchmarks.filters import FILTERS
from tests.benchmarks.folders import FOLDERS, Folder
from tests.benchmarks.measure import measure
from tests.benchmarks.own_methods import KINDS
from tests.benchmarks.peers import ALL_THREADS, library
from tests.benchmarks.pictures import photograph
from tests.benchmarks.report import Row, closing, table, write_json
from tests.benchmarks.setting import Setting
from tests.benchmarks.speed_page import section, with_section
from tests.benchmarks.timing import alternate
from tests.benchmarks.tools import run
from tests.benchmarks.works import works

SIZE = (64, 80)  # more than 63 taps: a reflection reaches no further than the picture


@pytest.fixture
def setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Setting:
    for name in ("SHORT", "REST"):  # each is run once, without a pause
        monkeypatch.setattr(timing, name, 0.0)
    return Setting(SIZE, sweep=(0.01,), batch=(2, SIZE), repeats=1, patience=0.0, limit=60.0, folder=tmp_path)


def test_every_filter_has_scipy_s_pixels(setting: Setting) -> None:
    rows = [row for some in measure(setting, "thread / scipy") for row in some]
    assert [row.work for row in rows] == [f"{filter.name}, one thread" for filter in FILTERS]
    assert {row.verdict for row in rows} <= {"met", "missed"}, table(rows)
    assert all(row.apart is not None and row.apart <= row.tolerance for row in rows)


def test_the_command_writes_the_pixels(setting: Setting) -> None:
    source, target = setting.folder / "in.png", setting.folder / "out.png"
    pixels = photograph(SIZE)
    Image.fromarray(pixels).save(source)
    filter = FILTERS[-1]
    run(convcli(filter, [source], target), setting.limit)
    assert np.array_equal(np.asarray(Image.open(target)), filter_image(pixels, filter.kernel).pixels)


@pytest.mark.parametrize("maker", COMMAND_MAKERS, ids=lambda maker: maker.name)
def test_every_command_can_be_made(maker, tmp_path: Path) -> None:
    source, target = tmp_path / "in.png", tmp_path / "out.png"
    commands = [maker.make_command(filter, source, target) for filter in FILTERS]
    assert any(commands)
    assert all(any(str(target) in word for word in command) for command in commands if command)


def test_a_call_that_fails_does_not_stop_the_others() -> None:
    good, bad = alternate([lambda: 1, lambda: 1 / 0], repeats=2, patience=1.0)
    assert (good.answer, len(good.samples), good.error) == (1, 2, "")
    assert bad.error == "ZeroDivisionError: division by zero"


def test_the_report_names_what_is_missed() -> None:
    rows = [
        Row("a", "x", 1.0, 2.0, limit=0.5, apart=0.0),
        Row("b", "x", 3.0, 2.0, limit=0.5, apart=0.0),
        Row("c", "x", 1.0, 9.0, limit=0.5, apart=2.0),
        Row("d", "x", 1.0, 9.0, limit=0.5, apart=2.0, approximates=True),
        Row("e", "x", 1.0, None, limit=0.5, error="OSError: no"),
        Row("f", "x", 1.0, 9.0, limit=0.5, ours_cut=True),
        Row("g", "x", 1.0, 9.0),
    ]
    assert [row.verdict for row in rows] == ["met", "missed", "differs", "met", "failed", "missed", ""]
    missed = "b / x (1.50 > 0.5); c / x (differs); e / x (failed); f / x (stopped)"
    assert closing(rows) == f"2 of 6 targets met; missed: {missed}."
    assert closing(rows[:1]) == "1 of 1 targets met."
    assert "failed: OSError: no" in table(rows)
    file = StringIO()
    write_json(file, rows, {"size": SIZE})
    written = json.loads(file.getvalue())
    assert written["rows"][1]["ratio"] == 1.5 and written["size"] == list(SIZE)


def test_networks_are_compared_with_onnx_runtime(setting: Setting) -> None:
    pytest.importorskip("onnxruntime", reason="onnxruntime is of the bench extra")
    rows = [row for some in measure(setting, "network squeezenet") for row in some]
    assert [(row.work, row.peer) for row in rows] == [("network squeezenet, one thread", "onnxruntime")]
    assert rows[0].apart is not None and rows[0].apart <= rows[0].tolerance


def test_layers_give_what_pytorch_or_onnx_runtime_gives(setting: Setting) -> None:
    some_of_each = r"^layer (mobilenet 24|.* pool (128|2048)|transposed 256|deformable .* mask)"
    rows = [row for some in measure(setting, some_of_each) for row in some]
    assert len(rows) == 5
    assert not [row for row in rows if row.verdict in ("failed", "differs")], table(rows)
    assert all(row.ours for row in rows)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_folder_is_filtered_in_one_run(folder: Folder, setting: Setting) -> None:
    small = replace(folder, count=2)
    sources = small.sources(setting)
    last = folders.ours(small, setting)(sources)
    assert len(sources) == len(list(last.parent.iterdir())) == 2
    pixels = np.asarray(Image.open(sources[-1]))
    made = np.asarray(Image.open(last))
    exact = filter_image(pixels, folder.filter.kernel).pixels
    assert made.dtype == exact.dtype
    assert np.abs(np.subtract(made, exact, dtype=np.int32)).mean() <= (2 if folder.suffix == ".jpg" else 0)


def test_the_page_has_one_section_a_machine(setting: Setting) -> None:
    about = {"processor": "One", "machine": "x", "cores": "2", "cache": 512, "blas": "B", "load": 0.1}
    rows = [Row("work", "peer", 1.0, 2.0, limit=0.4)]
    page = with_section("", section({**about, "versions": {"numpy": "2"}}, setting, rows))
    assert page.startswith("# Measured speed\n")
    assert "## One, 2 cores\n" in page
    assert "| work | peer | 1.000 s | 2.000 s | 0.50 | 0.4 |  | missed |" in page
    other = section({**about, "processor": "Other", "versions": {}}, setting, rows)
    both = with_section(page, other)
    assert [line for line in both.splitlines() if line.startswith("## ")] == [
        "## One, 2 cores",
        "## Other, 2 cores",
    ]
    again = section({**about, "versions": {"numpy": "3"}}, setting, [])
    renewed = with_section(both, again)
    assert "numpy 3" in renewed
    assert "numpy 2" not in renewed
    assert renewed.count("## One, 2 cores") == 1
    assert with_section(renewed, other) == renewed


def test_convcli_is_compared_with_itself(setting: Setting) -> None:
    rows = [row for some in measure(setting, "all threads / one thread|choice dense 5x5") for row in some]
    methods = [(row.work, row.peer) for row in rows if row.work.startswith("choice")]
    assert methods == [
        (f"choice dense 5x5, {kind}", method) for kind in KINDS for method in ("direct", "gemm", "fft")
    ]
    assert len(rows) - len(methods) == (len(FILTERS) if ALL_THREADS > 1 else 0)
    assert all(row.apart == 0 for row in rows), table(rows)


def test_a_calculator_is_compared_with_an_import(setting: Setting) -> None:
    (row,) = (row for some in measure(setting, "calculator shape") for row in some)
    assert (row.peer, row.limit, row.apart, row.error) == ("import click", 1.25, 0, "")


def test_the_brief_run_has_rows_of_every_target(setting: Setting) -> None:
    names = {f"{work.name} / {peer.name}" for work in works(setting) for peer in work.peers}
    chosen = {name for name in names if re.search(BRIEF, name)}
    starts = ["choice", "calculator", "folder of 20 icons"]
    starts += ["integer 3x3, one", "pipeline"] if library("cv2") else []
    starts += ["layer"] if library("torch") or library("onnxruntime") else []
    for start in starts:
        assert any(name.startswith(start) for name in chosen), start
    assert not any("libvips" in name for name in chosen if "icons" in name)  # which takes minutes
