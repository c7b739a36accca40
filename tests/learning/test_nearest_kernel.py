"""The nearest named kernel: each kernel is found from its own weights, with its arguments."""

import numpy as np
import pytest

from convcli.kernels import KERNELS, parse_kernel
from convcli.learning.nearest_kernel import nearest_kernel, share

SPECS = [
    *(name for name in KERNELS if len(parse_kernel(name).matrices) == 1 and max(parse_kernel(name).shape) <= 13),
    "gaussian:sigma=1.37",
    "gaussian:sigma=0.8,size=3",
    "gaussian:sigma=1.4",
    "motion:length=7,angle=33",
    "unsharp:sigma=1.3,amount=2.2,size=5",
    "log:sigma=1,size=7",
    "dog:sigma=1.2,size=9",
    "gabor:wavelength=4.4,angle=20,size=7",
    "sharpen:amount=0.37",
    "highboost:amount=1.7,size=5",
    "random:size=5,seed=3",
    "box:size=4",
    "disk:radius=3",
    "sobel-x:size=5",
    "bilinear:factor=3",
]  # fmt: skip


def weights_of(spec: str, dims: int = 2) -> np.ndarray:
    kernel = parse_kernel(spec, dims=dims)
    return np.array(kernel.weights, float) / kernel.divisor


@pytest.mark.parametrize("spec", SPECS)
def test_a_kernel_is_nearest_to_itself(spec):
    weights = weights_of(spec)
    found = nearest_kernel(weights)
    assert found.distance < 1e-4
    assert found.scale == 1
    assert found.is_near
    again = weights_of(found.spec, found.dims).reshape(-1, *weights.shape[2 - found.dims :])
    assert np.abs(again.reshape(weights.shape) - weights).max() < 1e-4 * np.abs(weights).max()


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("gaussian:sigma=1.4", "gaussian:sigma=1.4, within 0.01 %"),
        ("gaussian:sigma=0.8,size=3", "gaussian:sigma=0.8,size=3, within 0.01 %"),
        ("gaussian", "gaussian, within 0.01 %"),
        ("sobel-y", "sobel-y, within 0.01 %"),
    ],
)
def test_arguments_have_as_many_digits_as_needed(spec, words):
    assert nearest_kernel(weights_of(spec)).words == words


def test_the_distance_is_relative_to_the_norm_of_the_kernel():
    weights = weights_of("sobel-x")
    weights[1, 1] = 0.12**0.5
    found = nearest_kernel(weights)
    assert found.spec == "sobel-x"
    assert found.distance == pytest.approx((0.12 / 12) ** 0.5)
    assert found.words == "sobel-x, within 10 %"


def test_a_multiple_is_named_with_its_factor():
    found = nearest_kernel(weights_of("sobel-x") / 8)
    assert (found.spec, found.scale) == ("sobel-x", 0.125)
    assert found.words == "0.125 times sobel-x, within 0.01 %"
    assert (
        nearest_kernel(3 * weights_of("gaussian:sigma=1.4")).words
        == "3 times gaussian:sigma=1.4, within 0.01 %"
    )


def test_a_factor_within_rounding_is_not_reported():
    assert (
        nearest_kernel(1.0009 * weights_of("gaussian:sigma=1.4")).words == "gaussian:sigma=1.4, within 0.09 %"
    )


def test_a_larger_kernel_has_zeros_around():
    found = nearest_kernel(np.pad(weights_of("emboss"), 2))
    assert found.spec == "emboss"
    even = np.pad(
        weights_of("emboss"), ((0, 1), (0, 1))
    )  # the origin of an even side is the element before its middle
    assert nearest_kernel(even).spec == "emboss"


def test_a_line_is_a_kernel_of_one_axis():
    found = nearest_kernel(weights_of("gaussian:sigma=2", 1)[np.newaxis])
    assert (found.spec, found.dims) == ("gaussian:sigma=2", 1)
    assert nearest_kernel(weights_of("binomial:5", 1)[:, np.newaxis]).spec == "binomial:size=5"


def test_noise_has_no_near_kernel_and_zeros_have_no_nearest():
    assert not nearest_kernel(np.random.default_rng(0).standard_normal((5, 5))).is_near
    assert nearest_kernel(np.zeros((3, 3))) is None


@pytest.mark.parametrize(
    ("distance", "text"), [(0.00312, "0.31 %"), (0.0312, "3.1 %"), (0.12, "12 %"), (0, "0.01 %")]
)
def test_a_share_in_percent(distance, text):
    assert share(distance) == text
