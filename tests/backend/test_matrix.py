import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.linalg import circulant, toeplitz

from convcli import backend
from convcli.errors import ArgumentError
from tests.backend.cases import MODES, assert_close, cases, fits
from tests.examples import examples

few = settings(max_examples=examples(40), deadline=None)


@few
@given(
    cases(),
    st.sampled_from([mode for mode in MODES if mode != "constant"]),
    st.booleans(),
    st.sampled_from((float, int)),
)
def test_the_product_is_conv(case, mode, flip, dtype):
    assume(case.images and fits(mode, case))
    x, weight = case.arrays(dtype)
    options = {**case.options, "groups": case.groups, "padding_mode": mode, "flip": flip}
    matrix = backend.conv_matrix(weight, case.x_shape[1:], **options)
    y = backend.conv(x, weight, **options)
    assert matrix.dtype == dtype
    assert_close((matrix @ x.reshape(len(x), -1).T).T.reshape(y.shape), y)


@few
@given(cases())
def test_its_transpose_is_conv_transpose(case):
    _, weight = case.arrays()
    options = {**case.options, "groups": case.groups}
    matrix = backend.conv_matrix(weight, case.x_shape[1:], **options)
    ends = zip(case.size, case.pads, case.dilation, case.kernel, case.stride, strict=True)
    left = [(n + sum(pair) - d * (k - 1) - 1) % s for n, pair, d, k, s in ends]
    y = case.random().standard_normal((len(weight), *case.output))
    back = backend.conv_transpose(y, weight, output_padding=left, **options)
    assert_close((matrix.T @ y.ravel()).reshape(back.shape), back)


def test_one_dimension_gives_a_toeplitz_matrix_or_a_circulant_one():
    matrix = backend.conv_matrix([[[1, 2, 3]]], (1, 6))
    assert np.array_equal(matrix.toarray(), toeplitz([1, 0, 0, 0], [1, 2, 3, 0, 0, 0]))
    matrix = backend.conv_matrix([[[1, 2, 3]]], (1, 6), padding=1, padding_mode="circular")
    assert np.array_equal(matrix.toarray(), circulant([2, 1, 0, 0, 0, 3]))


def test_it_is_a_sparse_matrix_without_zeros():
    matrix = backend.conv_matrix([[[1, 0, 3]]], (1, 6), padding=1)
    assert (matrix.format, matrix.nnz, matrix.shape) == ("csr", 10, (6, 6))
    assert backend.conv_matrix(np.zeros((1, 1, 3)), (1, 6)).nnz == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"input_shape": (6, 6)},
            "input_shape (6, 6) has 2 axes; weight (4, 3, 3, 3) needs (C, *spatial) with 3",
        ),
        (
            {"input_shape": (2, 6, 6)},
            "x (1, 2, 6, 6) has 2 channels, weight (4, 3, 3, 3) takes 3: x must be (1, 3, 6, 6), or weight "
            "(4, 2, 3, 3)",
        ),
        (
            {"input_shape": (3, 6, 6), "padding_mode": "constant"},
            "padding_mode 'constant' adds a number, which is not a linear map; use 'zeros'",
        ),
    ],
)
def test_errors(arguments, message):
    with pytest.raises(ArgumentError) as error:
        backend.conv_matrix(np.ones((4, 3, 3, 3)), **arguments)
    assert str(error.value) == message
