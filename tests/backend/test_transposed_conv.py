import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from convcli import backend
from convcli.backend.algorithms import spreading
from convcli.errors import ArgumentError
from convcli.layers import ConvTranspose
from tests import reference
from tests.backend.cases import MODES, assert_close, cases
from tests.examples import examples

few = settings(max_examples=examples(60), deadline=None)


def transposed(case, draw):
    """Change a case into one for conv_transpose, with any input and a valid output_padding."""
    return tuple(
        draw.draw(st.integers(0, max(s, d) - 1)) for s, d in zip(case.stride, case.dilation, strict=True)
    )


@few
@given(cases(), st.data(), st.sampled_from((float, np.float32, np.int64, complex)), st.booleans())
def test_equals_plain_loops(case, draw, dtype, with_bias):
    extra = transposed(case, draw)
    x, _ = case.arrays(dtype)
    random = case.random()
    weight = random.integers(-9, 10, (x.shape[1], case.outputs, *case.kernel)).astype(dtype)
    bias = np.arange(case.groups * case.outputs).astype(dtype) if with_bias else None
    options = {"output_padding": extra, "groups": case.groups}
    layer = ConvTranspose(
        in_channels=1, out_channels=1, kernel_size=case.kernel, output_padding=extra, **case.options
    )
    try:
        output = layer.output_size(case.size)
    except ArgumentError:
        assume(False)
    y = backend.conv_transpose(x, weight, bias, **case.options, **options)
    plain = reference.conv_transpose(x, weight, bias, **case.plain, **options, dtype=complex)
    assert y.shape[2:] == output
    assert y.dtype == dtype
    assert_close(y, plain, 1e-5 if dtype is np.float32 else 1e-9)


@pytest.mark.parametrize("cheap", ["_cost_scattered", "_cost_by_phases"])
@few
@given(case=cases(), draw=st.data(), dtype=st.sampled_from((float, np.float32, np.int64, complex)))
def test_each_method_equals_plain_loops(cheap, case, draw, dtype):
    extra = transposed(case, draw)
    x, _ = case.arrays(dtype)
    weight = case.random().integers(-9, 10, (x.shape[1], case.outputs, *case.kernel)).astype(dtype)
    options = {"output_padding": extra, "groups": case.groups}
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(spreading, cheap, lambda *_: -1)
            y = backend.conv_transpose(x, weight, **case.options, **options)
    except ArgumentError:
        assume(False)
    plain = reference.conv_transpose(x, weight, **case.plain, **options, dtype=complex)
    assert_close(y, plain, 1e-5 if dtype is np.float32 else 1e-9)


@few
@given(cases(largest=4, dims=(1, 2)), st.data(), st.sampled_from(MODES), st.sampled_from((float, np.int64)))
def test_padding_modes_equal_a_padded_input(case, draw, mode, dtype):
    """The border around x is padded as far as it contributes to the output."""
    assume(case.images)
    extra, value = transposed(case, draw), 7 if mode == "constant" else 0
    x, _ = case.arrays(dtype)
    weight = case.random().integers(-9, 10, (x.shape[1], case.outputs, *case.kernel)).astype(dtype)
    options = {"output_padding": extra, "groups": case.groups}
    try:
        y = backend.conv_transpose(
            x, weight, **case.options, **options, padding_mode=mode, padding_value=value
        )
    except ArgumentError:
        assume(False)
    margin = 6
    wide = np.zeros((*x.shape[:2], *(n + 2 * margin for n in case.size)), dtype)
    for image, channel, *place in np.ndindex(*wide.shape):
        where = [p - margin for p in place]
        wide[(image, channel, *place)] = reference.element(x, image, channel, where, mode, value)
    pads = tuple(
        (before + margin * s, after + margin * s)
        for (before, after), s in zip(case.pads, case.stride, strict=True)
    )
    plain = reference.conv_transpose(wide, weight, **{**case.plain, "pads": pads}, **options)
    assert_close(y, plain)


@pytest.mark.parametrize("k", [2, 300])
def test_weights_that_are_not_finite_are_not_multiplied_by_a_zero_border(k, monkeypatch):
    monkeypatch.setattr(spreading, "_cost_by_phases", lambda *_: -1)
    weight = np.ones((1, 1, k))
    weight[0, 0, 0] = np.inf
    y = backend.conv_transpose(np.ones((1, 1, 3)), weight, stride=2)
    assert np.array_equal(np.isinf(y[0, 0]), np.isin(np.arange(y.shape[2]), (0, 2, 4)))
    assert not np.isnan(y).any()


def test_a_large_kernel_is_no_more_work_than_its_products(monkeypatch):
    """10x10 by 255x255 with a border: only products that contribute to the output are computed."""
    done = []
    correlate = spreading.correlate

    def counted(x, weight, groups, slide, border, numbers):
        inside = zip(x.shape[2:], border.pads, slide.spans, slide.output_size, strict=True)
        assert all(n + sum(pair) == reach + count - 1 for n, pair, reach, count in inside)
        done.append(np.prod(slide.output_size) * weight.size)
        return correlate(x, weight, groups, slide, border, numbers)

    monkeypatch.setattr(spreading, "correlate", counted)
    x, weight = np.arange(100.0).reshape(1, 1, 10, 10), np.ones((1, 1, 255, 255))
    y = backend.conv_transpose(x, weight, stride=2, padding="same", output_padding=1, padding_mode="reflect")
    assert y.shape == (1, 1, 20, 20)
    assert sum(done) == 10 * 10 * 255 * 255  # each output uses a quarter of the taps


@few
@given(cases())
def test_is_the_adjoint_of_conv(case):
    assume(case.images)
    x, weight = case.arrays()
    options = {**case.options, "groups": case.groups}
    y = backend.conv(x, weight, **options)
    other = case.random().standard_normal(y.shape)
    ends = zip(case.size, case.pads, case.dilation, case.kernel, case.stride, strict=True)
    left = [
        (n + sum(pair) - d * (k - 1) - 1) % s for n, pair, d, k, s in ends
    ]  # elements that the stride skipped at the end
    back = backend.conv_transpose(other, weight, output_padding=left, **options)
    assert back.shape == x.shape
    assert np.isclose((y * other).sum(), (x * back).sum(), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", ["same", "same-lower"])
@pytest.mark.parametrize(("k", "s"), [(3, 1), (3, 2), (4, 2), (2, 3), (1, 4), (5, 2)])
def test_same_gives_stride_times_the_input(name, k, s):
    y = backend.conv_transpose(np.ones((1, 1, 5)), np.ones((1, 1, k)), stride=s, padding=name)
    assert y.shape == (1, 1, 5 * s)
    random = np.random.default_rng(0)
    x, weight, other = (random.standard_normal(shape) for shape in ((1, 1, 5), (1, 1, k), y.shape))
    options = {"stride": s, "padding": name}
    one = (backend.conv_transpose(x, weight, **options) * other).sum()
    assert np.isclose(one, (x * backend.conv(other, weight, **options)).sum())  # the adjoint of conv's same


def test_full_is_the_opposite_of_full():
    x = np.ones((1, 1, 9, 9))
    assert backend.conv_transpose(x, np.ones((1, 1, 3, 3)), padding="full").shape == (1, 1, 7, 7)


def test_one_input_and_an_empty_batch():
    weight = np.ones((2, 3, 3, 3))
    assert backend.conv_transpose(np.ones((2, 5, 5)), weight).shape == (3, 7, 7)
    assert backend.conv_transpose(np.ones((0, 2, 5, 5)), weight).shape == (0, 3, 7, 7)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"x": (1, 3, 5, 5), "weight": (2, 4, 3, 3)},
            "x (1, 3, 5, 5) has 3 channels, weight (2, 4, 3, 3) takes 2: x must be (1, 2, 5, 5), or weight "
            "(3, 4, 3, 3)",
        ),
        (
            {"x": (1, 3, 5, 5), "weight": (3, 4, 3, 3), "groups": 2},
            "in_channels 3 cannot be divided into 2 equal groups; groups must divide both in_channels 3 and "
            "out_channels 8",
        ),
        (
            {"x": (1, 2, 5, 5), "weight": (2, 4, 3, 3), "stride": 2, "output_padding": 2},
            "output_padding 2 must be below the stride 2 or below the dilation 1; no input "
            "contributes to elements beyond that",
        ),
        (
            {"x": (1, 2, 2, 3), "weight": (2, 4, 3, 3), "padding": (2, (1, 0))},
            "the output would be empty: along the height the padding crops 2 + 2 = 4 of 4 elements; pad by "
            "at most 3 in total",
        ),
        (
            {"x": (1, 2, 5, 5), "weight": (2, 4, 3, 3), "bias": (2,)},
            "bias has shape (2,); this weight needs (4,)",
        ),
        (
            {"x": (5, 5), "weight": (2, 4, 3, 3)},
            "x has shape (5, 5); weight (2, 4, 3, 3) has 2 spatial axes, so x must be (N, C, *spatial) "
            "with 4 "
            "axes, or (C, *spatial) with 3",
        ),
    ],
)
def test_errors(arguments, message):
    arrays = {name: np.ones(arguments.pop(name)) for name in ("x", "weight", "bias") if name in arguments}
    with pytest.raises(ArgumentError) as error:
        backend.conv_transpose(**arrays, **arguments)
    assert str(error.value) == message


@few
@given(cases(), st.data())
def test_an_output_size_is_the_input_size_of_the_convolution_that_it_transposes(case, draw):
    """Any size from the smallest to stride - 1 more, as in PyTorch's modules."""
    x, _ = case.arrays()
    weight = case.random().standard_normal((x.shape[1], case.outputs, *case.kernel))
    options = {**case.options, "groups": case.groups}
    extra = tuple(draw.draw(st.integers(0, s - 1)) for s in case.stride)
    try:
        expected = backend.conv_transpose(x, weight, **options, output_padding=extra)
    except ArgumentError:
        assume(False)
    size = expected.shape[2:]
    for requested in (size, list(size), np.array(size), expected.shape, (99, *size)):
        assert np.array_equal(backend.conv_transpose(x, weight, **options, output_size=requested), expected)
    layer = ConvTranspose(
        in_channels=x.shape[1],
        out_channels=expected.shape[1],
        kernel_size=case.kernel,
        **options,
        out_size=size,
        bias=False,
    )
    assert layer.output_size(case.size) == size
    if len(x):
        assert np.array_equal(backend.run_layer(layer, x, weight=weight), expected)


def test_an_output_size_that_no_output_padding_leads_to():
    x, weight = np.ones((1, 1, 4, 4)), np.ones((1, 1, 3, 3))
    assert backend.conv_transpose(x, weight, stride=2, output_size=10).shape == (1, 1, 10, 10)
    for size in (8, 11):
        with pytest.raises(ArgumentError) as error:
            backend.conv_transpose(x, weight, stride=2, output_size=(9, size))
        assert str(error.value) == (
            f"the output size {size} along the width is not possible; it must be 9 to 10: change the size, the stride or the "
            "padding"
        )
    with pytest.raises(ArgumentError, match="both determine the output size"):
        backend.conv_transpose(x, weight, stride=2, output_size=10, output_padding=1)
    with pytest.raises(ArgumentError, match="out_size 1x1x1x10x10 has 5 axes where 2 are needed"):
        backend.conv_transpose(x, weight, stride=2, output_size=(1, 1, 1, 10, 10))


def test_many_phases_are_not_computed_one_by_one(monkeypatch):
    """A kernel with as many taps as the stride is scattered element by element, without a convolution per phase."""
    monkeypatch.setattr(spreading.Spread, "phases", None)
    x, weight = np.array([[[1.0, 2.0]]]), np.arange(100_000.0).reshape(1, 1, -1)
    y = backend.conv_transpose(x, weight, stride=100_000)
    assert np.array_equal(y[0, 0], np.concatenate([weight[0, 0], 2 * weight[0, 0]]))
