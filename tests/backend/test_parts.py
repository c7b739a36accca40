"""A picture filtered part by part is the picture filtered whole, whatever its border, stride, alpha and range."""

from dataclasses import replace
from typing import Any
from unittest.mock import patch

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcli.backend import parts
from convcli.backend.algorithms.slide import Slide
from convcli.backend.image import filter_image
from convcli.backend.parts import height, largest_part, shared
from convcli.backend.values import Extent, Measured
from convcli.kernels import parse_kernel
from convcli.layers.padding import MODES

WHOLE = 1 << 60  # samples of a part


def filtered(samples: int, pixels: np.ndarray, spec: str, **options: Any) -> Any:
    kernel = parse_kernel(spec)
    if (anchor := options.pop("anchor", None)) is not None:
        kernel = replace(
            kernel, anchor=tuple(min(a, n - 1) for a, n in zip(anchor, kernel.shape, strict=True))
        )
    with patch.object(parts, "SAMPLES", samples), patch.object(parts, "SPANS", 0):
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
def test_the_parts_are_those_of_the_whole(case: dict[str, Any]) -> None:
    try:
        whole = filtered(WHOLE, **case, measure=True)
    except Exception as error:  # a picture too small for its kernel
        assert "would be empty" in str(error)
        return
    found = filtered(1, **case, measure=True)
    extent = whole.extent
    if (
        extent is not None
        and extent.most - extent.least < 1e-9 * abs(extent.most)
        and extent.most != extent.least
    ):
        return  # the noise of sums of more than 16 bits, stretched
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
def test_what_is_measured_are_the_values_before_they_are_samples(dtype: str, alpha: str | None) -> None:
    pixels = np.random.default_rng(4).integers(0, 200, (60, 50, 4)).astype(dtype)
    options = {"alpha": alpha, "padding": "valid"}
    kernel = parse_kernel("gaussian" if alpha == "premultiply" else "sharpen")
    for samples in (1, 999, WHOLE):
        with patch.object(parts, "SAMPLES", samples):
            found = filter_image(pixels, kernel, **options, measure=True).measured
            values = filter_image(pixels.astype(np.float64), kernel, **options, value_range=None).pixels
        colours = values if alpha is None else values[..., :3]
        assert found is not None
        assert (found.least, found.most) == pytest.approx((colours.min(), colours.max()))
        assert found.total / found.count == pytest.approx(colours.mean())
        assert found.count == colours.size


def test_nothing_is_measured_that_nobody_asks_for() -> None:
    assert filter_image(np.ones((9, 9), np.uint8), parse_kernel("box")).measured is None


def test_the_results_of_threads_are_the_same() -> None:
    pixels = np.random.default_rng(7).random((300, 40, 2))
    with patch.object(parts, "SAMPLES", 2000):
        made = [
            filter_image(
                pixels, parse_kernel("gaussian:sigma=2"), alpha="keep", threads=threads, measure=True
            )
            for threads in (1, 2, 7)
        ]
    for other in made[1:]:
        np.testing.assert_array_equal(other.pixels, made[0].pixels)
        assert other.measured == made[0].measured


def test_an_extent_that_is_given_is_not_looked_for() -> None:
    pixels = np.arange(40, dtype=np.uint8).reshape(8, 5)
    given = Extent(0, 78)
    with patch.object(parts, "SAMPLES", 1):
        made = filter_image(pixels, parse_kernel("identity"), value_range="minmax", extent=given)
    assert made.extent == given
    assert made.pixels.max() == round(39 * 255 / 78)


def test_a_part_that_fails_ends_the_others() -> None:
    seen = []

    def work(part: Any) -> None:
        seen.append(part)
        raise MemoryError("the first")

    with pytest.raises(MemoryError, match="the first"):
        shared(work, list(range(1000)), 2)
    assert len(seen) < 1000
    assert shared(lambda part: part + 1, list(range(100)), 7) == list(range(1, 101))


def test_parts_are_small_and_high_enough() -> None:
    slide = Slide((3, 3), (1, 1), (1, 1), (3000, 4000))
    rows = height(slide, 3, 4000)
    assert rows * 4000 * 3 <= parts.SAMPLES < (rows + 1) * 4000 * 3
    assert largest_part(slide, 3, 4000) == (rows * 4000 * 3, (rows + 2) * 4000 * 3)
    tall = Slide((63, 63), (1, 1), (1, 1), (3000, 4000))
    assert height(tall, 3, 4000) == parts.SPANS * 63
    strided = Slide((3, 3), (4, 4), (1, 1), (750, 1000))
    assert height(strided, 3, 4000) * 4 * 4000 * 3 <= parts.SAMPLES


def test_sums_of_measures_keep_what_is_no_number() -> None:
    plain, missing = Measured(1, 2, 3, 2), Measured.of(np.array([np.nan, 5]))
    assert (plain + plain) == Measured(1, 2, 6, 4)
    assert np.isnan([(plain + missing).least, (missing + plain).most, (plain + missing).total]).all()
