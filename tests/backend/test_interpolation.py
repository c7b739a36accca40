from fractions import Fraction
from itertools import product
from math import ceil, floor, prod
from typing import get_args

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from convcli import backend
from convcli.errors import ArgumentError
from convcli.layers import Resize
from convcli.layers.resize import Coordinates, Mode, Rounding
from tests.backend.cases import assert_close, cases
from tests.examples import examples
from tests.reference import every

few = settings(max_examples=examples(60))


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


def place_of(layer, y, n, o, scale):
    """Return the input position of output y by ONNX's Resize, coordinate_transformation_mode."""
    if layer.coordinates == "align-corners":
        return Fraction(y * (n - 1), o - 1) if o > 1 else Fraction(0)
    if layer.coordinates == "pytorch-half-pixel" and o == 1:
        return Fraction(0)
    if layer.coordinates == "tf-half-pixel":
        return (y + Fraction(1, 2)) / scale
    shift = Fraction(0) if layer.coordinates == "asymmetric" else Fraction(1, 2)
    offset = Fraction(n, 2) * (1 - o / (n * scale)) if layer.coordinates == "half-pixel-symmetric" else 0
    return offset + (y + shift) / scale - shift


def weights_of(layer, at):
    """Return (position, weight) of the elements that are blended at a position."""
    low = floor(at)
    if layer.mode == "nearest":
        half = Fraction(1, 2)
        chosen = {"floor": low, "ceil": ceil(at), "half-down": ceil(at - half), "half-up": floor(at + half)}
        return [(chosen[layer.rounding], 1.0)]
    if layer.mode == "bilinear":
        return [(low, float(1 - (at - low))), (low + 1, float(at - low))]
    weights = []
    for place in range(low - 1, low + 3):
        d, a = abs(float(at - place)), -0.75
        near = (a + 2) * d**3 - (a + 3) * d**2 + 1
        weights.append((place, near if d <= 1 else a * d**3 - 5 * a * d**2 + 8 * a * d - 4 * a))
    return weights


@few
@given(
    st.integers(1, 7),
    st.one_of(st.integers(1, 15), st.sampled_from((0.5, 0.75, 1.5, 2.0, 2.6, 3.3))),
    st.sampled_from(get_args(Mode)),
    st.sampled_from((None, *get_args(Coordinates))),
    st.sampled_from(get_args(Rounding)),
)
def test_every_mode_coordinate_and_rounding_is_its_formula(n, target, mode, coordinates, rounding):
    by = "size" if isinstance(target, int) else "scale"
    options = {by: (target,), "mode": mode, "coordinates": coordinates, "rounding": rounding}
    layer = Resize(**options)
    assume(by == "size" or n * target >= 1)
    (o,) = layer.output_shape((1, n))[1:]
    scale = Fraction(target) if by == "scale" else Fraction(o, n)
    x = np.random.default_rng(n).standard_normal((1, 1, n))
    expected = [
        sum(w * x[0, 0, min(max(p, 0), n - 1)] for p, w in weights_of(layer, place_of(layer, y, n, o, scale)))
        for y in range(o)
    ]
    assert_close(backend.resize(x, **options), np.reshape(expected, (1, 1, o)))


def test_another_cubic_kernel():
    x = np.arange(5.0).reshape(1, 1, 5) ** 2
    y = backend.resize(x, scale=(2,), mode="bicubic", cubic=-0.5)[0, 0]
    # Catmull-Rom reproduces a parabola where all four neighbours exist.
    assert_close(y[3:7], ((np.arange(3, 7) + 0.5) / 2 - 0.5) ** 2)


def test_the_layer_sees_what_the_operator_reads():
    """A single 1 in the input affects exactly the outputs whose range includes it, except for weights of 0."""
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
        ({}, "resize takes either `scale` or `size`; give exactly one of them"),
        ({"scale": 2, "size": 4}, "resize takes either `scale` or `size`; give exactly one of them"),
        ({"size": 0}, "size must be at least 1, got 0"),
        ({"scale": 2, "mode": "cubic"}, "mode must be one of nearest, bilinear, bicubic, got 'cubic'"),
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
