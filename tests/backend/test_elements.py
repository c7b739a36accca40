from math import erf, exp, log1p, sqrt, tanh

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcli import backend
from convcli.backend.activation_formulas import FUNCTIONS, in_place
from convcli.errors import ArgumentError
from convcli.layers import ACTIVATIONS
from tests.backend.cases import assert_close

# The formula of each for one number, as its paper has it, with Python's own functions.
FORMULAS = {
    "relu": lambda x: max(x, 0),
    "relu6": lambda x: min(max(x, 0), 6),
    "leaky-relu": lambda x: x if x > 0 else 0.01 * x,
    "elu": lambda x: x if x > 0 else exp(x) - 1,
    "sigmoid": lambda x: 1 / (1 + exp(-x)),
    "tanh": tanh,
    "silu": lambda x: x / (1 + exp(-x)),
    "gelu": lambda x: x * (1 + erf(x / sqrt(2))) / 2,
    "softplus": lambda x: log1p(exp(x)),
    "mish": lambda x: x * tanh(log1p(exp(x))),
    "hard-sigmoid": lambda x: min(max(x + 3, 0), 6) / 6,
    "hard-swish": lambda x: x * min(max(x + 3, 0), 6) / 6,
    "abs": abs,
    "identity": lambda x: x,
}
PLACES = (-30.0, -6.5, -3.0, -1.25, -1e-3, 0.0, 1e-3, 0.5, 2.999, 3.0, 6.0, 7.5, 30.0)


def test_every_activation_that_is_counted_can_be_computed():
    assert list(FUNCTIONS) == [*ACTIVATIONS, "softmax"]
    assert FORMULAS.keys() == ACTIVATIONS.keys()


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_is_its_formula(name, dtype):
    x = np.array(PLACES, dtype).reshape(1, -1, 1)
    y = backend.activation(x, name)
    assert y.dtype == dtype
    expected = np.array([FORMULAS[name](number) for number in x.ravel().tolist()]).reshape(x.shape)
    tolerance = {8: 1e-12, 4: 1e-6, 2: 1e-3}[x.itemsize]
    np.testing.assert_allclose(y, expected, rtol=tolerance, atol=tolerance / 10)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_integers_stay_integers_where_the_formula_has_no_fractions(name):
    x = np.array([[-7, 0, 3, 100]], np.int8)
    y = backend.activation(x, name)
    assert y.dtype == (np.int8 if name in ("relu", "relu6", "abs", "identity") else np.float64)
    assert_close(y.astype(float), backend.activation(x.astype(float), name))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_nan_passes_through_and_large_numbers_keep_their_limit(name):
    x = np.array([[np.nan, 1.0]]).reshape(2, 1)
    assert np.isnan(backend.activation(x, name)[0, 0])
    y = backend.activation(np.array([[-800.0], [800.0]]), name)
    limits = {
        "relu": (0, 800), "relu6": (0, 6), "leaky-relu": (-8, 800), "elu": (-1, 800), "sigmoid": (0, 1),
        "tanh": (-1, 1), "silu": (0, 800), "gelu": (0, 800), "softplus": (0, 800), "mish": (0, 800),
        "hard-sigmoid": (0, 1), "hard-swish": (0, 800), "abs": (800, 800), "identity": (-800, 800),
        "softmax": (1, 1),
    }  # fmt: skip
    np.testing.assert_allclose(y.ravel(), limits[name], atol=1e-12)


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("dtype", [float, int])
def test_the_result_is_a_new_array(name, dtype):
    x = np.ones((2, 3, 1), dtype)
    x.flags.writeable = False
    backend.activation(x, name)[:] = 5
    assert backend.activation(np.ones((0, 3)), name).shape == (0, 3)


@given(st.lists(st.floats(-50, 50), min_size=1, max_size=6), st.floats(-500, 500))
def test_softmax_is_a_share_of_exponentials(numbers, shift):
    x = np.array(numbers).reshape(1, -1, 1, 1)
    powers = [exp(number) for number in numbers]
    y = backend.activation(x, "softmax")
    assert_close(y.ravel(), np.array(powers) / sum(powers))
    assert_close(backend.activation(x + shift, "softmax"), y)


@given(st.lists(st.floats(-50, 50), min_size=2, max_size=6), st.integers(-3, 2))
def test_softmax_along_any_axis_and_its_logarithm(numbers, axis):
    x = np.resize(np.array(numbers), (2, 3, 4))
    shares = np.exp(x) / np.exp(x).sum(axis=axis, keepdims=True)
    assert_close(backend.softmax(x, axis), shares)
    assert_close(backend.softmax(x, axis, log=True), np.log(shares), 1e-6)
    assert np.array_equal(backend.softmax(x, 1), backend.activation(x, "softmax"))


@given(st.floats(0, 2), st.floats(-1, 1))
def test_the_numbers_of_a_formula(alpha, beta):
    for x in PLACES:
        for name, numbers, expected in (
            ("leaky-relu", {"alpha": alpha}, x if x > 0 else alpha * x),
            ("elu", {"alpha": alpha}, x if x > 0 else alpha * (exp(x) - 1)),
            ("hard-sigmoid", {"alpha": alpha, "beta": beta}, min(max(alpha * x + beta, 0), 1)),
        ):
            assert_close(backend.activation([x], name, **numbers), np.array([expected]))


def test_prelu_has_a_slope_for_each_channel():
    x = np.random.default_rng(0).standard_normal((2, 3, 4, 5))
    slopes = [0.5, -1.0, 0.0]
    expected = np.stack([np.where(x[:, c] > 0, x[:, c], slopes[c] * x[:, c]) for c in range(3)], axis=1)
    assert_close(backend.prelu(x, slopes), expected)
    assert_close(backend.prelu(x, [0.01]), backend.activation(x, "leaky-relu"))
    assert backend.prelu([[-2]], [0.5]).tolist() == [[-1.0]]


@pytest.mark.parametrize("name", [*ACTIVATIONS, "softmax"])
def test_columns_are_written_to_in_place(name):
    x = np.random.default_rng(0).standard_normal((5, 4)).astype(np.float32)
    y = x.copy()
    in_place(name)(y[:, 1:2])
    assert np.array_equal(np.delete(y, 1, axis=1), np.delete(x, 1, axis=1))
    np.testing.assert_allclose(y[:, 1:2], backend.activation(x[:, 1:2].copy(), name), rtol=1e-6)


def test_softmax_runs_over_the_channels():
    x = np.random.default_rng(0).standard_normal((2, 3, 4, 5))
    y = backend.activation(x, "softmax")
    assert_close(y.sum(axis=1), np.ones((2, 4, 5)))
    assert_close(backend.activation(x[..., :1, :1], "softmax"), y[..., :1, :1])


def test_batch_norm_with_the_batch_s_own_moments_has_mean_0_and_variance_1():
    x = np.random.default_rng(0).standard_normal((4, 3, 5, 6)) * 7 + 2
    axes = (0, 2, 3)
    y = backend.batch_norm(x, x.mean(axes), x.var(axes), np.ones(3), np.zeros(3), eps=0)
    assert_close(y.mean(axes), np.zeros(3))
    assert_close(y.var(axes), np.ones(3))
    gamma, beta = np.array([2.0, 3.0, -1.0]), np.array([0.0, 1.0, 5.0])
    scaled = backend.batch_norm(x, x.mean(axes), x.var(axes), gamma, beta)
    assert_close(scaled.mean(axes), beta)
    assert_close(scaled.var(axes), gamma**2, 1e-6)


def test_batch_norm_keeps_floats_and_its_eps_is_pytorchs():
    ones = np.ones(1, np.float32)
    assert backend.batch_norm(np.ones((1, 1), np.float32), ones, ones, ones, ones).dtype == np.float32
    assert backend.batch_norm([[1]], [0], [0], [1], [0]).tolist() == [[1 / sqrt(1e-5)]]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: backend.activation([[1.0]], "sigmoyd"),
            "there is no activation 'sigmoyd'; did you mean 'sigmoid'?",
        ),
        (
            lambda: backend.activation(np.array([-128], np.int8), "abs"),
            "the absolute value of -128 does not fit int8; convert x to float64",
        ),
        (
            lambda: backend.activation([1.0], "relu", alpha=1),
            "the activation relu has no parameter alpha; leave it out",
        ),
        (lambda: backend.softmax([1.0], 1), "x has shape (1,); axis must be from -1 to 0, got 1"),
        (
            lambda: backend.prelu(np.ones((1, 3, 4)), np.ones(4)),
            "weight has shape (4,); x (1, 3, 4) needs (1,) or (3,)",
        ),
        (
            lambda: backend.activation([1.0], "softmax"),
            "x has shape (1,); for softmax it must be (N, C, *spatial)",
        ),
        (
            lambda: backend.activation([1j], "relu"),
            "x has dtype complex128; it must hold bool, integers or floats",
        ),
        (
            lambda: backend.batch_norm([1], [1], [1], [1], [1]),
            "x has shape (1,); it must be (N, C, *spatial)",
        ),
        (
            lambda: backend.batch_norm(np.ones((1, 3, 4)), np.ones(3), np.ones(4), np.ones(3), np.ones(3)),
            "var has shape (4,); x (1, 3, 4) needs (3,)",
        ),
    ],
)
def test_errors(call, message):
    with pytest.raises(ArgumentError) as error:
        call()
    assert str(error.value) == message
