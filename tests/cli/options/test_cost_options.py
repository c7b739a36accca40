"""convcli cost --roofline and --training, for a layer, a chain, a sweep and a network."""

import json

import pytest

from tests.conftest import Call, one_error

MACHINE = "peak=100GFLOP/s,bandwidth=20GB/s"


def answer(call: Call, *words: object) -> dict:
    code, out, err = call("cost", *words, "--format", "json")
    assert (code, err) == (0, "")
    return json.loads(out)


@pytest.mark.parametrize(
    "words",
    [
        "--n 14 --in 64 --out 64 --k 3 --p 1".split(),
        ["--n", "14", "--in", "3", "--layers", "conv k3 p1 o8, relu, maxpool k2, deform k3 p1"],
        ["resnet-18"],
    ],
)
def test_fields_are_added_and_summed(call: Call, words: list[str]) -> None:
    usual = answer(call, *words)
    found = answer(call, *words, "--roofline", MACHINE, "--training", "--optimizer", "adam", "--batch", "1")
    for before, row in zip(usual["rows"], found["rows"], strict=True):
        assert before.items() <= row.items()
        moved = before["parameter_bytes"] + before["activation_bytes"]
        assert row["least_seconds"] == pytest.approx(max(before["flops"] / 1e11, moved / 2e10))
        assert row["training_flops"] == 3 * before["flops"]
        assert row["optimizer_bytes"] == 2 * row["gradient_bytes"] == 8 * before["params"]
    for name in ("least_seconds", "training_flops", "training_bytes", "stored_activation_bytes"):
        assert found["totals"][name] == pytest.approx(sum(row[name] for row in found["rows"]))


def test_a_sweep_has_them_too(call: Call) -> None:
    rows = answer(call, "--n", "7,14", "--k", "3", "--roofline", MACHINE)["rows"]
    assert [row["bound"] for row in rows] == ["memory", "memory"]
    out = call("cost", "--n", "7,14", "--k", "3", "--roofline", MACHINE).out
    assert "least seconds" in out.splitlines()[0]


def test_the_lines_below_are_labelled(call: Call) -> None:
    out = call("cost", "resnet-18", "--roofline", MACHINE, "--training").out
    assert (
        "roofline: 100 GFLOP/s and 20 GB/s: layers of at least 5 FLOPs per byte are limited by compute, the others by memory"
        in out
    )
    assert "the longest: " in out
    assert "one training step: " in out
    assert " of state of sgd, " in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--roofline", "peak=1"], "the roofline needs the bandwidth"),
        (["--optimizer", "adam"], "--optimizer applies only to --training; give both"),
        (["--training", "--optimizer", "lion"], "'lion' is not one of 'sgd', 'momentum', 'adam'"),
    ],
)
def test_what_is_refused(call: Call, words: list[str], message: str) -> None:
    result = call("cost", "--n", "7", "--k", "3", *words)
    assert message in one_error(result)
    assert result.code == 2


def test_sizes_beyond_any_float_are_answered(call: Call) -> None:
    huge = "9" * 200
    code, out, err = call(
        "cost", "--n", f"{huge}x{huge}", "--k", "1", "--roofline", MACHINE, "--training", "--format", "json"
    )
    assert (code, err) == (0, "")
    assert json.loads(out)["rows"][0]["least_seconds"] == "inf"
    code, out, err = call("cost", "resnet-18", "--input", f"3x{huge}x{huge}", "--roofline", MACHINE)
    assert (code, err) == (0, "")
