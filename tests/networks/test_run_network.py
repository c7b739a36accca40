"""Networks without stored weights, run with arrays, kernels and seeds."""

import numpy as np
import pytest

from convcli import backend, networks
from convcli.errors import ArgumentError, ConvcliError, FileError
from convcli.kernels import parse_kernel
from convcli.layers import DeformConv
from convcli.networks import Builder
from convcli.networks.graph import Node
from convcli.networks.network import Network


def small():
    """Return a network with a branch, and arrays for its weights."""
    g = Builder("small", (3, 9, 8))
    x = g("conv k3 p1 o4, bn, relu", name="first")
    y = g("conv k3 p1 g2 nobias", x, name="side")
    g("add", x, y)
    g("globalavgpool, flatten, dense o5", name="head")
    random = np.random.default_rng(0)
    arrays = {
        "conv1.weight": (4, 3, 3, 3), "conv1.bias": (4,), "side.weight": (4, 2, 3, 3), "head.weight": (5, 4), "head.bias": (5,),
        "bn1.gamma": (4,), "bn1.beta": (4,), "bn1.mean": (4,), "bn1.var": (4,),
    }  # fmt: skip
    made = {name: random.standard_normal(shape) for name, shape in arrays.items()}
    made["bn1.var"] **= 2
    return g.build(), made


def by_hand(x, w):
    y = backend.conv(x, w["conv1.weight"], w["conv1.bias"], padding=1)
    y = np.maximum(backend.batch_norm(y, w["bn1.mean"], w["bn1.var"], w["bn1.gamma"], w["bn1.beta"]), 0)
    y = y + backend.conv(y, w["side.weight"], padding=1, groups=2)
    return y.mean((2, 3)) @ w["head.weight"].T + w["head.bias"]


def test_equals_the_operators_one_by_one():
    network, arrays = small()
    x = np.random.default_rng(1).standard_normal((2, 3, 9, 8))
    made = network.run({"input": x}, weights=arrays, layers=("first",))
    assert list(made) == ["head", "first"]
    assert made["head"].dtype == np.float32
    np.testing.assert_allclose(made["head"], by_hand(x, arrays), rtol=1e-4, atol=1e-4)
    assert (made["first"] >= 0).all()
    other = np.random.default_rng(2).standard_normal((1, 3, 9, 8))
    np.testing.assert_allclose(
        network.run({"input": other}, weights=arrays)["head"], by_hand(other, arrays), rtol=1e-4, atol=1e-4
    )


def test_weights_come_from_a_file_with_the_names_of_pytorch(tmp_path):
    network, arrays = small()
    names = {"gamma": "weight", "beta": "bias", "mean": "running_mean", "var": "running_var"}
    renamed = {
        f"bn1.{names[name.partition('.')[2]]}" if name.startswith("bn") else name: array
        for name, array in arrays.items()
    }
    path = tmp_path / "weights.npz"
    np.savez(path, **renamed, **{"bn1.num_batches_tracked": np.array(7)})
    x = np.ones((1, 3, 9, 8))
    made = network.run({"input": x}, weights=path)["head"]
    np.testing.assert_allclose(made, by_hand(x, arrays), rtol=1e-4, atol=1e-4)


def test_a_seed_draws_the_same_weights_and_fills_what_is_missing():
    network, _ = small()
    x = {"input": np.ones((1, 3, 9, 8))}
    first, again, other = (network.run(x, seed=seed)["head"] for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.allclose(first, other)
    bias = np.arange(5.0)
    with_bias = network.run(x, seed=1, weights={"head.bias": bias})["head"]
    np.testing.assert_allclose(with_bias, first + bias, atol=1e-5)


def test_shared_weights_are_drawn_once():
    g = Builder("shared", (2, 5, 5))
    x = g("conv k3 p1 o2", weights="same")
    g("conv k3 p1 o2", x, weights="same")
    network = g.build()
    made = network.run({"input": np.ones((1, 2, 5, 5))}, seed=0, layers=("conv1",))
    weight = np.random.default_rng((0, 0)).standard_normal((2, 2, 3, 3), np.float32) * np.float32(1 / 3)
    np.testing.assert_allclose(
        made["conv2"], backend.conv(made["conv1"].astype(np.float32), weight, padding=1), atol=1e-5
    )


def test_a_file_may_name_a_kernel(tmp_path):
    path = tmp_path / "edges.toml"
    path.write_text(
        'input = "1x8x8"\n'
        'layers = [{ layer = "conv k3 p1 o2 nobias", kernel = "sobel", name = "edges" }, "relu"]\n'
    )
    network = networks.load(path)
    x = np.random.default_rng(0).standard_normal((1, 1, 8, 8))
    kernel = parse_kernel("sobel")
    weight = np.array(kernel.matrices, float)[:, np.newaxis] / kernel.divisor
    wanted = np.maximum(backend.conv(x, weight, padding=1), 0)
    np.testing.assert_allclose(network.run({"input": x})["relu1"], wanted, atol=1e-5)
    given = network.run({"input": x}, weights={"edges.weight": np.zeros((2, 1, 3, 3))})
    assert not given["relu1"].any()
    path.write_text('input = "1x8x8"\nlayers = [{ layer = "relu", kernel = "sobel" }]\n')
    with pytest.raises(
        ConvcliError, match=r"node 'relu1' \(relu\) takes no kernel 'sobel'; only convolutions do"
    ):
        networks.load(path)


def test_a_named_kernel_is_applied_to_every_channel():
    g = Builder("kernels", (2, 7, 7))
    g("conv k3 p1 o2 nobias", name="blur")
    x = np.random.default_rng(0).standard_normal((1, 2, 7, 7))
    made = g.build().run({"input": x}, weights={"blur.weight": "box:3"})["blur"]
    wanted = backend.conv(x.sum(axis=1, keepdims=True), np.full((1, 1, 3, 3), 1 / 9), padding=1)
    np.testing.assert_allclose(made, np.repeat(wanted, 2, axis=1), atol=1e-5)


def test_published_networks_run_at_other_sizes():
    network = networks.load("resnet-18", (3, 64, 48))
    made = network.run({"input": np.zeros((2, 3, 64, 48))}, seed=0, layers=("conv1",))
    assert [array.shape for array in made.values()] == [(2, 1000), (2, 64, 32, 24)]
    assert network.outputs == {"dense1": ("N", 1000)}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"head.bias": None}, "the weights lack head.bias of shape (5,); give them with `weights`, or `seed=0` for random ones"),
        ({"head.bias": None, "a": 1, "b": 2}, "the weights lack head.bias of shape (5,), and no layer has the given a, b; give them with `weights`, or `seed=0` for random ones"),
        ({"head.bias": np.ones(4)}, "the weights 'head.bias' have shape (4,) of float64, but node 'head' (dense o5) needs (5,)"),
        ({"tail.bias": np.ones(4)}, "the network has no weights 'tail.bias'; did you mean 'head.bias'?"),
        ({"conv1.weight": "box:5"}, "the kernel 'box:5' is 5x5, but node 'conv1' (conv k3x3 p1 o4) needs 3x3"),
    ],
)  # fmt: skip
def test_weights_that_do_not_fit(change, message):
    network, arrays = small()
    given = {name: array for name, array in (arrays | change).items() if array is not None}
    with pytest.raises(ArgumentError) as error:
        network.run({"input": np.ones((1, 3, 9, 8))}, weights=given)
    assert str(error.value) == message


def test_files_of_weights_that_cannot_be_read(tmp_path):
    network, _ = small()
    x = {"input": np.ones((1, 3, 9, 8))}
    with (tmp_path / "one.npz").open("wb") as file:
        np.save(file, np.ones(3))
    np.savez(tmp_path / "objects.npz", **{"conv1.weight": np.array([{}, 1], object)})
    (tmp_path / "text.npz").write_text("hello")
    (tmp_path / "cut.npz").write_bytes((tmp_path / "objects.npz").read_bytes()[:60])
    for name in ("none.npz", "one.npz", "objects.npz", "text.npz", "cut.npz"):
        with pytest.raises(FileError) as error:
            network.run(x, weights=tmp_path / name)
        assert name in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("shape", [(4, 9), (4, 6, 7), (4, 5, 6, 4)])
def test_a_residual_block_of_any_number_of_axes(shape):
    g = Builder("block", shape)
    dims = len(shape) - 1
    x = "input"
    g(f"conv k{'x'.join('3' * dims)} p1, bn", x, name="main")
    g("add", "main", x)
    g("relu")
    random = np.random.default_rng(0)
    arrays = {
        "conv1.weight": random.standard_normal((4, 4, *(3,) * dims)), "conv1.bias": random.standard_normal(4),
        "main.gamma": random.standard_normal(4), "main.beta": random.standard_normal(4),
        "main.mean": random.standard_normal(4), "main.var": random.standard_normal(4) ** 2 + 0.1,
    }  # fmt: skip
    given = random.standard_normal((2, *shape))
    made = g.build().run({"input": given}, weights=arrays)["relu1"]
    y = backend.conv(given, arrays["conv1.weight"], arrays["conv1.bias"], padding=1)
    y = backend.batch_norm(y, *(arrays[f"main.{name}"] for name in ("mean", "var", "gamma", "beta")))
    np.testing.assert_allclose(made, np.maximum(y + given, 0), rtol=1e-3, atol=1e-3)


def test_shapes_that_do_not_fit_name_the_node():
    from convcli.layers import Activation, Add

    nodes = [Node("relu1", Activation("relu"), ("x",), ("a",)), Node("sum", Add(), ("a", "y"), ("b",))]
    network = Network("two", {"x": ("N", 3, 4, 4), "y": ("N", 3, 5, 4)}, nodes, ("b",))
    with pytest.raises(ArgumentError, match=r"node 'sum' \(add\) on 1x3x4x4 and 1x3x5x4: "):
        network.run({"x": np.ones((1, 3, 4, 4)), "y": np.ones((1, 3, 5, 4))})


@pytest.mark.parametrize("text", ["deform k3 p1 s2 o6", "deform k3 p1 o8 og2 mask nobias"])
def test_a_deformable_convolution_runs_with_its_branch(text):
    g = Builder("deformable", (4, 9, 8))
    g(f"conv k1 o4, {text}, bn, relu")
    network = g.build()
    random = np.random.default_rng(0)
    conv, branch, deform = (
        {name: random.standard_normal(shape) for name, shape in backend.parameter_shapes(node.layer).items()}
        for node in network.nodes[:3]
    )
    named = {"conv1": conv, "branch1": branch, "deform1": deform}
    arrays = {f"{node}.{name}": array for node, mine in named.items() for name, array in mine.items()}
    norm = {name: np.ones(network.nodes[3].layer.channels) for name in ("gamma", "beta", "mean", "var")}
    arrays |= {f"bn1.{name}": array for name, array in norm.items()}
    x = random.standard_normal((2, 4, 9, 8))
    layers = [node.layer for node in network.nodes]
    expected = backend.run_chain(layers, [conv, branch, deform, norm, {}], x)
    np.testing.assert_allclose(
        network.run({"input": x}, weights=arrays)["relu1"], expected, rtol=2e-3, atol=2e-3
    )


def test_a_deformable_convolution_without_its_branch_is_refused():
    layer = DeformConv(4, 4, 3, padding=1)
    network = Network("alone", {"x": ("N", 4, 8, 8)}, [Node("deform1", layer, ("x",), ("y",))], ("y",))
    with pytest.raises(
        ArgumentError, match="needs the output of its branch as a second input, but it has only one input"
    ):
        network.run({"x": np.zeros((1, 4, 8, 8))}, seed=0)
