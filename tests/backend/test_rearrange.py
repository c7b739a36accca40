from math import prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcli import backend
from convcli.errors import ArgumentError
from tests.backend.cases import assert_close, cases
from tests.examples import examples


@settings(max_examples=examples(40), deadline=None)
@given(cases())
def test_conv_is_a_product_with_the_unfolded_input(case):
    x, _ = case.arrays()
    weight = case.random().standard_normal((3, x.shape[1], *case.kernel))
    columns = backend.unfold(x, case.kernel, **case.options)
    y = weight.reshape(3, -1) @ columns
    assert_close(y.reshape(len(x), 3, *case.output), backend.conv(x, weight, **case.options))


def test_unfold_keeps_the_dtype_and_makes_a_new_array():
    x = np.ones((2, 3, 4), np.uint8)
    columns = backend.unfold(x, (1, 1))
    assert (columns.shape, columns.dtype) == ((2, 12), np.uint8)
    columns[:] = 5
    assert (x == 1).all()


@settings(max_examples=examples(60), deadline=None)
@given(cases(), st.sampled_from((float, np.float32, np.int64, np.uint8, complex)))
def test_fold_adds_every_column_at_its_position(case, dtype):
    random = case.random()
    shape = (case.images, 2 * prod(case.kernel), prod(case.output))
    x = random.integers(0, 9, shape).astype(dtype)
    y = backend.fold(x, case.size, case.kernel, **case.options)
    expected = np.zeros(
        (case.images, 2, *(n + sum(pair) for n, pair in zip(case.size, case.pads, strict=True))), dtype
    )
    columns = x.reshape(case.images, 2, *case.kernel, *case.output)
    for tap in np.ndindex(*case.kernel):
        for place in np.ndindex(*case.output):
            axes = zip(place, case.stride, tap, case.dilation, strict=True)
            expected[(..., *(p * s + t * d for p, s, t, d in axes))] += columns[(..., *tap, *place)]
    inner = tuple(slice(before, before + n) for n, (before, _) in zip(case.size, case.pads, strict=True))
    assert y.dtype == (np.int64 if dtype is np.uint8 else dtype)
    assert_close(y, expected[(..., *inner)], 1e-5 if dtype is np.float32 else 1e-9)


@settings(max_examples=examples(60), deadline=None)
@given(cases())
def test_fold_is_the_adjoint_of_unfold(case):
    a, _ = case.arrays()
    columns = backend.unfold(a, case.kernel, **case.options)
    b = case.random().standard_normal(columns.shape)
    folded = backend.fold(b, case.size, case.kernel, **case.options)
    assert folded.shape == a.shape
    assert np.isclose((columns * b).sum(), (a * folded).sum())
    windows = backend.fold(np.ones_like(columns), case.size, case.kernel, **case.options)
    assert_close(backend.fold(columns, case.size, case.kernel, **case.options), a * windows)


def test_fold_takes_one_input_names_and_two_axes_by_default():
    x = np.random.default_rng(0).standard_normal((2, 12, 20))
    y = backend.fold(x, (5, 4), (2, 3), padding="same")
    assert np.array_equal(backend.fold(x[0], (5, 4), (2, 3), padding="same"), y[0])
    assert backend.fold(np.ones((1, 4, 16)), 5, 2).shape == (1, 1, 5, 5)
    assert backend.fold(np.ones((0, 4, 16)), 5, 2).shape == (0, 1, 5, 5)
    assert backend.fold(np.ones((1, 4, 2)), (5,), 2, stride=3).shape == (1, 2, 5)
    y = backend.fold(x, (5, 4), (2, 3), padding="same")
    y[:] = 0
    assert x.any()


def test_fold_adds_without_rounding_or_wrapping():
    ones = np.full((1, 4, 1), 60000, np.float16)
    assert backend.fold(ones, 2, 2).max() == 60000
    columns = np.zeros((1, 3, 3), np.float16)
    columns[0, [0, 1, 2], [2, 1, 0]] = (
        2048,
        1,
        1,
    )  # each alone is rounded away next to 2048, both together are not
    assert backend.fold(columns, (5,), 3)[0, 0, 2] == 2050
    with pytest.raises(ArgumentError, match=r"the result ranges from .* which int64 cannot hold"):
        backend.fold(np.full((1, 4, 4), 2**61), 3, 2)
    assert backend.fold(np.full((1, 4, 4), 2**61, np.uint64), 3, 2)[0, 0, 1, 1] == 2**63


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (((1, 4, 4, 4), 3, 2), "x has shape (1, 4, 4, 4); it must be (N, C * prod(kernel_size), positions), or the same without N"),
        (((1, 5, 4), 3, 2), "x has shape (1, 5, 4); its 5 rows are not a multiple of the 4 taps of the kernel (2, 2)"),
        (
            ((1, 4, 5), 3, 2),
            "x has shape (1, 4, 5); an output of (3, 3) has 4 positions of the kernel, (2, 2), and x needs one column for each",
        ),
        (
            ((1, 4, 1), 1, 2),
            "the output would be empty: along the height the kernel spans 2, but the padded input has only 1 + 0 + 0 = "
            "1; add 1 to the padding (before plus after), or take a smaller kernel",
        ),
        (((1, 4, 4), (3, 3, 3), (2, 2)), "kernel_size 2x2 has 2 axes where 3 are needed; give one number, or one per axis"),
        (((1, 4, 4), 0, 2), "output_size must be at least 1, got 0"),
    ],
)  # fmt: skip
def test_columns_that_cannot_be_folded(arguments, message):
    shape, *rest = arguments
    with pytest.raises(ArgumentError) as error:
        backend.fold(np.ones(shape), *rest)
    assert str(error.value) == message


def test_shuffled_channels():
    x = np.arange(12).reshape(1, 6, 2)
    y = backend.channel_shuffle(x, 3)
    assert y[0, :, 0].tolist() == [0, 4, 8, 2, 6, 10]
    assert np.array_equal(backend.channel_shuffle(y, 2), x)
    y[:] = 0
    assert x.max() == 11


def test_channels_that_cannot_be_shuffled():
    with pytest.raises(ArgumentError) as error:
        backend.channel_shuffle(np.ones((1, 6, 2)), 4)
    assert (
        str(error.value)
        == "the input's 6 channels cannot be divided into 4 equal groups; groups must divide the channels"
    )
    with pytest.raises(ArgumentError, match=r"x has shape \(6,\); it must be \(N, C, \*spatial\)"):
        backend.channel_shuffle(np.ones(6), 2)


@settings(max_examples=examples(60), deadline=None)
@given(cases(), st.integers(1, 3), st.sampled_from(("channels-first", "places-first")))
def test_pixel_shuffle_puts_every_channel_at_its_place(case, factor, order):
    channels, blocks = case.groups, factor ** len(case.size)
    x = case.random().standard_normal((case.images, channels * blocks, *case.size))
    y = backend.pixel_shuffle(x, factor, order=order)
    assert y.shape == (case.images, channels, *(n * factor for n in case.size))
    for place in np.ndindex(*y.shape):
        item, channel, *at = place
        inside = np.ravel_multi_index([p % factor for p in at], (factor,) * len(at))
        source = channel * blocks + inside if order == "channels-first" else inside * channels + channel
        assert y[place] == x[(item, source, *(p // factor for p in at))]
    assert np.array_equal(backend.pixel_unshuffle(y, factor, order=order), x)


def test_pixel_shuffles_refuse_what_does_not_divide():
    with pytest.raises(ArgumentError, match="the input's 6 channels cannot be shuffled by the factor 2"):
        backend.pixel_shuffle(np.ones((1, 6, 3, 3)), 2)
    with pytest.raises(
        ArgumentError, match="the input size 3x3 must be a multiple of the factor 2 on every axis"
    ):
        backend.pixel_unshuffle(np.ones((1, 6, 3, 3)), 2)
    with pytest.raises(ArgumentError, match="there is no order 'crd'"):
        backend.pixel_shuffle(np.ones((1, 4, 3, 3)), 2, order="crd")
