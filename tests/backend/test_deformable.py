from math import prod

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


def arrays(case, offset_groups, dtype=float):
    """Return x, offset, weight and mask; some offsets point outside."""
    x, weight = case.arrays(dtype)
    random = case.random()
    taps = offset_groups * prod(case.kernel)
    offset = random.standard_normal((case.images, len(case.size) * taps, *case.output)) * 2
    return x, offset.astype(dtype), weight, random.random((case.images, taps, *case.output)).astype(dtype)


@few
@given(cases(), st.booleans(), st.booleans(), st.sampled_from((np.float32, np.float64)))
def test_equals_plain_loops(case, apart, with_mask, dtype):
    offset_groups = case.groups * case.inputs if apart else 1
    x, offset, weight, mask = arrays(case, offset_groups, dtype)
    mask = mask if with_mask else None
    bias = np.arange(len(weight), dtype=dtype)
    options = {"groups": case.groups, "offset_groups": offset_groups, "mask": mask}
    y = backend.deform_conv(x, offset, weight, bias, **case.options, **options)
    assert y.dtype == dtype
    plain = reference.deform_conv(x, offset, weight, bias, **case.plain, **options)
    assert_close(y, plain, 1e-4 if dtype == np.float32 else 1e-9)


@few
@given(cases())
def test_without_offsets_it_is_conv(case):
    x, offset, weight, _ = arrays(case, 1)
    options = {**case.options, "groups": case.groups}
    y = backend.deform_conv(x, np.zeros_like(offset), weight, **options)
    assert_close(y, backend.conv(x, weight, **options))
    masked = backend.deform_conv(
        x, offset * 0, weight, mask=np.full_like(offset[:, :: len(case.size)], 3.0), **options
    )
    assert_close(masked, 3 * y)


def test_whole_offsets_shift_the_input():
    random = np.random.default_rng(0)
    x, weight = random.standard_normal((1, 2, 8, 9)), random.standard_normal((3, 2, 3, 3))
    offset = np.zeros((1, 18, 6, 7))
    offset[:, 0::2], offset[:, 1::2] = 2, -1  # y, then x
    shifted = np.zeros_like(x)
    shifted[:, :, :-2, 1:] = x[:, :, 2:, :-1]
    assert_close(backend.deform_conv(x, offset, weight), backend.conv(shifted, weight))


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (-1.5, 0),
        (-1, 0),
        (-0.75, 1),
        (0, 4),
        (0.25, 5),
        (1.5, 6),
        (2, 4),
        (2.5, 2),
        (2.75, 1),
        (3, 0),
        (9, 0),
    ],
)
def test_linear_inside_and_zero_from_one_step_outside(place, value):
    y = backend.deform_conv([[[4.0, 8.0, 4.0]]], np.full((1, 1, 3), place) - np.arange(3), [[[1.0]]])
    assert (y == value).all()


def test_nan_and_infinity():
    x = np.array([[[1.0, 2.0, np.inf]]])
    y = backend.deform_conv(x, [[[np.nan, np.inf, -np.inf]]], [[[1.0]]])
    assert np.array_equal(y, [[[np.nan, 0, 0]]], equal_nan=True)
    y = backend.deform_conv(x, [[[-0.5, -0.5, 0.5]]], [[[1.0]]])
    assert y.tolist() == [[[0.5, 1.5, np.inf]]]


def test_dtypes():
    offset = np.zeros((1, 1, 3))
    assert (
        backend.deform_conv(np.ones((1, 1, 3), int), offset.astype(int), np.ones((1, 1, 1), int)).dtype
        == float
    )
    half = [np.ones(shape, np.float16) for shape in ((1, 1, 3), (1, 1, 3), (1, 1, 1))]
    assert backend.deform_conv(*half).dtype == np.float16


def test_one_input_and_an_empty_batch():
    weight = np.ones((3, 2, 3, 3))
    assert backend.deform_conv(np.ones((2, 5, 5)), np.ones((18, 3, 3)), weight).shape == (3, 3, 3)
    assert backend.deform_conv(np.ones((0, 2, 5, 5)), np.ones((0, 18, 3, 3)), weight).shape == (0, 3, 3, 3)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"offset": (1, 9, 3, 3)},
            "offset has shape (1, 9, 3, 3); 2 axes, 9 taps, offset_groups=1 and the output size (3, 3) needs "
            "(1, 18, 3, 3)",
        ),
        (
            {"mask": (1, 18, 3, 3)},
            "mask has shape (1, 18, 3, 3); 9 taps, offset_groups=1 and the output size (3, 3) needs "
            "(1, 9, 3, 3)",
        ),
        (
            {"offset_groups": 3},
            "offset_groups 3 must divide in_channels 2",
        ),
        (
            {"weight": (3, 4, 3, 3)},
            "x (1, 2, 5, 5) has 2 channels, weight (3, 4, 3, 3) takes 4: x must be (1, 4, 5, 5), or weight "
            "(3, 2, 3, 3)",
        ),
    ],
)
def test_errors(changed, message):
    arguments = {"x": (1, 2, 5, 5), "offset": (1, 18, 3, 3), "weight": (3, 2, 3, 3), **changed}
    arguments = {n: np.ones(value) if isinstance(value, tuple) else value for n, value in arguments.items()}
    with pytest.raises(ArgumentError) as error:
        backend.deform_conv(**arguments)
    assert str(error.value) == message


def test_complex_is_refused():
    with pytest.raises(ArgumentError, match="x has dtype complex128; it must hold bool, integers or floats"):
        backend.deform_conv(np.ones((1, 1, 3), complex), np.zeros((1, 1, 3)), np.ones((1, 1, 1)))
