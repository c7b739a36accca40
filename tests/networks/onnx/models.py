"""ONNX models for tests: made with the onnx package, shipped with it, and a trained one from another package."""

import warnings
from pathlib import Path

import numpy as np
import pytest

from tests.networks.onnx.trained import CLASSIFIER, CannotFetchError, fetch

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    onnx = pytest.importorskip("onnx", reason="onnx is not installed, which makes the models of these tests")
    from onnx import TensorProto, helper, numpy_helper
    from onnx.reference import ReferenceEvaluator

LIGHT = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"
TYPES = {"float32": TensorProto.FLOAT, "int64": TensorProto.INT64, "bool": TensorProto.BOOL}


def made(nodes, inputs, outputs, constants=None, opset=17, **options):
    """Return a ModelProto: nodes as for helper.make_node, inputs {name: shape}, names of outputs, {name: array}."""
    infos = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape)) for name, shape in inputs.items()
    ]
    tensors = [numpy_helper.from_array(np.asarray(array), name) for name, array in (constants or {}).items()]
    ends = [helper.make_empty_tensor_value_info(name) for name in outputs]
    graph = helper.make_graph(nodes, options.pop("name", "test"), infos, ends, tensors, **options)
    versions = [helper.make_opsetid("", opset), helper.make_opsetid("com.example", 1)]
    return helper.make_model(graph, opset_imports=versions, ir_version=8)


def saved(folder, model, name="model.onnx"):
    """Write a model; return its path."""
    path = folder / name
    path.write_bytes(model.SerializeToString())
    return path


def expected(model, inputs):
    """Return the outputs of ONNX's reference implementation."""
    return ReferenceEvaluator(model).run(None, inputs)


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def trained(name=CLASSIFIER):
    """Return the path of a trained model; skip the test if it is not available."""
    try:
        return fetch(name)
    except CannotFetchError as error:
        pytest.skip(str(error))
