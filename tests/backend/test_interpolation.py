from fractions import Fraction
from itertools import product
from math import floor, prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcli import backend
from convcli.errors import ArgumentError
from convcli.layers import Resize
from tests.backend.cases import assert_close, cases
from tests.reference import every

few = settings(max_examples=60)


def nearest(x, size):
    y = np.zeros((*x.shape[:2], *size), x.dtype)
    for place in every(*size):
        source = tuple(floor(Fraction(p * n, o)) for p, n, o in zip(place, x.shape[2:], size, strict=True))
        y[(..., *place)] = x[(..., *source)]
    return y


def bilinear(x, size):
    y = np.zeros((*x.shape[:2], *size))
    for place in every(*size):
        at = [
            min(max(Fraction(2 * p + 1, 2) * Fraction(n, o) - Fraction(1, 2), 0), n - 1)
            for p, n, o in zip(place, x.shape[2:], size, strict=True)
        ]
        for corner in product((0, 1), repeat=len(size)):
            share = prod(
                a - floor(a) if side else 1 - (a - floor(a)) for a, side in zip(at, corner, strict=True)
            )
            if share:
                y[(..., *place)] += float(share) * x[(..., *(floor(a) + side for a, side in zip(at, corner)))]
    return y


@few
@given(cases(), st.data(), st.sampled_from((float, np.float32, np.int64, np.uint8)))
def test_equals_plain_loops(case, draw, dtype):
    x = (case.arrays(np.int64)[0] + 9).astype(dtype)
    size = tuple(draw.draw(st.integers(1, 9)) for _ in case.size)
    copied = backend.resize(x, size=size)
    assert copied.dtype == dtype
    assert np.array_equal(copied, nearest(x, size))
    blended = backend.resize(x, size=size, mode="bilinear")
    assert blended.dtype == (np.float32 if dtype is np.float32 else np.float64)
    assert_close(blended, bilinear(x, size), 1e-5 if dtype is np.float32 else 1e-9)


@few
@given(cases(), st.data())
def test_a_scale_repeats_elements_or_keeps_their_mean(case, draw):
    x, _ = case.arrays()
    scale = tuple(draw.draw(st.integers(1, 3)) for _ in case.size)
    repeated = x
    for axis, times in enumerate(scale, start=2):
        repeated = repeated.repeat(times, axis=axis)
    assert np.array_equal(backend.resize(x, scale=scale), repeated)
    axes = tuple(range(2, x.ndim))
    assert_close(backend.resize(x, scale=scale, mode="bilinear").mean(axes), x.mean(axes))


def test_the_layer_sees_what_the_operator_looks_at():
    """A single 1 in the input reaches exactly the outputs whose reach holds it, but for shares of 0."""
    for n, o, mode in product(range(1, 7), range(1, 9), ("nearest", "bilinear")):
        ((step, scale, low, high),) = Resize(size=(o,), mode=mode).sees((n,))
        each = backend.resize(np.eye(n)[:, np.newaxis], size=(o,), mode=mode)[:, 0]
        for x, y in product(range(n), range(o)):
            seen = range((step * y + low) // scale, (step * y + high) // scale + 1)
            assert (each[x, y] > 0) == (x in {min(max(place, 0), n - 1) for place in seen})


def test_infinity_does_not_spread_to_where_it_has_no_share():
    x = np.array([[[1.0, np.inf, 3.0]]])
    assert np.array_equal(backend.resize(x, scale=(1,), mode="bilinear"), x)
    assert backend.resize(x, size=(1,), mode="bilinear").tolist() == [[[np.inf]]]


def test_one_input_an_empty_batch_and_a_new_array():
    x = np.ones((2, 4, 5))
    assert backend.resize(x, scale=(2, 1)).shape == (2, 8, 5)
    assert backend.resize(x[np.newaxis][:0], scale=2, mode="bilinear").shape == (0, 2, 8, 10)
    for mode in ("nearest", "bilinear"):
        backend.resize(x, scale=(1, 1), mode=mode)[:] = 5
    assert x.max() == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "a resize takes either a scale or a size"),
        ({"scale": 2, "size": 4}, "a resize takes either a scale or a size"),
        ({"size": 0}, "size must be at least 1, got 0"),
        ({"scale": 2, "mode": "cubic"}, "mode 'cubic' is not one of nearest, bilinear, bicubic"),
        (
            {"scale": (2, 2, 2)},
            "x has shape (1, 1, 3); the scale (2, 2, 2) has 3 spatial axes, so x must be (N, C, *spatial) with "
            "5 axes, or (C, *spatial) with 4",
        ),
    ],
)
def test_errors(options, message):
    with pytest.raises(ArgumentError) as error:
        backend.resize(np.ones((1, 1, 3)), **options)
    assert str(error.value) == message
