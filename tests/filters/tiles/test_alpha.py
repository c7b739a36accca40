"""Alpha in stages: the same as in filter_image, and hidden colours never bleed."""

from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcli.errors import ArgumentError
from convcli.filters.filter_image import filter_image
from convcli.filters.recipe import Recipe
from convcli.filters.stages.activation_and_pools import Activated, ChannelPooled, Pooled
from convcli.filters.stages.blend import LOCALS
from convcli.filters.stages.offsets import FIELDS
from convcli.filters.tiles.alpha_rule import FAINT
from convcli.filters.tiles.given_picture import Given
from convcli.filters.tiles.sources import evaluated, of_array
from convcli.filters.tiles.tile_loop import through as chained
from convcli.kernels import parse_kernel
from convcli.layers import Activation, AdaptivePool, AvgPool, GlobalPool, LpPool, MaxPool
from convcli.layers.padding import MODES
from tests.examples import examples

MEAN, EDGE, MAGNITUDE = map(parse_kernel, ("1 2 1; 2 4 2; 1 2 1", "0 1 0; 1 -4 1; 0 1 0", "sobel"))
LARGEST = parse_kernel("kirsch")


def picture(seed=0, dtype=np.uint8, size=(9, 8)):
    """Return random pixels, RGBA, a third of them hidden."""
    random = np.random.default_rng(seed)
    pixels = random.integers(0, np.iinfo(dtype).max, (*size, 4), dtype, endpoint=True)
    pixels[..., 3] *= random.random(size) > 0.3
    return pixels


def through(recipe, pixels, premultiply=None):
    given = Given(pixels, True)
    found = chained(given.sources(given.dtype), recipe.stages((3, *pixels.shape[:2])), premultiply)
    return Values(*map(evaluated, found))


def with_opacity(stage, colour, opacity):
    return tuple(map(evaluated, stage.with_opacity(of_array(colour), of_array(opacity), None)))


class Values(NamedTuple):
    colour: np.ndarray
    opacity: np.ndarray


KERNELS = st.sampled_from(
    [MEAN, EDGE, MAGNITUDE, LARGEST, *map(parse_kernel, ("box:2", "0 1 2; 3 -4 5", "gaussian", "identity"))]
)


@settings(max_examples=examples(60))
@given(
    KERNELS,
    st.sampled_from(list(MODES)),
    st.sampled_from(["auto", "keep"]),
    st.integers(1, 3),
    st.sampled_from(["same", "same-lower", "valid", "full", 1]),
    st.booleans(),
    st.integers(0, 9),
    st.sampled_from([np.uint8, np.uint16]),
)
def test_a_single_kernel_equals_filter_image(kernel, mode, alpha, stride, padding, flip, seed, dtype):
    options = {
        "padding_mode": mode,
        "padding_value": 7 if mode == "constant" else 0,
        "stride": stride,
        "padding": padding,
        "flip": flip,
    }
    pixels = picture(seed, dtype)
    full = np.iinfo(dtype).max
    exact = filter_image(pixels / np.array([1, 1, 1, full]), kernel, alpha=alpha, **options).pixels
    found = through(Recipe(kernels=(kernel,), **options), pixels, None if alpha == "auto" else False)
    # Opacities below FAINT count as hidden in stages, because float sums may not be exactly 0.
    seen = (exact[..., 3:] > 2 * FAINT) | (exact[..., 3:] == 0)
    colours = np.moveaxis(found.colour, 0, -1)
    assert np.allclose(colours * seen, exact[..., :3] * seen, rtol=1e-9, atol=1e-7 * full)
    assert np.allclose(np.moveaxis(found.opacity, 0, -1), exact[..., 3:], atol=1e-12)


RECIPES = {
    "depthwise": Recipe(kernels=(EDGE,)),
    "pipeline": Recipe(kernels=(MEAN, MAGNITUDE), stride=2),
    "largest": Recipe(kernels=(LARGEST,)),
    "standard": Recipe("standard", (EDGE,)),
    "weights": Recipe(
        "standard", weights=np.random.default_rng(0).standard_normal((5, 3, 3, 3)), bias=np.arange(5.0)
    ),
    "grouped": Recipe("grouped", (MEAN,), groups=3),
    "separable": Recipe("separable", (parse_kernel("disk:radius=2"),), rank=2),
    "dilated": Recipe("dilated", (MEAN,)),
    "transposed": Recipe("transposed", (parse_kernel("bilinear"),), stride=2),
    "transposed, no mean": Recipe("transposed", (MEAN,), stride=2),
    "transposed, edges": Recipe("transposed", (EDGE,), stride=3, padding_mode="zeros"),
    "resize-conv": Recipe("resize-conv", (EDGE,), stride=2),
    "deformable": Recipe("deformable", (parse_kernel("identity"),), offsets=FIELDS["swirl"]()),
    "deformable, edges": Recipe(
        "deformable", (EDGE,), offsets=FIELDS["random"](sigma=2), padding_mode="circular"
    ),
    "deformable, zeros": Recipe(
        "deformable", (MEAN,), offsets=FIELDS["random"](sigma=9), padding_mode="zeros"
    ),
    "local": Recipe("local", widths=LOCALS["vignette-blur"](sigma=2)),
    "local, any": Recipe("local", weights=np.random.default_rng(0).standard_normal((9, 8, 3, 3))),
    "tiled": Recipe("tiled", (MEAN, parse_kernel("identity"))),
    "tiled, edges": Recipe("tiled", (MEAN, EDGE)),
    "pointwise": Recipe("pointwise", mixing=np.ones((2, 3))),
    "depthwise-separable": Recipe("depthwise-separable", (EDGE,), mixing=np.ones((2, 3))),
    "activation": Recipe(kernels=(EDGE,), activation="tanh"),
    "max": Recipe(pool=lambda dims: MaxPool(kernel_size=2, dims=dims)),
    "avg": Recipe(
        pool=lambda dims: AvgPool(kernel_size=3, stride=2, padding=1, count_include_pad=False, dims=dims)
    ),
    "lp": Recipe(pool=lambda dims: LpPool(norm_type=2, kernel_size=2, dims=dims)),
    "adaptive max": Recipe(pool=lambda dims: AdaptivePool(output_size=(4, 3), kind="max")),
    "global avg": Recipe(pool=lambda dims: GlobalPool(kind="avg")),
    "channels": Recipe(pool_channels=ChannelPooled("max")),
}


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("premultiply", [None, False])
def test_hidden_colours_never_bleed(name, premultiply):
    pixels, other = picture(), picture()
    other[other[..., 3] == 0, :3] = 255 - other[other[..., 3] == 0, :3]
    first, second = (through(RECIPES[name], each, premultiply) for each in (pixels, other))
    assert np.array_equal(first.opacity, second.opacity)
    seen = np.broadcast_to(first.opacity > 1e-4, first.colour.shape)
    assert np.allclose(first.colour[seen], second.colour[seen], atol=1e-6)
    assert 0 < seen.mean() <= 1
    assert first.opacity.min() >= 0
    assert first.opacity.max() <= 1
    assert np.isfinite(first.colour).all()


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("premultiply", [None, False])
def test_opaque_pictures_are_filtered_as_if_they_had_no_alpha(name, premultiply):
    pixels = picture()
    pixels[..., 3] = 255
    recipe = RECIPES[name]
    expected = np.moveaxis(pixels[..., :3], -1, 0).astype(np.float64)
    for stage in recipe.stages(expected.shape):
        expected = stage(expected)
    found = through(recipe, pixels, premultiply)
    solid = np.broadcast_to(found.opacity > 1 - 1e-9, expected.shape)
    assert np.allclose(found.colour[solid], expected[solid], atol=1e-6)
    if recipe.padding_mode != "zeros":
        assert solid.all()
    assert found.opacity.shape[1:] == expected.shape[1:]


@pytest.mark.parametrize("name", RECIPES)
def test_floats_keep_their_dtype(name):
    for dtype in (np.float32, np.float64):
        x = picture()[..., :3].transpose(2, 0, 1).astype(dtype)
        for stage in RECIPES[name].stages(x.shape):
            x = stage(x)
        assert x.dtype == dtype


def test_alpha_moves_with_its_pixel():
    pixels = picture()
    still = Recipe(
        "deformable",
        (parse_kernel("identity"),),
        offsets=np.broadcast_to(np.array([1.0, -2.0])[:, None, None], (2, 9, 8)),
    )
    found = through(still, pixels)
    moved = np.moveaxis(np.concatenate([found.colour, found.opacity * 255]), 0, -1)
    visible = pixels[1:, :-2, 3] > 0
    assert np.allclose(moved[:-1, 2:][visible], pixels[1:, :-2][visible])
    assert np.array_equal(moved[:-1, 2:, 3], pixels[1:, :-2, 3])


@pytest.mark.parametrize("variant", ["standard", "depthwise"])
def test_a_hidden_neighbour_counts_as_the_pixel_itself(variant):
    """Computed by loops: each window with its hidden pixels replaced, then the sum, then the bias once."""
    pixels = picture().astype(float)
    random = np.random.default_rng(1)
    weight = random.standard_normal((3, 3 if variant == "standard" else 1, 3, 3))
    bias = np.array([100.0, -50.0, 7.0])
    found = through(Recipe(variant, weights=weight, weights_name="w", bias=bias), picture(), False)
    around = np.pad(pixels, ((1, 1), (1, 1), (0, 0)), "reflect")
    for y, x in np.ndindex(9, 8):
        window = around[y : y + 3, x : x + 3].copy()
        window[window[..., 3] == 0] = pixels[y, x]
        for out in range(3):
            seen = window[..., :3] if variant == "standard" else window[..., out : out + 1]
            expected = (np.moveaxis(weight[out], 0, -1) * seen).sum() + bias[out]
            assert found.colour[out, y, x] == pytest.approx(expected)


@pytest.mark.parametrize("taps", [1, 9])
def test_alpha_is_that_of_the_kernels_centre(taps):
    pixels = picture()
    moves = np.broadcast_to(np.array([1.2, -2.4])[:, None, None], (2, 9, 8))
    recipe = Recipe("deformable", (EDGE,), offsets=np.tile(moves, (taps, 1, 1)), padding_mode="circular")
    found = through(recipe, pixels)
    assert np.allclose(found.opacity[0], np.roll(pixels[..., 3], (-1, 2), (0, 1)) / 255)
    whole = Recipe(
        "deformable", (EDGE,), offsets=np.rint(recipe.offsets).astype(int), padding_mode="symmetric"
    )
    assert through(whole, pixels).opacity[0, :-1, 2:] == pytest.approx(pixels[1:, :-2, 3] / 255)


def test_nearest_resizing_repeats_alpha_for_every_kernel():
    pixels = picture()
    for kernel in ("nearest", "1 -1; 1 1"):
        found = through(Recipe("transposed", (parse_kernel(kernel),), stride=2), pixels)
        assert np.allclose(found.opacity[0], (pixels[..., 3] / 255).repeat(2, 0).repeat(2, 1))


def test_pools_of_visible_pixels():
    colour = np.array([[[1.0, 9.0], [5.0, 3.0]]])
    opacity = np.array([[[0.5, 0.0], [1.0, 0.25]]])
    for layer, wanted, alpha in (
        (MaxPool(kernel_size=2), 5, 1),
        (AvgPool(kernel_size=2), (0.5 + 5 + 0.75) / 1.75, 1.75 / 4),
        (LpPool(norm_type=2, kernel_size=2), 35**0.5, 1),
        (GlobalPool(kind="max"), 5, 1),
    ):
        found, kept = with_opacity(Pooled(layer), colour, opacity)
        assert found.item() == pytest.approx(wanted)
        assert kept.item() == pytest.approx(alpha)
    found, _ = with_opacity(Pooled(MaxPool(kernel_size=2)), -colour, opacity)
    assert found.item() == -1  # neither hidden values nor 0


def test_only_means_may_be_premultiplied():
    pixels = picture()
    with pytest.raises(
        ArgumentError, match="`alpha='premultiply'` needs a weighted mean, and a stage is none"
    ):
        through(Recipe(kernels=(EDGE,)), pixels, True)
    assert through(Recipe(kernels=(MEAN,)), pixels, True).colour.shape == (3, 9, 8)
    stages = Recipe("transposed", (MEAN,), stride=2).stages((3, 9, 8))
    assert [stage.is_mean for stage in stages] == [True]  # 4 to each output
    assert not Recipe("transposed", (parse_kernel("box:3"),), stride=2).stages((3, 9, 8))[0].is_mean
    assert not Activated(Activation(name="relu"), 1).is_mean


@pytest.mark.parametrize("opacity", [0.0, -1.0, np.nan])
def test_an_opacity_of_0_or_nan_hides_a_pixel(opacity):
    """A uniform picture stays uniform under a kernel that sums to 1, whichever neighbours are hidden."""
    pixels = np.full((7, 7, 2), 0.5)
    pixels[..., 1] = 1
    pixels[3, 3] = 0.9, opacity
    found = filter_image(pixels, parse_kernel("gaussian"), alpha="keep", value_range=None).pixels[..., 0]
    assert np.delete(found.ravel(), 24) == pytest.approx(0.5)
    largest, _ = with_opacity(Pooled(MaxPool(kernel_size=2)), *(pixels[np.newaxis, ..., c] for c in (0, 1)))
    assert largest == pytest.approx(0.5)


def test_pixels_without_hidden_neighbours_keep_the_sign_of_zeros():
    pixels = np.ones((40, 2, 2))
    pixels[:, 0, 0] = -0.0
    pixels[0, 0, 1] = 0
    found = filter_image(pixels, parse_kernel("1 0 0"), alpha="keep", value_range=None).pixels
    assert np.signbit(found[5:, 1, 0]).all()
