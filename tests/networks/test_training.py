"""Memory and time of a training step, computed by hand."""

import pytest

from convcli import networks
from convcli.errors import ArgumentError
from convcli.networks.builder import Builder
from convcli.networks.rows import totals
from convcli.networks.training import add_training, training_lines


def trained(network, optimizer="sgd", batch=1, dtype="float32"):
    rows = network.rows(batch=batch, dtype=dtype)
    return add_training(network, network.shapes(batch=batch), rows, dtype=dtype, optimizer=optimizer)


@pytest.mark.parametrize(("optimizer", "numbers"), [("sgd", 0), ("momentum", 1), ("adam", 2)])
def test_every_part_has_its_name(optimizer, numbers):
    network = networks.load("resnet-18")
    sums = totals(trained(network, optimizer))
    params = 11_689_512
    assert sums["gradient_bytes"] == 4 * params
    assert sums["optimizer_bytes"] == 4 * params * numbers
    assert (sums["backward_flops"], sums["training_flops"]) == (2 * sums["flops"], 3 * sums["flops"])
    assert sums["training_bytes"] == (
        sums["parameter_bytes"]
        + sums["gradient_bytes"]
        + sums["optimizer_bytes"]
        + sums["stored_activation_bytes"]
    )
    one, two = training_lines(trained(network, optimizer), optimizer)
    assert f"{3 * sums['flops']:,} FLOPs" in one
    assert f"{sums['optimizer_bytes']:,} of state of {optimizer}" in two
    assert f"its memory: {sums['training_bytes']:,} bytes: " in two


def kept(text, shape, **options):
    g = Builder("n", shape)
    g(text)
    return [row["stored_activation_bytes"] for row in trained(g.build(), **options)]


@pytest.mark.parametrize(
    ("text", "elements"),
    [
        ("conv k3 p1 o4", [300]),  # its input
        (
            "conv k3 p1 o4, bn, relu",
            [300, 400, 400],
        ),  # inputs of both, and relu's output; bn's output is not kept
        ("conv k3 p1 o4, relu, conv k3 p1", [300, 400, 0]),  # relu's output is the convolution's input
        ("conv k3 p1 o4, silu, conv k3 p1", [300, 400, 400]),  # silu needs its input
        ("relu, maxpool k2", [300, 0]),
        ("conv k1 o3, avgpool k2, conv k1", [300, 0, 75]),
        ("flatten, dense o5", [0, 300]),  # a view of the input
        ("conv k1 o3, identity, reshape o3x100, transpose a2x1, linear o5", [300, 0, 0, 0, 300]),
        ("relu, flatten, dense o5", [300, 0, 0]),
        ("relu, reshape o10x30, transpose a2x1, linear o5, relu", [300, 0, 0, 0, 150]),
        ("softmax", [300]),
        ("pad p1, resize x2, shuffle g3, pixelunshuffle x2", [0, 0, 0, 0]),
    ],
)
def test_what_the_backward_pass_needs_is_kept_once(text, elements):
    assert kept(text, (3, 10, 10)) == [4 * count for count in elements]
    assert kept(text, (3, 10, 10), batch=5, dtype="float16") == [10 * count for count in elements]


def test_a_mask_of_dropout_has_a_byte_for_each_element():
    assert kept("dropout", (3, 10, 10)) == kept("dropout", (3, 10, 10), dtype="float16") == [300]


def test_a_tensor_that_two_nodes_need_is_kept_once():
    g = Builder("n", (4, 8, 8))
    x = g("relu")
    y = g("conv k3 p1", x)
    z = g("conv k1", x)
    x = g("mul", y, z)
    assert [row["stored_activation_bytes"] for row in trained(g.build())] == [1024, 0, 0, 2048]


def test_unknown_optimizers_are_reported():
    with pytest.raises(ArgumentError, match="there is no optimizer 'adm'; did you mean 'adam'"):
        trained(networks.load("resnet-18"), "adm")
