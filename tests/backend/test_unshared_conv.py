import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcli import backend
from convcli.errors import ArgumentError
from tests import reference
from tests.backend.cases import assert_close, cases
from tests.examples import examples

few = settings(max_examples=examples(40), deadline=None)
DTYPES = st.sampled_from((float, np.float32, np.int64, complex))


def numbers(case, shape, dtype):
    values = case.random().integers(-9, 10, shape).astype(dtype)
    return values if np.dtype(dtype).kind == "i" else values / 7


@few
@given(cases(), DTYPES)
def test_local_equals_plain_loops(case, dtype):
    x, _ = case.arrays(dtype)
    weight = numbers(case, (case.outputs, *case.output, x.shape[1], *case.kernel), dtype)
    y = backend.local_conv(x, weight, **case.options)
    assert y.dtype == weight.dtype if dtype is np.float32 else np.dtype(dtype)
    plain = reference.local_conv(x, weight, **case.plain, dtype=complex)
    assert_close(y, plain, 1e-5 if dtype is np.float32 else 1e-9)


@few
@given(cases())
def test_local_with_equal_weights_is_conv(case):
    x, _ = case.arrays()
    kernels = numbers(case, (case.outputs, x.shape[1], *case.kernel), float)
    places = np.expand_dims(kernels, tuple(range(1, 1 + len(case.size))))
    weight = np.broadcast_to(places, (case.outputs, *case.output, x.shape[1], *case.kernel))
    bias = np.arange(float(case.outputs))
    y = backend.local_conv(x, weight, bias, **case.options)
    assert_close(y, backend.conv(x, kernels, bias, **case.options))
    each = np.broadcast_to(bias.reshape(-1, *(1,) * len(case.size)), (case.outputs, *case.output))
    assert_close(backend.local_conv(x, weight, each, **case.options), y)


@few
@given(cases(), st.data(), DTYPES)
def test_tiled_equals_plain_loops(case, draw, dtype):
    x, _ = case.arrays(dtype)
    tile = tuple(draw.draw(st.integers(1, 3)) for _ in case.size)
    weight = numbers(case, (*tile, case.outputs, x.shape[1], *case.kernel), dtype)
    y = backend.tiled_conv(x, weight, **case.options)
    plain = reference.tiled_conv(x, weight, **case.plain, dtype=complex)
    assert_close(y, plain, 1e-5 if dtype is np.float32 else 1e-9)


@few
@given(cases())
def test_tiled_with_a_tile_of_one_is_conv(case):
    x, _ = case.arrays()
    kernels = numbers(case, (case.outputs, x.shape[1], *case.kernel), float)
    weight = np.expand_dims(kernels, tuple(range(len(case.size))))
    bias = np.arange(float(case.outputs))
    y = backend.tiled_conv(x, weight, bias, **case.options)
    assert_close(y, backend.conv(x, kernels, bias, **case.options))


@few
@given(cases())
def test_tiled_with_a_tile_of_all_places_is_local(case):
    x, _ = case.arrays()
    local = numbers(case, (case.outputs, *case.output, x.shape[1], *case.kernel), float)
    tiled = np.moveaxis(local, 0, len(case.size))
    bias = numbers(case, (case.outputs, *case.output), float)
    y = backend.tiled_conv(x, tiled, np.moveaxis(bias, 0, -1), **case.options)
    assert_close(y, backend.local_conv(x, local, bias, **case.options))


def test_integers_are_exact_or_refused():
    x = np.array([[2**62, 1]])
    assert backend.local_conv(x, np.ones((1, 2, 1, 1), int)).tolist() == x.tolist()
    assert backend.tiled_conv(x, np.ones((2, 1, 1, 1), int)).tolist() == x.tolist()
    for result in (backend.local_conv, backend.tiled_conv):
        with pytest.raises(ArgumentError, match=f"to {2**63}, which int64 cannot hold"):
            result(x, np.full((1, 2, 1, 1) if result is backend.local_conv else (2, 1, 1, 1), 2))


def test_one_input_and_an_empty_batch():
    local, tiled = np.ones((4, 3, 3, 2, 3, 3)), np.ones((2, 2, 4, 2, 3, 3))
    for operator, weight in ((backend.local_conv, local), (backend.tiled_conv, tiled)):
        assert operator(np.ones((2, 5, 5)), weight).shape == (4, 3, 3)
        assert operator(np.ones((0, 2, 5, 5)), weight).shape == (0, 4, 3, 3)


@pytest.mark.parametrize(
    ("operator", "weight", "message"),
    [
        (
            backend.local_conv,
            (4, 3, 2, 2, 3, 3),
            "weight has shape (4, 3, 2, 2, 3, 3); x (1, 2, 5, 5) with 2 channels and 9 output positions (3, 3) needs "
            "(4, 3, 3, 2, 3, 3)",
        ),
        (
            backend.local_conv,
            (4, 3, 3, 2, 3),
            "weight has shape (4, 3, 3, 2, 3); (out_channels, *output, in_channels, *kernel_size) has an "
            "even "
            "number of axes",
        ),
        (
            backend.tiled_conv,
            (2, 2, 4, 3, 3, 3),
            "x (1, 2, 5, 5) has 2 channels, weight (2, 2, 4, 3, 3, 3) takes 3: x must be (1, 3, 5, 5), or "
            "weight "
            "(2, 2, 4, 2, 3, 3)",
        ),
        (
            backend.tiled_conv,
            (4, 3),
            "weight has shape (4, 3); it must be (*tile, out_channels, in_channels, *kernel_size), with at "
            "least 4 "
            "axes",
        ),
    ],
)
def test_errors(operator, weight, message):
    with pytest.raises(ArgumentError) as error:
        operator(np.ones((1, 2, 5, 5)), np.ones(weight))
    assert str(error.value) == message


def test_bias_of_a_wrong_shape():
    with pytest.raises(ArgumentError) as error:
        backend.local_conv(np.ones((1, 2, 5, 5)), np.ones((4, 3, 3, 2, 3, 3)), np.ones(3))
    assert str(error.value) == "bias has shape (3,); this weight needs (4,) or (4, 3, 3)"
