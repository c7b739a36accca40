"""Shapes and numbers per axis: any sequence of integers is accepted, and nothing else."""

from itertools import count

import numpy as np
import pytest

from convcli import layers
from convcli.errors import ArgumentError
from convcli.layers import VARIANTS, Conv
from convcli.layers.axes import as_open_shape
from convcli.layers.chain import shapes, total_cost
from convcli.layers.receptive import ReceptiveField
from convcli.layers.text.chain_grammar import parse_chain
from convcli.networks.rows import rows

SHAPE = (4, 12, 10)
CHANNELS = {"in_channels": 4, "out_channels": 8}
EVERY = [
    layers.Conv(**CHANNELS, kernel_size=3, stride=2, padding="same"),
    layers.ConvTranspose(**CHANNELS, kernel_size=3, stride=2, padding="same-lower"),
    layers.ConvTranspose(**CHANNELS, kernel_size=3, stride=2, out_size=(26, 21)),
    layers.DeformConv(**CHANNELS, kernel_size=3, mask=True),
    layers.LocalConv(**CHANNELS, kernel_size=3, input_size=(12, 10)),
    layers.TiledConv(**CHANNELS, kernel_size=3),
    layers.MaxPool(kernel_size=3, ceil_mode=True),
    layers.AvgPool(kernel_size=3, padding="same"),
    layers.LpPool(kernel_size=3, norm_type=2),
    layers.AdaptivePool(output_size=(5, 1)),
    layers.GlobalPool(),
    layers.Flatten(),
    layers.ChannelShuffle(groups=2),
    layers.BatchNorm(channels=4),
    layers.Resize(scale=2),
    layers.Resize(size=(5, 30), mode="bilinear"),
    layers.Activation(name="softmax"),
    layers.Branch(layer=layers.Conv(**CHANNELS, kernel_size=3)),
]
SPELLINGS = {
    "a list": list,
    "an array": np.array,
    "bytes in an array": lambda numbers: np.array(numbers, np.uint8),
    "short integers": lambda numbers: tuple(map(np.int16, numbers)),
    "unsigned integers": lambda numbers: [np.uint64(number) for number in numbers],
    "arrays without axes": lambda numbers: tuple(map(np.array, numbers)),
}


def whole(value):
    """Return whether all numbers in a nest of tuples are Python ints."""
    return all(map(whole, value)) if isinstance(value, tuple) else value is None or type(value) is int


def answers(layer, shape):
    size = shape[1:]
    found = {name: getattr(layer, name)(shape) for name in ("output_shape", "cost", "activations")}
    found["open_shape"] = layer.open_shape(tuple(map(int, shape)))
    found |= {
        name: getattr(layer, name)(size)
        for name in ("sees", "pads", "output_size")
        if callable(getattr(layer, name, None))
    }
    return found


@pytest.mark.parametrize("how", SPELLINGS)
@pytest.mark.parametrize(
    "layer", EVERY, ids=[f"{type(layer).__name__}{n}" for layer, n in zip(EVERY, count(), strict=False)]
)
def test_a_shape_is_any_sequence_of_whole_numbers(layer, how):
    """Also if NumPy's integers would overflow in the products, or wrap below 0."""
    expected, found = answers(layer, SHAPE), answers(layer, SPELLINGS[how](SHAPE))
    assert found == expected
    for name, value in found.items():
        assert whole(
            tuple(vars(value).values()) if name == "cost" else tuple(value) if name == "sees" else value
        )


@pytest.mark.parametrize("how", SPELLINGS)
def test_functions_of_chains_take_any_sequence(how):
    shape, expected_text = SHAPE, SPELLINGS[how](SHAPE)
    chain = parse_chain("conv k3 o8, convT k2 s3, maxpool k2, flatten, dense o3", shape)
    assert parse_chain("conv k3 o8, convT k2 s3, maxpool k2, flatten, dense o3", expected_text) == chain
    assert rows(chain, expected_text) == rows(chain, shape)
    assert shapes(chain, expected_text) == shapes(chain, shape)
    assert total_cost(chain, expected_text) == total_cost(chain, shape)
    assert ReceptiveField.of_input(expected_text) == ReceptiveField.of_input(shape)
    conv = Conv(**CHANNELS, kernel_size=3)
    for variant in VARIANTS.values():
        assert variant(conv, expected_text) == variant(conv, shape)


def test_several_inputs_may_have_different_sequence_types():
    assert layers.Add().output_shape(np.array(SHAPE), list(SHAPE)) == SHAPE
    assert layers.Add().cost(np.array(SHAPE, np.uint8), SHAPE).additions == 480
    assert layers.Concat().output_shape(list(SHAPE), np.array(SHAPE)) == (8, 12, 10)
    assert layers.Concat().activations(np.array([200, 9, 9], np.uint8), [200, 9, 9]) == 4 * 200 * 81
    assert layers.Dense(in_features=300, out_features=2).output_shape(np.array([300])) == (2,)


@pytest.mark.parametrize("how", SPELLINGS)
@pytest.mark.parametrize("field", ["kernel_size", "stride", "padding", "dilation"])
def test_options_per_axis_take_any_sequence(field, how):
    options = {**CHANNELS, "kernel_size": 3} | {field: SPELLINGS[how]((3, 2))}
    layer = Conv(**options)
    assert layer == Conv(**options | {field: (3, 2)})
    assert whole(getattr(layer, field))


@pytest.mark.parametrize(
    "value", [True, False, np.True_, 2.0, np.float64(2), "2", b"22", None, 2 + 0j, [[2, 2]], {2: 2}, {2}]
)
@pytest.mark.parametrize(
    "make",
    [
        lambda value: Conv(in_channels=value, out_channels=1, kernel_size=3),
        lambda value: Conv(**CHANNELS, kernel_size=value),
        lambda value: Conv(**CHANNELS, kernel_size=(3, value)),
        lambda value: Conv(**CHANNELS, kernel_size=3, stride=value),
        lambda value: Conv(**CHANNELS, kernel_size=3, dilation=[1, value]),
        lambda value: Conv(**CHANNELS, kernel_size=3, padding=((0, value), 0)),
        lambda value: Conv(**CHANNELS, kernel_size=3, groups=value),
        lambda value: layers.ConvTranspose(**CHANNELS, kernel_size=3, stride=3, output_padding=value),
        lambda value: layers.AdaptivePool(output_size=value),
        lambda value: layers.Resize(size=(value, 2)),
        lambda value: Conv(**CHANNELS, kernel_size=3).output_shape((4, 9, value)),
        lambda value: layers.GlobalPool().cost((value, 9, 9)),
        lambda value: layers.MaxPool(kernel_size=2).pads((9, value)),
    ],
)  # fmt: skip
def test_what_is_no_whole_number_is_refused(make, value):
    with pytest.raises(ArgumentError, match=r"must be|has .* axes|padding"):
        make(value)


@pytest.mark.parametrize("shape", [7, "477", None, {4: 1, 7: 1}, iter((4, 7, 7)), np.array(7), (), []])
def test_what_is_no_shape_is_refused(shape):
    one_number = isinstance(shape, int | np.ndarray)  # the size of all axes, for a layer with known channels
    for layer in (
        *(() if one_number else (EVERY[0],)),
        layers.GlobalPool(),
        layers.Flatten(),
        layers.Activation(name="relu"),
    ):
        for question in (layer.output_shape, layer.cost, layer.activations):
            with pytest.raises(ArgumentError, match=r"the input shape .*must be \(channels, \*sizes\)"):
                question(shape)


def test_a_shape_may_have_unknown_sizes_but_known_channels():
    assert as_open_shape([np.int8(3), None, 7]) == (3, None, 7)
    assert as_open_shape((3,)) == (3,)
    with pytest.raises(ArgumentError, match="the input's channels must be a whole number, got None"):
        as_open_shape((None, 7, 7))
    with pytest.raises(ArgumentError, match="the input's width must be at least 1, got 0"):
        as_open_shape((3, None, 0))
    with pytest.raises(ArgumentError, match="the input shape must be"):
        as_open_shape(7)


@pytest.mark.parametrize(
    "layer", EVERY, ids=[f"{type(layer).__name__}{n}" for layer, n in zip(EVERY, count(), strict=False)]
)
def test_an_open_shape_is_the_shape_as_far_as_it_is_known(layer):
    known, found = layer.output_shape(SHAPE), layer.open_shape((4, None, None))
    assert len(found) == len(known)
    assert all(n in (None, size) for n, size in zip(found, known, strict=True))
    assert layer.open_shape(SHAPE) == known
    fixed = {"AdaptivePool": (4, 5, 1), "GlobalPool": (4, 1, 1), "Flatten": (None,)}
    if type(layer).__name__ in fixed:
        assert found == fixed[type(layer).__name__]


@pytest.mark.parametrize("huge", [2**62, 2**63, 10**30])
def test_numbers_of_any_size_are_exact(huge):
    conv = Conv(**CHANNELS, kernel_size=3, padding=huge)
    assert conv.output_shape((4, 5, np.int64(5))) == (8, 3 + 2 * huge, 3 + 2 * huge)
    assert Conv(**CHANNELS, kernel_size=1, stride=huge, dilation=huge).output_shape(np.array(SHAPE)) == (
        8,
        1,
        1,
    )
    assert layers.MaxPool(kernel_size=huge, padding=huge // 2).output_shape((4, 2, 2)) == (4, 1, 1)
    up = layers.ConvTranspose(**CHANNELS, kernel_size=1, stride=huge, output_padding=huge - 1)
    assert up.output_shape((4, 2, 3)) == (8, 2 * huge, 3 * huge)
    assert layers.Resize(scale=huge).cost((4, 2, 2)).flops == 0
    assert layers.AdaptivePool(output_size=huge).cost((4, 2, 2)).multiplications == 4 * huge**2
    (row,) = rows([conv], (4, 5, 5))
    assert row["macs"] == 8 * (3 + 2 * huge) ** 2 * 36


@pytest.mark.parametrize(
    "layer",
    [
        layers.Conv(3, 64, 7, stride=2, padding=3),
        layers.Conv(4, 2, (3, 5, 1), padding="same"),
        layers.ConvTranspose(2, 6, 4, stride=2, padding=1),
        layers.DeformConv(2, 4, 3, padding=1, mask=True),
        layers.TiledConv(3, 8, 3, tile=2),
        layers.LocalConv(1, 2, 3, input_size=(9, 9)),
    ],
    ids=lambda layer: type(layer).__name__,
)
@pytest.mark.parametrize("number", [int, np.int64, np.array])
def test_one_number_is_the_size_of_all_axes(layer, number):
    shape = (layer.in_channels, *(9,) * layer.dims)
    for question in (layer.output_shape, layer.cost, layer.activations):
        assert question(number(9)) == question(shape)
    assert layer.output_size(number(9)) == layer.output_size(shape[1:])
    assert layer.pads(number(9)) == layer.pads(shape[1:])
    with pytest.raises(ArgumentError, match=r"the input's .* must be at least 1, got 0"):
        layer.output_shape(0)
    with pytest.raises(ArgumentError, match=r"must be \(channels, \*sizes\), got True"):
        layer.output_shape(True)


def test_one_number_is_the_size_of_all_axes_to_a_variant():
    conv = layers.Conv(3, 8, 3, padding=1)
    for name in ("local", "dense", "separable"):
        assert layers.VARIANTS[name](conv, 9) == layers.VARIANTS[name](conv, (3, 9, 9))


def test_the_arguments_of_a_layer_can_be_positional():
    assert layers.Conv(3, 64, 7) == layers.Conv(in_channels=3, out_channels=64, kernel_size=7)
    assert layers.ConvTranspose(3, 64, 7) == layers.ConvTranspose(
        in_channels=3, out_channels=64, kernel_size=7
    )
    assert layers.DeformConv(3, 6, 7) == layers.DeformConv(in_channels=3, out_channels=6, kernel_size=7)
    assert layers.MaxPool(2) == layers.MaxPool(kernel_size=2)
    assert layers.LpPool(2, 3) == layers.LpPool(norm_type=2, kernel_size=3)
    assert layers.AdaptivePool(7) == layers.AdaptivePool(output_size=7)
    assert layers.GlobalPool("max") == layers.GlobalPool(kind="max")
    assert layers.Dense(9, 10) == layers.Dense(in_features=9, out_features=10)
    assert layers.ChannelShuffle(2) == layers.ChannelShuffle(groups=2)
    assert layers.BatchNorm(8) == layers.BatchNorm(channels=8)
    assert layers.Activation("relu") == layers.Activation(name="relu")
    with pytest.raises(TypeError):
        layers.Conv(3, 64, 7, 2)  # the stride is named
