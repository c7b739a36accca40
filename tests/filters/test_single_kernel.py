"""The plan of a kernel serves all pictures that are alike, and no others."""

from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest

from convcli.filters import single_kernel
from convcli.filters.filter_image import filter_image
from convcli.filters.single_kernel import PLANS, _planned
from convcli.kernels import parse_kernel

RNG = np.random.default_rng(11)


@pytest.fixture(autouse=True)
def _no_plans() -> Iterator[None]:
    _planned.cache_clear()
    yield
    _planned.cache_clear()


def test_pictures_that_are_alike_are_planned_once() -> None:
    first, second = RNG.integers(0, 256, (2, 20, 30, 3), dtype=np.uint8)
    with patch.object(single_kernel, "in_bands", side_effect=single_kernel.in_bands) as planned:
        for pixels in (first, second, first):
            filter_image(pixels, parse_kernel("sobel"), threads=1)
        assert planned.call_count == 1
        filter_image(first[1:], parse_kernel("sobel"), threads=1)
        assert planned.call_count == 2


def test_pictures_of_many_sizes_leave_few_plans() -> None:
    for width in range(1, PLANS + 3):
        filter_image(np.zeros((3, width), np.uint8), parse_kernel("box"), threads=1)
    assert _planned.cache_info().currsize == PLANS


def test_no_picture_gets_the_plan_of_another_kind() -> None:
    levels = RNG.integers(0, 256, (12, 15, 3))
    alpha = np.concatenate([levels, levels[..., :1]], 2).astype(np.uint8)
    cases: list[tuple[np.ndarray, dict[str, Any]]] = [
        (pixels, {"kernel": parse_kernel(kernel), **options})
        for pixels in (
            levels.astype(np.uint8),
            levels.astype(np.uint16) * 257,
            levels.astype(np.float32),
            levels.astype(np.float32) * np.float32(1e30),
            levels[..., 0].astype(np.uint8),
            levels[:10].astype(np.uint8),
        )
        for kernel in ("gaussian:sigma=1", "sharpen")
        for options in (
            {},
            {"stride": 2},
            {"padding_mode": "circular"},
            {"value_range": "abs"},
            {"flip": True},
        )
    ]
    cases += [
        (alpha, {"kernel": parse_kernel("box"), "alpha": how}) for how in ("filter", "keep", "premultiply")
    ]
    kept = [filter_image(pixels, **options, threads=1).pixels for pixels, options in cases * 2]
    with patch.object(single_kernel, "_planned", _planned.__wrapped__):
        planned_again = [filter_image(pixels, **options, threads=1).pixels for pixels, options in cases]
    for found, again in zip(kept, planned_again * 2, strict=True):
        assert np.array_equal(found, again)
