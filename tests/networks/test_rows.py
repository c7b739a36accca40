"""The table of a network: hand-made graphs, counted by plain loops."""

import sys
from math import prod

import pytest

from convcli.errors import ArgumentError
from convcli.layers import Activation, Add, BatchNorm, Conv, Dense, Flatten, GlobalPool, Split, Unknown
from convcli.networks.builder import Builder
from convcli.networks.graph import Node
from convcli.networks.network import Network
from convcli.networks.rows import SUMMED, totals

ITEM = (8, 16, 16)


def residual():
    """Return conv-bn-relu-conv-bn added to its input, followed by a classifier."""
    nodes = [
        Node("conv1", Conv(8, 8, 3, padding=1, bias=False), ("x",), ("a",)),
        Node("bn1", BatchNorm(8), ("a",), ("b",)),
        Node("relu1", Activation("relu"), ("b",), ("c",)),
        Node("conv2", Conv(8, 8, 3, padding=1, bias=False), ("c",), ("d",)),
        Node("add1", Add(), ("d", "x"), ("e",)),
        Node("pool", GlobalPool(), ("e",), ("f",)),
        Node("flatten", Flatten(), ("f",), ("g",)),
        Node("dense", Dense(8, 10), ("g",), ("h",)),
    ]
    return Network("residual", {"x": ("N", *ITEM)}, nodes, ("h",))


def test_every_node_has_its_counts():
    rows = {row["name"]: row for row in residual().rows()}
    elements = prod(ITEM)
    assert rows["conv1"]["macs"] == sum(8 * 3 * 3 for _ in range(elements))
    assert rows["add1"]["additions"] == elements
    assert rows["add1"]["activation_bytes"] == 4 * 3 * elements
    assert rows["add1"]["inputs"] == ["conv2", "x"]
    assert rows["conv1"]["inputs"] == ["x"]
    assert rows["bn1"]["buffers"] == 16
    assert rows["add1"]["receptive_field"] == [5, 5]
    assert rows["dense"]["input_shape"] == [8]
    sums = residual().totals()
    assert sums["params"] == 2 * 8 * 8 * 9 + 16 + 90
    assert sums["macs"] == 2 * elements * 72 + 80
    assert all(sums[key] == sum(row[key] for row in rows.values()) for key in SUMMED)


def test_a_batch_multiplies_work_and_not_parameters():
    one, five = residual().totals(), residual().totals(batch=5)
    for key in ("macs", "flops", "additions", "comparisons", "activation_bytes"):
        assert five[key] == 5 * one[key]
    assert five["params"] == one["params"]
    assert residual().totals((5, *ITEM)) == five == residual().totals((1, *ITEM), batch=5)
    with pytest.raises(ArgumentError, match="the input 'x' has 5 items but `batch` is 3; give one of them"):
        residual().totals((5, *ITEM), batch=3)


def test_other_input_sizes():
    assert residual().totals((8, 32, 32))["macs"] == 2 * 32 * 32 * 8 * 72 + 80
    assert residual().totals({"x": (8, 32, 32)}) == residual().totals((1, 8, 32, 32))


@pytest.mark.parametrize(
    ("shapes", "text"),
    [
        (
            (8, 16),
            "the input 'x' is Nx8x16x16, but the shape 8x16 has 2 axes; give 4, or 3 without the batch axis",
        ),
        ({"y": ITEM}, "the network has no input 'y'; use x"),
        (7, "the shape of the input 'x' must be one number per axis, got 7"),
        ((8, 0, 16), "the input's height must be at least 1, got 0|axis 1 must be at least 1"),
        (
            (4, 16, 16),
            r"node 'conv1' \(conv k3x3 p1x1 o8 nobias\): the input has 4 channels, the layer takes 8; "
            "its input is 4x16x16 from the input 'x' of the network|node 'conv1'.*4 channels",
        ),
    ],
)
def test_shapes_that_do_not_fit_are_reported(shapes, text):
    with pytest.raises(ArgumentError, match=text):
        residual().rows(shapes)


def test_unknown_sizes_must_be_given():
    network = Network("n", {"x": ("N", 3, "H", "W")}, [Node("a", Conv(3, 4, 3), ("x",), ("a",))], ("a",))
    with pytest.raises(
        ArgumentError, match="the input 'x' is Nx3xHxW, of which H and W are unknown; give its shape"
    ):
        network.rows()
    assert network.rows((3, 9, 9))[0]["output_shape"] == [4, 7, 7]


def test_sizes_that_do_not_fit_name_the_node_both_shapes_and_what_made_them():
    nodes = [
        Node("left", Conv(8, 8, 3, padding=1), ("x",), ("a",)),
        Node("right", Conv(8, 8, 3, stride=2, padding=1), ("x",), ("b",)),
        Node("sum", Add(), ("a", "b"), ("c",)),
    ]
    with pytest.raises(ArgumentError) as caught:
        Network("n", {"x": ("N", *ITEM)}, nodes, ("c",)).rows()
    assert str(caught.value) == (
        "node 'sum' (add): add takes inputs of the same shape, got 8x16x16 and 8x8x8; its inputs are 8x16x16 from node 'left' "
        "(conv k3x3 p1 o8), 8x8x8 from node 'right' (conv k3x3 s2 p1 o8)"
    )


def test_shared_weights_count_once():
    g = Builder("pyramid", (8, 16, 16))
    low = g("conv k3 p1", weights="head")
    g("maxpool k2")
    g("conv k3 p1", weights="head")
    first, _, second = g.build(low, g.last).rows()
    assert (first["params"], first["shares_with"]) == (8 * 8 * 9 + 8, None)
    assert (second["params"], second["parameter_bytes"], second["shares_with"]) == (0, 0, "conv1")
    assert second["macs"] == first["macs"] // 4
    assert second["arithmetic_intensity"] == second["flops"] / (4 * 584 + second["activation_bytes"])


def test_a_shared_weight_may_have_its_own_bias():
    conv = Conv(8, 8, 1)
    nodes = [Node(name, conv, ("x",), (name,), ("w", f"{name}.b")) for name in ("a", "b")]
    rows = Network("n", {"x": ("N", *ITEM)}, nodes, ("a", "b")).rows()
    assert [(row["weights"], row["biases"], row["shares_with"]) for row in rows] == [
        (64, 8, None),
        (0, 8, "a"),
    ]


def test_layers_that_cannot_be_counted_are_never_0():
    nodes = [
        Node("conv", Conv(8, 8, 3), ("x",), ("a",)),
        Node("odd", Unknown("NonMaxSuppression"), ("a",), ("b",)),
        Node("dense", Dense(8, 4), ("b",), ("c",)),
    ]
    network = Network("n", {"x": ("N", *ITEM)}, nodes, ("c",))
    conv, odd, dense = network.rows()
    assert odd["layer"] == "NonMaxSuppression"
    for key in ("macs", "flops", "multiplications", "activation_bytes", "output_shape"):
        assert odd[key] is None
    assert (dense["params"], dense["macs"], dense["output_shape"]) == (36, None, None)
    assert odd["receptive_field"] == [None, None]
    sums = network.totals()
    assert (sums["uncounted"], sums["macs"], sums["params"]) == (2, conv["macs"], conv["params"] + 36)
    assert "uncounted" not in residual().totals()


def test_a_stated_shape_is_used_after_a_layer_that_cannot_be_counted():
    nodes = [
        Node("odd", Unknown("NonMaxSuppression"), ("x",), ("b",)),
        Node("dense", Dense(8, 4), ("b",), ("c",)),
    ]
    network = Network("n", {"x": ("N", *ITEM)}, nodes, ("c",), stated={"b": (1, 8)})
    odd, dense = network.rows()
    assert (odd["output_shape"], odd["macs"], dense["macs"]) == ([8], None, 32)
    assert network.totals()["uncounted"] == 1


def test_whole_shapes_are_shown_where_a_network_is_not_per_item():
    nodes = [Node("conv", Conv(8, 4, 3), ("x",), ("a",))]
    (row,) = Network("n", {"x": (2, *ITEM)}, nodes, ("a",), per_item=False).rows()
    assert (row["input_shape"], row["output_shape"]) == ([2, 8, 16, 16], [2, 4, 14, 14])
    assert row["macs"] == 2 * 4 * 14 * 14 * 72


def test_outputs_of_a_node_are_used_separately():
    nodes = [
        Node("split", Split(sizes=(3, 5)), ("x",), ("a", "b")),
        Node("left", Conv(3, 2, 1), ("a",), ("c",)),
        Node("right", Conv(5, 2, 1), ("b",), ("d",)),
    ]
    split, left, right = Network("n", {"x": ("N", *ITEM)}, nodes, ("c", "d")).rows()
    assert (split["output_shape"], left["input_shape"], right["input_shape"]) == (
        [3, 16, 16],
        [3, 16, 16],
        [5, 16, 16],
    )
    assert left["inputs"] == right["inputs"] == ["split"]
    named = Node("split", Split(sizes=(3, 5)), ("x",), ("a", "b", "c"))
    with pytest.raises(ArgumentError, match=r"node 'split' \(split o3x5\) makes 2 outputs, but 3 are named"):
        Network("n", {"x": ("N", *ITEM)}, [named], ("c",)).rows()


def test_parameters_need_no_shapes():
    network = Network("n", {"x": ("N", 3, "H", "W")}, [Node("a", Conv(3, 4, 3), ("x",), ("a",))], ("a",))
    (row,) = network.parameter_rows()
    assert (row["params"], row["parameter_bytes"], network.params()) == (112, 448, 112)


def calls(nodes):
    """Count the calls of Python functions while a stack of residual blocks is made and counted."""
    count = 0

    def counted(frame, event, argument):
        nonlocal count
        count += event == "call"

    made, tensor = [], "x"
    for number in range(nodes // 2):
        made.append(Node(f"conv{number}", Conv(8, 8, 3, padding=1), (tensor,), (f"c{number}",)))
        made.append(Node(f"add{number}", Add(), (f"c{number}", tensor), (f"a{number}",)))
        tensor = f"a{number}"
    sys.setprofile(counted)
    try:
        rows = Network("long", {"x": ("N", *ITEM)}, made, (tensor,)).rows()
    finally:
        sys.setprofile(None)
    assert totals(rows)["macs"] == nodes // 2 * prod(ITEM) * 72
    assert rows[-1]["receptive_field"] == [nodes + 1, nodes + 1]
    return count


def test_the_work_grows_with_the_nodes_and_no_faster():
    short, long = calls(1000), calls(10_000)
    assert long < 10.5 * short
    assert long < 10_000 * 400
