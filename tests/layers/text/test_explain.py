import pytest

from convcli.layers import (
    AvgPool,
    BatchNorm,
    Conv,
    ConvTranspose,
    DeformConv,
    Dense,
    Flatten,
    LocalConv,
    MaxPool,
    TiledConv,
)
from convcli.layers.text.chain_grammar import parse_chain
from convcli.layers.text.explain import flops_lines, macs_lines, params_lines, size_lines, unused_lines

RESNET = Conv(in_channels=3, out_channels=64, kernel_size=7, stride=2, padding=3)
SHAPE = (3, 224, 224)


def test_size_puts_the_numbers_in():
    conv = Conv(
        in_channels=1, out_channels=1, kernel_size=(3, 5), stride=2, padding=((1, 1), (0, 3)), dilation=2
    )
    assert size_lines(conv, (1, 7, 9)) == [
        "height: floor((7 + 1 + 1 - 2*(3 - 1) - 1) / 2) + 1 = 3",
        "width: floor((9 + 0 + 3 - 2*(5 - 1) - 1) / 2) + 1 = 2",
    ]


def test_size_shows_the_pads_that_same_uses():
    conv = Conv(in_channels=1, out_channels=1, kernel_size=3, stride=2, padding="same", dims=1)
    assert size_lines(conv, (1, 8)) == ["length: floor((8 + 0 + 1 - 1*(3 - 1) - 1) / 2) + 1 = 4"]


def test_size_of_a_transposed_layer_has_its_own_formula():
    up = ConvTranspose(
        in_channels=1, out_channels=1, kernel_size=3, stride=2, padding=1, output_padding=1, dims=1
    )
    assert size_lines(up, (1, 3)) == ["length: 2*(3 - 1) + 1*(3 - 1) + 1 + 1 - 1 - 1 = 6"]
    assert unused_lines(up, (1, 3)) == []


def test_size_with_ceil_mode_says_when_a_window_is_dropped():
    assert size_lines(MaxPool(kernel_size=3, stride=2, ceil_mode=True, dims=1), (1, 6)) == [
        "length: ceil((6 + 0 + 0 - 1*(3 - 1) - 1) / 2) + 1 = 3"
    ]
    assert size_lines(AvgPool(kernel_size=1, stride=3, ceil_mode=True, dims=1), (1, 5)) == [
        "length: ceil((5 + 0 + 0 - 1*(1 - 1) - 1) / 3) + 1 = 3, less 1 that would start beyond the input = 2"
    ]


@pytest.mark.parametrize(("n", "padding", "padded", "real"), [(6, 0, 6, 1), (6, 1, 8, 0)])
def test_unused_elements_are_reported(n, padding, padded, real):
    conv = Conv(in_channels=1, out_channels=1, kernel_size=3, stride=2, padding=padding, dims=1)
    assert unused_lines(conv, (1, n)) == [
        f"length: 1 of {padded} padded elements at the end are not used, {real} of them of the input; "
        "the stride 2 does not fit"
    ]
    assert unused_lines(conv, (1, 7)) == []


def test_layers_without_a_window_have_no_size_formula():
    assert size_lines(Flatten(), SHAPE) == []
    assert unused_lines(Flatten(), SHAPE) == []


def test_params():
    options = {"in_channels": 64, "out_channels": 128, "kernel_size": 3}
    assert params_lines(Conv(**options)) == ["128 * 64 / 1 * 3*3 = 73,728 weights, + 128 biases = 73,856"]
    assert params_lines(Conv(**options, groups=64, bias=False)) == [
        "128 * 64 / 64 * 3*3 = 1,152 weights, + 0 biases = 1,152"
    ]
    assert params_lines(LocalConv(**options, input_size=(5, 6), bias=False)) == [
        "3*4 positions * 128 * 64 / 1 * 3*3 = 884,736 weights, + 0 biases = 884,736"
    ]
    assert params_lines(TiledConv(**options)) == [
        "2*2 tiles * 128 * 64 / 1 * 3*3 = 294,912 weights, + 512 biases = 295,424"
    ]
    assert params_lines(Dense(in_features=10, out_features=3)) == ["3 * 10 = 30 weights, + 3 biases = 33"]
    assert params_lines(MaxPool(kernel_size=2)) == ["no parameters"]


def test_macs():
    assert macs_lines(RESNET, SHAPE) == ["64*112*112 outputs * 3 / 1 * 7*7 weights each = 118,013,952 macs"]
    up = ConvTranspose(in_channels=8, out_channels=4, kernel_size=3, stride=2, groups=2)
    assert macs_lines(up, (8, 5, 6)) == ["8*5*6 inputs * 4 / 2 * 3*3 weights each = 4,320 macs"]
    assert macs_lines(Dense(in_features=10, out_features=3), (10,)) == [
        "3 outputs * 10 weights each = 30 macs"
    ]
    assert macs_lines(MaxPool(kernel_size=2), SHAPE) == ["no multiply-adds of weights"]


def test_macs_of_a_batch():
    assert macs_lines(RESNET, SHAPE, batch=2) == [
        "batch of 2 * 64*112*112 outputs * 3 / 1 * 7*7 weights each = 236,027,904 macs"
    ]
    up = ConvTranspose(in_channels=8, out_channels=4, kernel_size=3, stride=2, groups=2)
    assert macs_lines(up, (8, 5, 6), 3) == [
        "batch of 3 * 8*5*6 inputs * 4 / 2 * 3*3 weights each = 12,960 macs"
    ]
    assert macs_lines(Dense(in_features=10, out_features=3), (10,), 1000) == [
        "batch of 1,000 * 3 outputs * 10 weights each = 30,000 macs"
    ]


def test_the_three_things_that_others_call_flops():
    assert flops_lines(RESNET, SHAPE) == [
        "118,013,952: multiply-adds of weights (macs here, fvcore's flops)",
        "118,816,768: with one more per bias (torchinfo's mult-adds)",
        "236,027,904: a multiplication and an addition each (PyTorch's flop counter)",
    ]
    plain = Conv(in_channels=3, out_channels=64, kernel_size=7, stride=2, padding=3, bias=False)
    assert flops_lines(plain, SHAPE) == [
        "118,013,952: multiply-adds of weights (macs here, fvcore's flops, torchinfo's mult-adds)",
        "236,027,904: a multiplication and an addition each (PyTorch's flop counter)",
    ]
    assert flops_lines(MaxPool(kernel_size=2), SHAPE) == []


def conv(kind=Conv, **options):
    return kind(**{"in_channels": 4, "out_channels": 6, "kernel_size": 3} | options)


UP = {"kind": ConvTranspose, "kernel_size": 4, "stride": 2, "padding": 1}
WIDE = (4, 9, 8)


# The counts of fvcore 0.1.5, torchinfo 1.8 and PyTorch 2.13's flop counter for each layer and a batch of 5.
@pytest.mark.parametrize(
    ("layer", "shape", "fvcore", "torchinfo", "pytorch"),
    [
        (conv(padding=1), WIDE, 77_760, 79_920, 155_520),
        (conv(bias=False), WIDE, 45_360, 45_360, 90_720),
        (conv(groups=2), WIDE, 22_680, 23_940, 45_360),
        (conv(out_channels=8, groups=4), WIDE, 15_120, 16_800, 30_240),
        (conv(out_channels=8, padding="same", dilation=2), WIDE, None, 106_560, 207_360),
        (conv(out_channels=8, stride=2, dims=1), (4, 9), 1_920, 2_080, 3_840),
        (conv(out_channels=8, dims=3), (4, 5, 6, 7), 259_200, 261_600, 518_400),
        (conv(**UP), WIDE, 138_240, 561_600, 276_480),
        (conv(**UP, bias=False), WIDE, 138_240, 552_960, 276_480),
        (conv(**UP, groups=2), WIDE, 69_120, 285_120, 138_240),
        (conv(**UP, output_padding=1, dims=1), (4, 9), 4_320, 9_690, 8_640),
        (conv(**UP, out_size=(19,)), (4, 9), 4_320, 9_690, 8_640),
        (Dense(in_features=10, out_features=3), (10,), 150, 165, 300),
        (Dense(in_features=10, out_features=3, bias=False), (10,), 150, 150, 300),
    ],
)
def test_each_counter_reports_the_expected_numbers(layer, shape, fvcore, torchinfo, pytorch):
    lines = flops_lines(layer, shape, batch=5)
    message = {
        name: [line.partition(":")[0] for line in lines if f"{name}'s" in line]
        for name in ("fvcore", "torchinfo", "PyTorch")
    }
    assert message == {
        "fvcore": [f"{fvcore:,}"] if fvcore else [],
        "torchinfo": [f"{torchinfo:,}"],
        "PyTorch": [f"{pytorch:,}"],
    }
    assert lines[0].startswith(f"{5 * layer.cost(shape).macs:,}: multiply-adds of weights (macs here")


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (conv(DeformConv), WIDE),
        (conv(LocalConv, input_size=(9, 8)), WIDE),
        (conv(TiledConv), WIDE),
        (conv(dims=4), (4, 5, 5, 5, 5)),
        (conv(ConvTranspose, padding=((0, 1),)), WIDE),
        (conv(ConvTranspose, stride=2, padding="same"), WIDE),
    ],
)
def test_a_layer_that_no_counter_knows_names_none(layer, shape):
    assert flops_lines(layer, shape) == [f"{layer.cost(shape).macs:,}: multiply-adds of weights (macs here)"]


def test_parameters_that_are_stored_and_not_learned_are_reported():
    assert params_lines(BatchNorm(channels=5)) == [
        "5 weights, + 5 biases = 10; 10 buffers, stored but not learned"
    ]


@pytest.mark.parametrize(
    ("text", "shape", "macs", "flops", "params"),
    [
        ("linear o5 nobias", (8, 6, 4), "8*6*5 outputs * 4 weights each = 960 macs", "960: multiply-adds of weights "
         "(macs here, fvcore's flops)", "5 * 4 = 20 weights, + 0 biases = 20"),
        ("matmul o5", (6, 4), "120 macs", "120: multiply-adds of weights (macs here, fvcore's "
         "flops)", "20 weights, + 0 biases = 20"),
        ("lstm o3", (6, 4), "504 macs", "504: multiply-adds of weights (macs here)",
         "84 weights, + 24 biases = 108"),
        ("groupnorm g2", (4, 8, 8), "no multiply-adds of weights", None, "4 weights, + 4 biases = 8"),
        ("prelu o4", (4, 8, 8), "no multiply-adds of weights", None, "4 weights, + 0 biases = 4"),
        ("reshape o2x128", (4, 8, 8), "no multiply-adds of weights", None, "no parameters"),
        ("mul o4x1x1 learned", (4, 8, 8), "no multiply-adds of weights", None, "4 weights, + 0 biases = 4"),
        ("resize x1.5 bicubic", (4, 8, 8), "no multiply-adds of weights", None, "no parameters"),
    ],
)  # fmt: skip
def test_layers_of_networks_are_explained(text, shape, macs, flops, params):
    (layer,) = parse_chain(text, shape)
    assert macs_lines(layer, shape) == [macs]
    assert macs_lines(layer, shape, batch=3) != [macs] or "no " in macs
    assert flops_lines(layer, shape)[:1] == ([] if flops is None else [flops])
    assert params_lines(layer) == [params]
    assert size_lines(layer, shape) == unused_lines(layer, shape) == []
