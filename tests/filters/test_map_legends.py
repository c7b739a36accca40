"""The sheet of a filter: the values of each map, its name and its kernels."""

import logging

import numpy as np
import pytest
from PIL import Image, ImageCms

from convcli.filters.filter_picture import filter_picture
from convcli.filters.map_legends import MapLegends
from convcli.filters.work_from_arguments import work_from_arguments
from convcli.images.codecs.npy_pictures import picture_of
from convcli.images.map_sheet import SheetPlan, draw_maps
from convcli.kernels import parse_kernel

RNG = np.random.default_rng(0)
GREY, COLOURS = (RNG.integers(0, 256, shape, dtype=np.uint8) for shape in ((9, 12), (9, 12, 3)))
SOBEL_X, SOBEL_Y = (np.array(parse_kernel(name).matrices[0], float) for name in ("sobel-x", "sobel-y"))


def legends(pixels, kernel=None, **options):
    picture_filter = work_from_arguments(kernel, {"sheet": True, **options}).work.filter
    (group,) = picture_filter.groups("x", picture_of(pixels, "x", 10**6), "memory")
    return MapLegends.of(picture_filter.requested, group)


def values(pixels, kernel=None, **options):
    made = filter_picture(pixels, kernel, value_range=None, **options)
    return np.moveaxis(made.reshape(*made.shape[:2], -1), -1, 0)


@pytest.mark.parametrize(
    ("pixels", "kernel", "names"),
    [
        (GREY, "sobel", ("grey",)),
        (COLOURS, "sobel", ("red", "green", "blue")),
        (COLOURS[..., :2], "box", ("grey",)),
    ],
)
def test_maps_of_a_channel_have_its_name_and_all_matrices(pixels, kernel, names):
    found = legends(pixels, kernel)
    assert (found.names, found.title) == (names, kernel)
    if kernel == "sobel":
        assert np.array_equal(found.kernels, np.stack([[SOBEL_X, SOBEL_Y]] * len(names)))


def test_maps_of_weights_are_numbered_beside_their_own_kernels():
    weights = RNG.standard_normal((5, 3, 2, 2))
    found = legends(COLOURS, weights=weights)
    assert found.names == tuple(f"map {number}" for number in range(5))
    assert np.array_equal(found.kernels, weights)
    assert found.kernel_grid == (3, 2, 2)
    pooled = legends(COLOURS, weights=weights, pool_channels="max")
    assert (pooled.names, pooled.kernel_grid) == (("map 0",), (0, 1, 1))
    assert legends(COLOURS, pointwise="luma").names == ("map 0",)
    assert legends(GREY, "sobel-x", flip=True).kernels[0, 0].tolist() == SOBEL_X[::-1, ::-1].tolist()


@pytest.mark.parametrize(
    ("pixels", "kernel", "options"),
    [
        (GREY, "sobel-x", {}),
        (COLOURS, "gaussian:1", {"stride": 2}),
        (COLOURS, "laplacian", {"linear": True}),
        (COLOURS, None, {"weights": RNG.standard_normal((5, 3, 2, 2)), "activation": "relu"}),
    ],
)
def test_the_sheet_shows_the_values(pixels, kernel, options):
    found = legends(pixels, kernel, **options)
    right = draw_maps(values(pixels, kernel, **options), found.names, found.kernels, found.title)
    assert np.array_equal(filter_picture(pixels, kernel, sheet=True, **options), right)


def test_alpha_is_not_drawn_as_a_map():
    pixels = np.dstack([COLOURS, np.full((9, 12), 200, np.uint8)])
    found = legends(pixels, "box")
    right = draw_maps(values(pixels, "box")[:3], found.names, found.kernels, found.title)
    assert np.array_equal(filter_picture(pixels, "box", sheet=True), right)


def test_each_frame_of_a_3d_filter_has_a_sheet():
    frames = RNG.integers(0, 256, (3, 9, 12, 1), dtype=np.uint8)
    made = filter_picture(frames, "box:3", dims=3, sheet=True)
    whole = filter_picture(frames, "box:3", dims=3, value_range=None)
    assert made.shape == (3, *SheetPlan.of(1, 9, 12).shape, 3)
    assert np.array_equal(made[1], draw_maps(whole[1].transpose(2, 0, 1), ("grey",), None, "box"))


def test_the_memory_of_the_values_is_estimated():
    pixels, weights = RNG.random((400, 500), np.float32), RNG.standard_normal((40, 1, 1, 1))
    work = work_from_arguments(None, {"sheet": True, "weights": weights}).work
    plan = work.plan("x", "y", picture_of(pixels, "x", 10**6), "PNG")
    (made,) = plan.made
    raw = work_from_arguments(None, {"weights": weights}).work.plan(
        "x", "y", picture_of(pixels, "x", 10**6), "NPY"
    )
    drawn = made.pixels.shape[0] * made.pixels.shape[1]
    assert plan.memory == raw.memory + (3 + 4) * drawn, (
        "the sheet in addition to the values, and Pillow's own while it is drawn"
    )


def test_maps_that_are_not_drawn_are_noted(caplog):
    with caplog.at_level(logging.INFO, "convcli"):
        filter_picture(GREY, weights=RNG.standard_normal((300, 1, 1, 1)), sheet=True)
    assert "256 of the 300 maps are drawn; .npy stores all of them" in caplog.messages


def test_the_profile_of_the_colours_is_left_out():
    image = Image.fromarray(COLOURS)
    image.info["icc_profile"] = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert "icc_profile" in filter_picture(image, "box").info
    sheet = filter_picture(image, "box", sheet=True)
    assert (sheet.mode, "icc_profile" in sheet.info) == ("RGB", False)
