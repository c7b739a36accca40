"""Runs by rows: bands have the samples of the whole run, and only some blocks of a file are kept."""

from collections import Counter
from threading import Lock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcli.filters.recipe import Recipe
from convcli.filters.stages.offsets import FIELDS
from convcli.filters.tiles import tile_plan
from convcli.filters.tiles.finished_rows import FinishedRows, KeptBlocks, blocks_kept
from convcli.filters.tiles.given_picture import Given
from convcli.filters.tiles.tile_loop import TileWork, run
from convcli.filters.tiles.tile_plan import Tiles, rows_seen
from convcli.filters.tiles.values_to_pixels import Finish
from convcli.kernels import parse_kernel
from convcli.layers import GlobalPool, MaxPool
from convcli.layers.padding import MODES
from tests.examples import examples

RNG = np.random.default_rng(14)
KERNELS = tuple(map(parse_kernel, ("gaussian:sigma=1", "sobel", "0 1 2; 3 -4 5", "box:7")))


class Decoded:
    """Blocks of an array that count how often each was decoded."""

    working = 0

    def __init__(self, pixels: np.ndarray, block_size: tuple[int, int]) -> None:
        self.pixels, self.block_size = pixels, block_size
        self.shape, self.dtype = pixels.shape, pixels.dtype
        self.counts: Counter[tuple[int, int]] = Counter()
        self.lock = Lock()

    def block(self, down: int, across: int) -> np.ndarray:
        with self.lock:
            self.counts[down, across] += 1
        high, wide = self.block_size
        return self.pixels[down * high : (down + 1) * high, across * wide : (across + 1) * wide].copy()


@pytest.fixture(scope="module", autouse=True)
def small_tiles():
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("SAMPLES", 24), ("WIDE", 12), ("TALL", 5), ("HALOS", 0), ("BAND", 150)):
            patch.setattr(tile_plan, name, value)
        yield patch


@settings(max_examples=examples(60))
@given(
    st.lists(st.sampled_from(KERNELS), min_size=1, max_size=3),
    st.sampled_from(["depthwise", "transposed", "deformable"]),
    st.sampled_from(list(MODES)),
    st.sampled_from(["same", "valid", ((3, 0), (1, 2))]),
    st.sampled_from([1, 2, (3, 1)]),
    st.sampled_from([None, MaxPool(kernel_size=2), GlobalPool(kind="avg")]),
    st.sampled_from(["clip", "abs", "offset", "minmax", None]),
    st.sampled_from(["uint8", "uint16", "float32"]),
    st.sampled_from([1, 2, 3, 4]),
    st.tuples(st.integers(24, 60), st.integers(24, 40)),
    st.tuples(st.integers(1, 20), st.integers(1, 40)),
    st.sampled_from([1, 3]),
)
def test_bands_equal_the_whole(
    kernels, variant, mode, padding, stride, pool, value_range, dtype, channels, size, block_size, threads
) -> None:
    own = np.dtype(dtype)
    pixels = (RNG.random((*size, channels)) * (1 if own.kind == "f" else 250)).astype(own)
    has_alpha = channels in (2, 4)
    options = {"offsets": FIELDS["swirl"](strength=1.0)} if variant == "deformable" else {}
    recipe = Recipe(
        variant,
        kernels=tuple(kernels[: None if variant == "depthwise" else 1]),
        padding_mode=mode,
        padding=padding,
        stride=stride,
        pool=pool and (lambda dims: pool),
        **options,
    )
    try:
        stages = recipe.stages((channels - has_alpha, *size))
    except ValueError:
        return
    finish = Finish(own, np.dtype("float64") if value_range is None else own, value_range)
    whole = run(TileWork(Given(pixels, has_alpha), stages, finish, threads=threads, measure=True))
    blocks = Decoded(pixels, block_size)
    kept = KeptBlocks(blocks, rows_seen(stages, (channels - has_alpha, *size)))
    rows = FinishedRows(TileWork(Given(kept, has_alpha), stages, finish, threads=threads, measure=True))
    bands = list(rows)
    if finish.dtype.kind == "f":  # BLAS may round the last bit by where its operands lie in memory
        close = 1e-5 * max(1.0, float(np.nanmax(np.abs(whole.pixels))))
        np.testing.assert_allclose(np.concatenate(bands), whole.pixels, rtol=0, atol=close)
    else:
        assert np.array_equal(np.concatenate(bands), whole.pixels)
    reported = rows.filtered
    assert reported is not None
    assert reported.pixels.shape == whole.pixels.shape and reported.pixels.dtype == whole.pixels.dtype
    assert (reported.clipped, reported.plan, reported.extent) == (whole.clipped, whole.plan, whole.extent)
    assert reported.measured == whole.measured


def test_a_tall_picture_has_several_bands_and_each_block_is_decoded_at_most_twice() -> None:
    pixels = RNG.integers(0, 256, (400, 40, 1), np.uint8)
    stages = Recipe("depthwise", kernels=KERNELS[:2]).stages((1, 400, 40))
    blocks = Decoded(pixels, (6, 40))
    seen = rows_seen(stages, (1, 400, 40))
    tiles = Tiles.of(stages, (1, 400, 40))
    assert seen == tiles.rows + 6 + 2  # gaussian:sigma=1 has 7 rows, sobel 3
    rows = FinishedRows(
        TileWork(
            Given(KeptBlocks(blocks, seen)), stages, Finish(np.dtype("uint8"), np.dtype("uint8")), threads=1
        )
    )
    heights = [len(band) for band in rows]
    assert len(heights) > 20 and max(heights) == tiles.band_rows
    assert set(blocks.counts) == {(number, 0) for number in range(67)}
    assert max(blocks.counts.values()) == 1


@settings(max_examples=examples(60))
@given(st.data())
def test_regions_equal_those_of_the_array(data: st.DataObject) -> None:
    channels = data.draw(st.sampled_from([(), (1,), (3,)]))
    shape = (data.draw(st.integers(1, 30)), data.draw(st.integers(1, 30)))
    pixels = RNG.integers(0, 256, (*shape, *channels), np.uint8)
    blocks = Decoded(pixels, (data.draw(st.integers(1, 9)), data.draw(st.integers(1, 9))))
    kept = KeptBlocks(blocks, data.draw(st.integers(1, 9)))
    assert kept.shape == (*shape, *(channels or (1,)))
    for _ in range(5):
        region = []
        for side in shape:
            start = data.draw(st.integers(0, side - 1))
            region.append(slice(start, data.draw(st.integers(start + 1, side))))
        found = kept[tuple(region)]
        assert np.array_equal(found, pixels.reshape(kept.shape)[tuple(region)])


def test_only_the_blocks_of_the_current_rows_are_kept() -> None:
    blocks = Decoded(np.zeros((100, 30), np.uint8), (10, 10))
    assert blocks_kept((100, 30), (10, 10), 25) == 3 * 4
    assert blocks_kept((20, 30), (10, 10), 25) == 3 * 2
    kept = KeptBlocks(blocks, 25)
    everything = slice(0, 100), slice(0, 30)
    _ = kept[everything]
    assert len(kept._kept) == 12
    _ = kept[slice(65, 100), slice(0, 30)]
    assert max(blocks.counts.values()) == 1  # still cached
    _ = kept[slice(0, 10), slice(0, 30)]
    assert blocks.counts[0, 0] == 2


def test_an_error_in_a_block_is_raised_in_waiting_threads() -> None:
    class Damaged(Decoded):
        def block(self, down: int, across: int) -> np.ndarray:
            if down == 3:
                raise OSError("a damaged block")
            return super().block(down, across)

    pixels = RNG.integers(0, 256, (60, 40, 1), np.uint8)
    stages = Recipe("depthwise", kernels=KERNELS[:1]).stages((1, 60, 40))
    given = Given(KeptBlocks(Damaged(pixels, (7, 40)), 20))
    finish = Finish(np.dtype("uint8"), np.dtype("uint8"))
    for threads in (1, 4):
        rows = iter(FinishedRows(TileWork(given, stages, finish, threads=threads)))
        with pytest.raises(OSError, match="a damaged block"):
            list(rows)
