from itertools import product

import pytest

from convcli.errors import ArgumentError
from convcli.layers import Add, BatchNorm, ChannelShuffle, Concat, Cost, Dense, Flatten, Resize
from tests.layers import reference


@pytest.mark.parametrize("bias", [False, True])
def test_dense_is_a_convolution_of_the_whole_input(bias):
    layer = Dense(in_features=5, out_features=3, bias=bias)
    tally = reference.Tally()
    reference.convolve(
        tally, output_size=(), kernel_size=(), in_channels=5, out_channels=3, groups=1, bias=bias
    )
    cost = layer.cost((5,))
    assert tally.counts().items() <= vars(cost).items()
    assert (cost.macs, cost.flops) == (15, 30 + 3 * bias)
    assert (layer.weights(), layer.biases()) == (15, 3 * bias)
    assert layer.output_shape((5,)) == (3,)


def test_dense_takes_a_vector_of_its_own_length():
    layer = Dense(in_features=5, out_features=3)
    with pytest.raises(ArgumentError, match="the input has 4 features, the layer takes 5"):
        layer.output_shape((4,))
    with pytest.raises(
        ArgumentError, match="a dense layer takes a vector, the input is 5x1x1; flatten it first"
    ):
        layer.output_shape((5, 1, 1))


def test_flatten_and_shuffle_move_data_only():
    assert Flatten().output_shape((256, 6, 6)) == (9216,)
    assert Flatten().cost((256, 6, 6)) == Cost()
    shuffle = ChannelShuffle(groups=4)
    assert shuffle.output_shape((8, 3, 3)) == (8, 3, 3)
    assert shuffle.cost((8, 3, 3)) == Cost()
    assert shuffle.activations((8, 3, 3)) == 2 * 72
    with pytest.raises(
        ArgumentError,
        match="the input's 6 channels cannot be divided into 4 equal groups; groups must divide the channels",
    ):
        shuffle.cost((6, 3, 3))


def test_batchnorm_learns_two_and_stores_two_numbers_a_channel():
    layer = BatchNorm(channels=64)
    assert (layer.weights(), layer.biases(), layer.params(), layer.buffers()) == (64, 64, 128, 128)
    elements = 64 * 7 * 7
    assert layer.cost((64, 7, 7)) == Cost(multiplications=elements, additions=elements, flops=2 * elements)
    assert layer.output_shape((64,)) == (64,)
    with pytest.raises(ArgumentError, match="the input has 32 channels, the layer takes 64"):
        layer.output_shape((32, 7, 7))


def test_resize_by_a_scale_or_to_a_size():
    assert Resize(scale=2).output_shape((3, 4, 5)) == (3, 8, 10)
    assert Resize(scale=(1, 3)).output_shape((3, 4, 5)) == (3, 4, 15)
    assert Resize(size=(2, 9)).output_shape((3, 4, 5)) == (3, 2, 9)
    assert Resize(scale=2).cost((3, 4, 5)) == Cost()


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_cost_of_bilinear_is_that_of_the_blends(dims):
    layer = Resize(scale=2, mode="bilinear", dims=dims)
    shape = (3, *(2, 3, 2)[:dims])
    tally = reference.Tally()
    for _ in reference.places(layer.output_shape(shape)):
        corners = [tally.number() for _ in range(2**dims)]
        while len(corners) > 1:
            corners = [
                tally.number() * one + tally.number() * two
                for one, two in zip(corners[::2], corners[1::2], strict=True)
            ]
    assert tally.counts().items() <= vars(layer.cost(shape)).items()


@pytest.mark.parametrize("mode", ["nearest", "bilinear"])
def test_resize_sees_its_neighbours(mode):
    for n, o in product(range(1, 8), range(1, 20)):
        ((step, scale, low, high),) = Resize(size=(o,), mode=mode).sees((n,))
        for y in range(o):
            found = {(step * y + low) // scale, (step * y + high) // scale}
            assert found == reference.seen((mode, n, o), y)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({}, "resize takes either `scale` or `size`; give exactly one of them"),
        ({"scale": 2, "size": 2}, "resize takes either `scale` or `size`; give exactly one of them"),
        ({"scale": 0}, "scale must be at least 1, got 0"),
        ({"size": 4, "mode": "cubic"}, "mode must be one of nearest, bilinear, bicubic, got 'cubic'"),
    ],
)
def test_a_bad_resize_is_named(options, text):
    with pytest.raises(ArgumentError, match=text):
        Resize(**options)


def test_resize_needs_the_axes_of_its_input():
    with pytest.raises(ArgumentError, match="the input size 4 has 1 axes but the resize 2x2 has 2"):
        Resize(scale=2).output_shape((1, 4))


def test_add_joins_inputs_of_one_shape():
    shape = (4, 3, 3)
    assert Add().output_shape(shape, shape) == shape
    assert Add().cost(shape, shape, shape) == Cost(additions=72, flops=72)
    assert Add().activations(shape, shape) == 3 * 36
    with pytest.raises(ArgumentError, match="add takes inputs of the same shape, got 4x3x3 and 4x3x2"):
        Add().output_shape(shape, (4, 3, 2))
    with pytest.raises(ArgumentError, match="add takes two or more inputs, but in a chain it gets one"):
        Add().output_shape(shape)


def test_concat_joins_channels():
    assert Concat().output_shape((4, 3, 3), (2, 3, 3), (1, 3, 3)) == (7, 3, 3)
    assert Concat().cost((4, 3, 3), (2, 3, 3)) == Cost()
    assert Concat().activations((4, 3, 3), (2, 3, 3)) == 2 * 54
    with pytest.raises(ArgumentError, match="concat takes inputs of the same size, got 4x3x3 and 2x3x4"):
        Concat().output_shape((4, 3, 3), (2, 3, 4))
    with pytest.raises(ArgumentError, match="concat takes two or more inputs"):
        Concat().cost((4, 3, 3))
