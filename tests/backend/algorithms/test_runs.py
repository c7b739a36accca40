"""Columns copied in runs of several rows, if the rows of the input are spaced as those of the output are."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from convcli import backend
from convcli.backend.algorithms import gemm
from convcli.backend.algorithms.runs import planned
from convcli.backend.algorithms.slide import Slide
from tests.backend.cases import assert_close
from tests.examples import examples


@st.composite
def layers(draw):
    """Draw the sizes of a layer for which an input row is as long as the stride times an output row."""
    dims = draw(st.sampled_from((2, 2, 3)))
    axes = []
    for _ in range(dims):
        k, s, d, count = (draw(st.integers(1, most)) for most in (4, 3, 2, 4))
        span = d * (k - 1) + 1
        n = max(1, count * s - draw(st.integers(0, s - 1)))
        total = max(0, (count - 1) * s + span - n)
        before = draw(st.integers(0, total))
        axes.append((n, k, s, d, (before, total - before)))
    return [tuple(numbers) for numbers in zip(*axes, strict=True)]


@settings(max_examples=examples(60), deadline=None)
@given(
    layers(), st.integers(1, 3), st.sampled_from((np.float64, np.complex128, np.int64)), st.integers(1, 4000)
)
def test_products_of_runs_equal_plain_sums(layer, groups, dtype, limit):
    """In blocks of any size, down to a part of a row; the border value changes every sum that includes it."""
    size, kernel, stride, dilation, pads = layer
    random = np.random.default_rng(limit)
    x = random.integers(-9, 10, (2, 2 * groups, *size)).astype(dtype)
    weight = random.integers(-9, 10, (groups, 2, *kernel)).astype(dtype)
    options = {"stride": stride, "dilation": dilation, "padding": pads, "groups": groups}
    options |= {"padding_mode": "constant", "padding_value": 5}
    blocks = gemm.column_bytes
    try:
        gemm.column_bytes = lambda place_bytes: limit
        y = backend.conv(x, weight, method="gemm", **options)
    finally:
        gemm.column_bytes = blocks
    assert_close(y, backend.conv(x, weight, method="direct", **options), 1e-9)


def test_runs_are_used_if_rows_are_spaced_alike():
    def fits(n, count, k=3, s=1, before=1):
        walk = Slide((k, k), (s, s), (1, 1), (count, count))
        after = (count - 1) * s + k - n - before
        return planned((n, n), walk, ((before, after), (before, after))) is not None

    assert fits(56, 56)
    assert fits(56, 28, s=2)
    assert fits(224, 112, k=7, s=2, before=3)
    assert fits(6, 8, before=2)  # the border is in the middle of the rows
    assert not fits(58, 56, before=0)  # a row of the input is longer
    assert not fits(56, 28, k=2, s=2, before=0)  # every element is used once: runs gain nothing
    assert not fits(57, 28, s=2, before=0)
