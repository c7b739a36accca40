"""Conversion of values to a dtype: ranges, minmax, NaN and infinity; halves are checked by exact fractions."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcli.backend import filter_image
from convcli.backend.values import SAMPLES, Extent, into_dtype
from convcli.errors import ArgumentError
from convcli.kernels import parse_kernel

NAN, INF = np.nan, np.inf
WHOLE = ["uint8", "uint16", "int8", "int16", "int32", "uint32"]


def stretched(values: list[float], white: int) -> list[int]:
    """Stretch numbers exactly: `round` of a fraction is to even."""
    least, most = Fraction(min(values)), Fraction(max(values))
    return [
        round((Fraction(value) - least) * white / (most - least)) if most > least else 0 for value in values
    ]


@pytest.mark.parametrize("dtype", WHOLE)
@given(st.lists(st.integers(-(2**30), 2**30), min_size=1, max_size=9))
def test_minmax_is_exact_of_whole_numbers(dtype: str, numbers: list[int]) -> None:
    white = np.iinfo(dtype).max
    for values in (np.array(numbers), np.array(numbers, float)):
        made = into_dtype(values, np.dtype(dtype), "minmax")
        error = np.abs(made.pixels.astype(float) - np.array(stretched(numbers, white), float))
        assert error.max() <= (
            white > 65535
        )  # with 32 bits, a product of two values is rounded before it is divided
        assert made.extent == (min(numbers), max(numbers))
        assert made.clipped == 0


@pytest.mark.parametrize(("value_range", "right"), [
    ("clip", [0, 0, 0, 4, 255, 255]),
    ("abs", [0, 255, 3, 4, 255, 255]),
    ("offset", [0, 0, 125, 132, 255, 255]),
    ("minmax", [0, 0, 0, 2, 255, 255]),
])  # fmt: skip
def test_non_finite_values_in_integers(value_range: str, right: list[int]) -> None:
    values = np.array([NAN, -INF, -3.0, 4.0, 900.0, INF])
    made = into_dtype(values, np.dtype("uint8"), value_range)
    assert made.pixels.tolist() == right
    lost = {"clip": 5, "abs": 4, "offset": 4, "minmax": 3}  # NaN, both infinities, and those beyond the depth
    assert made.clipped == lost[value_range] / 6
    assert np.isnan(values[0])  # the values themselves are unchanged


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("value_range", ["clip", "abs", "offset", "minmax"])
def test_floats_keep_non_finite_values(dtype: str, value_range: str) -> None:
    made = into_dtype(np.array([NAN, -INF, 2.0, 6.0, INF]), np.dtype(dtype), value_range)
    assert np.isnan(made.pixels[0])
    assert np.isinf(made.pixels[[1, 4]]).all()
    if value_range == "minmax":
        assert made.pixels[2:4].tolist() == [0, 1]
    assert made.clipped == 0


@pytest.mark.parametrize("values", [[NAN, NAN], [INF, INF], [-INF, NAN]])
def test_nothing_finite_has_no_extent(values: list[float]) -> None:
    made = into_dtype(np.array(values), np.dtype("uint8"), "minmax")
    assert made.extent is None
    assert made.pixels.tolist() == [255 if value == INF else 0 for value in values]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_largest_and_the_smallest_floats_are_stretched(dtype: str) -> None:
    limits = np.finfo(dtype)
    for values in (
        [limits.min, 0, limits.max],
        [0, limits.smallest_subnormal * 4, limits.smallest_subnormal * 8],
    ):
        made = into_dtype(np.array(values, dtype), np.dtype("uint8"), "minmax")
        assert made.pixels.tolist() == [0, 128, 255]


def test_an_extent_is_of_every_part() -> None:
    values = np.zeros((SAMPLES // 8, 20))
    values[3, 3], values[-1, -1], values[-2, 5] = -7, 9, NAN
    assert Extent.of(values) == (-7, 9)
    assert Extent.of(values.astype(np.float32)) == (-7, 9)
    assert into_dtype(values, np.dtype("uint8"), "minmax").pixels[-1, -1] == 255
    assert Extent.of(np.array([[5, 3], [4, 4]])) == (3, 5)
    assert Extent.around([Extent(1, 2), None, Extent(-1, 0)]) == (-1, 2)
    assert Extent.around([None]) is None


def test_a_given_extent_is_stretched_instead() -> None:
    values = np.array([[10, 20]], np.uint8)
    made = into_dtype(values, np.dtype("uint8"), "minmax", Extent(0, 40))
    assert made.pixels.tolist() == [[64, 128]]  # 63.75 and 127.5
    for alpha in (None, "keep", "premultiply", "filter"):
        pixels = values if alpha is None else np.dstack([values, np.full_like(values, 255)])
        kernel = parse_kernel("identity")
        made = filter_image(pixels, kernel, alpha=alpha, value_range="minmax", extent=Extent(0, 40))
        assert made.extent == (0, 40)
        assert made.pixels.reshape(1, 2, -1)[..., 0].tolist() == [[64, 128]]
    assert filter_image(values, parse_kernel("identity"), value_range="minmax").extent == (10, 20)


@pytest.mark.parametrize("value_range", ["clip", "abs", "offset"])
def test_channels_may_have_a_zero_of_their_own(value_range: str) -> None:
    rng = np.random.default_rng(4)
    pixels, zero = rng.integers(0, 256, (6, 5, 3), np.uint8), (0, 128, 200)
    kernel = parse_kernel("1 -2 3; 0 -5 1; 2 2 -1")
    made = filter_image(pixels, kernel, value_range=value_range, zero=zero, padding_mode="zeros")
    for channel, start in enumerate(zero):
        plain = pixels[..., channel].astype(np.int32) - start
        values = filter_image(plain, kernel, padding_mode="zeros").pixels.astype(int)
        low, high = -start, 255 - start
        values = {"clip": values, "abs": abs(values), "offset": values + (low + high + 1) // 2}[value_range]
        assert np.array_equal(made.pixels[..., channel], values.clip(low, high) + start)


def test_channels_with_zeros_of_their_own_have_no_common_measure() -> None:
    pixels = np.zeros((3, 3, 3), np.uint8)
    with pytest.raises(
        ArgumentError, match="the range 'minmax' stretches all channels alike, but channels with `zero`"
    ):
        filter_image(pixels, parse_kernel("box"), value_range="minmax", zero=(0, 128, 128))
