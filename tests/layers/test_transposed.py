from itertools import product

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from convcli.errors import ArgumentError
from convcli.layers import Conv, ConvTranspose
from convcli.layers.text.explain import size_lines
from tests.layers import reference


def transposed(**options):
    return ConvTranspose(**{"in_channels": 1, "out_channels": 1, "dims": 1} | options)


# Dumoulin & Visin, relationships 8 to 14, the worked examples.
@pytest.mark.parametrize(
    ("relationship", "i", "options", "o"),
    [
        (8, 2, {"kernel_size": 3}, 4),
        (9, 6, {"kernel_size": 4, "padding": 2}, 5),
        (10, 5, {"kernel_size": 3, "padding": 1}, 5),
        (11, 7, {"kernel_size": 3, "padding": 2}, 5),
        (11, 7, {"kernel_size": 3, "padding": "full"}, 5),
        (12, 2, {"kernel_size": 3, "stride": 2}, 5),
        (13, 3, {"kernel_size": 3, "stride": 2, "padding": 1}, 5),
        (14, 3, {"kernel_size": 3, "stride": 2, "padding": 1, "output_padding": 1}, 6),
    ],
)
@pytest.mark.parametrize("dims", [1, 2, 3])
def test_output_size_of_the_guide(relationship, i, options, o, dims):
    layer = transposed(**options, dims=dims)
    assert layer.output_shape((1, *(i,) * dims)) == (1, *(o,) * dims), relationship


def test_output_size_counts_the_places_that_are_written():
    for n, k, s, d, p in product(range(1, 6), range(1, 5), range(1, 5), range(1, 4), range(3)):
        for extra in range(max(s, d)):
            size = max(reference.scattered(n, k, s, d)) + 1 + extra - 2 * p
            layer = transposed(kernel_size=k, stride=s, dilation=d, padding=p, output_padding=extra)
            if size > 0:
                assert layer.output_shape((1, n)) == (1, size), (n, layer)
            else:
                with pytest.raises(ArgumentError, match="the output would be empty"):
                    layer.output_shape((1, n))


@given(
    n=st.integers(1, 60),
    k=st.integers(1, 7),
    s=st.integers(1, 6),
    d=st.integers(1, 4),
    before=st.integers(0, 5),
    after=st.integers(0, 5),
)
def test_it_undoes_the_shape_of_a_convolution(n, k, s, d, before, after):
    room = n + before + after - d * (k - 1) - 1
    assume(room >= 0)
    options = {"kernel_size": k, "stride": s, "dilation": d, "padding": ((before, after),)}
    (_, m) = Conv(in_channels=1, out_channels=1, dims=1, **options).output_shape((1, n))
    back = transposed(**options, output_padding=room % s)
    assert back.output_shape((1, m)) == (1, n)


@given(n=st.integers(1, 20), k=st.integers(1, 7), s=st.integers(1, 6), d=st.integers(1, 3), name=st.data())
def test_same_multiplies_by_the_stride(n, k, s, d, name):
    padding = name.draw(st.sampled_from(["same", "same-lower"]))
    layer = transposed(kernel_size=k, stride=s, dilation=d, padding=padding)
    assert layer.output_shape((1, n)) == (1, n * s)
    ((before, after),) = layer.pads((n,))
    if d * (k - 1) + 1 >= s:
        assert (after - before if padding == "same" else before - after) in (0, 1)
    even = transposed(
        kernel_size=k, stride=s, dilation=d, padding=padding, output_padding=max(0, s - d * (k - 1) - 1)
    )
    assert even.output_shape((1, n)) == (1, n * s)


def test_same_extends_the_end_for_a_short_kernel():
    short = transposed(kernel_size=2, stride=4, padding="same")
    assert short.pads((3,)) == ((0, -2),)
    assert short.output_shape((1, 3)) == (1, 12)
    assert size_lines(short, (1, 3)) == ["length: 4*(3 - 1) + 1*(2 - 1) + 1 + 0 - 0 + 2 = 12"]
    even = transposed(kernel_size=2, stride=4, padding="same", output_padding=2)
    assert even.pads((3,)) == ((0, 0),)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (
            {"output_padding": 2, "stride": 2},
            "output_padding 2 must be below the stride 2 or below the dilation 1",
        ),
        ({"output_padding": 1}, "output_padding 1 must be below the stride 1 or below the dilation 1"),
        ({"output_padding": -1}, "output_padding must be at least 0, got -1"),
        ({"in_channels": 2, "out_channels": 3, "groups": 2}, "out_channels 3 cannot be divided into 2"),
    ],
)
def test_the_constructor_rejects_a_bad_layer(options, text):
    with pytest.raises(ArgumentError, match=text):
        transposed(kernel_size=3, **options)


def test_output_padding_may_be_below_the_dilation_alone():
    """As in PyTorch: nn.ConvTranspose1d(1, 1, 3, dilation=3, output_padding=2)."""
    layer = transposed(kernel_size=3, dilation=3, output_padding=2)
    assert layer.output_shape((1, 5)) == (1, 4 + 6 + 1 + 2)


def test_padding_that_cuts_everything_off_is_named():
    text = r"along the length the padding crops 2 \+ 2 = 4 of 3 elements; pad by at most 2 in total"
    with pytest.raises(ArgumentError, match=text):
        transposed(kernel_size=3, padding=2).output_shape((1, 1))


@pytest.mark.parametrize(
    ("groups", "bias", "stride", "dilation"),
    list(product([1, 2], [False, True], [(1, 1), (2, 3), (4, 2)], [(1, 1), (2, 3), (1, 2)])),
)
def test_cost_is_that_of_the_loops(groups, bias, stride, dilation):
    layer = ConvTranspose(
        in_channels=2, out_channels=2, kernel_size=(2, 3), stride=stride, dilation=dilation, padding=1,
        groups=groups, bias=bias,
    )  # fmt: skip
    tally = reference.Tally()
    reference.scatter(
        tally, input_size=(3, 4), kernel_size=(2, 3), stride=stride, dilation=dilation, in_channels=2,
        out_channels=2, groups=groups, bias=bias,
    )  # fmt: skip
    cost = layer.cost((2, 3, 4))
    assert tally.counts().items() <= vars(cost).items()
    assert cost.macs == 2 * 3 * 4 * 2 // groups * 6


def test_params_are_those_of_the_convolution_it_transposes():
    forward = Conv(in_channels=4, out_channels=6, kernel_size=3, groups=2)
    back = ConvTranspose(in_channels=6, out_channels=4, kernel_size=3, groups=2)
    assert back.weights() == forward.weights()
    assert back.biases() == 4


@given(
    n=st.integers(1, 9), k=st.integers(1, 6), s=st.integers(1, 5), d=st.integers(1, 3), p=st.integers(0, 4)
)
def test_an_output_size_is_reached_by_the_output_padding_that_leads_to_it(n, k, s, d, p):
    """As in PyTorch: from the smallest size to stride - 1 more."""
    least = s * (n - 1) + d * (k - 1) + 1 - 2 * p
    for size in range(max(1, least - 3), max(1, least + s + 3)):
        layer = transposed(kernel_size=k, stride=s, dilation=d, padding=p, out_size=(size,))
        if least <= size < least + s:
            padded = transposed(kernel_size=k, stride=s, dilation=d, padding=p, output_padding=size - least)
            assert layer.output_shape((1, n)) == padded.output_shape((1, n)) == (1, size)
            assert layer.cost((1, n)) == padded.cost((1, n))
            assert layer.sees((n,)) == padded.sees((n,))
            assert size_lines(layer, (1, n)) == size_lines(padded, (1, n))
        else:
            with pytest.raises(
                ArgumentError, match=f"the output size {size} along the length is not possible"
            ):
                layer.output_shape((1, n))


def test_an_output_size_stands_for_an_output_padding():
    text = "output_padding 1 and out_size 6 both determine the output size; give one of them"
    with pytest.raises(ArgumentError, match=text):
        transposed(kernel_size=3, stride=2, output_padding=1, out_size=6)
    same = transposed(kernel_size=3, stride=2, padding="same", out_size=(8,))
    assert same.output_shape((1, 4)) == (1, 8)
    with pytest.raises(
        ArgumentError, match="the output size 8 along the length is not possible; it must be 6: change"
    ):
        same.output_shape((1, 3))
