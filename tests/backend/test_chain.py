import numpy as np
import pytest

from convcli import VARIANTS, Conv, backend
from convcli.backend.chain import RUN
from convcli.errors import ArgumentError
from convcli.layers import Cost, Layer
from tests.backend.cases import assert_close


def weight_of(layer, random):
    shape = (layer.out_channels, layer.in_channels // layer.groups, *layer.kernel_size)
    return random.standard_normal(shape)


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("name", VARIANTS)
def test_every_variant_gives_the_shape_of_its_layers(name, dims):
    layer = Conv(in_channels=4, out_channels=6, kernel_size=3, stride=2, padding=1, dims=dims)
    layers = VARIANTS[name](layer)
    if not all(type(each) in RUN for each in layers):
        pytest.skip("a layer of this variant has no operator yet")
    random = np.random.default_rng(0)
    shape = (4, *(8, 9, 7)[:dims])
    arguments = [{"weight": weight_of(each, random)} for each in layers]
    y = backend.run_chain(layers, arguments, random.standard_normal((2, *shape)))
    for each in layers:
        shape = each.output_shape(shape)
    assert y.shape == (2, *shape)


def test_separable_layers_with_the_factors_of_a_kernel_are_the_kernel():
    random = np.random.default_rng(0)
    down, right = random.standard_normal(3), random.standard_normal(3)
    x = random.standard_normal((1, 1, 8, 8))
    layer = Conv(in_channels=1, out_channels=1, kernel_size=3, padding=1, bias=False)
    arguments = [{"weight": down.reshape(1, 1, 3, 1)}, {"weight": right.reshape(1, 1, 1, 3)}]
    y = backend.run_chain(VARIANTS["separable"](layer), arguments, x)
    assert_close(y, backend.conv(x, np.outer(down, right)[None, None], padding=1))


def test_options_of_the_operator_reach_it():
    layer = Conv(in_channels=1, out_channels=1, kernel_size=3, padding=1, dims=1)
    y = backend.run_layer(
        layer, [[1, 2, 3]], weight=np.ones((1, 1, 3), int), bias=[10], padding_mode="replicate"
    )
    assert y.tolist() == [[14, 16, 18]]


def test_a_weight_that_is_not_the_layer_s():
    layer = Conv(in_channels=1, out_channels=1, kernel_size=3)
    with pytest.raises(ArgumentError) as error:
        backend.run_layer(layer, np.ones((1, 5, 5)), weight=np.ones((1, 1, 5, 5)))
    assert str(error.value) == "weight has shape (1, 1, 5, 5); the layer needs (1, 1, 3, 3)"


def test_a_mapping_of_arguments_for_each_layer():
    layer = Conv(in_channels=1, out_channels=1, kernel_size=3)
    with pytest.raises(ArgumentError) as error:
        backend.run_chain([layer, layer], [{}], np.ones((1, 5, 5)))
    assert str(error.value) == (
        "2 layers need 2 mappings of arguments, got 1; a layer without weights takes an empty one"
    )


def test_a_layer_without_an_operator():
    class Strange(Layer):
        def output_shape(self, input_shape):
            return input_shape

        def cost(self, input_shape):
            return Cost()

    with pytest.raises(ArgumentError, match="no operator runs the layer Strange; these can be run: Conv"):
        backend.run_layer(Strange(), np.ones((1, 5, 5)))
