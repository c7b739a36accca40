"""The algorithms of `conv` and how `auto` chooses; costs.py and slide.py are tested without arrays."""

from dataclasses import replace
from itertools import product
from math import prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcli import backend
from convcli.backend.algorithms import banded, costs, fft, gemm, kernel_rows, separable, winograd
from convcli.backend.algorithms.slide import Phases, Slide
from convcli.backend.borders import inside
from convcli.errors import ArgumentError
from tests.backend.cases import assert_close, cases
from tests.examples import examples

few = settings(max_examples=examples(40), deadline=None)


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
        "a relative error of 0.6; use method='separable:2' for an exact result, fewer terms for an "
        "approximation, or another method"
    )


def test_rounding_is_no_second_rank_and_anything_more_is():
    random = np.random.default_rng(0)
    kernel = np.outer(random.random(9), random.random(9))
    kernel /= kernel.sum()
    assert separable.factors(kernel[None, None, None], 2) is not None
    kernel[4, 4] *= 1 + 1e-12
    assert separable.factors(kernel[None, None, None], 2) is None


def test_separable_approximates_no_integers():
    with pytest.raises(ArgumentError, match="integers are computed exactly and not every kernel has rank 1"):
        backend.conv(np.ones((1, 1, 5, 5), int), np.eye(3, dtype=int)[None, None], method="separable:1")


def test_separable_refuses_nan():
    with pytest.raises(ArgumentError, match="weight contains NaN or infinity"):
        backend.conv(np.ones((1, 1, 5, 5)), np.full((1, 1, 3, 3), np.nan), method="separable")


@pytest.mark.parametrize("method", ["separable:", "separable:0", "separable:x", "direct:2", "auto:1"])
def test_only_separable_takes_a_rank(method):
    with pytest.raises(ArgumentError) as error:
        backend.conv(np.ones((1, 1, 3)), np.ones((1, 1, 3)), method=method)
    assert str(error.value) == f"method {method!r}: only 'separable' takes a rank, such as 'separable:2'"


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
        "method 'fft' computes in floats, which may round integers incorrectly for sums as large as "
        f"{9 * 2**55}; use another method, or convert x to float64"
    )


def test_the_bound_of_exact_transforms_holds():
    """The largest sums that are accepted are exact, also for the least favourable numbers."""
    slide = Slide((31, 31), (1, 1), (1, 1), (200, 200))
    peak = 1
    while fft.is_exact(2 * peak, 1, slide):
        peak *= 2
    top = peak // 31**2
    assert top > 2**15  # 16-bit pictures and 31 x 31 kernels of ones pass
    random = np.random.default_rng(0)
    x = random.choice([-top, top], (1, 1, 230, 230))
    weight = random.choice([-1, 1], (1, 1, 31, 31))
    assert np.array_equal(backend.conv(x, weight, method="fft"), backend.conv(x, weight, method="gemm"))


# Tiles and bands


@few
@given(
    cases(),
    st.sampled_from((np.float64, np.float32, np.complex128, np.complex64)),
    st.integers(1, 9),
    st.integers(1, 4),
    st.integers(1, 60),
)
def test_winograd_equals_direct(case, dtype, limit, row, small):
    """Few channels, rows and columns at a time, as on large inputs."""
    ones = (1,) * len(case.kernel)
    size = tuple(max(3, n) for n in case.size)
    case = replace(case, kernel=(3,) * len(ones), stride=ones, dilation=ones, size=size)
    x, weight = case.arrays(dtype)
    options = {**case.options, "groups": case.groups}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(costs, "WINOGRAD_BYTES", limit * 1000)
        patch.setattr(costs, "TILES", limit)
        patch.setattr(costs, "ROW", row)
        patch.setattr(costs, "SMALL", small)
        patch.setattr(costs, "MIN_COLUMNS", 4)
        patch.setattr(winograd, "RUN", limit)
        y = backend.conv(x, weight, method="winograd", **options)
    assert y.dtype == dtype
    expected = backend.conv(x, weight, method="direct", **options)
    assert_close(y, expected, 1e-5 if y.real.dtype == np.float32 else 1e-9)


@few
@given(
    cases(dims=(2, 3)),
    st.sampled_from((np.float64, np.float32, np.complex64, np.int64)),
    st.integers(1, 4),
    st.integers(1, 9),
    st.integers(1, 2000),
)
def test_banded_equals_direct(case, dtype, rows, columns, limit):
    x, weight = case.arrays(dtype)
    options = {**case.options, "groups": case.groups}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(costs, "BAND_ROWS", rows)
        patch.setattr(banded, "BAND_BYTES", limit)
        patch.setattr(banded, "BAND_COLUMNS", columns)
        y = backend.conv(x, weight, method="banded", **options)
    expected = backend.conv(x, weight, method="direct", **options)
    assert y.dtype == expected.dtype
    assert_close(y, expected, 1e-5 if y.real.dtype == np.float32 else 1e-9)


@few
@given(
    cases(dims=(2, 3)),
    st.sampled_from((np.float64, np.float32, np.complex64, np.int64)),
    st.integers(1, 3000),
)
def test_rows_equals_direct(case, dtype, limit):
    """Includes input rows exactly as long as the elements that an output row uses."""
    x, weight = case.arrays(dtype)
    for aligned in (False, True):
        options = {**case.options, "groups": case.groups, "padding_mode": "constant", "padding_value": 3}
        if aligned:
            options |= {"padding": "same"}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(kernel_rows, "ROWS_BYTES", limit)
            y = backend.conv(x, weight, method="rows", **options)
        expected = backend.conv(x, weight, method="direct", **options)
        assert y.dtype == expected.dtype
        assert_close(y, expected, 1e-5 if y.real.dtype == np.float32 else 1e-9)


@few
@given(cases(), st.sampled_from((np.float64, np.float32, np.int64)), st.integers(1, 5000))
def test_gemm_in_small_blocks_equals_direct(case, dtype, limit):
    x, weight = case.arrays(dtype)
    options = {**case.options, "groups": case.groups}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gemm, "column_bytes", lambda place_bytes: limit)
        y = backend.conv(x, weight, method="gemm", **options)
    expected = backend.conv(x, weight, method="direct", **options)
    assert_close(y, expected, 1e-5 if y.real.dtype == np.float32 else 1e-9)


@pytest.mark.parametrize("method", ["banded", "rows", "winograd"])
@pytest.mark.parametrize("mode", ["constant", "reflect", "circular"])
def test_borders_are_put_around_every_block(method, mode):
    """Many blocks, and a border as wide as several of them."""
    random = np.random.default_rng(0)
    x, weight = random.standard_normal((2, 3, 11, 13)), random.standard_normal((3, 1, 3, 3))
    options = {"groups": 3, "padding": ((7, 9), (8, 10)), "padding_mode": mode}
    options |= {"padding_value": 5} if mode == "constant" else {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(costs, "SMALL", 8)
        patch.setattr(costs, "MIN_COLUMNS", 1)
        patch.setattr(costs, "ROW", 2)
        patch.setattr(banded, "BAND_BYTES", 1000)
        patch.setattr(banded, "BAND_COLUMNS", 3)
        patch.setattr(kernel_rows, "ROWS_BYTES", 1000)
        y = backend.conv(x, weight, method=method, **options)
    assert_close(y, backend.conv(x, weight, method="direct", **options), 1e-9)


def test_conv_leaves_the_size_of_the_buffer_as_it_was():
    before = np.getbufsize()
    backend.conv(np.ones((1, 1, 9, 9)), np.ones((1, 1, 3, 3)), method="direct")
    assert np.getbufsize() == before


@given(st.integers(-9, 9), st.integers(1, 4), st.integers(0, 9), st.integers(1, 9))
def test_inside_returns_the_positions_on_the_axis(offset, step, count, n):
    places = range(offset, offset + step * count, step)
    there, here = inside(offset, step, count, n)
    found = [place for place in places if 0 <= place < n]
    assert list(range(n))[here] == found
    assert list(places)[there] == found


@pytest.mark.parametrize("shape", [(1, 64, 20, 20), (2, 32, 9, 31)])
def test_winograd_has_the_precision_of_float32(shape):
    random = np.random.default_rng(0)
    x = random.standard_normal(shape).astype(np.float32)
    weight = random.standard_normal((64, shape[1], 3, 3)).astype(np.float32)
    exact = backend.conv(x.astype(float), weight.astype(float), method="direct", padding=1)
    y = backend.conv(x, weight, method="winograd", padding=1)
    assert np.abs(y - exact).max() <= 2e-6 * np.abs(exact).max()


@pytest.mark.parametrize("wrong", [np.nan, np.inf, 3e38])
@pytest.mark.parametrize(
    ("channels", "groups", "side", "quickest"),
    [(64, 1, 56, "winograd"), (64, 64, 56, "rows"), (2, 2, 512, "banded")],
    ids=["winograd", "rows", "banded"],
)
def test_auto_equals_plain_sums_for_numbers_that_are_not_finite(wrong, channels, groups, side, quickest):
    """Banded products would spread NaN, Winograd tiles turn infinity into NaN, and overflow for the finite 3e38."""
    random = np.random.default_rng(0)
    x = random.standard_normal((1, channels, side, side)).astype(np.float32)
    weight = random.standard_normal((channels, channels // groups, 3, 3)).astype(np.float32)
    sizes = work(1, groups, channels // groups, channels // groups, output=(side, side))
    assert costs.ranking(sizes)[0] == quickest
    x[0, :2, 30, 20] = wrong
    y = backend.conv(x, weight, groups=groups, padding=1)
    expected = backend.conv(x, weight, groups=groups, padding=1, method="gemm")
    kept = np.isfinite(expected)
    assert np.array_equal(y[~kept], expected[~kept], equal_nan=True)
    assert_close(y[kept], expected[kept], 1e-5)


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_auto_takes_no_transform_where_the_border_is_not_finite(wrong):
    random = np.random.default_rng(0)
    x, weight = random.random((1, 1, 90, 90)), random.random((1, 1, 31, 31))
    assert costs.ranking(work(kernel=(31, 31), output=(64, 64)))[0] == "fft"
    y = backend.conv(x, weight, padding=2, padding_mode="constant", padding_value=wrong)
    assert not np.isfinite(y[..., :2, :]).any()
    assert np.isfinite(y[..., 2:-2, 2:-2]).all()


@pytest.mark.parametrize("large", ["x", "weight"])
def test_auto_uses_no_transform_that_overflows_in_between(large):
    x, weight = np.ones((1, 1, 90, 90), np.float32), np.ones((1, 1, 31, 31), np.float32)
    (weight if large == "x" else x)[...] = 1e-38
    (x if large == "x" else weight)[...] = 3e38
    assert_close(backend.conv(x, weight), np.full((1, 1, 60, 60), 3 * 31**2, np.float32), 1e-5)
    weight[...] = 0
    assert (backend.conv(x, weight) == 0).all()


@pytest.mark.parametrize(
    ("method", "kernel", "options", "message"),
    [
        (
            "winograd",
            (3, 2),
            {"stride": 2},
            "method 'winograd' needs 3 taps on every axis, with stride 1 and dilation 1, but the kernel is 3x2, "
            "with stride 2x2 and dilation 1x1; use another method",
        ),
        (
            "banded",
            (3,),
            {},
            "method 'banded' needs at least 2 spatial axes, but the kernel is 3, with stride 1 and dilation 1; "
            "use another method",
        ),
    ],
)
def test_methods_reject_kernels_that_they_do_not_support(method, kernel, options, message):
    with pytest.raises(ArgumentError) as error:
        backend.conv(np.ones((1, 1, *[9] * len(kernel))), np.ones((1, 1, *kernel)), method=method, **options)
    assert str(error.value) == message


def test_winograd_refuses_integers():
    with pytest.raises(
        ArgumentError, match="method 'winograd' needs fractions, but integers are computed exac"
    ):
        backend.conv(np.ones((1, 1, 5, 5), int), np.ones((1, 1, 3, 3), int), method="winograd")


# The plan


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_a_box_of_tiles_stays_within_its_memory(dims):
    sizes = work(inputs=50, outputs=200, kernel=(3,) * dims, output=(4000, 60, 60)[:dims])
    box = costs.winograd_box(sizes, itemsize=4)
    held = 4**dims * prod(box) * (50 + 200) * 4
    assert held <= costs.WINOGRAD_BYTES or prod(box) <= costs.TILES or box[0] == 1


def test_the_plan_of_a_huge_volume_takes_no_time():
    huge = work(inputs=4096, outputs=4096, kernel=(3, 3, 3), output=(4096, 4096, 4096))
    assert prod(costs.winograd_box(huge)) <= costs.TILES


def work(images=1, groups=1, inputs=1, outputs=1, kernel=(3, 3), output=(512, 512), stride=(1, 1)):
    return costs.Work(images, groups, inputs, outputs, Slide(kernel, stride, (1,) * len(kernel), output))


@pytest.mark.parametrize(
    ("sizes", "wanted"),
    [
        ({}, "banded"),
        ({"kernel": (31, 31)}, "fft"),
        ({"groups": 3, "kernel": (9, 9)}, "banded"),
        ({"inputs": 3, "outputs": 64, "output": (112, 112), "kernel": (7, 7), "stride": (2, 2)}, "gemm"),
        ({"inputs": 3, "outputs": 64, "output": (224, 224)}, "gemm"),
        ({"inputs": 64, "outputs": 64, "output": (56, 56)}, "winograd"),
        ({"inputs": 64, "outputs": 128, "output": (112, 112)}, "winograd"),
        ({"inputs": 128, "outputs": 128, "output": (28, 28)}, "winograd"),
        ({"inputs": 256, "outputs": 256, "output": (56, 56)}, "winograd"),
        ({"inputs": 512, "outputs": 512, "output": (28, 28)}, "winograd"),
        ({"inputs": 256, "outputs": 256, "output": (14, 14)}, "gemm"),
        ({"inputs": 512, "outputs": 512, "output": (7, 7)}, "gemm"),
        ({"inputs": 128, "outputs": 128, "output": (28, 28), "stride": (2, 2)}, "gemm"),
        ({"inputs": 64, "outputs": 256, "output": (56, 56), "kernel": (1, 1)}, "gemm"),
        ({"inputs": 256, "outputs": 64, "output": (56, 56), "kernel": (1, 1)}, "gemm"),
        ({"inputs": 512, "outputs": 2048, "output": (7, 7), "kernel": (1, 1)}, "gemm"),
        (
            {"inputs": 256, "outputs": 512, "output": (28, 28), "kernel": (1, 1), "stride": (2, 2)},
            "gemm",
        ),
        ({"groups": 256, "output": (56, 56)}, "rows"),
        ({"groups": 512, "output": (28, 28)}, "rows"),
        ({"groups": 512, "output": (14, 14)}, "rows"),
        ({"groups": 144, "output": (28, 28), "stride": (2, 2)}, "gemm"),
        ({"groups": 32, "inputs": 4, "outputs": 4, "output": (28, 28)}, "gemm"),
    ],
)
def test_the_quickest_method_is_expected_where_it_was_measured(sizes, wanted):
    assert costs.ranking(work(**sizes))[0] == wanted


def test_a_large_dense_kernel_goes_through_the_transform():
    ranking = costs.ranking(work(kernel=(31, 31)))
    assert ranking.index("fft") < min(ranking.index("direct"), ranking.index("gemm"))


@given(st.integers(1, 5000))
@settings(max_examples=examples(100), deadline=None)
def test_fast_length_is_the_least_smooth_number(n):
    def smooth(n):
        for prime in (2, 3, 5):
            while n % prime == 0:
                n //= prime
        return n == 1

    assert costs.fast_length(n) == next(m for m in range(n, 2 * n + 1) if smooth(m))
    assert costs.fast_length(n, exact=True) == next(2**i for i in range(14) if 2**i >= n)


@given(
    st.integers(0, 5),
    st.lists(st.integers(1, 9), min_size=1, max_size=3),
    st.integers(1, 20),
    st.integers(1, 300),
)
@settings(max_examples=examples(100), deadline=None)
def test_blocks_are_runs_that_cover_every_place_once_in_order(images, sizes, place_bytes, limit):
    shape = (images, *sizes)
    numbers = np.arange(prod(shape)).reshape(shape)
    walked = []
    for block in costs.blocks(images, tuple(sizes), place_bytes, limit):
        places = numbers[block].ravel()
        assert len(places) * place_bytes <= limit or len(places) == 1
        walked.extend(places.tolist())
    assert walked == list(range(numbers.size))


@given(st.lists(st.integers(1, 40), min_size=1, max_size=3), st.integers(1, 200))
@settings(max_examples=examples(60), deadline=None)
def test_blocks_are_aligned_where_they_can_be(sizes, limit):
    blocks = list(costs.blocks(1, tuple(sizes), 1, limit, align=16))
    assert sum(prod(place.stop - place.start for place in block) for block in blocks) == prod(sizes)
    for block in blocks:
        assert prod(place.stop - place.start for place in block) <= limit or limit < 1


@given(cases())
@settings(max_examples=examples(40), deadline=None)
def test_phases_hold_the_inputs_of_the_taps(case):
    slide = Slide(case.kernel, case.stride, case.dilation, case.output)
    for axis, (k, s, d) in enumerate(zip(case.kernel, case.stride, case.dilation, strict=True)):
        found = {}
        for taps in Phases(slide).taps(axis):
            numbers = range(k)[taps.taps]
            assert len(numbers) == taps.count
            for place, tap in enumerate(numbers):
                found[tap] = taps.phase + s * (taps.first + place * taps.step)
        assert found == {tap: tap * d for tap in range(k)}


@given(cases())
@settings(max_examples=examples(40), deadline=None)
def test_a_slide_knows_where_its_taps_lie(case):
    slide = Slide(case.kernel, case.stride, case.dilation, case.output)
    for axis, (k, s, d, count) in enumerate(
        zip(case.kernel, case.stride, case.dilation, case.output, strict=True)
    ):
        for tap in product(*map(range, case.kernel)):
            place = slide.tap_slices(tap)[axis]
            found = list(range(place.start, place.stop, place.step))
            assert found == [tap[axis] * d + i * s for i in range(count)]
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
    assert peak < 2 * costs.COLUMN_BYTES + 2 * x.nbytes  # all columns at once would be 95 MB
