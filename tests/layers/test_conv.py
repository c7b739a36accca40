import dataclasses
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcli.errors import ArgumentError
from convcli.layers import Conv
from tests.layers import reference


def conv(**options):
    return Conv(**{"in_channels": 1, "out_channels": 1, "dims": 1} | options)


# Dumoulin & Visin, "A guide to convolution arithmetic for deep learning", the worked examples.
@pytest.mark.parametrize(
    ("relationship", "i", "options", "o"),
    [
        (1, 4, {"kernel_size": 3}, 2),
        (2, 5, {"kernel_size": 4, "padding": 2}, 6),
        (3, 5, {"kernel_size": 3, "padding": 1}, 5),
        (3, 5, {"kernel_size": 3, "padding": "same"}, 5),
        (4, 5, {"kernel_size": 3, "padding": 2}, 7),
        (4, 5, {"kernel_size": 3, "padding": "full"}, 7),
        (5, 5, {"kernel_size": 3, "stride": 2}, 2),
        (6, 5, {"kernel_size": 3, "stride": 2, "padding": 1}, 3),
        (6, 6, {"kernel_size": 3, "stride": 2, "padding": 1}, 3),
        (15, 7, {"kernel_size": 3, "dilation": 2}, 3),
        ("the README", 7, {"kernel_size": 3, "stride": 2, "padding": 1}, 4),
    ],
)
@pytest.mark.parametrize("dims", [1, 2, 3])
def test_output_size_of_the_guide(relationship, i, options, o, dims):
    assert conv(**options, dims=dims).output_shape((1, *(i,) * dims)) == (1, *(o,) * dims), relationship


def test_output_size_counts_the_windows_that_fit():
    tried = 0
    for n, k, s, d, before, after in product(
        range(1, 9), range(1, 5), range(1, 5), range(1, 4), *[range(3)] * 2
    ):
        layer = conv(kernel_size=k, stride=s, dilation=d, padding=((before, after),))
        count = reference.windows(n, before, after, k, s, d)
        if count:
            assert layer.output_shape((1, n)) == (1, count), (n, layer)
        else:
            with pytest.raises(ArgumentError, match="the output would be empty"):
                layer.output_shape((1, n))
        tried += 1
    assert tried == 8 * 4 * 4 * 3 * 9


@pytest.mark.parametrize(("groups", "bias", "dilation"), list(product([1, 2], [False, True], [1, 2])))
def test_cost_is_that_of_the_loops(groups, bias, dilation):
    layer = Conv(
        in_channels=4, out_channels=2, kernel_size=(2, 3), stride=(2, 1), padding=1, dilation=dilation,
        groups=groups, bias=bias,
    )  # fmt: skip
    shape = (4, 5, 6)
    tally = reference.Tally()
    reference.convolve(
        tally, output_size=layer.output_shape(shape)[1:], kernel_size=(2, 3), in_channels=4, out_channels=2,
        groups=groups, bias=bias,
    )  # fmt: skip
    cost = layer.cost(shape)
    outputs = cost.macs // layer.terms
    assert tally.counts().items() <= vars(cost).items()
    assert cost.macs == cost.multiplications
    assert cost.flops == 2 * cost.macs + bias * outputs


def test_the_first_layer_of_resnet():
    layer = Conv(in_channels=3, out_channels=64, kernel_size=7, stride=2, padding=3)
    cost = layer.cost((3, 224, 224))
    assert (layer.weights(), layer.biases(), layer.params()) == (9408, 64, 9472)
    assert cost.macs == 118_013_952
    assert cost.flops == 236_027_904 + 64 * 112 * 112
    assert layer.activations((3, 224, 224)) == 3 * 224 * 224 + 64 * 112 * 112


def test_counts_of_any_size_are_exact():
    large = 10**40
    layer = Conv(in_channels=large, out_channels=large, kernel_size=3, padding=1, bias=False)
    assert layer.params() == 9 * 10**80
    assert layer.cost((large, large, large)).macs == 9 * 10**160


def test_scalars_become_tuples_once():
    layer = Conv(in_channels=1, out_channels=1, kernel_size=3, stride=(2, 1))
    assert (layer.kernel_size, layer.stride, layer.dims) == ((3, 3), (2, 1), 2)
    assert layer == Conv(in_channels=1, out_channels=1, kernel_size=(3, 3), stride=(2, 1), padding="valid")
    assert layer != dataclasses.replace(layer, bias=False)
    assert len({layer, dataclasses.replace(layer)}) == 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        layer.groups = 2


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"kernel_size": 0}, "kernel_size must be at least 1, got 0"),
        ({"kernel_size": 3, "stride": 0}, "stride must be at least 1, got 0"),
        ({"kernel_size": 3, "stride": -2}, "stride must be at least 1, got -2"),
        ({"kernel_size": 3, "dilation": 0}, "dilation must be at least 1, got 0"),
        ({"kernel_size": 3, "in_channels": 0}, "in_channels must be at least 1, got 0"),
        ({"kernel_size": 3, "out_channels": 1.5}, "out_channels must be a whole number, got 1.5"),
        ({"kernel_size": 3, "groups": 0}, "groups must be at least 1, got 0"),
        ({"kernel_size": 3, "dims": 0}, "dims must be at least 1, got 0"),
        ({"kernel_size": (), "dims": None}, "dims must be at least 1, got 0"),
        ({"kernel_size": (3, 3, 3), "dims": 2}, "kernel_size 3x3x3 has 3 axes where 2 are needed"),
        (
            {"kernel_size": 3, "in_channels": 4, "out_channels": 6, "groups": 4},
            "out_channels 6 cannot be divided into 4 equal groups; groups must divide both in_channels 4 and "
            "out_channels 6",
        ),
        (
            {"kernel_size": 3, "in_channels": 6, "out_channels": 4, "groups": 4},
            "in_channels 6 cannot be divided into 4 equal groups",
        ),
    ],
)
def test_the_constructor_rejects_a_bad_layer(options, text):
    with pytest.raises(ArgumentError, match=text):
        conv(**options)


@pytest.mark.parametrize(
    ("shape", "text"),
    [
        ((1, 0, 5), "the input's height must be at least 1, got 0"),
        ((1, 5, -2), "the input's width must be at least 1, got -2"),
        ((1, 5, 2.5), "the input's width must be a whole number, got 2.5"),
        ((0, 5, 5), "the input's channels must be at least 1, got 0"),
        ((2, 5, 5), "the input has 2 channels, the layer takes 1$"),
        ((5, 6), r"the input has 5 channels, the layer takes 1; give \(1, 5, 6\)"),
        ((1, 5), "the input size 5 has 1 axes but the kernel 3x3 has 2"),
        ((1,), r"the input size \(\) has 0 axes but the kernel 3x3 has 2"),
        ((), r"the input shape is empty; it must be \(channels, \*sizes\)"),
        (
            (1, 5, 2),
            r"the output would be empty: along the width the kernel spans 3, but the padded input has only "
            r"2 \+ 0 \+ 0 = 2; add 1 to the padding \(before plus after\), or take a smaller kernel",
        ),
    ],
)
def test_a_bad_input_is_named(shape, text):
    with pytest.raises(ArgumentError, match=text):
        conv(kernel_size=3, dims=2).output_shape(shape)


@given(st.integers(1, 30), st.integers(1, 6), st.integers(1, 5), st.integers(0, 4), st.integers(1, 3))
def test_axes_are_independent(n, k, s, p, d):
    """A square layer equals the 1-D layer on both axes."""
    line, square = (conv(kernel_size=k, stride=s, padding=p, dilation=d, dims=dims) for dims in (1, 2))
    if n + 2 * p >= d * (k - 1) + 1:
        assert square.output_shape((1, n, n)) == (*line.output_shape((1, n)), line.output_shape((1, n))[1])


class Numbers:
    """A minimal sequence, with a length and items only."""

    def __init__(self, *items):
        self.items = items

    def __len__(self):
        return len(self.items)

    def __getitem__(self, place):
        return self.items[place]


@pytest.mark.parametrize("kind", [list, np.array, lambda items: Numbers(*items)])
def test_options_are_any_sequence(kind):
    layer = conv(
        kernel_size=kind([3, 5]), stride=kind([2, 1]), padding=kind([kind([1, 0]), kind([2, 3])]), dims=None
    )
    assert layer == conv(kernel_size=(3, 5), stride=(2, 1), padding=((1, 0), (2, 3)), dims=None)
    assert conv(kernel_size=3, padding=kind([1, 2]), dims=None).padding == ((1, 1), (2, 2))
    assert conv(kernel_size=3, padding=kind([kind([1, 2])])).padding == ((1, 2),)
    with pytest.raises(ArgumentError, match="stride 1x2x3 has 3 axes where 2 are needed"):
        conv(kernel_size=3, stride=kind([1, 2, 3]), dims=2)
    assert {type(number) for number in (*layer.kernel_size, *layer.stride, *layer.padding[0])} == {int}


def test_an_array_without_axes_is_one_number():
    assert conv(kernel_size=np.array(3), padding=np.array(1)) == conv(kernel_size=3, padding=1)
    with pytest.raises(ArgumentError, match="stride must be a whole number, got"):
        conv(kernel_size=3, stride=np.array(1.5))
    with pytest.raises(ArgumentError, match="stride must be a whole number, got '2'"):
        conv(kernel_size=3, stride="2")
