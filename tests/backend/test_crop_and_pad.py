"""Padding against NumPy's, and cropping."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcli import backend
from convcli.errors import ArgumentError
from tests.backend.cases import cases
from tests.examples import examples

NUMPY = {
    "zeros": "constant",
    "reflect": "reflect",
    "symmetric": "symmetric",
    "replicate": "edge",
    "circular": "wrap",
}


@settings(max_examples=examples(60), deadline=None)
@given(cases(), st.data(), st.sampled_from(tuple(NUMPY)))
def test_equals_numpys(case, data, mode):
    x, _ = case.arrays(np.int64)
    pairs = [tuple(data.draw(st.integers(0, max(0, n - 1))) for _ in range(2)) for n in case.size]
    expected = np.pad(x, [(0, 0), (0, 0), *pairs], mode=NUMPY[mode])
    y = backend.pad(x, pairs, mode=mode)
    assert y.dtype == x.dtype
    assert np.array_equal(y, expected)


def test_channels_and_a_value():
    x = np.arange(6.0).reshape(1, 2, 3)
    y = backend.pad(x, 0, channels=(1, 2), mode="constant", value=-1)
    assert y.shape == (1, 5, 3)
    assert np.array_equal(y[:, 1:3], x)
    assert (np.delete(y, (1, 2), axis=1) == -1).all()


@given(st.integers(-3, 3), st.integers(-3, 3))
def test_negative_numbers_cut_off(before, after):
    x = np.arange(1, 9).reshape(1, 1, 8)
    wide = np.concatenate([np.zeros(3, int), x[0, 0], np.zeros(3, int)])
    assert np.array_equal(backend.pad(x, ((before, after),))[0, 0], wide[3 - before : 11 + after])


def test_the_result_is_a_new_array():
    x = np.ones((1, 1, 3))
    backend.pad(x, 0)[:] = 5
    backend.pad(x, -1)[:] = 5
    assert x.max() == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"padding": -2}, "the output would be empty: along the length 3 + -2 + -2 = -1"),
        ({"padding": ((1, 1), (1, 1))}, "padding (1, 1)x(1, 1) has 2 axes where 1 are needed"),
        ({"padding": 1, "mode": "mirrored"}, "there is no padding mode 'mirrored'; did you mean 'mirror'?"),
    ],
)
def test_errors(options, message):
    with pytest.raises(ArgumentError) as error:
        backend.pad(np.ones((1, 1, 3)), **options)
    assert str(error.value) == message
