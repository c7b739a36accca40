"""Models with data-dependent shapes: detectors and branches, and the remaining graph after each stage."""

import numpy as np
import pytest

from convcli import networks
from convcli.errors import ArgumentError
from convcli.filters.filter_picture import filter_picture
from tests.networks.onnx.models import expected, helper, made, numbers, onnx, saved

INT = np.int64


def detector():
    """Return the end of a detector: boxes and scores, of which non-maximum suppression selects the best."""
    nodes = [
        helper.make_node("Sigmoid", ["raw"], ["scores"], name="scores"),
        helper.make_node("Abs", ["corners"], ["boxes"], name="boxes"),
        helper.make_node(
            "NonMaxSuppression", ["boxes", "scores", "most", "iou", "least"], ["kept"], name="nms"
        ),
        helper.make_node("Gather", ["kept", "last"], ["places"], name="places", axis=1),
        helper.make_node("Shape", ["kept"], ["shape"], name="shape"),
        helper.make_node("Gather", ["shape", "zero"], ["count"], name="count", axis=0),
        helper.make_node("Unsqueeze", ["count", "axis"], ["counts"], name="counts"),
        helper.make_node("Concat", ["counts", "four"], ["target"], name="target", axis=0),
        helper.make_node("Squeeze", ["boxes", "axis"], ["flat"], name="flat"),
        helper.make_node("Gather", ["flat", "places"], ["chosen"], name="chosen", axis=0),
        helper.make_node("Reshape", ["chosen", "target"], ["out"], name="out"),
    ]
    constants = {
        "most": np.array([3]), "iou": np.float32([0.5]), "least": np.float32([0.6]), "last": np.array(2),
        "zero": np.array(0), "axis": np.array([0]), "four": np.array([4]),
    }  # fmt: skip
    inputs = {"raw": (1, 2, 9), "corners": (1, 9, 4)}
    return made(nodes, inputs, ["out", "kept", "scores"], constants, opset=13)


def test_later_stages_use_the_selected_boxes(tmp_path):
    model = detector()
    network = networks.load(saved(tmp_path, model))
    for shift in (0.0, 1.0, -9.0):  # with few boxes, with more, and without any
        given = {"raw": numbers(1, 2, 9) + np.float32(shift), "corners": numbers(1, 9, 4, seed=1)}
        ours = network.run(given)
        for name, wanted in zip(("out", "kept", "scores"), expected(model, given), strict=True):
            assert ours[name].shape == wanted.shape
            np.testing.assert_allclose(ours[name], wanted, atol=1e-6)
        assert (len(ours["kept"]) == 0) == (shift == -9)
    assert list(network.run(given, layers=("scores",), outputs=False)) == ["scores"]


def test_layers_that_depend_on_the_data_are_listed_and_never_0(tmp_path):
    rows = {row["name"]: row for row in networks.load(saved(tmp_path, detector())).rows()}
    assert rows["scores"]["flops"] == 36
    assert rows["nms"]["flops"] is None and rows["nms"]["output_shape"] is None
    assert rows["chosen"]["flops"] is None


def branches(condition, constants=None, deep=False):
    """Return a model with an If: one branch negates x, the other scales it by a constant in the branch."""
    scale = onnx.numpy_helper.from_array(np.float32([3]), "factor")
    end = [helper.make_empty_tensor_value_info("turned")]
    turn = helper.make_graph([helper.make_node("Neg", ["a"], ["turned"])], "turn", [], end)
    if deep:
        inner = helper.make_node("If", ["truth"], ["deep"], then_branch=turn, else_branch=turn)
        turn = helper.make_graph([inner], "deep", [], [helper.make_empty_tensor_value_info("deep")])
    scaled = helper.make_graph(
        [helper.make_node("Mul", ["a", "factor"], ["scaled"])],
        "scale",
        [],
        [helper.make_empty_tensor_value_info("scaled")],
        [scale],
    )
    nodes = [
        helper.make_node("Relu", ["x"], ["a"], name="first"),
        *condition,
        helper.make_node("If", ["truth"], ["y"], name="choice", then_branch=turn, else_branch=scaled),
        helper.make_node("Abs", ["y"], ["z"], name="last"),
        helper.make_node("Add", ["z", "x"], ["out"], name="sum"),
    ]
    return made(nodes, {"x": (2, 3)}, ["out", "y"], constants or {})


@pytest.mark.parametrize("truth", [True, False])
def test_an_if_with_a_constant_condition_is_one_of_its_branches(tmp_path, truth):
    model = branches([], {"truth": np.array(truth)}, deep=True)
    network = networks.load(saved(tmp_path, model))
    assert "uncounted" not in network.totals()
    x = numbers(2, 3)
    ours = network.run({"x": x})
    a = np.maximum(x, 0)
    np.testing.assert_allclose(ours["y"], -a if truth else 3 * a)
    np.testing.assert_allclose(ours["out"], np.abs(ours["y"]) + x)


def test_a_computed_condition_selects_the_branch_in_the_run(tmp_path):
    condition = [
        helper.make_node("ReduceSum", ["x"], ["total"], keepdims=0),
        helper.make_node("Greater", ["total", "zero"], ["truth"]),
    ]
    network = networks.load(saved(tmp_path, branches(condition, {"zero": np.float32(0)})))
    rows = {row["name"]: row for row in network.rows()}
    assert rows["choice"]["macs"] is None
    for x in (np.abs(numbers(2, 3)), -np.abs(numbers(2, 3)), np.float32([[1, 1, 1], [-9, 1, 1]])):
        ours = network.run({"x": x})
        a = np.maximum(x, 0)
        np.testing.assert_allclose(ours["y"], -a if x.sum() > 0 else 3 * a)
        np.testing.assert_allclose(ours["out"], np.abs(ours["y"]) + x)


def test_an_operator_that_is_missing_later_is_refused_before_the_run(tmp_path):
    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["on"]), helper.make_node("Neg", ["v"], ["w"])],
        "body",
        [helper.make_tensor_value_info(name, kind, []) for name, kind in (("i", 7), ("go", 9), ("v", 1))],
        [helper.make_tensor_value_info(name, kind, []) for name, kind in (("on", 9), ("w", 1))],
    )
    nodes = [
        helper.make_node("NonZero", ["x"], ["places"], name="places"),
        helper.make_node("Loop", ["", "", "places"], ["y"], name="loop", body=body),
        helper.make_node("QuantizeLinear", ["y", "scale"], ["out"], name="eight bits"),
    ]
    network = networks.load(saved(tmp_path, made(nodes, {"x": (4,)}, ["out"], {"scale": np.float32(1)})))
    network.run({"x": numbers(4)}, layers=("places",), outputs=False)
    with pytest.raises(ArgumentError) as error:
        network.run({"x": numbers(4)})
    assert str(error.value) == (
        "the network cannot be run, because there is no operator for 1 x Loop, first node 'loop'; 1 x QuantizeLinear, first "
        "node 'eight bits'"
    )


def test_shapes_that_no_stage_determines_are_rejected(tmp_path):
    nodes = [
        helper.make_node("Cast", ["x"], ["target"], name="cast", to=7),
        helper.make_node("Reshape", ["y", "target"], ["out"], name="view"),
    ]
    model = made(nodes, {"x": (80,), "y": (4,)}, ["out"])
    with pytest.raises(
        ArgumentError, match=r"the network cannot be run: node 'view' .*its shape depends on the data"
    ):
        networks.load(saved(tmp_path, model)).run({"x": np.ones(80), "y": np.ones(4)})


def test_shapes_that_depend_on_constants_only(tmp_path):
    boxes = np.float32([[[0, 0, 1, 1], [0, 0, 1, 0.9], [2, 2, 3, 3]]])
    scores, most, iou = np.float32([[[0.5, 0.9, 0.3]]]), np.array([9]), np.float32([0.5])
    nodes = [
        helper.make_node("NonMaxSuppression", ["boxes", "scores", "most", "iou"], ["kept"], name="nms"),
        helper.make_node("Cast", ["kept"], ["floats"], to=1),
        helper.make_node("Add", ["floats", "x"], ["out"]),
    ]
    constants = {"boxes": boxes, "scores": scores, "most": most, "iou": iou}
    network = networks.load(saved(tmp_path, made(nodes, {"x": (1,)}, ["out"], constants)))
    assert network.run({"x": [0.5]})["out"].tolist() == [[0.5, 0.5, 1.5], [0.5, 0.5, 2.5]]


def test_a_picture_of_unknown_size_is_refused(tmp_path):
    nodes = [helper.make_node("Relu", ["x"], ["a"], name="maps"), helper.make_node("NonZero", ["a"], ["out"])]
    path = saved(tmp_path, made(nodes, {"x": (1, 3, "h", "w")}, ["out"]))
    x = np.full((4, 5, 3), 51, np.uint8)
    maps = filter_picture(x, network=path, layer="maps", value_range=None)
    np.testing.assert_allclose(maps, np.full((4, 5, 3), 0.2), rtol=1e-6)
    with pytest.raises(ArgumentError) as error:
        filter_picture(x, network=path, value_range=None)
    assert str(error.value) == (
        "cannot filter the picture: the shape of 'out' is only known after the network has run; choose another layer, or "
        "use `Network.run` in Python"
    )
