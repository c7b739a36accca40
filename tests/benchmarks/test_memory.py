"""The estimated memory of runs is close to the measured one, and the benchmark reports where it is not."""

import json
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest

from tests.benchmarks.memory import Taken, closing, measured, table, write_json
from tests.benchmarks.memory_works import FACTOR, MIN_RATIO, WORKS, Work
from tests.benchmarks.pictures import size_of

NAMED = {work.name: work for work in WORKS}
SIZE = size_of(2)
MIB = 1 << 20


@pytest.mark.parametrize(
    "name",
    [
        "a kernel, png",
        "--linear, alpha premultiply",
        "frames, webp",
        "match",
        "two kernels",
        "by rows, two kernels, npy",
    ],
)
def test_estimates_are_between_half_and_twice_the_peak(tmp_path: Path, name: str) -> None:
    pytest.importorskip("resource")
    work = NAMED[name]
    threads = "" if work.most is None else " --threads 2"  # whatever the machine has
    loose = replace(work, words=work.words + threads, most=2.0, least=0.5)
    (row,) = measured(SIZE, tmp_path, works=[loose])
    assert row.verdict == "ok", table([row])


@pytest.mark.parametrize("work", WORKS, ids=lambda work: work.name)
def test_variants_have_only_a_lower_limit(work: Work) -> None:
    assert (work.most, work.least) in ((FACTOR, 1 / FACTOR), (None, MIN_RATIO))


def test_names_are_not_used_twice() -> None:
    assert len(NAMED) == len(WORKS)


def test_a_run_that_fails_is_reported(tmp_path: Path) -> None:
    (row,) = measured((70, 80), tmp_path, works=[Work("bad", "rgb.png", "-k sobble", ".png")])
    assert row.verdict == "failed" and "sobble" in row.error
    assert closing([row]) == "1 of 1 estimates miss: bad (failed)."


def test_the_report_counts_what_misses() -> None:
    kernel, variant = Work("one", "rgb.png", "", ".png"), Work("more", "rgb.png", "", ".png", None, MIN_RATIO)
    rows = [
        Taken(kernel, 149 * MIB, 100 * MIB),
        Taken(kernel, 151 * MIB, 100 * MIB),
        Taken(kernel, 67 * MIB, 100 * MIB),
        Taken(kernel, 66 * MIB, 100 * MIB),
        Taken(variant, 900 * MIB, 100 * MIB),
        Taken(variant, 50 * MIB, 100 * MIB),
        Taken(variant, 49 * MIB, 100 * MIB),
        Taken(kernel, error="no word"),
    ]
    assert [row.verdict for row in rows] == ["ok", "MISS", "ok", "MISS", "ok", "ok", "MISS", "failed"]
    assert closing(rows) == "4 of 8 estimates miss: one (1.51); one (0.66); more (0.49); one (failed)."
    assert closing(rows[:1]) == "0 of 1 estimates miss."
    lines = table(rows).splitlines()
    assert lines[0].split() == ["work", "estimate", "peak", "ratio", "at", "least", "at", "most", "verdict"]
    assert lines[3].split() == ["one", "151", "MiB", "100", "MiB", "1.51", "0.67", "1.50", "MISS"]
    assert len({line.index("MiB") for line in lines if "MiB" in line}) == 1
    file = StringIO()
    write_json(file, rows, {"size": SIZE})
    written = json.loads(file.getvalue())
    assert written["rows"][1]["ratio"] == 1.51 and written["rows"][1]["work"]["name"] == "one"
    assert written["size"] == list(SIZE)
