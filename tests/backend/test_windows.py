"""The contrast of windows against sums in plain loops."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from convcli.backend.windows import window_deviations


@given(
    arrays.arrays("float64", st.tuples(st.integers(1, 9), st.integers(1, 12)), elements=st.integers(-50, 50)),
    st.data(),
)
def test_deviations_are_exact_of_whole_numbers(x, data):
    h, w = (data.draw(st.integers(1, n)) for n in x.shape)
    found = window_deviations(x, (h, w))
    for row, column in product(range(x.shape[0] - h + 1), range(x.shape[1] - w + 1)):
        window = x[row : row + h, column : column + w]
        expected = (window**2).sum() - window.sum() ** 2 / (h * w)
        assert found[row, column] == pytest.approx(expected, rel=1e-12, abs=1e-9)
        if (window == window[0, 0]).all():
            assert found[row, column] == 0


def test_deviations_stay_precise_far_from_zero():
    small = np.random.default_rng(6).random((20, 30)) * 2.0**-30
    lifted = small.round(45) + 1.0
    found = window_deviations(lifted, (5, 7))
    window = lifted[3:8, 4:11] - 1.0
    assert found[3, 4] == pytest.approx(((window - window.mean()) ** 2).sum(), rel=1e-9)
