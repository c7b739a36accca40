"""Prepared convolutions equal `conv`."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcli import Conv, backend
from convcli.backend import prepared_algorithms
from convcli.backend.prepared_conv import PreparedConv
from convcli.backend.working_memory import Room
from tests.backend.cases import assert_close, cases
from tests.examples import examples


def layer_of(case):
    return Conv(
        in_channels=case.groups * case.inputs,
        out_channels=case.groups * case.outputs,
        kernel_size=case.kernel,
        groups=case.groups,
        dims=len(case.size),
        **case.options,
    )


@settings(max_examples=examples(200))
@given(cases(largest=12, dims=(1, 2)), st.booleans())
def test_equals_conv(case, tight):
    x, weight = case.arrays(np.float32)
    bias = case.random().standard_normal(len(weight)).astype(np.float32)
    with pytest.MonkeyPatch.context() as patch:
        if tight:  # so that there are many blocks
            patch.setattr(prepared_algorithms, "STACK_BYTES", 1)
        run = PreparedConv(layer_of(case), x.shape, weight, bias, Room())
    wanted = backend.conv(x, weight, bias, groups=case.groups, **case.options)
    before = x.copy()
    for _ in range(2):  # the contents of the memory after the first run change nothing
        y = run(x)
        assert y.dtype == np.float32 and y.shape == wanted.shape
        assert_close(y, wanted, 1e-4)
    assert np.array_equal(x, before)


@pytest.mark.parametrize("groups", [1, 2, 8])
@pytest.mark.parametrize("rows", [3, 8, 9, 21])
@pytest.mark.parametrize("kernel", [1, 3, 5])
def test_addend_and_activation(groups, rows, kernel):
    random = np.random.default_rng(rows)
    x = random.standard_normal((2, 8, rows, 10)).astype(np.float32)
    layer = Conv(8, 16, kernel, padding=kernel // 2, groups=groups)
    weight = random.standard_normal((16, 8 // groups, kernel, kernel)).astype(np.float32)
    other = random.standard_normal((2, 16, rows, 10)).astype(np.float32)
    kept = other.copy()
    run = PreparedConv(layer, x.shape, weight, None, Room(), lambda y: np.maximum(y, 0, out=y))
    wanted = np.maximum(backend.conv(x, weight, padding=kernel // 2, groups=groups) + other, 0)
    assert_close(run(x, other), wanted, 1e-4)
    assert np.array_equal(other, kept)


@pytest.mark.parametrize(("rows", "columns"), [(14, 14), (15, 20), (14, 31)])
@pytest.mark.parametrize("padding", [0, 1, ((2, 0), (0, 3))])
def test_tiles(rows, columns, padding):
    random = np.random.default_rng(columns)
    layer = Conv(24, 26, 3, padding=padding)
    x = random.standard_normal((2, 24, rows + 2, columns + 2)).astype(np.float32)
    weight = random.standard_normal((26, 24, 3, 3)).astype(np.float32)
    bias = random.standard_normal(26).astype(np.float32)
    run = PreparedConv(layer, x.shape, weight, bias, Room(), lambda y: np.maximum(y, 0, out=y))
    assert run._run.__qualname__.startswith("in_tiles")
    wanted = np.maximum(backend.conv(x.astype(float), weight.astype(float), bias, padding=padding), 0)
    assert_close(run(x), wanted, 1e-4)
    assert_close(run(x), wanted, 1e-4)


def test_working_memory_is_shared_and_grows():
    room = Room()
    first = room(3, 4)
    first[:] = 1
    assert np.may_share_memory(first, room(2, 2))
    assert room(100, 100).shape == (100, 100)
