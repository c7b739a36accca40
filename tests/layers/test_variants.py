from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from convcli.errors import ArgumentError
from convcli.layers import (
    VARIANTS,
    Branch,
    ChannelShuffle,
    Conv,
    ConvTranspose,
    DeformConv,
    Dense,
    Flatten,
    LocalConv,
    Resize,
    TiledConv,
)
from convcli.layers.chain import shapes, total_cost
from convcli.layers.variants import by_name

NAMES = [
    "standard", "separable", "depthwise", "depthwise-separable", "pointwise", "grouped", "shuffled-grouped",
    "dilated", "transposed", "resize-conv", "deformable", "local", "tiled", "dense",
]  # fmt: skip
CONV = Conv(in_channels=4, out_channels=8, kernel_size=3, stride=2, padding=1)
SHAPE = (4, 9, 9)


def variant(name, conv=CONV, shape=SHAPE):
    return VARIANTS[name](conv, shape)


def test_every_name_of_the_design_exists():
    assert [name for name in VARIANTS if name in NAMES] == NAMES


def test_every_name_is_unique():
    assert [spec.name for spec in VARIANTS.values()] == list(VARIANTS)
    with pytest.raises(ValueError, match="there are two variants 'tiled'"):
        by_name([*VARIANTS.values(), VARIANTS["tiled"]])


@pytest.mark.parametrize("name", VARIANTS)
def test_every_variant_runs_and_has_a_description_of_one_line(name):
    layers = variant(name)
    assert shapes(layers, SHAPE)
    assert total_cost(layers, SHAPE).macs == sum(
        layer.cost(before).macs
        for layer, before in zip(layers, [SHAPE, *shapes(layers, SHAPE)], strict=False)
    )
    line = VARIANTS[name].help
    assert line.endswith(".")
    assert 20 < len(line) <= 100


@pytest.mark.parametrize("name", [name for name in VARIANTS if name not in ("local", "dense")])
def test_most_weights_do_not_depend_on_the_input(name):
    assert VARIANTS[name](CONV) == variant(name)


@pytest.mark.parametrize("name", ["local", "dense"])
def test_some_weights_depend_on_the_input(name):
    text = f"the weights of {name} depend on the input size; give `input_shape`"
    with pytest.raises(ArgumentError, match=text):
        VARIANTS[name](CONV)


def test_standard_and_the_kinds_that_replace_the_layer():
    assert variant("standard", Conv(in_channels=4, out_channels=6, kernel_size=3, groups=2)) == (
        Conv(in_channels=4, out_channels=6, kernel_size=3),
    )
    assert variant("depthwise") == (
        Conv(in_channels=4, out_channels=8, kernel_size=3, stride=2, padding=1, groups=4),
    )
    assert variant("pointwise") == (Conv(in_channels=4, out_channels=8, kernel_size=1, stride=2),)
    assert variant("transposed") == (
        ConvTranspose(in_channels=4, out_channels=8, kernel_size=3, stride=2, padding=1),
    )
    assert variant("local") == (
        LocalConv(in_channels=4, out_channels=8, kernel_size=3, stride=2, padding=1, input_size=(9, 9)),
    )
    assert variant("tiled") == (
        TiledConv(in_channels=4, out_channels=8, kernel_size=3, stride=2, padding=1, tile=2),
    )


@given(st.integers(1, 6), st.integers(1, 20), st.integers(1, 3))
def test_a_depthwise_layer_multiplies_its_channels(channels, outputs, k):
    conv = Conv(in_channels=channels, out_channels=outputs, kernel_size=k)
    if outputs % channels:
        with pytest.raises(
            ArgumentError, match=f"out_channels {outputs} is not a multiple of in_channels {channels}"
        ):
            VARIANTS["depthwise"](conv)
        return
    (layer,) = VARIANTS["depthwise"](conv)
    assert layer.groups == channels
    assert layer.output_shape((channels, 5, 5))[0] == outputs
    assert layer.params() == outputs * k * k + outputs  # the multiplier's kernels of each channel


def test_ignored_options_are_exactly_those_that_change_no_layer():
    """For every variant, `ignores` has exactly the options that change no layer."""
    base = {
        "in_channels": 4,
        "out_channels": 8,
        "kernel_size": 3,
        "stride": 2,
        "padding": 1,
        "dilation": 2,
        "groups": 2,
    }
    others = {"kernel_size": 2, "stride": 3, "padding": 2, "dilation": 3, "groups": 4}
    for name in VARIANTS:
        for option, value in others.items():
            with_it, without = (
                variant(name, Conv(**options), (4, 12, 12)) for options in (base | {option: value}, base)
            )
            assert (with_it == without) == VARIANTS[name].ignores(option, value), (name, option)


def test_values_that_equal_those_of_the_variant_are_not_ignored():
    pointwise, resize = VARIANTS["pointwise"], VARIANTS["resize-conv"]
    for value in (1, (1, 1), [1]):
        assert not pointwise.ignores("kernel_size", value)
    for value in (0, "valid", ((0, 0), 0)):
        assert not pointwise.ignores("padding", value)
    assert pointwise.ignores("padding", ((0, 1), 0))
    assert not resize.ignores("padding", "same")
    assert resize.ignores("padding", "same-lower")
    assert VARIANTS["grouped"].ignores("groups", 1)  # it uses the smallest number above 1
    assert VARIANTS["dilated"].ignores("dilation", (1, 1))
    assert not VARIANTS["dilated"].ignores("dilation", (1, 2))


def test_separable_is_one_pass_an_axis():
    passes = variant("separable", Conv(in_channels=4, out_channels=6, kernel_size=(5, 3), padding=(2, 1)))
    assert [layer.kernel_size for layer in passes] == [(5, 1), (1, 3)]
    assert [layer.padding for layer in passes] == [((2, 2), (0, 0)), ((0, 0), (1, 1))]
    assert [layer.biases() for layer in passes] == [0, 6]
    assert (
        len(variant("separable", Conv(in_channels=1, out_channels=1, kernel_size=3, dims=3), (1, 9, 9, 9)))
        == 3
    )


def test_grouped_takes_the_fewest_groups_there_can_be():
    def groups(i, o, given=1):
        conv = Conv(in_channels=i, out_channels=o, kernel_size=3, groups=given)
        (layer,) = variant("grouped", conv, (i, 9, 9))
        return layer.groups

    assert groups(4, 6) == 2
    assert groups(9, 6) == 3
    assert groups(35, 25) == 5
    assert groups(7, 7) == 7
    assert groups(8, 8, given=4) == 4
    assert groups(2 * 10**50, 2 * 10**60) == 2
    for i, o in ((3, 64), (1, 1)):
        with pytest.raises(ArgumentError, match="no number of groups above 1 divides both in_channels"):
            groups(i, o)


def test_shuffled_grouped_shuffles_the_same_groups():
    conv, shuffle = variant("shuffled-grouped", Conv(in_channels=9, out_channels=6, kernel_size=3), (9, 9, 9))
    assert (conv.groups, shuffle) == (3, ChannelShuffle(groups=3))


def test_dilated_keeps_its_own_dilation():
    assert variant("dilated")[0].dilation == (2, 2)
    own = Conv(in_channels=1, out_channels=1, kernel_size=3, dilation=(1, 3))
    assert variant("dilated", own, (1, 9, 9)) == (own,)


def test_resize_conv_enlarges_then_convolves():
    resize, conv = variant("resize-conv")
    assert resize == Resize(scale=2)
    assert (conv.stride, conv.padding) == ((1, 1), "same")
    assert shapes((resize, conv), SHAPE) == [(4, 18, 18), (8, 18, 18)]


def test_deformable_counts_its_predictor_beside_the_chain():
    branch, deform = variant("deformable")
    assert isinstance(branch, Branch)
    assert isinstance(deform, DeformConv)
    assert branch.layer == deform.predictor()
    assert shapes((branch, deform), SHAPE) == [SHAPE, (8, 5, 5)]


def test_dense_local_and_standard_share_less_and_less():
    """M x n, k x n and k weights for m inputs and n outputs of k terms.

    Goodfellow, Bengio & Courville, "Deep Learning" (2016), section 9.2.
    """
    (standard,), (local,), (flatten, dense) = variant("standard"), variant("local"), variant("dense")
    m, n, k = 4 * 9 * 9, 8 * 5 * 5, 4 * 9
    assert (flatten, dense) == (Flatten(), Dense(in_features=m, out_features=n))
    assert dense.weights() == m * n
    assert local.weights() == k * n
    assert standard.weights() == k * 8


@given(size=st.integers(1, 60), m=st.integers(1, 9))
def test_separable_costs_what_the_design_says(size, m):
    """N x N input, m x m kernel, valid: (N-m+1)^2 m^2 against (N-m+1) N m + (N-m+1)^2 m."""
    assume(size >= m)
    conv = Conv(in_channels=1, out_channels=1, kernel_size=m, bias=False)
    shape = (1, size, size)
    out = size - m + 1
    assert total_cost(variant("standard", conv, shape), shape).multiplications == out**2 * m**2
    assert total_cost(variant("separable", conv, shape), shape).multiplications == out * size * m + out**2 * m


@given(
    h=st.integers(1, 9), height=st.integers(1, 40), width=st.integers(1, 40), d=st.integers(1, 20),
    nc=st.integers(1, 20),
)  # fmt: skip
def test_depthwise_separable_costs_what_the_design_says(h, height, width, d, nc):
    """(H-h+1)(W-h+1) h^2 d Nc against (H-h+1)(W-h+1)(d h^2 + d Nc): a ratio of exactly 1/Nc + 1/h^2."""
    assume(min(height, width) >= h)
    conv = Conv(in_channels=d, out_channels=nc, kernel_size=h, bias=False)
    shape = (d, height, width)
    standard = total_cost(variant("standard", conv, shape), shape)
    separable = total_cost(variant("depthwise-separable", conv, shape), shape)
    places = (height - h + 1) * (width - h + 1)
    assert standard.macs == standard.multiplications == places * h**2 * d * nc
    assert separable.macs == separable.multiplications == places * (d * h**2 + d * nc)
    assert Fraction(separable.macs, standard.macs) == Fraction(1, nc) + Fraction(1, h**2)


def test_the_layer_of_mobilenets_table_3():
    """Howard et al. (2017), arXiv 1704.04861: 462 and 52.3 M mult-adds, 2.36 and 0.27 M weights."""
    conv = Conv(in_channels=512, out_channels=512, kernel_size=3, padding=1, bias=False)
    shape = (512, 14, 14)

    def figures(conv, shape):
        layers = VARIANTS["depthwise-separable"](conv, shape)
        return total_cost(layers, shape).macs, sum(layer.weights() for layer in layers)

    assert (conv.cost(shape).macs, conv.weights()) == (462_422_016, 2_359_296)
    assert figures(conv, shape) == (52_283_392, 266_752)
    narrow = Conv(in_channels=384, out_channels=384, kernel_size=3, padding=1, bias=False)
    assert figures(narrow, (384, 14, 14)) == (29_578_752, 150_912)  # 29.6 and 0.15 million
    assert figures(narrow, (384, 10, 10))[0] == 15_091_200  # 15.1 million


@given(st.integers(1, 40), st.integers(1, 40), st.integers(2, 9), st.integers(9, 20))
def test_separable_never_has_more_weights_nor_with_a_stride_of_1_more_macs(channels_in, channels_out, k, n):
    conv = Conv(in_channels=channels_in, out_channels=channels_out, kernel_size=k, padding="same")
    passes = variant("separable", conv, (channels_in, n, n))
    assert [passes[0].in_channels, passes[-1].out_channels] == [channels_in, channels_out]
    assert sum(layer.weights() for layer in passes) <= conv.weights()
    assert total_cost(passes, (channels_in, n, n)).macs <= conv.cost((channels_in, n, n)).macs


GEOMETRY = st.fixed_dictionaries(
    {
        "kernel_size": st.integers(1, 4),
        "stride": st.integers(1, 3),
        "padding": st.sampled_from([0, 1, "valid", "same", "same-lower", "full"]),
        "dilation": st.integers(1, 3),
    }
)


@pytest.mark.parametrize("name", VARIANTS)
@given(options=GEOMETRY, size=st.tuples(st.integers(10, 14), st.integers(10, 14)))
def test_sizes_are_those_of_the_convolution_or_of_its_transposed(name, options, size):
    conv, shape = Conv(in_channels=2, out_channels=2, **options), (2, *size)
    own = shapes(VARIANTS[name](conv, shape), shape)[-1][1:]
    if VARIANTS[name].sizes == "conv":
        assert own == conv.output_size(size)
    elif VARIANTS[name].sizes == "transposed":
        assert own == ConvTranspose(in_channels=2, out_channels=2, **options).output_size(size)


@pytest.mark.parametrize("name", [name for name in VARIANTS if VARIANTS[name].sizes is None])
def test_other_sizes_are_those_of_neither(name):
    conv, shape = Conv(in_channels=2, out_channels=2, kernel_size=3, stride=2), (2, 11, 12)
    own = shapes(VARIANTS[name](conv, shape), shape)[-1][1:]
    assert own not in (conv.output_size((11, 12)), ConvTranspose(**vars(conv)).output_size((11, 12)))


def test_output_padding_is_of_transposed_layers():
    conv = Conv(in_channels=2, out_channels=2, kernel_size=3, stride=(2, 3), dims=2)
    (layer,) = VARIANTS["transposed"](conv, output_padding=1)
    assert layer == ConvTranspose(
        in_channels=2, out_channels=2, kernel_size=3, stride=(2, 3), output_padding=(1, 1)
    )
    assert VARIANTS["tiled"](conv, output_padding=0) == VARIANTS["tiled"](conv)
    with pytest.raises(
        ArgumentError, match="output_padding belongs to transposed layers, and tiled has none"
    ):
        VARIANTS["tiled"](conv, output_padding=1)
