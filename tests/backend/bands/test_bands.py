"""Pictures in bands: every method, tile and thread count gives the sums of the definition."""

import gc
import os
import signal
import time
import tracemalloc
import weakref
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from convcli.backend.algorithms.slide import Slide
from convcli.backend.bands import band_plan, passes, toeplitz
from convcli.backend.bands.band_loop import plan_all
from convcli.backend.bands.band_plan import RUNNING, BandPlan, Facts, plan
from convcli.backend.bands.running import RunningSums, signed_digits, slack, sum_neighbours
from convcli.backend.bands.strip import Strip
from convcli.backend.bands.weights import Weights
from convcli.backend.borders import pad
from convcli.backend.machine import USUAL_CACHE, Machine
from convcli.errors import ArgumentError
from convcli.filters.filter_image import filter_image
from convcli.filters.single_kernel import SingleKernel
from convcli.filters.tiles import weighing
from convcli.kernels import Kernel, parse_kernel
from convcli.kernels.change import anchored, shifted
from convcli.layers.padding import MODES

RNG = np.random.default_rng(11)


def kernel_of(matrix: np.ndarray) -> Kernel:
    return Kernel("test", (tuple(map(tuple, matrix.tolist())),))


def second_opinion(pixels: np.ndarray, kernel: Kernel) -> np.ndarray:
    weights = np.array(kernel.matrices[0], dtype=float)[..., np.newaxis]
    info = np.iinfo(pixels.dtype)
    origin = [side % 2 - 1 for side in weights.shape]  # SciPy centres an even kernel on the other middle tap
    sums = ndimage.correlate(pixels.astype(float), weights, mode="mirror", origin=origin) / kernel.divisor
    return sums.clip(info.min, info.max)


PICTURE = RNG.integers(0, 256, (90, 110, 3), dtype=np.uint8)
KERNELS = {
    "whole": kernel_of(RNG.integers(-3, 4, (5, 4))),
    "whole of rank 1": kernel_of(np.outer([1, 2, 3, 2, 1], [-1, 0, 2])),
    "uniform": parse_kernel("box:21"),
    "uniform, long": parse_kernel("box:64"),
    "floats": kernel_of(RNG.normal(size=(7, 5)) / 10),
    "floats of rank 1": parse_kernel("gaussian:sigma=1.7"),
    "large floats": kernel_of(RNG.normal(size=(33, 29)) / 300),
}


@pytest.mark.parametrize("method", ["auto", "direct", "separable", "gemm", "fft"])
@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_every_method_gives_the_same_pixels(name: str, method: str, dtype: str) -> None:
    kernel = KERNELS[name]
    pixels = PICTURE if dtype == "uint8" else RNG.integers(0, 65536, PICTURE.shape, dtype=np.uint16)
    if method == "separable" and name in ("whole", "floats", "large floats"):
        with pytest.raises(ArgumentError, match=r"does not suit the kernel .*, whose rank is above 1"):
            filter_image(pixels, kernel, method=method)
        return
    result = filter_image(pixels, kernel, method=method)
    assert ("stages" in result.plan) or method in ("auto", result.plan.split()[0])
    error = 1e-9 if "whole" in name or "uniform" in name else np.iinfo(dtype).max * 1e-5
    assert np.abs(result.pixels - second_opinion(pixels, kernel)).max() <= 0.5 + error


@pytest.mark.parametrize("method", ["separable", "gemm", "fft"])
@pytest.mark.parametrize("name", ["box:5", "sobel", "gaussian:sigma=2"])
@pytest.mark.parametrize("alpha", [None, "keep", "auto"])
def test_a_requested_method_is_used_without_bands_too(name: str, method: str, alpha: Any) -> None:
    kernel = parse_kernel(name)
    pixels = RNG.integers(0, 256, (40, 50, 4), dtype=np.uint8)
    pixels[10:20, 10:30, 3] = 0
    plain = filter_image(pixels, kernel, stride=2, alpha=alpha)
    with patch.object(weighing, "_quickest", wraps=weighing._quickest) as called:
        result = filter_image(pixels, kernel, stride=2, alpha=alpha, method=method)
    assert called.called == ("stages" in result.plan)
    assert called.called or alpha is None
    assert called.called or result.plan.split()[0] == method
    assert all(each.args[-1] == method for each in called.call_args_list)
    assert (result.pixels == plain.pixels).all()


@pytest.mark.parametrize("kernel", [*KERNELS.values(), parse_kernel("sobel"), parse_kernel("scharr")])
def test_pixels_do_not_depend_on_the_threads(kernel: Kernel) -> None:
    pixels = RNG.integers(0, 256, (700, 300, 3), dtype=np.uint8)
    one = filter_image(pixels, kernel, threads=1)
    for threads in (2, 3, 8):
        other = filter_image(pixels, kernel, threads=threads)
        assert (one.pixels == other.pixels).all()
        assert one.clipped == other.clipped


@st.composite
def slides(draw: st.DrawFn) -> dict[str, Any]:
    size = draw(st.tuples(st.integers(1, 9), st.integers(1, 9)))
    pads = draw(st.tuples(*[st.tuples(st.integers(0, 7), st.integers(0, 7))] * 2))
    kernel = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    stride, dilation = (draw(st.tuples(st.integers(1, 3), st.integers(1, 2))) for _ in range(2))
    return {"size": size, "pads": pads, "kernel": kernel, "stride": stride, "dilation": dilation}


@given(slides(), st.sampled_from(list(MODES)), st.data())
def test_a_strip_is_the_padded_picture(case: dict[str, Any], mode: str, data: st.DataObject) -> None:
    output = tuple(
        (n + sum(pair) - d * (k - 1) - 1) // s + 1
        for n, pair, k, s, d in zip(
            case["size"], case["pads"], case["kernel"], case["stride"], case["dilation"]
        )
    )
    if min(output) < 1:
        return
    slide = Slide(case["kernel"], case["stride"], case["dilation"], output)
    picture = RNG.integers(0, 256, (*case["size"], 2), dtype=np.uint8)
    whole = pad(picture, case["pads"], (0, 1), mode, 7).astype(np.int32)
    strip = Strip(picture, slide, case["pads"], mode, 7, np.int32)
    for _ in range(3):
        tile = tuple(
            slice(first, data.draw(st.integers(first + 1, count)))
            for count in output
            for first in [data.draw(st.integers(0, count - 1))]
        )
        rows, columns = slide.reach(tile)
        assert (strip.load(*tile) == whole[rows, columns].reshape(rows.stop - rows.start, -1)).all()


@given(st.lists(st.integers(-4, 4), min_size=1, max_size=9))
def test_weighted_sums(weights: list[int]) -> None:
    taps = RNG.integers(-50, 50, (len(weights), 4, 6)).astype(np.int32)
    out = np.full((4, 6), 99, np.int32)
    passes.WeightedSum(weights, np.int32)(lambda place: taps[place], out, passes.Scratch())
    assert (out == sum(weight * tap for weight, tap in zip(weights, taps))).all()


@given(st.integers(1, 5000))
def test_signed_digits(number: int) -> None:
    digits = signed_digits(number)
    assert sum(digit << place for place, digit in enumerate(digits[::-1])) == number
    assert digits[0] == 1
    assert set(digits) <= {-1, 0, 1}
    assert len(digits) + sum(map(abs, digits)) <= number.bit_length() + number.bit_count()


@given(st.integers(1, 70), st.integers(1, 4), st.integers(1, 30))
def test_sums_of_neighbours(taps: int, step: int, count: int) -> None:
    line = RNG.integers(0, 9, count + slack(taps, step)).astype(np.int16)
    line[count + (taps - 1) * step :] = 32767  # the memory after it may hold anything
    out = np.empty(count, np.int16)
    sum_neighbours(line, signed_digits(taps), step, out, passes.Scratch())
    assert (out == sum(line[t * step : t * step + count] for t in range(taps))).all()


@pytest.mark.parametrize("kept", [1, 1 << 21])
@pytest.mark.parametrize("step", [1, 500, 1 << 17])
@given(st.tuples(st.integers(1, 12), st.integers(1, 12)), st.sampled_from(list(MODES)), st.integers(1, 4))
def test_running_sums(step: int, kept: int, box: tuple[int, int], mode: str, channels: int) -> None:
    picture = RNG.integers(0, 256, (23, 9, channels), dtype=np.uint8)
    pads = ((3, 9), (8, 4))
    whole = pad(picture, pads, (0, 1), mode, 7).astype(int)
    size = tuple(n - k + 1 for n, k in zip(whole.shape, box))
    strip = Strip(picture, Slide(box, (1, 1), (1, 1), size), pads, mode, 7, np.int16)
    sums = RunningSums(strip, box, "int16", "float32", 0.5)
    expected = sum(whole[y : y + size[0], x : x + size[1]] for y in range(box[0]) for x in range(box[1]))
    for tile in ((slice(0, size[0]), slice(0, size[1])), (slice(size[0] // 2, size[0]), slice(0, 1))):
        height = tile[0].stop - tile[0].start
        found = np.full((height, (tile[1].stop - tile[1].start) * channels), -1.0)
        with patch.multiple("convcli.backend.bands.running", KEPT=kept, STEP=step):
            for rows, part in sums(tile):
                found[rows] = part
        assert (found == expected[tile].reshape(height, -1) + 0.5).all()


@given(st.integers(1, 6), st.integers(1, 3), st.integers(1, 3), st.integers(1, 30), st.integers(1, 70))
def test_products_are_sums(taps: int, dilation: int, channels: int, rows: int, columns: int) -> None:
    weights = RNG.normal(size=taps)
    reach = dilation * (taps - 1)
    strip = RNG.normal(size=(rows + reach, columns))
    weigh = toeplitz.WeightedRows(weights[:, None], dilation, 0, np.float64)
    down = weigh(strip, np.empty((rows, columns)), passes.Scratch())
    assert np.allclose(
        down, sum(w * strip[t * dilation : t * dilation + rows] for t, w in enumerate(weights))
    )
    step = dilation * channels
    strip = RNG.normal(size=(rows, columns + (taps - 1) * step))
    across = toeplitz.WeightedColumns(weights.tolist(), step, np.float64)(strip, np.empty((rows, columns)))
    assert np.allclose(
        across, sum(w * strip[:, t * step : t * step + columns] for t, w in enumerate(weights))
    )


def planned(
    text: str, size: tuple[int, int] = (3000, 4000), wide: bool = False, threads: int = 1
) -> BandPlan | None:
    kernel = (
        parse_kernel(text)
        if ":" in text or text.isalpha()
        else kernel_of(RNG.normal(size=(int(text), int(text))))
    )
    whole = all(isinstance(weight, int) for matrix in kernel.matrices for row in matrix for weight in row)
    weights = [Weights.of(np.array(matrix, np.int64 if whole else np.float64)) for matrix in kernel.matrices]
    slide = Slide(kernel.shape, (1, 1), (1, 1), size)
    return plan_all(weights, 65535 if wide else 255, slide, 3, wide, "auto", threads)


@pytest.mark.parametrize("text", ["sharpen", "sobel"])
def test_tiles_of_narrow_pictures_are_taller(text: str) -> None:
    wide, narrow = planned(text), planned(text, (3000, 400))
    assert wide and narrow
    assert narrow.columns == 400
    assert 0.7 < narrow.rows * narrow.columns / (wide.rows * wide.columns) <= 1.4


@pytest.mark.parametrize(
    ("text", "wide", "method", "dtype"),
    [
        ("sharpen", False, "direct", "int16"),
        ("sharpen", True, "direct", "int32"),
        ("sobel", False, "separable", "int16"),
        ("gaussian:2.5", False, "separable", "float32"),
        ("gaussian:2.5", True, "separable", "float64"),
        ("box:31", False, RUNNING, "float32"),
        ("box:31", True, RUNNING, "int32"),
        ("9", False, "gemm", "float32"),
        ("31", False, "fft", "float32"),
        ("63", False, "fft", "float32"),
    ],
)
def test_the_plan_of_a_large_picture(text: str, wide: bool, method: str, dtype: str) -> None:
    found = planned(text, wide=wide)
    assert found is not None
    assert (found.method, found.dtype) == (method, dtype)


def test_no_more_threads_than_bands() -> None:
    assert planned("sharpen", size=(10, 4000), threads=8).threads == 1
    assert planned("sharpen", threads=8).threads == 8


def test_sums_beyond_every_dtype_have_no_plan() -> None:
    slide = Slide((3, 3), (1, 1), (1, 1), (100, 100))
    facts = Facts(whole=True, most=1 << 60, down_most=1 << 60, box_most=None, passes=9, factor_passes=None)
    assert plan(facts, slide, 3, False, "auto", 1) is None
    assert filter_image(PICTURE, kernel_of(np.array([[1 << 40, 1]]))).plan == "stages in float64"


def test_an_offset_never_wraps_if_sums_fill_their_dtype() -> None:
    pixels = np.full((4, 5), 255, np.uint8)
    result = filter_image(pixels, kernel_of(np.array([[128]])), value_range="offset")
    assert (result.pixels == 255).all()
    assert result.clipped == 1


@pytest.mark.parametrize("method", ["direct", "separable", "gemm"])
def test_magnitudes_of_whole_kernels_are_exact_by_every_method(method: str) -> None:
    across = np.array([[-1, 0, 1]]) * np.array([[7], [19], [7]])
    kernel = Kernel(
        "steep",
        (tuple(map(tuple, across.tolist())), tuple(map(tuple, across.T.tolist()))),
        combine="magnitude",
    )
    pixels = RNG.integers(0, 65536, (60, 70), dtype=np.uint16) if method == "direct" else PICTURE
    found = filter_image(pixels, kernel, method=method, value_range="clip").pixels
    plain = filter_image(pixels.astype(np.int32), kernel).pixels  # a dtype that no band takes
    assert (found == plain.clip(0, np.iinfo(pixels.dtype).max)).all()


def test_finish_squares_whole_float32_sums_exactly() -> None:
    from convcli.backend.bands.sums_to_pixels import Finish

    sums = [np.array([[5001.0]], np.float32), np.array([[5003.0]], np.float32)]  # their squares exceed 2**24
    values = Finish("magnitude", 1, 0, "clip", np.dtype(np.uint8), 255.0 * 33, True)._combined(
        sums, passes.Scratch()
    )
    assert values.item() == np.sqrt(5001.0**2 + 5003.0**2)


def test_the_first_pass_fits_every_matrix() -> None:
    matrices = [np.outer([1, 0, 1], [40, 60, 41]), np.outer([40, 60, 41], [1, 0, 1])]
    kernel = Kernel(
        "two", tuple(tuple(map(tuple, matrix.tolist())) for matrix in matrices), combine="magnitude"
    )
    pixels = np.full((20, 30), 255, np.uint8)
    found = filter_image(pixels, kernel, method="separable", stride=2).pixels  # no product has a stride
    assert (found == filter_image(pixels.astype(np.int32), kernel, stride=2).pixels.clip(0, 255)).all()
    weights = [Weights.of(matrix) for matrix in matrices]
    band_plan = plan_all(weights, 255, Slide((3, 3), (2, 2), (1, 1), (10, 15)), 1, False, "separable", 1)
    assert band_plan is not None
    assert (band_plan.dtype, band_plan.first) == ("int32", "int32")


@pytest.mark.parametrize("odd", [np.nan, np.inf])
def test_non_finite_values_only_affect_outputs_within_the_kernel(odd: float) -> None:
    pixels = RNG.random((60, 70)).astype(np.float32)
    pixels[30, 40] = odd
    for kernel in (parse_kernel("gaussian:2"), kernel_of(RNG.random((33, 33)) + 1)):
        touched = ~np.isfinite(filter_image(pixels, kernel).pixels)
        reach = kernel.shape[0] // 2
        expected = np.zeros((60, 70), bool)
        expected[30 - reach : 31 + reach, 40 - reach : 41 + reach] = True
        if kernel.shape[0] < 30:  # the border does not reflect it
            assert (touched == expected).all()
        else:
            assert not touched[:5, :10].any()


def plain(pixels: np.ndarray, kernel: Kernel, **options: Any) -> np.ndarray:
    """The pixels by shift and add, in tiles of float64."""
    with patch.object(SingleKernel, "_in_bands", return_value=None):
        found = filter_image(pixels.astype(np.float64), kernel, **{"method": "direct", **options}).pixels
    if pixels.dtype.kind == "f":
        with np.errstate(over="ignore"):
            return found.astype(pixels.dtype)
    limits = np.iinfo(pixels.dtype)
    return np.rint(found).clip(limits.min, limits.max).astype(pixels.dtype)


@pytest.mark.parametrize("side", [5, 33])
@pytest.mark.parametrize("scale", [1e-4, 1.0])
def test_large_floats_do_not_overflow_in_between(side: int, scale: float) -> None:
    pixels = RNG.random((90, 80)).astype(np.float32)
    pixels[40, 40] = 3e38
    kernel = kernel_of(RNG.normal(size=(side, side)) * scale)
    found, wanted = filter_image(pixels, kernel).pixels, plain(pixels, kernel)
    assert (np.isfinite(found) == np.isfinite(wanted)).all()
    finite = np.isfinite(wanted) & (np.abs(wanted) < 1e30)
    assert np.allclose(found[finite], wanted[finite], atol=1e-3)
    assert (
        filter_image(np.full((9, 9), 1e38, np.float32), parse_kernel("box")).pixels == np.float32(1e38)
    ).all()


def test_a_quotient_too_large_for_float32_is_infinite_without_a_warning() -> None:
    kernel = Kernel("tiny", (((1, 2),),), divisor=1e-40)
    assert np.isinf(filter_image(np.ones((3, 4), np.float32), kernel).pixels).all()


@pytest.mark.parametrize("value", [1e39, -1e30, 1e10, 1e6])
@pytest.mark.parametrize("side", [5, 33])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_a_border_far_from_the_pixels_reaches_no_further_than_the_kernel(
    value: float, side: int, dtype: str
) -> None:
    kernel = kernel_of(RNG.random((side, side)) / side**2)
    pixels = RNG.integers(0, 200, (90, 80)).astype(dtype)
    options = {"padding_mode": "constant", "padding_value": value}
    found = filter_image(pixels, kernel, **options).pixels.astype(float)
    wanted = plain(pixels, kernel, **options).astype(float)
    assert np.isclose(found, wanted, rtol=1e-5, atol=2e-3 if dtype == "float32" else 1).all()


def test_a_border_of_any_value_around_a_kernel_of_zeros() -> None:
    kernel, pixels = kernel_of(np.zeros((3, 3), int)), PICTURE[:9, :9]
    for value in (1e39, -1e19, 40000):
        assert not filter_image(pixels, kernel, padding_mode="constant", padding_value=value).pixels.any()
    result = filter_image(pixels, kernel, method="separable", padding_mode="constant", padding_value=40000)
    assert not result.pixels.any()


@pytest.mark.parametrize("weights", [[1e9, 0.5 - 1e9], [3e6, -1.5e6, -1.5e6 + 0.25]])
def test_large_weights_that_cancel_leave_the_digits_of_a_pixel(weights: list[float]) -> None:
    pixels = np.repeat(RNG.integers(0, 256, (20, 1), dtype=np.uint8), 9, axis=1)
    kernel = kernel_of(np.array([weights]))
    assert np.abs(filter_image(pixels, kernel).pixels - pixels[:, :1] * sum(weights)).max() <= 0.501


def test_a_divisor_near_zero_raises_no_rounding_error_to_a_pixel() -> None:
    weights = RNG.random((33, 33))
    kernel = Kernel("steep", (tuple(map(tuple, weights.tolist())),), divisor=1e-30)
    pixels = np.zeros((120, 120), np.uint16)
    pixels[0, 0] = 65535
    assert not filter_image(pixels, kernel).pixels[40:, 40:].any()


def test_a_half_stays_one_by_a_divisor_that_is_not_whole() -> None:
    pixels = np.arange(256, dtype=np.uint8)[None]
    for divisor in np.arange(1, 40) / 10:
        kernel = Kernel("tenths", (((1, 2),),), divisor=float(divisor))
        assert (filter_image(pixels, kernel).pixels == plain(pixels, kernel)).all()


def test_a_magnitude_just_below_a_half_is_not_rounded_up_when_divided() -> None:
    # 635**2 + 2041**2 = 4568906 is (9 * 237.5)**2 - 1/4.
    kernel = Kernel("two", (((2, 1, 0, 0),), ((0, 0, 8, 1),)), divisor=9, combine="magnitude")
    assert filter_image(np.array([[255, 125, 255, 1]], np.uint8), kernel, padding="valid").pixels == 237


@pytest.mark.parametrize("dilation", [(256, 1), (1, 256), (256, 256)])
def test_a_kernel_that_spans_one_more_than_the_longest_transform(dilation: tuple[int, int]) -> None:
    kernel, pixels = kernel_of(RNG.random((5, 5))), RNG.integers(0, 9, (30, 40), dtype=np.uint8)
    found = filter_image(pixels, kernel, dilation=dilation, padding_mode="replicate").pixels
    assert (
        np.abs(found.astype(int) - plain(pixels, kernel, dilation=dilation, padding_mode="replicate")).max()
        <= 1
    )


@pytest.fixture
def usual_machine() -> Iterator[None]:
    """A machine with the usual costs and cache."""
    with patch.object(band_plan, "machine", return_value=Machine()):
        yield


@pytest.mark.parametrize("text", ["sharpen", "sobel", "gaussian:2.5", "9"])
@pytest.mark.parametrize("threads", [1, 2, 4, 8])
def test_a_tile_is_about_as_large_as_the_cache(usual_machine: None, text: str, threads: int) -> None:
    way = planned(text, threads=threads)
    assert way is not None
    taken = way.rows * way.columns * 3 * np.dtype(way.dtype).itemsize
    assert 0.75 * USUAL_CACHE < taken < 3 * USUAL_CACHE


def test_tiles_of_many_threads_are_taller(usual_machine: None) -> None:
    few, some, many = (planned("sharpen", threads=threads) for threads in (1, 2, 4))
    assert few is not None and some is not None and many is not None
    assert few.rows == some.rows < many.rows


@pytest.mark.parametrize(("threads", "rows"), [(1, 3000), (2, 1500), (7, 429)])
def test_running_sums_have_one_tile_for_each_thread(usual_machine: None, threads: int, rows: int) -> None:
    way = planned("box:31", threads=threads)
    assert way is not None
    assert (way.method, way.rows) == (RUNNING, rows)


def test_the_rows_that_running_sums_hold_fit_the_memory_for_them(usual_machine: None) -> None:
    way = planned("box:255")
    assert way is not None
    assert 0.9 * band_plan.RUNNING_HELD < 255 * 3 * way.columns <= band_plan.RUNNING_HELD


def test_at_most_half_of_the_rows_of_a_tile_are_its_border(usual_machine: None) -> None:
    column = np.zeros((301, 1), int)
    column[[0, -1]] = 1
    slide = Slide(column.shape, (1, 1), (1, 1), (3000, 4000))
    way = plan_all([Weights.of(column)], 255, slide, 3, False, "direct", 1)
    assert way is not None
    below, _ = slide.reach((slice(0, way.rows), slice(0, way.columns)))
    assert below.stop - below.start <= 1.5 * way.rows


def test_a_tile_has_at_least_one_pixel_of_many_channels(usual_machine: None) -> None:
    slide = Slide((3, 3), (1, 1), (1, 1), (300, 300))
    way = plan_all([Weights.of(np.eye(3, dtype=int))], 255, slide, 10**6, False, "direct", 1)
    assert way is not None
    assert way.columns == 1


def test_a_stride_makes_tiles_lower() -> None:
    slide = Slide((3, 3), (100, 100), (1, 1), (300, 300))
    band_plan = plan_all([Weights.of(np.ones((3, 3), int))], 255, slide, 3, False, "auto", 1)
    assert band_plan is not None
    vertical, horizontal = slide.reach((slice(0, band_plan.rows), slice(0, band_plan.columns)))
    assert (vertical.stop - vertical.start) * (horizontal.stop - horizontal.start) * 3 <= 2 << 20


@pytest.mark.parametrize("text", ["sharpen", "sobel", "gaussian:sigma=2", "box:9", "9", "40"])
@pytest.mark.parametrize("threads", [1, 2])
def test_the_picture_is_freed_at_once(text: str, threads: int) -> None:
    kernel = kernel_of(RNG.random((int(text),) * 2)) if text.isdigit() else parse_kernel(text)
    pixels = np.zeros((300, 400, 3), np.uint8)
    held = weakref.ref(pixels)
    gc.disable()  # which would also free cycles, but later
    try:
        filter_image(pixels, kernel, threads=threads)
        del pixels
        assert held() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("threads", [1, 2])
def test_no_tile_starts_after_one_has_failed(threads: int) -> None:
    begun = []

    def fail(strip: Strip, *tile: slice) -> np.ndarray:
        begun.append(tile)
        if len(begun) == 3:
            raise MemoryError("the third")
        time.sleep(0.01)
        return load(strip, *tile)

    load = Strip.load
    with patch.object(Strip, "load", fail), pytest.raises(MemoryError, match="the third"):
        filter_image(np.zeros((6400, 16384), np.uint8), parse_kernel("sharpen"), threads=threads)
    assert len(begun) < 3 + threads


def test_an_interrupt_stops_the_threads() -> None:
    begun = []

    def interrupt(strip: Strip, *tile: slice) -> np.ndarray:
        begun.append(tile)
        if len(begun) == 3:
            os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.01)
        return load(strip, *tile)

    load = Strip.load
    with patch.object(Strip, "load", interrupt), pytest.raises(KeyboardInterrupt):
        filter_image(np.zeros((6400, 16384), np.uint8), parse_kernel("sharpen"), threads=2)
    assert len(begun) < 50


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("value_range", ["clip", "abs", "offset"])
@pytest.mark.parametrize(
    "kernel",
    [
        parse_kernel("kirsch"),
        parse_kernel("robinson"),
        shifted(parse_kernel("sobel"), -20),
        shifted(parse_kernel("sharpen"), 7),
        shifted(parse_kernel("box:5"), -3.25),
        anchored(parse_kernel("box:7"), (0, 5)),
        anchored(parse_kernel("1 2 3; 4 5 6"), (1, 2)),
        Kernel("k", (((1, -2, 1),), ((2, 0, -3),)), divisor=-7, combine="largest", offset=1),
    ],
    ids=lambda kernel: kernel.name,
)
def test_every_kind_of_kernel_in_bands_gives_the_plain_sums(
    kernel: Kernel, value_range: str, dtype: str
) -> None:
    pixels = PICTURE if dtype == "uint8" else RNG.integers(0, 65536, PICTURE.shape, dtype=np.uint16)
    most = np.iinfo(dtype).max
    result = filter_image(pixels, kernel, value_range="abs" if value_range == "abs" else "clip")
    how = "abs" if value_range == "abs" else "clip"
    plain = filter_image(pixels.astype(np.float64), kernel, value_range=how, method="direct")
    assert "stages" not in result.plan
    assert plain.plan == "direct in stages of float64"
    values = plain.pixels
    if value_range == "offset":
        result, values = filter_image(pixels, kernel, value_range="offset"), values + (most + 1) // 2
    assert (result.pixels == np.rint(values).clip(0, most)).all()
    assert result.clipped == ((np.rint(values) < 0) | (np.rint(values) > most)).mean()


@pytest.mark.parametrize("shape", [(1, 2_000_000), (2_000_000, 1)])
def test_a_picture_of_one_row_takes_no_more_memory_than_others(shape: tuple[int, int]) -> None:
    """The sources of the padded pixels are cached, but not those of the pixels themselves."""
    tracemalloc.start()
    try:
        filtered = filter_image(np.zeros(shape, np.uint8), parse_kernel("sharpen"), threads=2)
        assert tracemalloc.get_traced_memory()[1] < 24 << 20
    finally:
        tracemalloc.stop()
    assert filtered.pixels.shape == shape
