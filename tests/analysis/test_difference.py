"""Measures of difference between two arrays, against their formulas in plain loops."""

from itertools import product
from math import inf, log10, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import convcli
from convcli.analysis.similarity import ssim
from convcli.errors import ArgumentError

PAIRS = st.tuples(st.integers(1, 6), st.integers(1, 5)).flatmap(
    lambda shape: st.sampled_from([np.uint8, np.int16, np.float32]).flatmap(
        lambda dtype: st.tuples(*[arrays.arrays(dtype, shape, elements=st.integers(0, 9))] * 2)
    )
)


@pytest.mark.parametrize("band", [1 << 20, 5])
@given(pair=PAIRS, tolerance=st.sampled_from([0, 0.5, 1, 4, 9]))
def test_differences_equal_plain_loops(pair, tolerance, band):
    a, b = pair
    every = {place: abs(float(a[place]) - float(b[place])) for place in product(*map(range, a.shape))}
    place = max(every, key=lambda where: every[where])
    mean = sum(apart**2 for apart in every.values()) / len(every)
    peak = {"uint8": 255, "int16": 32767, "float32": 1}[a.dtype.name]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("convcli.analysis.difference.BAND", band)
        found = convcli.diff(a, b, tolerance)
    assert (found.largest, found.place) == (every[place], place if every[place] else None)
    assert (found.samples, found.tolerance, found.peak) == (a.size, tolerance, peak)
    assert found.beyond == sum(apart > tolerance for apart in every.values())
    assert (found.share, found.within) == (found.beyond / a.size, every[place] <= tolerance)
    assert found.mean_squared_error == pytest.approx(mean)
    assert found.psnr == (pytest.approx(20 * log10(peak) - 10 * log10(mean)) if mean else inf)
    assert found.ssim is None  # for arrays smaller than its window


def test_the_similarity_of_pictures_is_included():
    a = np.random.default_rng(0).integers(0, 200, (20, 30, 3), np.uint8)
    b = a + np.uint8(9)
    assert convcli.diff(a, b).ssim == ssim(a, b, 255)
    assert convcli.diff(a, b, peak=1000).ssim == ssim(a, b, 1000)
    assert convcli.diff(a, a).ssim == 1
    assert convcli.diff(a[np.newaxis], b[np.newaxis]).ssim is None


def test_values_that_are_not_finite():
    found = convcli.diff([1.0, inf, nan], [1.0, inf, nan])
    assert (found.largest, found.place, found.within) == (0, None, True)
    found = convcli.diff([1.0, 2.0], [nan, 2.0], tolerance=1e300)
    assert (found.largest, found.place, found.beyond, found.psnr) == (inf, (0,), 1, -inf)
    assert convcli.diff([inf, 1.0], [inf, 2.0]).mean_squared_error == 0.5
    x = np.ones((12, 12))
    y = x.copy()
    y[3, 4] = inf
    assert convcli.diff(x, y).ssim is None


def test_booleans_are_0_and_1():
    found = convcli.diff([[True, False]], [[True, True]])
    assert (found.largest, found.place, found.peak) == (1, (0, 1), 1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: convcli.diff([1], [2], peak=0), "peak must be above 0 and finite, got 0; it is 255 for 8 bits"),
        (lambda: convcli.diff([1, 2], [1]), "a has shape (2,) and b (1,); both must have the same shape"),
        (lambda: convcli.diff([], []), "both must have the same shape and not be empty"),
        (lambda: convcli.diff([1j], [1]), "a has dtype complex128"),
        (lambda: convcli.diff(np.uint8([1]), np.uint16([1])), "a has dtype uint8 and b uint16, whose largest values may differ"),
        (lambda: convcli.diff([1], [1], -1), "tolerance=-1 is not a difference of samples; give a number of at least 0"),
        (lambda: convcli.diff([1], [1], nan), "tolerance=nan is not a difference of samples"),
    ],
)  # fmt: skip
def test_errors_of_measures(call, message):
    with pytest.raises(ArgumentError) as error:
        call()
    assert message in str(error.value)
