"""Normalisations against plain loops over their groups."""

from math import prod, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcli import backend
from convcli.errors import ArgumentError
from tests.backend.cases import assert_close
from tests.examples import examples
from tests.reference import every

few = settings(max_examples=examples(40), deadline=None)
shapes = st.tuples(st.integers(1, 3), st.integers(1, 4), st.integers(1, 5), st.integers(1, 3))


def numbers(shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape) * 3 + 1


def normalised(values, eps):
    mean = sum(values) / len(values)
    variance = sum((value - mean) ** 2 for value in values) / len(values)
    return [(value - mean) / sqrt(variance + eps) for value in values]


@few
@given(shapes, st.integers(1, 3), st.sampled_from((1e-5, 0.5)))
def test_group_norm_is_its_loop(shape, each, eps):
    groups = shape[1]
    x = numbers((shape[0], groups * each, *shape[2:]))
    gamma, beta = numbers(groups * each, 1), numbers(groups * each, 2)
    expected = np.empty_like(x)
    for item in range(len(x)):
        for group in range(groups):
            some = slice(group * each, (group + 1) * each)
            values = normalised(x[item, some].ravel().tolist(), eps)
            expected[item, some] = np.reshape(values, (each, *shape[2:]))
    column = (-1, 1, 1)
    assert_close(backend.group_norm(x, groups, eps=eps), expected)
    scaled = expected * gamma.reshape(column) + beta.reshape(column)
    assert_close(backend.group_norm(x, groups, gamma, beta, eps=eps), scaled)


@few
@given(shapes)
def test_instance_norm_gives_every_channel_mean_0_and_variance_1(shape):
    x = numbers((*shape[:2], shape[2] + 2, 3))
    y = backend.instance_norm(x, eps=0)
    assert_close(y.mean((2, 3)), np.zeros(shape[:2]))
    assert_close(y.var((2, 3)), np.ones(shape[:2]))
    assert np.array_equal(y, backend.group_norm(x, shape[1], eps=0))


@few
@given(shapes, st.integers(1, 3))
def test_layer_norm_is_its_loop(shape, count):
    x = numbers(shape)
    sizes = shape[-count:]
    gamma, beta = numbers(sizes, 1), numbers(sizes, 2)
    expected = np.empty_like(x)
    for place in every(*shape[:-count]):
        expected[place] = np.reshape(normalised(x[place].ravel().tolist(), 1e-5), sizes)
    assert_close(backend.layer_norm(x, sizes), expected)
    assert_close(backend.layer_norm(x, sizes, gamma, beta), expected * gamma + beta)


def test_layer_norm_of_channels_is_that_of_the_last_axis_turned():
    x, gamma, beta = numbers((2, 5, 3, 4)), numbers(5, 1), numbers(5, 2)
    channels_last = backend.layer_norm(np.moveaxis(x, 1, -1), 5, gamma, beta)
    assert_close(backend.layer_norm(x, 5, gamma, beta, channels=True), np.moveaxis(channels_last, -1, 1))


@few
@given(shapes, st.integers(1, 7), st.data())
def test_local_response_norm_is_its_loop(shape, size, data):
    x, alpha, beta, k = numbers(shape), 0.3, 0.6, 1.5
    before = data.draw(st.sampled_from((None, *range(size))))
    first = size // 2 if before is None else before
    expected = np.empty_like(x)
    for place in every(*shape):
        item, channel, *rest = place
        low, high = channel - first, channel - first + size
        squares = sum(x[(item, c, *rest)] ** 2 for c in range(max(0, low), min(shape[1], high)))
        expected[place] = x[place] / (k + alpha / size * squares) ** beta
    assert_close(backend.local_response_norm(x, size, alpha=alpha, beta=beta, k=k, before=before), expected)


@pytest.mark.parametrize(
    "run",
    [
        lambda x: backend.group_norm(x, 2),
        backend.instance_norm,
        lambda x: backend.layer_norm(x, x.shape[2:]),
        lambda x: backend.local_response_norm(x, 3),
    ],
)
def test_dtypes_empty_batches_and_a_new_array(run):
    x = np.arange(24).reshape(1, 4, 3, 2)
    assert run(x).dtype == np.float64
    assert run(x.astype(np.float16)).dtype == np.float16
    assert_close(run(x.astype(np.float32)).astype(float), run(x), 1e-5)
    assert run(x[:0]).shape == (0, 4, 3, 2)
    before = x.astype(float)
    run(before)[:] = 7
    assert np.array_equal(before, x)
    assert prod(run(x).shape) == 24


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda x: backend.group_norm(x, 3),
            "x has shape (1, 4, 2); its 4 channels cannot be divided into 3 equal groups",
        ),
        (lambda x: backend.group_norm(x, 2, [1.0]), "gamma has shape (1,); x (1, 4, 2) needs (4,)"),
        (lambda x: backend.layer_norm(x, (4, 3)), "x has shape (1, 4, 2); its last axes must be (4, 3)"),
        (
            lambda x: backend.layer_norm(x, 2, channels=True),
            "x has shape (1, 4, 2); its second axis must be (2,)",
        ),
        (lambda x: backend.local_response_norm(x, 0), "size must be at least 1, got 0"),
        (lambda x: backend.local_response_norm(x, 3, before=3), "before must be below the size 3, got 3"),
        (lambda x: backend.instance_norm(x[0, 0]), "x has shape (2,); it must be (N, C, *spatial)"),
    ],
)
def test_errors(call, message):
    with pytest.raises(ArgumentError) as error:
        call(np.ones((1, 4, 2)))
    assert str(error.value) == message
