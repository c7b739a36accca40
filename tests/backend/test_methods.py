"""The algorithms of `conv` and how `auto` chooses; plan.py is tested without arrays."""

from itertools import product
from math import prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcli import backend
from convcli.backend import fft, plan, separable
from convcli.errors import ArgumentError
from tests.backend.cases import assert_close, cases

few = settings(max_examples=40, deadline=None)


def outer(*factors):
    result = np.ones(())
    for factor in factors:
        result = np.multiply.outer(result, factor)
    return result


# Separable


@few
@given(cases(), st.sampled_from((float, np.int64, complex)))
def test_separable_equals_direct_for_outer_products(case, dtype):
    random = case.random()
    x, weight = case.arrays(dtype)
    for kernel in np.ndindex(weight.shape[:2]):
        factors = [random.integers(-5, 6, k) * 6 for k in case.kernel]
        if dtype is not np.int64:
            factors = [factor + random.standard_normal(len(factor)) for factor in factors]
        weight[kernel] = outer(*factors)
    options = {**case.options, "groups": case.groups}
    expected = backend.conv(x, weight, method="direct", **options)
    y = backend.conv(x, weight, method="separable", **options)
    assert y.dtype == expected.dtype
    if dtype is np.int64:
        assert np.array_equal(y, expected)
    assert_close(y, expected, 1e-9)


@few
@given(cases(dims=(2, 3)))
def test_separable_of_full_rank_equals_direct(case):
    x, weight = case.arrays()
    rank = prod(case.kernel[:-1])  # no kernel has more terms
    options = {**case.options, "groups": case.groups}
    y = backend.conv(x, weight, method=f"separable:{rank}", **options)
    assert_close(y, backend.conv(x, weight, method="direct", **options), 1e-9)


def test_separable_makes_the_least_error_of_a_rank():
    random = np.random.default_rng(0)
    kernel = random.standard_normal((6, 5))
    u, s, v = np.linalg.svd(kernel)
    x = np.zeros((1, 1, 11, 9))
    x[0, 0, 5, 4] = 1  # the response to one element is the kernel
    for rank in range(1, 6):
        y = backend.conv(x, kernel[None, None], method=f"separable:{rank}", flip=True)
        assert_close(y[0, 0], (u[:, :rank] * s[:rank]) @ v[:rank])


def test_factors_of_integers_are_integers():
    kernel = outer([1, 2, 1], [1, 0, -1]).astype(np.int64)  # Sobel
    down, right = separable.factors(kernel[None, None, None], 2)
    assert np.array_equal(np.outer(down.ravel(), right.ravel()), kernel)
    assert {down.dtype, right.dtype} == {np.dtype(np.int64)}


@pytest.mark.parametrize("kernel", [[[1, 2], [3, 4]], [[2**40, 2**20], [2**20, 2]], [[0, 1], [1, 0]]])
def test_integers_of_higher_rank_have_no_factors(kernel):
    assert separable.factors(np.array(kernel)[None, None, None], 2) is None


def test_a_kernel_of_zeros_is_separable():
    assert (backend.conv(np.ones((1, 1, 5, 5)), np.zeros((1, 1, 3, 3)), method="separable") == 0).all()
    assert (
        backend.conv(np.ones((1, 1, 5, 5), int), np.zeros((1, 1, 3, 3), int), method="separable") == 0
    ).all()


def test_separable_refuses_a_kernel_of_higher_rank():
    weight = np.zeros((2, 1, 3, 3))
    weight[0] = 1
    weight[1, 0] = np.diag([4.0, 0.0, 3.0])
    with pytest.raises(ArgumentError) as error:
        backend.conv(np.ones((1, 1, 5, 5)), weight, method="separable")
    assert str(error.value) == (
        "the 3x3 kernel of group 0, output 1, input 0 is not separable: its rank is 2, and rank 1 would make "
        "a relative error of 0.6; take method='separable:2' for all of it, fewer terms for less, or another "
        "method"
    )


def test_rounding_is_no_second_rank_and_anything_more_is():
    random = np.random.default_rng(0)
    kernel = np.outer(random.random(9), random.random(9))
    kernel /= kernel.sum()
    assert separable.factors(kernel[None, None, None], 2) is not None
    kernel[4, 4] *= 1 + 1e-12
    assert separable.factors(kernel[None, None, None], 2) is None


def test_separable_approximates_no_integers():
    with pytest.raises(ArgumentError, match="integers are computed exactly: not every kernel is of rank 1"):
        backend.conv(np.ones((1, 1, 5, 5), int), np.eye(3, dtype=int)[None, None], method="separable:1")


def test_separable_refuses_nan():
    with pytest.raises(ArgumentError, match="weight holds NaN or infinity"):
        backend.conv(np.ones((1, 1, 5, 5)), np.full((1, 1, 3, 3), np.nan), method="separable")


@pytest.mark.parametrize("method", ["separable:", "separable:0", "separable:x", "direct:2", "auto:1"])
def test_only_separable_takes_a_rank(method):
    with pytest.raises(ArgumentError) as error:
        backend.conv(np.ones((1, 1, 3)), np.ones((1, 1, 3)), method=method)
    assert str(error.value) == f"method {method!r}: only 'separable' takes a rank, as in 'separable:2'"


# Fourier transforms


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64, np.int64])
@pytest.mark.parametrize("shape", [(5000,), (150, 90), (30, 20, 40)])
def test_fft_over_many_tiles(shape, dtype):
    random = np.random.default_rng(0)
    x = (random.standard_normal((2, 4, *shape)) * 9).astype(dtype)
    weight = (random.standard_normal((2, 2, *(3, 4, 2)[: len(shape)])) * 9).astype(dtype)
    for stride in (1, 2):
        options = {"stride": stride, "padding": 1, "groups": 2}
        y = backend.conv(x, weight, method="fft", **options)
        expected = backend.conv(x, weight, method="direct", **options)
        assert y.dtype == expected.dtype
        if dtype is np.int64:
            assert np.array_equal(y, expected)
        assert_close(y, expected, 1e-5)


def test_fft_of_integers_is_refused_where_rounding_could_fail():
    x = np.full((1, 1, 100), 2**45)
    with pytest.raises(ArgumentError) as error:
        backend.conv(x, np.full((1, 1, 9), 2**10), method="fft")
    assert str(error.value) == (
        "method 'fft' works with floats, which cannot be sure of whole numbers where sums reach "
        f"{9 * 2**55}; take another method, or convert x to float64"
    )


def test_the_bound_of_exact_transforms_holds():
    """The largest sums that are let through come out right, for numbers chosen to be bad."""
    slide = plan.Slide((31, 31), (1, 1), (1, 1), (200, 200))
    peak = 1
    while fft.is_exact(2 * peak, 1, slide):
        peak *= 2
    top = peak // 31**2
    assert top > 2**15  # 16-bit pictures and 31 x 31 kernels of ones pass
    random = np.random.default_rng(0)
    x = random.choice([-top, top], (1, 1, 230, 230))
    weight = random.choice([-1, 1], (1, 1, 31, 31))
    assert np.array_equal(backend.conv(x, weight, method="fft"), backend.conv(x, weight, method="gemm"))


# The plan


def work(images=1, groups=1, inputs=1, outputs=1, kernel=(3, 3), output=(512, 512), stride=(1, 1)):
    return plan.Work(images, groups, inputs, outputs, plan.Slide(kernel, stride, (1,) * len(kernel), output))


@pytest.mark.parametrize(
    ("sizes", "wanted"),
    [
        ({}, {"direct", "gemm"}),
        ({"kernel": (31, 31)}, {"separable", "fft"}),
        ({"inputs": 64, "outputs": 64, "output": (56, 56)}, {"gemm"}),
        ({"inputs": 256, "outputs": 256, "output": (14, 14)}, {"gemm"}),
        ({"inputs": 64, "outputs": 256, "output": (56, 56), "kernel": (1, 1)}, {"gemm"}),
        ({"inputs": 3, "outputs": 64, "output": (112, 112), "kernel": (7, 7), "stride": (2, 2)}, {"gemm"}),
        ({"groups": 3, "kernel": (9, 9)}, {"separable", "fft"}),
        ({"images": 0}, {"direct", "gemm", "separable", "fft"}),
    ],
)
def test_the_quickest_method_is_expected_where_it_was_measured(sizes, wanted):
    assert plan.ranking(work(**sizes))[0] in wanted


def test_a_large_dense_kernel_goes_through_the_transform():
    ranking = plan.ranking(work(kernel=(31, 31)))
    assert ranking.index("fft") < min(ranking.index("direct"), ranking.index("gemm"))


@given(st.integers(1, 5000))
@settings(max_examples=100, deadline=None)
def test_fast_length_is_the_least_smooth_number(n):
    def smooth(n):
        for prime in (2, 3, 5):
            while n % prime == 0:
                n //= prime
        return n == 1

    assert plan.fast_length(n) == next(m for m in range(n, 2 * n + 1) if smooth(m))
    assert plan.fast_length(n, exact=True) == next(2**i for i in range(14) if 2**i >= n)


@given(
    st.integers(0, 5),
    st.lists(st.integers(1, 9), min_size=1, max_size=3),
    st.integers(1, 20),
    st.integers(1, 300),
)
@settings(max_examples=100, deadline=None)
def test_blocks_are_runs_that_cover_every_place_once_in_order(images, sizes, place_bytes, limit):
    shape = (images, *sizes)
    numbers = np.arange(prod(shape)).reshape(shape)
    walked = []
    for block in plan.blocks(images, tuple(sizes), place_bytes, limit):
        places = numbers[block].ravel()
        assert len(places) * place_bytes <= limit or len(places) == 1
        walked.extend(places.tolist())
    assert walked == list(range(numbers.size))


@given(cases())
@settings(max_examples=40, deadline=None)
def test_a_slide_knows_where_its_taps_lie(case):
    slide = plan.Slide(case.kernel, case.stride, case.dilation, case.output)
    for axis, (k, s, d, count) in enumerate(
        zip(case.kernel, case.stride, case.dilation, case.output, strict=True)
    ):
        for tap in product(*map(range, case.kernel)):
            place = slide.meets(tap)[axis]
            met = list(range(place.start, place.stop, place.step))
            assert met == [tap[axis] * d + i * s for i in range(count)]
        reach = slide.reach(slide.whole)[axis]
        assert (reach.start, reach.stop) == (0, (count - 1) * s + d * (k - 1) + 1)


def test_columns_stay_within_bounds():
    """A large kernel on a large input takes columns of a few megabytes at a time, not of gigabytes."""
    import tracemalloc

    x, weight = np.zeros((1, 1, 40, 40, 40), np.float32), np.ones((1, 1, 9, 9, 9), np.float32)
    tracemalloc.start()
    backend.conv(x, weight, method="gemm")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 * plan.COLUMN_BYTES + 2 * x.nbytes  # all columns at once would be 95 MB
