"""Weights that are not integers: every 8- or 16-bit sample is the exact sum, rounded once, half to even.

The expected values come from plain loops over fractions, with weights rounded to multiples of 2^-40.
"""

from dataclasses import replace
from fractions import Fraction
from random import Random
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

from convcli.backend.algorithms.slide import Slide
from convcli.backend.bands import picture_in_bands, rounding
from convcli.backend.bands.band_loop import plan_all, run
from convcli.backend.bands.rounding import Rounder, error_of
from convcli.backend.bands.strip import Strip
from convcli.backend.bands.units import ExactSums, Units
from convcli.backend.bands.weights import Weights
from convcli.filters import single_kernel
from convcli.filters.filter_image import filter_image
from convcli.filters.tiles.exact_values import _rounded_quotient
from convcli.kernels import Kernel, parse_kernel
from convcli.kernels.change import shifted
from convcli.kernels.kernel import flat, mapped
from convcli.layers.padding import MODES
from tests.pictures import OWN, Window, kept_response, plain_response

ONE = 1 << 40
RNG = np.random.default_rng(5)


def in_units(kernel: Kernel, divisor: float) -> Kernel:
    """Return the kernel with whole weights that are divided by 2^40."""

    def taken(matrix: Any) -> Any:
        if isinstance(matrix[0], tuple):
            return tuple(map(taken, matrix))
        return tuple(round(weight / divisor * ONE) for weight in matrix)

    offset = Fraction(round(kernel.offset * ONE), ONE)
    return replace(kernel, matrices=tuple(map(taken, kernel.matrices)), divisor=ONE, offset=float(offset))


def expected(
    pixels: np.ndarray, kernel: Kernel, place: tuple[int, int], alpha: str | None, **geometry: Any
) -> list[Fraction | int]:
    """Return the exact value of every channel of a pixel."""
    window = Window(pixels, in_units(kernel, kernel.divisor), place, **geometry)
    channels = range(pixels.shape[2])
    if alpha in (None, "filter"):
        return [plain_response(window, channel) for channel in channels]
    last, opaque = channels[-1], int(np.iinfo(pixels.dtype).max)
    if alpha == "keep":
        colours = [kept_response(window, channel, last, opaque) for channel in channels[:-1]]
        return [*colours, window.sample(OWN, last, opaque)]
    # A mean: the sum of its weights counts as 1.
    sharing = Window(
        pixels, in_units(replace(kernel, offset=0), sum(flat(kernel.matrices[0]))), place, **geometry
    )
    share = sharing.response(lambda tap: sharing.sample(tap, last, opaque))
    if not share:
        return [*(plain_response(window, channel) for channel in channels[:-1]), share]
    offset = Fraction(window.kernel.offset)

    def product(channel: int) -> Fraction | int:
        return (
            window.response(lambda tap: window.sample(tap, last, opaque) * window.sample(tap, channel))
            - offset
        )

    products = map(product, channels[:-1])
    return [*(product / share + offset for product in products), share]


SPECS = [
    "gaussian:sigma=0.8",
    "0.5 0.5",
    "0.25; 0.75",
    "0.1 0.2 0.4 0.2 0.1",
    "0.5 -1.25; 0.75 1.5",
    "motion:length=3,angle=30",
    "freichen",
    "gabor:sigma=1",
    "0 0.5 0; 0.25 0 0.25",
]
SMOOTH = [spec for spec in SPECS if parse_kernel(spec).is_smoothing]


@st.composite
def cases(draw: st.DrawFn) -> dict[str, Any]:
    dtype = draw(st.sampled_from(["uint8", "uint16", "int8", "int16"]))
    alpha = draw(st.sampled_from([None, None, "filter", "keep", "premultiply"])) if dtype[0] == "u" else None
    kernel = parse_kernel(draw(st.sampled_from(SMOOTH if alpha == "premultiply" else SPECS)))
    if draw(st.booleans()):
        kernel = shifted(kernel, draw(st.sampled_from([3, -0.5, 0.3])))
    limits = np.iinfo(dtype)
    elements = st.one_of(st.sampled_from([limits.min, 0, 1, limits.max]), st.integers(limits.min, limits.max))
    size = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    channels = draw(st.sampled_from([2, 4])) if alpha else draw(st.sampled_from([1, 3]))
    return {
        "pixels": draw(hnp.arrays(dtype, (*size, channels), elements=elements)),
        "kernel": kernel,
        "alpha": alpha,
        "stride": draw(st.tuples(st.integers(1, 2), st.integers(1, 2))),
        "dilation": draw(st.tuples(st.integers(1, 2), st.integers(1, 2))),
        "mode": draw(st.sampled_from(list(MODES))),
        "value": draw(st.sampled_from([0, 7, 0.5, -3.25])),
        "flip": draw(st.booleans()),
        "method": draw(st.sampled_from(["auto", "direct", "gemm", "fft"])),
        "value_range": draw(st.sampled_from(["clip", "abs", "offset"])),
    }


# Weights that floats represent exactly, and a transform divided by an alpha of 1 next to one of 65535.
FAINT_BESIDE_OPAQUE = {
    "pixels": np.array([[[0, 65535], [0, 0], [244, 1]]], np.uint16),
    "kernel": Kernel(name="half", matrices=(((0.5, 0.5),),), offset=-0.5),
    "alpha": "premultiply",
    "stride": (1, 1),
    "dilation": (1, 1),
    "mode": "replicate",
    "value": 0,
    "flip": False,
    "method": "fft",
    "value_range": "clip",
}


@given(cases())
@example(FAINT_BESIDE_OPAQUE)
def test_every_sample_is_the_exact_one(case: dict[str, Any]) -> None:
    pixels, kernel, alpha, value_range = (case[k] for k in ("pixels", "kernel", "alpha", "value_range"))
    geometry = {"stride": case["stride"], "dilation": case["dilation"], "mode": case["mode"]}
    geometry |= {"value": case["value"], "flip": case["flip"]}
    pad = 6
    result = filter_image(
        pixels,
        kernel,
        stride=case["stride"],
        dilation=case["dilation"],
        padding=pad,
        padding_mode="replicate" if case["mode"] in ("reflect", "symmetric", "circular") else case["mode"],
        padding_value=case["value"],
        flip=case["flip"],
        alpha=alpha,
        method=case["method"],
        value_range=value_range,
    )
    if case["mode"] in ("reflect", "symmetric", "circular"):
        geometry["mode"] = "replicate"
    limits = np.iinfo(pixels.dtype)
    for row, column in np.ndindex(*result.pixels.shape[:2]):
        values = expected(pixels, kernel, (row, column), alpha, before=(pad, pad), **geometry)
        for channel, value in enumerate(values):
            is_alpha = alpha in ("keep", "premultiply") and channel == len(values) - 1
            if value_range == "abs" and not is_alpha:
                value = abs(value)
            if value_range == "offset" and not is_alpha:
                value += (int(limits.min) + int(limits.max) + 1) // 2
            wanted = min(max(round(value), limits.min), limits.max)
            assert result.pixels[row, column, channel] == wanted, (row, column, channel, float(value))


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize(
    "spec", ["gaussian:sigma=2", "gaussian:sigma=9", "motion:angle=30", "disk:9", "0.3 0.7"]
)
def test_a_flat_picture_stays_flat_under_every_mean(spec: str, dtype: str) -> None:
    for value in (0, 1, 77, np.iinfo(dtype).max):
        pixels = np.full((70, 80, 3), value, dtype)
        assert (filter_image(pixels, parse_kernel(spec)).pixels == value).all()


@pytest.mark.parametrize(
    "spec", ["gaussian:sigma=1.5", "0.5 0.5", "log:sigma=1", "gaussian:sigma=0.7,size=3"]
)
@pytest.mark.parametrize("alpha", [None, "auto"])
def test_minmax_stretches_exact_values(spec: str, alpha: str | None) -> None:
    pixels = RNG.integers(0, 4, (11, 13, 4), dtype=np.uint8)
    kernel = parse_kernel(spec)
    kept = "premultiply" if alpha and kernel.is_smoothing else "keep" if alpha else None
    values = [[expected(pixels, kernel, (row, column), kept) for column in range(13)] for row in range(11)]
    exact = [value for line in values for pixel in line for value in pixel[: 3 if alpha else 4]]
    least, most = float(min(exact)), float(max(exact))
    made = filter_image(pixels, kernel, alpha=alpha, value_range="minmax")
    found = made.pixels[..., : 3 if alpha else 4].ravel()
    wanted = [round((Fraction(float(v)) - Fraction(least)) * 255 / Fraction(most - least)) for v in exact]
    apart = np.flatnonzero(found != wanted)
    # A stretched half in float64 is the same everywhere, but may be on either side of the half.
    for place in apart:
        stretched = (float(exact[place]) - least) * 255 / (most - least)
        assert abs(stretched - np.floor(stretched) - 0.5) < 1e-9
    assert made.extent == pytest.approx((least, most), abs=2**-29)  # it is counted in parts of a level


def test_a_picture_of_halves_only_is_summed_as_a_whole() -> None:
    pixels = np.full((40, 300, 3), 77, np.uint8)
    kernel = parse_kernel("gaussian:sigma=1")
    half = replace(kernel, matrices=tuple(mapped(matrix, 0.5) for matrix in kernel.matrices))
    with patch.object(ExactSums, "_everywhere", autospec=True, side_effect=ExactSums._everywhere) as whole:
        made = filter_image(pixels, half, threads=1).pixels
    assert whole.called
    total = sum(round(weight * ONE) for weight in flat(half.matrices[0]))
    assert (made == round(Fraction(77 * total, ONE))).all()


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("spec", ["0.5 0.5; 0.25 0.75", "gaussian:sigma=1", "freichen"])
def test_tiles_within_the_picture_and_at_its_border_give_the_same(spec: str, dtype: str) -> None:
    pixels = RNG.integers(0, 8, (41, 47, 3)).astype(dtype)
    kernel, planned = parse_kernel(spec), picture_in_bands.plan_all
    whole = filter_image(pixels, kernel, threads=1).pixels

    def in_small_tiles(*facts: Any, **more: Any) -> Any:
        band_plan = planned(*facts, **more)
        return band_plan and band_plan._replace(rows=7, columns=5)

    with (
        patch.object(picture_in_bands, "plan_all", in_small_tiles),
        patch.object(single_kernel, "_planned", single_kernel._planned.__wrapped__),
        patch.object(Strip, "exact", autospec=True, side_effect=Strip.exact) as exact_sums,
    ):
        found = filter_image(pixels, kernel, threads=1)
    assert (found.pixels == whole).all()
    assert found.plan.split("tiles of ")[1].startswith("7x5")
    assert exact_sums.called or spec != "0.5 0.5; 0.25 0.75", "halves are always doubtful"


PATTERNS = {
    "noise": lambda y, x: RNG.integers(0, 256, y.shape),
    "two values": lambda y, x: RNG.integers(0, 2, y.shape) * 255,
    "white": lambda y, x: np.full(y.shape, 255),
    "board": lambda y, x: (x + y) % 2 * 255,
    "disc": lambda y, x: ((x - 150) ** 2 + (y - 140) ** 2 < 90**2) * 255,
    "edge": lambda y, x: (x > 150) * 255,
    "dots": lambda y, x: (RNG.random(y.shape) < 0.01) * 255,
    "waves": lambda y, x: np.rint(127.5 + 127.5 * np.cos((x * x + y * y) / 90)),
}


@pytest.mark.parametrize("method", ["direct", "separable", "gemm", "fft"])
@pytest.mark.parametrize("pattern", PATTERNS)
def test_float_sums_are_off_by_less_than_their_bound(pattern: str, method: str) -> None:
    pixels = PATTERNS[pattern](*np.indices((256, 256))).astype(np.uint8)[..., np.newaxis]
    curve = np.exp(-0.5 * (np.arange(31) - 15) ** 2 / 25)
    dense = RNG.random((31, 31))
    for matrix in [np.outer(curve, curve)] if method == "separable" else [dense, dense - 0.5, np.eye(31)]:
        matrix = matrix / np.abs(matrix).sum()
        units = Units.of([matrix], 0, 0.0)
        assert units is not None
        slide = Slide((31, 31), (1, 1), (1, 1), (226, 226))
        weights = [Weights.of(matrix)]
        for wide in (False, True):
            band_plan = plan_all(weights, 255, slide, 1, wide, method, 1)
            assert band_plan is not None
            assert band_plan.method == method
            bound = error_of(band_plan.method, band_plan.dtype, band_plan.length, units, weights, 255)
            seen: list[np.ndarray] = []

            def rounded(self: Rounder, values: np.ndarray, _: Any, seen: list[np.ndarray] = seen) -> Any:
                seen.append(values.astype(float))
                return np.zeros(values.size, self.short), np.empty(0, int)

            finish = rounding.Rounding(units, "none", "clip", np.dtype(np.uint8), bound, 255.0, True)
            with patch.object(Rounder, "_rounded", rounded):
                run(
                    pixels,
                    weights,
                    slide,
                    ((0, 0), (0, 0)),
                    "zeros",
                    0,
                    band_plan._replace(rows=226, columns=226),
                    finish,
                )
            exact = ndimage.correlate(pixels[..., 0].astype(float), units.weights[0])[15:241, 15:241]
            assert np.abs(seen[0].reshape(exact.shape) - exact).max() < bound


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=6), st.randoms())
def test_no_order_of_summation_has_larger_partial_sums_than_the_bound(
    weights: list[float], random: Random
) -> None:
    parts = [abs(weight) for weight in weights]
    partial = sum(parts)  # the products
    while len(parts) > 1:  # any tree of additions
        first, second = (parts.pop(random.randrange(len(parts))) for _ in range(2))
        parts.append(first + second)
        partial += first + second
    assert partial <= rounding.summed(weights) * (1 + 1e-12)


@given(st.integers(-(2**60), 2**60), st.integers(1, 2**50))
@example(5 * 2**39 + 1, 2**40)
@example(5 * 2**39 - 1, 2**40)
@example(5 * 2**39, 2**40)
def test_a_quotient_of_whole_numbers_is_rounded_once(over: int, under: int) -> None:
    value = Fraction(over, under)
    if abs(value) > 2**20:
        return
    (found,) = _rounded_quotient(np.array([over], object), np.array([under], object))
    assert round(Fraction(found)) == round(value)
    assert found % 1 in (0, 0.5)
    assert (found % 1 == 0.5) == (value % 1 == Fraction(1, 2))


@pytest.mark.parametrize("weight", [255.5 / 255, 255.5 / 255 - 2.0**-39, 255.5 / 255 + 2.0**-39, -0.5 / 255])
def test_doubtful_samples_are_counted_as_clipped_after_their_exact_sums(weight: float) -> None:
    pixels = np.zeros((70, 90, 3), np.uint8)
    pixels[::9, ::7, 1] = 255  # one sample in two hundred is in doubt, inside the picture and at its border
    kernel = Kernel("doubtful", (((0, 0, 0), (0, weight, 0), (0, 0, 0)),))
    units = round(weight * 2**40)
    exact = round(Fraction(units * 255, 2**40))  # half to even
    found = filter_image(pixels, kernel, threads=1)
    assert set(np.unique(found.pixels)) == {0, min(max(exact, 0), 255)}
    assert (found.pixels[::9, ::7, 1] == min(max(exact, 0), 255)).all()
    beyond = np.count_nonzero(pixels) if not 0 <= exact <= 255 else 0
    assert found.clipped == beyond / pixels.size
