"""What an output sees of every tensor, compared with impulses sent through the network."""

import numpy as np
import pytest

from convcli.errors import ArgumentError
from convcli.networks import load
from convcli.networks.bind_shapes import bind_shapes
from convcli.networks.builder import Builder
from convcli.networks.convolution_behind import convolution_behind
from convcli.networks.seen_places import last_spatial, seen_on_path
from convcli.networks.tensor_shapes import tensor_shapes

ROWS, COLUMNS = 11, 12


def residual():
    g = Builder("residual", (1, ROWS, COLUMNS))
    x = g("conv k3 p1 o2 nobias, maxpool k2")
    y = g("conv k3x1 p1x0 o2 nobias, conv k1x3 p0x1 o2 nobias", x)
    g("conv k2 s2 nobias", g("add", y, x))
    return g.build()


def dilated():
    g = Builder("dilated", (1, ROWS, COLUMNS))
    x = g("conv k1 o2 nobias")
    near, far = g("conv k3 p1 nobias", x), g("conv k3 p4 d4 nobias", x)
    g("conv k1 nobias", g("concat", near, far))
    return g.build()


def back_and_up():
    g = Builder("back and up", (1, ROWS, COLUMNS))
    x = g("conv k3 s2 p1 nobias")
    g("convT k2 s2 o1 nobias, avgpool k3 s1 p1, resize x2", x)
    return g.build()


def shapes_of(network):
    return tensor_shapes(network.nodes, bind_shapes(network), network.stated)


@pytest.mark.parametrize("make", [residual, dilated, back_and_up])
@pytest.mark.parametrize("corner", [0, 1, 2])
def test_an_impulse_affects_the_outputs_that_see_it(make, corner):
    network = make()
    shapes = shapes_of(network)
    tensor = last_spatial(network, shapes)
    size = shapes[tensor][2:]
    at = [(0, 0), (size[0] // 2, size[1] // 2), (size[0] - 1, size[1] - 1)][corner]
    path = seen_on_path(network, shapes, tensor, at)
    assert [each.tensor for each in path[:1] + path[-1:]] == ["input", tensor]
    assert path[-1].places == tuple((y,) for y in at)
    impulses = np.eye(ROWS * COLUMNS, dtype=np.float32).reshape(-1, 1, ROWS, COLUMNS)
    weights = {
        f"{node.owner}.weight": np.ones(layer_shape(node.layer), np.float32)
        for node in network.nodes
        if hasattr(node.layer, "kernel_size") and node.layer.weights()
    }
    names = [each.node.name for each in path[1:]]
    made = network.run({"input": impulses}, names, weights=weights)
    reached = made[tensor][:, :, at[0], at[1]].max(axis=1).reshape(ROWS, COLUMNS) > 0
    assert path[0].size == (ROWS, COLUMNS)
    assert path[0].places[0] == tuple(np.flatnonzero(reached.any(axis=1)))
    assert path[0].places[1] == tuple(np.flatnonzero(reached.any(axis=0)))


def layer_shape(layer):
    one, two = layer.out_channels, layer.in_channels
    return (
        (two, one, *layer.kernel_size)
        if "Transpose" in type(layer).__name__
        else (one, two, *layer.kernel_size)
    )


def test_the_seen_region_has_the_size_of_the_table():
    network = load("resnet-18")
    shapes = shapes_of(network)
    rows = {row["name"]: row for row in network.rows()}
    for name in ("conv1", "maxpool1", "stage2.1.add1"):
        node = next(node for node in network.nodes if node.name == name)
        height, width = shapes[node.outputs[0]][2:]
        first = seen_on_path(network, shapes, node.outputs[0], (height // 2, width // 2))[0]
        assert [len(each) for each in first.places] == rows[name]["receptive_field"]
        step, padding = rows[name]["effective_stride"][0], rows[name]["effective_padding"][0]
        assert first.places[0][0] == step * (height // 2) - padding


def test_the_path_avoids_a_squeeze_and_excite():
    g = Builder("squeezed", (4, 6, 6))
    x = g("conv k3 p1")
    s = g("globalavgpool, conv k1 o2, relu, conv k1 o4, sigmoid", x)
    g("mul", x, s)
    network = g.build()
    path = seen_on_path(network, shapes_of(network), "mul1", (0, 0))
    assert [each.tensor for each in path] == ["input", "conv1", "mul1"]
    assert path[0].places == (tuple(range(6)),) * 2, "through the pool all is seen"
    assert path[1].places == (tuple(range(6)),) * 2
    assert convolution_behind(network, "mul1") is None, "maps of two tensors"


def test_the_last_tensor_with_rows_and_columns():
    network = load("resnet-18")
    shapes = shapes_of(network)
    assert shapes[last_spatial(network, shapes)] == (1, 512, 7, 7)
    g = Builder("flat", (3, 1, 1))
    g("conv k1 o2")
    with pytest.raises(ArgumentError, match="no tensor of flat has rows and columns"):
        last_spatial(g.build(), shapes_of(g.build()))


@pytest.mark.parametrize(
    ("layer_text", "message"),
    [
        ("deform k3 p1 o1, conv k3", "what node 'deform1' (deform k3x3 p1 o1) sees depends on the data, so it cannot be drawn; name a layer before it by `layer`"),
        ("reshape o1x144, conv k3", "what node 'reshape1' (reshape o1x144) sees has no window, so it cannot be drawn"),
        ("reshape o1x6x24, conv k1", "what node 'reshape1' (reshape o1x6x24) sees is unknown, so it cannot be drawn"),
    ],
)  # fmt: skip
def test_errors_of_unknown_fields(layer_text, message):
    g = Builder("n", (1, 12, 12))
    g(layer_text)
    network = g.build()
    shapes = shapes_of(network)
    with pytest.raises(ArgumentError) as error:
        tensor = last_spatial(network, shapes)
        seen_on_path(network, shapes, tensor, (0,) * len(shapes[tensor][2:]))
    assert message in str(error.value)


def test_a_position_outside_the_output():
    network = residual()
    with pytest.raises(
        ArgumentError, match="`at` 9,0 is outside the output, which is 2x3; positions count from 0"
    ):
        seen_on_path(network, shapes_of(network), last_spatial(network, shapes_of(network)), (9, 0))


def test_the_convolution_that_maps_come_from():
    network = load("resnet-18")
    tensors = {node.name: node.outputs[0] for node in network.nodes}
    assert convolution_behind(network, tensors["relu1"]).name == "conv1"
    assert convolution_behind(network, tensors["maxpool1"]) is None
    assert convolution_behind(network, tensors["stage1.1.add1"]) is None, "maps of two convolutions"
    assert convolution_behind(network, "input") is None
