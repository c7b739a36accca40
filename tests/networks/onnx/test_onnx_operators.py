"""Every supported operator, each in a separate model, against ONNX's reference implementation."""

import numpy as np
import pytest

from convcli import networks
from convcli.networks.onnx.translate import TRANSLATORS
from convcli.networks.onnx.translate_places import PLACES  # tested in test_onnx_places.py
from tests import reference
from tests.networks.onnx.models import expected, helper, made, numbers, saved

X, Y = numbers(2, 6, 5, 7), numbers(2, 6, 5, 7, seed=1)
W = numbers(4, 6, 3, 3, seed=2)
INT = np.int64


def ints(*values):
    return np.array(values, INT)


# operator, its inputs (a name for an input of the network, an array for a constant, "" for none), attributes, opset
CASES = [
    ("Conv", ["x", W, numbers(4)], {"pads": [1, 0, 2, 1], "strides": [2, 1]}, 11),
    ("Conv", ["x", numbers(6, 2, 3, 3)], {"group": 3, "dilations": [1, 2]}, 11),
    ("Conv", ["x", numbers(12, 1, 2, 3), numbers(12)], {"group": 6, "auto_pad": "SAME_UPPER", "strides": [2, 2]}, 11),
    ("Conv", ["x", W], {"auto_pad": "SAME_LOWER", "strides": [3, 2]}, 11),
    ("Conv", ["x", W], {"auto_pad": "VALID"}, 11),
    ("ConvTranspose", ["x", numbers(6, 4, 3, 2), numbers(4)], {"strides": [2, 3], "pads": [1, 0, 0, 1]}, 11),
    ("ConvTranspose", ["x", numbers(6, 2, 3, 3)], {"group": 2, "output_padding": [1, 0], "strides": [2, 2]}, 11),
    ("ConvTranspose", ["x", numbers(6, 4, 3, 3)], {"strides": [2, 2], "output_shape": [10, 14]}, 11),
    ("MaxPool", ["x"], {"kernel_shape": [3, 2], "strides": [2, 1], "pads": [1, 0, 1, 1]}, 12),
    ("MaxPool", ["x"], {"kernel_shape": [2, 2], "strides": [2, 2], "ceil_mode": 1}, 12),
    ("MaxPool", ["x"], {"kernel_shape": [2, 2], "dilations": [2, 3]}, 12),
    ("AveragePool", ["x"], {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}, 11),
    ("AveragePool", ["x"], {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1], "count_include_pad": 1}, 11),
    ("AveragePool", ["x"], {"kernel_shape": [2, 2], "strides": [2, 2], "auto_pad": "SAME_UPPER"}, 11),
    ("LpPool", ["x"], {"kernel_shape": [2, 3], "p": 2}, 11),
    ("GlobalAveragePool", ["x"], {}, 11),
    ("GlobalMaxPool", ["x"], {}, 11),
    ("BatchNormalization", ["x", numbers(6), numbers(6), numbers(6), numbers(6) ** 2], {"epsilon": 1e-3}, 9),
    ("InstanceNormalization", ["x", numbers(6), numbers(6, seed=3)], {"epsilon": 1e-2}, 11),
    ("GroupNormalization", ["x", numbers(6), numbers(6, seed=3)], {"num_groups": 3}, 21),
    ("LayerNormalization", ["x", numbers(7), numbers(7, seed=3)], {}, 17),
    ("LayerNormalization", ["x", numbers(5, 7)], {"axis": 2, "epsilon": 1e-2}, 17),
    ("LayerNormalization", ["v", numbers(4, 8), numbers(4, 8)], {"axis": 0}, 17),
    ("GroupNormalization", ["x", numbers(3), numbers(3, seed=3)], {"num_groups": 3}, 18),
    ("LpNormalization", ["x"], {"axis": 1, "p": 1}, 22),
    ("LpNormalization", ["x"], {}, 22),
    ("MeanVarianceNormalization", ["x"], {}, 13),
    ("MeanVarianceNormalization", ["x"], {"axes": [1, -1]}, 13),
    ("RMSNormalization", ["x", numbers(5, 7)], {"axis": 2, "epsilon": 1e-2}, 23),
    ("GlobalLpPool", ["x"], {}, 13),
    ("LRN", ["x"], {"size": 3, "alpha": 0.1, "beta": 0.6, "bias": 2.0}, 13),
    ("LRN", ["x"], {"size": 4, "alpha": 0.5}, 13),
    ("PRelu", ["x", numbers(6, 1, 1)], {}, 16),
    ("PRelu", ["x", numbers(1)], {}, 16),
    ("PRelu", ["x", numbers(5, 7)], {}, 16),
    ("PRelu", ["x", "y"], {}, 16),
    ("Pad", ["x", ints(0, 1, 2, 0, 0, 0, 1, 3)], {}, 13),
    ("Pad", ["x", ints(0, 0, 1, 2, 0, 0, 2, 1), np.float32(1.5)], {}, 13),
    ("Pad", ["x", ints(0, 0, 1, 2, 0, 0, 2, 1)], {"mode": "reflect"}, 13),
    ("Pad", ["x", ints(0, 0, 1, 2, 0, 0, 2, 0)], {"mode": "edge"}, 13),
    ("Pad", ["x", ints(1, 2), "", ints(2)], {}, 18),
    ("Pad", ["x", ints(1, 0, 2, 0, 0, 1, 0, 1), "", ints(0, 1, 2, 3)], {"mode": "edge"}, 18),
    ("Pad", ["v", ints(1, 2, 0, 3)], {"mode": "reflect"}, 13),
    ("Pad", ["x"], {"pads": [0, 0, 1, 0, 0, 0, 0, 1], "mode": "edge"}, 7),
    ("Resize", ["r", "", np.array([1, 1, 2, 1.5], np.float32)], {"mode": "linear"}, 13),
    ("Resize", ["r", "", "", ints(1, 2, 8, 3)], {"mode": "cubic"}, 13),
    ("Resize", ["r", "", "", ints(1, 2, 8, 3)], {"mode": "cubic", "cubic_coeff_a": -0.5}, 13),
    ("Resize", ["r", "", "", ints(7, 9)], {"mode": "nearest", "axes": [2, 3], "nearest_mode": "ceil",
                                           "coordinate_transformation_mode": "asymmetric"}, 18),
    ("Resize", ["r", "", np.array([1, 1, 2, 3], np.float32)],
     {"mode": "linear", "coordinate_transformation_mode": "align_corners"}, 13),
    ("Resize", ["x", np.array([1, 1, 0.5, 0.6], np.float32)], {"mode": "nearest"}, 10),
    ("Upsample", ["x", np.array([1, 1, 2, 3], np.float32)], {"mode": "nearest"}, 9),
    ("Upsample", ["x"], {"mode": "nearest", "scales": [1.0, 1.0, 2.0, 3.0]}, 7),
    ("Resize", ["r", "", "", ints(1, 2, 3, 8)],
     {"mode": "nearest", "coordinate_transformation_mode": "tf_half_pixel_for_nn", "nearest_mode": "floor"}, 11),
    ("Resize", ["r", "", np.array([1, 1, 1.3, 0.7], np.float32)],
     {"mode": "linear", "coordinate_transformation_mode": "half_pixel_symmetric"}, 19),
    ("DepthToSpace", ["c"], {"blocksize": 2}, 13),
    ("DepthToSpace", ["c"], {"blocksize": 2, "mode": "CRD"}, 13),
    ("SpaceToDepth", ["c"], {"blocksize": 2}, 13),
    *((name, ["x"], {}, 18) for name in ("Relu", "Sigmoid", "Tanh", "Softplus", "HardSigmoid", "HardSwish", "Abs")),
    ("Mish", ["x"], {}, 18),
    ("LeakyRelu", ["x"], {"alpha": 0.3}, 16),
    ("Elu", ["x"], {"alpha": 0.7}, 16),
    ("HardSigmoid", ["x"], {"alpha": 0.5, "beta": 0.3}, 16),
    ("Gelu", ["x"], {}, 20),
    ("Gelu", ["x"], {"approximate": "tanh"}, 20),
    ("Selu", ["x"], {}, 16),
    ("Selu", ["x"], {"alpha": 0.7, "gamma": 1.5}, 16),
    ("Celu", ["x"], {"alpha": 0.7}, 12),
    ("ThresholdedRelu", ["x"], {"alpha": 0.4}, 10),
    ("Shrink", ["x"], {"lambd": 0.3, "bias": 0.1}, 9),
    ("IsNaN", ["n"], {}, 13),
    ("IsInf", ["n"], {"detect_positive": 0}, 10),
    *((name, ["x"], {}, 16) for name in ("Softsign", "Tan", "Atan", "Sinh", "Cosh", "Asinh")),
    *((name, ["i"], {}, 16) for name in ("Asin", "Acos", "Atanh")),
    ("Acosh", ["q"], {}, 16),
    ("Identity", ["x"], {}, 16),
    ("Clip", ["x", np.float32(-0.5), np.float32(0.7)], {}, 13),
    ("Clip", ["x", "", np.float32(0.1)], {}, 13),
    ("Clip", ["x"], {"min": 0.0, "max": 6.0}, 7),
    ("Clip", ["x", "low", "high"], {}, 13),
    ("Clip", ["x", "", "high"], {}, 13),
    ("Clip", ["x"], {}, 13),
    *((name, ["x"], {}, 16) for name in ("Neg", "Sign", "Exp", "Erf", "Sin", "Cos", "Floor", "Ceil", "Round")),
    *((name, ["p"], {}, 16) for name in ("Reciprocal", "Sqrt", "Log")),
    *((name, ["x", "y"], {}, 14) for name in ("Add", "Sub", "Mul", "Div", "Max", "Min", "Mean")),
    ("Add", ["x", numbers(6, 1, 1)], {}, 14),
    ("Sub", [numbers(7), "x"], {}, 14),
    ("Div", [numbers(1, 6, 1, 1), "p"], {}, 14),
    ("Mul", ["x", numbers(3, 2, 6, 5, 7)], {}, 14),
    ("Pow", ["p", np.float32(1.7)], {}, 14),
    ("Pow", ["x", np.array(2, INT)], {}, 14),
    ("Sum", ["x", "y", "p"], {}, 13),
    ("Max", ["x", "y", numbers(7)], {}, 13),
    ("Mod", ["x", np.float32(0.4)], {"fmod": 1}, 13),
    *((name, ["x", "y"], {}, 16) for name in ("Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual")),
    ("Softmax", ["x"], {"axis": 1}, 13),
    ("Softmax", ["x"], {}, 13),
    ("Softmax", ["x"], {"axis": 2}, 11),
    ("LogSoftmax", ["x"], {"axis": -1}, 13),
    ("LogSoftmax", ["v"], {}, 11),
    *((f"Reduce{kind}", ["x"], {"axes": [1, -1]}, 11) for kind in ("Sum", "Mean", "Max", "Min", "Prod", "L1", "L2")),
    *((f"Reduce{kind}", ["p", ints(2)], {"keepdims": 0}, 18) for kind in ("SumSquare", "LogSum", "LogSumExp", "Mean")),
    ("ReduceSum", ["x"], {"noop_with_empty_axes": 1}, 13),
    ("ReduceLogSum", ["p"], {"noop_with_empty_axes": 1}, 18),
    ("ReduceSum", ["x"], {"keepdims": 0}, 13),
    ("ArgMax", ["x"], {"axis": 1}, 13),
    ("ArgMin", ["x"], {"axis": -1, "keepdims": 0, "select_last_index": 1}, 13),
    ("Gemm", ["v", numbers(8, 3), numbers(3)], {"alpha": 0.5, "beta": 2.0}, 13),
    ("Gemm", ["v", numbers(3, 8), np.float32(2)], {"transB": 1}, 13),
    ("Gemm", ["v", numbers(3, 4), numbers(8, 1)], {"transA": 1, "transB": 1}, 13),
    ("Gemm", ["v", "u"], {"transB": 1}, 13),
    ("MatMul", ["x", numbers(7, 3)], {}, 13),
    ("MatMul", [numbers(4, 5), "x"], {}, 13),
    ("MatMul", ["x", numbers(6, 7, 3)], {}, 13),
    ("MatMul", ["v", "t"], {}, 13),
    ("Concat", ["x", "y", "x"], {"axis": 1}, 13),
    ("Concat", ["x", Y, "y"], {"axis": -2}, 13),
    ("Slice", ["x", ints(1, 5), ints(4, -9), ints(1, 3), ints(2, -2)], {}, 13),
    ("Slice", ["x"], {"starts": [1, -3], "ends": [9, -1], "axes": [1, 2]}, 9),
    ("Gather", ["x", ints(2, 0, -1)], {"axis": 1}, 13),
    ("Gather", ["x", np.array(3, INT)], {"axis": -1}, 13),
    ("Reshape", ["x", ints(0, 3, -1)], {}, 13),
    ("Flatten", ["x"], {}, 13),
    ("Flatten", ["x"], {"axis": -1}, 13),
    ("Transpose", ["x"], {"perm": [0, 2, 3, 1]}, 13),
    ("Transpose", ["x"], {}, 13),
    ("Squeeze", ["s", ints(1, 3)], {}, 13),
    ("Squeeze", ["s"], {}, 13),
    ("Squeeze", ["s"], {"axes": [1]}, 11),
    ("Unsqueeze", ["x", ints(0, -1)], {}, 13),
    ("Unsqueeze", ["x"], {"axes": [2]}, 11),
    ("Expand", ["s", ints(3, 1, 4, 5, 1)], {}, 13),
    ("Tile", ["v", ints(2, 3)], {}, 13),
    ("Dropout", ["x"], {}, 13),
    ("Where", [np.arange(7) % 2 == 0, "x", "y"], {}, 16),
    ("Cast", ["x"], {"to": 7}, 13),
]  # fmt: skip
INPUTS = {
    "x": X,
    "y": np.where(X > 1, X, Y),
    "p": np.abs(X) + 0.5,
    "c": numbers(1, 8, 4, 6),
    "v": numbers(4, 8),
    "u": numbers(3, 8),
    "t": numbers(8, 2),
    "r": numbers(1, 2, 4, 5),
    "s": numbers(3, 1, 5, 1),
    "i": np.tanh(X),
    "q": np.abs(X) + 1,
    "n": np.where(X > 1, np.nan, np.where(X > 0.5, np.inf, np.where(X < -0.5, -np.inf, X))).astype(
        np.float32
    ),
    "low": np.array(-0.3, np.float32),
    "high": np.array(0.4, np.float32),
}


def one(operator, inputs, attributes, opset, outputs=("out",)):
    """Return a model with one node, and its input arrays."""
    constants = {f"c{place}": each for place, each in enumerate(inputs) if not isinstance(each, str)}
    names = [each if isinstance(each, str) else f"c{place}" for place, each in enumerate(inputs)]
    node = helper.make_node(operator, names, list(outputs), **attributes)
    given = {name: INPUTS[name] for name in names if name in INPUTS}
    shapes = {name: array.shape for name, array in given.items()}
    return made([node], shapes, outputs, constants, opset), given


def case_text(case):
    operator, inputs, attributes, opset = case
    return f"{operator}-{opset}-{'-'.join(map(str, attributes)) or len(inputs)}"


def lrn(x, size, alpha, beta, bias):
    """Compute the formula of the standard: from channel c - floor((size - 1) / 2) to c + ceil((size - 1) / 2)."""
    y = np.empty_like(x)
    for c in range(x.shape[1]):
        some = x[:, max(0, c - (size - 1) // 2) : c + size // 2 + 1]
        y[:, c] = x[:, c] / (bias + alpha / size * (some**2).sum(axis=1)) ** beta
    return y


def again(operator, inputs, attributes, opset):
    """Return the reference's output for an equivalent node."""
    model, given = one(operator, inputs, attributes, opset)
    return expected(model, given)[0]


def shares(x, axis):
    flat = np.exp(x.reshape(int(np.prod(x.shape[:axis])), -1))
    return (flat / flat.sum(axis=1, keepdims=True)).reshape(x.shape)


# Cases that the reference of some onnx version computes wrongly or not at all; the values are ONNX Runtime's.
OTHERWISE = {
    "Conv-11-auto_pad-strides": lambda: again(
        "Conv", ["x", W], {"pads": [1, 1, 0, 1], "strides": [3, 2]}, 11
    ),
    "Conv-11-auto_pad": lambda: again("Conv", ["x", W], {}, 11),
    "ConvTranspose-11-group-output_padding-strides": lambda: reference.conv_transpose(
        X,
        numbers(6, 2, 3, 3),
        stride=(2, 2),
        pads=((0, 0),) * 2,
        output_padding=(1, 0),
        dilation=(1, 1),
        groups=2,
    ),
    "ConvTranspose-11-strides-output_shape": lambda: again(
        "ConvTranspose", ["x", numbers(6, 4, 3, 3)], {"strides": [2, 2], "pads": [1, 1, 0, 0]}, 11
    ),
    "BatchNormalization-9-epsilon": lambda: (X - COLUMN) / np.sqrt(COLUMN**2 + 1e-3) * COLUMN + COLUMN,
    "LRN-13-size-alpha-beta-bias": lambda: lrn(X, 3, 0.1, 0.6, 2.0),
    "LRN-13-size-alpha": lambda: lrn(X, 4, 0.5, 0.75, 1.0),
    "ReduceLogSum-18-noop_with_empty_axes": lambda: np.log(INPUTS["p"]),
    "GroupNormalization-18-num_groups": lambda: again(
        "GroupNormalization", ["x", numbers(3).repeat(2), numbers(3, seed=3).repeat(2)], {"num_groups": 3}, 21
    ),
    # (y + 1/2) / scale, rounded down
    "Resize-11-mode-coordinate_transformation_mode-nearest_mode": lambda: INPUTS["r"][:, :, [0, 2, 3]][
        ..., [0, 0, 1, 2, 2, 3, 4, 4]
    ],
    "LpNormalization-22-axis-p": lambda: X / np.abs(X).sum(axis=1, keepdims=True),
    "LpNormalization-22-1": lambda: X / np.sqrt((X**2).sum(axis=-1, keepdims=True)),
    "RMSNormalization-23-axis-epsilon": lambda: (
        X / np.sqrt((X**2).mean(axis=(2, 3), keepdims=True) + 1e-2) * numbers(5, 7)
    ),
    "GlobalLpPool-13-1": lambda: np.sqrt((X**2).sum(axis=(2, 3), keepdims=True)),
    "Resize-10-mode": lambda: X[:, :, [0, 2]][..., [0, 2, 4, 5]],
    "Upsample-7-mode-scales": lambda: X.repeat(2, axis=2).repeat(3, axis=3),
    "Softmax-11-axis": lambda: shares(X, 2),
}
COLUMN = numbers(6)[:, np.newaxis, np.newaxis]


@pytest.mark.parametrize(("operator", "inputs", "attributes", "opset"), CASES, ids=map(case_text, CASES))
def test_equals_the_reference(tmp_path, operator, inputs, attributes, opset):
    model, given = one(operator, inputs, attributes, opset)
    network = networks.load(saved(tmp_path, model))
    made_of = network.run(given)
    other = OTHERWISE.get(case_text((operator, inputs, attributes, opset)))
    wanted = expected(model, given)[0] if other is None else other()
    (ours,) = made_of.values()
    assert ours.shape == wanted.shape
    assert list(made_of) == ["out"]
    np.testing.assert_allclose(ours, wanted, rtol=1e-4, atol=1e-5)
    assert all(row["macs"] is not None for row in network.rows())
    assert tuple(network.rows()[-1]["output_shape"]) == wanted.shape
    assert network.outputs["out"] in ((), wanted.shape)


def test_negative_pads_cut_off(tmp_path):
    model, given = one("Pad", ["x", ints(0, 0, -1, 2, 0, 0, 2, -3)], {"mode": "edge"}, 13)
    wanted = np.pad(X[:, :, 1:, :-3], ((0, 0), (0, 0), (0, 2), (2, 0)), mode="edge")
    assert np.array_equal(networks.load(saved(tmp_path, model)).run(given)["out"], wanted)


def test_negative_pads_cut_off_any_axis(tmp_path):
    model, given = one("Pad", ["x", ints(1, 0, 2, -2, 0, -1, 0, 1), np.float32(3)], {}, 13)
    wanted = np.pad(X[:, :-1, :, 2:], ((1, 0), (0, 0), (2, 0), (0, 1)), constant_values=3)
    assert np.array_equal(networks.load(saved(tmp_path, model)).run(given)["out"], wanted)


def test_split_makes_its_parts(tmp_path):
    for opset, inputs, attributes in (
        (11, ["x"], {"axis": 1, "split": [1, 3, 2]}),
        (13, ["x", ints(1, 3, 2)], {"axis": 1}),
        (13, ["x"], {"axis": 1}),
        (18, ["x"], {"axis": 3, "num_outputs": 3}),
    ):
        model, given = one("Split", inputs, attributes, opset, outputs=("a", "b", "c"))
        ours = networks.load(saved(tmp_path, model)).run(given)
        for name, wanted in zip("abc", expected(model, given), strict=True):
            assert np.array_equal(ours[name], wanted)


def test_every_translated_operator_is_tested():
    tried = {case[0] for case in CASES}
    of_truths = {"And", "Or", "Xor", "Not"}
    assert set(TRANSLATORS) - tried - of_truths - PLACES.keys() - {"Split"} == set()


def test_booleans_are_combined(tmp_path):
    nodes = [
        helper.make_node("Greater", ["x", "y"], ["a"]),
        helper.make_node("Less", ["x", "p"], ["b"]),
        helper.make_node("And", ["a", "b"], ["c"]),
        helper.make_node("Or", ["a", "c"], ["d"]),
        helper.make_node("Xor", ["d", "b"], ["e"]),
        helper.make_node("Not", ["e"], ["f"]),
        helper.make_node("Where", ["f", "x", "y"], ["out"]),
    ]
    given = {name: INPUTS[name] for name in "xyp"}
    model = made(nodes, {name: array.shape for name, array in given.items()}, ["out"])
    ours = networks.load(saved(tmp_path, model)).run(given)["out"]
    assert np.array_equal(ours, expected(model, given)[0])
