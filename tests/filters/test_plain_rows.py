"""One kernel by rows: the bands equal the result of `filter_image` for the whole picture."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcli.errors import ArgumentError
from convcli.filters import plain_rows
from convcli.filters.filter_image import filter_image
from convcli.filters.plain_rows import PlainBands, PlainRows
from convcli.filters.recipe import Recipe
from convcli.filters.single_kernel import SingleKernel
from convcli.kernels import Kernel, parse_kernel
from convcli.layers import Conv
from convcli.layers.padding import MODES
from tests.examples import examples

RNG = np.random.default_rng(15)
KERNELS = ("gaussian:sigma=1", "sobel", "sharpen", "box:5", "1 2 3 4; 5 -6 7 8", "5x1: 1 2 3 4 5")


def single(kernel: Kernel, pixels: np.ndarray, value_range: str | None = "clip", **geometry) -> SingleKernel:
    recipe = Recipe(kernels=(kernel,), **geometry)
    return SingleKernel.of(recipe, pixels.dtype, None, value_range, None, False, None)


def image_layer(kernel: Kernel, stride=1, padding="same", dilation=1) -> Conv:
    sizes = {"kernel_size": kernel.shape, "stride": stride, "padding": padding, "dilation": dilation}
    return Conv(in_channels=1, out_channels=1, bias=False, **sizes)


@pytest.fixture(scope="module", autouse=True)
def small_bands():
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("BAND", 300), ("MIN_SPANS", 1)):
            patch.setattr(plain_rows, name, value)
        yield patch


@settings(max_examples=examples(120))
@given(
    st.sampled_from(KERNELS),
    st.sampled_from(list(MODES)),
    st.sampled_from(["same", "valid", "full", 1, 30, ((25, 0), (1, 2))]),
    st.sampled_from([1, 2, (3, 1)]),
    st.sampled_from([1, 2]),
    st.sampled_from(["clip", "abs", "offset", "minmax", None]),
    st.sampled_from(["uint8", "uint16", "int16", "int32", "float32", "float64"]),
    st.sampled_from([1, 3]),
    st.tuples(st.integers(3, 90), st.integers(3, 30)),
    st.booleans(),
)
def test_bands_equal_the_whole(
    spec, mode, padding, stride, dilation, value_range, dtype, channels, size, flip
) -> None:
    kernel = parse_kernel(spec)
    pixels = (RNG.random((*size, channels)) * 200).astype(dtype)
    options = {
        "stride": stride,
        "padding": padding,
        "dilation": dilation,
        "padding_mode": mode,
        "padding_value": 7.0,
        "flip": flip,
        "value_range": value_range,
    }
    try:
        layer = image_layer(kernel, stride, padding, dilation)
        whole = filter_image(pixels, kernel, **options, measure=True)
    except ArgumentError:  # a picture smaller than the kernel
        return
    if mode in ("zeros", "constant") and not PlainBands(layer, size, channels).all_look_inside:
        return
    rows = PlainRows(pixels, layer, single(kernel, pixels, **options), measure=True)
    bands = list(rows)
    found = np.concatenate(bands)
    assert found.dtype == whole.pixels.dtype
    if found.dtype.kind == "f":
        assert np.allclose(found, whole.pixels, rtol=1e-5, atol=1e-5 * np.abs(whole.pixels).max())
    else:
        assert np.array_equal(found, whole.pixels)
    reported = rows.filtered
    assert reported is not None and reported.measured is not None and whole.measured is not None
    assert (reported.pixels.shape, reported.pixels.dtype) == (found.shape, found.dtype)
    assert reported.clipped == pytest.approx(whole.clipped)
    assert reported.measured.count == whole.measured.count
    assert reported.measured.total == pytest.approx(whole.measured.total, rel=1e-5, abs=1e-3)


def test_bands_cover_all_rows_once() -> None:
    layer = image_layer(parse_kernel("box:5"), 2)
    bands = PlainBands(layer, (500, 30), 1)
    rows = [row for band in bands for row in range(band.start, band.stop)]
    assert rows == list(range(bands.output_size[0]))
    assert len(list(bands)) > 10
    # The window of row 7 begins 2 * 7 - pad rows below the first, and each further row is two below.
    assert bands.seen(slice(7, 10)) == (14 - layer.pads((500, 30))[0][0], 2 * 2 + 5)
    assert bands.rows_seen == bands.seen(slice(0, bands.rows))[1]


def test_only_the_input_rows_of_a_band_are_requested() -> None:
    class Watched:
        shape, dtype = (500, 30, 1), np.dtype("uint8")
        most = 0

        def __getitem__(self, region: tuple[slice, slice]) -> np.ndarray:
            self.most = max(self.most, region[0].stop - region[0].start)
            return np.zeros((500, 30, 1), np.uint8)[region]

    kernel, pixels = parse_kernel("box:5"), Watched()
    layer = image_layer(kernel)
    kernel_filter = single(kernel, pixels, padding_mode="circular")
    assert sum(map(len, PlainRows(pixels, layer, kernel_filter))) == 500
    assert pixels.most == PlainBands(layer, (500, 30), 1).rows_seen < 50
