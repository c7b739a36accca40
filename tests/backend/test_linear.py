import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcli import backend
from convcli.errors import ArgumentError
from tests.backend.cases import assert_close


@given(st.integers(0, 3), st.integers(1, 5), st.integers(1, 5), st.booleans(), st.integers(0, 99))
def test_equals_plain_loops(images, inputs, outputs, alone, seed):
    random = np.random.default_rng(seed)
    x = random.standard_normal(inputs if alone else (images, inputs))
    weight, bias = random.standard_normal((outputs, inputs)), random.standard_normal(outputs)
    rows = [x] if alone else x
    plain = [
        [sum(map(float.__mul__, row.tolist(), w)) + b for w, b in zip(weight.tolist(), bias)] for row in rows
    ]
    expected = np.array(plain).reshape(outputs) if alone else np.array(plain).reshape(images, outputs)
    assert_close(backend.dense(x, weight, bias), expected)


def test_is_a_convolution_of_one_place():
    random = np.random.default_rng(0)
    x, weight = random.standard_normal((2, 5)), random.standard_normal((3, 5))
    expected = backend.conv(x[..., np.newaxis], weight[..., np.newaxis])[..., 0]
    assert_close(backend.dense(x, weight), expected)


def test_dtypes_are_those_of_conv():
    x = np.array([[2**62, 1]])
    assert backend.dense(x, [[1, 2]]).tolist() == [[2**62 + 2]]
    with pytest.raises(ArgumentError, match=f"to {2**63}, which int64 cannot hold"):
        backend.dense(x, [[2, 0]])
    assert backend.dense(np.full((1, 4), 200, np.uint8), np.full((1, 4), 200, np.uint8)).tolist() == [
        [160000]
    ]
    assert backend.dense(np.ones((1, 4), np.float32), np.ones((1, 4), np.float32)).dtype == np.float32
    assert backend.dense(np.full((1, 4), 2**14, np.float16), np.full((1, 4), 0.5, np.float16)) == 2**15


@pytest.mark.parametrize(
    ("x", "weight", "message"),
    [
        (
            (1, 4),
            (3, 5),
            "x (1, 4) has 4 features, weight (3, 5) takes 5: x must be (1, 5), or weight (3, 4)",
        ),
        (
            (1, 4, 1),
            (3, 1),
            "x has shape (1, 4, 1), weight (3, 1); they must be (N, in_features) or (in_features,), and "
            "(out_features, in_features)",
        ),
        ((4,), (4,), "weight has shape (4,); it must be (out_features, in_features), with at least 2 axes"),
    ],
)
def test_errors(x, weight, message):
    with pytest.raises(ArgumentError) as error:
        backend.dense(np.ones(x), np.ones(weight))
    assert str(error.value) == message
