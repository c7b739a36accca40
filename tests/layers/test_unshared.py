import pytest

from convcli.errors import ArgumentError
from convcli.layers import Conv, LocalConv, TiledConv

OPTIONS = {"in_channels": 3, "out_channels": 4, "kernel_size": (3, 2), "stride": (2, 1), "padding": 1}


def test_local_has_the_weights_of_a_convolution_at_each_output():
    conv, local = Conv(**OPTIONS), LocalConv(**OPTIONS, input_size=(7, 6))
    shape = (3, 7, 6)
    assert local.output_shape(shape) == conv.output_shape(shape) == (4, 4, 7)
    assert local.weights() == 4 * 7 * conv.weights()
    assert local.biases() == 4 * 7 * conv.biases() == 4 * 4 * 7
    assert local.cost(shape) == conv.cost(shape)


def test_local_fits_one_size_only():
    local = LocalConv(**OPTIONS, input_size=(7, 6))
    text = "the layer has weights for an input of 7x6, not 7x7; unshared weights fit only one input size"
    with pytest.raises(ArgumentError, match=text):
        local.output_shape((3, 7, 7))
    with pytest.raises(ArgumentError, match="the input has 2 channels, the layer takes 3"):
        local.output_shape((2, 7, 6))


def test_the_constructor_rejects_a_local_layer_with_an_empty_output():
    with pytest.raises(ArgumentError, match="the output would be empty"):
        LocalConv(in_channels=1, out_channels=1, kernel_size=3, input_size=2)
    with pytest.raises(ArgumentError, match="input_size must be at least 1, got 0"):
        LocalConv(in_channels=1, out_channels=1, kernel_size=1, input_size=0)


def test_tiled_has_the_weights_of_a_convolution_for_each_tile():
    conv, tiled = Conv(**OPTIONS), TiledConv(**OPTIONS, tile=(2, 3))
    shape = (3, 7, 6)
    assert tiled.output_shape(shape) == conv.output_shape(shape)
    assert tiled.weights() == 6 * conv.weights()
    assert tiled.biases() == 6 * 4
    assert tiled.cost(shape) == conv.cost(shape)


def test_tiled_with_one_tile_is_a_convolution_and_with_all_is_local():
    shape = (3, 7, 6)
    conv = Conv(**OPTIONS)
    assert TiledConv(**OPTIONS, tile=1).params() == conv.params()
    whole = TiledConv(**OPTIONS, tile=conv.output_shape(shape)[1:])
    assert whole.params() == LocalConv(**OPTIONS, input_size=shape[1:]).params()


def test_bad_tiles_are_named():
    with pytest.raises(ArgumentError, match="tile must be at least 1, got 0"):
        TiledConv(**OPTIONS, tile=0)
    with pytest.raises(ArgumentError, match="tile 2x2x2 has 3 axes where 2 are needed"):
        TiledConv(**OPTIONS, tile=(2, 2, 2))
    assert TiledConv(in_channels=1, out_channels=1, kernel_size=3, tile=(2, 2, 2)).dims == 3
