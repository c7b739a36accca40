"""convcli params, cost and compare: the published figures, and the design's formulas."""

import json
from fractions import Fraction

import pytest

from convcli.layers.variants import VARIANTS
from tests.conftest import Call, one_error


def rows(call: Call, line: str) -> list[dict]:
    code, out, err = call(*line.split(), "--format", "json")
    assert (code, err) == (0, "")
    return json.loads(out)["rows"]


def test_what_one_word_hides(call: Call) -> None:
    """The three numbers that fvcore, torchinfo and PyTorch give for the first layer of a ResNet."""
    line = "cost --n 224 --in 3 --out 64 --k 7 --s 2 --p 3"
    (row,) = rows(call, line)
    assert row["macs"] == 118_013_952
    assert row["flops"] == 236_027_904 + 64 * 112 * 112
    out = call(*line.split()).out
    assert "118,013,952: multiply-adds of weights (macs here, fvcore's flops)" in out
    assert "118,816,768: with one more for each bias (torchinfo's mult-adds)" in out
    assert "236,027,904: a multiplication and an addition each (PyTorch's flop counter)" in out
    assert call(*line.split(), "--format", "value").out == "118013952\n"


def test_mobilenets_layer(call: Call) -> None:
    """MobileNets (arXiv 1704.04861), Table 3."""
    found = {
        row["variant"]: row for row in rows(call, "compare --n 14 --in 512 --out 512 --k 3 --p 1 --no-bias")
    }
    assert list(found) == ["standard", "separable", "depthwise", "depthwise-separable"]
    assert (found["standard"]["macs"], found["standard"]["weights"]) == (462_422_016, 2_359_296)
    assert (found["depthwise-separable"]["macs"], found["depthwise-separable"]["weights"]) == (
        52_283_392,
        266_752,
    )
    assert found["depthwise-separable"]["ratio"] == float(Fraction(1, 512) + Fraction(1, 9))
    assert found["depthwise-separable"]["params_ratio"] == 266_752 / 2_359_296


def test_the_compare_table(call: Call) -> None:
    line = "compare --n 112 --in 64 --out 128 --k 3 --p 1"
    lines = call(*line.split()).out.splitlines()
    assert [line.split() for line in lines[2:6]] == [
        "standard 128x112x112 73,856 1 924,844,032 1 1,851,293,696 1".split(),
        "separable 128x112x112 36,992 0.5009 462,422,016 0.5 926,449,664 0.5004".split(),
        "depthwise 64x112x112 640 0.008666 7,225,344 0.007812 15,253,504 0.008239".split(),
        "depthwise-separable 128x112x112 8,896 0.1205 109,985,792 0.1189 221,577,216 0.1197".split(),
    ]
    assert lines[7].startswith("standard: Every output channel")
    row = rows(call, f"{line} --variant separable")[1]
    assert (row["additions"], row["additions_ratio"]) == (461_619_200, 461_619_200 / 924_844_032)


def test_a_bare_question_about_one_variant_gets_one_answer(call: Call) -> None:
    line = "compare --n 14 --in 512 --out 512 --k 3 --p 1 --variant depthwise-separable --format value"
    assert float(call(*line.split()).out) == pytest.approx(1 / 512 + 1 / 9)


def test_rows_of_several_layers_spell_the_chain(call: Call) -> None:
    row = rows(call, "compare --n 12 --in 4 --out 8 --k 3 --s 2 --p 1 --variant depthwise-separable")[1]
    assert row["layer"] == "dwconv k3x3 s2 p1 nobias, conv k1x1 o8"
    assert row["name"] is row["padding"] is row["kernel_size"] is row["stride"] is None
    assert (row["input_shape"], row["output_shape"]) == ([4, 12, 12], [8, 6, 6])


@pytest.mark.parametrize("command", ["params", "cost", "compare"])
def test_a_sweep_over_channels_shows_them(call: Call, command: str) -> None:
    lines = call(*f"{command} --n 8,9 --in 3,64 --out 8 --k 3".split()).out.splitlines()
    assert lines[0].split()[:4] == ["in", "channels", "input", "size"]
    assert len({line for line in lines[2:] if line}) == len([line for line in lines[2:] if line])


def test_ratios_beyond_floats_are_whole_numbers(call: Call) -> None:
    huge = "1" + "0" * 250
    found = rows(call, f"compare --n {huge} --k 3 --variant dense")
    assert found[1]["params_ratio"] == found[1]["params"] // found[0]["params"]


def test_numbers_of_any_length_are_written(call: Call) -> None:
    huge = "1" + "0" * 299
    assert (
        call("params", "--k", huge, "--dims", "20", "--no-bias", "--format", "value").out
        == "1" + "0" * (299 * 20) + "\n"
    )


@pytest.mark.parametrize(("n", "m"), [(9, 3), (64, 5), (7, 7)])
def test_separable_on_one_channel(call: Call, n: int, m: int) -> None:
    found = {row["variant"]: row for row in rows(call, f"compare --n {n} --k {m}")}
    out = n - m + 1
    assert found["standard"]["multiplications"] == out**2 * m**2
    assert found["separable"]["multiplications"] == out * n * m + out**2 * m


def test_sharing_and_sparseness(call: Call) -> None:
    """M inputs and n outputs: dense has m * n weights, local k * n, standard k (Goodfellow et al., section 9.2)."""
    found = {
        row["variant"]: row for row in rows(call, "compare --n 6 --k 3 --no-bias --variants dense,local")
    }
    assert list(found) == ["standard", "dense", "local"]
    assert [found[name]["weights"] for name in ("dense", "local", "standard")] == [36 * 16, 9 * 16, 9]


def test_all_variants(call: Call) -> None:
    found = rows(call, "compare --n 12 --in 4 --out 8 --k 3 --p 1 --all")
    assert [row["variant"] for row in found] == list(VARIANTS)
    for row in found:
        assert row["ratio"] == row["macs"] / found[0]["macs"]


@pytest.mark.parametrize("name", VARIANTS)
@pytest.mark.parametrize("command", ["shape", "params", "cost"])
def test_every_variant_in_every_command(call: Call, command: str, name: str) -> None:
    whole = {row["variant"]: row for row in rows(call, "compare --n 12 --in 4 --out 8 --k 3 --p 1 --all")}[
        name
    ]
    parts = rows(call, f"{command} --n 12 --in 4 --out 8 --k 3 --p 1 --variant {name}")
    assert {row["variant"] for row in parts} == {name}
    assert sum(row["macs"] for row in parts) == whole["macs"]
    assert sum(row["params"] for row in parts) == whole["params"]
    assert parts[-1]["output_shape"] == whole["output_shape"]


def test_a_variant_that_the_layer_cannot_have_is_left_out_with_a_word(call: Call) -> None:
    code, out, _ = call(*"compare --n 12 --in 3 --out 4 --k 3 --variants grouped,tiled".split())
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()[2:4]] == ["standard", "tiled"]
    assert (
        "grouped is left out: no number of groups above 1 divides both in_channels 3 and out_channels 4"
        in out
    )


def test_a_sweep_in_compare_names_its_layers(call: Call) -> None:
    found = rows(call, "compare --n 12 --k 3,5 --variants separable")
    assert [(row["variant"], row["layer"]) for row in found] == [
        ("standard", "conv k3x3 o1"),
        ("separable", "conv k3x1 o1 nobias, conv k1x3 o1"),
        ("standard", "conv k5x5 o1"),
        ("separable", "conv k5x1 o1 nobias, conv k1x5 o1"),
    ]


def test_params_need_no_size(call: Call) -> None:
    (row,) = rows(call, "params --in 64 --out 128 --k 3")
    assert (row["weights"], row["biases"], row["params"], row["parameter_bytes"]) == (
        73_728,
        128,
        73_856,
        295_424,
    )
    assert call(*"params --in 64 --out 128 --k 3 --format value".split()).out == "73856\n"
    assert call(*"params --in 64 --out 64,128 --k 3 --no-bias --format value".split()).out == "36864\n73728\n"
    assert (
        "128 * 64 / 1 * 3*3 = 73,728 weights, + 128 biases = 73,856"
        in call(*"params --in 64 --out 128 --k 3".split()).out
    )
    separable = call(
        *"params --in 512 --out 512 --k 3 --no-bias --variant depthwise-separable --format value".split()
    )
    assert separable.out == "266752\n"


def test_batch_and_dtype(call: Call) -> None:
    (one,) = rows(call, "cost --n 9 --in 2 --out 3 --k 3")
    (many,) = rows(call, "cost --n 9 --in 2 --out 3 --k 3 --batch 5 --dtype float16")
    for name in ("macs", "flops", "additions", "multiplications"):
        assert many[name] == 5 * one[name]
    assert many["params"] == one["params"] == 57
    assert (one["parameter_bytes"], many["parameter_bytes"]) == (4 * 57, 2 * 57)
    assert one["activation_bytes"] == 4 * (2 * 81 + 3 * 49)
    assert many["activation_bytes"] == 5 * 2 * (2 * 81 + 3 * 49)
    assert one["arithmetic_intensity"] == one["flops"] / (one["parameter_bytes"] + one["activation_bytes"])


def test_totals_sum_a_chain(call: Call) -> None:
    answer = json.loads(
        call(
            "cost", "--n", "32", "--in", "3", "--layers", "conv k3 o8, relu, conv k3 o8", "--format", "json"
        ).out
    )
    for name in ("params", "macs", "flops", "activation_bytes"):
        assert answer["totals"][name] == sum(row[name] for row in answer["rows"])
    out = call("cost", "--n", "32", "--in", "3", "--layers", "conv k3 o8, relu, conv k3 o8").out
    assert out.splitlines()[5].split()[0] == "total"
    assert "besides: 7,200 comparisons, 0 transcendentals" in out


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("cost --k 3", "the input size is missing; give --n"),
        ("compare --k 3", "the input size is missing; give --n"),
        ("compare --n 7 --layers relu", "No such option '--layers'"),
        ("compare --n 7 --k 3 --variants tilde", "there is no variant 'tilde'; did you mean 'tiled'?"),
        ("compare --n 7 --k 3 --variants qqq", "there is no variant 'qqq'; use standard, separable"),
        ("params --k 3 --variant local", "the weights of local depend on the input size; give --n"),
        ("params --k 3 --variant dense", "the weights of dense depend on the input size; give --n"),
        ("compare --n 7 --k 3 --all --variants tiled", "--all and --variants contradict each other"),
        ("compare --n 7 --k 3 --transposed", "No such option '--transposed'"),
        ("cost --n 7x7 --dims 3 --layers relu", "--dims 3 and --n with 2 axes do not fit together"),
        ("cost --n 7 --k 3 --dims 33", "Invalid value for '--dims'"),
        ("cost --n 7 --k 3 --batch 0", "Invalid value for '--batch'"),
        ("cost --n 7 --k 3 --dtype float64", "'float64' is not one of 'float32', 'float16', 'int8'"),
    ],
)
def test_wrong_questions(call: Call, line: str, message: str) -> None:
    result = call(*line.split())
    assert result.code == 2
    assert message in one_error(result)
