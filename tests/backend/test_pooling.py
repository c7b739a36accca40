from math import prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcli import backend
from convcli.backend.adaptive import reduce_windows, windows_of
from convcli.errors import ArgumentError
from convcli.layers import MaxPool
from tests import reference
from tests.backend.cases import assert_close, cases
from tests.examples import examples

few = settings(max_examples=examples(60), deadline=None)


def plain(reduce, x, case, **options):
    return reference.pool(reduce, x, kernel=case.kernel, **case.plain, **options)


@few
@given(cases(pool=True), st.booleans(), st.sampled_from((np.float64, np.float32, np.int16, np.uint8)))
def test_max_equals_plain_loops(case, ceil_mode, dtype):
    x, _ = case.arrays(np.int64)
    x = (x + 9).astype(dtype)
    y, at = backend.max_pool(x, case.kernel, **case.options, ceil_mode=ceil_mode, return_indices=True)
    least = -np.inf if np.dtype(dtype).kind == "f" else np.iinfo(dtype).min
    assert y.dtype == dtype
    assert np.array_equal(y, plain(lambda window: max(window, default=least), x, case, ceil_mode=ceil_mode))
    assert np.array_equal(y, backend.max_pool(x, case.kernel, **case.options, ceil_mode=ceil_mode))
    layer = MaxPool(kernel_size=case.kernel, **case.options, ceil_mode=ceil_mode)
    assert y.shape[2:] == layer.output_size(case.size)
    flat = x.reshape(*x.shape[:2], prod(case.size))
    found = np.take_along_axis(flat, np.maximum(at, 0).reshape(*x.shape[:2], prod(y.shape[2:])), 2).reshape(
        y.shape
    )
    assert np.array_equal(np.where(at < 0, least, found), y)
    # The first of equal elements: numbered from the end, a later one would be larger.
    order = np.arange(flat.shape[2])[::-1].reshape(case.size)
    distinct = x.astype(np.int64) * flat.shape[2] + order
    first = plain(
        lambda window: max(window, default=-1) % flat.shape[2] if window else -1,
        distinct,
        case,
        ceil_mode=ceil_mode,
    )
    assert np.array_equal(np.where(first < 0, -1, flat.shape[2] - 1 - first), at)


@few
@given(cases(pool=True), st.booleans(), st.booleans(), st.sampled_from((np.float64, np.float32, np.int64)))
def test_average_equals_plain_loops(case, ceil_mode, include_pad, dtype):
    x, _ = case.arrays(dtype)
    y = backend.avg_pool(x, case.kernel, **case.options, ceil_mode=ceil_mode, count_include_pad=include_pad)
    assert y.dtype == (dtype if np.dtype(dtype).kind == "f" else np.float64)
    means = plain(
        lambda window: sum(window) / max(1, len(window)),
        x,
        case,
        ceil_mode=ceil_mode,
        include_pad=include_pad,
    )
    assert_close(y, means, 1e-5 if dtype == np.float32 else 1e-9)


@few
@given(cases(pool=True), st.booleans(), st.sampled_from((1, 2, 3, 0.5, np.inf)))
def test_norm_equals_plain_loops(case, ceil_mode, p):
    x, _ = case.arrays()
    y = backend.lp_pool(x, p, case.kernel, **case.options, ceil_mode=ceil_mode)

    def norm(window):
        if p == np.inf:
            return max(map(abs, window), default=0)
        return sum(abs(number) ** p for number in window) ** (1 / p)

    assert_close(y, plain(norm, x, case, ceil_mode=ceil_mode))


@few
@given(cases(), st.data())
def test_adaptive_equals_plain_loops(case, draw):
    x, _ = case.arrays()
    sizes = tuple(draw.draw(st.integers(1, 9)) for _ in case.size)
    means = reference.adaptive_pool(lambda window: sum(window) / len(window), x, sizes)
    assert_close(backend.adaptive_avg_pool(x, sizes), means)
    assert np.array_equal(backend.adaptive_max_pool(x, sizes), reference.adaptive_pool(max, x, sizes))


def test_worked_example():
    x = np.arange(9).reshape(1, 1, 3, 3)  # Zhang et al., "Dive into Deep Learning", section 7.5
    assert backend.max_pool(x, 2, stride=1).ravel().tolist() == [4, 5, 7, 8]
    assert backend.avg_pool(x, 2, stride=1).ravel().tolist() == [2, 3, 5, 6]


def test_means_of_all_windows_add_up():
    x = np.random.default_rng(0).standard_normal((2, 3, 8, 6))
    assert np.isclose(backend.avg_pool(x, (4, 3)).sum() * 12, x.sum())
    assert np.isclose(backend.lp_pool(x, 1, 2).sum(), np.abs(x).sum())
    assert np.isclose(backend.adaptive_avg_pool(x, (2, 3)).sum() * 8, x.sum())


def test_average_is_a_convolution_with_equal_weights():
    x = np.random.default_rng(0).standard_normal((2, 3, 8, 6))
    weight = np.full((3, 1, 3, 2), 1 / 6)
    expected = backend.conv(x, weight, stride=2, padding=(1, 0), groups=3)
    assert_close(backend.avg_pool(x, (3, 2), stride=2, padding=(1, 0)), expected)


def test_nan_propagates_and_its_index_is_returned():
    x = np.array([[[1, np.nan, 3, np.nan, 5, 6]]])
    y, at = backend.max_pool(x, (3,), return_indices=True)
    assert np.array_equal(y, [[[np.nan, np.nan]]], equal_nan=True)
    assert at.tolist() == [[[1, 3]]]
    y, at = backend.max_pool(x, (6,), return_indices=True)
    assert at.tolist() == [[[3]]]  # the last, as in PyTorch
    assert np.isnan(backend.max_pool(x, (3,))).all()
    assert np.isnan(backend.adaptive_max_pool(x, (2,))).all()
    assert np.isnan(backend.avg_pool(x, (3,))).all()


def test_minus_infinity_still_has_an_index():
    y, at = backend.max_pool(np.full((1, 1, 3), -np.inf), (2,), stride=1, padding=1, return_indices=True)
    assert (y == -np.inf).all()
    assert at.tolist() == [[[0, 0, 1, 2]]]


def test_a_dilated_window_that_steps_over_everything():
    x = np.array([[[7.0]]])
    y, at = backend.max_pool(x, (2,), padding=1, dilation=2, return_indices=True)
    assert (y.tolist(), at.tolist()) == ([[[-np.inf]]], [[[-1]]])
    assert backend.avg_pool(x, (2,), padding=1, dilation=2, count_include_pad=False).tolist() == [[[0]]]


@pytest.mark.parametrize(("ceil_mode", "size"), [(False, 2), (True, 3)])
def test_ceil_mode_on_a_kernel_of_two_on_five(ceil_mode, size):
    assert backend.max_pool(np.ones((1, 1, 5)), (2,), ceil_mode=ceil_mode).shape == (1, 1, size)


def test_ceil_mode_starts_no_window_in_the_padding_after():
    assert backend.max_pool(np.ones((1, 1, 1)), (2,), stride=2, padding=1, ceil_mode=True).shape == (1, 1, 1)


def test_none_keeps_an_axis():
    x = np.random.default_rng(0).standard_normal((1, 2, 5, 7))
    assert np.array_equal(backend.adaptive_max_pool(x, (None, 1)), x.max(axis=3, keepdims=True))
    assert np.array_equal(backend.adaptive_avg_pool(x, None), x)


def test_one_input_and_an_empty_batch():
    for pool in (backend.max_pool, backend.avg_pool):
        assert pool(np.ones((2, 6, 6)), (2, 3)).shape == (2, 3, 2)
        assert pool(np.ones((0, 2, 6, 6)), 2).shape == (0, 2, 3, 3)
    for pool in (backend.adaptive_avg_pool, backend.adaptive_max_pool):
        assert pool(np.ones((2, 6, 6)), (2, 3)).shape == (2, 2, 3)
        assert pool(np.ones((0, 2, 6, 6)), 2).shape == (0, 2, 2, 2)


POOLS = {
    "max": lambda x, size, **options: backend.max_pool(x, size, **options),
    "max with places": lambda x, size, **options: backend.max_pool(x, size, return_indices=True, **options)[
        1
    ],
    "avg": lambda x, size, **options: backend.avg_pool(x, size, **options),
    "lp": lambda x, size, **options: backend.lp_pool(x, 3, size, **options),
    "unfold": lambda x, size, **options: backend.unfold(x, size, **options),
    "adaptive avg": lambda x, size: backend.adaptive_avg_pool(x, size),
    "adaptive max": lambda x, size: backend.adaptive_max_pool(x, size),
    "scale": lambda x, size: backend.resize(x, scale=size),
    "size": lambda x, size: backend.resize(x, size=size, mode="bilinear"),
}


def test_global_averages_have_the_precision_of_float32():
    random = np.random.default_rng(0)
    x = (1000 + random.standard_normal((2, 3, 300, 401))).astype(np.float32)
    exact = x.astype(float).mean(axis=(2, 3), keepdims=True)
    y = backend.adaptive_avg_pool(x, 1)
    assert y.dtype == np.float32
    assert y.shape == (2, 3, 1, 1)
    assert np.abs(y / exact - 1).max() < 1e-6
    assert_close(backend.adaptive_avg_pool(x, (None, 1)), x.mean(axis=3, keepdims=True), 1e-6)


@pytest.mark.parametrize("dtype", [np.float32, float])
def test_infinity_stays_infinity_in_a_global_average(dtype):
    x = np.ones((1, 2, 3, 3), dtype)
    x[0, 1, 1, 1] = np.inf
    assert backend.adaptive_avg_pool(x, 1).ravel().tolist() == [1, np.inf]


@pytest.mark.parametrize("name", POOLS)
def test_one_input_is_the_first_of_a_batch_where_the_axes_are_known(name):
    run = POOLS[name]
    for shape in ((3, 8), (3, 6, 4), (3, 4, 5, 6), (2, 3, 4, 3, 4)):
        x = np.random.default_rng(0).standard_normal(shape)
        sizes = (2,) * (len(shape) - 1)
        assert np.array_equal(run(x, sizes), run(x[np.newaxis], sizes)[0])


@pytest.mark.parametrize("name", ["max", "avg", "lp", "unfold"])
@pytest.mark.parametrize(
    "reported", [{"stride": (2, 1)}, {"padding": ((0, 1), (1, 1))}, {"dilation": (1, 2)}]
)
def test_any_option_determines_the_axes(name, reported):
    x = np.random.default_rng(0).standard_normal((3, 6, 5))
    assert np.array_equal(POOLS[name](x, 2, **reported), POOLS[name](x[np.newaxis], (2, 2), **reported)[0])


@pytest.mark.parametrize("name", POOLS)
@pytest.mark.parametrize("shape", [(1, 4, 4), (4, 2, 6), (0, 4, 4)])
def test_three_axes_are_never_read_as_a_batch_of_one(name, shape):
    with pytest.raises(ArgumentError) as error:
        POOLS[name](np.ones(shape), 2)
    option = {"scale": "scale", "size": "size"}.get(
        name, "output_size" if "adaptive" in name else "kernel_size"
    )
    assert str(error.value) == (
        f"x has shape {shape}, which may be (N, C, length) or (C, height, width); give {option} per axis to say which: "
        f"one number, such as {option}=(2,), or two, such as {option}=(2, 2)"
    )
    assert POOLS[name](np.ones(shape[1:] * 2), 2).ndim in (3, 4)  # four axes are a batch


def test_one_pair_of_paddings_is_for_all_axes():
    x = np.random.default_rng(0).standard_normal((2, 3, 7, 6))
    for run in (backend.max_pool, backend.avg_pool, backend.unfold):
        assert np.array_equal(run(x, 3, padding=((0, 2),)), run(x, 3, padding=((0, 2), (0, 2))))


@few
@given(st.integers(1, 60), st.integers(1, 80), st.sampled_from([np.float32, float, np.int16]))
def test_adaptive_windows_of_any_length_equal_plain_loops(n, size, dtype):
    """Many windows of few elements, and few of many."""
    x = np.random.default_rng(0).integers(-99, 99, (2, 2, n)).astype(dtype)
    means = reference.adaptive_pool(lambda window: sum(window) / len(window), x, (size,))
    assert_close(backend.adaptive_avg_pool(x, (size,)), means, 1e-5 if dtype is np.float32 else 1e-9)
    assert np.array_equal(backend.adaptive_max_pool(x, (size,)), reference.adaptive_pool(max, x, (size,)))


def test_many_outputs_take_few_steps():
    """Each step works on whole arrays, and their number grows with the square root of the length."""
    calls = []

    class Counted(np.ndarray):
        def take(self, *arguments, **options):
            calls.append("the same place of many windows")
            return np.asarray(self).take(*arguments, **options)

        def __getitem__(self, place):
            calls.append("one window")
            return np.asarray(self)[place]

    x = np.random.default_rng(0).standard_normal((1, 2, 10_000)).view(Counted)
    for size in (1, 7, 99, 101, 3_000, 9_999, 30_000):
        calls.clear()
        made = reduce_windows(np.add, x, 2, *windows_of(x.shape[2], size), mean=True)
        assert made.shape == (1, 2, size)
        assert len(calls) <= 102


@few
@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 5), st.integers(1, 3), st.booleans())
def test_long_windows_are_reduced_as_short_ones(n, k, s, d, ceil_mode):
    """If there are fewer windows than taps, each window is reduced in one step."""
    if d * (k - 1) + 1 > n:
        return
    x = np.random.default_rng(0).integers(-9, 9, (2, 1, n)).astype(float)
    options = {"stride": s, "dilation": d, "ceil_mode": ceil_mode}
    windows = [x[0, 0, start : start + d * (k - 1) + 1 : d] for start in range(0, n, s)]
    found = backend.max_pool(x, (k,), **options)
    windows = windows[: found.shape[2]]
    assert found[0, 0].tolist() == [window.max() for window in windows]
    assert np.allclose(backend.avg_pool(x, (k,), **options)[0, 0], [window.mean() for window in windows])
    assert np.allclose(
        backend.lp_pool(x, 2, (k,), **options)[0, 0], [np.sqrt((window**2).sum()) for window in windows]
    )


def test_float16_is_averaged_in_float32():
    y = backend.avg_pool(np.full((1, 1, 4), 60000, np.float16), (4,))
    assert (y.dtype, y.item()) == (np.float16, 60000)


@pytest.mark.parametrize(
    "pool",
    [
        lambda x: backend.max_pool(x, (1,)),
        lambda x: backend.avg_pool(x, (1,)),
        lambda x: backend.lp_pool(x, 1, (1,)),
        lambda x: backend.adaptive_avg_pool(x, x.shape[2:]),
        lambda x: backend.adaptive_max_pool(x, x.shape[2:]),
    ],
)
def test_the_result_is_a_new_array(pool):
    x = np.ones((1, 1, 4))
    pool(x)[:] = 5
    assert (x == 1).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: backend.max_pool(np.ones((1, 1, 5, 5)), 2, padding=2),
            "padding 2 along the height would put whole windows into the padding: the kernel spans 2; "
            "pad by at most 1, or take a larger kernel",
        ),
        (
            lambda: backend.avg_pool(np.ones((1, 1, 2)), (3,)),
            "the output would be empty: along the length the kernel spans 3, but the padded input has only "
            "2 + 0 + 0 = 2; add 1 to the padding (before plus after), or take a smaller kernel",
        ),
        (lambda: backend.lp_pool(np.ones((1, 1, 2)), 0, (2,)), "the p of a p-norm must be above 0, got 0"),
        (
            lambda: backend.max_pool(np.ones((1, 5)), (2, 2)),
            "x has shape (1, 5); the window (2, 2) has 2 spatial axes, so x must be (N, C, *spatial) with 4 "
            "axes, or (C, *spatial) with 3",
        ),
        (
            lambda: backend.max_pool(np.ones((1, 5)), 2),
            "x has shape (1, 5); it must be (N, C, *spatial), with at least 3 axes",
        ),
        (
            lambda: backend.max_pool(np.ones((1, 1, 5), complex), 2),
            "x has dtype complex128; it must hold bool, integers or floats",
        ),
        (
            lambda: backend.avg_pool(np.ones((1, 1, 0)), (2,)),
            "x has shape (1, 1, 0); only the batch axis may be empty, all others need at least 1 element",
        ),
        (
            lambda: backend.adaptive_avg_pool(np.ones((1, 1, 5)), (0,)),
            "output_size must be at least 1, got 0",
        ),
    ],
)
def test_errors(call, message):
    with pytest.raises(ArgumentError) as error:
        call()
    assert str(error.value) == message
