"""convcli params, cost and compare: the published figures, and the design's formulas."""

import json
import shlex
from fractions import Fraction

import pytest

from convcli.layers.variants import VARIANTS
from tests.conftest import Call, one_error


def rows(call: Call, line: str) -> list[dict]:
    code, out, err = call(*shlex.split(line), "--format", "json")
    assert (code, err) == (0, "")
    return json.loads(out)["rows"]


def test_the_three_meanings_of_flops(call: Call) -> None:
    """The three numbers that fvcore, torchinfo and PyTorch give for the first layer of a ResNet."""
    line = "cost --n 224 --in 3 --out 64 --k 7 --s 2 --p 3"
    (row,) = rows(call, line)
    assert row["macs"] == 118_013_952
    assert row["flops"] == 236_027_904 + 64 * 112 * 112
    out = call(*line.split()).out
    assert "118,013,952: multiply-adds of weights (macs here, fvcore's flops)" in out
    assert "118,816,768: with one more per bias (torchinfo's mult-adds)" in out
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
        "depthwise 128x112x112 1,280 0.01733 14,450,688 0.01562 30,507,008 0.01648".split(),
        "depthwise-separable 128x112x112 8,896 0.1205 109,985,792 0.1189 221,577,216 0.1197".split(),
    ]
    assert lines[7].startswith("standard: Every output channel")
    row = rows(call, f"{line} --variant separable")[1]
    assert (row["additions"], row["additions_ratio"]) == (461_619_200, 461_619_200 / 924_844_032)


def test_a_value_of_one_variant_is_one_number(call: Call) -> None:
    line = "compare --n 14 --in 512 --out 512 --k 3 --p 1 --variant depthwise-separable --format value"
    assert float(call(*line.split()).out) == pytest.approx(1 / 512 + 1 / 9)


def test_rows_of_several_layers_show_the_chain(call: Call) -> None:
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


def test_activation_and_pool_are_counted_with_every_variant(call: Call) -> None:
    """The same as the chain of --layers."""
    line = "--n 12 --in 4 --out 8 --k 3 --p 1"
    chain = "conv k3x3 p1 o8, gelu, avgpool k3x3 s2 nopad"
    found = rows(call, f"compare {line} --activation gelu --pool avg:3,stride=2 --variants standard,dilated")
    costs = rows(call, f"cost --n 12 --in 4 --layers '{chain}'")
    assert found[0]["layer"] == chain
    assert found[0]["output_shape"] == [8, 5, 5]
    for count in ("params", "macs", "flops", "comparisons", "transcendentals"):
        assert found[0][count] == sum(row[count] for row in costs), count
    assert found[1]["layer"] == "conv k3x3 p1 d2 o8, gelu, avgpool k3x3 s2 nopad"
    assert found[1]["flops_ratio"] == found[1]["flops"] / found[0]["flops"]


def test_a_pool_that_does_not_fit_is_reported(call: Call) -> None:
    line = "compare --n 12 --k 3".split()
    for pool, message in {
        "max": "--pool max needs a size, for example max:2",
        "mix:2": "--pool: there is no 'mix'; did you mean 'max'?",
        "max:99": "the output would be empty: along the height the kernel spans 99",
        "max:2x2x2": "kernel_size 2x2x2 has 3 axes where 2 are needed",
    }.items():
        result = call(*line, "--pool", pool)
        assert result.code == 2
        assert one_error(result).startswith(message)
    assert "did you mean 'relu'?" in one_error(call(*line, "--activation", "rely"))
    assert "dense is left out: the input size () has 0 axes" in call(*line, "--pool", "max:2", "--all").out


@pytest.mark.parametrize("name", VARIANTS)
@pytest.mark.parametrize("command", ["shape", "params", "cost"])
def test_every_variant_in_every_command(call: Call, command: str, name: str) -> None:
    whole = {row["variant"]: row for row in rows(call, "compare --n 12 --in 4 --out 8 --k 3 --p 1 --all")}[
        name
    ]
    own = {"pointwise": "", "resize-conv": "--k 3"}.get(name, "--k 3 --p 1")
    parts = rows(call, f"{command} --n 12 --in 4 --out 8 {own} --variant {name}")
    assert {row["variant"] for row in parts} == {name}
    assert sum(row["macs"] for row in parts) == whole["macs"]
    assert sum(row["params"] for row in parts) == whole["params"]
    assert parts[-1]["output_shape"] == whole["output_shape"]


def test_a_variant_that_the_layer_cannot_have_is_left_out_with_a_note(call: Call) -> None:
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


@pytest.mark.parametrize(
    ("line", "params"),
    [
        (["--in", "3", "--layers", "conv k3 o8, relu, conv k3 o16"], (3 * 8 * 9 + 8) + (8 * 16 * 9 + 16)),
        (["--in", "3", "--layers", "conv k7 s2 o8, bn, maxpool k3, dwconv k3 o16, shuffle g2, tiled k1"],
         (3 * 8 * 49 + 8) + 16 + (16 * 9 + 16) + 4 * (16 * 16 + 16)),
        (["--in", "3", "--layers", "conv k3 o8, convT k2 s2 os9 o4, upsample, deform k1 o2"],
         (3 * 8 * 9 + 8) + (8 * 4 * 4 + 4) + (4 * 2 + 2) + (4 * 2 + 2)),
        (["--in", "3", "--layers", "conv k3 o8, globalavgpool, flatten, dense o10"], (3 * 8 * 9 + 8) + 90),
        (["--in", "3", "--layers", "adaptivemaxpool o2x3, flatten, bn, dense o10"], 36 + 190),
        (["--in", "3", "--layers", "resize o4, flatten, dense o1"], 49),
        (["--in", "3", "--dims", "3", "--layers", "conv k3 o8"], 3 * 8 * 27 + 8),
        (["--in", "3", "--layers", "flatten, relu"], 0),
        (["--in", "3", "--out", "5", "--variant", "pointwise"], 20),
        (["--in", "3", "--out", "5", "--variant", "pointwise", "--no-bias", "--dims", "1"], 15),
    ],
)  # fmt: skip
def test_params_need_no_size_that_no_weight_depends_on(call: Call, line: list[str], params: int) -> None:
    assert call("params", *line, "--format", "value").out == f"{params}\n"
    sized = call("params", *line, "--n", "6" if "os9" in line[-1] else "64", "--format", "value").out
    assert "os9" in line[-1] or sized == f"{params}\n"
    assert f"{params:,}" in call("params", *line).out or params == 0


@pytest.mark.parametrize(
    ("chain", "message"),
    [
        ("conv k3, flatten, dense o3", "layer 3 of the chain, 'dense o3': the weights of dense depend on the input size; give --n"),
        ("conv k3, local k3", "layer 2 of the chain, 'local k3': the weights of local depend on the input size; give --n"),
        ("conv k3, dense o3", "layer 2 of the chain, 'dense o3': a dense layer takes a vector, the input has 2 spatial axes; flatten it first"),
        ("conv k3, flatten, bn", "layer 3 of the chain, 'bn': the weights of bn depend on the input size; give --n"),
        ("conv k3, flatten, conv k3", "layer 3 of the chain, 'conv k3': it needs spatial axes to slide over, the input is a vector"),
        ("conv k3 o8, shuffle g3", "the input's 8 channels cannot be divided into 3 equal groups"),
        ("conv k3x3x3", "kernel_size 3x3x3 has 3 axes where 2 are needed"),
    ],
)  # fmt: skip
def test_params_of_a_chain_name_the_layer_that_needs_a_size(call: Call, chain: str, message: str) -> None:
    result = call("params", "--in", "3", "--layers", chain)
    assert result.code == 2
    assert message in one_error(result)


def test_statistics_of_batch_normalisation_are_stored_and_not_learned(call: Call) -> None:
    line = ["--in", "3", "--layers", "conv k3 o8 nobias, bn, bn"]
    found = rows_of(call, "params", *line)
    assert [row["buffers"] for row in found] == [0, 16, 16]
    assert [row["params"] for row in found] == [216, 16, 16]
    assert [row["parameter_bytes"] for row in found] == [4 * 216, 4 * 32, 4 * 32]
    answer = json.loads(call("cost", *line, "--n", "5", "--format", "json", "--dtype", "float16").out)
    assert (answer["totals"]["params"], answer["totals"]["buffers"]) == (248, 32)
    assert answer["totals"]["parameter_bytes"] == 2 * 280
    out = call("params", *line).out
    assert out.splitlines()[0].split() == "name layer weights biases params buffers parameter bytes".split()
    assert out.splitlines()[5].split() == "total 232 16 248 32 1,120".split()
    assert "bn1, 8 weights, + 8 biases = 16; 16 buffers, stored but not learned" in out
    assert "1,120 bytes of parameters and buffers" in call("cost", *line, "--n", "5").out
    assert "buffers" not in call("params", "--in", "3", "--k", "3").out


@pytest.mark.parametrize("variant", ["standard", "depthwise-separable", "transposed", "dense"])
def test_the_lines_below_a_batch_are_of_the_batch(call: Call, variant: str) -> None:
    line = f"--n 8 --in 4 --out 8 --k 3 --variant {variant}".split()
    found = rows_of(call, "cost", *line, "--batch", "4")
    one, batch = (call("cost", *line, "--batch", count).out for count in ("1", "4"))
    for row in found:
        if row["macs"]:
            assert "batch of 4 * " in batch
            assert f" = {row['macs']:,} macs" in batch
            assert f"{2 * row['macs']:,}: a multiplication and an addition each" in batch
            assert f" = {row['macs'] // 4:,} macs" in one
    assert f"{sum(row['activation_bytes'] for row in found):,} of activations" in batch
    assert "batch of" not in one


def rows_of(call: Call, *words: str) -> list[dict]:
    code, out, err = call(*words, "--format", "json")
    assert (code, err) == (0, "")
    return json.loads(out)["rows"]


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
    assert "also: 7,200 comparisons, 0 transcendental functions" in out


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
        ("cost --n 7x7 --dims 3 --layers relu", "--dims 3 and --n with 2 axes contradict each other"),
        ("cost --n 7 --k 3 --dims 33", "Invalid value for '--dims'"),
        ("cost --n 7 --k 3 --batch 0", "Invalid value for '--batch'"),
        ("cost --n 7 --k 3 --dtype float64", "'float64' is not one of 'float32', 'float16', 'int8'"),
    ],
)
def test_errors(call: Call, line: str, message: str) -> None:
    result = call(*line.split())
    assert result.code == 2
    assert message in one_error(result)
