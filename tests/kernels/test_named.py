"""The named kernels against their sources, SciPy's filters and the identities that define them."""

import math

import numpy as np
import pytest
from scipy import ndimage

from convcli.kernels import KERNELS, parse_kernel

X, Y = np.meshgrid(np.arange(7), np.arange(7))  # brightness that grows to the right, and downwards


def applied(name: str, picture: np.ndarray) -> float:
    """Return the answer of a one-matrix kernel in the middle of a picture."""
    kernel = parse_kernel(name)
    weights = np.array(kernel.matrices[0], dtype=float) / kernel.divisor
    return ndimage.correlate(picture.astype(float), weights)[3, 3]


@pytest.mark.parametrize(("edge", "scale"), [("sobel", 8), ("prewitt", 6), ("scharr", 32)])
def test_derivatives_are_positive_where_brightness_grows(edge: str, scale: int) -> None:
    assert applied(f"{edge}-x", X) == applied(f"{edge}-y", Y) == scale
    assert applied(f"{edge}-x", Y) == applied(f"{edge}-y", X) == 0


@pytest.mark.parametrize(("edge", "axis", "scipy"), [
    ("sobel-x", 1, ndimage.sobel), ("sobel-y", 0, ndimage.sobel),
    ("prewitt-x", 1, ndimage.prewitt), ("prewitt-y", 0, ndimage.prewitt),
])  # fmt: skip
def test_derivatives_are_scipys(edge: str, axis: int, scipy: object) -> None:
    picture = np.random.default_rng(1).normal(size=(7, 7))
    assert applied(edge, picture) == pytest.approx(scipy(picture, axis)[3, 3])


def test_magnitudes_hold_both_directions() -> None:
    for edge in ("sobel", "prewitt", "scharr"):
        kernel = parse_kernel(edge)
        assert kernel.combine == "magnitude"
        assert kernel.matrices == parse_kernel(f"{edge}-x").matrices + parse_kernel(f"{edge}-y").matrices


@pytest.mark.parametrize("name", [name for name in KERNELS if name not in ("sobel", "prewitt", "scharr")])
def test_what_a_constant_picture_becomes(name: str) -> None:
    keeps = name in ("identity", "box", "gaussian", "sharpen", "emboss")
    assert applied(name, np.full((7, 7), 90)) == pytest.approx(90 if keeps else 0)


def test_laplacian_is_scipys_and_positive_in_dark_spots() -> None:
    picture = np.random.default_rng(2).normal(size=(7, 7))
    assert applied("laplacian", picture) == pytest.approx(ndimage.laplace(picture)[3, 3])
    dark = np.ones((7, 7))
    dark[3, 3] = 0
    assert applied("laplacian", dark) > 0 > applied("outline", dark)
    assert applied("sharpen", dark) == applied("identity", dark) - applied("laplacian", dark)


@pytest.mark.parametrize(
    ("sigma", "side"),
    [(0.5, 5), (0.8, 7), (1, 7), (1.1, 9), (1.5, 11), (2, 13), (2.5, 17), (3.1, 21), (3.3, 21)],
)
def test_gaussian_has_opencvs_size_for_8_bits(sigma: float, side: int) -> None:
    assert parse_kernel(f"gaussian:sigma={sigma}").shape == (side, side)


@pytest.mark.parametrize(
    "text", ["gaussian", "gaussian:sigma=2.5", "gaussian:1.5,4", "gaussian:0.05", "gaussian:0.05,4"]
)
def test_gaussian_is_the_normal_density(text: str) -> None:
    (matrix,) = parse_kernel(text).matrices
    weights = np.array(matrix)
    assert weights.sum() == pytest.approx(1, abs=1e-14)
    assert (weights == weights.T).all()
    assert weights == pytest.approx(weights[::-1, ::-1])


def test_gaussian_weights() -> None:
    row = np.array(parse_kernel("gaussian:sigma=2").matrices[0])[6]
    for offset in range(-6, 7):
        assert row[6 + offset] / row[6] == pytest.approx(math.exp(-(offset**2) / 8))


def test_smoothing_kernels_are_those_without_negative_weights() -> None:
    assert [name for name in KERNELS if parse_kernel(name).is_smoothing] == ["identity", "box", "gaussian"]
    assert not parse_kernel("0 0; 0 0").is_smoothing
