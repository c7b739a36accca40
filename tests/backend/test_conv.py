import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from convcli import backend
from convcli.errors import ArgumentError
from convcli.layers import Conv
from tests import reference
from tests.backend.cases import MODES, assert_close, cases, fits, same_pads
from tests.examples import examples

METHODS = ("auto", "direct", "gemm", "fft")
few = settings(max_examples=examples(60), deadline=None)


# The definition, by plain loops


@few
@given(
    cases(),
    st.sampled_from(MODES),
    st.sampled_from(METHODS),
    st.sampled_from((np.float64, np.float32, np.complex128, np.complex64)),
    st.booleans(),
    st.booleans(),
)
def test_equals_plain_loops(case, mode, method, dtype, flip, with_bias):
    assume(fits(mode, case))
    x, weight = case.arrays(dtype)
    bias = case.random().standard_normal(len(weight)).astype(dtype) if with_bias else None
    value = 2.5 if mode == "constant" else 0
    y = backend.conv(
        x,
        weight,
        bias,
        **case.options,
        groups=case.groups,
        padding_mode=mode,
        padding_value=value,
        flip=flip,
        method=method,
    )
    plain = reference.conv(
        x,
        weight,
        bias,
        **case.plain,
        groups=case.groups,
        mode=mode,
        value=value,
        flip=flip,
        dtype=complex if np.dtype(dtype).kind == "c" else float,
    )
    assert y.dtype == dtype
    assert_close(y, plain, 1e-5 if y.real.dtype == np.float32 else 1e-9)


@few
@given(
    cases(),
    st.sampled_from(("auto", "direct", "gemm", "fft")),
    st.sampled_from((np.int8, np.int16, np.int32, np.int64)),
)
def test_integers_are_exact(case, method, dtype):
    x, weight = case.arrays(dtype)
    y = backend.conv(x, weight, **case.options, groups=case.groups, method=method)
    assert y.dtype == np.int64
    plain = reference.conv(x, weight, **case.plain, groups=case.groups, dtype=object)
    assert np.array_equal(y, plain.astype(np.int64))


@few
@given(cases(), st.sampled_from(("same", "same-lower", "valid", "full")))
def test_named_padding_is_the_pairs_it_stands_for(case, name):
    if name == "valid":
        pads = ((0, 0),) * len(case.size)
        assume(all(n > d * (k - 1) for n, k, d in zip(case.size, case.kernel, case.dilation, strict=True)))
    elif name == "full":
        pads = tuple((d * (k - 1),) * 2 for k, d in zip(case.kernel, case.dilation, strict=True))
    else:
        pads = same_pads(name, case)
    x, weight = case.arrays()
    options = {"stride": case.stride, "dilation": case.dilation, "groups": case.groups}
    y = backend.conv(x, weight, padding=name, **options)
    assert np.array_equal(y, backend.conv(x, weight, padding=pads, **options))
    if name.startswith("same"):
        assert y.shape[2:] == tuple(-(-n // s) for n, s in zip(case.size, case.stride, strict=True))


@few
@given(cases())
def test_output_shape_is_the_layer_s(case):
    x, weight = case.arrays()
    layer = Conv(
        in_channels=x.shape[1],
        out_channels=len(weight),
        kernel_size=case.kernel,
        groups=case.groups,
        **case.options,
    )
    y = backend.conv(x, weight, groups=case.groups, **case.options)
    assert y.shape == (case.images, *layer.output_shape(case.x_shape[1:]))


# Worked examples


def test_worked_example_of_three_by_three():
    y = backend.conv(np.arange(9).reshape(1, 1, 3, 3), np.arange(4).reshape(1, 1, 2, 2))
    assert y.ravel().tolist() == [19, 25, 37, 43]  # Zhang et al., "Dive into Deep Learning", section 7.2


def test_worked_example_of_the_edge_detector():
    picture = np.ones((6, 8))
    picture[:, 2:6] = 0
    y = backend.conv(picture.reshape(1, 1, 6, 8), np.array([1.0, -1.0]).reshape(1, 1, 1, 2))
    assert y.shape == (1, 1, 6, 7)
    assert (y[0, 0] == [0, 1, 0, 0, 0, -1, 0]).all()  # Zhang et al., section 7.2.3


def test_same_puts_the_odd_element_at_the_end():
    x, weight = np.array([[1, 2, 3, 4]]), np.array([[[1, 10]]])
    assert backend.conv(x, weight, padding="same").tolist() == [[21, 32, 43, 4]]
    assert backend.conv(x, weight, padding="same-lower").tolist() == [[10, 21, 32, 43]]


@pytest.mark.parametrize(
    ("mode", "around"),
    [
        ("zeros", "00abcd00"),
        ("constant", "vvabcdvv"),
        ("reflect", "cbabcdcb"),
        ("symmetric", "baabcddc"),
        ("replicate", "aaabcddd"),
        ("circular", "cdabcdab"),
    ],
)
def test_padding_modes_as_they_are_drawn(mode, around):
    numbers = {"0": 0, "a": 1, "b": 2, "c": 3, "d": 4, "v": 7}
    value = 7 if mode == "constant" else 0
    y = backend.conv([[1, 2, 3, 4]], [[[1]]], padding=2, padding_mode=mode, padding_value=value)
    assert y[0].tolist() == [numbers[letter] for letter in around]


@pytest.mark.parametrize(
    ("alias", "mode"),
    [("edge", "replicate"), ("wrap", "circular"), ("mirror", "reflect"), ("reflect101", "reflect")],
)
def test_other_libraries_names_of_modes(alias, mode):
    x, weight = np.arange(5.0).reshape(1, 5), np.ones((1, 1, 3))
    assert np.array_equal(
        backend.conv(x, weight, padding=2, padding_mode=alias),
        backend.conv(x, weight, padding=2, padding_mode=mode),
    )


# Identities


@few
@given(cases())
def test_linear_in_the_input_and_in_the_weight(case):
    (x, weight), (other, another) = case.arrays(), (case.arrays()[0][::-1], case.arrays()[1][::-1])

    def conv(x, weight):
        return backend.conv(x, weight, groups=case.groups, **case.options)

    assert_close(conv(2 * x - 3 * other, weight), 2 * conv(x, weight) - 3 * conv(other, weight))
    assert_close(conv(x, 2 * weight - 3 * another), 2 * conv(x, weight) - 3 * conv(x, another))


@given(st.integers(-5, 5), st.integers(-5, 5), st.sampled_from(METHODS))
@settings(max_examples=examples(20), deadline=None)
def test_equivariant_to_translation(down, right, method):
    random = np.random.default_rng(0)
    x, weight = random.standard_normal((1, 2, 9, 8)), random.standard_normal((3, 2, 3, 3))
    options = {"padding": 1, "padding_mode": "circular", "method": method}
    moved = np.roll(x, (down, right), (2, 3))
    y = np.roll(backend.conv(x, weight, **options), (down, right), (2, 3))
    assert_close(backend.conv(moved, weight, **options), y)


@pytest.mark.parametrize("shape", [(5,), (4, 3), (2, 3, 2)])
def test_true_convolution_is_commutative_and_associative(shape):
    random = np.random.default_rng(0)
    f, g, h = (random.integers(-9, 10, (1, 1, *np.add(shape, i))) for i in range(3))

    def convolve(f, g):
        return backend.conv(f, g, padding="full", flip=True)

    assert np.array_equal(convolve(f, g), convolve(g, f))
    assert np.array_equal(convolve(convolve(f, g), h), convolve(f, convolve(g, h)))


@few
@given(cases())
def test_groups_are_blocks(case):
    x, weight = case.arrays()
    y = backend.conv(x, weight, groups=case.groups, **case.options)
    parts = zip(np.split(x, case.groups, axis=1), np.split(weight, case.groups), strict=True)
    blocks = [backend.conv(part, kernels, **case.options) for part, kernels in parts]
    assert_close(y, np.concatenate(blocks, axis=1))


def test_dilation_is_a_kernel_with_gaps():
    random = np.random.default_rng(0)
    x, weight = random.standard_normal((1, 2, 9, 9)), random.standard_normal((3, 2, 3, 2))
    wide = np.zeros((3, 2, 5, 4))
    wide[:, :, ::2, ::3] = weight
    assert_close(backend.conv(x, weight, dilation=(2, 3)), backend.conv(x, wide))


def test_stride_drops_outputs():
    random = np.random.default_rng(0)
    x, weight = random.standard_normal((1, 2, 9, 9)), random.standard_normal((3, 2, 3, 2))
    assert_close(backend.conv(x, weight, stride=(2, 3)), backend.conv(x, weight)[:, :, ::2, ::3])


# SciPy's opinion


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("padding", ["valid", "full"])
def test_scipy_signal(dims, padding):
    from scipy import signal

    random = np.random.default_rng(dims)
    x, kernel = random.standard_normal((7,) * dims), random.standard_normal((3, 4, 2)[:dims])
    whole, weight = x[np.newaxis, np.newaxis], kernel[np.newaxis, np.newaxis]
    for flip, function in ((False, signal.correlate), (True, signal.convolve)):
        y = backend.conv(whole, weight, padding=padding, flip=flip)
        assert_close(y[0, 0], function(x, kernel, mode=padding, method="direct"))


@pytest.mark.parametrize(
    ("boundary", "mode"), [("fill", "zeros"), ("wrap", "circular"), ("symm", "symmetric")]
)
def test_scipy_convolve2d(boundary, mode):
    from scipy.signal import convolve2d

    random = np.random.default_rng(0)
    x, kernel = random.standard_normal((8, 7)), random.standard_normal((3, 5))
    y = backend.conv(x[None, None], kernel[None, None], padding="same", padding_mode=mode, flip=True)
    assert_close(y[0, 0], convolve2d(x, kernel, mode="same", boundary=boundary))


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("constant", "zeros"),
        ("reflect", "symmetric"),
        ("mirror", "reflect"),
        ("nearest", "replicate"),
        ("wrap", "wrap"),
    ],
)
def test_scipy_ndimage(theirs, ours):
    from scipy.ndimage import correlate

    random = np.random.default_rng(0)
    x, kernel = random.standard_normal((8, 7)), random.standard_normal((3, 5))
    y = backend.conv(x[None, None], kernel[None, None], padding="same", padding_mode=ours)
    assert_close(y[0, 0], correlate(x, kernel, mode=theirs))


# Arrays of every kind


def test_one_input_without_a_batch():
    random = np.random.default_rng(0)
    x, weight = random.standard_normal((3, 6, 6)), random.standard_normal((4, 3, 3, 3))
    assert np.array_equal(backend.conv(x, weight), backend.conv(x[np.newaxis], weight)[0])


@pytest.mark.parametrize("method", ["auto", "direct", "gemm", "fft", "separable"])
def test_an_empty_batch(method):
    y = backend.conv(np.zeros((0, 3, 6, 6), np.float32), np.ones((4, 3, 3, 3), np.float32), method=method)
    assert y.shape == (0, 4, 4, 4)
    assert y.dtype == np.float32


@pytest.mark.parametrize("method", ["auto", "direct", "gemm", "fft"])
def test_inputs_of_any_layout_are_left_alone(method):
    random = np.random.default_rng(0)
    x, weight = random.standard_normal((2, 3, 8, 8)), random.standard_normal((4, 3, 3, 3))
    expected = backend.conv(x, weight, padding=1, method=method)
    big = np.zeros((2, 3, 16, 8))
    big[:, :, ::2] = x
    for view in (np.asfortranarray(x), big[:, :, ::2], x[:, :, ::-1][:, :, ::-1], x.astype(">f8")):
        view.flags.writeable = False
        copy = view.copy()
        assert_close(backend.conv(view, weight, padding=1, method=method), expected)
        assert np.array_equal(view, copy)


def test_the_result_is_a_new_array():
    x = np.ones((1, 1, 4))
    y = backend.conv(x, np.ones((1, 1, 1)))
    y[:] = 5
    assert (x == 1).all()


# Dtypes


@pytest.mark.parametrize(
    ("x", "weight", "result"),
    [
        ("float32", "float32", "float32"),
        ("float64", "float32", "float64"),
        ("float16", "float16", "float16"),
        ("uint8", "float32", "float32"),
        ("uint8", "int8", "int64"),
        ("bool", "bool", "int64"),
        ("uint8", "uint8", "int64"),
        ("uint64", "uint8", "uint64"),
        ("uint64", "int8", "int64"),
        ("complex64", "float32", "complex64"),
        ("complex64", "float64", "complex128"),
    ],
)
def test_dtype_of_the_result(x, weight, result):
    assert backend.conv(np.ones((1, 1, 4), x), np.ones((1, 1, 2), weight)).dtype == result


@pytest.mark.parametrize("method", ["auto", "direct", "gemm", "fft", "separable"])
@pytest.mark.parametrize("dtype", [">f4", "longdouble", "clongdouble", ">i2", "bool"])
def test_less_common_dtypes(dtype, method):
    random = np.random.default_rng(0)
    x = random.integers(0, 2, (2, 1, 40, 40)).astype(dtype)
    weight = np.ones((3, 1, 3, 2), dtype)
    for batch in (x, x[:0]):
        y = backend.conv(batch, weight, method=method)
        assert y.dtype == np.dtype("int64" if x.dtype.kind in "bi" else dtype.replace(">", "="))
        assert_close(y, backend.conv(batch.astype(complex), weight.astype(complex), method="direct"), 1e-6)


def test_float16_is_computed_in_float32():
    x = np.full((1, 1, 4096), 1.0, np.float16)
    y = backend.conv(x, np.ones((1, 1, 4096), np.float16))
    assert y[0, 0, 0] == 4096  # in float16 the sum would stop growing at 2048


def test_float16_overflows_to_infinity_without_a_warning():
    assert (
        backend.conv(np.full((1, 1, 2), 60000, np.float16), np.ones((1, 1, 2), np.float16)).item() == np.inf
    )


@pytest.mark.parametrize("method", ["auto", "direct", "gemm"])
def test_large_integers_are_exact_up_to_64_bits(method):
    x = np.array([[2**62, -1, 3]])
    assert backend.conv(x, [[[1, 1, 1]]], method=method).item() == 2**62 + 2
    assert backend.conv(np.array([[-(2**63)]]), [[[1]]], method=method).item() == -(2**63)
    unsigned = backend.conv(np.array([[2**64 - 1]], np.uint64), np.ones((1, 1, 1), np.uint8), method=method)
    assert unsigned.item() == 2**64 - 1


@pytest.mark.parametrize("top", [2**15, 2**24, 2**31, 2**53, 2**62])
@pytest.mark.parametrize("method", ["direct", "gemm", "fft", "separable", "auto"])
def test_no_integer_wraps_where_a_narrower_type_ends(top, method):
    for peak in (top - 1, top, top + 1):
        x = np.array([[peak, -peak, peak - 1]])
        try:
            y = backend.conv(x, [[[1]]], method=method)
        except ArgumentError as error:
            assert method == "fft"
            assert "may round integers incorrectly" in str(error)
        else:
            assert np.array_equal(y, x)


def test_integers_beyond_64_bits_are_refused():
    with pytest.raises(ArgumentError) as error:
        backend.conv(np.array([[2**62, 2**62]]), [[[1, 1]]])
    assert str(error.value) == (
        f"the result ranges from {2**63} to {2**63}, which int64 cannot hold; convert x to float64, or scale it down"
    )


# NaN and infinity


@pytest.mark.parametrize("method", ["auto", "direct", "gemm"])
def test_nan_and_infinity_pass_through(method):
    x = np.array([[0, 0, np.inf, 0, 0, 0, np.nan, 0, 0, 1]])
    y = backend.conv(x, [[[1.0, 2.0, 3.0]]], method=method)[0]
    assert np.array_equal(y, [np.inf, np.inf, np.inf, 0, np.nan, np.nan, np.nan, 3], equal_nan=True)


@pytest.mark.parametrize("method", ["auto", "direct", "gemm"])
def test_zero_times_infinity_is_nan_also_in_the_padding(method):
    assert np.isnan(backend.conv([[np.inf, 1.0]], [[[0.0, 1.0]]], method=method)[0, 0])
    assert np.isnan(backend.conv([[1.0]], [[[np.inf, 1.0, 1.0]]], padding=1, method=method)[0, 0])


def test_auto_keeps_nan_where_it_is():
    x = np.zeros((1, 1, 300, 300))
    x[0, 0, 150, 150] = np.nan
    y = backend.conv(x, np.ones((1, 1, 31, 31)), padding=15)
    assert np.isnan(y).sum() == 31 * 31
    y = backend.conv(np.where(np.isnan(x), 1e300, x), np.full((1, 1, 31, 31), 1e5), padding=15)
    assert np.allclose(y[0, 0, 135:166, 135:166], 1e305, rtol=1e-12)
    assert (y == 0).sum() == 300 * 300 - 31 * 31
