"""Sweeps of the calculators: a row for each combination that has an answer, a reason for the others, and a limit."""

import csv
import io
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from convcli.errors import ArgumentError
from convcli.layers import Conv
from tests.conftest import Call, one_error

EMPTY = "the output would be empty: along the height the kernel spans 9, but the padded input has only 7 + 0 + 0 = 7"


def test_a_combination_without_an_answer_is_marked_and_the_others_are_answered(call: Call) -> None:
    code, out, err = call("shape", "--n", "7", "--k", "3,9,5")
    assert code == 1
    assert err == "convcli: error: 1 of 3 combinations have no answer\n"
    lines = out.splitlines()
    assert [line.split() for line in lines[2:5]] == [
        "conv k3x3 o1 7 0 5 3 1".split(),
        "conv k9x9 o1 7".split(),
        "conv k5x5 o1 7 0 3 5 1".split(),
    ]
    assert lines[6].startswith(f"conv k9x9 o1 on 7 has no answer: {EMPTY}")
    assert len(lines) == 7


def test_without_the_lines_below_a_table_the_reasons_are_errors(call: Call, tmp_path: Path) -> None:
    code, out, err = call("shape", "--n", "7x8", "--k", "3,9", "-q")
    assert (code, len(out.splitlines())) == (1, 4)
    assert err.startswith("convcli: error: conv k9x9 o1 on 7x8 has no answer: the output would be empty")
    assert len(err.splitlines()) == 2
    for ending in (".txt", ".md", ".csv", ".json"):
        path = tmp_path / f"x{ending}"
        code, _, err = call("shape", "--n", "7", "--k", "3,9", "-o", path)
        assert (code, err.splitlines()[-1]) == (1, "convcli: error: 1 of 2 combinations have no answer")
        assert EMPTY in path.read_text()


def test_the_reason_is_a_field(call: Call) -> None:
    code, out, err = call("cost", "--n", "7", "--k", "9,3", "--format", "json")
    assert (code, err) == (1, "convcli: error: 1 of 2 combinations have no answer\n")
    answer = json.loads(out)
    failed, done = answer["rows"]
    assert list(failed) == list(done)
    assert failed["error"].startswith(EMPTY)
    assert (failed["layer"], failed["input_size"], failed["macs"]) == ("conv k9x9 o1", [7], None)
    assert (done["error"], done["macs"]) == (None, 25 * 9)
    code, out, _ = call("cost", "--n", "7", "--k", "9,3", "--format", "csv")
    assert code == 1
    assert [row["macs"] for row in csv.DictReader(io.StringIO(out))] == ["", "225"]


def test_bare_values_keep_their_places_and_the_reasons_are_reported(call: Call) -> None:
    code, out, err = call("shape", "--n", "7", "--k", "3,9,5", "--format", "value")
    assert (code, out) == (1, "5\n\n3\n")
    first, second = err.splitlines()
    assert first.startswith(f"convcli: error: conv k9x9 o1 on 7 has no answer: {EMPTY}")
    assert second == "convcli: error: 1 of 3 combinations have no answer"
    assert call("shape", "--n", "7", "--k", "3,9,5", "--field", "error,macs", "-q").err == second + "\n"


def test_of_many_reasons_only_some_are_printed(call: Call) -> None:
    many = ",".join(map(str, range(8, 60)))
    code, _, err = call("shape", "--n", "7", "--k", f"1,{many}", "--format", "value")
    assert code == 1
    assert len(err.splitlines()) == 12
    assert "and 42 more; --format json has the reasons of all" in err
    assert (
        "and 42 more; --format json has the reasons of all"
        in call("shape", "--n", "7", "--k", f"1,{many}").out
    )


@pytest.mark.parametrize("command", ["shape", "params", "cost", "compare"])
def test_every_combination_may_fail(call: Call, command: str) -> None:
    code, out, err = call(command, "--n", "7", "--k", "0", "--s", "1,2", "--format", "json")
    assert (code, err) == (1, "convcli: error: 2 of 2 combinations have no answer\n")
    assert {row["error"] for row in json.loads(out)["rows"]} == {"kernel_size must be at least 1, got 0"}
    for form in ("table", "csv", "markdown", "value"):
        assert call(command, "--n", "7", "--k", "0", "--s", "1,2", "--format", form).code == 1
        assert call(command, "--n", "7,8x8", "--in", "1,2", "--k", "0", "--format", form).code == 1
    assert call(command, "--n", "7", "--k", "0").code == 2  # a single invalid combination is wrong usage


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("--n 9 --k 3 --in 4 --out 6 --groups 1,4,2", "out_channels 6 cannot be divided into 4 equal groups"),
        ("--n 9 --k 3 --in 2,3 --out 4 --variant depthwise", "out_channels 4 is not a multiple of in_channels 3"),
        ("--n 9 --k 3 --in 4 --out 3,4 --variant grouped", "no number of groups above 1 divides both"),
        ("--n 9 --k 3,3x3x3 --s 2x2", "--k with 3 axes and --s with 2 axes contradict each other"),
        ("--n 9,0 --k 3", "the input's height must be at least 1, got 0"),
        ("--n 1 --k 3 --p 1,9 --s 1 --transposed", "the padding crops 9 + 9 = 18 of 3 elements"),
        ("--n 9,2 --layers conv&k5,relu", "layer 1 of the chain, 'conv k5': the output would be empty"),
    ],
)  # fmt: skip
def test_each_combination_has_its_own_reason(call: Call, words: str, reason: str) -> None:
    line = [word.replace("&", " ") for word in words.split()]
    code, out, _ = call("shape", *line, "--format", "json")
    assert code == 1
    rows = json.loads(out)["rows"]
    assert len([row for row in rows if row["error"] is None]) >= 1
    assert [reason in row["error"] for row in rows if row["error"] is not None] == [True]


def test_compare_marks_them_too(call: Call) -> None:
    code, out, err = call("compare", "--n", "7", "--k", "9,3", "--format", "json")
    assert (code, err) == (1, "convcli: error: 1 of 2 combinations have no answer\n")
    rows = json.loads(out)["rows"]
    assert [row["variant"] for row in rows] == [
        None,
        "standard",
        "separable",
        "depthwise",
        "depthwise-separable",
    ]
    assert rows[0]["error"].startswith(EMPTY)


def test_a_sweep_equals_its_combinations_one_by_one(call: Call) -> None:
    code, out, _ = call("shape", *"--n 5,8 --k 2,3,7 --s 1,3 --p 0,same --format json".split())
    found = []
    for n in (5, 8):
        for k in (2, 3, 7):
            for s in (1, 3):
                for p in (0, "same"):
                    try:
                        layer = Conv(in_channels=1, out_channels=1, kernel_size=k, stride=s, padding=p)
                        found.append(list(layer.output_shape((1, n, n))[1:]))
                    except ArgumentError:
                        found.append(None)
    assert code == 1
    assert [row["output_size"] for row in json.loads(out)["rows"]] == found


MANY = ",".join(map(str, range(1, 1001)))


@pytest.mark.parametrize("command", ["shape", "params", "cost"])
def test_too_many_combinations_are_refused_before_the_first(call: Call, command: str) -> None:
    result = call(command, "--n", MANY, "--k", MANY, "--s", MANY, "--p", MANY)
    assert (result.code, result.out) == (2, "")
    assert one_error(result) == (
        "1,000,000,000,000 combinations of options are over the limit of 100,000; give fewer values at a time, or "
        "raise it with --max-rows 1000000000000"
    )


def test_compare_counts_a_row_for_each_variant(call: Call) -> None:
    line = ["compare", "--n", MANY, "--k", "1"]
    result = call(*line, "--in", "1,2,3,4,5,6,7,8", "--all")
    assert result.code == 2
    assert one_error(result) == (
        "8,000 combinations of options of 14 rows each are over the limit of 100,000; give fewer values at a time, or "
        "raise it with --max-rows 112000"
    )
    assert call(*line, "--variant", "tiled", "--max-rows", "1999").code == 2
    assert call(*line, "--variant", "tiled", "--max-rows", "2000", "-q").code == 0


@pytest.mark.parametrize("words", [("--target", "3"), ("--layers", "relu")])
def test_the_limit_applies_to_every_calculator(call: Call, words: tuple[str, ...]) -> None:
    size = ("--n", MANY, "--in", MANY) if words[0] == "--layers" else ("--n", MANY, "--k", MANY)
    result = call("shape", *size, *words)
    assert result.code == 2
    assert "1,000,000 combinations of options are over the limit of 100,000" in one_error(result)


def test_solutions_are_limited_too(call: Call) -> None:
    line = ["--n", ",".join(map(str, range(1, 40))), "--k", "30", "--s", "1000", "--target", "1"]
    assert len(json.loads(call("shape", *line, "--format", "json").out)["rows"]) > 300
    result = call("shape", *line, "--max-rows", "300")
    assert (result.code, result.out) == (2, "")
    assert one_error(result).startswith("there are more solutions than the limit of 300 rows")


def test_the_limit_is_an_option_and_a_variable(
    call: Call, program: Callable[..., subprocess.CompletedProcess[bytes]]
) -> None:
    assert call("shape", "--n", "7", "--k", "1,2,3", "--max-rows", "3").code == 0
    assert "3 combinations of options are over the limit of 2" in one_error(
        call("shape", "--n", "7", "--k", "1,2,3", "--max-rows", "2")
    )
    assert "--max-rows" in one_error(call("shape", "--n", "7", "--k", "3", "--max-rows", "0"))
    import os

    small = program("shape", "--n", "7", "--k", "1,2,3", env={**os.environ, "CONVCLI_MAX_ROWS": "2"})
    assert small.returncode == 2
    assert b"over the limit of 2" in small.stderr
