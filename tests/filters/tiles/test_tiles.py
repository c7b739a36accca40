"""Tiles of any size give the result of the whole picture, and only needed regions are requested."""

import threading
import time
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcli.backend.values import Extent
from convcli.filters.new_size import NewSize
from convcli.filters.recipe import Recipe
from convcli.filters.stages.activation_and_pools import ChannelPooled
from convcli.filters.stages.blend import LOCALS
from convcli.filters.stages.offsets import FIELDS
from convcli.filters.tiles import resampled_sources, tile_plan
from convcli.filters.tiles.given_picture import Given
from convcli.filters.tiles.layer_sources import layered
from convcli.filters.tiles.source_borders import Border, bordered
from convcli.filters.tiles.sources import Kept, Pixels, Source, begin_tile
from convcli.filters.tiles.tile_loop import TileWork, extent_of, run
from convcli.filters.tiles.tile_plan import Tiles
from convcli.filters.tiles.values_to_pixels import Finish
from convcli.kernels import parse_kernel
from convcli.layers import AdaptivePool, AvgPool, Conv, ConvTranspose, GlobalPool, LpPool, MaxPool
from convcli.layers.padding import MODES
from tests.examples import examples

RNG = np.random.default_rng(13)
KERNELS = tuple(map(parse_kernel, ("gaussian:sigma=1", "sobel", "0 1 2; 3 -4 5", "kirsch", "box:5")))
POOLS = (
    None,
    MaxPool(kernel_size=3, stride=2, padding=1),
    AvgPool(kernel_size=(2, 3), padding=(1, 1), count_include_pad=False, ceil_mode=True),
    AvgPool(kernel_size=3, stride=2, padding=1, ceil_mode=True),
    LpPool(norm_type=2, kernel_size=2, ceil_mode=True),
    AdaptivePool(output_size=(3, 4)),
    GlobalPool(kind="max"),
)
OPTIONS = {
    "depthwise": {},
    "dilated": {"dilation": 2},
    "standard": {},
    "grouped": {"groups": 3},
    "shuffled-grouped": {"groups": 3},
    "separable": {"rank": 2},
    "depthwise-separable": {"mixing": np.array([[0.5, 1, -1], [2, 0, 1.0]])},
    "pointwise": {"kernels": (), "mixing": np.array([[0.5, 1, -1], [2, 0, 1.0]])},
    "transposed": {"stride": (2, 3), "output_padding": 1},
    "resize-conv": {"stride": 2},
    "deformable": {"offsets": FIELDS["swirl"](strength=2.0)},
    "local": {"kernels": (), "widths": LOCALS["tilt-shift"](sigma=1.5)},
    "tiled": {"kernels": KERNELS[::2], "tile": (1, 3)},
}


@pytest.fixture(scope="module")
def small_tiles():
    """Make tiles of a few pixels, in steps of one or two rows."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("SAMPLES", 24), ("WIDE", 12), ("TALL", 5), ("HALOS", 0)):
            patch.setattr(tile_plan, name, value)
        patch.setattr(resampled_sources, "SAMPLES", 90)
        yield patch


def in_one_piece(given, stages, finish, premultiply):
    with pytest.MonkeyPatch.context() as patch:
        for name in ("SAMPLES", "WIDE", "TALL"):
            patch.setattr(tile_plan, name, 1 << 20)
        return run(TileWork(given, stages, finish, premultiply=premultiply, threads=1, measure=True))


@settings(max_examples=examples(80))
@given(
    st.sampled_from(list(OPTIONS)),
    st.sampled_from(KERNELS),
    st.sampled_from(list(MODES)),
    st.sampled_from(["same", "valid", "full", ((2, 0), (1, 3))]),
    st.sampled_from([1, 2, (1, 3)]),
    st.sampled_from(POOLS),
    st.sampled_from([None, True, False]),
    st.sampled_from(["clip", "offset", "minmax", None]),
    st.integers(1, 2),
    st.sampled_from([None, None, ("lanczos", 0), ("nearest", 9), ("bilinear", 1), ("box", 0)]),
    st.integers(9, 23),
    st.integers(9, 23),
)
def test_tiles_equal_the_whole(
    small_tiles,
    variant,
    kernel,
    mode,
    padding,
    stride,
    pool,
    alpha,
    value_range,
    repeat,
    resized,
    rows,
    columns,
):
    options = {"kernels": (kernel,), "stride": stride, **OPTIONS[variant]}
    if resized is not None:
        method, after = resized
        size = NewSize(RNG.integers(7, 40), RNG.integers(7, 40))
        options |= {"resize": size, "resampling": method, "resize_after": after}
    if variant == "separable":
        options["kernels"] = (KERNELS[2],)
    if variant in ("local", "deformable") or (variant, repeat) == ("depthwise-separable", 2):
        repeat = 1
    pixels = RNG.integers(0, 256, (rows, columns, 3 + (alpha is not None)), np.uint8)
    if alpha is not None:
        pixels[..., 3] *= RNG.random((rows, columns)) > 0.4
    recipe = Recipe(
        variant,
        padding=padding,
        padding_mode=mode,
        padding_value=9 * (mode == "constant"),
        pool=pool and (lambda dims: pool),
        repeat=repeat,
        **options,
    )
    try:
        stages = recipe.stages((3, rows, columns))
        if alpha:
            for stage in stages:
                stage.check_premultiplying()
    except ValueError:
        return  # refused before any tile is planned
    given = Given(pixels, alpha is not None)
    finish = Finish(pixels.dtype, np.dtype("float32" if value_range is None else "uint8"), value_range)
    whole = in_one_piece(given, stages, finish, alpha)
    for threads in (1, 3):
        found = run(TileWork(given, stages, finish, premultiply=alpha, threads=threads, measure=True))
        if value_range is None:
            assert np.allclose(found.pixels, whole.pixels, rtol=1e-5, atol=1e-4)
        else:
            assert np.array_equal(found.pixels, whole.pixels)
            assert found.clipped == pytest.approx(whole.clipped)
        assert found.measured.count == whole.measured.count
        assert found.measured.least == pytest.approx(whole.measured.least, abs=1e-9)
        assert found.measured.total == pytest.approx(whole.measured.total, abs=1e-6)
    if value_range == "minmax":
        assert extent_of(TileWork(given, stages, finish, premultiply=alpha, threads=2)) == pytest.approx(
            whole.extent
        )


def test_frames_and_channels_are_tiled_together(small_tiles):
    pixels = RNG.integers(0, 256, (3, 11, 13, 4), np.uint8)
    weight = RNG.standard_normal((5, 4, 2, 3, 2))
    stages = Recipe("standard", weights=weight, weights_name="w").stages((4, 3, 11, 13))
    finish = Finish(pixels.dtype, pixels.dtype, "offset")
    whole = in_one_piece(Given(pixels), (*stages, ChannelPooled("max")), finish, None)
    found = run(TileWork(Given(pixels), (*stages, ChannelPooled("max")), finish, threads=2))
    assert found.pixels.shape == (3, 11, 13, 1)
    assert np.array_equal(found.pixels, whole.pixels)


class RecordingSource(Source):
    """A source that records which of its positions were requested."""

    def __init__(self, shape):
        super().__init__(shape, np.dtype("float64"))
        self.places = np.zeros(self.size, bool)

    def read(self, region):
        self.places[region] = True
        return np.ones((*(place.stop - place.start for place in region), self.shape[0]))


@given(
    st.integers(1, 4),
    st.integers(1, 3),
    st.integers(1, 3),
    st.integers(0, 5),
    st.sampled_from(list(MODES)),
    st.booleans(),
    st.data(),
)
def test_only_the_input_of_the_windows_is_requested(k, s, d, pad, mode, transposed, data):
    """By plain loops over the taps: nothing outside the bounding box of the inputs is requested."""
    n = 12
    if transposed:
        layer = ConvTranspose(
            in_channels=1, out_channels=1, kernel_size=(k, 1), stride=(s, 1), dilation=(d, 1)
        )
    else:
        layer = Conv(
            in_channels=1, out_channels=1, kernel_size=(k, 1), stride=(s, 1), dilation=(d, 1),
            padding=((pad, pad), (0, 0)), bias=False,
        )  # fmt: skip
    count = layer.output_size((n, 1))[0]
    start = data.draw(st.integers(0, count - 1))
    stop = data.draw(st.integers(start + 1, count))
    source = RecordingSource((1, n, 1))
    mode = "zeros" if transposed else mode
    made = layered(layer, source, {"weight": np.ones((1, 1, k, 1))}, Border(mode))
    made.read((slice(start, stop), slice(0, 1)))
    marked = np.pad(np.arange(n), 40, **PADS[mode])  # by the position of the source that has the value
    needed, box = set(), set(range(n))
    for out, tap in product(range(start, stop), range(k)):
        if transposed:
            place, rest = divmod(out - tap * d, s)
            needed |= set() if rest else {int(marked[place + 40])}
        else:
            needed |= {int(marked[out * s - pad + tap * d + 40])}
    if not transposed:
        first, last = start * s - pad, (stop - 1) * s - pad + (k - 1) * d
        box = set(marked[first + 40 : last + 41].tolist())
        box = set(range(min(box - {-1}, default=0), max(box, default=0) + 1))
    requested = set(np.flatnonzero(source.places[:, 0]).tolist())
    assert needed - {-1} <= requested
    assert requested <= box or not needed - {-1}


PADS = {
    "zeros": {"mode": "constant", "constant_values": -1},
    "constant": {"mode": "constant", "constant_values": -1},
    "reflect": {"mode": "reflect"},
    "symmetric": {"mode": "symmetric"},
    "replicate": {"mode": "edge"},
    "circular": {"mode": "wrap"},
}


@given(
    st.sampled_from(list(MODES)),
    st.integers(1, 9),
    st.integers(-40, 40),
    st.integers(1, 30),
    st.integers(0, 3),
)
def test_a_region_beyond_the_border_equals_numpys_padding(mode, n, start, count, columns):
    values = RNG.standard_normal((n, 4, 2))
    source = Pixels(values, values.dtype)
    reach = (slice(start, start + count), slice(-columns, 4 + columns))
    found = bordered(source, reach, Border(mode, 7.0))
    options = (
        PADS[mode]
        if mode not in ("zeros", "constant")
        else {"mode": "constant", "constant_values": 7.0 * (mode == "constant")}
    )
    padded = np.pad(values, ((80, 80), (3, 3), (0, 0)), **options)
    assert np.array_equal(found, padded[80 + start : 80 + start + count, 3 - columns : 7 + columns])


@pytest.mark.parametrize("mode", list(MODES))
def test_very_distant_positions_repeat_the_near_ones(mode):
    values = RNG.standard_normal((5, 1, 1))
    source = Pixels(values, values.dtype)
    far = 10**30 * 40  # a multiple of the periods 5, 8 and 10
    for sign in (1, -1):
        found = bordered(source, (slice(sign * far, sign * far + 3), slice(0, 1)), Border(mode, 2.0))[:, 0, 0]
        expected = {
            "zeros": [0] * 3,
            "constant": [2.0] * 3,
            "replicate": [values[-1 if sign > 0 else 0, 0, 0]] * 3,
        }
        assert found.tolist() == list(expected.get(mode, values[:3, 0, 0]))


def test_cached_rows_are_not_computed_again():
    source = RecordingSource((1, 20, 4))
    kept = Kept(source)
    kept.read((slice(0, 8), slice(0, 4)))
    source.places[:] = False
    again = kept.read((slice(5, 12), slice(0, 4)))
    assert again.shape == (7, 4, 1)
    assert np.flatnonzero(source.places[:, 0]).tolist() == [8, 9, 10, 11]
    source.places[:] = False
    assert kept.read((slice(6, 9), slice(1, 3))).shape == (3, 2, 1)
    assert not source.places.any()
    with pytest.raises(ValueError, match="read-only"):
        again[0] = 1


def test_minmax_without_a_finite_value_has_no_extent():
    pixels = np.full((6, 7, 1), np.nan, np.float32)
    finish = Finish(pixels.dtype, np.dtype("uint8"), "minmax")
    found = run(TileWork(Given(pixels), (), finish))
    assert found.extent is None
    assert extent_of(TileWork(Given(pixels), (), finish)) is None
    assert extent_of(TileWork(Given(np.arange(42.0).reshape(6, 7, 1)), (), finish)) == Extent(0, 41)


@pytest.mark.parametrize("light", [False, True])
@pytest.mark.parametrize("has_alpha", [False, True])
def test_minmax_of_a_uniform_picture_stretches_no_noise(light, has_alpha):
    pixels = np.full((40, 50, 2), 77, np.uint8)
    stages = Recipe(kernels=(KERNELS[0],) * 2).stages((2 - has_alpha, 40, 50))
    own = np.dtype("float64" if light else "uint8")
    finish = Finish(own, pixels.dtype, "minmax", light=light)
    found = run(TileWork(Given(pixels, has_alpha, light=light), stages, finish))
    assert set(found.pixels[..., 0].ravel().tolist()) == {0}
    assert found.extent.least == found.extent.most


def test_an_error_in_one_thread_ends_the_others(small_tiles):
    def fail(_):
        raise RuntimeError("no tile")

    plan = tile_plan.Tiles.of((), (1, 20, 20))
    with pytest.raises(RuntimeError, match="no tile"):
        plan.each(lambda: fail, 3)


@pytest.mark.parametrize(
    ("recipe", "dtype"),
    [
        (Recipe(kernels=(parse_kernel("sobel"),)), "float32"),
        (Recipe(kernels=(parse_kernel("box:31"),)), "float32"),
        (Recipe("transposed", (parse_kernel("bilinear:factor=2"),), stride=2), "float32"),
        (
            Recipe(
                kernels=(parse_kernel("sobel"),), activation="relu", pool=lambda _: MaxPool(kernel_size=2)
            ),
            "float32",
        ),
        (Recipe(kernels=(parse_kernel("sobel"),), pool=lambda _: AvgPool(kernel_size=2)), "float64"),
        (Recipe(kernels=(parse_kernel("sobel"),), activation="sigmoid"), "float64"),
        (Recipe(kernels=(parse_kernel("gaussian"),)), "float64"),
        (Recipe(kernels=(parse_kernel("9000 -9000"),)), "float32"),
        (Recipe(kernels=(parse_kernel("90000 -90000"),)), "float64"),
        (Recipe(kernels=(parse_kernel("0.5 0.5"),)), "float64"),
        (Recipe(kernels=KERNELS[1:2] * 2), "float64"),
        (Recipe(kernels=KERNELS[1:2], padding_mode="constant", padding_value=0.5), "float64"),
        (Recipe("standard", weights=np.ones((2, 3, 1, 1)), weights_name="w", bias=np.ones(2)), "float64"),
        (Recipe("standard", weights=np.ones((2, 3, 1, 1)), weights_name="w"), "float32"),
        (Recipe("local", widths=LOCALS["tilt-shift"]()), "float64"),
    ],
)
def test_integer_sums_of_bytes_are_computed_in_float32_if_they_fit(recipe, dtype):
    pixels = RNG.integers(0, 256, (17, 19, 3), np.uint8)
    stages = recipe.stages((3, 17, 19))
    assert Given(pixels).shortest(stages) == dtype
    finish = Finish(pixels.dtype, pixels.dtype)
    found = run(TileWork(Given(pixels), stages, finish))
    assert found.plan == f"stages in {dtype}"
    wide = np.moveaxis(pixels, -1, 0).astype(np.float64)
    for stage in stages:
        wide = stage(wide)
    assert np.array_equal(found.pixels, np.rint(np.moveaxis(wide, 0, -1).round(9)).clip(0, 255))
    assert run(TileWork(Given(pixels), stages, finish, measure=True)).plan == "stages in float64"
    assert Given(pixels.astype(np.uint16)).shortest(stages) == "float64"


@pytest.mark.parametrize("value_range", ["clip", "minmax", None])
@pytest.mark.parametrize("has_alpha", [False, True])
def test_many_stages_run_in_legs(has_alpha, value_range, monkeypatch):
    pixels = RNG.integers(0, 256, (30, 40, 4), np.uint8)
    channels = 4 - has_alpha
    stages = Recipe(kernels=(KERNELS[0], parse_kernel("box:3")), repeat=4).stages((channels, 30, 40))
    dtype = np.dtype("float32" if value_range is None else "uint8")
    finish = Finish(pixels.dtype, dtype, value_range)
    assert len(tile_plan.legs(stages, (channels, 30, 40), 8)) == 1
    whole = run(TileWork(Given(pixels, has_alpha), stages, finish, measure=True))
    monkeypatch.setattr(tile_plan, "MAX_HELD", 1)
    found = tile_plan.legs(stages, (channels, 30, 40), 8)
    assert len(found) > 1
    assert [stage for leg in found for stage in leg] == list(stages)
    again = run(TileWork(Given(pixels, has_alpha), stages, finish, threads=2, measure=True))
    if value_range is None:
        assert np.allclose(again.pixels, whole.pixels, rtol=1e-6)
    else:
        assert np.array_equal(again.pixels, whole.pixels)
    assert again.measured.total == pytest.approx(whole.measured.total)
    assert again.extent == pytest.approx(whole.extent)


def test_legs_take_about_the_memory_of_two_pictures(monkeypatch):
    shape = (3, 400, 500)
    stages = Recipe(kernels=(KERNELS[0],), repeat=300).stages(shape)
    for leg in tile_plan.legs(stages, shape, 8):
        held = tile_plan.Tiles.of(leg, shape).numbers * 8
        assert held <= max(tile_plan.MAX_HELD, 2 * 8 * 3 * 400 * 500)


@pytest.mark.parametrize("alpha", [False, True])
def test_floats_do_not_depend_on_the_threads_that_share_the_tiles(small_tiles, alpha):
    pixels = RNG.random((60, 70, 3 + alpha)).astype(np.float32)
    stages = Recipe(kernels=KERNELS[:1] * 2 + KERNELS[2:3]).stages((3, 60, 70))
    finish = Finish(pixels.dtype, pixels.dtype)
    alone = run(TileWork(Given(pixels, alpha), stages, finish, threads=1)).pixels
    for threads in (2, 3, 5):
        assert np.array_equal(
            run(TileWork(Given(pixels, alpha), stages, finish, threads=threads)).pixels, alone
        )


def test_nothing_is_cached_between_tiles():
    source = RecordingSource((1, 20, 4))
    kept = Kept(source)
    kept.read((slice(0, 8), slice(0, 4)))
    source.places[:] = False
    begin_tile()
    kept.read((slice(0, 8), slice(0, 4)))
    assert source.places[:8].all()


def test_if_one_thread_fails_the_others_stop() -> None:
    tiles = Tiles((1, 4000, 1), rows=1, columns=1, step=1, numbers=1)
    failed, done = threading.Event(), []

    def make():
        fails = not failed.is_set() and threading.current_thread().name.endswith("_1")

        def work(region):
            if fails:
                failed.set()
                raise OSError("a damaged block")
            failed.wait(60)
            time.sleep(0.001)  # lets the other threads run
            done.append(region)

        return work

    with pytest.raises(OSError, match="a damaged block"):
        tiles.each(make, 2)
    assert len(done) < 2000
