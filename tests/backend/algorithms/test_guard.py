"""Float sums by `auto`: within 1e-5 of the sum of |weight * value| at each sample, whatever is next to it."""

from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal

from convcli import backend
from convcli.backend.algorithms import correlate as engine
from convcli.filters.filter_image import filter_image
from convcli.kernels import Kernel, parse_kernel
from tests.examples import examples

RNG = np.random.default_rng(9)


def sums(x: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Correlate (N, C, H, W) with (O, C, kh, kw) by SciPy's sums, at all positions inside the input."""
    return np.array(
        [
            [
                sum(signal.correlate(plane, taps, "valid", "direct") for plane, taps in zip(image, kernel))
                for kernel in weight
            ]
            for image in x.astype(float)
        ]
    )


def assert_near(found: np.ndarray, x: np.ndarray, weight: np.ndarray) -> None:
    weight = weight.astype(float)
    reach = sums(np.abs(x), np.abs(weight))
    assert (np.abs(found - sums(x, weight)) <= 1e-5 * reach).all()


def spoilt(shape: tuple[int, ...], dtype: str, huge: float) -> np.ndarray:
    """Return noise with a huge element, a dark part, and a part of zeros."""
    x = RNG.normal(size=shape).astype(dtype)
    x[..., 7, 9] = huge
    x[..., 20:, :10] *= 1e-6
    x[..., :8, -12:] = 0
    return x


@pytest.mark.parametrize("huge", [1.0, 1e6, -1e20])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("method", "shape", "kernel"),
    [("fft", (1, 1, 60, 70), (1, 1, 21, 23)), ("winograd", (2, 6, 33, 37), (8, 6, 3, 3))],
)
def test_auto_is_near_at_every_sample(
    method: str, shape: tuple[int, ...], kernel: tuple[int, ...], dtype: str, huge: float
) -> None:
    x, weight = spoilt(shape, dtype, huge), RNG.normal(size=kernel).astype(dtype)
    with patch.object(engine, "ranking", return_value=(method, "direct")):
        found = backend.conv(x, weight)
    assert found.dtype == dtype
    assert_near(found, x, weight)


def test_only_the_inaccurate_tiles_are_computed_again() -> None:
    x, weight = np.ones((1, 1, 300, 300), np.float32), RNG.random((1, 1, 15, 15)).astype(np.float32)
    x[..., 3, 3] = 1e20
    called: list[tuple[int, ...]] = []
    run = engine._run

    def counted(method: str, task: Any) -> np.ndarray:
        if method == "gemm":
            called.append(task.x.shape)
        return run(method, task)

    with (
        patch.object(engine, "ranking", return_value=("fft", "direct")),
        patch.object(engine, "_run", counted),
    ):
        assert_near(backend.conv(x, weight), x, weight)
    assert len(called) == 1
    assert np.prod(called[0]) < x.size / 2


@pytest.mark.parametrize("method", ["auto", "fft"])
@pytest.mark.parametrize("spec", ["disk:15", "gaussian:sigma=5", "log:sigma=4", "gabor:sigma=4"])
@pytest.mark.parametrize("stride", [1, 2])
def test_a_huge_sample_only_affects_outputs_within_the_kernel(spec: str, method: str, stride: int) -> None:
    pixels = np.ones((200, 210), np.float32)
    pixels[10, 10] = 1e20
    kernel = parse_kernel(spec)
    found = filter_image(pixels, kernel, method=method, stride=stride).pixels
    plain = filter_image(np.ones((200, 210)), kernel, method="direct", stride=stride).pixels
    reach = np.abs(np.array(kernel.matrices[0], float)).sum() / kernel.divisor
    assert np.abs(found - plain)[100 // stride :, 100 // stride :].max() <= 1e-5 * reach


@settings(max_examples=examples(20))
@given(st.integers(0, 2**32), st.floats(-30, 30), st.sampled_from(["float32", "float64"]))
def test_positive_samples_have_positive_means(seed: int, power: float, dtype: str) -> None:
    rng = np.random.default_rng(seed)
    pixels = np.exp(rng.normal(size=(70, 75)) * power).clip(1e-30, 1e30).astype(dtype)
    side = 2 * int(rng.integers(4, 14)) + 1
    kernel = Kernel("mean", (tuple(map(tuple, rng.random((side, side)).tolist())),), divisor=side * side)
    found = filter_image(pixels, kernel, padding="valid").pixels
    assert (found > 0).all()
    weight = np.array(kernel.matrices[0])[None, None] / kernel.divisor
    assert_near(found[None, None], pixels[None, None], weight)
    with patch.object(engine, "ranking", return_value=("fft", "direct")):
        found = backend.conv(pixels[None], weight.astype(dtype))
    assert (found > 0).all()
    assert_near(found[None], pixels[None, None], weight.astype(dtype))


def test_a_kernel_of_either_sign_over_a_dark_part_of_a_picture() -> None:
    pixels = spoilt((1, 1, 260, 270), "float32", 1e9)[0, 0]
    weights = RNG.normal(size=(25, 25))
    kernel = Kernel("signed", (tuple(map(tuple, weights.tolist())),))
    found = filter_image(pixels, kernel, method="fft", padding="valid").pixels
    assert_near(found[None, None], pixels[None, None], weights[None, None])
