import pytest

from convcli.layers import AvgPool, Conv, ConvTranspose, Dense, Flatten, LocalConv, MaxPool, TiledConv
from convcli.layers.explain import flops_lines, macs_lines, params_lines, size_lines, unused_lines

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
        "length: ceil((5 + 0 + 0 - 1*(1 - 1) - 1) / 3) + 1 = 3, less 1 that would start behind the input = 2"
    ]


@pytest.mark.parametrize(("n", "padding", "padded", "real"), [(6, 0, 6, 1), (6, 1, 8, 0)])
def test_unused_elements_are_told(n, padding, padded, real):
    conv = Conv(in_channels=1, out_channels=1, kernel_size=3, stride=2, padding=padding, dims=1)
    assert unused_lines(conv, (1, n)) == [
        f"length: 1 of {padded} padded elements are left over at the end, {real} of the input; "
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
        "3*4 places * 128 * 64 / 1 * 3*3 = 884,736 weights, + 0 biases = 884,736"
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


def test_the_three_things_that_others_call_flops():
    assert flops_lines(RESNET, SHAPE) == [
        "118,013,952: multiply-adds of weights (macs here, fvcore's flops)",
        "118,816,768: with one more for each bias (torchinfo's mult-adds)",
        "236,027,904: a multiplication and an addition each (PyTorch's flop counter)",
    ]
    plain = Conv(in_channels=3, out_channels=64, kernel_size=7, stride=2, padding=3, bias=False)
    assert len(flops_lines(plain, SHAPE)) == 2
    assert flops_lines(MaxPool(kernel_size=2), SHAPE) == []
