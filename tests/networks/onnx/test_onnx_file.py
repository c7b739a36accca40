"""Files of models: what is read, and one-line errors."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcli import networks
from convcli.errors import ArgumentError, ConvcliError, FileError
from convcli.networks.onnx import model as reading
from convcli.networks.onnx.constants import Constant
from convcli.networks.onnx.messages import MAX_COUNTS, SCHEMA
from convcli.networks.onnx.wire import Reader, Span
from tests.conftest import one_error
from tests.examples import examples
from tests.networks.onnx.models import LIGHT, TensorProto, helper, made, numbers, numpy_helper, onnx, saved


def small(**constants):
    """Return a model with one convolution."""
    nodes = [helper.make_node("Conv", ["x", "w"], ["out"], name="conv", strides=[2, 1])]
    return made(nodes, {"x": (1, 3, 8, 8)}, ["out"], {"w": numbers(4, 3, 3, 3), **constants})


def refusal(path):
    with pytest.raises(ConvcliError) as error:
        networks.load(path)
    text = str(error.value)
    assert "\n" not in text and text.isprintable()
    return text


def same(ours, theirs):
    """Compare a parsed message with the same message parsed by protobuf."""
    for name, value in ours.items():
        other = getattr(theirs, name)
        several = isinstance(value, list)
        if not several and value is None:
            assert not theirs.HasField(name)
            continue
        values, others = (value, list(other)) if several else ([value], [other])
        if name in ("float_data", "double_data"):  # bytes here
            values = [
                n for each in values for n in np.frombuffer(each, "<f4" if name == "float_data" else "<f8")
            ]
        assert len(values) == len(others), name
        for one, two in zip(values, others, strict=True):
            if isinstance(one, dict):
                same(one, two)
            elif isinstance(one, Span):
                assert one.read() == two
            else:
                assert one == (two.encode() if isinstance(one, bytes) and isinstance(two, str) else two), name


@pytest.mark.parametrize("name", ["squeezenet", "shufflenet"])
def test_every_field_is_what_protobuf_reads(name):
    path = LIGHT / f"light_{name}.onnx"
    if not path.exists():
        pytest.skip("the light models are not in this version of onnx")
    with Reader(path, SCHEMA, MAX_COUNTS) as reader:
        same(reader.message("Model"), onnx.load(path))


def test_every_kind_of_attribute_and_tensor(tmp_path):
    arrays = {
        "f": np.float32([1.5, -2]), "d": np.float64([1.5, 1e300]), "h": np.float16([0.5, 65504]), "i": np.array([-5, 1 << 40]),
        "i8": np.int8([-128, 127]), "u8": np.uint8([0, 255]), "i32": np.int32([-1, 2]), "b": np.array([True, False]),
        "u64": np.array([1 << 63], np.uint64), "large": np.arange(5000, dtype=np.float32).reshape(50, 100),
    }  # fmt: skip
    for raw in (True, False):
        constants = []
        for name, array in arrays.items():
            tensor = numpy_helper.from_array(array, name)
            if not raw:
                tensor = helper.make_tensor(name, tensor.data_type, array.shape, array.ravel().tolist())
            constants.append(tensor)
        model = small()
        model.graph.initializer.extend(constants)
        read = reading.read_model(saved(tmp_path, model)).constants
        for name, array in arrays.items():
            constant = read[name]
            assert isinstance(constant, Constant)
            assert (constant.shape, constant.dtype) == (array.shape, str(array.dtype))
            assert np.array_equal(constant.array(), array)
            if array.size <= 4096:
                assert [float(each) for each in constant.elements] == [float(each) for each in array.ravel()]
    assert isinstance(read["large"].elements, type(None))


def test_weights_beside_the_model(tmp_path):
    model = small()
    (tensor,) = model.graph.initializer
    data, before = tensor.raw_data, b"something else first"
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (
        ("location", "weights/w.bin"),
        ("offset", str(len(before))),
        ("length", str(len(data))),
    ):
        tensor.external_data.add(key=key, value=value)
    folder = tmp_path / "a model"
    folder.mkdir()
    path = saved(folder, model)
    assert refusal(path) == (
        "model.onnx: the elements of the tensor 'w' are in 'weights/w.bin', which is missing; put it next to the model"
    )
    (folder / "weights").mkdir()
    (folder / "weights" / "w.bin").write_bytes(before + data)
    x = numbers(1, 3, 8, 8)
    ours = networks.load(path).run({"x": x})["out"]
    assert np.array_equal(ours, networks.load(saved(tmp_path, small())).run({"x": x})["out"])
    (folder / "weights" / "w.bin").write_bytes(data)
    assert "the tensor 'w' is at bytes 20 to 452 of 'weights/w.bin', which has only 432" in refusal(path)
    (tmp_path / "secret").write_bytes(before + data)
    (folder / "link").symlink_to(tmp_path / "secret")
    for location in ("../secret", str(tmp_path / "secret"), "link", "", ".", "weights/../../secret", "a\0b"):
        tensor.external_data[0].value = location
        text = refusal(saved(folder, model))
        assert (
            f"the elements of the tensor 'w' are in {location!r}, which is not inside the model's folder"
            in text
        )


def test_models_that_are_refused(tmp_path):
    assert "there is no such file" in refusal(tmp_path / "none.onnx")
    (tmp_path / "folder.onnx").mkdir()
    assert "it is a folder" in refusal(tmp_path / "folder.onnx")
    for data, word in (
        (b"", "it has no graph"),
        (b"hello, world", "cannot be read as an ONNX model"),
        (b"\x80" * 20, "there is no valid number"),
        (small().SerializeToString()[:-5], "it is truncated within a message"),
    ):
        (tmp_path / "bad.onnx").write_bytes(data)
        assert word in refusal(tmp_path / "bad.onnx")
    old = small()
    old.opset_import[0].version = 6
    assert refusal(saved(tmp_path, old)) == (
        "model.onnx: its operators are of version 6, but the oldest supported is 7; convert it with "
        "onnx.version_converter.convert_version(model, 7)"
    )
    named = small()
    named.graph.node[0].name = "conv\x1b[2J"
    assert "the node 'conv\\x1b[2J' has control characters in its name" in refusal(saved(tmp_path, named))
    large = small()
    large.graph.initializer[0].dims[:] = [1 << 40, 1 << 40]
    assert "at most 8,589,934,592 elements are possible" in refusal(saved(tmp_path, large))
    short = small()
    short.graph.initializer[0].dims[0] = 5
    assert "the tensor 'w' of shape (5, 3, 3, 3) needs 540 bytes, but has 432" in refusal(
        saved(tmp_path, short)
    )


@pytest.mark.parametrize(
    ("nodes", "defect"),
    [
        ((("Relu", "a", "b"), ("Relu", "b", "a")), "the nodes 'n0', 'n1' form a cycle"),
        ((("Relu", "nope", "b"),), "node 'n0' (relu) takes 'nope', which no node makes"),
        ((("Relu", "x", "c"),), "no node makes the output 'b'"),
        ((("Relu", "x", "b"), ("Sigmoid", "x", "b")), "node 'n0' and node 'n1' (sigmoid) both make the tensor 'b'"),
    ],
)  # fmt: skip
def test_defects_of_the_graph_are_errors_of_the_file(call, tmp_path, nodes, defect):
    made_nodes = [
        helper.make_node(operator, [before], [after], name=f"n{number}")
        for number, (operator, before, after) in enumerate(nodes)
    ]
    path = saved(tmp_path, made(made_nodes, {"x": (1, 3, 4, 4)}, ["b"]))
    result = call("cost", path)
    assert (result.code, one_error(result)) == (2, f"model.onnx is damaged: {defect}")


def test_sizes_of_the_file_that_do_not_fit_are_an_error_of_the_file(tmp_path):
    path = saved(tmp_path, small(w=numbers(4, 2, 3, 3)))
    with pytest.raises(FileError, match=r"model.onnx is damaged: node 'conv' .*: the input has 3 channels"):
        networks.load(path).rows()
    with pytest.raises(ArgumentError, match=r"^node 'conv' .*: the input has 5 channels"):
        networks.load(path, (5, 8, 8)).rows()


def test_too_many_nodes_are_refused(tmp_path, monkeypatch):
    nodes = [helper.make_node("Relu", ["x"], [f"y{number}"]) for number in range(20)]
    path = saved(tmp_path, made(nodes, {"x": (1,)}, ["y0"]))
    assert len(networks.load(path).nodes) == 20
    monkeypatch.setitem(MAX_COUNTS, "Node", 19)
    assert refusal(path) == (
        "model.onnx cannot be read as an ONNX model: it has more than the limit of 19 nodes"
    )


def test_graphs_nested_deeply_are_refused(tmp_path):
    def field(number, data):
        length, head = len(data), bytes([number << 3 | 2])
        while length > 127:
            head, length = head + bytes([length & 127 | 128]), length >> 7
        return head + bytes([length]) + data

    graph = b""
    for _ in range(2000):
        graph = field(1, field(5, field(6, graph)))  # a node with a graph attribute
    (tmp_path / "deep.onnx").write_bytes(field(7, graph))
    assert "its graphs are nested more than 40 deep" in refusal(tmp_path / "deep.onnx")


def test_a_giant_constant_takes_no_memory(tmp_path):
    nodes = [
        helper.make_node("ConstantOfShape", ["size"], ["c"]),
        helper.make_node("Add", ["x", "c"], ["out"], name="add"),
        helper.make_node("Range", ["zero", "end", "one"], ["many"]),
        helper.make_node("Pow", ["end", "end"], ["huge"]),
        helper.make_node("Expand", ["x", "wide"], ["e"]),
    ]
    constants = {
        "size": np.array([1 << 20, 1 << 12, 3]), "zero": np.array(0), "end": np.array(1 << 62), "one": np.array(1),
        "wide": np.array([1 << 20, 1 << 12, 3]),
    }  # fmt: skip
    network = networks.load(saved(tmp_path, made(nodes, {"x": (3,)}, ["out", "e"], constants)))
    assert network.rows()[0]["output_shape"] == [1 << 20, 1 << 12, 3]


@pytest.mark.parametrize("ending", [".pt", ".pth", ".h5", ".tflite", ".pb", ".safetensors", ".keras"])
def test_errors_of_other_models_explain_the_conversion_to_onnx(tmp_path, ending):
    (tmp_path / f"model{ending}").write_bytes(b"")
    assert "convert it to ONNX" in refusal(tmp_path / f"model{ending}")


@settings(max_examples=examples(300))
@given(st.data())
def test_changed_bytes_are_a_network_or_one_error_line(tmp_path_factory, data):
    whole = bytearray(small(k=np.arange(3), z=np.float32([1])).SerializeToString())
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(whole) - 1))
        whole[place : place + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=3))
    path = tmp_path_factory.getbasetemp() / "changed.onnx"
    path.write_bytes(whole)
    try:
        network = networks.load(path)
        network.rows((1, 3, 8, 8))
        network.run({name: numbers(1, 3, 8, 8) for name in network.inputs})
    except ConvcliError as error:
        assert "\n" not in str(error)


def test_a_sparse_tensor_is_made_whole(tmp_path):
    values, indices = numbers(3), np.array([1, 5, 11])
    nodes = [helper.make_node("Add", ["x", "few"], ["out"])]
    model = made(nodes, {"x": (3, 4)}, ["out"])
    wanted = np.zeros(12, np.float32)
    wanted[indices] = values
    x = numbers(3, 4)
    for places in (indices, np.stack(np.unravel_index(indices, (3, 4)), axis=1)):
        del model.graph.sparse_initializer[:]
        tensors = numpy_helper.from_array(values, "few"), numpy_helper.from_array(places, "places")
        model.graph.sparse_initializer.append(helper.make_sparse_tensor(*tensors, [3, 4]))
        ours = networks.load(saved(tmp_path, model)).run({"x": x})["out"]
        assert np.array_equal(ours, x + wanted.reshape(3, 4))
    model.graph.sparse_initializer[0].dims[:] = [1, 4]
    model.graph.sparse_initializer[0].indices.CopyFrom(numpy_helper.from_array(indices, "places"))
    with pytest.raises(ArgumentError, match="the indices of the sparse tensor 'few' do not fit its shape"):
        networks.load(saved(tmp_path, model)).run({"x": x})


def test_names_that_would_be_equal_are_made_unique(tmp_path):
    names = ["a", *("a" + "2" * count for count in range(1, 1200)), "a"]
    ends = [f"t{place}" for place in range(len(names))]
    nodes = [
        helper.make_node("Relu", [start], [end], name=name)
        for name, start, end in zip(names, ["x", *ends], ends, strict=False)
    ]
    network = networks.load(saved(tmp_path, made(nodes, {"x": (1, 2)}, [ends[-1]])))
    assert len({node.name for node in network.nodes}) == len(names)


def test_functions_that_contain_only_calls_are_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "MAX_NODES", 2000)
    model = made([helper.make_node("F0", ["x"], ["out"], domain="d")], {"x": (1, 2)}, ["out"])
    for depth in range(12):
        calls = [helper.make_node(f"F{depth + 1}", ["a"], [f"b{place}"], domain="d") for place in range(10)]
        model.functions.append(helper.make_function("d", f"F{depth}", ["a"], ["b0"], calls, []))
    model.functions.append(helper.make_function("d", "F12", ["a"], ["b"], [], []))
    assert "it has more than the limit of 2,000 nodes" in refusal(saved(tmp_path, model))


def test_control_characters_of_a_model_are_escaped(tmp_path):
    evil = "\x1b[2J"
    node = helper.make_node("Resize", ["x", "", "s"], ["out"], coordinate_transformation_mode=evil)
    model = made([node], {"x": (1, 1, 3, 3)}, ["out"], {"s": np.float32([1, 1, 2, 2])}, name=evil)
    model.producer_name = evil
    network = networks.load(saved(tmp_path, model))
    assert network.name.isprintable() and network.source.isprintable()
    with pytest.raises(ConvcliError) as error:
        network.run({"x": numbers(1, 1, 3, 3)})
    assert str(error.value).isprintable() and r"\x1b[2J" in str(error.value)
    other = made([helper.make_node("Relu", ["x"], ["out"], domain=evil)], {"x": (1,)}, ["out"])
    assert "the domain of operators '\\x1b[2J' has control characters in its name" in refusal(
        saved(tmp_path, other)
    )


@pytest.mark.parametrize(
    ("name", "value", "reported"),
    [
        ("axis", 1.5, "a float, but must be an integer"),
        ("axis", "1", "a string, but must be an integer"),
        ("perm", 1, "an integer, but must be integers"),
        ("mode", [1], "integers, but must be a string"),
        ("alpha", [1.0], "floats, but must be a float"),
    ],
)
def test_an_attribute_of_another_type_is_refused(tmp_path, name, value, reported):
    node = helper.make_node("Softmax", ["x"], ["out"], name="soft", **{name: value})
    assert refusal(saved(tmp_path, made([node], {"x": (2, 3)}, ["out"]))) == (
        f"model.onnx: the attribute {name!r} of the node 'soft' is {reported}"
    )


@pytest.mark.parametrize(
    ("operator", "inputs", "reported"),
    [
        ("Gather", ["x"], "it has 1 of the 2 inputs that it needs"),
        ("Where", ["x", "", "x"], "it has 2 of the 3 inputs that it needs"),
        ("Transpose", ["x", "x"], "it has 2 inputs, but takes at most 1"),
    ],
)
def test_a_wrong_number_of_inputs_is_refused(tmp_path, operator, inputs, reported):
    model = made([helper.make_node(operator, inputs, ["out"], name="n")], {"x": (2, 3)}, ["out"])
    with pytest.raises(ConvcliError) as error:
        networks.load(saved(tmp_path, model)).run({"x": numbers(2, 3)})
    assert f"1 x {operator} ({reported}), first node 'n'" in str(error.value)


@pytest.mark.parametrize(
    ("operator", "constant", "reported"),
    [
        (
            "Expand",
            np.array([1 << 30, 1 << 30, 3]),
            "the tensor 'out' would have shape (1073741824, 1073741824, 3)",
        ),
        ("Tile", np.array([1 << 50]), "the tensor 'out' would have shape (3377699720527872,)"),
        ("Reshape", np.array([1] * 40 + [3]), "the tensor 'out' has 41 axes; at most 32 are possible"),
        ("Gather", np.array([0, 3]), "the index 3 lies outside axis 0 of size 3; it must be from -3 to 2"),
        ("Pow", np.float32([1, 2]), "the shapes 3 and 2 do not broadcast"),
    ],
)
def test_sizes_beyond_memory_are_reported_before_they_are_computed(tmp_path, operator, constant, reported):
    model = made(
        [helper.make_node(operator, ["x", "c"], ["out"], name="n")], {"x": (3,)}, ["out"], {"c": constant}
    )
    with pytest.raises(ConvcliError) as error:
        networks.load(saved(tmp_path, model)).run({"x": numbers(3)})
    assert reported in str(error.value) and "\n" not in str(error.value)


def test_many_large_constants_computed_from_each_other(tmp_path):
    nodes = [
        helper.make_node("Neg", ["c" if place == 0 else f"t{place - 1}"], [f"t{place}"])
        for place in range(1500)
    ]
    nodes.append(helper.make_node("Add", ["x", "t1499"], ["out"]))
    network = networks.load(
        saved(tmp_path, made(nodes, {"x": (1,)}, ["out"], {"c": np.ones(5000, np.float32)}))
    )
    assert np.array_equal(network.run({"x": np.float32([1])})["out"], np.full(5000, 2))
