"""Convolutions of a network replaced by variants."""

import pytest

from convcli import networks
from convcli.layers import VARIANTS, Conv
from convcli.networks.builder import Builder
from convcli.networks.replace_convs import find_places, replace_convs


def small():
    g = Builder("small", (3, 32, 32))
    g("conv k3 p1 o8", name="stem")
    x = g("conv k3 p1 o16 nobias, bn, relu")
    g("dwconv k3 s2 p1 nobias, bn, relu, conv k1 o32 nobias, bn, relu")
    g("conv k3 p1 g4 o32")
    g("dwconv k3 p1")
    g("globalavgpool, flatten, dense o10")
    return g.build("dense1", x)


def test_replaced_convolutions():
    network = small()
    found = [
        ([network.nodes[number].name for number in place.nodes], place.conv) for place in find_places(network)
    ]
    assert found == [
        (["stem"], Conv(3, 8, 3, padding=1)),
        (["conv1"], Conv(8, 16, 3, padding=1, bias=False)),
        (["dwconv1", "bn2", "relu2", "conv2"], Conv(16, 32, 3, stride=2, padding=1, bias=False)),
        (["conv3"], Conv(32, 32, 3, padding=1, groups=4)),
        (["dwconv2"], Conv(32, 32, 3, padding=1, groups=32)),
    ]


@pytest.mark.parametrize(
    "variant", ["standard", "separable", "depthwise-separable", "grouped", "deformable", "local"]
)
def test_a_replacement_has_the_counts_of_the_variant(variant):
    network = small()
    made = replace_convs(network, variant, network.shapes())
    rows = {row["name"]: row for row in network.rows()}
    expected = network.totals()["macs"]
    shapes = {"conv1": (8, 32, 32), "conv2": (16, 32, 32), "conv3": (32, 16, 16), "dwconv2": (32, 16, 16)}
    for place in find_places(network)[1:]:
        names = [network.nodes[number].name for number in place.nodes]
        if names[-1] in made.already:
            continue
        shape = shapes[names[-1]]
        expected -= sum(rows[name]["macs"] for name in names)
        for layer in VARIANTS[variant](place.conv, shape):
            expected += layer.inner.cost(shape).macs
            shape = layer.output_shape(shape)
    assert made.network.totals()["macs"] == expected
    assert made.kept["takes the network's input"] == ["stem"]
    assert made.network.rows()[-1]["output_shape"] == [10]
    assert len(made.replaced) + len(made.already) + sum(map(len, made.kept.values())) == 5


def test_convolutions_that_cannot_be_replaced_stay_with_a_reason():
    network = small()
    made = replace_convs(network, "dense", network.shapes())
    assert made.replaced == []
    assert "the variant makes 16384 but 16x32x32 is needed" in made.kept
    assert made.network.totals() == network.totals()


def test_convolutions_of_the_variant_stay():
    network = networks.load("mobilenet-v1")
    made = replace_convs(network, "depthwise-separable", network.shapes())
    assert (len(made.replaced), len(made.already)) == (0, 13)
    assert made.network.nodes == network.nodes


def test_a_depthwise_layer_with_several_users_is_replaced_separately():
    g = Builder("n", (8, 8, 8))
    x = g("relu")
    x = g("dwconv k3 p1", x)
    y = g("conv k1 o8", x)
    g("add", x, y)
    network = g.build()
    assert [len(place.nodes) for place in find_places(network)] == [1]


def test_shared_weights_stay_shared():
    g = Builder("n", (8, 16, 16))
    x = g("relu")
    g("conv k3 p1", x, weights="head")
    g("maxpool k2", x)
    g("conv k3 p1", weights="head")
    network = g.build("conv1", "conv2")
    made = replace_convs(network, "depthwise-separable", network.shapes()).network
    assert made.params() == 8 * 9 + 8 * 8 + 8
    assert network.params() == 8 * 8 * 9 + 8
