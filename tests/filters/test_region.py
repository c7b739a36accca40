"""--only and --mask: the filtered part of a picture; the rest is unchanged bit for bit."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from convcli import filter_picture
from convcli.errors import ArgumentError
from convcli.filters.work_from_arguments import work_from_arguments
from convcli.images.codecs.npy_pictures import picture_of
from convcli.images.read import read_picture
from tests.conftest import SAMPLES, Call, one_error

RNG = np.random.default_rng(2)
COLOURS = RNG.integers(0, 256, (30, 40, 3), np.uint8)
TRANSPARENT = RNG.integers(0, 256, (30, 40, 4), np.uint8)


@given(st.integers(0, 39), st.integers(0, 29), st.data(), st.sampled_from(["gaussian:2", "sobel"]))
def test_a_rectangle_equals_that_of_the_filtered_picture(x, y, data, kernel):
    width, height = data.draw(st.integers(1, 40 - x)), data.draw(st.integers(1, 30 - y))
    found = filter_picture(COLOURS, kernel, only=(x, y, width, height))
    wanted = COLOURS.copy()
    wanted[y : y + height, x : x + width] = filter_picture(COLOURS, kernel)[y : y + height, x : x + width]
    assert np.array_equal(found, wanted)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_greys_of_a_mask_blend(dtype):
    pixels = COLOURS.astype(dtype)
    mask = RNG.integers(0, 256, (30, 40), np.uint8)
    mask[:5], mask[5:10] = 0, 255
    whole = filter_picture(pixels, "box:5").astype(np.float64)
    share = mask[..., np.newaxis] / 255
    blended = pixels * (1 - share) + whole * share
    found = filter_picture(pixels, "box:5", mask=mask)
    assert found.dtype == dtype
    if dtype == np.float32:
        assert np.allclose(found, blended, rtol=1e-6)
    else:
        assert np.abs(found - blended).max() <= 0.5 + 1e-9
    assert np.array_equal(found[:5], pixels[:5])
    assert np.array_equal(found[5:10], whole[5:10].astype(dtype))


def test_masks_are_booleans_fractions_and_pictures(tmp_path: Path):
    shown = RNG.random((30, 40)) < 0.5
    found = filter_picture(COLOURS, "box:5", mask=shown)
    assert np.array_equal(found, np.where(shown[..., np.newaxis], filter_picture(COLOURS, "box:5"), COLOURS))
    assert np.array_equal(found, filter_picture(COLOURS, "box:5", mask=shown.astype(np.float32)))
    Image.fromarray(shown.astype(np.uint8) * 255).save(tmp_path / "mask.png")
    assert np.array_equal(found, filter_picture(COLOURS, "box:5", mask=str(tmp_path / "mask.png")))
    seen = np.dstack([np.full((30, 40, 3), 255, np.uint8), shown.astype(np.uint8) * 255])
    Image.fromarray(seen).save(tmp_path / "alpha.png")  # white and partly transparent
    assert np.array_equal(found, filter_picture(COLOURS, "box:5", mask=str(tmp_path / "alpha.png")))


@given(st.lists(st.tuples(*(st.integers(least, 15) for least in (0, 0, 1, 1))), min_size=1, max_size=4))
def test_several_rectangles_are_filtered_once_where_they_overlap(rectangles):
    found = filter_picture(COLOURS, "sobel", only=rectangles)
    inside = np.zeros((30, 40, 1), bool)
    for x, y, width, height in rectangles:
        inside[y : y + height, x : x + width] = True
    assert np.array_equal(found, np.where(inside, filter_picture(COLOURS, "sobel"), COLOURS))


def test_a_mask_within_rectangles():
    shown = RNG.random((30, 40))
    found = filter_picture(COLOURS, "box:5", mask=shown, only=[(4, 6, 20, 10), "20,10,9,9"])
    inside = np.zeros((30, 40), bool)
    inside[6:16, 4:24] = inside[10:19, 20:29] = True
    assert np.array_equal(found, filter_picture(COLOURS, "box:5", mask=shown * inside))


def test_blended_colours_are_weighted_by_alpha():
    before = np.array([[[200, 0, 0, 255], [0, 0, 0, 0]]], np.uint8)
    mask = np.array([[0.5, 0.5]])
    found = filter_picture(before, "0 0 1", mask=mask, padding_mode="replicate", alpha="filter")
    assert found[0, 0].tolist() == [
        200,
        0,
        0,
        128,
    ]  # blending in an invisible pixel does not change visible colours
    whole = filter_picture(TRANSPARENT, "gaussian:2")
    half = filter_picture(TRANSPARENT, "gaussian:2", mask=np.full((30, 40), 0.5))
    alpha = (TRANSPARENT[..., 3:] / 2 + whole[..., 3:] / 2).astype(np.float64)
    premultiplied = TRANSPARENT[..., :3] * (TRANSPARENT[..., 3:] / 2) + whole[..., :3] * (whole[..., 3:] / 2)
    seen = alpha[..., 0] > 0
    assert np.abs(half[seen][:, :3] - (premultiplied / np.maximum(alpha, 1e-9))[seen]).max() <= 0.5 + 1e-6


def test_files(call: Call, tmp_path: Path):
    with Image.open(SAMPLES / "landscape.png") as image:
        before = np.asarray(image)
    target = tmp_path / "blurred.png"
    assert (
        call(
            "filter",
            SAMPLES / "landscape.png",
            "-k",
            "box:9",
            "--only",
            "10,20,30,40",
            "--only",
            "0,0,9,5",
            "-o",
            target,
        ).code
        == 0
    )
    (frame,) = read_picture(target).frames
    wanted = before.copy()
    for part in (np.s_[20:60, 10:40], np.s_[:5, :9]):
        wanted[part] = filter_picture(before, "box:9")[part]
    assert np.array_equal(frame.pixels, wanted)
    moving = tmp_path / "moving.png"
    words = (
        "filter",
        SAMPLES / "spinner.gif",
        "-k",
        "edge",
        "--alpha",
        "keep",
        "--only",
        "0,0,3,3",
        "-o",
        moving,
    )
    assert call(*words).code == 0
    for after, was in zip(
        read_picture(moving).frames, read_picture(SAMPLES / "spinner.gif").frames, strict=True
    ):
        assert np.array_equal(after.pixels[3:], was.pixels[3:])


def test_all_pictures_share_one_mask_which_is_not_an_output(call: Call, tmp_path: Path):
    for name in "ab":
        Image.fromarray(COLOURS).save(tmp_path / f"{name}.png")
    mask = tmp_path / "mask.png"
    Image.fromarray(RNG.integers(0, 256, (30, 40), np.uint8)).save(mask)
    words = ("filter", tmp_path / "a.png", tmp_path / "b.png", "-k", "box", "--mask", mask)
    assert call(*words, "-o", f"{tmp_path}/out/").code == 0
    assert (tmp_path / "out" / "a.png").read_bytes() == (tmp_path / "out" / "b.png").read_bytes()
    assert "mask" in one_error(
        call("filter", tmp_path / "a.png", "-k", "box", "--mask", mask, "-o", mask, "--force")
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"only": (1, 2, 3)}, "is not a rectangle; write X,Y,WIDTH,HEIGHT in pixels from the top left of the upright picture, such as 10,20,64,48"),
        ({"only": "1,2,0,4"}, "is not a rectangle"),
        ({"only": (30, 0, 11, 5)}, "`only` 30,0,11,5 reaches beyond the picture, which is 40 wide and 30 high"),
        ({"only": (0, 0, 5, 5), "stride": 2}, "`only` keeps the rest of the picture, which is 40 wide and 30 high of RGB, and the result is 20 wide and 15 high of RGB; leave out what changes its size, its channels or its depth"),
        ({"mask": np.ones((3, 4))}, "`mask` is 4 wide and 3 high, and the picture 40 wide and 30 high; make them the same size"),
        ({"mask": np.ones((40, 30))}, "turn the mask: pictures are filtered as their EXIF orientation shows them"),
        ({"only": [(0, 0, 5, 5), (30, 0, 11, 5)]}, "`only` 30,0,11,5 reaches beyond the picture"),
        ({"only": [(0, 0, 5, 5), (1, 2, 3)]}, "(1, 2, 3) is not a rectangle"),
        ({"mask": np.ones(3)}, "`mask` has the shape (3,); give (height, width)"),
        ({"mask": np.full((30, 40), 2.0)}, "`mask` takes booleans, unsigned whole numbers, or floats from 0 to 1"),
    ],
)  # fmt: skip
def test_errors(options, message):
    with pytest.raises(ArgumentError) as error:
        filter_picture(COLOURS, "box", **options)
    assert message in str(error.value)


@pytest.mark.parametrize("kernel", ["box", ["box", "sobel"]])
def test_the_memory_of_the_copied_picture_is_estimated(kernel):
    def memory(**options):
        return (
            work_from_arguments(kernel, options)
            .work.plan("x", "y", picture_of(COLOURS, "x", 10**6), "PNG")
            .memory
        )

    assert memory(only=(0, 0, 4, 4)) == memory() + COLOURS.nbytes


def test_an_output_is_explained_without_a_region(call: Call):
    found = call("filter", SAMPLES / "house.png", "-k", "box", "--only", "1,2,3,4", "--explain", "5,5")
    assert one_error(found) == "--explain explains one output and writes no picture; leave out --only"
