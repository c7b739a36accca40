"""The receptive field of an output, compared with impulses passed through the chain."""

from fractions import Fraction
from itertools import product

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from convcli import Conv
from convcli.drawing.receptive_drawing import (
    MAX_LEVELS,
    field_in_chain,
    field_in_network,
    receptive_drawing,
)
from convcli.drawing.scene import Label, Shape
from convcli.drawing.walk_layers import Numbers, walk_layers
from convcli.errors import ArgumentError
from convcli.layers import Activation, AvgPool, ConvTranspose, DeformConv, Flatten, MaxPool, Resize
from convcli.networks import load
from convcli.networks.graph import Node
from convcli.networks.network import Network
from tests.examples import examples

LAYERS = (
    Conv(1, 1, 3, padding=1),
    Conv(1, 1, (2, 3), stride=2, padding=((1, 0), (2, 1))),
    Conv(1, 1, 2, dilation=2, padding=1),
    AvgPool(2, stride=1),
    AvgPool(3, stride=2, padding=1),
    ConvTranspose(1, 1, 2, stride=3),
    ConvTranspose(1, 1, 3, stride=2, padding=1),
    Resize(scale=2),
    Activation("relu"),
)


def impulse(rows, columns, place):
    return (
        tuple(tuple(Fraction((row, column) == place) for column in range(columns)) for row in range(rows)),
    )


@settings(max_examples=examples(20))
@given(st.lists(st.sampled_from(LAYERS), min_size=1, max_size=3), st.data())
def test_an_impulse_affects_the_outputs_that_see_it(layers, data):
    rows, columns = 4, 5
    shape = (1, rows, columns)
    for layer in layers:
        try:
            shape = layer.output_shape(shape)
        except ArgumentError:  # the output would be empty
            assume(False)
        assume(max(shape) <= 24)
    at = tuple(data.draw(st.integers(0, n - 1)) for n in shape[1:])
    field = field_in_chain(layers, (1, rows, columns), at)
    assert field.levels[-1].seen == tuple((y,) for y in at)
    seen = set(product(*field.levels[0].seen))
    reached = set()
    for place in product(range(rows), range(columns)):
        stages = walk_layers(layers, (1, rows, columns), Numbers(impulse(rows, columns, place)))
        if stages[-1].outputs()[0][at[0]][at[1]] > 0:  # all weights are above 0
            reached.add(place)
    assert seen == reached


def test_in_the_middle_it_has_the_size_that_shape_prints():
    layers = (Conv(1, 1, 3), MaxPool(2), Conv(1, 1, 3))
    field = field_in_chain(layers, (1, 16, 16), None)
    assert [len(seen) for seen in field.levels[0].seen] == [8, 8] == [axis.size for axis in field.numbers]
    assert field.levels[-1].seen == ((2,), (2,))


def test_as_text():
    layers = (Conv(1, 1, 3, padding=1, dims=1), MaxPool(2, dims=1))
    assert receptive_drawing(field_in_chain(layers, (1, 6), (1,))).text(80, None) == (
        "what output (1) sees\n\n"
        "maxpool k2, 3: 1 seen\n. # .\n\n"
        "conv k3 p1 o1, 6: 2 seen\n. . # # . .\n\n"
        "input, 6: 4 seen\n. # # # # .\n\n"
        "receptive field 4, effective stride 2, padding 1\n"
    )


def test_as_a_picture():
    drawing = receptive_drawing(field_in_chain((Conv(1, 1, 3), Conv(1, 1, 2)), (1, 5, 5), (0, 1)))
    (scene,) = drawing.scenes()
    fills = [mark.fill for mark in scene.base if isinstance(mark, Shape)]
    assert [fills.count(kind) for kind in ("current", "waiting", "window", "input")] == [1, 3, 4 + 16, 5 + 9]
    assert drawing.record()["levels"][0]["seen"] == [[0, 1, 2, 3], [1, 2, 3, 4]]


def test_large_tensors_are_outlines():
    layers = (
        Conv(3, 64, 7, stride=2, padding=3),
        MaxPool(3, stride=2, padding=1),
        Conv(64, 64, 3, padding=1),
    )
    drawing = receptive_drawing(field_in_chain(layers, (3, 224, 224), (0, 28)))
    lines = drawing.text(80, None).splitlines()
    # Output (0, 28) sees rows 0 and 1 and columns 27 to 29 of the pool, and rows 0 to 3 and columns 53 to 59 before it.
    assert lines[lines.index("maxpool k3x3 s2 p1, 56x56: 2x3 seen") + 2].count("#") == 3
    assert lines[lines.index("conv k7x7 s2 p3 o64, 112x112: 4x7 seen") + 1] == "height 0 to 3, width 53 to 59"
    assert lines[lines.index("input, 224x224: 10x19 seen") + 1] == "height 0 to 9, width 103 to 121"
    (scene,) = drawing.scenes()
    areas = [mark for mark in scene.base if isinstance(mark, Shape) and mark.closed and mark.edge]
    assert [mark.fill for mark in areas] == ["waiting", "current", *["input", "window"] * 3]
    whole, seen = ([x for x, _ in mark.points] for mark in areas[-2:])
    assert (seen[1] - seen[0]) / (whole[1] - whole[0]) == pytest.approx(19 / 224)
    assert scene.width < 2000


def test_many_rows_of_cells_are_outlines():
    few, many = (
        receptive_drawing(field_in_chain((Conv(1, 1, 3, padding=1),), (1, n, n), None)).scenes()[0]
        for n in (36, 37)
    )
    shapes = [[mark for mark in scene.base if isinstance(mark, Shape)] for scene in (few, many)]
    assert len(shapes[0]) > 2 * 36**2 and len(shapes[1]) < 20
    assert many.height < few.height / 2
    assert [mark.text for mark in many.base if isinstance(mark, Label)][-1].startswith("areas are to scale")


@pytest.mark.parametrize(
    ("layers", "size", "at", "message"),
    [
        ((Conv(1, 1, 3),), 5, (3, 0), "`at` 3,0 is outside the output, which is 3x3; positions count from 0"),
        ((Conv(1, 1, 3),), 5, (1,), "`at` 1 is outside the output"),
        (
            (Conv(1, 1, 3),),
            5000,
            None,
            "a tensor of the chain would be 5000x5000, but at most 4096 on a side are drawn",
        ),
        ((DeformConv(1, 1, 3),), 5, None, "what 'deform k3x3 o1' sees depends on the data"),
        ((Flatten(),), 5, None, "what 'flatten' sees has no window"),
    ],
)
def test_what_cannot_be_drawn(layers, size, at, message):
    with pytest.raises(ArgumentError) as error:
        field_in_chain(layers, (1, size, size), at)
    assert message in str(error.value)


def test_of_a_network_the_last_tensor_of_each_size_is_shown():
    network = load("resnet-18")
    field = field_in_network(network, None, (0, 6))
    assert [level.size for level in field.shown] == [(n, n) for n in (224, 112, 56, 28, 14, 7)]
    names = [level.name.partition(":")[0] for level in field.shown]
    assert names == ["input", "relu1", *(f"stage{number}.2.relu2" for number in (1, 2, 3, 4))]
    assert len(field.levels) > 40
    row = next(row for row in network.rows() if row["name"] == "stage4.2.relu2")
    assert [axis.size for axis in field.numbers] == row["receptive_field"]
    lines = receptive_drawing(field).text(80, None).splitlines()
    assert lines[0] == "what output (0, 6) of resnet-18 sees"
    assert lines[-1] == f"6 of the {len(field.levels)} tensors on the longest path, the last of each size"
    record = receptive_drawing(field).record()
    assert len(record["levels"]) == len(field.levels)


def test_long_names_are_shortened():
    name = "backbone/layer1/conv_depthwise/" + "a" * 20
    network = Network("net", {"x": ("N", 1, 9, 9)}, [Node(name, Conv(1, 1, 3), ("x",), ("y",))], ("y",))
    shown = field_in_network(network, None, None).levels[-1].name
    assert shown == f"{name[:39]}\u2026"


def test_the_field_of_a_layer_of_a_network_ends_at_the_border():
    network = load("resnet-18")
    row = next(row for row in network.rows() if row["name"] == "stage3.2.relu2")
    before = row["effective_padding"][0]
    assert (row["receptive_field"], row["effective_stride"]) == ([211, 211], [16, 16])
    field = field_in_network(network, "stage3.2.relu2", (0, 13))
    assert field.levels[0].seen == (tuple(range(211 - before)), tuple(range(13 * 16 - before, 224)))


def test_of_a_network_with_many_sizes_some_tensors_are_shown():
    field = field_in_network(load("unet"), None, None)
    assert len(field.shown) <= MAX_LEVELS
    assert (field.shown[0], field.shown[-1]) == (field.levels[0], field.levels[-1])
    (scene,) = receptive_drawing(field).scenes()
    assert scene.height < 2000
