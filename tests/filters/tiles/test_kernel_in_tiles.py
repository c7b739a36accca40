"""A single kernel in tiles equals the picture filtered whole, for every border, stride, alpha and range."""

from contextlib import nullcontext
from dataclasses import replace
from fractions import Fraction
from typing import Any
from unittest.mock import patch

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcli.backend.values import Extent, Measured
from convcli.filters.filter_image import filter_image
from convcli.filters.single_kernel import SingleKernel
from convcli.filters.tiles import tile_plan
from convcli.kernels import Kernel, parse_kernel
from convcli.layers.padding import MODES

WHOLE = {"SAMPLES": 1 << 40, "WIDE": 1 << 40, "TALL": 1 << 40}
SMALL = {"SAMPLES": 12, "WIDE": 6, "TALL": 4, "HALOS": 0}


def filtered(tiles: dict[str, int], pixels: np.ndarray, spec: str, **options: Any) -> Any:
    kernel = parse_kernel(spec)
    if (anchor := options.pop("anchor", None)) is not None:
        kernel = replace(
            kernel, anchor=tuple(min(a, n - 1) for a, n in zip(anchor, kernel.shape, strict=True))
        )
    # Bands have their own tests.
    with patch.multiple(tile_plan, **tiles), patch.object(SingleKernel, "_in_bands", return_value=None):
        return filter_image(pixels, kernel, **options)


@st.composite
def cases(draw: st.DrawFn) -> dict[str, Any]:
    dtype = draw(st.sampled_from(["uint8", "uint16", "int32", "float64", "float32"]))
    alpha = draw(st.sampled_from([None, "auto", "keep", "filter"]))
    light = dtype in ("uint8", "uint16") and draw(st.booleans())
    value_range = draw(st.sampled_from(["clip", "abs", "offset", "minmax", *[None] * (not light)]))
    size = draw(st.tuples(st.integers(1, 9), st.integers(1, 4)))
    channels = draw(st.sampled_from([2, 4] if alpha else [1, 3]))
    least, most = (0, 1) if dtype[0] == "f" else (0, 250)
    elements = st.floats(0, 1, width=16) if dtype[0] == "f" else st.integers(least, most)
    return {
        "pixels": draw(hnp.arrays(dtype, (*size, channels), elements=elements)),
        "spec": draw(
            st.sampled_from(["sharpen", "gaussian:sigma=0.8", "sobel", "box:3", "1 2; 3 4", "1;2;3;4;5;6;7"])
        ),
        "padding": draw(
            st.sampled_from(["same", "same-lower", "full", 0, 1, 5, ((3, 0), (0, 2)), ((0, 12), (1, 1))])
        ),
        "padding_mode": draw(st.sampled_from(list(MODES))),
        "padding_value": draw(st.sampled_from([0.0, 1.0, 0.5])),
        "stride": draw(st.tuples(st.integers(1, 3), st.integers(1, 2))),
        "dilation": draw(st.tuples(st.integers(1, 3), st.integers(1, 2))),
        "anchor": draw(st.none() | st.tuples(st.integers(0, 2), st.integers(0, 2))),
        "flip": draw(st.booleans()),
        "alpha": alpha,
        "value_range": value_range,
        "light": light,
        "threads": draw(st.sampled_from([1, 2, 5])),
    }


@given(cases())
def test_tiles_equal_the_whole(case: dict[str, Any]) -> None:
    try:
        whole = filtered(WHOLE, **case, measure=True)
    except Exception as error:  # a picture smaller than its kernel
        assert "would be empty" in str(error)
        return
    found = filtered(SMALL, **case, measure=True)
    extent = whole.extent
    if (
        extent is not None
        and extent.most - extent.least < 1e-9 * abs(extent.most)
        and extent.most != extent.least
    ):
        return  # rounding noise of sums of more than 16 bits, stretched
    if case["pixels"].dtype.kind == "f" or case["value_range"] is None:
        np.testing.assert_allclose(found.pixels, whole.pixels, rtol=1e-6, atol=1e-9)
    else:
        np.testing.assert_array_equal(found.pixels, whole.pixels)
    assert found.clipped == pytest.approx(whole.clipped)
    assert found.pixels.dtype == whole.pixels.dtype
    if whole.extent is not None:
        assert found.extent == pytest.approx(whole.extent)
    assert vars(found.measured) == pytest.approx(vars(whole.measured), nan_ok=True)


@pytest.mark.parametrize("alpha", [None, "keep", "premultiply"])
@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
def test_values_are_measured_before_they_become_samples(dtype: str, alpha: str | None) -> None:
    pixels = np.random.default_rng(4).integers(0, 200, (60, 50, 4)).astype(dtype)
    options = {"alpha": alpha, "padding": "valid"}
    kernel = parse_kernel("gaussian" if alpha == "premultiply" else "sharpen")
    for tiles in (SMALL, {}, WHOLE):
        with patch.multiple(tile_plan, **tiles) if tiles else nullcontext():
            found = filter_image(pixels, kernel, **options, measure=True).measured
            values = filter_image(pixels.astype(np.float64), kernel, **options, value_range=None).pixels
        colours = values if alpha is None else values[..., :3]
        assert found is not None
        assert (found.least, found.most) == pytest.approx((colours.min(), colours.max()))
        assert found.total / found.count == pytest.approx(colours.mean())
        assert found.count == colours.size


def test_nothing_is_measured_without_a_request() -> None:
    assert filter_image(np.ones((9, 9), np.uint8), parse_kernel("box")).measured is None


def test_results_do_not_depend_on_threads() -> None:
    pixels = np.random.default_rng(7).random((300, 40, 2))
    with patch.multiple(tile_plan, SAMPLES=2000, WIDE=40, TALL=50):
        made = [
            filter_image(
                pixels, parse_kernel("gaussian:sigma=2"), alpha="keep", threads=threads, measure=True
            )
            for threads in (1, 2, 7)
        ]
    for other in made[1:]:
        np.testing.assert_array_equal(other.pixels, made[0].pixels)
        assert other.measured == made[0].measured


def test_a_given_extent_is_not_computed() -> None:
    pixels = np.arange(40, dtype=np.uint8).reshape(8, 5)
    given = Extent(0, 78)
    with patch.multiple(tile_plan, **SMALL):
        made = filter_image(pixels, parse_kernel("identity"), value_range="minmax", extent=given)
    assert made.extent == given
    assert made.pixels.max() == round(39 * 255 / 78)


def test_sums_of_statistics_keep_nan() -> None:
    plain, missing = Measured(1, 2, 3, 2), Measured.of(np.array([np.nan, 5]))
    assert (plain + plain) == Measured(1, 2, 6, 4)
    assert np.isnan([(plain + missing).least, (missing + plain).most, (plain + missing).total]).all()


def exactly(pixels: list[int], weights: list[int], divisor: int = 1) -> list[int]:
    """Return the sums of a row with padding `valid`, rounded half to even, in Python integers."""
    count = len(pixels) - len(weights) + 1
    sums = [sum(w * pixels[i + k] for k, w in enumerate(weights)) for i in range(count)]
    return [round(Fraction(each, divisor)) for each in sums]


@given(
    st.sampled_from(["uint32", "int32", "uint64", "int64"]),
    st.lists(st.integers(-(2**20), 2**20), min_size=1, max_size=3).filter(any),
    st.integers(0, 30),
    st.randoms(use_true_random=False),
)
def test_wide_integers_are_summed_exactly_if_the_sums_fit_64_bits(
    dtype: str, weights: list[int], bits: int, random: Any
) -> None:
    info = np.iinfo(dtype)
    # As large as possible for sums below 2^63, which are not exact in floats.
    most = min(int(info.max), (2**63 - 1) // sum(map(abs, weights)) >> bits)
    row = [random.randint(max(int(info.min), -most), most) for _ in range(9)]
    kernel = Kernel("k", ((tuple(weights),),))
    pixels = np.array([row], dtype)
    found = filter_image(pixels, kernel, padding="valid").pixels
    assert found.dtype == dtype
    wanted = [min(max(value, int(info.min)), int(info.max)) for value in exactly(row, weights)]
    assert found[0].tolist() == wanted


@pytest.mark.parametrize("dtype", ["uint32", "int32", "uint64", "int64"])
@pytest.mark.parametrize("value_range", ["clip", "abs", "offset", "minmax"])
@pytest.mark.parametrize("weights", [(1,), (1, 2, 1), (-1,), (0.5, 0.5)])
def test_wide_integers_never_overflow(dtype: str, value_range: str, weights: tuple) -> None:
    """Sums too large for integers are floats, clipped to the range of the dtype."""
    info = np.iinfo(dtype)
    row = [0, 1, info.max - 1, info.max, info.min, 7]
    kernel = Kernel("k", ((weights,),))
    found = filter_image(
        np.array([row], dtype), kernel, padding_mode="replicate", value_range=value_range
    ).pixels[0]
    around = [row[0], *row, row[-1]] if len(weights) == 3 else [*row, row[-1]]
    values = [
        sum(Fraction(weight) * int(around[place + tap]) for tap, weight in enumerate(weights))
        for place in range(6)
    ]
    if value_range == "abs":
        values = [abs(value) for value in values]
    elif value_range == "offset":
        values = [value + (int(info.max) + int(info.min) + 1) // 2 for value in values]
    elif value_range == "minmax":
        least, most = min(values), max(values)
        values = [(value - least) * int(info.max) / (most - least) for value in values]
    for sample, value in zip(found.tolist(), values, strict=True):
        wanted = min(max(value, int(info.min)), int(info.max))
        assert abs(sample - wanted) <= Fraction(1, 2) + abs(wanted) / 2**50 + Fraction(int(info.max), 2**51)


def test_zeros_of_integer_samples_have_no_sign() -> None:
    found = filter_image(np.zeros((3, 4), np.uint8), parse_kernel("-1"), value_range=None).pixels
    assert not np.signbit(found).any()
