"""The calculator and the operators agree: the same shape, or an error from both."""

from math import prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcli import backend, layers
from convcli.backend.run_layers import OPERATORS
from convcli.errors import ArgumentError
from tests.examples import examples


def outcome(call):
    """Return the shape of the output, or None for an error."""
    try:
        return call()
    except ArgumentError:
        return None


@st.composite
def geometries(draw):
    """Draw an input shape and options, many of them invalid."""
    dims = draw(st.integers(1, 3))

    def several(low, high):
        return tuple(draw(st.integers(low, high)) for _ in range(dims))

    padding = st.one_of(
        st.integers(0, 3),
        st.sampled_from(["valid", "same", "same-lower", "full"]),
        st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=dims, max_size=dims),
    )
    window = {
        "stride": draw(st.one_of(st.integers(1, 3), st.just(several(1, 3)))),
        "padding": draw(padding),
        "dilation": draw(st.one_of(st.integers(1, 3), st.just(several(1, 2)))),
    }
    return several(1, (12, 6, 4)[dims - 1]), several(1, 4), window


few = settings(max_examples=examples(100))
CHANNELS = st.integers(1, 6)


def sized(layer, shape):
    """Return a layer's output size, or ones if it has none, which the operator has to reject."""
    return outcome(lambda: layer().output_shape(shape)[1:]) or (1,) * (len(shape) - 1)


@few
@given(geometries(), CHANNELS, CHANNELS, st.integers(1, 3), st.integers(1, 3), st.data())
def test_weighted(geometry, inputs, outputs, groups, others, draw):
    size, kernel, window = geometry
    kind = draw.draw(st.sampled_from(["conv", "conv_transpose", "deform_conv", "local_conv", "tiled_conv"]))
    shape, dims = (inputs, *size), len(size)
    x = np.zeros((1, *shape))
    options = {"in_channels": inputs, "out_channels": outputs, "kernel_size": kernel, **window, "dims": dims}
    if kind == "conv":
        expected = outcome(lambda: layers.Conv(**options, groups=groups).output_shape(shape))
        weight = np.zeros((outputs, max(1, inputs // groups), *kernel))
        found = outcome(lambda: backend.conv(x, weight, **window, groups=groups).shape[1:])
    elif kind == "conv_transpose":
        extra = draw.draw(st.integers(0, 2))
        options |= {"out_channels": outputs * groups, "groups": groups, "output_padding": extra}
        expected = outcome(lambda: layers.ConvTranspose(**options).output_shape(shape))
        weight = np.zeros((inputs, outputs, *kernel))
        found = outcome(
            lambda: backend.conv_transpose(x, weight, **window, groups=groups, output_padding=extra).shape[1:]
        )
    elif kind == "deform_conv":
        options |= {"groups": groups, "offset_groups": others}
        expected = outcome(lambda: layers.DeformConv(**options).output_shape(shape))
        weight = np.zeros((outputs, max(1, inputs // groups), *kernel))
        out = sized(lambda: layers.DeformConv(**options), shape)
        offset = np.zeros((1, dims * others * prod(kernel), *out))
        found = outcome(
            lambda: backend.deform_conv(
                x, offset, weight, **window, groups=groups, offset_groups=others
            ).shape[1:]
        )
    elif kind == "local_conv":
        expected = outcome(lambda: layers.LocalConv(**options, input_size=size).output_shape(shape))
        out = sized(lambda: layers.LocalConv(**options, input_size=size), shape)
        weight = np.zeros((outputs, *out, inputs, *kernel))
        found = outcome(lambda: backend.local_conv(x, weight, **window).shape[1:])
    else:
        expected = outcome(lambda: layers.TiledConv(**options, tile=others).output_shape(shape))
        weight = np.zeros((*(others,) * dims, outputs, inputs, *kernel))
        found = outcome(lambda: backend.tiled_conv(x, weight, **window).shape[1:])
    assert found == expected


@few
@given(geometries(), st.booleans(), st.booleans(), st.sampled_from([-1, 0, 0.5, 1, 2, np.inf]))
def test_pools(geometry, ceil_mode, sides, p):
    size, kernel, window = geometry
    options = window | {"ceil_mode": ceil_mode, "stride": None if sides else window["stride"]}
    x, dims = np.zeros((1, 2, *size)), len(size)
    for operator, layer in ((backend.max_pool, layers.MaxPool), (backend.avg_pool, layers.AvgPool)):
        expected = outcome(
            lambda make=layer: make(kernel_size=kernel, **options, dims=dims).output_shape((2, *size))
        )
        assert outcome(lambda run=operator: run(x, kernel, **options).shape[1:]) == expected
    expected = outcome(
        lambda: layers.LpPool(norm_type=p, kernel_size=kernel, **options, dims=dims).output_shape((2, *size))
    )
    assert outcome(lambda: backend.lp_pool(x, p, kernel, **options).shape[1:]) == expected


@few
@given(geometries(), CHANNELS, st.integers(0, 3), st.sampled_from(["nearest", "bilinear"]))
def test_others(geometry, channels, number, mode):
    size, target, _ = geometry
    x, shape, dims = np.zeros((2, channels, *size)), (channels, *size), len(size)
    for kind, pool in (("avg", backend.adaptive_avg_pool), ("max", backend.adaptive_max_pool)):
        assert pool(x, target).shape[1:] == layers.AdaptivePool(output_size=target, kind=kind).output_shape(
            shape
        )
    expected = outcome(lambda: layers.ChannelShuffle(groups=number).output_shape(shape))
    assert outcome(lambda: backend.channel_shuffle(x, number).shape[1:]) == expected
    scale = (number,) * dims
    expected = outcome(lambda: layers.Resize(scale=scale, mode=mode).output_shape(shape))
    assert outcome(lambda: backend.resize(x, scale=scale, mode=mode).shape[1:]) == expected
    expected = outcome(lambda: layers.Resize(size=target, mode=mode).output_shape(shape))
    assert backend.resize(x, size=target, mode=mode).shape[1:] == expected
    expected = outcome(lambda: layers.BatchNorm(channels=number).output_shape(shape))
    ones = [np.ones(number)] * 4
    assert outcome(lambda: backend.batch_norm(x, *ones).shape[1:]) == expected


def test_every_layer_has_an_operator_except_branches_and_layers_that_are_only_counted():
    records = {
        kind
        for name in layers.__all__
        if isinstance(kind := getattr(layers, name), type) and issubclass(kind, layers.Layer)
    }
    abstract = {layers.Layer, layers.Window, layers.Convolution, layers.TensorLayer}
    assert records - abstract - {layers.Branch, layers.Recurrent, layers.Unknown} == set(OPERATORS)


@pytest.mark.parametrize("kind", ["avg", "max"])
@pytest.mark.parametrize("dims", [0, 1, 2, 3])
def test_layers_of_any_number_of_axes(kind, dims):
    shape = (3, *(4, 5, 2)[:dims])
    for layer in (layers.GlobalPool(kind=kind), layers.Flatten(), layers.Activation(name="softmax")):
        assert backend.run_layer(layer, np.zeros((2, *shape))).shape == (2, *layer.output_shape(shape))
