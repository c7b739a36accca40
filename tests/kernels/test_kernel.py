"""The Kernel record, and the functions that derive one kernel from another."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcli.errors import ArgumentError
from convcli.kernels import Kernel, anchored, normalized, parse_kernel, scaled, shifted
from convcli.kernels.change import ratio
from convcli.kernels.kernel import Number, outer
from tests.kernels.matrices import matrices

FACTORS = st.one_of(st.integers(-1000, 1000), st.floats(-1e6, 1e6))


@given(matrices())
def test_shapes_and_weights_are_numpys(matrix: tuple) -> None:
    kernel = Kernel("k", (matrix,))
    assert kernel.shape == np.shape(matrix)
    assert kernel.dims == np.ndim(matrix)
    assert kernel.flat_weights == np.array(matrix, dtype=object).ravel().tolist()
    assert kernel.is_whole == all(type(weight) is int for weight in kernel.flat_weights)


@given(st.lists(st.lists(st.integers(-9, 9), min_size=1, max_size=4), min_size=1, max_size=3))
def test_outer_is_numpys(factors: list[list[int]]) -> None:
    expected = np.array(1)
    for factor in factors:
        expected = np.multiply.outer(expected, factor)
    assert np.array_equal(outer(*factors), expected)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"matrices": ()}, "kernel 'k' has matrices of no shape; give one or more of the same shape"),
        ({"matrices": ((1,), (1, 2)), "combine": "largest"}, "kernel 'k' has matrices of 1, 2; give one or more"),
        ({"matrices": (((((1,),),),),)}, "kernel 'k' has matrices of 1x1x1x1; give one or more of the same"),
        ({"matrices": ((),)}, "a kernel's matrix must be a non-empty tuple of weights, got ()"),
        ({"matrices": ([1],)}, "a kernel's matrix must be a non-empty tuple of weights, got [1]"),
        ({"matrices": (((1, 2), (3,)),)}, "a kernel's matrix is ragged: its rows differ in length"),
        ({"matrices": (((1, 2), 3),)}, "a kernel's matrix is ragged"),
        ({"matrices": ((1,), (2,))}, "kernel 'k' has 2 matrices; set combine to 'magnitude' or 'largest'"),
        ({"divisor": 0}, "kernel 'k' has the divisor 0; a divisor must be finite and not 0"),
        ({"divisor": float("nan")}, "kernel 'k' has the divisor nan"),
        ({"divisor": 10**400}, "a divisor must be finite and not 0"),
        ({"offset": float("inf")}, "kernel 'k': the offset must be finite, got inf"),
        ({"anchor": (0,)}, "anchor 0 has 1 numbers but kernel 'k' has 2 axes; give one number per axis"),
        ({"anchor": (0, 2)}, "anchor 0x2 lies outside kernel 'k' of 1x2; it must be between 0 and 0x1"),
        ({"anchor": (-1, 0)}, "anchor -1x0 lies outside kernel 'k' of 1x2"),
    ],
)  # fmt: skip
def test_what_is_no_kernel_is_refused(arguments: dict, message: str) -> None:
    with pytest.raises(ArgumentError) as error:
        Kernel("k", **{"matrices": (((1, 2),),), **arguments})
    assert message in str(error.value)


def total(kernel: Kernel) -> Fraction:
    """Return the sum of the first matrix's weights, divided by the divisor."""
    weights = np.array(kernel.matrices[0], dtype=object).ravel()
    return sum(map(Fraction, weights)) / Fraction(kernel.divisor)


@given(matrices())
def test_normalized_kernels_sum_to_one(matrix: tuple) -> None:
    kernel = Kernel("k", (matrix,), divisor=7, offset=3)
    weights = [Fraction(weight) for weight in kernel.flat_weights]
    size = sum(map(abs, weights))
    if not size:
        with pytest.raises(ArgumentError, match="kernel 'k' cannot be normalised: all of its weights are 0"):
            normalized(kernel)
        return
    made = normalized(kernel)
    assert made.matrices == kernel.matrices  # integer weights stay integers
    assert made.offset == 3
    if kernel.is_whole:
        assert isinstance(made.divisor, int)
    if abs(sum(weights)) > size * Fraction(1, 10**8):
        assert float(total(made)) == pytest.approx(1 if sum(weights) > 0 else -1)
    elif not sum(weights) and kernel.is_whole:
        assert made.divisor == sum(weight for weight in weights if weight > 0)


@pytest.mark.parametrize(
    ("text", "divisor"),
    [("1 2 1", 4), ("-1 0 1", 1), ("sobel", 4), ("kirsch", 15), ("laplacian", 4), ("0.1 0.2 -0.3", 0.3), ("-1 -1", 2),
     ("sharpen", 1), ("box", 9)],
)  # fmt: skip
def test_normalised_like_imagemagick(text: str, divisor: Number) -> None:
    assert normalized(parse_kernel(text)).divisor == pytest.approx(divisor)


@given(matrices(), FACTORS)
def test_scaled_kernels_are_scaled_exactly_where_they_can_be(matrix: tuple, factor: Number) -> None:
    kernel = Kernel("k", (matrix,), divisor=6, offset=3)
    made = scaled(kernel, factor)
    assert made.offset == 3
    over, under = ratio(factor)
    assert isinstance(made.divisor, int)
    if kernel.is_whole and isinstance(over, int):
        assert made.is_whole
        assert total(made) == total(kernel) * Fraction(over, under)
    before, after = (np.array(k.matrices[0], dtype=float) / k.divisor for k in (kernel, made))
    assert after == pytest.approx(before * factor, rel=1e-12)


@given(FACTORS)
def test_a_ratio_is_the_number(number: Number) -> None:
    over, under = ratio(number)
    assert over / under == number
    if isinstance(over, int):
        assert 1 <= under <= 10**6


def test_scaling_cancels() -> None:
    assert scaled(parse_kernel("box"), 9).divisor == 1
    assert scaled(parse_kernel("box"), 9).matrices == parse_kernel("box").matrices
    assert scaled(scaled(parse_kernel("1 2"), 0.1), 10) == parse_kernel("1 2")


def test_shifted_and_anchored() -> None:
    kernel = shifted(shifted(parse_kernel("1 2 3"), 4), 0.5)
    assert (kernel.offset, kernel.matrices) == (4.5, (((1, 2, 3),),))
    assert anchored(kernel, (0, 2)).anchor == (0, 2)
    with pytest.raises(ArgumentError, match="anchor 1x0 lies outside kernel 'kernel' of 1x3"):
        anchored(kernel, (1, 0))


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf"), 10**400])
def test_what_is_not_finite_is_refused(number: Number) -> None:
    with pytest.raises(ArgumentError, match="a kernel's scale must be finite, got"):
        scaled(parse_kernel("box"), number)
    with pytest.raises(ArgumentError, match="a kernel's offset must be finite, got"):
        shifted(parse_kernel("box"), number)


def test_a_scale_that_overflows_is_refused() -> None:
    with pytest.raises(ArgumentError, match=r"kernel .kernel. times 1e.300 has weights that are not finite"):
        scaled(parse_kernel("1e200 1.5"), 1e300)


@pytest.mark.parametrize("text", ["sobel-x", "gaussian:sigma=2", "sobel", "kirsch", "1 2 3"])
def test_weights_have_the_shape_of_the_kernel(text: str) -> None:
    kernel = parse_kernel(text)
    several = (len(kernel.matrices),) if len(kernel.matrices) > 1 else ()
    assert np.array(kernel.weights).shape == (*several, *kernel.shape)
    assert np.array(kernel.weights, object).ravel().tolist() == kernel.flat_weights
