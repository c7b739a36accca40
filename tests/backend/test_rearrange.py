import numpy as np
import pytest
from hypothesis import given, settings

from convcli import backend
from convcli.errors import ArgumentError
from tests.backend.cases import assert_close, cases


@settings(max_examples=40, deadline=None)
@given(cases())
def test_conv_is_a_product_with_the_unfolded_input(case):
    x, _ = case.arrays()
    weight = case.random().standard_normal((3, x.shape[1], *case.kernel))
    columns = backend.unfold(x, case.kernel, **case.options)
    y = weight.reshape(3, -1) @ columns
    assert_close(y.reshape(len(x), 3, *case.output), backend.conv(x, weight, **case.options))


def test_unfold_keeps_the_dtype_and_makes_a_new_array():
    x = np.ones((2, 3, 4), np.uint8)
    columns = backend.unfold(x, (1, 1))
    assert (columns.shape, columns.dtype) == ((2, 12), np.uint8)
    columns[:] = 5
    assert (x == 1).all()


def test_shuffled_channels():
    x = np.arange(12).reshape(1, 6, 2)
    y = backend.channel_shuffle(x, 3)
    assert y[0, :, 0].tolist() == [0, 4, 8, 2, 6, 10]
    assert np.array_equal(backend.channel_shuffle(y, 2), x)
    y[:] = 0
    assert x.max() == 11


def test_channels_that_cannot_be_shuffled():
    with pytest.raises(ArgumentError) as error:
        backend.channel_shuffle(np.ones((1, 6, 2)), 4)
    assert str(error.value) == "the input's 6 channels cannot be shuffled in 4 groups"
    with pytest.raises(ArgumentError, match=r"x has shape \(6,\); it must be \(N, C, \*spatial\)"):
        backend.channel_shuffle(np.ones(6), 2)
