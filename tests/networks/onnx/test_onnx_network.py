"""Models that are read and run: folded shapes, functions, unknown operators, and custom ones."""

import subprocess
import sys

import numpy as np
import pytest

from convcli import filter_picture, networks
from convcli.errors import ArgumentError, FileError
from tests.networks.onnx.models import (
    LIGHT,
    expected,
    helper,
    made,
    numbers,
    numpy_helper,
    onnx,
    saved,
    trained,
)

INT = np.int64
LIGHT_MODELS = {
    "bvlc_alexnet": 60_965_224,
    "densenet121": 8_062_504,
    "inception_v1": 6_998_552,
    "inception_v2": 11_214_888,
    "resnet50": 25_557_032,
    "shufflenet": 1_393_320,
    "squeezenet": 1_235_496,
    "vgg19": 143_667_240,
    "zfnet512": 87_250_536,
}


def from_pytorch():
    """Return a model as PyTorch writes one: the target of a reshape is computed from the shape of the input."""
    nodes = [
        helper.make_node("Conv", ["x", "w", "b"], ["a"], name="conv", pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["a"], ["r"], name="relu"),
        helper.make_node("Shape", ["r"], ["shape"]),
        helper.make_node("Constant", [], ["zero"], value_int=0),
        helper.make_node("Gather", ["shape", "zero"], ["batch"], axis=0),
        helper.make_node("Unsqueeze", ["batch", "first"], ["batch1"]),
        helper.make_node("Concat", ["batch1", "rest"], ["target"], axis=0),
        helper.make_node("Reshape", ["r", "target"], ["flat"], name="view"),
        helper.make_node("ReduceMean", ["flat"], ["out"], name="mean", axes=[2], keepdims=0),
    ]
    constants = {
        "w": numbers(4, 3, 3, 3),
        "b": numbers(4, seed=1),
        "first": np.array([0], INT),
        "rest": np.array([2, -1], INT),
    }
    return made(nodes, {"x": ("n", 3, "h", "w")}, ["out"], constants)


def test_shapes_are_folded_for_the_sizes_of_the_input(tmp_path):
    model = from_pytorch()
    network = networks.load(saved(tmp_path, model))
    assert network.inputs == {"x": ("n", 3, "h", "w")}
    assert list(network.outputs) == ["out"]
    rows = network.rows({"x": (2, 3, 8, 6)})
    assert [row["name"] for row in rows] == ["conv", "relu", "view", "mean"]
    assert rows[2]["output_shape"] == [2, 2, 96]
    assert [row["params"] for row in rows] == [112, 0, 0, 0]
    assert network.totals((3, 8, 6), batch=5)["macs"] == 5 * 4 * 27 * 48
    assert network.params() == 112
    for shape in ((2, 3, 8, 6), (1, 3, 5, 4), (2, 3, 8, 6)):
        x = numbers(*shape)
        made_of = network.run({"x": x}, layers=("relu", "a"))
        (wanted,) = expected(model, {"x": x})
        np.testing.assert_allclose(made_of["out"], wanted, atol=1e-5)
        assert np.array_equal(made_of["relu"], np.maximum(made_of["a"], 0))
        assert (made_of["a"] < 0).any()


def test_the_sizes_of_an_input_must_be_known(tmp_path):
    path = saved(tmp_path, from_pytorch())
    with pytest.raises(ArgumentError) as error:
        networks.load(path).rows()
    assert (
        str(error.value)
        == "the input 'x' is nx3xhxw, of which h and w are unknown; give its shape, such as `inputs=(3, 320, 320)`"
    )
    assert networks.load(path, (3, 8, 6)).totals()["macs"] == 4 * 27 * 48


def test_the_command_line_names_the_option_for_the_sizes_of_an_input(tmp_path, call):
    path = saved(tmp_path, from_pytorch())
    advice = call("cost", path).err.partition("give its shape, such as ")[2].split()
    assert advice == ["--input", "3x320x320"]
    assert call("cost", path, *advice).code == 0
    with pytest.raises(
        ArgumentError, match=r"the input 'x' has shape \(1, 4, 8, 6\); the network takes nx3xhxw"
    ):
        networks.load(path).run({"x": numbers(1, 4, 8, 6)})
    with pytest.raises(ArgumentError, match="the network has no input 'y'; use x"):
        networks.load(path).run({"y": numbers(1, 3, 8, 6)})
    with pytest.raises(ArgumentError, match="the input 'x' is missing; the network takes x"):
        networks.load(path).run({})
    with pytest.raises(ArgumentError, match="has its own weights"):
        networks.load(path).run({"x": numbers(1, 3, 8, 6)}, seed=0)
    with pytest.raises(ArgumentError, match="the network has no layer 'relu5'"):
        networks.load(path).run({"x": numbers(1, 3, 8, 6)}, layers=("relu5",))


def test_sizes_that_do_not_fit_name_the_node(tmp_path):
    nodes = [
        helper.make_node("MaxPool", ["x"], ["a"], name="pool", kernel_shape=[4, 4]),
        helper.make_node("Softmax", ["a"], ["out"], name="soft", axis=1),
    ]
    network = networks.load(saved(tmp_path, made(nodes, {"x": (1, 3, "h", "w")}, ["out"], opset=11)))
    for ask in (lambda: network.run({"x": numbers(1, 3, 2, 9)}), lambda: network.rows((3, 2, 9))):
        with pytest.raises(
            ArgumentError, match=r"node 'pool' .*: the output would be empty: along the height"
        ):
            ask()


def strange():
    """Return a model with an unknown operator, and another whose output shape is in the model."""
    nodes = [
        helper.make_node("Relu", ["x"], ["a"], name="first"),
        helper.make_node("Spell", ["a"], ["b"], name="magic", domain="com.example"),
        helper.make_node("Relu", ["b"], ["c"], name="last"),
        helper.make_node("StringNormalizer", ["a"], ["d"], name="where"),
    ]
    stated = [helper.make_tensor_value_info("b", 1, [1, 2, 3, 3])]
    return made(nodes, {"x": (1, 3, 4, 4)}, ["c", "d"], value_info=stated)


def test_an_operator_that_cannot_be_counted_is_listed_and_never_0(tmp_path):
    network = networks.load(saved(tmp_path, strange()))
    rows = {row["name"]: row for row in network.rows()}
    assert rows["magic"]["macs"] is None and rows["where"]["flops"] is None
    assert rows["magic"]["output_shape"] == [1, 2, 3, 3]  # stated in the model
    assert rows["last"]["comparisons"] == 18
    assert network.totals()["uncounted"] == 2
    with pytest.raises(ArgumentError) as error:
        network.run({"x": numbers(1, 3, 4, 4)})
    assert str(error.value) == (
        "the network cannot be run, because there is no operator for 1 x com.example.Spell (there is no layer for it), first "
        "node 'magic'; 1 x StringNormalizer (there is no layer for it), first node 'where'"
    )
    picture = np.zeros((4, 4, 3), np.uint8)
    for layer, operator in ((None, "com.example.Spell"), ("d", "StringNormalizer")):  # d has no stated shape
        with pytest.raises(
            ArgumentError, match=f"there is no operator for 1 x {operator} .there is no layer"
        ):
            filter_picture(picture, network=tmp_path / "model.onnx", layer=layer)
    ours = network.run({"x": numbers(1, 3, 4, 4)}, layers=("first",), outputs=False)
    assert list(ours) == ["first"]  # it needs only known operators


def test_a_graph_in_a_node_is_not_counted(tmp_path):
    inner = helper.make_graph(
        [helper.make_node("Relu", ["x"], ["y"])], "inner", [], [helper.make_empty_tensor_value_info("y")]
    )
    node = helper.make_node("If", ["truth"], ["out"], name="choice", then_branch=inner, else_branch=inner)
    network = networks.load(saved(tmp_path, made([node], {"truth": ()}, ["out"])))
    assert network.rows()[0]["macs"] is None


def test_functions_of_the_model_are_expanded(tmp_path):
    scale = helper.make_node("LeakyRelu", ["a"], ["b"], name="inner")
    scale.attribute.append(reference("alpha"))
    function = helper.make_function(
        "com.example", "Leak", ["a"], ["c"],
        [scale, helper.make_node("Neg", ["b"], ["c"], name="turn")],
        [helper.make_opsetid("", 17)], attributes=["alpha"],
    )  # fmt: skip
    nodes = [
        helper.make_node("Leak", ["x"], ["m"], name="one", domain="com.example", alpha=0.5),
        helper.make_node("Leak", ["m"], ["out"], name="two", domain="com.example", alpha=0.25),
    ]
    model = made(nodes, {"x": (1, 3, 4)}, ["out"])
    model.functions.append(function)
    network = networks.load(saved(tmp_path, model))
    assert [row["name"] for row in network.rows()] == ["one/inner", "one/turn", "two/inner", "two/turn"]
    x = numbers(1, 3, 4)
    first = -np.where(x > 0, x, 0.5 * x)
    np.testing.assert_allclose(network.run({"x": x})["out"], -np.where(first > 0, first, 0.25 * first))
    function.node[1].op_type, function.node[1].domain = "Leak", "com.example"
    del model.functions[:]
    model.functions.append(function)
    with pytest.raises(FileError, match="its function 'Leak' calls itself"):
        networks.load(saved(tmp_path, model))


def reference(name):
    attribute = onnx.AttributeProto()
    attribute.name, attribute.ref_attr_name, attribute.type = name, name, onnx.AttributeProto.FLOAT
    return attribute


def test_weights_that_nodes_share_count_once(tmp_path):
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["a"], name="one", pads=[1, 1, 1, 1]),
        helper.make_node("Conv", ["a", "w"], ["out"], name="two", pads=[1, 1, 1, 1]),
    ]
    model = made(nodes, {"x": (1, 3, 4, 4)}, ["out"], {"w": numbers(3, 3, 3, 3)})
    network = networks.load(saved(tmp_path, model))
    assert [row["params"] for row in network.rows()] == [81, 0]
    assert network.rows()[1]["shares_with"] == "one"
    x = numbers(1, 3, 4, 4)
    np.testing.assert_allclose(network.run({"x": x})["out"], expected(model, {"x": x})[0], atol=1e-4)


def blocks():
    """Return a model in which every kind of step is fused with the next one, except some that must not be."""
    six, three = np.float32(6), np.float32(3)
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["a"], pads=[1, 1, 1, 1]),
        helper.make_node("BatchNormalization", ["a", "g", "s", "m", "v"], ["b"]),
        helper.make_node("Add", ["b", "three"], ["h1"]),
        helper.make_node("Clip", ["h1", "zero", "six"], ["h2"]),
        helper.make_node("Mul", ["b", "h2"], ["h3"]),
        helper.make_node("Div", ["h3", "six"], ["h"]),
        helper.make_node("Conv", ["h", "d", "g"], ["c"], group=4, pads=[1, 1, 1, 1]),
        helper.make_node("Mul", ["c", "column"], ["c1"]),
        helper.make_node("Sub", ["c1", "column"], ["c2"]),
        helper.make_node("Add", ["h", "c2"], ["sum"]),  # h is used twice
        helper.make_node("Relu", ["sum"], ["r"]),
        helper.make_node("Sigmoid", ["r"], ["q"]),
        helper.make_node("Mul", ["q", "r"], ["silu"]),
        helper.make_node("Reshape", ["silu", "flat"], ["view"]),
        helper.make_node("Relu", ["view"], ["seen"]),
        helper.make_node("Conv", ["silu", "p"], ["e"]),  # silu is also used by a view
        helper.make_node("Add", ["e", "r"], ["f"]),
        helper.make_node("Dropout", ["f"], ["f1"]),
        helper.make_node("LeakyRelu", ["f1"], ["out"], alpha=0.3),
        helper.make_node("Mul", ["e", "e"], ["square"]),
    ]
    constants = {
        "w": numbers(4, 3, 3, 3), "d": numbers(4, 1, 3, 3), "p": numbers(4, 4, 1, 1), "g": numbers(4), "s": numbers(4, seed=1),
        "m": numbers(4, seed=2), "v": numbers(4) ** 2, "column": numbers(4, 1, 1), "three": three, "six": six,
        "zero": np.float32(0), "flat": np.array([0, -1], INT),
    }  # fmt: skip
    return made(nodes, {"x": (2, 3, 9, 7)}, ["out", "seen", "square"], constants)


@pytest.mark.parametrize("wanted", [(), ("b",), ("h", "sum", "q"), ("e", "view", "r")])
def test_fused_steps_equal_separate_nodes(tmp_path, wanted):
    model = blocks()
    network = networks.load(saved(tmp_path, model))
    x = numbers(2, 3, 9, 7, seed=9)
    before = x.copy()
    ours = network.run({"x": x}, layers=wanted)
    for name in wanted:
        model.graph.output.append(helper.make_empty_tensor_value_info(name))
    theirs = expected(model, {"x": x})
    assert list(ours) == ["out", "seen", "square", *wanted]
    for name, array in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(ours[name], array, rtol=1e-3, atol=1e-4, err_msg=name)
    assert np.array_equal(x, before)
    again = network.run({"x": x}, layers=wanted)
    assert all(np.array_equal(ours[name], again[name]) for name in ours)
    assert not any(np.may_share_memory(ours[name], again[name]) for name in ours)


def test_only_operations_along_features_are_fused_with_a_product(tmp_path):
    square = numbers(5, 5)
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["a"]),
        helper.make_node("Add", ["a", "bias"], ["b"]),
        helper.make_node("Mul", ["b", "rows"], ["c"]),  # one number per position, whose count is the same
        helper.make_node("BatchNormalization", ["c", "g", "s", "m", "v"], ["d"]),
        helper.make_node("MatMul", ["d", "w"], ["e"]),
        helper.make_node("BatchNormalization", ["e", "g", "s", "m", "v"], ["out"]),
    ]
    constants = {
        "w": square, "bias": numbers(5), "rows": numbers(5, 1), "g": numbers(5), "s": numbers(5, seed=1),
        "m": numbers(5, seed=2), "v": numbers(5) ** 2,
    }  # fmt: skip
    model = made(nodes, {"x": (2, 5, 5)}, ["out"], constants)
    x = numbers(2, 5, 5, seed=3)
    ours = networks.load(saved(tmp_path, model)).run({"x": x})["out"]
    np.testing.assert_allclose(ours, expected(model, {"x": x})[0], rtol=1e-3, atol=1e-4)


def test_steps_are_fewer_than_nodes(tmp_path):
    network = networks.load(saved(tmp_path, blocks()))
    network.run({"x": numbers(2, 3, 9, 7)})
    program = network.__dict__["_kept"][2].stage({"x": (2, 3, 9, 7)}, (), True).program
    assert len(program._actions) < len(network.nodes) / 2


def test_inputs_and_outputs_are_not_in_the_memory_of_the_network(tmp_path):
    nodes = [helper.make_node("Identity", ["x"], ["a"]), helper.make_node("Identity", ["c"], ["b"])]
    network = networks.load(saved(tmp_path, made(nodes, {"x": (2,)}, ["a", "b"], {"c": numbers(3)})))
    x = numbers(2)
    made_of = network.run({"x": x})
    made_of["a"][:], made_of["b"][:] = 7, 7
    assert (x != 7).all()
    assert np.array_equal(network.run({"x": x})["b"], numbers(3))


@pytest.mark.parametrize("name", LIGHT_MODELS)
def test_light_models_have_their_published_counts_and_outputs(name):
    if not (LIGHT / f"light_{name}.onnx").exists():
        pytest.skip("the light models are not in this version of onnx")
    network = networks.load(LIGHT / f"light_{name}.onnx")
    assert network.totals()["params"] == LIGHT_MODELS[name]
    assert "uncounted" not in network.totals()
    ((key, shape),) = network.inputs.items()
    size = int(np.prod(shape))
    x = (np.arange(size).reshape(shape) / size).astype(np.float32)  # as in onnx.backend.test.runner
    tensor = onnx.TensorProto()
    tensor.ParseFromString((LIGHT / f"light_{name}_output_0.pb").read_bytes())
    (ours,) = network.run({key: x}).values()
    np.testing.assert_allclose(ours, numpy_helper.to_array(tensor), rtol=1e-3, atol=1e-7)


def test_a_trained_network_equals_onnx_runtime():
    network = networks.load(trained())
    assert [size for size in network.inputs["x"] if isinstance(size, int)] == [3]
    assert network.params() == 129_356
    x = np.sin(np.arange(3 * 48 * 192, dtype=np.float32) / 50).reshape(1, 3, 48, 192)
    (ours,) = network.run({"x": x}).values()
    np.testing.assert_allclose(ours, ROTATED_SCORES, atol=1e-4)
    wide = np.concatenate([x, x[..., :64]], axis=3)
    (other,) = network.run({"x": np.concatenate([wide, wide])}).values()
    assert other.shape == (2, 2)
    np.testing.assert_allclose(other.sum(axis=1), 1, atol=1e-6)


ROTATED_SCORES = [[0.4150345, 0.5849655]]  # computed by onnxruntime 1.32 for the x above


def test_a_count_loads_no_numpy(tmp_path):
    path = saved(tmp_path, from_pytorch())
    code = (
        "import sys; from convcli import networks; "
        f"print(networks.load({str(path)!r}, (3, 8, 8)).totals()['macs'], 'numpy' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == [str(4 * 27 * 64), "False"]


def target(nodes, constants, shape=(10,)):
    """Return x reshaped to a size that nodes compute from constants, the tensor `size`."""
    last = helper.make_node("Expand", ["x", "size"], ["out"])
    return made([*nodes, last], {"x": (1,)}, ["out"], constants)


def test_sizes_are_computed_in_the_precision_of_the_model(tmp_path):
    nodes = [
        helper.make_node("Mul", ["n", "scale"], ["product"]),
        helper.make_node("Floor", ["product"], ["floor"]),
        helper.make_node("Cast", ["floor"], ["size"], to=7),
    ]
    model = target(nodes, {"n": np.float32([10]), "scale": np.float32([0.7])})
    # 10 * 0.7 is 7 in float32, in which 0.7 is 0.69999999
    assert networks.load(saved(tmp_path, model)).run({"x": [1]})["out"].shape == (7,)
    nodes = [
        helper.make_node("Mod", ["n", "by"], ["rest"], fmod=1),
        helper.make_node("Abs", ["rest"], ["size"]),
    ]
    model = target(nodes, {"n": np.array([-7]), "by": np.array([4])})
    assert networks.load(saved(tmp_path, model)).run({"x": [1]})["out"].shape == (
        3,
    )  # the remainder is -3, not 1


@pytest.mark.parametrize(
    ("n", "scale", "size"), [(10, 0.7, 7), (9, 1 / 3, 3), (20, 0.55, 11), (7, 1.3, 9), (5, 2, 10)]
)
def test_a_scale_means_the_simplest_fraction(tmp_path, n, scale, size):
    options = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    node = helper.make_node("Resize", ["x", "", "scale"], ["out"], **options)
    model = made([node], {"x": (1, 1, n)}, ["out"], {"scale": np.float32([1, 1, scale])})
    x = np.arange(n, dtype=np.float32).reshape(1, 1, n)
    ours = networks.load(saved(tmp_path, model)).run({"x": x})["out"].ravel()
    # as float32 rounds the products and the quotients, in ONNX Runtime
    assert len(ours) == size == int(np.float32(n) * np.float32(scale))
    assert ours.tolist() == [float(np.floor(np.float32(y) / np.float32(scale))) for y in range(size)]


@pytest.mark.parametrize(
    ("node", "shape", "same"),
    [
        (helper.make_node("Clip", ["a"], ["b"]), (2, 3), True),
        (helper.make_node("DepthToSpace", ["a"], ["b"], blocksize=1), (1, 2, 3, 3), True),
        (helper.make_node("SpaceToDepth", ["a"], ["b"], blocksize=1), (1, 2, 3, 3), True),
        (helper.make_node("Pad", ["a", "none"], ["b"]), (2, 3), True),
        (helper.make_node("Transpose", ["a"], ["b"], perm=[0, 1]), (2, 3), True),
    ],
)
def test_in_place_steps_overwrite_no_tensor_that_is_needed(tmp_path, node, shape, same):
    nodes = [
        helper.make_node("Neg", ["x"], ["a"]),
        node,
        helper.make_node("LeakyRelu", ["b"], ["out"], alpha=0.5),
        helper.make_node("Identity", ["a"], ["kept"]),
    ]
    model = made(nodes, {"x": shape}, ["out", "kept"], {"none": np.zeros(4, INT)})
    x = numbers(*shape)
    ours = networks.load(saved(tmp_path, model)).run({"x": x})
    assert np.array_equal(ours["kept"], -x)
    np.testing.assert_allclose(ours["out"], np.where(x < 0, -x, -0.5 * x))


def test_integers_stay_integers(tmp_path):
    nodes = [
        helper.make_node("Cast", ["x"], ["a"], to=7),
        helper.make_node("Abs", ["a"], ["b"]),
        helper.make_node("Relu", ["a"], ["c"]),
        helper.make_node("Clip", ["a", "low", "high"], ["d"]),
    ]
    constants = {"low": np.array(0), "high": np.array(6)}
    ours = networks.load(saved(tmp_path, made(nodes, {"x": (4,)}, ["b", "c", "d"], constants))).run(
        {"x": [-7, 2, 9, 0]}
    )
    assert [(each.dtype, each.tolist()) for each in ours.values()] == [
        (INT, [7, 2, 9, 0]), (INT, [0, 2, 9, 0]), (INT, [0, 2, 6, 0]),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "operator", ["Sigmoid", "HardSwish", "Gelu", "Elu", "Relu", "Softplus", "Mish", "Ceil"]
)
def test_a_single_number_is_computed_with(tmp_path, operator):
    nodes = [
        helper.make_node("Gather", ["x", "second"], ["a"]),
        helper.make_node(operator, ["a"], ["b"]),
        helper.make_node("Mul", ["b", "b"], ["c"]),
        helper.make_node("LeakyRelu", ["c"], ["out"]),
    ]
    model = made(nodes, {"x": (3,)}, ["out", "b"], {"second": np.array(1)}, opset=20)
    x = numbers(3)
    ours = networks.load(saved(tmp_path, model)).run({"x": x})
    assert {type(each) for each in ours.values()} == {np.ndarray}
    np.testing.assert_allclose(ours["out"], expected(model, {"x": x})[0], rtol=1e-5)


def test_inputs_have_the_types_of_the_model(tmp_path):
    nodes = [helper.make_node("GlobalAveragePool", ["x"], ["out"])]
    network = networks.load(saved(tmp_path, made(nodes, {"x": (1, 2, 4, 4)}, ["out"])))
    x = np.arange(32, dtype=np.uint8).reshape(1, 2, 4, 4)
    assert network.run({"x": x})["out"].ravel().tolist() == [7.5, 23.5]
    model = made([helper.make_node("Div", ["x", "two"], ["out"])], {"x": (2,)}, ["out"], {"two": np.array(2)})
    model.graph.input[0].type.tensor_type.elem_type = 7
    assert networks.load(saved(tmp_path, model)).run({"x": [5.0, -3.0]})["out"].tolist() == [2, -1]


def test_weights_may_be_computed_from_others(tmp_path):
    nodes = [
        helper.make_node("Slice", ["a", "zero", "end", "axis"], ["part"]),
        helper.make_node("Concat", ["part", "b"], ["w"], axis=0),
        helper.make_node("MatMul", ["x", "w"], ["out"]),
    ]
    a, b = numbers(70, 80), numbers(50, 80, seed=1)  # too many elements to be evaluated before a run
    constants = {"a": a, "b": b, "zero": np.array([0]), "end": np.array([60]), "axis": np.array([0])}
    network = networks.load(saved(tmp_path, made(nodes, {"x": (2, 110)}, ["out"], constants)))
    assert network.params() == 110 * 80
    x = numbers(2, 110, seed=2)
    np.testing.assert_allclose(network.run({"x": x})["out"], x @ np.concatenate([a[:60], b]), atol=1e-4)
