"""Unsharp masking with a threshold: the formula with SciPy's Gaussian, and the functions that need a linear kernel."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from convcli.backend import filter_image
from convcli.errors import ArgumentError
from convcli.filters.filter_picture import filter_picture
from convcli.kernels import normalized, parse_kernel, scaled
from convcli.kernels.kernel import Kernel
from tests.conftest import SAMPLES, Call, one_error
from tests.examples import examples

RNG = np.random.default_rng(31)


def by_formula(x: np.ndarray, sigma: float, amount: float, threshold: float) -> np.ndarray:
    """Add the difference of f from its blur where it exceeds the threshold, in floats."""
    radius = parse_kernel(f"gaussian:{sigma}").shape[0] // 2
    blurred = ndimage.gaussian_filter(x.astype(float), sigma, mode="mirror", radius=radius)
    detail = x - blurred
    return np.where(np.abs(detail) > threshold, x + amount * detail, x)


@settings(max_examples=examples(20))
@given(st.sampled_from([0.8, 1.0, 1.7]), st.sampled_from([0.5, 1, 2.5]), st.sampled_from([0, 3, 12.5]))
def test_only_what_differs_by_more_than_the_threshold_is_sharpened(
    sigma: float, amount: float, threshold: float
) -> None:
    kernel = f"unsharp:{sigma},{amount},threshold={threshold}"
    x = ndimage.gaussian_filter(RNG.normal(120, 60, (30, 34)), 1).clip(0, 255)
    grey = x.astype(np.uint8)
    wanted = np.rint(by_formula(grey, sigma, amount, threshold)).clip(0, 255)
    np.testing.assert_array_equal(filter_picture(grey, kernel), wanted)
    if threshold == 3:
        assert 0.05 < (filter_picture(grey, kernel) == grey).mean() < 0.95
    deep = (x * 257).astype(np.uint16)  # 8-bit levels
    wanted = np.rint(by_formula(deep, sigma, amount, threshold * 257)).clip(0, 65535)
    np.testing.assert_array_equal(filter_picture(deep, kernel), wanted)
    floats = filter_picture(x / 255, kernel, value_range=None)
    np.testing.assert_allclose(floats, by_formula(x / 255, sigma, amount, threshold / 255), atol=1e-12)


def test_it_works_in_chains_with_alpha_in_linear_light_and_in_variants() -> None:
    x = RNG.integers(0, 256, (20, 24, 4), np.uint8)
    x[..., 3] = 255
    kernel = "unsharp:threshold=20"
    once = filter_picture(x, kernel)
    np.testing.assert_array_equal(once[..., 3], x[..., 3])
    for channel in range(3):
        np.testing.assert_array_equal(once[..., channel], filter_picture(x[..., channel], kernel))
    chained = filter_picture(x[..., 0], [kernel, "box"], value_range=None)
    before = filter_picture(x[..., 0], kernel, value_range=None)
    np.testing.assert_allclose(chained, filter_picture(before, "box", value_range=None), atol=1e-4)
    terms = filter_picture(x[..., 0], kernel, variant="separable", rank=2, value_range=None)
    np.testing.assert_allclose(terms, before, atol=1e-4)
    from convcli.backend.colour import to_light

    light = by_formula(to_light(x[..., 0], False), 1.0, 1.0, 20 / 255)
    lit = to_light(filter_picture(x[..., 0], kernel, linear=True), False)
    np.testing.assert_allclose(lit, light.clip(0, 1), atol=0.005)


def test_scaling_and_normalising_change_the_picture_and_not_what_is_sharpened() -> None:
    x = RNG.normal(0.5, 0.1, (12, 14))
    kernel = parse_kernel("unsharp:threshold=9")
    plain = filter_picture(x, kernel, value_range=None)
    np.testing.assert_allclose(filter_picture(x, scaled(kernel, 0.5), value_range=None), plain / 2)
    np.testing.assert_allclose(filter_picture(x, normalized(scaled(kernel, 4)), value_range=None), plain)
    np.testing.assert_allclose(filter_picture(x, kernel, flip=True, shift=1, value_range=None), plain + 1)


def test_a_threshold_of_0_is_the_linear_kernel() -> None:
    assert parse_kernel("unsharp:threshold=0") == parse_kernel("unsharp")
    with pytest.raises(ArgumentError, match="unsharp: threshold must be at least 0 and finite, got -1"):
        parse_kernel("unsharp:threshold=-1")
    with pytest.raises(
        ArgumentError, match="a kernel that is 'thresholded' needs a threshold and two matrices"
    ):
        Kernel("k", (((1,),), ((2,),)), combine="thresholded")
    with pytest.raises(ArgumentError, match="has the threshold 3 and 1 matrices"):
        Kernel("k", (((1,),),), threshold=3)


NOT_LINEAR = "kernel 'unsharp' has a threshold, so it is not linear, but {} needs a linear kernel; leave out the threshold"


def test_functions_of_linear_kernels_reject_it(call: Call, tmp_path: Path) -> None:
    kernel, house = "unsharp:threshold=3", SAMPLES / "house.png"
    with pytest.raises(ArgumentError) as error:
        filter_image(np.zeros((4, 4), np.uint8), parse_kernel(kernel))
    assert str(error.value) == NOT_LINEAR.format("filter_image")
    runs = {
        "a frequency response": ("kernels", kernel, "-o", tmp_path / "x.png"),
        "compare": ("compare", house, "--kernel", kernel),
        "a drawing": ("draw", "--n", 9, "--kernel", kernel),
    }
    for user, words in runs.items():
        assert NOT_LINEAR.format(user) in one_error(call(*words))
    tiled = call("filter", house, "-k", kernel, "-k", "box", "--variant", "tiled", "-o", tmp_path / "x.png")
    assert NOT_LINEAR.format("--variant tiled") in one_error(tiled)
    explained = call("filter", house, "-k", kernel, "--explain", "3,3")
    assert "--explain shows one sum of products; leave the threshold of the kernel out" in one_error(
        explained
    )


def test_the_threshold_is_shown_as_typed_with_the_difference_that_it_is_compared_with(call: Call) -> None:
    shown = call("kernels", "unsharp:1.5,amount=0.8,threshold=3").out
    assert (
        "unsharp: the second response is added to the first where the difference from the blurred picture, before it "
        "is multiplied by amount, exceeds 3 of 255 levels\n"
    ) in shown
    kernel = parse_kernel("unsharp:1.5,amount=0.8,threshold=3")
    assert [each.threshold for each in (kernel, scaled(kernel, 0.5), normalized(scaled(kernel, 4)))] == [
        3
    ] * 3
