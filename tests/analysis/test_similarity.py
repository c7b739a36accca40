"""The structural similarity against its formula, written out in plain loops."""

from itertools import product
from math import exp, inf

import numpy as np
import pytest

from convcli.analysis import similarity
from convcli.analysis.similarity import ssim
from convcli.errors import ArgumentError


def written_out(a, b, peak):
    """Wang et al. (2004), equations 5 to 13 and 14 to 17, at every position of the window."""
    bell = np.array(
        [[exp(-((i - 5) ** 2 + (j - 5) ** 2) / (2 * 1.5**2)) for j in range(11)] for i in range(11)]
    )
    bell /= bell.sum()
    c1, c2 = (0.01 * peak) ** 2, (0.03 * peak) ** 2
    found = []
    for row, column in product(range(a.shape[0] - 10), range(a.shape[1] - 10)):
        x, y = (part[row : row + 11, column : column + 11].astype(float) for part in (a, b))
        mx, my = (bell * x).sum(), (bell * y).sum()
        sx, sy = (bell * (x - mx) ** 2).sum(), (bell * (y - my) ** 2).sum()
        sxy = (bell * (x - mx) * (y - my)).sum()
        found.append((2 * mx * my + c1) * (2 * sxy + c2) / ((mx**2 + my**2 + c1) * (sx + sy + c2)))
    return np.mean(found)


@pytest.mark.parametrize("peak", [255, 65535, 1])
def test_ssim_is_its_formula(peak, monkeypatch):
    rng = np.random.default_rng(0)
    a = rng.random((17, 14, 3)) * peak
    b = a * 0.7 + rng.random(a.shape) * 0.3 * peak
    expected = np.mean([written_out(a[..., c], b[..., c], peak) for c in range(3)])
    assert ssim(a, b, peak) == pytest.approx(expected, abs=1e-9)
    assert ssim(a[..., 0], b[..., 0], peak) == pytest.approx(
        written_out(a[..., 0], b[..., 0], peak), abs=1e-9
    )
    monkeypatch.setattr(similarity, "BAND", 100)
    assert ssim(a, b, peak) == pytest.approx(expected, abs=1e-9)


def test_ssim_of_scikit_image():
    """scikit-image 0.26: structural_similarity, gaussian_weights=True and use_sample_covariance=False."""
    place = np.arange(32 * 24).reshape(32, 24)
    a, b = (place * 7 % 256).astype(np.uint8), (place * 11 % 256).astype(np.uint8)
    assert ssim(a, b, 255) == pytest.approx(0.015429389642993166, abs=1e-12)


def test_ssim_of_equal_pictures_is_1():
    a = np.random.default_rng(1).integers(0, 256, (40, 30))
    assert ssim(a, a, 255) == pytest.approx(1, abs=1e-12)
    assert ssim(np.zeros((11, 11)), np.zeros((11, 11)), 255) == 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ssim(np.ones((11, 11)), np.ones((11, 11)), inf), "peak must be above 0 and finite, got inf"),
        (lambda: ssim(np.ones((10, 40)), np.ones((10, 40)), 1), "SSIM needs pictures of at least 11x11 pixels, (H, W) or (H, W, C), and the shape is (10, 40)"),
        (lambda: ssim([1, 2], [1], 1), "a has shape (2,) and b (1,); both must have the same shape"),
    ],
)  # fmt: skip
def test_errors_of_measures(call, message):
    with pytest.raises(ArgumentError) as error:
        call()
    assert message in str(error.value)
