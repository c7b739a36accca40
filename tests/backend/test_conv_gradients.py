"""The gradients of conv: differences of conv itself, the identities of an adjoint, plain loops, and PyTorch's numbers."""

from itertools import product

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from convcli import backend
from convcli.backend import checks
from convcli.errors import ArgumentError
from tests import reference
from tests.backend.cases import MODES, assert_close, cases, fits

PADDINGS = ("pairs", "same", "same-lower", "full", "valid")


def layer_of(case, mode="zeros", padding="pairs", flip=False):
    """Return the options of conv that a case has, with a padding by its name or the pairs of the case."""
    options = {**case.options, "groups": case.groups, "padding_mode": mode, "flip": flip}
    return options if padding == "pairs" else {**options, "padding": padding}


@given(case=cases(), mode=st.sampled_from(MODES), padding=st.sampled_from(PADDINGS), flip=st.booleans())
def test_gradients_are_the_differences_of_the_loss(case, mode, padding, flip):
    """The loss sum(conv * dy) is linear in the weight and in x, so a step of any length gives its slope."""
    options = layer_of(case, mode, padding, flip)
    constant = {"padding_value": 1.5} if mode == "constant" else {}
    x, weight = case.arrays()
    try:
        y = backend.conv(x, weight, **options, **constant)
    except ArgumentError:  # no output, or a border that is too wide
        assume(False)
    random = np.random.default_rng(case.seed)
    dy = random.standard_normal(y.shape)
    step, move = random.standard_normal(weight.shape), random.standard_normal(x.shape)

    dw = backend.conv_weight_grad(x, weight.shape, dy, **options, **constant)
    assert (dw.shape, dw.dtype) == (weight.shape, weight.dtype)
    change = (backend.conv(x, weight + step, **options, **constant) - y) * dy
    assert_close((dw * step).sum(), change.sum(), 1e-8)

    dx = backend.conv_input_grad(x.shape, weight, dy, **options)
    assert (dx.shape, dx.dtype) == (x.shape, x.dtype)
    change = (backend.conv(x + move, weight, **options, **constant) - y) * dy
    assert_close((dx * move).sum(), change.sum(), 1e-8)


@given(
    case=cases(),
    mode=st.sampled_from(("zeros", "replicate", "circular")),
    dtype=st.sampled_from([int, float]),
)
def test_every_element_is_the_sum_of_the_plain_loops(case, mode, dtype):
    assume(fits(mode, case))
    x, weight = case.arrays(dtype)
    options = layer_of(case, mode)
    dy = case.random().integers(-9, 10, (case.images, len(weight), *case.output)).astype(dtype)
    plain = {"stride": case.stride, "pads": case.pads, "dilation": case.dilation}
    dw, dx = np.zeros(weight.shape), np.zeros(x.shape)
    for image, output, place in product(
        range(case.images), range(len(weight)), reference.every(*case.output)
    ):
        slope = dy[(image, output, *place)]
        first = output // case.outputs * case.inputs
        for channel, tap in product(range(case.inputs), reference.every(*case.kernel)):
            at = reference.places(place, **plain, tap=tap)
            at = [reference.source(mode, n, p) for n, p in zip(case.size, at, strict=True)]
            if None not in at:
                where = (image, first + channel, *at)
                dw[(output, channel, *tap)] += slope * x[where]
                dx[where] += slope * weight[(output, channel, *tap)]
    ours = backend.conv_weight_grad(x, weight.shape, dy, **options)
    assert ours.dtype == (np.int64 if dtype is int else np.float64)
    assert_close(ours, dw)
    ours = backend.conv_input_grad(x.shape, weight, dy, **options)
    assert ours.dtype == (np.int64 if dtype is int else np.float64)
    assert_close(ours, dx)


# Computed by PyTorch 2.13.0: torch.nn.grad.conv2d_weight and conv2d_input, with groups=2 and the other options.
FACTS = [
    (
        {"stride": 1, "padding": 0, "dilation": 1},
        (2, 3),
        [[[[-7, -9], [-15, -17]]], [[[-6, -6], [-6, -6]]]],
        [
            [[0, -2, 0, 2], [-4, -7, 5, 4], [-2, -1, -1, -6]],
            [[0, 8, 6, -5], [4, 9, -2, -7], [6, -5, -14, 0]],
        ],
    ),
    (
        {"stride": (2, 1), "padding": (1, 2), "dilation": (1, 2)},
        (2, 6),
        [[[[-11, 11], [-24, 20]]], [[[-15, -35], [-3, -48]]]],
        [
            [[-2, -2, 8, -7], [0, 2, -1, 1], [-2, 8, -7, 3]],
            [[20, -19, 7, -2], [-13, 5, -2, -4], [-19, 7, -2, -6]],
        ],
    ),
]


@pytest.mark.parametrize(("options", "output", "weights", "inputs"), FACTS)
def test_the_numbers_of_pytorch(options, output, weights, inputs):
    x, weight = np.arange(24.0).reshape(1, 2, 3, 4), np.arange(8.0).reshape(2, 1, 2, 2)
    dy = (np.arange(2 * output[0] * output[1]) * 7 % 5 - 2.0).reshape(1, 2, *output)
    assert backend.conv_weight_grad(x, weight.shape, dy, groups=2, **options).tolist() == weights
    assert backend.conv_input_grad(x.shape, weight, dy, groups=2, **options)[0].tolist() == inputs


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.complex128, np.int32, np.uint64])
def test_the_dtype_is_that_of_conv(dtype):
    x, weight, dy = np.ones((1, 1, 5), dtype), np.ones((1, 1, 3), dtype), np.ones((1, 1, 3), dtype)
    wanted = backend.conv(x, weight).dtype
    assert backend.conv_weight_grad(x, weight.shape, dy).dtype == wanted
    assert backend.conv_input_grad(x.shape, weight, dy).dtype == wanted


def test_integers_are_exact_or_refused():
    x, dy = np.array([[2**31, 1]]), np.array([[2**31, 0]])
    assert backend.conv_weight_grad(x, (1, 1, 1), dy).tolist() == [[[2**62]]]
    with pytest.raises(ArgumentError, match=r"the result ranges from .* which int64 cannot hold"):
        backend.conv_weight_grad(x * 2, (1, 1, 1), dy * 2)


def test_one_input_without_a_batch_and_an_empty_batch():
    x, dy = np.arange(10.0).reshape(1, 2, 5), np.arange(6.0).reshape(1, 2, 3)
    weight = np.arange(12.0).reshape(2, 2, 3)
    dw, dx = backend.conv_weight_grad(x, weight.shape, dy), backend.conv_input_grad(x.shape, weight, dy)
    assert np.array_equal(backend.conv_weight_grad(x[0], weight.shape, dy[0]), dw)
    assert np.array_equal(backend.conv_input_grad(x.shape[1:], weight, dy[0]), dx[0])
    empty = backend.conv_weight_grad(x[:0], weight.shape, dy[:0])
    assert empty.shape == weight.shape
    assert not empty.any()
    assert backend.conv_input_grad((0, 2, 5), weight, dy[:0]).shape == (0, 2, 5)


def test_large_pictures_take_as_little_memory_as_conv_does():
    """An array for each tap would be 81 times as large as x."""
    import tracemalloc

    x = np.ones((1, 1, 600, 600), np.float32)
    tracemalloc.start()
    dw = backend.conv_weight_grad(x, (1, 1, 9, 9), np.ones((1, 1, 592, 592), np.float32))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert np.allclose(dw, 592 * 592)
    assert peak < 40 * x.nbytes


@pytest.mark.parametrize("huge", [2**40, 2**62, 10**30])
def test_huge_numbers_are_refused_or_answered(huge):
    x, weight, dy = np.ones((1, 1, 4, 4)), np.ones((1, 1, 2, 2)), np.ones((1, 1, 3, 3))
    one = dy[..., :1, :1]
    assert backend.conv_weight_grad(x, weight.shape, one, stride=huge).tolist() == [[[[1, 1], [1, 1]]]]
    assert backend.conv_input_grad(x.shape, weight, one, stride=huge).sum() == 4
    for call in (
        lambda: backend.conv_weight_grad(x, (1, 1, huge, huge), dy),
        lambda: backend.conv_weight_grad(x, weight.shape, dy, padding=huge),
        lambda: backend.conv_input_grad((1, 1, huge, huge), weight, dy),
        lambda: backend.conv_input_grad(x.shape, weight, dy, padding=huge),
        lambda: backend.conv_input_grad(x.shape, weight, dy, groups=huge),
    ):
        with pytest.raises(ArgumentError) as error:
            call()
        assert len(str(error.value)) < 500


def test_the_memory_of_the_gradient_is_limited(monkeypatch):
    monkeypatch.setattr(checks, "SMALL", 0)
    monkeypatch.setattr(checks, "memory", lambda: 1000)
    with pytest.raises(
        ArgumentError, match=r"the gradient would have shape \(1, 1, 200\), 200 elements of float64"
    ):
        backend.conv_weight_grad(np.ones((1, 1, 5)), (1, 1, 200), np.ones((1, 1, 3)))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda x, w, dy: backend.conv_weight_grad(x, w.shape, dy[..., 1:]),
            "grad_output has shape (1, 6, 6, 5); the output of conv on x (1, 4, 8, 8) needs (1, 6, 6, 6)",
        ),
        (
            lambda x, w, dy: backend.conv_input_grad(x.shape[1:], w, dy),
            "grad_output has shape (1, 6, 6, 6); the output of conv on x (1, 4, 8, 8) needs (6, 6, 6)",
        ),
        (
            lambda x, w, dy: backend.conv_weight_grad(x, (3, 3), dy),
            "weight_shape is (3, 3); it must be (out_channels, in_channels / groups, *kernel_size), with at least 3 "
            "axes",
        ),
        (
            lambda x, w, dy: backend.conv_weight_grad(x, (6, 0, 3, 3), dy),
            "weight_shape must be at least 1, got 0",
        ),
        (
            lambda x, w, dy: backend.conv_input_grad((1, 4, 0, 8), w, dy),
            "input_shape must be at least 1, got 0",
        ),
        (
            lambda x, w, dy: backend.conv_input_grad((8, 8), w, dy),
            "input_shape is (8, 8); it must be (N, C, *spatial), with at least 3 axes",
        ),
        (
            lambda x, w, dy: backend.conv_weight_grad(x, (6, 3, 3, 3), dy),
            "x (1, 4, 8, 8) has 4 channels, weight (6, 3, 3, 3) takes 3: x must be (1, 3, 8, 8), or weight (6, 4, 3, "
            "3)",
        ),
        (
            lambda x, w, dy: backend.conv_input_grad(x.shape, w, dy, padding=8, padding_mode="reflect"),
            "padding_mode 'reflect' allows a padding of at most 7 along the height 8, but it is 8 before and 8 after; "
            "pad less, or use 'replicate' or 'zeros'",
        ),
        (
            lambda x, w, dy: backend.conv_weight_grad(x, w.shape, dy, padding_value=3),
            "padding_value 3 applies only to padding_mode 'constant', not 'zeros'",
        ),
    ],
)  # fmt: skip
def test_errors_show_what_is_wrong_and_what_would_be_right(call, message):
    with pytest.raises(ArgumentError) as error:
        call(np.ones((1, 4, 8, 8)), np.ones((6, 4, 3, 3)), np.ones((1, 6, 6, 6)))
    assert str(error.value) == message
