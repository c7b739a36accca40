import json

import pytest

from convcli.errors import ArgumentError
from convcli.layers import VARIANTS, Conv, Cost
from convcli.layers.chain import shapes, total_cost
from convcli.layers.text.chain_grammar import parse_chain
from convcli.networks.rows import SUMMED, rows, totals

KEYS = [
    "name", "layer", "variant", "input_shape", "output_shape", "padding", "kernel_size", "stride", "dilation",
    "groups", "params", "weights", "biases", "buffers", "multiplications", "additions", "macs", "flops", "comparisons",
    "transcendentals", "parameter_bytes", "activation_bytes", "arithmetic_intensity", "receptive_field",
    "effective_stride", "effective_padding", "start", "inputs", "shares_with",
]  # fmt: skip
SHAPE = (3, 224, 224)
CHAIN = parse_chain(
    "conv k7 s2 p3 o64 nobias, bn, relu, maxpool k3 s2 p1, globalavgpool, flatten, dense o10", SHAPE
)


def test_a_row_has_the_fields_of_the_layer():
    (row,) = rows(parse_chain("conv k7 s2 p3 o64", SHAPE), SHAPE, variant="standard")
    assert list(row) == KEYS
    moved = 4 * (9472 + 3 * 224 * 224 + 64 * 112 * 112)
    assert row == {
        "name": "conv1", "layer": "conv k7x7 s2 p3 o64", "variant": "standard", "input_shape": [3, 224, 224],
        "output_shape": [64, 112, 112], "padding": [[3, 3], [3, 3]], "kernel_size": [7, 7], "stride": [2, 2],
        "dilation": [1, 1], "groups": 1, "params": 9472, "weights": 9408, "biases": 64,
        "buffers": 0, "multiplications": 118013952, "additions": 118013952, "macs": 118013952, "flops": 236830720,
        "comparisons": 0, "transcendentals": 0, "parameter_bytes": 4 * 9472,
        "activation_bytes": moved - 4 * 9472, "arithmetic_intensity": 236830720 / moved,
        "receptive_field": [7, 7], "effective_stride": [2, 2], "effective_padding": [3, 3],
        "start": [0.5, 0.5], "inputs": ["input"], "shares_with": None,
    }  # fmt: skip


def test_layers_without_a_window_have_no_receptive_field():
    made = rows(CHAIN, SHAPE)
    assert [row["name"] for row in made] == [
        "conv1", "bn1", "relu1", "maxpool1", "globalavgpool1", "flatten1", "dense1"
    ]  # fmt: skip
    for row in made:
        assert list(row) == KEYS
        windowed = row["name"] in ("conv1", "maxpool1")
        assert all(
            (row[key] is not None) == windowed for key in ("padding", "kernel_size", "stride", "dilation")
        )
    assert [tuple(row["output_shape"]) for row in made] == shapes(CHAIN, SHAPE)
    assert [row["input_shape"] for row in made[1:]] == [row["output_shape"] for row in made[:-1]]
    assert made[3]["groups"] is None
    assert made[-1]["effective_stride"] == [None, None]


def test_rows_are_ready_for_json():
    text = "deform k3 p1 o8, convT k4 s2 p1, resize x3 bilinear, adaptivemaxpool o7x5, lppool k2, softmax"
    made = rows(parse_chain(text, SHAPE), SHAPE)
    assert json.loads(json.dumps(made, allow_nan=False)) == made
    up = rows(parse_chain("upsample, conv k3 p1", SHAPE), SHAPE)
    assert up[1]["effective_stride"] == [0.5, 0.5]
    assert up[1]["receptive_field"] == [2, 2]


def test_a_branch_has_a_row_and_the_chain_continues():
    conv = Conv(in_channels=3, out_channels=8, kernel_size=3, padding=1)
    branch, deform = rows(VARIANTS["deformable"](conv, SHAPE), SHAPE)
    assert (branch["name"], branch["layer"]) == ("branch1", "branch conv k3x3 p1 o18")
    assert branch["output_shape"] == [18, 224, 224]
    assert branch["receptive_field"] == [3, 3]
    assert deform["input_shape"] == [3, 224, 224]
    assert deform["output_shape"] == [8, 224, 224]
    assert deform["receptive_field"] == [None, None]


def test_totals_sum_the_counts():
    made = rows(CHAIN, SHAPE)
    sums = totals(made)
    assert list(sums) == [*SUMMED, "arithmetic_intensity"]
    for key in SUMMED:
        assert sums[key] == sum(row[key] for row in made)
    cost = total_cost(CHAIN, SHAPE)
    assert {key: sums[key] for key in vars(cost)} == vars(cost)
    assert sums["arithmetic_intensity"] == cost.flops / (sums["parameter_bytes"] + sums["activation_bytes"])
    assert totals([])["macs"] == 0
    assert totals([])["arithmetic_intensity"] is None
    assert total_cost((), SHAPE) == Cost()


def test_a_batch_multiplies_work_and_activations_not_parameters():
    (one,) = rows(CHAIN[:1], SHAPE)
    (eight,) = rows(CHAIN[:1], SHAPE, batch=8, dtype="float16")
    for key in ("multiplications", "additions", "macs", "flops"):
        assert eight[key] == 8 * one[key]
    assert eight["params"] == one["params"]
    assert eight["parameter_bytes"] * 2 == one["parameter_bytes"]
    assert eight["activation_bytes"] * 2 == 8 * one["activation_bytes"]
    with pytest.raises(ArgumentError, match="there is no dtype 'float64'; choose one of"):
        rows(CHAIN, SHAPE, dtype="float64")
    with pytest.raises(ArgumentError, match="batch must be at least 1, got 0"):
        rows(CHAIN, SHAPE, batch=0)


def test_names_may_be_given():
    assert [row["name"] for row in rows(CHAIN[:2], SHAPE, names=["stem", "norm"])] == ["stem", "norm"]


# Published counts: parameters with biases, multiply-adds of convolutions and dense layers.
def figures(text, shape):
    sums = totals(rows(parse_chain(text, shape), shape))
    return sums["params"], sums["macs"]


def test_lenet_5():
    text = (
        "conv k5 o6, tanh, avgpool k2, conv k5 o16, tanh, avgpool k2, conv k5 o120, tanh, flatten, "
        "dense o84, tanh, dense o10"
    )
    assert figures(text, (1, 32, 32)) == (61_706, 416_520)


def test_alexnet():
    text = (
        "conv k11 s4 p2 o64, relu, maxpool k3 s2, conv k5 p2 o192, relu, maxpool k3 s2, "
        "conv k3 p1 o384, relu, "
        "conv k3 p1 o256, relu, conv k3 p1 o256, relu, maxpool k3 s2, adaptiveavgpool o6, flatten, "
        "dense o4096, relu, dense o4096, relu, dense o1000"
    )
    params, macs = figures(text, SHAPE)
    assert params == 61_100_840
    assert round(macs / 1e9, 3) == 0.714


def test_vgg_16():
    blocks = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
    convs = ", ".join(", ".join([f"conv k3 p1 o{o}, relu"] * n) + ", maxpool k2" for o, n in blocks)
    params, macs = figures(f"{convs}, flatten, dense o4096, relu, dense o4096, relu, dense o1000", SHAPE)
    assert params == 138_357_544
    assert round(macs / 1e9, 3) == 15.470


def mobilenet(norm=""):
    blocks = [
        (64, 1),
        (128, 2),
        (128, 1),
        (256, 2),
        (256, 1),
        (512, 2),
        *[(512, 1)] * 5,
        (1024, 2),
        (1024, 1),
    ]
    separable = (f"dwconv k3 s{s} same nobias{norm}, conv k1 o{o} nobias{norm}" for o, s in blocks)
    return f"conv k3 s2 same o32 nobias{norm}, " + ", ".join(separable)


def test_mobilenet_v1():
    assert figures(mobilenet(), SHAPE) == (3_185_088, 567_716_352)
    keras = parse_chain(f"{mobilenet(', bn')}, globalavgpool, flatten, dense o1000", SHAPE)
    assert sum(layer.params() + layer.buffers() for layer in keras) == 4_253_864
    assert round(total_cost(keras, SHAPE).macs / 1e6) == 569
