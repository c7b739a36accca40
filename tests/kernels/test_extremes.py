"""Numbers near the limits of floats, and extreme sizes: the result is a kernel or one clear error."""

from fractions import Fraction
from itertools import product
from math import pi, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcli.errors import ArgumentError
from convcli.kernels import KERNELS, Kernel, bounded, normalized, parse_kernel, scaled, shifted
from convcli.kernels.change import MAX_SUM
from convcli.kernels.named import arguments_of

EXTREME = [
    "0", "-0.0", "1e308", "-1e308", "1.7976931348623157e308", "1e154", "1e39", "1e19", "1e-39", "1e-160", "5e-324",
    "nan", "-inf", "9" * 30, "9" * 400,
]  # fmt: skip
ANY = st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.integers(-(10**308), 10**308))


@given(st.lists(ANY, min_size=1, max_size=4), ANY.filter(bool), ANY)
def test_bounded_kernels_have_the_same_weights_and_finite_sums(
    weights: list[float], divisor: float, offset: float
) -> None:
    kernel = Kernel("k", (tuple(weights),), divisor=divisor, offset=offset)
    wanted = [Fraction(weight) / Fraction(divisor) for weight in weights]
    try:
        made = bounded(kernel)
    except ArgumentError as error:
        assert "scale it down" in str(error)
        assert sum(map(abs, wanted)) > MAX_SUM * 0.999 or abs(offset) > MAX_SUM
        return
    assert made.offset == offset
    assert sum(abs(float(weight)) for weight in made.flat_weights) <= MAX_SUM
    assert 1 / MAX_SUM <= abs(made.divisor) <= MAX_SUM
    for weight, exact in zip(made.flat_weights, wanted, strict=True):
        assert (
            abs(Fraction(weight) / Fraction(made.divisor) - exact)
            <= abs(exact) / 10**12 + Fraction(5e-324) * 10**30
        )


@pytest.mark.parametrize("text", ["1 2 1", "sobel", "gaussian:2", "1e29 -1e29", "1e-300 1e-20"])
def test_usual_kernels_are_left_as_they_are(text: str) -> None:
    kernel = parse_kernel(text)
    assert bounded(kernel) is kernel


@pytest.mark.parametrize("text", ["1e308 1e308", "1e308 1e308; -1e308 5", "1e308 -1e308 1e308"])
def test_sums_beyond_floats_are_refused(text: str) -> None:
    kernel = parse_kernel(text)
    with pytest.raises(ArgumentError, match=r"kernel 'kernel' is too large: its absolute weights sum to"):
        bounded(kernel)
    with pytest.raises(
        ArgumentError, match="cannot be normalised: its weights sum to more than a float can hold"
    ):
        normalized(parse_kernel("1e308 1e308"))
    with pytest.raises(ArgumentError, match=r"its offset is 1e\+300, and the limit is 1e\+30"):
        bounded(shifted(parse_kernel("box"), 1e300))


def test_small_weights_that_are_normalised_are_as_large_as_others() -> None:
    for text in ("1e-300 3e-300", "1e300 3e300", "1e-320 3e-320"):
        assert bounded(normalized(parse_kernel(text))).flat_weights == pytest.approx([0.25, 0.75], rel=1e-3)


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("dims", [1, 2, 3])
def test_named_kernels_take_any_argument_or_say_what_is_wrong(name: str, dims: int) -> None:
    for argument, value, size in product(arguments_of(KERNELS[name]), EXTREME, ("", ",size=3")):
        if size and (argument == "size" or "size" not in arguments_of(KERNELS[name])):
            continue
        try:
            kernel = parse_kernel(f"{name}:{argument}={value}{size}", dims=dims)
            for factor in (1e300, -1e-300):
                bounded(normalized(scaled(kernel, factor)))
        except ArgumentError:
            pass


@pytest.mark.parametrize("text", ["box:2049", "nearest:4000", "random:2049", "edge:2049", "disk:1500", "motion:length=5000,angle=45",
                                  "gaussian:sigma=1000", "log:sigma=1000", "box:70000", "999999999x1: 1", "gaussian:sigma=1e300"])  # fmt: skip
def test_no_limit_lets_a_kernel_take_all_memory(text: str) -> None:
    with pytest.raises(
        ArgumentError, match=r"is too large: the limits are 65,535 weights on a side and 4,194,304 in total"
    ):
        parse_kernel(text, 10**40)


def test_a_wide_row_of_pascals_triangle_sums_to_one() -> None:
    kernel = parse_kernel("binomial:1501", 2000, 1)
    assert sum(kernel.flat_weights) / kernel.divisor == pytest.approx(1)
    assert kernel.flat_weights[750] == pytest.approx(1 / sqrt(pi * 750), rel=1e-3)  # Stirling
