"""Prepared pools equal the operators."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from convcli import backend
from convcli.backend.prepared_pool import PreparedPool
from convcli.backend.working_memory import Room
from convcli.layers import AvgPool, MaxPool
from tests.backend.cases import assert_close, cases
from tests.examples import examples


@settings(max_examples=examples(150))
@given(cases(largest=9, dims=(1, 2), pool=True), st.booleans(), st.booleans())
def test_equals_the_operators(case, ceil_mode, include):
    x, _ = case.arrays(np.float32)
    options = {"kernel_size": case.kernel, "ceil_mode": ceil_mode, **case.options}
    dims = len(case.size)
    largest = PreparedPool(MaxPool(**options, dims=dims), x.shape, Room())
    mean = PreparedPool(AvgPool(**options, count_include_pad=include, dims=dims), x.shape, Room())
    before = x.copy()
    assert np.array_equal(largest(x), backend.max_pool(x, **options))
    assert_close(mean(x), backend.avg_pool(x, **options, count_include_pad=include), 1e-5)
    assert np.array_equal(x, before)
    assert not np.may_share_memory(largest(x), x)
